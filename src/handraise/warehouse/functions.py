"""Functions that Ibis has no name for, and expressions that mean the same on every engine.

The declared functions have no body: each dialect in `dialects/` puts them into its own words.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

FALSE = ibis.literal(value=False)
TRUE = ibis.literal(value=True)


@ibis.udf.scalar.builtin(signature=(("string", "string"), "string"))
def property_of(document: str, key: str) -> str:  # type: ignore[empty-body]
    """Text of a property, whatever its JSON type; NULL where it is missing or null. `key` is a literal."""


@ibis.udf.scalar.builtin(signature=(("string",), "boolean"))
def is_json(document: str) -> bool:  # type: ignore[empty-body]
    """Whether a text is JSON."""


@ibis.udf.scalar.builtin(signature=(("string",), "int64"))
def hash_of(text: str) -> int:  # type: ignore[empty-body]
    """A 64-bit hash of a text, the engine's own; it has no meaning outside the engine."""


def property_text(properties: ir.Value, name: str) -> ir.StringValue:
    """A property of a JSON object as text; NULL where it is missing or JSON null."""
    found: ir.StringValue = property_of(properties, name)
    return found


def is_json_object(text: ir.StringValue) -> ir.BooleanValue:
    """Whether a text is a JSON object (not an array, a number or broken)."""
    checked: ir.BooleanValue = is_json(text) & text.strip().startswith("{")
    return checked


def all_of(*conditions: ir.BooleanValue) -> ir.BooleanValue:
    """Every condition holds; true when there is none."""
    result: ir.BooleanValue = TRUE
    for index, condition in enumerate(conditions):
        result = condition if index == 0 else result & condition
    return result


def any_of(*conditions: ir.BooleanValue) -> ir.BooleanValue:
    """At least one condition holds; false when there is none."""
    result: ir.BooleanValue = FALSE
    for index, condition in enumerate(conditions):
        result = condition if index == 0 else result | condition
    return result


def join_on(rows: ir.Table, extra: ir.Table, keys: list[str]) -> ir.Table:
    """Left join that keeps one copy of the key columns."""
    joined = rows.left_join(extra, keys)
    return joined.select(*(joined[c] for c in rows.columns), *(joined[c] for c in extra.columns if c not in keys))
