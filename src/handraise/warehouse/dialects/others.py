"""Engines that nobody here can run: every statement compiles for them and parses again, and that is all we know.

What differs from DuckDB's answer in ways that only a run would show (rounding, white space, broken numbers in texts)
is not looked after here.
"""

from __future__ import annotations

from typing import Any

import ibis.backends.sql.compilers as sc
import sqlglot.expressions as sge

from handraise.warehouse.dialects.ours import Ours
from handraise.warehouse.dialects.spark import Spark


class _Named(Ours):
    """Functions by the name that an engine has for them."""

    __slots__ = ()
    _property = "json_extract_scalar"
    _valid = "is_json"
    _hash = "hash"

    def say_property_of(self, op: Any, document: Any, key: Any) -> Any:
        """Text of a property."""
        del key
        path = '$."' + op.args[1].value.replace('"', '\\"') + '"'
        return self.f.anon[self._property](document, sge.Literal.string(path))  # type: ignore[attr-defined]

    def say_is_json(self, op: Any, document: Any) -> Any:
        """Whether a text is JSON."""
        del op
        return self.f.anon[self._valid](document)  # type: ignore[attr-defined]

    def say_hash_of(self, op: Any, text: Any) -> Any:
        """A 64-bit hash of a text."""
        del op
        return self.f.anon[self._hash](text)  # type: ignore[attr-defined]


class Snowflake(_Named, sc.SnowflakeCompiler):  # type: ignore[misc]
    """Ibis' Snowflake with our functions."""

    __slots__ = ()

    def say_property_of(self, op: Any, document: Any, key: Any) -> Any:
        """Text of a property."""
        del op
        found = self.f.anon.get(self.f.anon.try_parse_json(document), key)
        return self.f.anon.as_char(found)

    def say_is_json(self, op: Any, document: Any) -> Any:
        """Whether a text is JSON."""
        del op
        return self.f.anon.check_json(document).is_(sge.Null())


class BigQuery(_Named, sc.BigQueryCompiler):  # type: ignore[misc]
    """Ibis' BigQuery with our functions."""

    __slots__ = ()
    _property = "json_value"
    _hash = "farm_fingerprint"

    def say_is_json(self, op: Any, document: Any) -> Any:
        """Whether a text is JSON."""
        del op
        return self.f.anon["safe.parse_json"](document).is_(sge.not_(sge.Null()))


class ClickHouse(_Named, sc.ClickHouseCompiler):  # type: ignore[misc]
    """Ibis' ClickHouse with our functions."""

    __slots__ = ()
    _valid = "isValidJSON"
    _hash = "sipHash64"

    def say_property_of(self, op: Any, document: Any, key: Any) -> Any:
        """Text of a property."""
        del op
        return self.f.anon.nullIf(self.f.anon.JSONExtractString(document, key), "")


class Trino(_Named, sc.TrinoCompiler):  # type: ignore[misc]
    """Ibis' Trino with our functions."""

    __slots__ = ()

    def say_is_json(self, op: Any, document: Any) -> Any:
        """Whether a text is JSON."""
        del op
        return sge.Not(this=self.f.anon["try"](self.f.anon.json_parse(document)).is_(sge.Null()))

    def say_hash_of(self, op: Any, text: Any) -> Any:
        """A 64-bit hash of a text."""
        del op
        return self.f.anon.from_big_endian_64(self.f.anon.xxhash64(self.f.anon.to_utf8(text)))


class Databricks(Spark):
    """Spark's words; Databricks reads them."""

    __slots__ = ()
    dialect = sc.DatabricksCompiler.dialect


COMPILED_ONLY: dict[str, type[Any]] = {
    "snowflake": Snowflake,
    "bigquery": BigQuery,
    "databricks": Databricks,
    "clickhouse": ClickHouse,
    "trino": Trino,
}
