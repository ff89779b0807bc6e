"""Result files: one writer for every engine, so that the same rows make the same bytes."""

from __future__ import annotations

import contextlib
from pathlib import Path

import ibis

from handraise.errors import ProjectError
from handraise.warehouse.engines.duckdb import DuckDBEngine
from handraise.warehouse.engines.protocol import Engine, RefusedError
from handraise.warehouse.text_files import cannot_write

_OPTIONS = {
    ".csv": "FORMAT csv, HEADER",
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".ndjson": "FORMAT json",
}


def write_file(engine: Engine, sql: str, schema: ibis.Schema, path: Path) -> int:
    """Write a query's rows to a .csv, .parquet or .ndjson file, whole or not at all; returns how many.

    Raises:
        ProjectError: The ending is not one of these, or the file cannot be written.
    """
    options = _OPTIONS.get(path.suffix.lower())
    if options is None:
        raise ProjectError(
            f"cannot write a {path.suffix or 'nameless'} file.", where=str(path), todo=f"Use {', '.join(_OPTIONS)}."
        )
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        rows = _write(engine, sql, schema, unfinished, options)
        unfinished.replace(path)
    except (OSError, RefusedError) as error:
        raise cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return rows


def _write(engine: Engine, sql: str, schema: ibis.Schema, path: Path, options: str) -> int:
    if isinstance(engine, DuckDBEngine):
        return engine.write(sql, path, options)
    rows = engine.fetch(sql, schema)
    writer = DuckDBEngine.open(None)
    try:
        writer.lend("result", rows)
        return writer.write("FROM result", path, options)
    finally:
        writer.close()
