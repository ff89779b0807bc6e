"""A Postgres server: handraise's tables stand in a schema of their own beside the company's.

Rows travel as CSV through COPY in both directions, made and read by Arrow, so that Python touches no row.
"""

from __future__ import annotations

import contextlib
import io

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import sqlglot as sg
from ibis.backends.sql.datatypes import PostgresType
from pyarrow import csv

from handraise.errors import BusyError, ProjectError
from handraise.warehouse.dialects.postgres import Postgres as Dialect
from handraise.warehouse.engines.protocol import RefusedError, first_line, quoted, text

OLDEST = 160_000
_HAS_OWN_LOWER_CASE = 170_000
# Stored tables are read and changed by these columns.
_BY_CODE_POINT = 'COLLATE "C"'
_INDEXED = ("day", "timestamp", "event_id", "as_of")


class PostgresEngine:
    """A connection to a Postgres server.

    Args:
        connection: Open and in autocommit.
        schema: Where our tables go; made if it is not there.
    """

    name = "postgres"
    as_it_is = ""
    takes_back = True
    interrupted = False  # a transaction that was cut off leaves nothing

    def __init__(self, connection: psycopg.Connection, schema: str) -> None:
        """Make the schema and let plain names mean our tables."""
        self._connection = connection
        self._dialect = Dialect()
        if connection.info.server_version < _HAS_OWN_LOWER_CASE:
            self._dialect.lower_by = "und-x-icu"
        self._execute("SET TimeZone = 'UTC'")
        self._execute("SET client_min_messages = warning")
        # Instants become texts and are read again; a server may be set to write them otherwise.
        self._execute("SET DateStyle = 'ISO, YMD'")
        if self._one(f"SELECT to_regnamespace({text(quoted(schema))})") == (None,):
            self._execute(f"CREATE SCHEMA {quoted(schema)}")
        # Temporary tables are looked at before any schema, and new tables go to the first one named.
        self._execute(f"SET search_path = {quoted(schema)}")
        self._schema = schema

    @classmethod
    def open(cls, address: str, schema: str) -> PostgresEngine:
        """Connect, alone: another process on the same schema has to wait.

        Args:
            address: A connection string, such as `postgresql://user@host/database`.
            schema: Our schema.

        Raises:
            BusyError: Another process works in the schema.
            ProjectError: The server cannot be reached, is too old, or does not let us make the schema.
        """
        try:
            connection = psycopg.connect(address, autocommit=True, application_name="handraise")
        except psycopg.Error as error:
            raise ProjectError(
                f"the Postgres server cannot be reached ({first_line(error)}).",
                todo="Check the connection string in the environment variable that `warehouse.connection` names.",
            ) from error
        if connection.info.server_version < OLDEST:
            connection.close()
            raise ProjectError("the server is older than Postgres 16.", todo="Use Postgres 16 or newer.")
        key = text(f"handraise {schema}")
        free = connection.execute(f"SELECT pg_try_advisory_lock(hashtextextended({key}, 0))").fetchone()
        if free != (True,):
            connection.close()
            raise BusyError(
                f"another process works in the schema {schema!r}.",
                todo="Wait until it has finished, then run the command again.",
            )
        try:
            return cls(connection, schema)
        except RefusedError as refused:
            connection.close()
            raise ProjectError(
                f"the schema {schema!r} cannot be made ({refused.reason}).",
                todo="Let an administrator make it and give it to the user of the connection.",
            ) from refused

    def describe(self) -> str:
        """Name and version, for people."""
        (version,) = self._one("SHOW server_version")
        return f"Postgres {str(version).split()[0]}, schema {self._schema}"

    def close(self) -> None:
        """End the connection; its temporary tables go with it."""
        self._connection.close()

    def sql(self, expression: ir.Table) -> str:
        """Postgres' SQL of an expression."""
        return str(self._dialect.to_sqlglot(expression.as_table()).sql(dialect=self._dialect.dialect))

    def table(self, name: str) -> ir.Table:
        """A table of ours as an expression."""
        return ibis.table(self._schema_of(quoted(name)), name=name)

    def theirs(self, name: str, sql: str) -> ir.Table:
        """A query over the company's tables: each column as text, or as an instant without zone."""
        self._drop(name, temporary=True)
        given = f"{name}__given"
        self._drop(given, temporary=True)
        self._execute(f"CREATE TEMP VIEW {quoted(given)} AS {sql}")
        columns = ", ".join(self._plain(column, dtype) for column, dtype in self._schema_of(quoted(given)).items())
        self._execute(f"CREATE TEMP VIEW {quoted(name)} AS SELECT {columns} FROM {quoted(given)}")
        return self.table(name)

    def _plain(self, column: str, dtype: dt.DataType) -> str:
        name, value = quoted(column), quoted(column)
        if dtype.is_timestamp() or dtype.is_date():
            return f"CAST({value} AS TIMESTAMP) AS {name}"
        if dtype.is_floating():
            value = self._dialect.double_text(sg.column(column, quoted=True)).sql("postgres")
        elif dtype.is_nested():
            value = f"TO_JSON({value})"
        return f"CAST({value} AS TEXT) {_BY_CODE_POINT} AS {name}"

    def tables_in(self, schema: str) -> dict[str, tuple[str, ...]]:
        """Name → columns of every table and view in a schema of the company's."""
        found = self._all(
            "SELECT c.relname, array_agg(CAST(a.attname AS text) ORDER BY a.attnum) FROM pg_class c "
            "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
            f"WHERE c.relnamespace = to_regnamespace({text(quoted(schema))}) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') "
            # What a partitioned table is made of is read with it.
            "AND NOT c.relispartition GROUP BY c.relname"
        )
        return {str(name): tuple(map(str, columns)) for name, columns in found}  # type: ignore[call-overload]

    def their_name(self, schema: str, table: str) -> str:
        """How SQL says a table of the company's."""
        return f"{quoted(schema)}.{quoted(table)}"

    def as_named(self, where: str) -> str:
        """How SQL says what the playbook calls a table."""
        return where

    def _schema_of(self, relation: str) -> ibis.Schema:
        found = self._all(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            f"WHERE attrelid = to_regclass({text(relation)}) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
        if not found:
            raise RefusedError(f"there is no table {relation}")
        return ibis.schema({str(column): _ibis_type(str(kind)) for column, kind in found})

    def table_names(self) -> set[str]:
        """Names of our stored and temporary tables."""
        found = self._all(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') AND "
            f"relnamespace IN (to_regnamespace({text(quoted(self._schema))}), pg_my_temp_schema())"
        )
        return {str(row[0]) for row in found}

    def type_of(self, dtype: dt.DataType) -> str:
        """Postgres' name of a type; texts of ours compare by code point, on every server."""
        name = str(PostgresType.to_string(dtype))
        return f"{name} {_BY_CODE_POINT}" if dtype.is_string() else name

    def create_empty(self, name: str, types: dict[str, str], temporary: bool) -> int:  # noqa: FBT001
        """An empty table in place of any of that name."""
        columns = ", ".join(f"{quoted(c)} {t}" for c, t in types.items())
        self._drop(name, temporary=temporary)
        self._execute(f"CREATE {_kind(temporary=temporary)} {quoted(name)} ({columns})")
        self._index(name, types, temporary=temporary)
        return 0

    def create_as(self, name: str, sql: str, types: dict[str, str], temporary: bool) -> int:  # noqa: FBT001
        """The rows of a query, cast to types, in place of any table of that name, which the query may read."""
        made = f"{name}__made"
        self._drop(made, temporary=temporary)
        rows = self._execute(f"CREATE {_kind(temporary=temporary)} {quoted(made)} AS {_typed(sql, types)}")
        self._drop(name, temporary=temporary)
        self._execute(f"ALTER TABLE {quoted(made)} RENAME TO {quoted(name)}")
        self._index(name, types, temporary=temporary)
        # A new table has no statistics until it is looked at, and plans made without them can take hours.
        self._execute(f"ANALYZE {quoted(name)}")
        return rows

    def show(self, name: str, sql: str, types: dict[str, str]) -> int:
        """Let a query be read under a name, cast to types; it is worked out at each reading."""
        self._drop(name, temporary=True)
        return self._execute(f"CREATE TEMP VIEW {quoted(name)} AS {_typed(sql, types)}")

    def _drop(self, name: str, *, temporary: bool) -> None:
        place = "pg_temp" if temporary else quoted(self._schema)
        kinds = self._all(
            "SELECT relkind FROM pg_class WHERE relname = "
            f"{text(name)} AND relnamespace = "
            + ("pg_my_temp_schema()" if temporary else f"to_regnamespace({text(quoted(self._schema))})")
        )
        for (kind,) in kinds:
            # What shows a table that is made anew has to be shown again.
            self._execute(f"DROP {'VIEW' if kind in {'v', b'v'} else 'TABLE'} {place}.{quoted(name)} CASCADE")

    def _index(self, name: str, columns: dict[str, str], *, temporary: bool) -> None:
        for column in columns:
            if column in _INDEXED and not temporary:
                self._execute(f"CREATE INDEX ON {quoted(name)} ({quoted(column)})")

    def show_as(self, name: str, stored: str) -> None:
        """Let a stored table be read under the name of a temporary one, without copying it."""
        self._drop(name, temporary=True)
        place = f"{quoted(self._schema)}.{quoted(stored)}"
        self._execute(f"CREATE TEMP VIEW {quoted(name)} AS SELECT * FROM {place}")

    def insert(self, name: str, columns: list[str], sql: str) -> int:
        """Append the rows of a query; returns how many."""
        stored = self._schema_of(quoted(name))
        types = {column: self.type_of(stored[column]) for column in columns}
        return self._execute(f"INSERT INTO {quoted(name)} ({', '.join(map(quoted, columns))}) {_typed(sql, types)}")

    def delete(self, name: str, columns: list[str], sql: str) -> int:
        """Remove the rows whose columns equal a row of a query."""
        match = " AND ".join(f"{quoted(name)}.{quoted(c)} = k.{quoted(c)}" for c in columns)
        return self._execute(f"DELETE FROM {quoted(name)} USING ({sql}) AS k WHERE {match}")

    def delete_where(self, name: str, column: str, text: str) -> int:
        """Remove the rows whose column equals a text."""
        wanted = "'" + text.replace("'", "''") + "'"
        return self._execute(f"DELETE FROM {quoted(name)} WHERE {quoted(column)} = {wanted}")

    def replace(self, name: str, shared: list[str], columns: list[str], sql: str) -> int:
        """Put the rows of a query in place of the stored ones that share the values of the columns `shared`."""
        self.delete(name, shared, f"SELECT DISTINCT {', '.join(map(quoted, shared))} FROM ({sql}) AS q")
        return self.insert(name, columns, sql)

    def empty(self, name: str) -> int:
        """Remove all rows."""
        return self._execute(f"DELETE FROM {quoted(name)}")

    def lend(self, name: str, data: pa.Table) -> None:
        """Copy Arrow data into a temporary table."""
        schema = ibis.Schema.from_pyarrow(data.schema)
        self.create_empty(name, {column: self.type_of(dtype) for column, dtype in schema.items()}, True)  # noqa: FBT003
        lines = io.BytesIO()
        # All values are quoted and NULL is not, which is how COPY tells an empty text from none.
        options = csv.WriteOptions(include_header=False, quoting_style="all_valid")
        csv.write_csv(_without_nul(data), lines, options)
        with self._connection.cursor() as cursor, cursor.copy(f"COPY {quoted(name)} FROM STDIN (FORMAT csv)") as copy:
            copy.write(lines.getvalue())
        self._execute(f"ANALYZE {quoted(name)}")

    def take_back(self, name: str) -> None:
        """End `lend`."""
        self._drop(name, temporary=True)

    def drop_temporary(self, name: str) -> None:
        """Take a temporary table away, so that the stored one of that name is read again."""
        self._drop(name, temporary=True)

    def fetch(self, sql: str, schema: ibis.Schema) -> pa.Table:
        """The rows of a query in their order, with the Arrow types of the schema."""
        lines = io.BytesIO()
        try:
            with self._connection.cursor() as cursor, cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT csv)") as copy:
                for part in copy:
                    lines.write(part)
        except psycopg.Error as error:
            raise RefusedError(first_line(error)) from error
        wanted = schema.to_pyarrow()
        if not lines.tell():
            return wanted.empty_table()
        lines.seek(0)
        return csv.read_csv(
            lines,
            read_options=csv.ReadOptions(column_names=wanted.names, block_size=max(1 << 20, lines.getbuffer().nbytes)),
            parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types={field.name: field.type for field in wanted},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )

    def limit_memory(self, most: str) -> str:
        """The server decides."""
        return most

    def begin(self) -> None:
        """From here on all or nothing."""
        self._execute("BEGIN")

    def commit(self) -> None:
        """Keep what was done since `begin`."""
        self._execute("COMMIT")

    def rollback(self) -> None:
        """Undo what was done since `begin`; never raises."""
        with contextlib.suppress(psycopg.Error, RefusedError):
            self._execute("ROLLBACK")

    def _execute(self, sql: str) -> int:
        try:
            return self._connection.execute(sql).rowcount
        except psycopg.Error as error:
            raise RefusedError(first_line(error)) from error

    def _all(self, sql: str) -> list[tuple[object, ...]]:
        try:
            return self._connection.execute(sql).fetchall()
        except psycopg.Error as error:
            raise RefusedError(first_line(error)) from error

    def _one(self, sql: str) -> tuple[object, ...]:
        return self._all(sql)[0]


def _kind(*, temporary: bool) -> str:
    return "TEMP TABLE" if temporary else "TABLE"


def _ibis_type(kind: str) -> dt.DataType:
    if kind.startswith("timestamp"):
        return dt.Timestamp(timezone="UTC" if "with time zone" in kind else None, scale=6)
    if kind.startswith(("character", "uuid")) or kind in {"name", "citext", "json", "jsonb"}:
        return dt.string
    if kind == "numeric":
        return dt.Decimal()
    return PostgresType.from_string(kind)


def _typed(sql: str, types: dict[str, str]) -> str:
    columns = ", ".join(f"{_cast(c, t)} AS {quoted(c)}" for c, t in types.items())
    return f"SELECT {columns} FROM ({sql}) AS q"


def _cast(column: str, kind: str) -> str:
    name, by, _ = kind.partition(_BY_CODE_POINT)
    return f"CAST({quoted(column)} AS {name}) {by}"


def _without_nul(data: pa.Table) -> pa.Table:
    """Postgres has no NUL in texts."""
    columns = [
        pc.replace_substring(column, pattern="\0", replacement="") if pa.types.is_string(column.type) else column
        for column in data.columns
    ]
    return pa.table(columns, names=data.column_names)
