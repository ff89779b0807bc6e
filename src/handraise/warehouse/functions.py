"""Functions that Ibis has no name for, and expressions that mean the same on every engine.

The declared functions have no body: each dialect in `dialects/` puts them into its own words.
"""

from __future__ import annotations

import json

import ibis
import ibis.expr.types as ir

FALSE = ibis.literal(value=False)
TRUE = ibis.literal(value=True)
BETWEEN_KEYS = "\x1f"


@ibis.udf.scalar.builtin(signature=(("string", "string"), "string"))
def property_of(document: str, key: str) -> str:  # type: ignore[empty-body]
    """Text of a property, whatever its JSON type; NULL where it is missing or null. `key` is a literal."""


@ibis.udf.scalar.builtin(signature=(("string",), "boolean"))
def is_json(document: str) -> bool:  # type: ignore[empty-body]
    """Whether a text is JSON."""


@ibis.udf.scalar.builtin(signature=(("string",), "string"))
def object_in(text: str) -> str:  # type: ignore[empty-body]
    """A text that is a JSON object; NULL for every other text."""


@ibis.udf.scalar.builtin(signature=(("string",), "string"))
def list_in(text: str) -> str:  # type: ignore[empty-body]
    """A text that is a JSON list; NULL for every other text."""


@ibis.udf.scalar.builtin(signature=(("string",), "string"))
def element_or_text(text: str) -> str:  # type: ignore[empty-body]
    """The first element where a text is a JSON list, else the text itself."""


@ibis.udf.scalar.builtin(signature=(("string",), "int64"))
def hash_of(text: str) -> int:  # type: ignore[empty-body]
    """A 64-bit hash of a text, the engine's own; it has no meaning outside the engine."""


@ibis.udf.scalar.builtin(signature=(("string", "string"), "string"))
def first_text_of(document: str, keys: str) -> str:  # type: ignore[empty-body]
    """The first of several properties that has a text; `keys` is a literal, its names parted by `BETWEEN_KEYS`."""


@ibis.udf.scalar.builtin(signature=(("string", "int64"), "string"))
def element_of(document: str, index: int) -> str:  # type: ignore[empty-body]
    """Text of an element of a JSON list; `index` is a literal, from 0."""


@ibis.udf.scalar.builtin(signature=(("string",), "string"))
def json_text(text: str) -> str:  # type: ignore[empty-body]
    """A text as a JSON string, in quotes."""


@ibis.udf.scalar.builtin(signature=(("int64",), "timestamp(6)"))
def instant_of_micros(micros: int) -> int:  # type: ignore[empty-body]
    """UTC instant of so many microseconds after 1970."""


@ibis.udf.scalar.builtin(signature=(("array<string>",), "string"))
def joined_members(parts: list[str]) -> str:  # type: ignore[empty-body]
    """Members of JSON objects, joined so that of two of one name the first is the one that `property_of` finds."""


@ibis.udf.scalar.builtin(signature=(("string", "string"), "string"))
def members_of_list(documents: str, inside: str) -> str:  # type: ignore[empty-body]
    """Members of all objects of a JSON list; `inside` is a literal, the property that holds the object, or empty."""


@ibis.udf.scalar.builtin(signature=(("string",), "string"))
def members_of_pairs(pairs: str) -> str:  # type: ignore[empty-body]
    """Members of an object from a JSON list of keys and typed values (see `object_of_pairs`)."""


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


def checked_object(text: ir.StringValue) -> ir.StringValue:
    """A text that is a JSON object; NULL for every other text, so that properties can be asked for."""
    found: ir.StringValue = object_in(text)
    return found


def first_property(document: ir.StringValue, names: tuple[str, ...]) -> ir.StringValue:
    """The first of several properties that has a text; a dot-free name, or `a.b` for a property of a property.

    Args:
        document: JSON objects (see `checked_object`).
        names: Properties in the order of preference.
    """
    found: ir.StringValue = first_text_of(document, BETWEEN_KEYS.join(names))
    return found


def first_element(text: ir.StringValue) -> ir.StringValue:
    """The first element where a text is a JSON array, else the text itself."""
    found: ir.StringValue = element_or_text(text)
    return found


def json_object(values: dict[str, ir.StringValue]) -> ir.StringValue:
    """A JSON object of texts; what is NULL or empty is left out, and NULL stands for an object of nothing."""
    parts = []
    for name, value in values.items():
        member = ibis.literal(f"{json.dumps(name, ensure_ascii=False)}:").concat(json_text(value))
        parts.append((value != "").ifelse(member, ibis.null("string")))
    return _braced(joined_members(ibis.array(parts))) if parts else ibis.null("string")


def merged_objects(*documents: ir.StringValue) -> ir.StringValue:
    """One JSON object with the members of several; of two of one name, the first is the one that is found."""
    return _braced(joined_members(ibis.array([_members(document) for document in documents])))


def object_of_list(documents: ir.StringValue, *, inside: str | None = None) -> ir.StringValue:
    """One JSON object with the members of all objects of a JSON list.

    Args:
        documents: JSON lists of objects.
        inside: The property of each element that holds the object; None = the element is the object.
    """
    return _braced(members_of_list(documents, inside or ""))


def _members(document: ir.StringValue) -> ir.StringValue:
    """What stands between the braces of a JSON object; NULL where there is nothing, or no object."""
    plain = document.strip()
    inner = plain.substr(1, plain.length() - 2).strip().nullif("")
    found: ir.StringValue = plain.startswith("{").ifelse(inner, ibis.null("string"))
    return found


def object_of_pairs(pairs: ir.StringValue) -> ir.StringValue:
    """A JSON object from a JSON list of `{"key": …, "value": {"string_value" | "int_value" | …: …}}`."""
    return _braced(members_of_pairs(pairs))


def _braced(members: ir.StringValue) -> ir.StringValue:
    whole: ir.StringValue = ibis.literal("{").concat(members.nullif(""), "}")
    return whole


def instant_of_epoch(value: ir.Value) -> ir.Value:
    """Seconds, milliseconds, microseconds or nanoseconds since 1970 as ISO text; anything else stays as it is.

    The size tells the unit: each is taken for years 1973 to 5138 of its own range.
    """
    if not value.type().is_string():
        return value
    number = value.try_cast("float64")
    micros = ibis.cases(
        (number < 1e11, number * 1e6),  # noqa: PLR2004 - seconds until the year 5138
        (number < 1e14, number * 1e3),  # noqa: PLR2004
        (number < 1e17, number),  # noqa: PLR2004
        else_=number / 1e3,
    )
    inside = (number >= 0) & (micros < 7.26e15)  # noqa: PLR2004 - the year 2200
    whole = inside.ifelse(micros, ibis.null("float64")).round().cast("int64")
    text: ir.StringValue = ibis.coalesce(instant_of_micros(whole).cast("string"), value)
    return text


def derived_id(*parts: ir.Value) -> ir.StringValue:
    """An id for rows that have none: the same content gives the same id."""
    texts = [part.cast("string").fill_null("") for part in parts]
    found: ir.StringValue = ibis.literal("\x1f").join(texts).hexdigest("md5")
    return found
