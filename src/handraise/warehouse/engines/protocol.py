"""What an engine has to be able to do; `Warehouse` does everything else once for all of them."""

from __future__ import annotations

from typing import Protocol

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa


class RefusedError(Exception):
    """The engine refused a statement; `Warehouse` adds the step and the SQL.

    Args:
        reason: The engine's own first line.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason as it is."""
        self.reason = reason
        super().__init__(reason)


class Engine(Protocol):
    """Tables by name, made and changed by the SQL of expressions.

    A temporary table lives as long as the connection and hides a stored one of the same name. All methods raise
    `RefusedError` where the engine refuses.
    """

    name: str
    as_it_is: str  # what a column's type is followed by when its values are stored without compression
    takes_back: bool  # `rollback` undoes everything since `begin`
    interrupted: bool

    def describe(self) -> str:
        """Name and version, for people."""

    def close(self) -> None:
        """Give the connection back."""

    def sql(self, expression: ir.Table) -> str:
        """The engine's SQL of an expression."""

    def table(self, name: str) -> ir.Table:
        """A table as an expression."""

    def theirs(self, name: str, sql: str) -> ir.Table:
        """A query over the company's tables under a name of ours: each column as text, or as an instant without zone."""

    def tables_in(self, schema: str) -> dict[str, tuple[str, ...]]:
        """Name → columns of every table and view in a schema of the company's."""

    def their_name(self, schema: str, table: str) -> str:
        """How SQL says a table of the company's."""

    def as_named(self, where: str) -> str:
        """How SQL says what the playbook calls a table."""

    def table_names(self) -> set[str]:
        """Names of stored and temporary tables."""

    def type_of(self, dtype: dt.DataType) -> str:
        """The engine's name of a type."""

    def create_empty(self, name: str, types: dict[str, str], temporary: bool) -> int:  # noqa: FBT001 - kept as data
        """An empty table in place of any of that name."""

    def create_as(self, name: str, sql: str, types: dict[str, str], temporary: bool) -> int:  # noqa: FBT001
        """The rows of a query, cast to types, in place of any table of that name, which the query may read."""

    def show_as(self, name: str, stored: str) -> None:
        """Let a stored table be read under the name of a temporary one."""

    def show(self, name: str, sql: str, types: dict[str, str]) -> int:
        """Let a query be read under a name, cast to types; it is worked out at each reading."""

    def insert(self, name: str, columns: list[str], sql: str) -> int:
        """Append the rows of a query; returns how many."""

    def delete(self, name: str, columns: list[str], sql: str) -> int:
        """Remove the rows whose columns equal a row of a query."""

    def delete_where(self, name: str, column: str, text: str) -> int:
        """Remove the rows whose column equals a text."""

    def replace(self, name: str, shared: list[str], columns: list[str], sql: str) -> int:
        """Put the rows of a query in place of the stored ones that share the values of the columns `shared`."""

    def empty(self, name: str) -> int:
        """Remove all rows."""

    def lend(self, name: str, data: pa.Table) -> None:
        """Make Arrow data readable as a table."""

    def take_back(self, name: str) -> None:
        """End `lend`."""

    def drop_temporary(self, name: str) -> None:
        """Take a temporary table away, so that the stored one of that name is read again."""

    def fetch(self, sql: str, schema: ibis.Schema) -> pa.Table:
        """The rows of a query in their order, with the Arrow types of the schema."""

    def limit_memory(self, most: str) -> str:
        """Use at most so much memory for what follows; returns the limit before. No-op where a server decides."""

    def begin(self) -> None:
        """From here on all or nothing, as far as the engine can promise it."""

    def commit(self) -> None:
        """Keep what was done since `begin`."""

    def rollback(self) -> None:
        """Undo what was done since `begin`; never raises."""


def quoted(name: str) -> str:
    """An identifier in standard SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string literal in standard SQL."""
    return "'" + value.replace("'", "''") + "'"


def first_line(error: Exception) -> str:
    """What an engine says first; the rest is for its own developers."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
