"""Postgres 16 or newer: texts compare by code point, broken texts become NULL instead of an error."""

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.postgres import PostgresCompiler

from handraise.warehouse.dialects.ours import VALUE_KINDS, keys_of, members
from handraise.warehouse.dialects.portable import INSTANT, LONG_FRACTION, NUMBER, Portable

_IS_LIST = "PG_INPUT_IS_VALID(:list, 'jsonb') AND SUBSTRING(LTRIM(:list), 1, 1) = '['"
_ELEMENTS = "JSON_ARRAY_ELEMENTS(CAST(:list AS JSON)) WITH ORDINALITY AS t(e, n)"
_PLAIN = 'COLLATE "C"'


class Postgres(Portable, PostgresCompiler):  # type: ignore[misc]
    """Ibis' Postgres with our functions.

    Attributes:
        lower_by: The collation whose lower case is each code point's own; which one exists depends on the server.
    """

    __slots__ = ("lower_by",)

    def __init__(self) -> None:
        """Assume Postgres 17 or newer until the engine knows better."""
        super().__init__()
        self.lower_by = "pg_c_utf8"

    def say_property_of(self, op: Any, document: Any, key: Any) -> Any:
        """Text of a property; a JSON number loses its idle zeros."""
        del op
        value = self.words("CAST(:document AS JSON) ->> :key", document=document, key=key)
        return self.words(
            "CASE WHEN :value ~ :zeros AND STRPOS(:document, CONCAT('\"', :value, '\"')) = 0 "
            "THEN REGEXP_REPLACE(:value, :zeros, '\\1') ELSE :value END",
            value=value,
            document=document,
            zeros=sge.Literal.string(LONG_FRACTION),
        )

    def say_is_json(self, op: Any, document: Any) -> Any:
        """Whether a text is JSON whose texts can be read (no NUL, no half of a surrogate pair)."""
        del op
        return self.f.anon.pg_input_is_valid(document, "jsonb")

    def say_hash_of(self, op: Any, text: Any) -> Any:
        """A 64-bit hash of a text."""
        del op
        return self.f.anon.hashtextextended(text, 0)

    def say_first_text_of(self, op: Any, document: Any, keys: Any) -> Any:
        """The first of several properties that has a text; the document is read once for all of them."""
        del keys
        paths = (", ".join(sge.Literal.string(step).sql("postgres") for step in steps) for steps in keys_of(op))
        looked = ", ".join(f"NULLIF(JSONB_EXTRACT_PATH_TEXT(q.d, {path}), '')" for path in paths)
        return self.words(
            f"(SELECT COALESCE({looked}) FROM (SELECT CAST(:document AS JSONB) AS d OFFSET 0) AS q)",  # noqa: S608 - our own words
            document=document,
        )

    def say_element_of(self, op: Any, document: Any, index: Any) -> Any:
        """Text of an element of a list."""
        del index
        return self.element(document, op.args[1].value)

    def element(self, document: Any, index: int) -> Any:
        """Text of an element of a list."""
        place = sge.Literal.string(str(index))
        return self.words("JSON_EXTRACT_PATH_TEXT(CAST(:document AS JSON), :place)", document=document, place=place)

    def say_json_text(self, op: Any, text: Any) -> Any:
        """A text in JSON's quotes."""
        del op
        return self.words(f"CAST(TO_JSON(CAST(:text AS TEXT)) AS TEXT) {_PLAIN}", text=text)

    def say_instant_of_micros(self, op: Any, micros: Any) -> Any:
        """An instant from microseconds, which a double holds to the last one until the year 2255."""
        del op
        return self.words(
            "CAST('1970-01-01' AS TIMESTAMP) + CAST(:micros AS DOUBLE PRECISION) * CAST('1 microsecond' AS INTERVAL)",
            micros=micros,
        )

    def say_joined_members(self, op: Any, parts: Any) -> Any:
        """The last of one name is found here, so that the first has to stand last."""
        del op
        return self.words("ARRAY_TO_STRING(:parts, ',')", parts=self.f.array(*reversed(parts.expressions)))

    def say_members_of_list(self, op: Any, documents: Any, inside: Any) -> Any:
        """Members of all objects of a list, the last first."""
        del inside
        key = sge.Literal.string(op.args[1].value).sql("postgres")
        element = f"(t.e ->> {key})" if op.args[1].value else "CAST(t.e AS TEXT)"
        return self._of_elements(documents, members(element), "DESC")

    def say_members_of_pairs(self, op: Any, pairs: Any) -> Any:
        """Members of an object of keys and typed values, in their order: a key comes once."""
        del op
        value = ", ".join(f"JSON_EXTRACT_PATH_TEXT(t.e, 'value', '{kind}')" for kind in VALUE_KINDS)
        member = f"CAST(TO_JSON(t.e ->> 'key') AS TEXT) || ':' || CAST(TO_JSON(COALESCE({value})) AS TEXT)"
        return self._of_elements(pairs, member, "ASC")

    def _of_elements(self, documents: Any, member: str, order: str) -> Any:
        """What each element of a JSON list gives, joined; NULL where a text is no list."""
        listed = f"SELECT STRING_AGG({member}, ',' ORDER BY t.n {order}) FROM {_ELEMENTS}"  # noqa: S608 - our own words
        return self.words(f"CASE WHEN {_IS_LIST} THEN ({listed}) END", list=documents)

    def visit_HexDigest(self, op: Any, *, arg: Any, how: Any) -> Any:  # noqa: N802
        """No other digest is asked for."""
        del op, how
        return self.f.anon.md5(arg)

    def visit_TryCast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """NULL where a text cannot be read."""
        del op
        if to.is_timestamp():
            return self.words(
                "CASE WHEN :text ~ :instant AND PG_INPUT_IS_VALID(:text, 'timestamptz') "
                "THEN CAST(REGEXP_REPLACE(:text, '([.][0-9]{6})[0-9]+', '\\1') AS TIMESTAMPTZ) END",
                text=arg,
                instant=sge.Literal.string(INSTANT),
            )
        number = self.words("CAST(:plain AS DECIMAL)", plain=self.plain_number(arg))
        if to.is_floating():
            read = self.words(
                "CASE WHEN ABS(:n) >= 1e308 THEN NULL WHEN ABS(:n) < 1e-307 THEN 0 ELSE CAST(:n AS DOUBLE PRECISION) END",
                n=number,
            )
        else:
            read = self.words(
                f"CASE WHEN ABS(ROUND(:n, {to.scale})) < 1e{to.precision - to.scale} "
                f"THEN CAST(:n AS DECIMAL({to.precision}, {to.scale})) END",
                n=number,
            )
        return self.words(
            "CASE WHEN :text ~ :number THEN :read END",
            text=self.trimmed(arg),
            read=read,
            number=sge.Literal.string(NUMBER),
        )

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """A double's text has a point, as DuckDB writes it; yes and no become a number by way of `integer`."""
        if op.arg.dtype.is_boolean() and to.is_numeric():
            return self.cast(self.cast(arg, dt.int32), to)
        if op.arg.dtype.is_floating() and to.is_string():
            return self.double_text(arg)
        return super().visit_Cast(op, arg=arg, to=to)

    def double_text(self, number: Any) -> Any:
        """A double's text as DuckDB writes it."""
        return self.words(
            "CASE WHEN :x = FLOOR(:x) AND ABS(:x) < 1e15 THEN CONCAT(CAST(CAST(:x AS BIGINT) AS TEXT), '.0') "
            "ELSE CAST(:x AS TEXT) END",
            x=sge.paren(number, copy=False),
        )

    def visit_Lowercase(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        """Lower case of every script, whatever the database's own locale."""
        del op
        return self.words(f'LOWER(:text COLLATE "{self.lower_by}") {_PLAIN}', text=sge.paren(arg, copy=False))

    def visit_RegexSearch(self, op: Any, *, arg: Any, pattern: Any) -> Any:  # noqa: N802
        """Classes such as white space mean ASCII."""
        del op
        return self.words(f"(:text {_PLAIN}) ~ :pattern", text=sge.paren(arg, copy=False), pattern=pattern)

    def visit_SortKey(self, op: Any, *, arg: Any, ascending: bool, nulls_first: bool) -> Any:  # noqa: N802
        """Texts sort by code point, whatever the database's own locale."""
        if op.arg.dtype.is_string():
            arg = self.words(f":text {_PLAIN}", text=sge.paren(arg, copy=False))
        return super().visit_SortKey(op, arg=arg, ascending=ascending, nulls_first=nulls_first)

    def visit_TimestampDelta(self, op: Any, *, part: Any, left: Any, right: Any) -> Any:  # noqa: N802
        """Whole microseconds between two instants; no other unit is asked for."""
        del op, part
        return self.words(
            "CAST(EXTRACT(EPOCH FROM (:left - :right)) * 1000000 AS BIGINT)",
            left=sge.paren(left, copy=False),
            right=sge.paren(right, copy=False),
        )

    def _compared(self, kind: type[sge.Expression], op: Any, left: Any, right: Any) -> Any:
        if op.left.dtype.is_string():
            left = self.words(f":text {_PLAIN}", text=sge.paren(left, copy=False))
        return kind(this=left, expression=right)

    def visit_Less(self, op: Any, *, left: Any, right: Any) -> Any:  # noqa: N802
        """Texts compare by code point."""
        return self._compared(sge.LT, op, left, right)

    def visit_Greater(self, op: Any, *, left: Any, right: Any) -> Any:  # noqa: N802
        """Texts compare by code point."""
        return self._compared(sge.GT, op, left, right)

    def visit_Power(self, op: Any, *, left: Any, right: Any) -> Any:  # noqa: N802
        """Of doubles."""
        del op
        return self.f.anon.power(self.cast(left, dt.float64), self.cast(right, dt.float64))
