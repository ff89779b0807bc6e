"""The embedded engine: a DuckDB file, or memory. One process at a time has the file open."""

from __future__ import annotations

import contextlib
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.errors import BusyError, ProjectError
from handraise.warehouse.dialects.duckdb import DuckDB as Dialect
from handraise.warehouse.engines.protocol import RefusedError, first_line, quoted, text

_SLICE = 32_768


class DuckDBEngine:
    """An open DuckDB file (or memory) with Ibis on top.

    Args:
        connection: An open connection; its session zone has to be UTC.
    """

    name = "duckdb"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Put Ibis on the same connection, so that transactions cover both."""
        self._connection = connection
        self._ibis = ibis.duckdb.from_connection(connection)
        self._ibis.compiler = Dialect()
        self._views: set[str] = set()

    @classmethod
    def open(cls, path: Path | None, *, threads: int | None = None, memory: str = "4GB") -> DuckDBEngine:
        """Open or create the file; None = memory.

        Raises:
            BusyError: Another process has the file open.
            ProjectError: The file is not a DuckDB file, or the folder cannot be written.
        """
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "autoinstall_known_extensions": "false",
        }
        if threads:
            settings["threads"] = threads
        try:
            connection = duckdb.connect(str(path) if path else ":memory:", config=settings)
        except duckdb.IOException as error:
            raise _cannot_open(path, error) from error
        except duckdb.Error as error:
            raise ProjectError(
                f"the data file cannot be opened ({first_line(error)}).",
                where=str(path),
                todo="Move it aside and load your files again; they are the truth, this file is derived.",
            ) from error
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        return cls(connection)

    def attach(self, path: Path) -> None:
        """Make the tables of another DuckDB file readable by their names; it is never written.

        Raises:
            ProjectError: The file cannot be opened.
        """
        try:
            self._connection.execute(f"ATTACH {text(str(path))} AS theirs (READ_ONLY)")
        except duckdb.Error as error:
            raise ProjectError(
                f"the sources' database cannot be opened ({first_line(error)}).", where=str(path)
            ) from error

    def describe(self) -> str:
        """Name and version, for people."""
        return f"DuckDB {self._connection.execute('SELECT version()').fetchall()[0][0]}"

    def close(self) -> None:
        """Close the file; the next process can open it."""
        self._connection.close()

    def sql(self, expression: ir.Table) -> str:
        """DuckDB's SQL of an expression."""
        return str(self._ibis.compile(expression))

    def table(self, name: str) -> ir.Table:
        """A table as an expression."""
        return self._ibis.table(name)

    def table_names(self) -> set[str]:
        """Names of stored and temporary tables."""
        # No query parameters anywhere: binding one makes the driver import pandas, which takes two seconds.
        found = self._connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name <> 'theirs'")
        return {str(row[0]) for row in found.fetchall()}

    def create_empty(self, name: str, schema: ibis.Schema, *, temporary: bool) -> int:
        """An empty table in place of any of that name."""
        self._forget_view(name)
        columns = ", ".join(f"{quoted(c)} {_type(t)}" for c, t in schema.items())
        return self._run(f"CREATE OR REPLACE {_kind(temporary=temporary)} {quoted(name)} ({columns})")

    def create_as(self, name: str, sql: str, schema: ibis.Schema, *, temporary: bool) -> int:
        """The rows of a query, cast to a schema, in place of any table of that name."""
        self._forget_view(name)
        columns = ", ".join(f"CAST({quoted(c)} AS {_type(t)}) AS {quoted(c)}" for c, t in schema.items())
        kind = _kind(temporary=temporary)
        return self._run(f"CREATE OR REPLACE {kind} {quoted(name)} AS SELECT {columns} FROM ({sql})")  # noqa: S608

    def show_as(self, name: str, stored: str) -> None:
        """Let a stored table be read under the name of a temporary one, without copying it."""
        self._forget_view(name)
        self._connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
        self._connection.execute(f"CREATE TEMP VIEW {quoted(name)} AS FROM {quoted(stored)}")
        self._views.add(name)

    def _forget_view(self, name: str) -> None:
        if name in self._views:
            self._connection.execute(f"DROP VIEW {quoted(name)}")
            self._views.discard(name)

    def insert(self, name: str, columns: tuple[str, ...], sql: str) -> int:
        """Append the rows of a query; returns how many."""
        return self._run(f"INSERT INTO {quoted(name)} ({', '.join(map(quoted, columns))}) {sql}")

    def delete(self, name: str, columns: tuple[str, ...], sql: str) -> int:
        """Remove the rows whose columns equal a row of a query."""
        match = " AND ".join(f"{quoted(name)}.{quoted(c)} = k.{quoted(c)}" for c in columns)
        return self._run(f"DELETE FROM {quoted(name)} USING ({sql}) AS k WHERE {match}")  # noqa: S608

    def delete_where(self, name: str, column: str, text: str) -> int:
        """Remove the rows whose column equals a text."""
        wanted = "'" + text.replace("'", "''") + "'"
        return self._run(f"DELETE FROM {quoted(name)} WHERE {quoted(column)} = {wanted}")  # noqa: S608

    def replace(self, name: str, columns: tuple[str, ...], rows: str) -> int:
        """Put the rows of a temporary table in place of the stored ones that share the values of some columns."""
        keys = ", ".join(map(quoted, columns))
        self.delete(name, columns, f"SELECT DISTINCT {keys} FROM {quoted(rows)}")  # noqa: S608
        return self._run(f"INSERT INTO {quoted(name)} BY NAME FROM {quoted(rows)}")

    def empty(self, name: str) -> int:
        """Remove all rows."""
        return self._run(f"DELETE FROM {quoted(name)}")  # noqa: S608

    def lend(self, name: str, data: pa.Table) -> None:
        """Make Arrow data readable as a table, without copying it."""
        # In slices, because each slice is read by one thread.
        sliced = pa.Table.from_batches(data.combine_chunks().to_batches(max_chunksize=_SLICE), schema=data.schema)
        self._connection.register(name, sliced)

    def take_back(self, name: str) -> None:
        """End `lend`."""
        self._connection.unregister(name)

    def fetch(self, sql: str, schema: ibis.Schema) -> pa.Table:
        """The rows of a query in their order."""
        del schema  # DuckDB's own Arrow types are the ones that the others are cast to
        try:
            return self._connection.execute(sql).to_arrow_table()
        except duckdb.Error as error:
            raise RefusedError(first_line(error)) from error

    def limit_memory(self, most: str) -> str:
        """Use at most so much memory for what follows; more goes through the disk."""
        (before,) = self._connection.execute("SELECT current_setting('memory_limit')").fetchall()[0]
        self._connection.execute(f"SET memory_limit = {text(most)}")
        return str(before)

    def write(self, sql: str, path: Path, options: str) -> int:
        """Write a query's rows to a file with DuckDB's own writer; returns how many."""
        # One thread, so that the same rows make the same bytes on every machine.
        (threads,) = self._connection.execute("SELECT current_setting('threads')").fetchall()[0]
        self._connection.execute("SET threads = 1")
        try:
            return self._run(f"COPY ({sql}) TO {text(str(path))} ({options})")
        finally:
            self._connection.execute(f"SET threads = {int(threads)}")

    def begin(self) -> None:
        """From here on all or nothing."""
        self._connection.execute("BEGIN")

    def commit(self) -> None:
        """Keep what was done since `begin`."""
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what was done since `begin`; never raises."""
        with contextlib.suppress(duckdb.Error):
            self._connection.execute("ROLLBACK")

    def _run(self, sql: str) -> int:
        try:
            found = self._connection.execute(sql).fetchone()
        except duckdb.Error as error:
            raise RefusedError(first_line(error)) from error
        return int(found[0]) if found and isinstance(found[0], int) else -1


def _kind(*, temporary: bool) -> str:
    return "TEMP TABLE" if temporary else "TABLE"


def _type(dtype: ibis.expr.datatypes.DataType) -> str:
    return str(ibis.backends.sql.datatypes.DuckDBType.to_string(dtype))


def _cannot_open(path: Path | None, error: duckdb.IOException) -> Exception:
    said = str(error)
    if "lock" in said.lower():
        holder = said.partition("Conflicting lock is held in ")[2].partition(". See")[0]
        return BusyError(
            f"another process has the project's data open{f' ({holder})' if holder else ''}.",
            where=str(path),
            todo="Wait until it has finished, then run the command again.",
        )
    return ProjectError(
        f"the data file cannot be opened ({first_line(error)}).",
        where=str(path),
        todo="Check that the folder can be written and that the disk is not full.",
    )
