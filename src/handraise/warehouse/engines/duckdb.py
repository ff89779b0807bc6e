"""The embedded engine: a DuckDB file, or memory. One process at a time has the file open."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.sql.datatypes import DuckDBType

from handraise.errors import BusyError, ProjectError
from handraise.warehouse.dialects.duckdb import DuckDB as Dialect
from handraise.warehouse.engines.protocol import RefusedError, first_line, quoted, text

_SLICE = 32_768
_NAME = re.compile(r'^(\w+|"[^"]+")(\.(\w+|"[^"]+"))?$')
_MOVE_ASIDE = "Move it aside and load your files again; they are the truth, this file is derived."
_LOCKED = "Could not set lock on file"
_SMALLEST_FILE = 3 * 4096  # the headers alone


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """What DuckDB raises inside, in the words that all engines share.

    Raises:
        RefusedError: A statement was refused.
        KeyboardInterrupt: The person at the keyboard stopped it.
    """
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise RefusedError(first_line(error)) from error
    except RuntimeError as error:
        if str(error) != "Query interrupted":
            raise
        raise KeyboardInterrupt from error


class DuckDBEngine:
    """An open DuckDB file (or memory) with Ibis on top.

    Args:
        connection: An open connection; its session zone has to be UTC.
        read_only: Everything made is temporary, and a stored table that is to change is copied first, so that the
            whole path runs and the file keeps its bytes.
    """

    name = "duckdb"
    as_it_is = " USING COMPRESSION uncompressed"
    interrupted = False  # a transaction that was cut off leaves nothing

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, read_only: bool = False) -> None:
        """Put Ibis on the same connection, so that transactions cover both."""
        self.connection = connection
        self._ibis = ibis.duckdb.from_connection(connection)
        self._ibis.compiler = Dialect()
        self._views: set[str] = set()
        self._read_only = read_only
        self.takes_back = not read_only

    @classmethod
    def open(
        cls, path: Path | None, *, threads: int | None = None, memory: str = "4GB", read_only: bool = False
    ) -> DuckDBEngine:
        """Open or create the file; None = memory. `read_only` needs a file that is there.

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
            connection = duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config=settings)
        except duckdb.IOException as error:
            _remove_stub(path, error)
            raise _cannot_open(path, error) from error
        except duckdb.Error as error:
            raise ProjectError(
                f"the data file cannot be opened ({first_line(error)}).",
                where=str(path),
                todo=_MOVE_ASIDE,
            ) from error
        # No table has an order; keeping one makes the engine write everything twice.
        connection.execute("SET preserve_insertion_order = false")
        _set_up(connection)
        return cls(connection, read_only=read_only)

    def reader(self) -> DuckDBEngine:
        """A second connection to the same open file, for another thread: what it makes is temporary."""
        connection = self.connection.cursor()
        _set_up(connection)
        return DuckDBEngine(connection, read_only=True)

    def copy_into(self, path: Path) -> None:
        """Write all tables into a new file, which holds nothing of what was deleted from this one."""
        with refusals():
            (name,) = self.connection.execute("SELECT current_database()").fetchall()[0]
            self.connection.execute(f"ATTACH {text(str(path))} AS fresh")
            try:
                self.connection.execute(f"COPY FROM DATABASE {quoted(name)} TO fresh")
            finally:
                self.connection.execute("DETACH fresh")

    def attach(self, path: Path) -> None:
        """Make the tables of another DuckDB file readable by their names; it is never written.

        Raises:
            ProjectError: The file cannot be opened.
        """
        try:
            self.connection.execute(f"ATTACH {text(str(path))} AS theirs (READ_ONLY)")
            # Plain names mean our tables first, then theirs.
            self.connection.execute("SET search_path = 'main,theirs.main'")
        except duckdb.Error as error:
            raise ProjectError(
                f"the sources' database cannot be opened ({first_line(error)}).", where=str(path)
            ) from error

    def describe(self) -> str:
        """Name and version, for people."""
        return f"DuckDB {self.connection.execute('SELECT version()').fetchall()[0][0]}"

    def close(self) -> None:
        """Close the file; the next process can open it."""
        self.connection.close()

    def sql(self, expression: ir.Table) -> str:
        """DuckDB's SQL of an expression."""
        return str(self._ibis.compile(expression))

    def table(self, name: str) -> ir.Table:
        """A table as an expression."""
        return self._ibis.table(name)

    def theirs(self, name: str, sql: str) -> ir.Table:
        """A query over the company's tables: each column as text, or as an instant without zone."""
        self._forget_view(name)
        try:
            found = self.connection.execute(f"DESCRIBE {sql}").fetchall()
            columns = ", ".join(_plain(str(column), str(kind)) for column, kind, *_ in found)
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS SELECT {columns} FROM ({sql})")
        except duckdb.Error as error:
            raise RefusedError(first_line(error)) from error
        self._views.add(name)
        return self.table(name)

    def tables_in(self, schema: str) -> dict[str, tuple[str, ...]]:
        """Name → columns of every table and view in a schema of the company's."""
        found = self.connection.execute(
            "SELECT table_name, LIST(column_name ORDER BY column_index) FROM duckdb_columns() "
            f"WHERE database_name = 'theirs' AND schema_name = {text(schema)} GROUP BY table_name"
        ).fetchall()
        return {str(name): tuple(columns) for name, columns in found}

    def their_name(self, schema: str, table: str) -> str:
        """How SQL says a table of the company's."""
        return f"theirs.{quoted(schema)}.{quoted(table)}"

    def as_named(self, where: str) -> str:
        """How SQL says what the playbook calls a table: it is theirs, also where one of ours has the same name."""
        if not _NAME.match(where):
            return where
        return f"theirs.{where}" if "." in where else f"theirs.main.{where}"

    def table_names(self) -> set[str]:
        """Names of stored and temporary tables."""
        # No query parameters anywhere: binding one makes the driver import pandas, which takes two seconds.
        found = self.connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name <> 'theirs'")
        return {str(row[0]) for row in found.fetchall()}

    def hides_stored(self) -> bool:
        """Whether a temporary table of this connection stands in the place of a stored one."""
        found = self.connection.execute(
            "SELECT count(*) FROM duckdb_tables() AS own JOIN duckdb_tables() AS stored USING (table_name) "
            "WHERE own.temporary AND NOT stored.temporary"
        )
        return bool(found.fetchall()[0][0])

    def type_of(self, dtype: dt.DataType) -> str:
        """DuckDB's name of a type."""
        return str(DuckDBType.to_string(dtype))

    def create_empty(self, name: str, types: dict[str, str], temporary: bool) -> int:  # noqa: FBT001
        """An empty table in place of any of that name."""
        self._forget_view(name)
        columns = ", ".join(f"{quoted(c)} {t}" for c, t in types.items())
        return self._run(
            f"CREATE OR REPLACE {_kind(temporary=temporary or self._read_only)} {quoted(name)} ({columns})"
        )

    def create_as(self, name: str, sql: str, types: dict[str, str], temporary: bool) -> int:  # noqa: FBT001
        """The rows of a query, cast to types, in place of any table of that name."""
        self._forget_view(name)
        kind = _kind(temporary=temporary or self._read_only)
        return self._run(f"CREATE OR REPLACE {kind} {quoted(name)} AS {_typed(sql, types)}")

    def show(self, name: str, sql: str, types: dict[str, str]) -> int:
        """Let a query be read under a name, cast to types; it is worked out at each reading."""
        if name not in self._views:
            self.connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
            self._views.add(name)
        return self._run(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {_typed(sql, types)}")

    def show_as(self, name: str, stored: str) -> None:
        """Let a stored table be read under the name of a temporary one, without copying it."""
        self._forget_view(name)
        self.connection.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
        self.connection.execute(f"CREATE TEMP VIEW {quoted(name)} AS FROM {quoted(stored)}")
        self._views.add(name)

    def _forget_view(self, name: str) -> None:
        if name in self._views:
            self.connection.execute(f"DROP VIEW {quoted(name)}")
            self._views.discard(name)

    def _copy_before_change(self, name: str) -> None:
        """Where the file is only read, changes go to a temporary copy, which hides the stored table from then on."""
        if not self._read_only:
            return
        own = self.connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
        if (name,) not in own:
            self.connection.execute(f"CREATE TEMP TABLE {quoted(name)} AS FROM {quoted(name)}")

    def insert(self, name: str, columns: list[str], sql: str) -> int:
        """Append the rows of a query; returns how many."""
        self._copy_before_change(name)
        return self._run(f"INSERT INTO {quoted(name)} ({', '.join(map(quoted, columns))}) {sql}")

    def delete(self, name: str, columns: list[str], sql: str) -> int:
        """Remove the rows whose columns equal a row of a query."""
        self._copy_before_change(name)
        match = " AND ".join(f"{quoted(name)}.{quoted(c)} = k.{quoted(c)}" for c in columns)
        return self._run(f"DELETE FROM {quoted(name)} USING ({sql}) AS k WHERE {match}")

    def delete_where(self, name: str, column: str, text: str) -> int:
        """Remove the rows whose column equals a text."""
        self._copy_before_change(name)
        wanted = "'" + text.replace("'", "''") + "'"
        return self._run(f"DELETE FROM {quoted(name)} WHERE {quoted(column)} = {wanted}")

    def replace(self, name: str, shared: list[str], columns: list[str], sql: str) -> int:
        """Put the rows of a query in place of the stored ones that share the values of the columns `shared`."""
        self.delete(name, shared, f"SELECT DISTINCT {', '.join(map(quoted, shared))} FROM ({sql})")
        return self.insert(name, columns, sql)

    def empty(self, name: str) -> int:
        """Remove all rows."""
        self._copy_before_change(name)
        return self._run(f"DELETE FROM {quoted(name)}")

    def lend(self, name: str, data: pa.Table) -> None:
        """Make Arrow data readable as a table, without copying it."""
        # In slices, because each slice is read by one thread.
        sliced = pa.Table.from_batches(data.to_batches(max_chunksize=_SLICE), schema=data.schema)
        self.connection.register(name, sliced)

    def take_back(self, name: str) -> None:
        """End `lend`."""
        self.connection.unregister(name)

    def drop_temporary(self, name: str) -> None:
        """Take a temporary table away, so that the stored one of that name is read again."""
        self.connection.execute(f"DROP TABLE IF EXISTS temp.{quoted(name)}")

    def fetch(self, sql: str, schema: ibis.Schema) -> pa.Table:
        """The rows of a query in their order."""
        del schema  # DuckDB's own Arrow types are the ones that the others are cast to
        with refusals():
            return self.connection.execute(sql).to_arrow_table()

    def batches(self, sql: str, size: int) -> Iterator[pa.RecordBatch]:
        """The rows of a query in batches of about so many."""
        with refusals():
            yield from self.connection.execute(sql).to_arrow_reader(size)

    def limit_memory(self, most: str) -> str:
        """Use at most so much memory for what follows; more goes through the disk."""
        (before,) = self.connection.execute("SELECT current_setting('memory_limit')").fetchall()[0]
        self.connection.execute(f"SET memory_limit = {text(most)}")
        return str(before)

    def write(self, sql: str, path: Path, options: str) -> int:
        """Write a query's rows to a file with DuckDB's own writer; returns how many."""
        # One thread, so that the same rows make the same bytes on every machine.
        (threads,) = self.connection.execute("SELECT current_setting('threads')").fetchall()[0]
        self.connection.execute("SET threads = 1")
        try:
            return self._run(f"COPY ({sql}) TO {text(str(path))} ({options})")
        finally:
            self.connection.execute(f"SET threads = {int(threads)}")

    def begin(self) -> None:
        """From here on all or nothing."""
        self.connection.execute("BEGIN")

    def commit(self) -> None:
        """Keep what was done since `begin`."""
        with refusals():
            self.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what was done since `begin`; never raises."""
        with contextlib.suppress(duckdb.Error):
            self.connection.execute("ROLLBACK")

    def _run(self, sql: str) -> int:
        with refusals():
            found = self.connection.execute(sql).fetchone()
        return int(found[0]) if found and isinstance(found[0], int) else -1


def _set_up(connection: duckdb.DuckDBPyConnection) -> None:
    """What each connection has for itself."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")


