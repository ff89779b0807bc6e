"""The one module that runs expressions: named steps, timed and counted; the SQL is quoted when one fails.

Everything else builds Ibis expressions. The embedded engine is DuckDB; one process at a time has its file open.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.errors import BusyError, EngineError, ProjectError
from handraise.warehouse.built import BuiltStep, BuiltSteps


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing the engine was asked to do.

    Attributes:
        name: What it made, in the words of the path.
        rows: Rows written; -1 where the engine does not say.
        seconds: Wall time.
    """

    name: str
    rows: int
    seconds: float


@dataclass
class Warehouse:
    """An open DuckDB file (or memory) with Ibis on top.

    Attributes:
        steps: Every step run so far, in order.
        on_step: Called after each step, for progress.
        read_only: The file was opened to read: everything made is temporary, and a stored table that a step wants to
            change is copied first, so that the whole path runs and the file keeps its bytes.
    """

    connection: duckdb.DuckDBPyConnection
    steps: list[Step] = field(default_factory=list)
    on_step: Callable[[Step], None] | None = None
    read_only: bool = False

    def __post_init__(self) -> None:
        """Put Ibis on the same connection, so that transactions cover both."""
        self._ibis = ibis.duckdb.from_connection(self.connection)
        self._views: set[str] = set()
        self._built = BuiltSteps(self.connection)
        self._in_transaction = False
        self._recording: list[BuiltStep] | None = None

    @classmethod
    def open(
        cls, path: Path | None, *, threads: int | None = None, memory: str = "4GB", read_only: bool = False
    ) -> Warehouse:
        """Open or create the file; None = a warehouse in memory. `read_only` needs a file that is there.

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
            raise _cannot_open(path, error) from error
        except duckdb.Error as error:
            raise ProjectError(
                f"the data file cannot be opened ({_first_line(error)}).",
                where=str(path),
                todo="Move it aside and load your files again; they are the truth, this file is derived.",
            ) from error
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        # No table has an order; keeping one makes the engine write everything twice.
        connection.execute("SET preserve_insertion_order = false")
        return cls(connection=connection, read_only=read_only)

    def close(self) -> None:
        """Close the file; the next process can open it."""
        self.connection.close()

    def version(self) -> str:
        """The engine and its version."""
        (found,) = self.connection.execute("SELECT version()").fetchall()[0]
        return f"DuckDB {found}"

    def table(self, name: str) -> ir.Table:
        """A stored table as an expression."""
        return self._ibis.table(name)

    def has(self, name: str) -> bool:
        """Whether a table of this name is stored."""
        return name in self.table_names()

    def table_names(self) -> set[str]:
        """Names of all stored tables."""
        # No query parameters anywhere: binding one makes the driver import pandas, which takes two seconds.
        return {str(row[0]) for row in self.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}

    def create(self, name: str, content: ir.Table | ibis.Schema, *, temporary: bool = False) -> ir.Table:
        """Make a table from an expression, or an empty one from a schema; one of the same name is replaced."""
        kind = "TEMP TABLE" if temporary or self.read_only else "TABLE"
        self._forget_view(name)
        if isinstance(content, ibis.Schema):
            columns = ", ".join(f"{_quoted(c)} {_duckdb_type(t)}" for c, t in content.items())
            self._run(f"create {name}", f"CREATE OR REPLACE {kind} {_quoted(name)} ({columns})")
        else:
            self._run(name, f"CREATE OR REPLACE {kind} {_quoted(name)} AS {self._typed(content)}")
        return self.table(name)

    def _typed(self, content: ir.Table) -> str:
        """Engines disagree on the width of sums and literals; the expression's own types are made to hold."""
        columns = ", ".join(
            f"CAST({_quoted(c)} AS {_duckdb_type(t)}) AS {_quoted(c)}" for c, t in content.schema().items()
        )
        return f"SELECT {columns} FROM ({self.sql(content)})"  # noqa: S608

    def show_as(self, name: str, stored: str) -> None:
        """Let a stored table be read under the name of a temporary one, without copying it."""
        self._forget_view(name)
        self.connection.execute(f"DROP TABLE IF EXISTS {_quoted(name)}")
        self.connection.execute(f"CREATE TEMP VIEW {_quoted(name)} AS FROM {_quoted(stored)}")
        self._views.add(name)

    def show(self, name: str, content: ir.Table) -> ir.Table:
        """Let an expression be read under a name; it is worked out at each reading."""
        self._run(name, f"CREATE OR REPLACE TEMP VIEW {_quoted(name)} AS {self._typed(content)}", is_view=True)
        return self.table(name)

    def hide(self, name: str, content: ir.Table) -> None:
        """Let an expression be read in the place of a stored table of that name, until `unhide`."""
        self.create(name, content, temporary=True)

    def unhide(self, name: str) -> None:
        """Show a stored table again."""
        self.connection.execute(f"DROP TABLE IF EXISTS temp.{_quoted(name)}")

    def _forget_view(self, name: str) -> None:
        if name in self._views:
            self.connection.execute(f"DROP VIEW {_quoted(name)}")
            self._views.discard(name)

    def once_built(self, key: str, build: Callable[[], None]) -> None:
        """Run steps whose expressions depend on `key` alone: their SQL is kept, and runs the next time without being built.

        Building the path's expressions takes longer than running them on small data.
        """
        known = self._built.find(key)
        if known:
            for step in known:
                self._run_again(step)
            return
        self._recording = []
        try:
            build()
            recorded = tuple(self._recording)
        finally:
            self._recording = None
        self._built.keep(key, recorded, in_file=not self.read_only)

    def _run_again(self, step: BuiltStep) -> None:
        if not step.is_view:
            self._forget_view(step.name)
        changed = _CHANGE.match(step.sql)
        if changed:
            self._copy_before_change(changed[1].replace('""', '"'))
        self._run(step.name, step.sql, is_view=step.is_view)

    def _copy_before_change(self, name: str) -> None:
        """Where the file is only read, changes go to a temporary copy, which hides the stored table from then on."""
        if not self.read_only:
            return
        own = self.connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
        if (name,) not in own:
            self.connection.execute(f"CREATE TEMP TABLE {_quoted(name)} AS FROM {_quoted(name)}")

    def insert(self, name: str, rows: ir.Table) -> int:
        """Append rows by column name; returns how many."""
        self._copy_before_change(name)
        columns = ", ".join(_quoted(c) for c in rows.columns)
        return self._run(name, f"INSERT INTO {_quoted(name)} ({columns}) {self.sql(rows)}")

    def delete(self, name: str, keys: ir.Table) -> int:
        """Remove the rows whose columns equal a row of `keys` (columns of the same names, no NULLs)."""
        self._copy_before_change(name)
        match = " AND ".join(f"{_quoted(name)}.{_quoted(c)} = k.{_quoted(c)}" for c in keys.columns)
        sql = f"DELETE FROM {_quoted(name)} USING ({self.sql(keys)}) AS k WHERE {match}"  # noqa: S608
        return self._run(f"make room in {name}", sql)

    def replace(self, name: str, rows: ir.Table, columns: tuple[str, ...]) -> int:
        """Put rows in the place of the stored ones that share their values of `columns` (no NULLs); returns how many.

        `rows` must not be read from the table that is replaced.
        """
        self.delete(name, rows.select(*columns).distinct())
        return self.insert(name, rows)

    def delete_where(self, name: str, column: str, text: str) -> int:
        """Remove the rows whose column equals a text."""
        self._copy_before_change(name)
        sql = f"DELETE FROM {_quoted(name)} WHERE {_quoted(column)} = {_text(text)}"  # noqa: S608
        return self._run(f"make room in {name}", sql)

    def empty(self, name: str) -> None:
        """Remove all rows."""
        self._copy_before_change(name)
        self._run(f"empty {name}", f"DELETE FROM {_quoted(name)}")  # noqa: S608

    def register(self, name: str, data: pa.Table) -> ir.Table:
        """Lend Arrow data to the engine under a name, without copying it."""
        # In slices, because each slice is read by one thread.
        sliced = pa.Table.from_batches(data.to_batches(max_chunksize=_SLICE), schema=data.schema)
        self.connection.register(name, sliced)
        return self.table(name)

    def unregister(self, name: str) -> None:
        """Give lent Arrow data back."""
        self.connection.unregister(name)

    def hold(self, name: str, data: pa.Table) -> ir.Table:
        """A temporary table with the content of a small Arrow table."""
        lent = self.register("held", data)
        try:
            return self.create(name, lent, temporary=True)
        finally:
            self.unregister("held")

    def rows(self, expression: ir.Table) -> pa.Table:
        """Run an expression and fetch its rows; only for results that a person or a file will read."""
        try:
            return self.connection.execute(self.sql(expression)).to_arrow_table()
        except duckdb.Error as error:
            raise _failed("read", self.sql(expression), error) from error

    def count(self, expression: ir.Table) -> int:
        """Number of rows of an expression."""
        return int(self.rows(expression.count().as_table())[0][0].as_py())

    def sql(self, expression: ir.Table) -> str:
        """The engine's SQL of an expression."""
        return str(self._ibis.compile(expression))

    def write_file(self, expression: ir.Table, path: Path) -> int:
        """Write rows to a .csv, .parquet or .ndjson file, whole or not at all; returns how many.

        Raises:
            ProjectError: The ending is not one of these, or the file cannot be written.
        """
        options = _COPY_OPTIONS.get(path.suffix.lower())
        if options is None:
            endings = ", ".join(_COPY_OPTIONS)
            raise ProjectError(
                f"cannot write a {path.suffix or 'nameless'} file.", where=str(path), todo=f"Use {endings}."
            )
        unfinished = path.with_name(f".{path.name}.unfinished")
        # One thread, so that the same rows make the same bytes on every machine.
        (threads,) = self.connection.execute("SELECT current_setting('threads')").fetchall()[0]
        self.connection.execute("SET threads = 1")
        try:
            rows = self._run(
                f"write {path.name}", f"COPY ({self.sql(expression)}) TO {_text(str(unfinished))} ({options})"
            )
            unfinished.replace(path)
        except (OSError, EngineError) as error:
            unfinished.unlink(missing_ok=True)
            raise ProjectError(f"the file cannot be written ({error}).", where=str(path)) from error
        finally:
            self.connection.execute(f"SET threads = {int(threads)}")
        return rows

    @contextlib.contextmanager
    def memory(self, most: str) -> Iterator[None]:
        """Let the engine use at most so much memory inside, such as `1GB`; more goes through the disk."""
        (before,) = self.connection.execute("SELECT current_setting('memory_limit')").fetchall()[0]
        self.connection.execute(f"SET memory_limit = {_text(most)}")
        try:
            yield
        finally:
            self.connection.execute(f"SET memory_limit = {_text(before)}")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing of it, also when the process is killed inside; one inside another is part of it."""
        if self._in_transaction:
            yield
            return
        self.connection.execute("BEGIN")
        self._in_transaction = True
        try:
            yield
        except BaseException:
            with contextlib.suppress(duckdb.Error):
                self.connection.execute("ROLLBACK")
            raise
        finally:
            self._in_transaction = False
        self.connection.execute("COMMIT")

    def _run(self, name: str, sql: str, *, is_view: bool = False) -> int:
        started = time.perf_counter()
        if self._recording is not None:
            self._recording.append(BuiltStep(name=name, sql=sql, is_view=is_view))
        if is_view and name not in self._views:
            self.connection.execute(f"DROP TABLE IF EXISTS {_quoted(name)}")
            self._views.add(name)
        try:
            found = self.connection.execute(sql).fetchone()
        except duckdb.Error as error:
            raise _failed(name, sql, error) from error
        rows = int(found[0]) if found and isinstance(found[0], int) else -1
        step = Step(name=name, rows=rows, seconds=time.perf_counter() - started)
        self.steps.append(step)
        if self.on_step:
            self.on_step(step)
        return rows


_CHANGE = re.compile(r'(?:INSERT INTO|DELETE FROM) "((?:[^"]|"")+)"')
_SLICE = 32_768
_COPY_OPTIONS = {
    ".csv": "FORMAT csv, HEADER",
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".ndjson": "FORMAT json",
}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _duckdb_type(dtype: ibis.expr.datatypes.DataType) -> str:
    return str(ibis.backends.sql.datatypes.DuckDBType.to_string(dtype))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _failed(name: str, sql: str, error: duckdb.Error) -> EngineError:
    return EngineError(
        f"the step {name!r} failed: {_first_line(error)}",
        todo=f"If this looks like a fault of handraise, report it with this SQL:\n{sql[:4000]}",
    )


def _cannot_open(path: Path | None, error: duckdb.IOException) -> Exception:
    text = str(error)
    if "lock" in text.lower():
        holder = text.partition("Conflicting lock is held in ")[2].partition(". See")[0]
        return BusyError(
            f"another process has the project's data open{f' ({holder})' if holder else ''}.",
            where=str(path),
            todo="Wait until it has finished, then run the command again.",
        )
    return ProjectError(
        f"the data file cannot be opened ({_first_line(error)}).",
        where=str(path),
        todo="Check that the folder can be written and that the disk is not full.",
    )
