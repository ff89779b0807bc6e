"""Read inputs from tables that stay where they are: find the days that changed, and take only these in anew.

A day's fingerprint (rows, newest arrival, and a sum of row hashes, which no order changes) is compared with the one of
the last reading, so late events, corrections and deletions are found without being told. Fingerprints are stored in
the same transaction as the rows they stand for: after a kill, a day is simply read again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.events.accept import REASON, accepted, as_instant, check_columns
from handraise.events.formats.batches import LINE
from handraise.events.intake import FileCount
from handraise.events.registry import CANONICAL
from handraise.events.store import SEPARATOR, count_up, note_columns, one_row_per_id, sort_key, store_entities
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import hash_of
from handraise.warehouse.tables import INPUTS, Input, write_fact

# Rows that are refused are counted; of each day so many are kept to be looked at.
SAMPLE_A_DAY = 20
# Rows without a readable time, and inputs that are no events, stand under this day.
NO_DAY = date(1900, 1, 1)
_SOURCE_DAYS = ibis.schema(
    {"input": "string", "day": "date", "rows": "int64", "latest": "string", "hashes": "string", "refused": "int64"}
)
WHERE, LATER = "_where", "_later"
_PRINT = ("input", "day", "rows", "latest", "hashes")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one of the company's tables gives one input.

    Attributes:
        where: The table, as quarantine names it.
        format: Whose layout it has.
        table: Which table of that layout.
        rows: Canonical columns as text or instants (any may be missing), and for a vendor's table `_line`, a text that
            says which of two rows is the later one.
    """

    where: str
    format: str
    table: str
    rows: ir.Table


@dataclass(frozen=True, kw_only=True)
class Source:
    """All that one input is read from.

    Attributes:
        input: The canonical input.
        parts: The tables.
    """

    input: str
    parts: tuple[Part, ...]

    @property
    def where(self) -> str:
        """What it is called in counts."""
        first, *others = self.parts
        return f"{first.where} and {len(others)} more" if others else first.where


def make_tables(warehouse: Warehouse) -> None:
    """Make the tables of this way of reading; events get a column for the day that they are kept by."""
    there = warehouse.table_names()
    if "events" not in there:
        warehouse.create("events", ibis.schema({**INPUTS["events"].schema, "day": "date"}))
    if "source_days" not in there:
        warehouse.create("source_days", _SOURCE_DAYS)
    if "lost_copies" not in there:
        # Copies of an id on other days than the one that stands: when that one goes, they come into their own.
        warehouse.create("lost_copies", ibis.schema({"event_id": "string", "day": "date"}))


def read_all_again(warehouse: Warehouse) -> None:
    """Forget what was read, so that the next reading takes everything in and rolls everything up."""
    warehouse.empty("source_days")
    write_fact(warehouse, "rollup_plan", "")


def read_source(warehouse: Warehouse, source: Source) -> FileCount:
    """Take in what changed in a source since it was last read.

    Raises:
        InputError: The source lacks a required column.
    """
    item = INPUTS[source.input]
    for part in source.parts:
        if part.format == CANONICAL:
            check_columns(item, list(part.rows.columns), part.where)
    rows = warehouse.show("source_rows", _with_day(_united(warehouse, source, item), item))
    prints = warehouse.create("source_prints", _prints(rows, item), temporary=True)
    stored = warehouse.table("source_days")
    stored = stored.filter(stored.input == item.name)
    fresh = prints.anti_join(stored, list(_PRINT)).select("day")
    gone = stored.anti_join(prints, "day").select("day")
    changed = warehouse.create("changed_days", fresh.union(gone, distinct=True), temporary=True)
    if not warehouse.count(changed):
        return _counted(source, 0, 0, 0)
    with warehouse.transaction():
        return (
            _read_days(warehouse, source, item, rows)
            if item.name == "events"
            else _read_whole(warehouse, source, item, rows)
        )


def _united(warehouse: Warehouse, source: Source, item: Input) -> ir.Table:
    """The rows of all parts with the columns of all, their table, and what says which row is the later one."""
    columns = [column for column in item.columns if any(column in part.rows.columns for part in source.parts)]
    mixed = {column for column in columns if len({_type_in(part.rows, column) for part in source.parts}) > 1}
    # As files are loaded: what is named after an input first, then by name.
    order = {name: place for place, name in enumerate(INPUTS)}
    ranked = sorted(source.parts, key=lambda part: (order.get(part.table) or len(order), _plain_name(part.where)))
    shown = []
    for place, part in enumerate(ranked):
        later = part.rows[LINE] if LINE in part.rows.columns and item.name != "events" else ibis.literal("")
        values = {column: _as_text(part.rows, column, column in mixed) for column in columns}
        rows = part.rows.select(
            **values, **{WHERE: ibis.literal(part.where), LATER: ibis.literal(f"{place:05d} ").concat(later)}
        )
        # Shown by names of their own, the parts stay small statements however many there are.
        shown.append(warehouse.show(f"{item.name}_part_{place}", rows))
    while len(shown) > 1:
        shown = [
            ibis.union(*shown[at : at + 2], distinct=False) for at in range(0, len(shown), 2) if shown[at + 1 :]
        ] + (shown[-1:] if len(shown) % 2 else [])
    return shown[0]


