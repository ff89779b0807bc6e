"""What more than one dialect has to say in the same way: numbers and texts that behave like DuckDB's."""

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt
import sqlglot.expressions as sge

from handraise.warehouse.dialects.ours import Ours

_DIGITS = r"[0-9]+(_[0-9]+)*"
# The texts that DuckDB reads as a number, but for infinities and NaN, which nobody here wants.
NUMBER = rf"^[+-]?({_DIGITS}([.]({_DIGITS})?)?|[.]{_DIGITS})([eE][+-]?[0-9]{{1,3}})?$"
# The instants that DuckDB reads: no 60th second, and an offset only after seconds.
INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-5][0-9]([.][0-9]+)?([+-][0-9]{2}(:[0-9]{2})?)?)?)?$"
# A fraction with a zero too many; DuckDB shows a JSON number without it.
LONG_FRACTION = r"^(-?[0-9]+[.][0-9]*[0-9])0+$"
_SPACE = " \t\n\r\v\f"


class Portable(Ours):
    """Division, literals, rounding and number texts that give the same double, and the same digits, everywhere."""

    def plain_number(self, text: Any) -> Any:
        """A text without the spaces and underscores that a number may be written with."""
        return self.words("REPLACE(:trimmed, '_', '')", trimmed=self.trimmed(text))

    def trimmed(self, text: Any) -> Any:
        """A text without the white space of ASCII around it."""
        return self.words("TRIM(BOTH :space FROM :text)", text=sge.paren(text, copy=False), space=self.space())

    def space(self) -> Any:
        """The white space of ASCII as a literal."""
        return sge.Literal.string(_SPACE)

    def visit_Divide(self, op: Any, *, left: Any, right: Any) -> Any:  # noqa: N802
        """Always of doubles: decimals of an engine's own width would round elsewhere."""
        del op
        wide = [self.cast(side, dt.float64) for side in (left, right)]  # type: ignore[attr-defined]
        return sge.paren(sge.Div(this=wide[0], expression=wide[1], typed=True), copy=False)

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:  # noqa: N802
        """A literal with a point is a double, not a decimal."""
        if dtype.is_floating():
            return self.cast(sge.Literal.number(repr(float(value))), dt.float64)  # type: ignore[attr-defined]
        return super().visit_NonNullLiteral(op, value=value, dtype=dtype)  # type: ignore[misc]

    def visit_Round(self, op: Any, *, arg: Any, digits: Any) -> Any:  # noqa: N802
        """Halves go away from zero, and the digits of the double count, not those of its shortest text."""
        if not op.arg.dtype.is_floating():
            return super().visit_Round(op, arg=arg, digits=digits)  # type: ignore[misc]
        places = 0 if op.digits is None else op.digits.value
        return self.cast(  # type: ignore[attr-defined]
            self.words(
                "CASE WHEN :x < 0 THEN -FLOOR(-:x * :ten + :half) / :ten ELSE FLOOR(:x * :ten + :half) / :ten END",
                x=sge.paren(arg, copy=False),
                ten=self.cast(sge.Literal.number(10**places), dt.float64),  # type: ignore[attr-defined]
                half=self.cast(sge.Literal.number("0.5"), dt.float64),  # type: ignore[attr-defined]
            ),
            op.dtype,
        )
