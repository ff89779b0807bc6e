"""One CASE for each ladder: the points of the highest rung that a value reaches."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.ladder import Rung
from handraise.playbook.schema import Signal


def points(value: ir.NumericValue, signal: Signal) -> ir.IntegerValue:
    """Points of a signal's value; an unknown value (NULL) gives 0."""
    branches = [(_reached(value, rung), ibis.literal(rung.points, "int64")) for rung in signal.ladder]
    worth: ir.IntegerValue = ibis.cases(*branches, else_=ibis.literal(0, "int64"))
    return worth


def _reached(value: ir.NumericValue, rung: Rung) -> ir.BooleanValue:
    reached: ir.BooleanValue
    match rung.comparison:
        case ">=" | "true":
            reached = value >= rung.threshold
        case ">":
            reached = value > rung.threshold
        case "<":
            reached = value < rung.threshold
        case "<=":
            reached = value <= rung.threshold
    return reached


def point_columns(rows: ir.Table, signals: dict[str, Signal], blind: frozenset[str]) -> dict[str, ir.Value]:
    """`p_<signal>` for each signal; NULL where the signal is blind."""
    return {
        f"p_{name}": ibis.null("int64") if name in blind else points(rows[f"v_{name}"], signal)
        for name, signal in signals.items()
    }


def total(rows: ir.Table, names: list[str], blind: frozenset[str]) -> ir.IntegerValue:
    """Sum of the points of the named signals; blind ones add nothing."""
    result: ir.IntegerValue = ibis.literal(0, "int64")
    for name in names:
        if name not in blind:
            result = result + rows[f"p_{name}"]
    exact: ir.IntegerValue = result.cast("int64")
    return exact