def _type_in(rows: ir.Table, column: str) -> str:
    return str(rows[column].type()) if column in rows.columns else "string"


def _as_text(rows: ir.Table, column: str, mixed: bool) -> ir.Value:  # noqa: FBT001 - said by the caller's own name
    if column not in rows.columns:
        return ibis.null("string")
    return rows[column].cast("string") if mixed else rows[column]


def _plain_name(where: str) -> str:
    return where.rpartition(".")[2].strip('"`').lower()


def _with_day(rows: ir.Table, item: Input) -> ir.Table:
    if item.name != "events":
        return rows.mutate(day=ibis.date(NO_DAY.isoformat()))
    day = as_instant(rows.timestamp).date()
    return rows.mutate(day=ibis.coalesce(day, ibis.date(NO_DAY.isoformat())))


def _prints(rows: ir.Table, item: Input) -> ir.Table:
    """input, day, rows, latest, hashes of each day of a source."""
    texts = [rows[column].cast("string").fill_null("") for column in item.columns if column in rows.columns]
    arrival = "received_at" if "received_at" in rows.columns else "timestamp"
    latest = rows[arrival].cast("string") if item.name == "events" else ibis.literal("")
    hashed = rows.select("day", latest=latest, hash=hash_of(ibis.literal(SEPARATOR).join(texts)))
    prints = hashed.group_by("day").agg(
        rows=hashed.count(),
        latest=hashed.latest.max().fill_null(""),
        hashes=hashed.hash.cast("decimal(38, 0)").sum().cast("string"),
    )
    return prints.mutate(input=ibis.literal(item.name)).select(*_PRINT)


def _read_days(warehouse: Warehouse, source: Source, item: Input, rows: ir.Table) -> FileCount:
    days, events, lost = (warehouse.table(name) for name in ("changed_days", "events", "lost_copies"))
    # What stood on these days may go, and copies of it on other days may then count: these days are read as well.
    waiting = lost.semi_join(events.semi_join(days, "day"), "event_id").select("day")
    days = warehouse.create("read_days", days.union(waiting, distinct=True), temporary=True)
    good, read, refused = _check(warehouse, source, rows.semi_join(days, "day"), days)
    good = good.mutate(day=good.timestamp.date())
    unique = warehouse.create("incoming_unique", one_row_per_id(good), temporary=True)
    elsewhere = events.anti_join(days, "day").semi_join(unique, "event_id")
    other = warehouse.create("known_events", elsewhere, temporary=True)
    theirs = other.select("event_id", other_day=other.day, _stored=sort_key(other))
    met = unique.mutate(_offered=sort_key(unique)).inner_join(theirs, "event_id")
    beaten = warehouse.create(
        "beaten_events",
        met.filter(met["_offered"] < met["_stored"]).select("event_id", day="other_day"),
        temporary=True,
    )
    kept = unique.anti_join(other.anti_join(beaten, "event_id"), "event_id")
    kept = warehouse.create("kept_events", kept.select(*events.columns), temporary=True)
    copies = good.select("event_id", "day").distinct().anti_join(kept, ["event_id", "day"])
    dirty = days.union(beaten.select("day"), distinct=True)
    dirty = warehouse.create("touched_days", dirty.filter(dirty.day != ibis.date(NO_DAY.isoformat())), temporary=True)
    copies = warehouse.create(
        "copies_now", copies.union(beaten.select("event_id", "day"), distinct=True), temporary=True
    )
    had_events = warehouse.count(events.semi_join(dirty, "day").limit(1)) > 0
    warehouse.insert("dirty_days", dirty.anti_join(warehouse.table("dirty_days"), "day"))
    warehouse.delete("events", days)
    warehouse.delete("events", beaten.select("event_id"))
    warehouse.insert("events", kept)
    warehouse.delete("lost_copies", days)
    warehouse.insert("lost_copies", copies)
    count_up(warehouse, "data_version")
    if had_events:
        write_fact(warehouse, "rebuild_firsts", "yes")
    _keep_prints(warehouse, item, days)
    return _counted(source, read, warehouse.count(kept), refused)


