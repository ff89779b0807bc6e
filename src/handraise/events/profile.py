"""Which events files hold: how often, by how many people, when, and with which properties. Nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir

from handraise.events.accept import REASON, accepted
from handraise.events.formats.batches import LINE, Batch
from handraise.events.formats.fields import text
from handraise.events.formats.files import InputFile, read_batches
from handraise.events.registry import CANONICAL, FORMATS, format_named
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import checked_object, property_text
from handraise.warehouse.tables import INPUTS, Input

# More names than this are only counted; the most frequent come first.
MOST_NAMES = 20_000
_SAMPLES = 3  # of each name and batch
_SAMPLES_READ = 12
_ADDRESSES_READ = 2_000
_LONGEST_SAMPLE = 20_000

_USES = ibis.schema(
    {
        "name": "string",
        "who": "string",
        "table": "string",
        "n": "int64",
        "first": "timestamp(6)",
        "last": "timestamp(6)",
    }
)
_SAMPLE_ROWS = ibis.schema({"name": "string", "properties": "string"})
_ADDRESSES = ibis.schema({"name": "string", "key": "string", "value": "string", "n": "int64"})


@dataclass(frozen=True, kw_only=True, slots=True)
class EventUse:
    """One event name.

    Attributes:
        name: As the product sends it.
        count: Events.
        people: Different people or anonymous ids.
        first: First instant, UTC.
        last: Last instant, UTC.
        samples: Some of its properties, as JSON objects.
    """

    name: str
    count: int
    people: int
    first: datetime
    last: datetime
    samples: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PageUse:
    """One address among the views of pages.

    Attributes:
        name: The event's name.
        key: The property that holds the address.
        value: The address.
        count: Views.
    """

    name: str
    key: str
    value: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What was found.

    Attributes:
        uses: The most frequent names, `MOST_NAMES` at most, most frequent first.
        names: Different names in all.
        pages: Addresses of page views, most frequent first.
        refused: Rows that would be set aside.
    """

    uses: list[EventUse]
    names: int
    pages: list[PageUse]
    refused: int


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Which events are views of pages, which properties hold the address, and which addresses matter."""

    names: frozenset[str]
    addresses: tuple[str, ...]
    wanted: str


def profile_files(
    warehouse: Warehouse,
    files: list[InputFile],
    pages: Pages,
    progress: Callable[[str, float], None] | None = None,
) -> Profile:
    """Read the files that hold events once, and add up in the engine.

    Args:
        warehouse: An empty one that can be thrown away.
        files: What to read; files without events are passed over.
        pages: What to look for in views of pages.
        progress: Called with the file's name and the share of it that is done.

    Raises:
        InputError: A file cannot be read.
    """
    for name, schema in (("uses", _USES), ("samples", _SAMPLE_ROWS), ("addresses", _ADDRESSES)):
        warehouse.create(name, schema)
    refused = 0
    for file in files:
        if not _may_hold_events(file):
            continue
        for batch in read_batches(file):
            refused += _add(warehouse, file, batch, pages)
            if progress:
                progress(file.path.name, batch.done)
    return _added_up(warehouse, refused)


def _may_hold_events(file: InputFile) -> bool:
    if file.format == CANONICAL:
        return file.table == "events"
    return file.format in {known.name for known in FORMATS}


def _add(warehouse: Warehouse, file: InputFile, batch: Batch, pages: Pages) -> int:
    landing = warehouse.register("landing", batch.rows)
    try:
        rows: ir.Table | None = landing
        if file.format != CANONICAL:
            rows = format_named(file.format).translate(file.table, landing).get("events")
        if rows is None:
            return 0
        checked = warehouse.create("checked_rows", accepted(_EVENTS, rows), temporary=True)
    finally:
        warehouse.unregister("landing")
    good = checked.filter(checked[REASON].isnull())
    _add_uses(warehouse, good, f"{file.format} {file.table}")
    _add_samples(warehouse, good)
    _add_addresses(warehouse, good, pages)
    return warehouse.count(checked) - warehouse.count(good) + len(batch.broken)


_EVENTS: Input = INPUTS["events"]


def _add_uses(warehouse: Warehouse, rows: ir.Table, table: str) -> None:
    who = ibis.coalesce(rows.person_id, rows.anonymous_id)
    keyed = rows.select("name", "timestamp", who=who)
    counted = keyed.group_by(["name", "who"]).agg(
        n=keyed.count(), first=keyed.timestamp.min(), last=keyed.timestamp.max()
    )
    warehouse.insert("uses", counted.mutate(table=ibis.literal(table)).select(*_USES))


def _add_samples(warehouse: Warehouse, rows: ir.Table) -> None:
    filled = rows.filter(rows.properties.notnull() & (rows.properties.length() < _LONGEST_SAMPLE))
    place = ibis.row_number().over(ibis.window(group_by=filled.name, order_by=filled[LINE]))
    numbered = filled.select("name", "properties", _place=place)
    warehouse.insert("samples", numbered.filter(numbered["_place"] < _SAMPLES).select(*_SAMPLE_ROWS))


def _add_addresses(warehouse: Warehouse, rows: ir.Table, pages: Pages) -> None:
    views = rows.filter(rows.name.lower().isin(sorted(pages.names)))
    document = checked_object(text(views, "properties"))
    for key in pages.addresses:
        found = views.select("name", value=property_text(document, key)).filter(lambda t: t.value.notnull())
        found = found.filter(found.value.lower().re_search(pages.wanted))
        counted = found.group_by(["name", "value"]).agg(n=found.count())
        warehouse.insert("addresses", counted.mutate(key=ibis.literal(key)).select(*_ADDRESSES))


def _added_up(warehouse: Warehouse, refused: int) -> Profile:
    uses = warehouse.table("uses")
    # Segment keeps each event twice, in `tracks` and in a table of its own: the larger count is the number of events.
    by_table = uses.group_by(["name", "table"]).agg(n=uses.n.sum(), first=uses["first"].min(), last=uses["last"].max())
    by_name = by_table.group_by("name").agg(
        n=by_table.n.max(), first=by_table["first"].min(), last=by_table["last"].max()
    )
    counted = warehouse.create("names", by_name, temporary=True)
    top = warehouse.create(
        "top_names", counted.order_by(counted.n.desc(), counted.name).limit(MOST_NAMES), temporary=True
    )
    people = uses.semi_join(top, "name").group_by("name").agg(people=lambda t: t.who.nunique())
    rows = top.inner_join(people, "name")
    listed = warehouse.rows(rows.order_by(rows.n.desc(), rows.name)).to_pylist()
    samples = _samples(warehouse, top)
    found = [
        EventUse(
            name=row["name"],
            count=row["n"],
            people=row["people"],
            first=row["first"],
            last=row["last"],
            samples=tuple(samples.get(row["name"], ())),
        )
        for row in listed
    ]
    return Profile(uses=found, names=warehouse.count(counted), pages=_pages(warehouse), refused=refused)


def _samples(warehouse: Warehouse, top: ir.Table) -> dict[str, list[str]]:
    kept = warehouse.table("samples").semi_join(top, "name").distinct()
    place = ibis.row_number().over(ibis.window(group_by=kept.name, order_by=kept.properties))
    numbered = kept.mutate(_place=place)
    rows = warehouse.rows(numbered.filter(numbered["_place"] < _SAMPLES_READ).order_by("name", "properties"))
    found: dict[str, list[str]] = {}
    for row in rows.to_pylist():
        found.setdefault(row["name"], []).append(row["properties"])
    return found


def _pages(warehouse: Warehouse) -> list[PageUse]:
    rows = warehouse.table("addresses")
    counted = rows.group_by(["name", "key", "value"]).agg(n=rows.n.sum())
    ordered = counted.order_by(counted.n.desc(), counted.name, counted.key, counted.value).limit(_ADDRESSES_READ)
    return [
        PageUse(name=row["name"], key=row["key"], value=row["value"], count=row["n"])
        for row in warehouse.rows(ordered).to_pylist()
    ]
