"""Warehouse mode: open the engine that the playbook names, and read the company's tables there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from handraise.errors import ProjectError
from handraise.events import in_place, translated
from handraise.events.intake import FileCount
from handraise.playbook.connection import SourceFormat, SourceTable, WarehouseMode
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.engines.opening import open_engine
from handraise.warehouse.engines.protocol import Engine
from handraise.warehouse.tables import INPUTS


def open_engine_of(mode: WarehouseMode, environment: Mapping[str, str], file: Path, threads: int | None) -> Engine:
    """Connect to the engine of the playbook's `warehouse` section.

    Args:
        mode: The section.
        environment: Where the address stands.
        file: Our own DuckDB file, for `engine: duckdb`.
        threads: For `engine: duckdb`.

    Raises:
        ProjectError: The variable is not set, the engine cannot be reached, or its driver is not installed.
        BusyError: Another process works on the same schema.
    """
    address = environment.get(mode.connection, "")
    if not address:
        raise ProjectError(
            f"the environment variable {mode.connection!r} is not set.",
            where="warehouse.connection",
            todo=f"Put the address of your {mode.engine} there; handraise.yaml only names the variable.",
        )
    return open_engine(mode.engine, address, mode.own_schema, file=file, threads=threads)


def source_warehouse(engine: Engine, *, read_only: bool) -> Warehouse:
    """A warehouse with the tables of this mode.

    Raises:
        ProjectError: Nothing is to be kept, and the engine cannot promise that.
    """
    if read_only and engine.name == "spark":
        engine.close()
        raise ProjectError(
            "Spark keeps what is tried on it, so this command does not run there.",
            todo="Run it on a project that loads files.",
        )
    # Our file of `engine: duckdb` is opened to be written, so there too all of it is taken back at the end.
    warehouse = Warehouse(engine=engine, read_only=read_only)
    in_place.make_tables(warehouse)
    return warehouse


def read_all(warehouse: Warehouse, mode: WarehouseMode) -> list[FileCount]:
    """Take in what changed in the company's tables since the last reading.

    Raises:
        InputError: A table lacks a required column.
        EngineError: A table is not there, or may not be read.
    """
    if warehouse.interrupted:
        in_place.read_all_again(warehouse)
    parts: dict[str, list[in_place.Part]] = {}
    for name, source in mode.sources.items():
        found = (
            _translated(warehouse, name, source)
            if isinstance(source, SourceFormat)
            else [(name, _canonical(warehouse, name, source))]
        )
        for input_name, part in found:
            parts.setdefault(input_name, []).append(part)
    return [
        in_place.read_source(warehouse, in_place.Source(input=name, parts=tuple(parts[name])))
        for name in INPUTS
        if name in parts
    ]


def _canonical(warehouse: Warehouse, name: str, source: SourceTable) -> in_place.Part:
    if source.query:
        sql = source.query.strip().rstrip(";")
    else:
        sql = f"SELECT * FROM {warehouse.engine.as_named(source.where)}"  # noqa: S608 - the company's own words
    rows = warehouse.theirs(f"source_of_{name}", sql)
    theirs = {theirs: ours for ours, theirs in source.columns.items()}
    chosen = {theirs.get(column, column): rows[column] for column in rows.columns}
    return in_place.Part(where=source.where, format=source.format, table=name, rows=rows.select(**chosen))


def _translated(warehouse: Warehouse, name: str, source: SourceFormat) -> Iterator[tuple[str, in_place.Part]]:
    """Input → rows, table by table of a vendor."""
    for place, (table, where, said) in enumerate(_tables(warehouse, source)):
        rows = warehouse.theirs(f"source_of_{name[:30]}_{place}", f"SELECT * FROM {said}")  # noqa: S608 - the company's own words
        if source.tables:
            translated.check_table(source.format, table, where, rows.columns)
        yield from translated.parts_of(source.format, table, where, rows).items()


def _tables(warehouse: Warehouse, source: SourceFormat) -> list[tuple[str, str, str]]:
    """Table of the format, what it is called, and how the engine's SQL says it."""
    schema = source.from_schema
    if schema is None:
        return [
            (table, where, warehouse.engine.as_named(where))
            for table, named in source.tables.items()
            for where in named
        ]
    found = translated.tables_among(source.format, schema, warehouse.engine.tables_in(schema))
    return [(table, f"{schema}.{name}", warehouse.engine.their_name(schema, name)) for name, table in found.items()]
