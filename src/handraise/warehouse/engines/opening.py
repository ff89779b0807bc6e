"""Connect to an engine by its name; its driver is imported only then."""

from __future__ import annotations

from pathlib import Path

from handraise.errors import ProjectError
from handraise.warehouse.engines.duckdb import DuckDBEngine
from handraise.warehouse.engines.protocol import Engine


def open_engine(name: str, address: str, schema: str, *, file: Path, threads: int | None) -> Engine:
    """An open engine.

    Args:
        name: duckdb, postgres or spark.
        address: The company's DuckDB file, a Postgres connection string, or a Spark master.
        schema: The schema that is ours on Postgres and Spark.
        file: Our own file, for DuckDB.
        threads: For DuckDB.

    Raises:
        ProjectError: The engine cannot be reached, or its driver is not installed.
        BusyError: Another process works on the same tables.
    """
    if name == "duckdb":
        engine = DuckDBEngine.open(file, threads=threads)
        engine.attach(Path(address))
        return engine
    try:
        if name == "postgres":
            from handraise.warehouse.engines.postgres import PostgresEngine

            return PostgresEngine.open(address, schema)
        from handraise.warehouse.engines.spark import SparkEngine

        return SparkEngine.open(address, schema)
    except ModuleNotFoundError as error:
        raise ProjectError(
            f"the engine {name!r} needs the package {error.name!r}.", todo=f"Run `pip install 'handraise[{name}]'`."
        ) from error
