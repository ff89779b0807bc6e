"""Functions of the engine that Ibis has no name for, in one place so that each engine can have its own."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

FALSE = ibis.literal(value=False)
TRUE = ibis.literal(value=True)


@ibis.udf.scalar.builtin(signature=(("string", "string"), "string"))
def json_extract_string(document: str, path: str) -> str:  # type: ignore[empty-body]
    """Text of a property, whatever its JSON type; NULL where it is missing."""


@ibis.udf.scalar.builtin(signature=(("string",), "boolean"))
def json_valid(document: str) -> bool:  # type: ignore[empty-body]
    """Whether a text is JSON."""


@ibis.udf.scalar.builtin(name="hash", signature=(("string",), "uint64"))
def hash_of(text: str) -> int:  # type: ignore[empty-body]
    """A number that differs for different texts but for rare chance; may change with the engine's version."""


def property_text(properties: ir.Value, name: str) -> ir.StringValue:
    """A property of a JSON object as text; NULL where it is missing or JSON null."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    found: ir.StringValue = json_extract_string(properties, f'$."{escaped}"')
    return found


def is_json_object(text: ir.StringValue) -> ir.BooleanValue:
    """Whether a text is a JSON object (not an array, a number or broken)."""
    checked: ir.BooleanValue = json_valid(text) & text.strip().startswith("{")
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