def _read_whole(warehouse: Warehouse, source: Source, item: Input, rows: ir.Table) -> FileCount:
    good, read, refused = _check(warehouse, source, rows, warehouse.table("changed_days"))
    warehouse.empty(item.name)
    loaded = store_entities(warehouse, item, good, LINE)
    _keep_prints(warehouse, item, warehouse.table("changed_days"))
    return _counted(source, read, loaded, refused)


def _check(warehouse: Warehouse, source: Source, rows: ir.Table, days: ir.Table) -> tuple[ir.Table, int, int]:
    """Accepted rows, how many were read, how many refused; a sample of the refused goes to quarantine."""
    item = INPUTS[source.input]
    texts = [rows[column].cast("string").fill_null("") for column in rows.columns if column != LATER]
    # A table has no order of its own: the rows' times and texts give one, so that the same rows always give the same.
    order = (rows[LATER], ibis.literal(SEPARATOR).join(texts))
    place = ibis.row_number().over(ibis.window(group_by=rows.day, order_by=order))
    landed = warehouse.create("source_landing", rows.mutate(**{LINE: place}), temporary=True)
    checked = accepted(item, landed, also=("day",))
    checked = warehouse.create("checked_rows", checked, temporary=True)
    bad = checked.filter(checked[REASON].notnull())
    refused = warehouse.create("refused_days", bad.group_by("day").agg(refused=bad.count()), temporary=True)
    shown = landed.inner_join(bad.select(LINE, "day", reason=bad[REASON]), [LINE, "day"])
    shown = shown.mutate(_n=ibis.row_number().over(ibis.window(group_by=shown.day, order_by=shown[LINE])))
    found = warehouse.rows(shown.filter(shown["_n"] < SAMPLE_A_DAY).drop("_n").order_by("day", LINE).limit(1000))
    _set_aside(warehouse, item, days, found)
    _note_columns(warehouse, source, checked)
    total = warehouse.rows(refused.agg(n=refused.refused.sum().fill_null(0)))[0][0].as_py()
    good = checked.filter(checked[REASON].isnull())
    return good.select(LINE, *item.columns), warehouse.count(landed), int(total)


def _note_columns(warehouse: Warehouse, source: Source, checked: ir.Table) -> None:
    """A canonical table has the columns it has; one that is translated has those that some row has a value for."""
    item = INPUTS[source.input]
    there = {column for part in source.parts if part.format == CANONICAL for column in part.rows.columns}
    if any(part.format != CANONICAL for part in source.parts):
        counts = warehouse.rows(checked.agg([checked[name].count().name(name) for name in item.columns]))
        there |= {name for name, count in counts.to_pylist()[0].items() if count}
    note_columns(warehouse, item, [column for column in item.columns if column in there])


def _set_aside(warehouse: Warehouse, item: Input, days: ir.Table, found: pa.Table) -> None:
    aside = warehouse.table("quarantine")
    again = days.select(day_text=days.day.cast("string"))
    keys = aside.filter(aside.input == item.name).select("input", "file", day_text=aside.file.right(10))
    keys = keys.semi_join(again, "day_text").select("input", "file").distinct()
    warehouse.delete("quarantine", warehouse.create("files_again", keys, temporary=True))
    rows = [
        {
            "input": item.name,
            "file": f"{row[WHERE]} {row['day']}",
            "line": row[LINE],
            "reason": row["reason"],
            "raw": json.dumps({c: str(row[c]) for c in item.columns if row.get(c) is not None}, ensure_ascii=False),
        }
        for row in found.to_pylist()
    ]
    if rows:
        schema = warehouse.table("quarantine").schema().to_pyarrow()
        warehouse.insert("quarantine", warehouse.hold("set_aside", pa.Table.from_pylist(rows, schema=schema)))


def _keep_prints(warehouse: Warehouse, item: Input, days: ir.Table) -> None:
    prints = warehouse.table("source_prints").semi_join(days, "day")
    refused = warehouse.table("refused_days").rename(day_of="day")
    joined = prints.left_join(refused, prints.day == refused.day_of)
    held = warehouse.create("prints_now", joined.select(*_PRINT, refused=joined.refused.fill_null(0)), temporary=True)
    keys = warehouse.create("print_keys", days.select(input=ibis.literal(item.name), day=days.day), temporary=True)
    warehouse.delete("source_days", keys)
    warehouse.insert("source_days", held)


def _counted(source: Source, read: int, loaded: int, refused: int) -> FileCount:
    return FileCount(
        file=source.where,
        format=" + ".join(sorted({part.format for part in source.parts})),
        table=", ".join(sorted({part.table for part in source.parts})),
        input=source.input,
        read=read,
        loaded=loaded,
        duplicate=read - loaded - refused,
        quarantined=refused,
    )
