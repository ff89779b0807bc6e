"""Load the tables of a CRM or billing system: all of one load together, as they only make sense joined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.events.accept import REASON, accepted
from handraise.events.connectors.protocol import (
    FILE,
    ORDER,
    REFUSED,
    Connector,
    Stored,
    Translation,
    missing_tables,
    snake_case,
)
from handraise.events.formats.batches import LINE, Batch, Broken
from handraise.events.formats.files import InputFile, read_batches
from handraise.events.intake import PASSED_OVER, FileCount, Progress, as_json
from handraise.events.registry import CANONICAL
from handraise.events.store import note_columns, store_entities
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.tables import INPUTS, Input

# Given the hosts in the tables, what is stored: inputs by name, and which domains are whose.
Prepare = Callable[[ir.Table], Stored]


@dataclass(frozen=True, kw_only=True)
class TablesLoaded:
    """What became of the tables of one system.

    Attributes:
        counts: Input by input and file by file; rows passed over have the input `none`.
        notes: What the reader should know: tables that are missing, mixed currencies.
    """

    counts: list[FileCount]
    notes: list[str]


@dataclass
class _Staged:
    """The tables of one load in the warehouse, their files, and the lines that are no rows."""

    tables: dict[str, ir.Table] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    broken: list[tuple[str, str, Broken]] = field(default_factory=list)


def load_tables(
    warehouse: Warehouse,
    connector: Connector,
    files: list[InputFile],
    *,
    prepare: Prepare,
    progress: Progress | None = None,
) -> TablesLoaded:
    """Load the tables of one connector; all of them or, when it fails, none.

    Args:
        warehouse: Where rows go.
        connector: Whose tables they are.
        files: Its files, each with its table.
        prepare: Looks the hosts of the tables up, and gives what is stored.
        progress: Called with a file's name and the share of it that is done.

    Raises:
        InputError: A file is unreadable as a whole.
    """
    staged = _stage(warehouse, connector, files, progress)
    stored = prepare(connector.hosts(staged.tables))

    def keep(name: str, rows: ir.Table) -> ir.Table:
        return warehouse.create(f"connector_{name}", rows, temporary=True)

    translation = connector.translate(staged.tables, stored, keep)
    # All rows are made before the first is stored: they are of what was known before the load.
    made = {name: keep(f"rows_{name}", translation.inputs[name]) for name in INPUTS if name in translation.inputs}
    notes = [f"{connector.name}: {sentence}." for sentence in missing_tables(connector, staged.tables)]
    notes += [f"{connector.name}: {words}." for words in _said(warehouse, translation.notes)]
    with warehouse.transaction():
        for file in staged.names:
            warehouse.delete_where("quarantine", "file", file)
        counts = _set_broken_aside(warehouse, connector, staged.broken)
        for name, rows in made.items():
            counts += _store(warehouse, connector, INPUTS[name], rows, staged.names)
    counts += _passed_over(warehouse, connector, translation, staged.names)
    for name in staged.tables:
        warehouse.create(_table_name(connector, name), ibis.schema({"n": "int8"}), temporary=True)  # room again
    return TablesLoaded(counts=counts, notes=notes)


def _table_name(connector: Connector, table: str) -> str:
    return f"staged_{connector.name}_{table}"


def _stage(warehouse: Warehouse, connector: Connector, files: list[InputFile], progress: Progress | None) -> _Staged:
    """Copy the columns that are read, as text, into one temporary table for each table of the layout."""
    staged = _Staged()
    for table in connector.tables:
        theirs = [file for file in files if file.table == table.name]
        if not theirs:
            continue
        wanted = tuple(dict.fromkeys((*table.needs, *table.columns)))
        schema = ibis.schema({**dict.fromkeys(wanted, "string"), FILE: "string", LINE: "int64"})
        name = _table_name(connector, table.name)
        warehouse.create(name, schema, temporary=True)
        seen: dict[str, None] = {}
        for file in theirs:
            staged.names[str(file.path)] = table.name
            for batch in read_batches(file):
                seen.update(dict.fromkeys(_insert(warehouse, name, wanted, str(file.path), batch)))
                staged.broken += [(table.input, str(file.path), broken) for broken in batch.broken]
                if progress:
                    progress(file.path.name, batch.done)
        there = [column for column in wanted if column in seen]
        staged.tables[table.name] = warehouse.table(name).select(*there, FILE, LINE)
    return staged


def _insert(warehouse: Warehouse, name: str, wanted: Iterable[str], file: str, batch: Batch) -> list[str]:
    theirs = {snake_case(column): column for column in reversed(batch.rows.column_names)}
    there = {column: theirs[column] for column in wanted if column in theirs}
    landing = warehouse.register("landing", batch.rows)
    try:
        texts = {column: landing[name].cast("string") for column, name in there.items()}
        warehouse.insert(name, landing.select(**texts, **{FILE: ibis.literal(file), LINE: landing[LINE]}))
    finally:
        warehouse.unregister("landing")
    return list(there)


def _store(
    warehouse: Warehouse, connector: Connector, item: Input, rows: ir.Table, files: dict[str, str]
) -> list[FileCount]:
    """Accept or refuse the rows of one input, and store them, file by file in the order of the layout."""
    canonical = [column for column in item.columns if column in rows.columns]
    typed = accepted(item, rows.select(*canonical, **{LINE: rows[ORDER]}))
    marks = rows.select(_at=rows[ORDER], _refusal=rows[REFUSED], _of=rows[FILE])
    joined = typed.inner_join(marks, typed[LINE] == marks["_at"])
    judged = joined.select(*typed.drop(REASON).columns, "_of", _why=ibis.coalesce(joined["_refusal"], joined[REASON]))
    checked = warehouse.create("connector_checked", judged, temporary=True)
    note_columns(warehouse, item, _filled(warehouse, checked, item))
    bad = checked.filter(checked["_why"].notnull()).select(_at=LINE, why="_why")
    aside = _set_aside(warehouse, item, rows.inner_join(bad, rows[ORDER] == bad["_at"]), canonical)
    tallied = checked.group_by("_of").agg(n=checked.count())
    reads = {row["_of"]: row["n"] for row in warehouse.rows(tallied).to_pylist()}
    good = checked.filter(checked["_why"].isnull())
    counts = []
    for file, table in files.items():
        read, quarantined = reads.get(file, 0), aside.get(file, 0)
        if not read:
            continue
        theirs = good.filter(good["_of"] == file).drop("_of", "_why")
        loaded = store_entities(warehouse, item, theirs, LINE) if read > quarantined else 0
        counts.append(
            FileCount(
                file=file,
                format=connector.name,
                table=table,
                input=item.name,
                read=read,
                loaded=loaded,
                duplicate=read - loaded - quarantined,
                quarantined=quarantined,
            )
        )
    return counts


def _filled(warehouse: Warehouse, rows: ir.Table, item: Input) -> list[str]:
    """Columns with a value in some row that is loaded."""
    good = rows.filter(rows["_why"].isnull())
    counted = warehouse.rows(good.agg([good[name].count().name(name) for name in item.columns])).to_pylist()[0]
    return [name for name, count in counted.items() if count]


def _set_aside(warehouse: Warehouse, item: Input, refused: ir.Table, columns: list[str]) -> dict[str, int]:
    """Quarantine keeps the row as it was translated, so that it can be tried again as a canonical one.

    Returns:
        File → rows of it that were set aside.
    """
    marks = {"_in": refused[FILE], "_at_line": refused[LINE], "_why": refused["why"]}
    found = warehouse.rows(refused.select(*columns, **marks)).to_pylist()
    rows = [
        _aside(item.name, row["_in"], row["_at_line"], row["_why"], as_json({c: row[c] for c in columns}))
        for row in found
    ]
    _write_aside(warehouse, rows)
    return Counter(row["_in"] for row in found)


def _set_broken_aside(
    warehouse: Warehouse, connector: Connector, broken: list[tuple[str, str, Broken]]
) -> list[FileCount]:
    _write_aside(warehouse, [_aside(name, file, line.line, line.reason, line.kept) for name, file, line in broken])
    counted = Counter((name, file) for name, file, _ in broken)
    return [
        FileCount(
            file=file,
            format=connector.name,
            table="lines that are no rows",
            input=name,
            read=count,
            loaded=0,
            duplicate=0,
            quarantined=count,
        )
        for (name, file), count in counted.items()
    ]


def _aside(name: str, file: str, line: int, reason: str, raw: str) -> dict[str, object]:
    kept = {"input": name, "file": file, "line": line, "reason": reason, "raw": raw}
    return {**kept, "format": CANONICAL, "format_table": name}


def _write_aside(warehouse: Warehouse, rows: list[dict[str, object]]) -> None:
    if rows:
        schema = warehouse.table("quarantine").schema().to_pyarrow()
        warehouse.insert("quarantine", warehouse.hold("set_aside", pa.Table.from_pylist(rows, schema=schema)))


def _passed_over(
    warehouse: Warehouse, connector: Connector, translation: Translation, files: dict[str, str]
) -> list[FileCount]:
    """Rows left out on purpose, counted by file and reason."""
    found: dict[tuple[str, str], int] = {}
    for rows in translation.passed_over.values():
        counted = rows.group_by([FILE, "reason"]).agg(n=rows.count())
        for row in warehouse.rows(counted.order_by(FILE, "reason")).to_pylist():
            place = (row[FILE], row["reason"])
            found[place] = found.get(place, 0) + row["n"]
    return [
        FileCount(
            file=file,
            format=connector.name,
            table=files[file],
            input=PASSED_OVER,
            read=count,
            loaded=0,
            duplicate=0,
            quarantined=0,
            passed_over=count,
            reason=reason,
        )
        for (file, reason), count in found.items()
    ]


def _said(warehouse: Warehouse, notes: Iterable[ir.Table]) -> list[str]:
    return [str(row["note"]) for note in notes for row in warehouse.rows(note).to_pylist()]
