"""Turn a batch of text columns into typed rows, or into a reason why a row is refused."""

from __future__ import annotations

import difflib

import ibis
import ibis.expr.types as ir

from handraise.errors import InputError
from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import all_of, any_of, is_json_object
from handraise.warehouse.tables import Input, Kind

REASON = "_reason"
_GIVEN = "_given_"
# Instants outside these years are clocks gone wrong; a day roll-up for the year 9999 helps nobody.
EARLIEST, LATEST = "1970-01-01", "2200-01-01"
_INSTANT = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|UTC|[+-]\d{2}(:?\d{2})?)?)?$"
_THOUSANDS = r"^\d{1,3}(,\d{3})+$"
_TRUE, _FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")
_WANTED: dict[Kind, str] = {
    "instant": "is not an ISO-8601 time between 1970 and 2199",
    "whole": "is not a whole number of 0 or more",
    "number": "is not a number",
    "flag": "is neither true nor false",
    "object": "is not a JSON object",
    "text": "",
}


def check_columns(item: Input, columns: list[str], where: str) -> None:
    """Refuse a file that lacks a required column altogether.

    Raises:
        InputError: Names the column, and the nearest one that the file has.
    """
    for needed in item.required:
        options = (needed,) if isinstance(needed, str) else needed
        if not any(option in columns for option in options):
            close = difflib.get_close_matches(options[0], columns, n=1, cutoff=0.5)
            raise InputError(
                f"the {item.name} file has no column {' or '.join(map(repr, options))}.",
                where=where,
                todo=f"It has {close[0]!r}: rename it?" if close else f"Its columns are: {', '.join(columns)}.",
            )


def accepted(item: Input, landing: ir.Table, *, also: tuple[str, ...] = ()) -> ir.Table:
    """Typed columns of every row, its `_line`, and `_reason` (NULL = accepted).

    Args:
        item: What the rows are.
        landing: Text or timestamp columns as a reader hands them on; canonical names, any may be missing.
        also: Further columns to hand through.
    """
    have = [name for name in item.columns if name in landing.columns]
    typed = {
        name: _typed(landing[name], kind) if name in have else ibis.null(item.schema[name])
        for name, kind in item.columns.items()
    }
    # Typed values are made once, in a step of their own; the reasons only look at what came out as NULL.
    given = {f"{_GIVEN}{name}": landing[name] for name in have if item.columns[name] != "text"}
    rows = landing.select(landing[LINE], *also, **typed, **given)
    checks = [*_missing(item, rows), *_unreadable(item, rows)]
    reason = ibis.cases(*checks, else_=ibis.null("string"))
    return rows.select(LINE, *also, *item.columns, reason.name(REASON))


def _missing(item: Input, rows: ir.Table) -> list[tuple[ir.BooleanValue, ir.Value]]:
    checks: list[tuple[ir.BooleanValue, ir.Value]] = []
    for needed in item.required:
        options = (needed,) if isinstance(needed, str) else needed
        absent = all_of(*(_absent(rows, option) for option in options))
        checks.append((absent, ibis.literal(f"{' or '.join(options)} is missing")))
    return checks


def _absent(rows: ir.Table, column: str) -> ir.BooleanValue:
    given = f"{_GIVEN}{column}"
    absent: ir.BooleanValue = _is_blank(rows[given]) if given in rows.columns else rows[column].isnull()
    return absent


def _unreadable(item: Input, rows: ir.Table) -> list[tuple[ir.BooleanValue, ir.Value]]:
    checks: list[tuple[ir.BooleanValue, ir.Value]] = []
    for name, kind in item.columns.items():
        given = f"{_GIVEN}{name}"
        if given in rows.columns:
            shown = rows[given].cast("string").substr(0, 60).fill_null("")
            message = ibis.literal(f"{name} {_WANTED[kind]}: ").concat(shown)
            checks.append((rows[name].isnull() & ~_is_blank(rows[given]), message))
    return checks


def _is_blank(value: ir.Value) -> ir.BooleanValue:
    if value.type().is_string():
        # Trimming is slow; only texts that start with a space or a control character can be blank.
        return any_of(value.isnull(), (value < "!") & (value.strip() == ""))
    return value.isnull()


def _typed(value: ir.Value, kind: Kind) -> ir.Value:
    if kind == "instant":
        return as_instant(value)
    text = value.cast("string")
    blank = _is_blank(text)
    match kind:
        case "text":
            return blank.ifelse(ibis.null("string"), text)
        case "object":
            return is_json_object(text).ifelse(text, ibis.null("string"))
        case "flag":
            word = text.strip().lower()
            return ibis.cases((word.isin(_TRUE), True), (word.isin(_FALSE), False), else_=ibis.null("boolean"))
        case "whole":
            plain = text.strip()
            plain = plain.re_search(_THOUSANDS).ifelse(plain.replace(",", ""), plain)
            number = plain.try_cast("float64")
            whole = _finite(number) & (number >= 0) & (number == number.floor())
            return whole.ifelse(number.round().cast("int64"), ibis.null("int64"))
        case _:
            number = text.strip().try_cast("float64")
            return _finite(number).ifelse(number, ibis.null("float64"))


def _finite(number: ir.FloatingValue) -> ir.BooleanValue:
    # Beyond 2**53 a float no longer tells neighbours apart; no count or amount of ours is that large.
    checked: ir.BooleanValue = number.between(-9.0e15, 9.0e15)
    return checked


def as_instant(value: ir.Value) -> ir.TimestampValue:
    """UTC instant without zone; text without zone is UTC."""
    if value.type().is_string():
        # Only the cast to a zoned instant reads the offset; the plain one drops it. The session's zone is UTC.
        text = value.strip().re_replace(r"([+-]\d{2})(\d{2})$", r"\1:\2").re_replace(r"\s*(Z|UTC)$", "")
        readable = value.strip().re_search(_INSTANT)
        zoned = readable.ifelse(text, ibis.null("string")).try_cast("timestamp('UTC', 6)")
        instant = zoned.cast("timestamp(6)")
    else:
        instant = value.cast("timestamp(6)")
    inside = (instant >= ibis.timestamp(EARLIEST)) & (instant < ibis.timestamp(LATEST))
    checked: ir.TimestampValue = inside.ifelse(instant, ibis.null("timestamp(6)"))
    return checked