def _kind(*, temporary: bool) -> str:
    return "TEMP TABLE" if temporary else "TABLE"


def _plain(column: str, kind: str) -> str:
    name = quoted(column)
    if kind.endswith("]") or kind.startswith(("STRUCT", "MAP")):
        return f"CAST(to_json({name}) AS VARCHAR) AS {name}"
    wanted = "TIMESTAMP" if kind.startswith(("TIMESTAMP", "DATE")) else "VARCHAR"
    return f"CAST({name} AS {wanted}) AS {name}"


def _typed(sql: str, types: dict[str, str]) -> str:
    columns = ", ".join(f"CAST({quoted(c)} AS {t}) AS {quoted(c)}" for c, t in types.items())
    return f"SELECT {columns} FROM ({sql})"


def _remove_stub(path: Path | None, error: duckdb.IOException) -> None:
    """A file that broke off while it was made holds nothing, and would keep the next run from making it."""
    if path and _LOCKED not in str(error):
        with contextlib.suppress(OSError):
            if path.stat().st_size < _SMALLEST_FILE:
                path.unlink()


def _cannot_open(path: Path | None, error: duckdb.IOException) -> Exception:
    said = str(error)
    if _LOCKED in said:
        holder = said.partition("Conflicting lock is held in ")[2].partition(". See")[0]
        return BusyError(
            f"another process has the project's data open{f' ({holder})' if holder else ''}.",
            where=str(path),
            todo="Wait until it has finished, then run the command again.",
        )
    damaged = "not a valid DuckDB" in said
    return ProjectError(
        f"the data file cannot be opened ({first_line(error)}).",
        where=str(path),
        todo=_MOVE_ASIDE if damaged else "Check that the folder can be written and that the disk is not full.",
    )
