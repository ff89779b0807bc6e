"""Read the text columns of connector tables: what is missing is NULL, the latest copy of a row is the row."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import ibis
import ibis.expr.types as ir

from handraise.events.connectors.protocol import FILE, ORDER, REFUSED
from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import FALSE, any_of

_TRUE = ("true", "t", "yes", "y", "1", "1.0")
_FALSE = ("false", "f", "no", "n", "0", "0.0")
# A time that the reader of canonical rows takes, but for the hour, which spreadsheets shorten to one digit.
_SHORT_HOUR = r"^\d{4}-\d{2}-\d{2}[ T]\d:"
_TIME = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|UTC|[+-]\d{2}(:?\d{2})?)?)?$"
# When a row was changed last: by the people who use the system, else by the copy that the connector took.
_CHANGED = ("property_hs_lastmodifieddate", "last_modified_date", "system_modstamp", "updated_at", "_fivetran_synced")
_DELETED = ("_fivetran_deleted", "is_deleted", "archived")
Columns = dict[str, ir.Value | None]


def text(rows: ir.Table, *columns: str) -> ir.StringValue:
    """The first of the columns that has a value in a row; blanks and missing columns are none."""
    there = [rows[column].cast("string").strip().nullif("") for column in columns if column in rows.columns]
    # A bare NULL cannot be compared with a text; this one can.
    found: ir.StringValue = ibis.coalesce(*there) if there else ibis.literal("").nullif("")
    return found


def maybe(rows: ir.Table, *columns: str) -> ir.StringValue | None:
    """`text`, or None when the table has none of the columns: the input then has no such column either."""
    return text(rows, *columns) if any(column in rows.columns for column in columns) else None


def key(rows: ir.Table, *columns: str) -> ir.StringValue:
    """An id as text; whole numbers that came through a spreadsheet lose their `.0`."""
    found: ir.StringValue = text(rows, *columns).re_replace(r"^(\d+)\.0$", r"\1")
    return found


def flag(rows: ir.Table, *columns: str) -> ir.BooleanValue:
    """True, false, or NULL where there is neither."""
    word = text(rows, *columns).lower()
    found: ir.BooleanValue = ibis.cases(
        (word.isin(_TRUE), True), (word.isin(_FALSE), False), else_=ibis.null("boolean")
    )
    return found


def number(rows: ir.Table, *columns: str) -> ir.FloatingValue:
    """A number, or NULL where there is none."""
    found: ir.FloatingValue = text(rows, *columns).try_cast("float64")
    return found


def time_text(rows: ir.Table, *columns: str) -> ir.StringValue:
    """A time as it stands, the hour written with two digits."""
    found = text(rows, *columns)
    padded: ir.StringValue = found.re_search(_SHORT_HOUR).ifelse(
        found.substr(0, 11).concat("0").concat(found.substr(11)), found
    )
    return padded


def instant(rows: ir.Table, *columns: str) -> ir.TimestampValue:
    """A UTC instant without zone; NULL where the text is no time."""
    found = time_text(rows, *columns)
    zoned = found.re_replace(r"([+-]\d{2})(\d{2})$", r"\1:\2").re_replace(r"\s*(Z|UTC)$", "")
    readable = found.re_search(_TIME).ifelse(zoned, ibis.null("string"))
    at: ir.TimestampValue = readable.try_cast("timestamp('UTC', 6)").cast("timestamp(6)")
    return at


def email(rows: ir.Table, *columns: str) -> ir.StringValue:
    """An e-mail address in lower case; NULL where there is no @."""
    found = text(rows, *columns).lower()
    address: ir.StringValue = found.contains("@").ifelse(found, ibis.null("string"))
    return address


def joined_name(rows: ir.Table, whole: str, *parts: str) -> ir.StringValue:
    """A name from its column, else from its parts."""
    pieces = [text(rows, part) for part in parts]
    made = reduce(lambda left, right: left.fill_null("").concat(" ").concat(right.fill_null("")), pieces)
    found: ir.StringValue = ibis.coalesce(text(rows, whole), made.strip().nullif(""))
    return found


def changed(rows: ir.Table) -> ir.TimestampValue:
    """When a row was changed last; a row that does not say comes first."""
    at: ir.TimestampValue = instant(rows, *_CHANGED).fill_null(ibis.timestamp("1900-01-01").cast("timestamp(6)"))
    return at


def is_deleted(rows: ir.Table) -> ir.BooleanValue:
    """Whether the system, or the connector, says that the row is gone."""
    return any_of(*(flag(rows, column).fill_null(FALSE) for column in _DELETED))


def split(rows: ir.Table, keys: Iterable[str]) -> tuple[ir.Table, ir.Table]:
    """The rows that stand, and those passed over (`FILE`, `reason`): older copies of one id, and deleted rows.

    Of several copies the one changed last is the row, whether it stands or is deleted; of two changed at once, the
    one later in the files.
    """
    keyed = rows.mutate(**{f"_key_{column}": key(rows, column) for column in keys})
    window = ibis.window(
        group_by=[f"_key_{column}" for column in keys],
        order_by=[changed(keyed).desc(), keyed[FILE].desc(), keyed[LINE].desc()],
    )
    ranked = keyed.mutate(_copy=ibis.row_number().over(window))
    gone = is_deleted(ranked)
    reason = ibis.cases(
        (ranked["_copy"] > 0, "an older copy of the same row"), (gone, "deleted"), else_=ibis.null("string")
    )
    judged = ranked.mutate(_reason=reason)
    kept = judged.filter(judged["_reason"].isnull()).select(*rows.columns)
    return kept, judged.filter(judged["_reason"].notnull()).select(FILE, reason=judged["_reason"])


def passed(rows: ir.Table, reason: str) -> ir.Table:
    """Rows left out for one reason."""
    return rows.select(FILE, reason=ibis.literal(reason))


def together(*tables: ir.Table | None) -> ir.Table:
    """All rows of tables with the same columns, those that are None left out; at least one is none."""
    there = [table for table in tables if table is not None]
    return reduce(lambda left, right: left.union(right.select(*left.columns), distinct=False), there)


def in_order(rows: ir.Table, order_by: list[ir.Value], columns: Columns) -> ir.Table:
    """Canonical rows: the columns that there are (not None), the marks, and `ORDER` counted in this order."""
    marks = {FILE: rows[FILE], LINE: rows[LINE]}
    refused = rows[REFUSED] if REFUSED in rows.columns else ibis.null("string")
    there = {name: value for name, value in columns.items() if value is not None}
    place = ibis.row_number().over(ibis.window(order_by=[*order_by, rows[FILE], rows[LINE]]))
    return rows.select(**there, **marks, **{ORDER: place, REFUSED: refused})


def no_rows(like: ir.Table, **columns: str) -> ir.Table:
    """A table of these columns (name → type) without a row, made from any table at hand."""
    return like.filter(FALSE).select(**{name: ibis.null(kind) for name, kind in columns.items()})


def first_of(rows: ir.Table, group: str, order_by: list[ir.Value]) -> ir.Table:
    """The first row of each group in an order."""
    place = ibis.row_number().over(ibis.window(group_by=group, order_by=order_by))
    ranked = rows.mutate(_place=place)
    return ranked.filter(ranked["_place"] == 0).drop("_place")
