"""Ladders: thresholds → points. Only the highest rung that a value reaches counts, never a sum of rungs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Comparison = Literal[">=", ">", "<", "<=", "true"]
_RUNG = re.compile(r"^\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """One step of a ladder.

    Attributes:
        comparison: How the value is held against the threshold; `true` for yes/no measures.
        threshold: In the unit of the measure (count, share, hours, people).
        points: What the step is worth; below zero for a warning sign.
    """

    comparison: Comparison
    threshold: float
    points: int

    @property
    def label(self) -> str:
        """How the rung is written in the playbook."""
        digits = f"{self.threshold:.12f}".rstrip("0").rstrip(".")
        return "true" if self.comparison == "true" else f"{self.comparison}{digits}"


def parse_ladder(spec: Mapping[object, object] | Mapping[str, int]) -> tuple[Rung, ...]:
    """Read `{">=1": 10, ">=3": 15}` or `{true: 20}`; the highest rung comes first.

    Raises:
        ValueError: A rung or its points cannot be read; the message names it.
    """
    if not spec:
        raise ValueError('a ladder needs at least one rung, such as {">=1": 10}')
    rungs = [_parse_rung(str(key), value) for key, value in spec.items()]
    if len({(rung.comparison, rung.threshold) for rung in rungs}) < len(rungs):
        raise ValueError("a rung is written twice")
    kinds = {_direction(rung) for rung in rungs}
    if len(kinds) > 1:
        raise ValueError("a ladder goes one way: all rungs with >= or >, or all with < or <=, or one `true`")
    downwards = kinds == {"down"}
    return tuple(sorted(rungs, key=lambda r: (r.threshold, r.comparison == ">"), reverse=not downwards))


def _direction(rung: Rung) -> str:
    return {"true": "yes", ">": "up", ">=": "up"}.get(rung.comparison, "down")


def _parse_rung(key: str, points: object) -> Rung:
    if isinstance(points, bool) or not isinstance(points, int):
        raise ValueError(f"points of the rung {key!r} must be a whole number, not {points!r}")  # noqa: TRY004
    if key.strip().lower() == "true":
        return Rung(comparison="true", threshold=1.0, points=points)
    match = _RUNG.match(key)
    if match is None:
        raise ValueError(f"cannot read the rung {key!r}; write it as '>=3', '>0.5', '<1' or true")
    comparison: Comparison = match[1]  # type: ignore[assignment]
    return Rung(comparison=comparison, threshold=float(match[2]), points=points)
