"""Warehouse mode: open the engine that the playbook names, and read the company's tables there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from handraise.errors import ProjectError
from handraise.events import in_place
from handraise.events.intake import FileCount
from handraise.playbook.connection import SourceTable, WarehouseMode
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.engines.opening import open_engine
from handraise.warehouse.engines.protocol import Engine


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
    return [_read(warehouse, name, source) for name, source in mode.sources.items()]


def _read(warehouse: Warehouse, name: str, source: SourceTable) -> FileCount:
    sql = source.query.strip().rstrip(";") if source.query else f"SELECT * FROM {source.table}"  # noqa: S608 - the company's own words
    rows = warehouse.theirs(f"source_of_{name}", sql)
    theirs = {theirs: ours for ours, theirs in source.columns.items()}
    chosen = {theirs.get(column, column): rows[column] for column in rows.columns}
    return in_place.read_source(warehouse, in_place.Source(input=name, where=source.where, rows=rows.select(**chosen)))
