"""DuckDB: the reference. What it answers is what the other dialects are made to answer."""

from __future__ import annotations

from typing import Any

import sqlglot.expressions as sge
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler

from handraise.warehouse.dialects.ours import VALUE_KINDS, Ours, keys_of, members

_BIGINT = sge.DataType.build("BIGINT")


class DuckDB(Ours, DuckDBCompiler):  # type: ignore[misc]
    """Ibis' DuckDB with our functions."""

    __slots__ = ()

    def say_property_of(self, op: Any, document: Any, key: Any) -> Any:
        """Text of a property, whatever its JSON type; NULL where it is missing or null."""
        del key
        return self.f.anon.json_extract_string(document, _path([op.args[1].value]))

    def say_first_text_of(self, op: Any, document: Any, keys: Any) -> Any:
        """The first of several properties that has a text; all are read in one go."""
        del keys
        paths = self.f.array(*(sge.Literal.string(_path(steps)) for steps in keys_of(op)))
        return self.words(
            "LIST_EXTRACT(LIST_FILTER(JSON_EXTRACT_STRING(:document, :paths), x -> x <> ''), 1)",
            document=document,
            paths=paths,
        )

    def say_element_of(self, op: Any, document: Any, index: Any) -> Any:
        """Text of an element of a list."""
        del index
        return self.element(document, op.args[1].value)

    def element(self, document: Any, index: int) -> Any:
        """Text of an element of a list."""
        # The engine writes an operator here that binds looser than `=`; a function around it keeps it together.
        return self.f.coalesce(self.f.anon.json_extract_string(document, f"$[{index}]"))

    def say_json_text(self, op: Any, text: Any) -> Any:
        """A text in JSON's quotes."""
        del op
        return self.f.anon.to_json(text)

    def say_instant_of_micros(self, op: Any, micros: Any) -> Any:
        """An instant from microseconds."""
        del op
        return self.f.anon.make_timestamp(micros)

    def say_joined_members(self, op: Any, parts: Any) -> Any:
        """The first of one name is found."""
        del op
        return self.f.anon.array_to_string(parts, ",")

    def say_members_of_list(self, op: Any, documents: Any, inside: Any) -> Any:
        """Members of all objects of a list."""
        del inside
        key = op.args[1].value
        kind = f'STRUCT("{key}" TEXT)[]' if key else "TEXT[]"
        return self.words(
            f"ARRAY_TO_STRING(LIST_TRANSFORM(TRY_CAST(TRY_CAST(:documents AS JSON) AS {kind}), "
            f"x -> {members(f'x.{key}' if key else 'x')}), ',')",
            documents=documents,
        )

    def say_members_of_pairs(self, op: Any, pairs: Any) -> Any:
        """Members of an object of keys and typed values."""
        del op
        kinds = ", ".join(f"{kind} TEXT" for kind in VALUE_KINDS)
        value = ", ".join(f"x.value.{kind}" for kind in VALUE_KINDS)
        return self.words(
            f"ARRAY_TO_STRING(LIST_TRANSFORM(TRY_CAST(TRY_CAST(:pairs AS JSON) AS STRUCT(key TEXT, value STRUCT({kinds}))[]), "
            f"x -> TO_JSON(x.key) || ':' || TO_JSON(COALESCE({value}))), ',')",
            pairs=pairs,
        )

    def say_is_json(self, op: Any, document: Any) -> Any:
        """Whether a text is JSON."""
        del op
        return self.f.anon.json_valid(document)

    def say_hash_of(self, op: Any, text: Any) -> Any:
        """A 63-bit hash of a text."""
        del op
        return sge.Cast(this=sge.BitwiseRightShift(this=self.f.anon.hash(text), expression=sge.convert(1)), to=_BIGINT)


def _path(steps: list[str]) -> str:
    escaped = (step.replace("\\", "\\\\").replace('"', '\\"') for step in steps)
    return "$" + "".join(f'."{step}"' for step in escaped)
