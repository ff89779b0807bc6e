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
_PRINT = ("input", "day", "rows", "latest", "hashes")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One of the company's tables.

    Attributes:
        input: The canonical input it holds.
        where: What it is called in counts and in quarantine.
        rows: Its columns, as text or as instants.
    """

    input: str
    where: str
    rows: ir.Table


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
    check_columns(item, list(source.rows.columns), source.where)
    columns = [column for column in item.columns if column in source.rows.columns]
    rows = warehouse.show("source_rows", _with_day(source.rows.select(*columns), item))
    prints = warehouse.create("source_prints", _prints(rows, item), temporary=True)
    stored = warehouse.table("source_days")
    stored = stored.filter(stored.input == item.name)
    fresh = prints.anti_join(stored, list(_PRINT)).select("day")
    gone = stored.anti_join(prints, "day").select("day")
    changed = warehouse.create("changed_days", fresh.union(gone, distinct=True), temporary=True)
    if not warehouse.count(changed):
        return _counted(source, 0, 0, 0)
    with warehouse.transaction():
        note_columns(warehouse, item, columns)
        return (
            _read_days(warehouse, source, item, rows)
            if item.name == "events"
            else _read_whole(warehouse, source, item, rows)
        )


def _with_day(rows: ir.Table, item: Input) -> ir.Table:
    if item.name != "events":
        return rows.mutate(day=ibis.date(NO_DAY.isoformat()))
    day = as_instant(rows.timestamp).date()
    return rows.mutate(day=ibis.coalesce(day, ibis.date(NO_DAY.isoformat())))


def _prints(rows: ir.Table, item: Input) -> ir.Table:
    """input, day, rows, latest, hashes of each day of a source."""
    texts = [rows[column].cast("string").fill_null("") for column in rows.columns if column != "day"]
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
    texts = [rows[column].cast("string").fill_null("") for column in rows.columns]
    # A table has no order of its own: the rows' texts give one, so that the same rows always give the same result.
    place = ibis.row_number().over(ibis.window(group_by=rows.day, order_by=ibis.literal(SEPARATOR).join(texts)))
    landed = warehouse.create("source_landing", rows.mutate(**{LINE: place}), temporary=True)
    checked = accepted(item, landed, also=("day",))
    checked = warehouse.create("checked_rows", checked, temporary=True)
    bad = checked.filter(checked[REASON].notnull())
    refused = warehouse.create("refused_days", bad.group_by("day").agg(refused=bad.count()), temporary=True)
    shown = landed.inner_join(bad.select(LINE, "day", reason=bad[REASON]), [LINE, "day"])
    shown = shown.mutate(_n=ibis.row_number().over(ibis.window(group_by=shown.day, order_by=shown[LINE])))
    found = warehouse.rows(shown.filter(shown["_n"] < SAMPLE_A_DAY).drop("_n").order_by("day", LINE).limit(1000))
    _set_aside(warehouse, source, days, found)
    total = warehouse.rows(refused.agg(n=refused.refused.sum().fill_null(0)))[0][0].as_py()
    good = checked.filter(checked[REASON].isnull())
    return good.select(LINE, *item.columns), warehouse.count(landed), int(total)


def _set_aside(warehouse: Warehouse, source: Source, days: ir.Table, found: pa.Table) -> None:
    item = INPUTS[source.input]
    names = [f"{source.where} {row['day']}" for row in warehouse.rows(days).to_pylist()]
    files = pa.table({"file": pa.array(names, pa.string())})
    warehouse.delete("quarantine", warehouse.hold("files_again", files))
    rows = [
        {
            "input": item.name,
            "file": f"{source.where} {row['day']}",
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
        format="canonical",
        table=source.input,
        input=source.input,
        read=read,
        loaded=loaded,
        duplicate=read - loaded - refused,
        quarantined=refused,
    )
