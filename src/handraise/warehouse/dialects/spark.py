"""Spark 4: no NULL where a count is 0, exact rounding, and JSON as strict as elsewhere."""

from __future__ import annotations

import functools
import re
from typing import Any

import ibis.common.exceptions as com
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import SQLGlotCompiler
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

from handraise.warehouse.dialects.ours import VALUE_KINDS, keys_of, members
from handraise.warehouse.dialects.portable import INSTANT, NUMBER, Portable

_SIMPLE_KEY = re.compile(r"^[A-Za-z0-9_]+$")
# Halves of a surrogate pair on their own: no other engine takes them for text.
_LONE = (
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


class Spark(Portable, PySparkCompiler):  # type: ignore[misc]
    """Ibis' Spark with our functions. The session's zone has to be UTC and its plain timestamps without zone."""

    __slots__ = ()

    def say_property_of(self, op: Any, document: Any, key: Any) -> Any:
        """Text of a property; a large JSON number is written out as DuckDB does."""
        del key
        value = self._property(document, op.args[1].value)
        return self.words(
            "CASE WHEN :value RLIKE '^-?[0-9][.][0-9]+E-?[0-9]+$' AND INSTR(:document, CONCAT('\"', :value, '\"')) = 0 "
            "THEN :plain ELSE :value END",
            value=value,
            document=document,
            plain=self._written_out(value),
        )

    def _property(self, document: Any, key: str) -> Any:
        if _SIMPLE_KEY.match(key):
            return self.f.anon.get_json_object(document, sge.Literal.string(f"$.{key}"))
        return self.words(
            "ELEMENT_AT(FROM_JSON(:document, 'map<string,string>'), :key)",
            document=document,
            key=sge.Literal.string(key),
        )

    def say_first_text_of(self, op: Any, document: Any, keys: Any) -> Any:
        """The first of several properties that has a text."""
        del keys
        looked = (functools.reduce(self._property, steps, document) for steps in keys_of(op))
        return self.f.coalesce(*(self.f.nullif(value, sge.Literal.string("")) for value in looked))

    def say_element_of(self, op: Any, document: Any, index: Any) -> Any:
        """Text of an element of a list."""
        del index
        return self.element(document, op.args[1].value)

    def element(self, document: Any, index: int) -> Any:
        """Text of an element of a list."""
        return self.f.anon.get_json_object(document, sge.Literal.string(f"$[{index}]"))

    def say_json_text(self, op: Any, text: Any) -> Any:
        """A text in JSON's quotes; Spark makes JSON of lists, not of texts."""
        del op
        return self.words(_json_text(":text"), text=sge.paren(text, copy=False))

    def say_instant_of_micros(self, op: Any, micros: Any) -> Any:
        """An instant from microseconds."""
        del op
        return self.words("CAST(TIMESTAMP_MICROS(:micros) AS TIMESTAMP_NTZ)", micros=micros)

    def say_joined_members(self, op: Any, parts: Any) -> Any:
        """The first of one name is found."""
        del op
        return self.f.anon.array_join(parts, ",")

    def say_members_of_list(self, op: Any, documents: Any, inside: Any) -> Any:
        """Members of all objects of a list."""
        del inside
        key = op.args[1].value
        kind = f"array<struct<{key}:string>>" if key else "array<string>"
        return self.words(
            f"ARRAY_JOIN(TRANSFORM(FROM_JSON(:documents, '{kind}'), x -> {members(f'x.{key}' if key else 'x')}), ',')",
            documents=documents,
        )

    def say_members_of_pairs(self, op: Any, pairs: Any) -> Any:
        """Members of an object of keys and typed values."""
        del op
        kinds = ",".join(f"{kind}:string" for kind in VALUE_KINDS)
        value = f"COALESCE({', '.join(f'x.value.{kind}' for kind in VALUE_KINDS)})"
        return self.words(
            f"ARRAY_JOIN(TRANSFORM(FROM_JSON(:pairs, 'array<struct<key:string,value:struct<{kinds}>>>'), "
            f"x -> CONCAT({_json_text('x.key')}, ':', {_json_text(value)})), ',')",
            pairs=pairs,
        )

    def say_is_json(self, op: Any, document: Any) -> Any:
        """Whether a text is one JSON object, with nothing behind it and nothing that only Spark would read."""
        del op
        return self._is_json(document, "map<string,string>")

    def is_json_list(self, op: Any, text: Any) -> Any:
        """Whether a text is one JSON list, likewise; Spark has to be told what it will find."""
        del op
        return self._is_json(text, "array<string>")

    def _is_json(self, document: Any, kind: str) -> Any:
        return self.words(
            f"COALESCE(SIZE(FROM_JSON(CONCAT('[', :document, ']'), 'array<{kind}>', "
            "MAP('allowSingleQuotes', 'false'))), 0) = 1 AND NOT (:document RLIKE :lone)",
            document=document,
            lone=sge.Literal.string(_LONE),
        )

    def say_hash_of(self, op: Any, text: Any) -> Any:
        """A 64-bit hash of a text."""
        del op
        return self.f.anon.xxhash64(text)

    def visit_TryCast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """NULL where a text cannot be read, or where only Spark would read it."""
        del op
        if to.is_timestamp():
            return self.words(
                "CASE WHEN :text RLIKE :instant THEN TRY_CAST(:text AS TIMESTAMP_LTZ) END",
                text=arg,
                instant=sge.Literal.string(INSTANT),
            )
        return self.words(
            f"CASE WHEN :text RLIKE :number THEN TRY_CAST(:plain AS {self._type(to)}) END",
            text=self.trimmed(arg),
            plain=self.plain_number(arg),
            number=sge.Literal.string(NUMBER),
        )

    def space(self) -> Any:
        """Spark's literals know no escape for the last two."""
        return self.words("CONCAT(' \\t\\n\\r', CHAR(11), CHAR(12))")

    def _type(self, dtype: Any) -> str:
        return str(self.type_mapper.to_string(dtype))

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """A double's text as DuckDB writes it; an instant without zone stays without one."""
        if op.arg.dtype.is_floating() and to.is_string():
            return self._double_text(arg)
        if to.is_timestamp():
            kind = "TIMESTAMP_NTZ" if to.timezone is None else "TIMESTAMP_LTZ"
            return self.words(f"CAST(:x AS {kind})", x=arg)
        return super().visit_Cast(op, arg=arg, to=to)

    def _double_text(self, number: Any) -> Any:
        return self.words(
            "CASE WHEN ABS(:x) < 1e16 THEN :plain ELSE CAST(:x AS STRING) END",
            x=sge.paren(number, copy=False),
            plain=self._written_out(number),
        )

    def _written_out(self, number: Any) -> Any:
        """A number without exponent and idle zeros, but with a point."""
        return self.words(
            "REGEXP_REPLACE(CAST(TRY_CAST(:x AS DECIMAL(38, 18)) AS STRING), '([.][0-9]+?)0+$', '$1')",
            x=sge.paren(number, copy=False),
        )

    def visit_Lowercase(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        """Each code point's own lower case, without Spark's rules for a dotted I and a sigma at the end."""
        del op
        return self.words("LOWER(TRANSLATE(:text, 'İΣ', 'i\u03c3'))", text=sge.paren(arg, copy=False))

    def visit_Strip(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        """All white space of ASCII."""
        del op
        return self.trimmed(arg)

    def visit_RegexReplace(self, op: Any, *, arg: Any, pattern: Any, replacement: Any) -> Any:  # noqa: N802
        """Groups are `$1` here."""
        theirs = re.sub(r"\\(\d)", r"$\1", op.replacement.value.replace("$", r"\$"))
        del replacement
        return self.f.anon.regexp_replace(arg, pattern, sge.Literal.string(theirs))

    def visit_CountStar(self, op: Any, *, arg: Any, where: Any) -> Any:  # noqa: N802
        """0, not NULL, where nothing meets the condition."""
        del op, arg
        return self.f.count(sge.Star() if where is None else self.if_(where, 1, sge.Null()))

    def visit_ArgMax(self, op: Any, *, arg: Any, key: Any, where: Any) -> Any:  # noqa: N802
        """The value at the greatest key among the rows that have a value."""
        del op
        counted = arg.is_(sge.Null()).not_() if where is None else sge.and_(arg.is_(sge.Null()).not_(), where)
        return self.f.anon.max_by(arg, self.if_(counted, key, sge.Null()))

    def visit_GroupConcat(self, op: Any, *, arg: Any, sep: Any, where: Any, order_by: Any) -> Any:  # noqa: N802
        """Texts in their own order; no other order is asked for."""
        if where is not None or any(key.expr != op.arg for key in op.order_by):
            raise com.UnsupportedOperationError("a list of texts can only be ordered by the texts themselves")
        del order_by
        return self.words("ARRAY_JOIN(ARRAY_SORT(COLLECT_LIST(:text)), :sep)", text=arg, sep=sep)

    def visit_TimestampDelta(self, op: Any, *, part: Any, left: Any, right: Any) -> Any:  # noqa: N802
        """Whole microseconds between two instants; no other unit is asked for."""
        del op, part
        return self.f.anon.timestampdiff(sge.Var(this="MICROSECOND"), right, left)

    def visit_Field(self, op: Any, *, rel: Any, name: Any) -> Any:  # noqa: N802
        """NaN never comes in, so that it need not be asked for."""
        return SQLGlotCompiler.visit_Field(self, op, rel=rel, name=name)

    def visit_IsNull(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        """NaN never comes in, so that it need not be asked for."""
        del op
        return arg.is_(sge.Null())

    def visit_NotNull(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        """NaN never comes in, so that it need not be asked for."""
        del op
        return arg.is_(sge.not_(sge.Null()))


def _json_text(text: str) -> str:
    listed = f"TO_JSON(ARRAY({text}))"
    return f"CASE WHEN {text} IS NOT NULL THEN SUBSTRING({listed}, 2, LENGTH({listed}) - 2) END"
