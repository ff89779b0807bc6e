"""The one module that runs expressions: named steps, timed and counted; the SQL is quoted when one fails.

Everything else builds Ibis expressions. What differs by engine stands in `engines/` and `dialects/`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.errors import EngineError
from handraise.warehouse.built import BuiltStep, BuiltSteps
from handraise.warehouse.engines.duckdb import DuckDBEngine
from handraise.warehouse.engines.protocol import Engine, RefusedError
from handraise.warehouse.failures import failed
from handraise.warehouse.files import write_file


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
    """Tables of one project on an engine, with Ibis on top.

    Attributes:
        engine: Where the tables are and the work is done.
        steps: Every step run so far, in order.
        on_step: Called after each step, for progress.
        read_only: Nothing is kept: the whole path runs, and the stored tables stay as they are.
    """

    engine: Engine
    steps: list[Step] = field(default_factory=list)
    on_step: Callable[[Step], None] | None = None
    read_only: bool = False

    def __post_init__(self) -> None:
        """Start outside any recording, and outside any transaction unless all of it is to be taken back."""
        self._in_transaction = self.read_only and self.engine.takes_back
        if self._in_transaction:
            self.engine.begin()
        self._recording: list[BuiltStep] | None = None
        self._whole: dict[str, tuple[str, ibis.Schema]] = {}
        self._holding: dict[tuple[str, pa.Schema], tuple[BuiltStep, ibis.Schema]] = {}
        self._built = BuiltSteps(self.engine)

    @classmethod
    def open(
        cls, path: Path | None, *, threads: int | None = None, memory: str = "4GB", read_only: bool = False
    ) -> Warehouse:
        """Open or create a DuckDB file; None = a warehouse in memory. `read_only` needs a file that is there.

        Raises:
            BusyError: Another process has the file open.
            ProjectError: The file is not a DuckDB file, or the folder cannot be written.
        """
        engine = DuckDBEngine.open(path, threads=threads, memory=memory, read_only=read_only)
        return cls(engine=engine, read_only=read_only)

    def reader(self) -> Warehouse:
        """The same tables for another thread, to be read while this one writes.

        Raises:
            TypeError: The warehouse is another engine's.
        """
        if not isinstance(self.engine, DuckDBEngine):
            raise TypeError(f"{self.engine.name} has no readers beside the writer")
        return Warehouse(engine=self.engine.reader(), read_only=True)

    def copy_into(self, path: Path) -> None:
        """Write all tables into a new file: what was deleted stays in the old one, and is not in the new one.

        Raises:
            TypeError: The warehouse is another engine's.
            EngineError: The file cannot be written.
        """
        if not isinstance(self.engine, DuckDBEngine):
            raise TypeError(f"{self.engine.name} has no file of its own")
        try:
            self.engine.copy_into(path)
        except RefusedError as refused:
            raise failed(f"copy to {path.name}", "COPY FROM DATABASE", refused) from refused

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The embedded engine's own connection, for benchmarks and tests.

        Raises:
            TypeError: The warehouse is another engine's.
        """
        if not isinstance(self.engine, DuckDBEngine):
            raise TypeError(f"{self.engine.name} has no DuckDB connection")
        return self.engine.connection

    def version(self) -> str:
        """The engine and its version."""
        return self.engine.describe()

    def close(self) -> None:
        """Close the connection; the next process can open it."""
        if self.read_only and self._in_transaction:
            self.engine.rollback()
        self.engine.close()

    def table(self, name: str) -> ir.Table:
        """A stored table as an expression."""
        return self.engine.table(name)

    def theirs(self, name: str, sql: str) -> ir.Table:
        """A query over the company's own tables under a name of ours, each column as text or as an instant.

        Raises:
            EngineError: A table is not there, or may not be read.
        """
        try:
            return self.engine.theirs(name, sql)
        except RefusedError as refused:
            raise EngineError(
                f"the source {sql!r} cannot be read: {refused.reason}",
                todo="Check `warehouse.sources` in handraise.yaml, and that the connection may read the table.",
            ) from refused

    @property
    def interrupted(self) -> bool:
        """A run before this one was cut off on an engine that cannot take back what it had done."""
        return self.engine.interrupted

    def has(self, name: str) -> bool:
        """Whether a table of this name is stored."""
        return name in self.table_names()

    def table_names(self) -> set[str]:
        """Names of all stored tables."""
        return self.engine.table_names()

    def hides_stored(self) -> bool:
        """Whether a temporary table of this connection stands in the place of a stored one."""
        return isinstance(self.engine, DuckDBEngine) and self.engine.hides_stored()

    def create(
        self,
        name: str,
        content: ir.Table | ibis.Schema,
        *,
        temporary: bool = False,
        unlike: tuple[str, ...] = (),
    ) -> ir.Table:
        """Make a table from an expression, or an empty one from a schema; one of the same name is replaced.

        Values of the columns in `unlike` have little in common: looking for it would take longer than writing them.
        """
        if isinstance(content, ibis.Schema):
            schema = content
            types = self._types(schema)
            types |= {column: types[column] + self.engine.as_it_is for column in unlike}
            made = BuiltStep(name=f"create {name}", does="create_empty", given=(name, types, temporary))
        else:
            # Engines disagree on the width of sums and literals; the expression's own types are made to hold.
            schema = content.schema()
            made = self._creation(name, content, temporary=temporary)
        self._run(made)
        return ibis.table(schema, name=name)  # asking the engine for what was just told it would take its time

    def _creation(self, name: str, content: ir.Table, *, temporary: bool) -> BuiltStep:
        given = (name, self.sql(content), self._types(content.schema()), temporary)
        return BuiltStep(name=name, does="create_as", given=given)

    def _types(self, schema: ibis.Schema) -> dict[str, str]:
        return {column: self.engine.type_of(dtype) for column, dtype in schema.items()}

    def show_as(self, name: str, stored: str) -> None:
        """Let a stored table be read under the name of a temporary one, without copying it."""
        self.engine.show_as(name, stored)

    def show(self, name: str, content: ir.Table) -> ir.Table:
        """Let an expression be read under a name; it is worked out at each reading."""
        given = (name, self.sql(content), self._types(content.schema()))
        self._run(BuiltStep(name=name, does="show", given=given))
        return self.table(name)

    def hide(self, name: str, content: ir.Table) -> None:
        """Let an expression be read in the place of a stored table of that name, until `unhide`."""
        self.create(name, content, temporary=True)

    def unhide(self, name: str) -> None:
        """Show a stored table again."""
        self.engine.drop_temporary(name)

    def once_built(self, key: str, build: Callable[[], object]) -> None:
        """Run steps whose expressions depend on `key` alone: their SQL is kept, and runs the next time without being built.

        Building the path's expressions takes longer than running them on small data.
        """
        if self._recording is not None:  # a part of something that is built once itself
            build()
            return
        known = self._built.find(key)
        if known:
            for step in known:
                self._run(step)
            return
        self._recording = []
        try:
            build()
            recorded = tuple(self._recording)
        finally:
            self._recording = None
        self._built.keep(key, recorded, in_file=not self.read_only)

    def insert(self, name: str, rows: ir.Table) -> int:
        """Append rows by column name; returns how many."""
        return self._run(BuiltStep(name=name, does="insert", given=(name, list(rows.columns), self.sql(rows))))

    def delete(self, name: str, keys: ir.Table) -> int:
        """Remove the rows whose columns equal a row of `keys` (columns of the same names, no NULLs)."""
        given = (name, list(keys.columns), self.sql(keys))
        return self._run(BuiltStep(name=f"make room in {name}", does="delete", given=given))

    def delete_where(self, name: str, column: str, text: str) -> int:
        """Remove the rows whose column equals a text."""
        return self._run(BuiltStep(name=f"make room in {name}", does="delete_where", given=(name, column, text)))

    def replace(self, name: str, rows: ir.Table, columns: tuple[str, ...]) -> int:
        """Put rows in the place of the stored ones that share their values of `columns` (no NULLs); returns how many.

        `rows` must not be read from the table that is replaced. By the column that an engine parts its tables by (day
        or as-of), whole partitions are overwritten.
        """
        given = (name, list(columns), list(rows.columns), self.sql(rows))
        return self._run(BuiltStep(name=name, does="replace", given=given))

    def empty(self, name: str) -> None:
        """Remove all rows."""
        self._run(BuiltStep(name=f"empty {name}", does="empty", given=(name,)))

    def register(self, name: str, data: pa.Table) -> ir.Table:
        """Lend Arrow data to the engine under a name."""
        self.engine.lend(name, data)
        return self.table(name)

    def unregister(self, name: str) -> None:
        """Give lent Arrow data back."""
        self.engine.take_back(name)

    def hold(self, name: str, data: pa.Table) -> ir.Table:
        """A temporary table with the content of a small Arrow table; the SQL for its columns is built once."""
        key = (name, data.schema)
        self.engine.lend("held", data)
        try:
            if key not in self._holding:
                lent = self.table("held")
                self._holding[key] = (self._creation(name, lent, temporary=True), lent.schema())
            made, schema = self._holding[key]
            self._run(made)
            return ibis.table(schema, name=name)
        finally:
            self.unregister("held")

    def rows(self, expression: ir.Table) -> pa.Table:
        """Run an expression and fetch its rows; only for results that a person or a file will read."""
        sql = self.sql(expression)
        try:
            return self.engine.fetch(sql, expression.schema())
        except RefusedError as refused:
            raise failed("read", sql, refused) from refused

    def batches(self, expression: ir.Table, size: int) -> Iterator[pa.RecordBatch]:
        """Fetch an expression's rows in batches of about so many; nothing else may be asked of the engine in between.

        Raises:
            TypeError: The warehouse is another engine's.
            EngineError: The rows cannot be read.
        """
        if not isinstance(self.engine, DuckDBEngine):
            raise TypeError(f"{self.engine.name} gives no rows in batches")
        sql = self.sql(expression)
        try:
            yield from self.engine.batches(sql, size)
        except RefusedError as refused:
            raise failed("read", sql, refused) from refused

    def whole(self, name: str) -> pa.Table:
        """All rows of a small table whose columns never change; its SQL is built once."""
        if name not in self._whole:
            expression = self.table(name)
            self._whole[name] = (self.sql(expression), expression.schema())
        return self.engine.fetch(*self._whole[name])

    def rows_in(self, name: str) -> int:
        """Number of rows of a table; the SQL that counts them is built once."""
        key = f"rows in {name}"
        if key not in self._whole:
            counted = self.table(name).count().as_table()
            self._whole[key] = (self.sql(counted), counted.schema())
        return int(self.engine.fetch(*self._whole[key])[0][0].as_py())

    def count(self, expression: ir.Table) -> int:
        """Number of rows of an expression."""
        return int(self.rows(expression.count().as_table())[0][0].as_py())

    def sql(self, expression: ir.Table) -> str:
        """The engine's SQL of an expression."""
        return self.engine.sql(expression)

    def write_file(self, expression: ir.Table, path: Path) -> int:
        """Write rows to a .csv, .parquet or .ndjson file, whole or not at all; returns how many.

        Raises:
            ProjectError: The ending is not one of these, or the file cannot be written.
        """
        started, sql = time.perf_counter(), self.sql(expression)
        rows = write_file(self.engine, sql, expression.schema(), path)
        self._done(f"write {path.name}", rows, started)
        return rows

    @contextlib.contextmanager
    def memory(self, most: str) -> Iterator[None]:
        """Let the engine use at most so much memory inside, such as `1GB`; more goes through the disk."""
        before = self.engine.limit_memory(most)
        try:
            yield
        finally:
            self.engine.limit_memory(before)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing of it, also when the process is killed inside; one inside another is part of it."""
        if self._in_transaction:
            yield
            return
        self.engine.begin()
        self._in_transaction = True
        try:
            yield
        except BaseException:
            self.engine.rollback()
            raise
        finally:
            self._in_transaction = False
        try:
            self.engine.commit()
        except RefusedError as refused:
            raise failed("keep", "COMMIT", refused) from refused

    def _run(self, wanted: BuiltStep) -> int:
        started = time.perf_counter()
        if self._recording is not None:
            self._recording.append(wanted)
        try:
            rows = int(getattr(self.engine, wanted.does)(*wanted.given))
        except RefusedError as refused:
            raise failed(wanted.name, wanted.sql, refused) from refused
        self._done(wanted.name, rows, started)
        return rows

    def _done(self, name: str, rows: int, started: float) -> None:
        step = Step(name=name, rows=rows, seconds=time.perf_counter() - started)
        self.steps.append(step)
        if self.on_step:
            self.on_step(step)
