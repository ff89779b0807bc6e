"""When a limit is met: the line against numpy's, and each reason for which there is none."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from handraise.handoffs.forecast import FURTHEST, Measurement, forecasts
from handraise.records.brief import Forecast

NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)
DAY = timedelta(days=1)


def measured(*used: float, quota: float = 100, every: timedelta = 7 * DAY, last: timedelta = DAY) -> list[Measurement]:
    """Measurements at equal distances, the last one so long ago."""
    first = NOW - last - (len(used) - 1) * every
    return [
        Measurement(metric="seats", workspace_id=None, used=value, quota=quota, at=first + n * every)
        for n, value in enumerate(used)
    ]


def one(rows: list[Measurement]) -> Forecast:
    [found] = forecasts(rows, NOW)
    return found


def test_the_day_is_where_the_line_meets_the_quota() -> None:
    found = one(measured(50, 60, 70, 80))
    assert found.cannot_say == ""
    assert found.per_week == pytest.approx(10)
    assert found.runs_out == (NOW - DAY + 14 * DAY).date()
    assert (found.used, found.quota, found.measurements) == (80, 100, 4)


def test_any_measurements_give_the_slope_that_numpy_gives() -> None:
    chance, told = random.Random(4), 0
    for _ in range(200):
        count = chance.randint(3, 30)
        days = sorted(chance.uniform(0, 80) for _ in range(count))
        start, rise = chance.uniform(40, 60), chance.uniform(-0.2, 0.8)
        used = [start + rise * day + chance.uniform(-2, 2) for day in days]
        rows = [
            Measurement(metric="m", workspace_id="w", used=u, quota=500, at=NOW - 81 * DAY + day * DAY)
            for day, u in zip(days, used, strict=True)
        ]
        chance.shuffle(rows)
        found = one(rows)
        if found.cannot_say in {"too_short", "stale"}:
            continue
        told += 1
        slope = float(np.polyfit(days, used, 1)[0])
        assert found.per_week == pytest.approx(7 * slope, rel=1e-6, abs=1e-6)
        left = (500 - used[-1]) / slope if slope > 0 else -1
        if slope <= 0:
            assert (found.cannot_say, found.runs_out) == ("not_rising", None)
        elif left > FURTHEST / DAY:
            assert (found.cannot_say, found.runs_out) == ("far_off", None)
        else:
            day = NOW - 81 * DAY + days[-1] * DAY + left * DAY
            assert found.runs_out
            assert abs((found.runs_out - day.date()).days) <= 1
    assert told > 100


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (measured(50, 60, 70, quota=0), "no_quota"),
        (measured(80, 90, 100), "reached"),
        (measured(80, 90, 130), "reached"),
        (measured(100), "reached"),
        (measured(50, 60, 70, last=31 * DAY), "stale"),
        (measured(50, 60), "too_few"),
        (measured(50, 60, 70, every=DAY), "too_short"),
        (measured(10, 90, 20, 30), "resets"),
        (measured(50, 50, 50), "not_rising"),
        (measured(70, 60, 50), "not_rising"),
        (measured(10, 10.1, 10.2, quota=1e6), "far_off"),
    ],
)
def test_cannot_say_is_an_answer_of_its_own(rows: list[Measurement], why: str) -> None:
    found = one(rows)
    assert (found.cannot_say, found.runs_out) == (why, None)


def test_what_should_have_run_out_already_does_today() -> None:
    assert one(measured(50, 70, 99.9, last=29 * DAY)).runs_out == NOW.date()


def test_reached_ones_stand_first_then_the_soonest_then_those_without_a_day() -> None:
    rows = [
        *(Measurement(metric="late", workspace_id=None, used=u.used, quota=900, at=u.at) for u in measured(1, 2, 3)),
        *(Measurement(metric="full", workspace_id="w", used=u.used, quota=3, at=u.at) for u in measured(1, 2, 3)),
        *(Measurement(metric="soon", workspace_id=None, used=u.used, quota=4, at=u.at) for u in measured(1, 2, 3)),
        *(Measurement(metric="soon", workspace_id="w", used=u.used, quota=9, at=u.at) for u in measured(1, 2, 3)),
    ]
    found = forecasts(rows, NOW)
    assert [(each.metric, each.workspace_id) for each in found] == [
        ("full", "w"),
        ("soon", None),
        ("soon", "w"),
        ("late", None),
    ]
    assert forecasts([], NOW) == ()
