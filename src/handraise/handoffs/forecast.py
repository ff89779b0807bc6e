"""When a limit is met at the present rate: a straight line through a metric's measurements, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from handraise.records.brief import Forecast

# Fewer say nothing about a rate, and so do measurements of a few hours.
LEAST_MEASUREMENTS = 3
LEAST_SPAN = timedelta(days=7)
# An older last measurement says nothing about now, and a day beyond this is no forecast.
STALE_AFTER = timedelta(days=30)
FURTHEST = timedelta(days=730)
# A fall to less than this share of the measurement before: the meter was set back, and no line goes through that.
_SET_BACK = 0.5
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """A metric at some instant.

    Attributes:
        metric: What is measured.
        workspace_id: Where; None = in the whole account.
        used: How much.
        quota: How much there may be.
        at: When.
    """

    metric: str
    workspace_id: str | None
    used: float
    quota: float
    at: datetime


def forecasts(measurements: Iterable[Measurement], now: datetime) -> tuple[Forecast, ...]:
    """One for each metric of each workspace; those that have met their limit first, then by the day on which they will."""
    meters: dict[tuple[str, str], list[Measurement]] = {}
    for one in measurements:
        meters.setdefault((one.metric, one.workspace_id or ""), []).append(one)
    made = [_forecast(sorted(rows, key=lambda row: row.at), now) for rows in meters.values()]
    return tuple(sorted(made, key=_turn))


def _turn(one: Forecast) -> tuple[bool, date, str, str]:
    return one.cannot_say != "reached", one.runs_out or date.max, one.metric, one.workspace_id or ""


def _forecast(rows: Sequence[Measurement], now: datetime) -> Forecast:
    last = rows[-1]
    why = _cannot_say(rows, now)
    per_day = None if why in {"no_quota", "too_few", "too_short", "resets", "stale"} else _rate(rows)
    if not why and (per_day is None or per_day <= 0):
        why = "not_rising"
    left = timedelta(0)
    if not why and per_day:
        days = (last.quota - last.used) / per_day
        why = "far_off" if days > FURTHEST / _DAY else ""
        left = timedelta(days=min(days, FURTHEST / _DAY))
    return Forecast(
        metric=last.metric,
        workspace_id=last.workspace_id,
        used=last.used,
        quota=last.quota,
        measured_at=last.at,
        measurements=len(rows),
        per_week=None if per_day is None else per_day * 7,
        # Where the line says that it should have run out already, it does today.
        runs_out=None if why else max(last.at + left, now).date(),
        cannot_say=why,
    )


def _cannot_say(rows: Sequence[Measurement], now: datetime) -> str:
    """Why no line can be drawn or is needed; empty = one can."""
    last = rows[-1]
    checks = {
        "no_quota": last.quota <= 0,
        "reached": last.used >= last.quota,
        "stale": now - last.at > STALE_AFTER,
        "too_few": len(rows) < LEAST_MEASUREMENTS,
        "too_short": last.at - rows[0].at < LEAST_SPAN,
        "resets": any(after.used < before.used * _SET_BACK for before, after in pairwise(rows)),
    }
    return next((code for code, holds in checks.items() if holds), "")


def _rate(rows: Sequence[Measurement]) -> float | None:
    """What the line of least squares rises by in a day; None = all were taken at one instant."""
    first = rows[0].at
    days = [(row.at - first) / _DAY for row in rows]
    middle, mean = sum(days) / len(days), sum(row.used for row in rows) / len(rows)
    spread = sum((day - middle) ** 2 for day in days)
    if not spread:
        return None
    return sum((day - middle) * (row.used - mean) for day, row in zip(days, rows, strict=True)) / spread
