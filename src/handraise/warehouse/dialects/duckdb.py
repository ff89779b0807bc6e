"""DuckDB: the reference. What it answers is what the other dialects are made to answer."""

from __future__ import annotations

from typing import Any

import sqlglot.expressions as sge
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

from handraise.warehouse.dialects.ours import Ours

_BIGINT = sge.DataType.build("BIGINT")


class DuckDB(Ours, DuckDBCompiler):  # type: ignore[misc]
    """Ibis' DuckDB with our functions."""

    __slots__ = ()

    def say_property_of(self, op: Any, document: Any, key: Any) -> Any:
        """Text of a property, whatever its JSON type; NULL where it is missing or null."""
        del key
        escaped = op.args[1].value.replace("\\", "\\\\").replace('"', '\\"')
        return self.f.anon.json_extract_string(document, f'$."{escaped}"')

    def say_is_json(self, op: Any, document: Any) -> Any:
        """Whether a text is JSON."""
        del op
        return self.f.anon.json_valid(document)

    def say_hash_of(self, op: Any, text: Any) -> Any:
        """A 63-bit hash of a text."""
        del op
        return sge.Cast(this=sge.BitwiseRightShift(this=self.f.anon.hash(text), expression=sge.convert(1)), to=_BIGINT)
