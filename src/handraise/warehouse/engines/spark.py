"""Spark: handraise's tables are Parquet tables of a schema in the catalog, parted by day or as-of.

Spark has no transactions over several tables. What holds instead is said in `begin`.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everybody calls it

from handraise.errors import ProjectError
from handraise.warehouse.dialects.spark import Spark as Dialect
from handraise.warehouse.engines.protocol import RefusedError, first_line

# A stored table is parted by the first of these that it has, so that a day is replaced without touching others.
_PARTED_BY = ("day", "as_of")
_SMALL = frozenset(["dirty_days"])
_TABLES = re.compile(r"\b(?:FROM|JOIN)\s+([\w.`]+)", re.IGNORECASE)
_UNFINISHED = "handraise.unfinished"
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.sources.partitionOverwriteMode": "dynamic",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parser.escapedStringLiterals": "false",
    # Unions of checkpointed rows fail in Spark 4.0 while it looks for conditions that must hold ("key not found").
    "spark.sql.constraintPropagation.enabled": "false",
}


class SparkEngine:
    """A Spark session.

    Args:
        session: Open; a new session of it is used, so that its settings stay as they are.
        schema: The schema of our tables; made if it is not there.

    Attributes:
        interrupted: A run before this one did not come to its end, so that tables may be half written.
    """

    name = "spark"
    as_it_is = ""
    takes_back = False

    def __init__(self, session: SparkSession, schema: str) -> None:
        """Make the schema and let plain names mean our tables."""
        self._root = session
        self._session = session.newSession()
        self._schema = schema
        self._dialect = Dialect()
        for key, value in _SETTINGS.items():
            self._session.conf.set(key, value)
        self._run(f"CREATE DATABASE IF NOT EXISTS {_quoted(schema)}")
        self._run(f"USE {_quoted(schema)}")
        self.interrupted = _UNFINISHED in self._properties()

    @classmethod
    def open(cls, master: str, schema: str) -> SparkEngine:
        """Start or join Spark.

        Args:
            master: `spark://…`, `yarn`, `local[4]`, …; other settings come from Spark's own configuration files.
            schema: Our schema.

        Raises:
            ProjectError: Spark cannot be started.
        """
        try:
            session = SparkSession.builder.master(master).appName("handraise").enableHiveSupport().getOrCreate()
            session.sparkContext.setLogLevel("ERROR")
            return cls(session, schema)
        except (PySparkException, Py4JError, RefusedError, OSError, RuntimeError) as error:
            raise ProjectError(
                f"Spark cannot be started ({first_line(error)}).",
                todo="It needs Java 17 and a reachable master in the variable that `warehouse.connection` names.",
            ) from error

    def describe(self) -> str:
        """Name and version, for people."""
        return f"Spark {self._session.version} at {self._session.sparkContext.master}, schema {self._schema}"

    def close(self) -> None:
        """Stop Spark."""
        self._root.stop()

    def sql(self, expression: ir.Table) -> str:
        """Spark's SQL of an expression; each step of it stays a query of its own.

        Put into one, a value that is named once and used often is written out at each use, and Spark's planner runs
        out of memory over it.
        """
        before, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, False
        try:
            return str(self._dialect.to_sqlglot(expression.as_table()).sql(dialect=self._dialect.dialect))
        finally:
            ibis.options.sql.fuse_selects = before

    def table(self, name: str) -> ir.Table:
        """A table of ours as an expression."""
        return ibis.table(_schema_of(self._frame(f"SELECT * FROM {_quoted(name)}")), name=name)

    def theirs(self, name: str, sql: str) -> ir.Table:
        """A query over the company's tables: each column as text, or as an instant without zone."""
        for table in _TABLES.findall(sql):
            # A session remembers a table's files, also after somebody else has written others in their place.
            with contextlib.suppress(RefusedError):
                self._run(f"REFRESH TABLE {table}")
        rows = self._frame(sql)
        rows.selectExpr(*(_plain(column, kind) for column, kind in rows.dtypes)).createOrReplaceTempView(name)
        return self.table(name)

    def tables_in(self, schema: str) -> dict[str, tuple[str, ...]]:
        """Name → columns of every table and view in a schema of the company's."""
        found = self._frame(f"SHOW TABLES IN {_quoted_path(schema)}").collect()
        names = [str(row["tableName"]) for row in found if not row["isTemporary"]]
        return {name: tuple(self._frame(f"SELECT * FROM {self.their_name(schema, name)}").columns) for name in names}

    def their_name(self, schema: str, table: str) -> str:
        """How SQL says a table of the company's."""
        return f"{_quoted_path(schema)}.{_quoted(table)}"

    def as_named(self, where: str) -> str:
        """How SQL says what the playbook calls a table."""
        return where

    def table_names(self) -> set[str]:
        """Names of our stored and temporary tables."""
        return {row["tableName"] for row in self._frame(f"SHOW TABLES IN {_quoted(self._schema)}").collect()}

    def type_of(self, dtype: dt.DataType) -> str:
        """Spark's name of a type."""
        if dtype.is_timestamp():
            return "TIMESTAMP_NTZ" if dtype.timezone is None else "TIMESTAMP_LTZ"
        return str(self._dialect.type_mapper.to_string(dtype))

    def create_empty(self, name: str, types: dict[str, str], temporary: bool) -> int:  # noqa: FBT001
        """An empty table in place of any of that name."""
        columns = ", ".join(f"CAST(NULL AS {t}) AS {_quoted(c)}" for c, t in types.items())
        return self.create_as(name, f"SELECT {columns} WHERE FALSE", types, temporary)

    def create_as(self, name: str, sql: str, types: dict[str, str], temporary: bool) -> int:  # noqa: FBT001
        """The rows of a query, cast to types, in place of any table of that name, which the query may read."""
        rows = self._snapshot(self._frame(_typed(sql, types)))
        if temporary:
            rows.createOrReplaceTempView(name)
            return -1
        self._session.catalog.dropTempView(name)
        self._run(f"DROP TABLE IF EXISTS {self._stored(name)}")
        return self._write(rows, name, parted_by=_part(name, list(types)))

    def _write(self, rows: DataFrame, name: str, *, parted_by: str | None) -> int:
        counted, count = _counted(rows)
        writer = counted.write.format("parquet").mode("overwrite")
        if parted_by:
            writer = writer.partitionBy(parted_by)
        with _told():
            writer.saveAsTable(f"{self._schema}.{name}")
        return int(count.get["rows"])

    def _snapshot(self, rows: DataFrame) -> DataFrame:
        """The rows as they are now: later changes of the tables they come from do not reach them."""
        with _told():
            if self._session.conf.get("spark.checkpoint.dir", None):
                return rows.checkpoint(eager=True)
            return rows.localCheckpoint(eager=True)

    def show_as(self, name: str, stored: str) -> None:
        """Let a stored table be read under the name of a temporary one, without copying it."""
        self._frame(f"SELECT * FROM {self._stored(stored)}").createOrReplaceTempView(name)

    def show(self, name: str, sql: str, types: dict[str, str]) -> int:
        """Let a query be read under a name, cast to types; it is worked out at each reading."""
        self._frame(_typed(sql, types)).createOrReplaceTempView(name)
        return -1

    def insert(self, name: str, columns: list[str], sql: str) -> int:
        """Append the rows of a query; returns how many."""
        return self._append(name, self._snapshot(self._shaped(name, columns, sql)), "append")

    def _shaped(self, name: str, columns: list[str], sql: str) -> DataFrame:
        """A query with all columns of a table, in its order and types."""
        given = ", ".join(
            f"CAST({_quoted(c) if c in columns else 'NULL'} AS {self.type_of(t)}) AS {_quoted(c)}"
            for c, t in self.table(name).schema().items()
        )
        return self._frame(f"SELECT {given} FROM ({sql}) AS q")

    def _append(self, name: str, rows: DataFrame, mode: str) -> int:
        if self._is_temporary(name):
            now = self._frame(f"SELECT * FROM {_quoted(name)}")
            added = rows.count()
            (now.unionByName(rows) if mode == "append" else rows).createOrReplaceTempView(name)
            return added
        counted, count = _counted(rows)
        with _told():
            counted.write.insertInto(f"{self._schema}.{name}", overwrite=mode == "overwrite")
        return int(count.get["rows"])

    def delete(self, name: str, columns: list[str], sql: str) -> int:
        """Remove the rows whose columns equal a row of a query: whole partitions, or a table written anew."""
        keys = self._frame(f"SELECT DISTINCT {', '.join(map(_quoted, columns))} FROM ({sql}) AS q")
        part = _part(name, list(self.table(name).schema()))
        if part and columns == [part]:
            self._drop_parts(name, part, [str(row[0]) for row in keys.collect()])
            return -1
        keys = self._snapshot(keys)
        stored = self._frame(f"SELECT * FROM {_quoted(name)}")
        concerned = stored
        if part and not self._is_temporary(name):
            parts = [
                str(row[0]) for row in stored.join(keys, list(columns), "left_semi").select(part).distinct().collect()
            ]
            concerned = stored.filter(F.col(part).cast("string").isin(parts))
        kept = self._snapshot(concerned.join(keys, list(columns), "left_anti").select(*stored.columns))
        if part and not self._is_temporary(name):
            self._drop_parts(name, part, parts)
            return self._append(name, kept, "append")
        return self._append(name, kept, "overwrite")

    def _drop_parts(self, name: str, part: str, values: list[str]) -> None:
        for value in values:
            self._run(f"ALTER TABLE {self._stored(name)} DROP IF EXISTS PARTITION ({_quoted(part)} = DATE '{value}')")

    def delete_where(self, name: str, column: str, text: str) -> int:
        """Remove the rows whose column equals a text."""
        rows = self._frame(f"SELECT * FROM {_quoted(name)}")
        if rows.filter(F.col(column) == text).isEmpty():
            return 0
        return self._append(name, self._snapshot(rows.filter(~F.col(column).eqNullSafe(text))), "overwrite")

    def replace(self, name: str, shared: list[str], columns: list[str], sql: str) -> int:
        """Put the rows of a query in place of the stored ones that share the values of the columns `shared`.

        By day or as-of, Spark overwrites just these partitions in one step, and a table without them as a whole.
        """
        part = _part(name, list(self.table(name).schema()))
        if shared == [part]:
            return self._append(name, self._snapshot(self._shaped(name, columns, sql)), "overwrite")
        if not part:
            rows = self._shaped(name, columns, sql)
            kept = self._frame(f"SELECT * FROM {_quoted(name)}").join(rows, shared, "left_anti")
            return self._append(name, self._snapshot(kept.select(*rows.columns).unionByName(rows)), "overwrite")
        self.delete(name, shared, sql)
        return self.insert(name, columns, sql)

    def empty(self, name: str) -> int:
        """Remove all rows."""
        if self._is_temporary(name):
            return self._append(name, self._frame(f"SELECT * FROM {_quoted(name)} WHERE FALSE"), "overwrite")
        self._run(f"TRUNCATE TABLE {self._stored(name)}")
        return -1

    def lend(self, name: str, data: pa.Table) -> None:
        """Make Arrow data readable as a table."""
        with _told():
            self._session.createDataFrame(data).createOrReplaceTempView(name)

    def take_back(self, name: str) -> None:
        """End `lend`."""
        self._session.catalog.dropTempView(name)

    def drop_temporary(self, name: str) -> None:
        """Take a temporary table away, so that the stored one of that name is read again."""
        self._session.catalog.dropTempView(name)

    def fetch(self, sql: str, schema: ibis.Schema) -> pa.Table:
        """The rows of a query in their order, with the Arrow types of the schema."""
        with _told():
            rows = self._frame(sql).toArrow()
        return rows.cast(schema.to_pyarrow())

    def limit_memory(self, most: str) -> str:
        """Spark's own settings decide."""
        return most

    def begin(self) -> None:
        """Leave a mark that `commit` takes away.

        There is no way back on Spark. Each statement replaces whole partitions or tables; a run that finds the mark
        of one that did not end makes everything anew that comes from the sources.
        """
        if not self.interrupted:
            self._run(f"ALTER DATABASE {_quoted(self._schema)} SET DBPROPERTIES ('{_UNFINISHED}' = 'yes')")

    def commit(self) -> None:
        """Take the mark away."""
        self._run(f"ALTER DATABASE {_quoted(self._schema)} SET DBPROPERTIES ('{_UNFINISHED}' = 'no')")
        self.interrupted = False

    def rollback(self) -> None:
        """The mark stays: the next run mends what this one left."""
        self.interrupted = True

    def _properties(self) -> str:
        rows = self._frame(f"DESCRIBE DATABASE EXTENDED {_quoted(self._schema)}").collect()
        found = {str(row[0]): str(row[1]) for row in rows}.get("Properties", "")
        return _UNFINISHED if f"({_UNFINISHED},yes)" in found else ""

    def _is_temporary(self, name: str) -> bool:
        found = self._frame(f"SHOW VIEWS LIKE '{name}'").collect()
        return any(row["isTemporary"] and row["viewName"] == name for row in found)

    def _stored(self, name: str) -> str:
        return f"{_quoted(self._schema)}.{_quoted(name)}"

    def _frame(self, sql: str) -> DataFrame:
        with _told():
            return self._session.sql(sql)

    def _run(self, sql: str) -> None:
        self._frame(sql)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _quoted_path(schema: str) -> str:
    """A schema may stand in a catalog."""
    return ".".join(map(_quoted, schema.split(".")))


def _plain(column: str, kind: str) -> str:
    if kind.startswith(("timestamp", "date")):
        return f"CAST({_quoted(column)} AS TIMESTAMP_NTZ) AS {_quoted(column)}"
    if kind.startswith(("struct", "map", "array")):
        return f"TO_JSON({_quoted(column)}) AS {_quoted(column)}"
    return f"CAST({_quoted(column)} AS STRING) AS {_quoted(column)}"


def _typed(sql: str, types: dict[str, str]) -> str:
    columns = ", ".join(f"CAST({_quoted(c)} AS {t}) AS {_quoted(c)}" for c, t in types.items())
    return f"SELECT {columns} FROM ({sql}) AS q"


def _part(name: str, columns: list[str]) -> str | None:
    return None if name in _SMALL else next((column for column in _PARTED_BY if column in columns), None)


def _counted(rows: DataFrame) -> tuple[DataFrame, Observation]:
    """Rows that are counted while they are written."""
    count = Observation()
    return rows.observe(count, F.count(F.lit(1)).alias("rows")), count


@contextlib.contextmanager
def _told() -> Any:
    """Spark's errors as ours."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise RefusedError(first_line(error)) from error


_TYPES = {
    "string": dt.string,
    "bigint": dt.int64,
    "int": dt.int32,
    "smallint": dt.int16,
    "tinyint": dt.int8,
    "double": dt.float64,
    "float": dt.float32,
    "boolean": dt.boolean,
    "date": dt.date,
    "timestamp_ntz": dt.Timestamp(scale=6),
    "timestamp": dt.Timestamp(timezone="UTC", scale=6),
}


def _schema_of(rows: DataFrame) -> ibis.Schema:
    return ibis.schema({column: _ibis_type(kind) for column, kind in rows.dtypes})


def _ibis_type(kind: str) -> dt.DataType:
    if kind.startswith("decimal"):
        precision, _, scale = kind[8:-1].partition(",")
        return dt.Decimal(int(precision), int(scale))
    return _TYPES.get(kind, dt.string)
