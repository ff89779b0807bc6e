"""Times as people write them in examples: `3 days ago`, `-3d`, `1 to 5 days ago`, or an instant."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_UNIT = r"(?P<unit>m|min|minute|h|hour|d|day|w|week)s?"
_AGO = re.compile(rf"^(?:(?P<first>\d+)\s+to\s+)?(?P<count>\d+(?:\.\d+)?)\s*{_UNIT}\s+ago$")
_SHORT = re.compile(rf"^-(?:(?P<first>\d+)\.\.)?(?P<count>\d+(?:\.\d+)?)\s*{_UNIT}$")
_HOW = "write '3 days ago', '-3d', '1 to 5 days ago' (one a day), or an instant such as 2026-10-20T09:00Z"
_MOST = 1000

# How long before as-of, or the instant itself (UTC).
Moment = timedelta | datetime


def _moments(value: object) -> tuple[Moment, ...]:
    """One or several moments; a range stands for each unit of it."""
    if isinstance(value, list):
        return tuple(moment for item in value for moment in _moments(item))
    if isinstance(value, datetime):
        return (value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC),)
    if isinstance(value, date):
        return (datetime.combine(value, time(), UTC),)
    text = str(value).strip().lower()
    match = _AGO.match(text) or _SHORT.match(text)
    return _ago(match) if match else (_instant(value),)


def _ago(match: re.Match[str]) -> tuple[Moment, ...]:
    unit = _UNITS[match["unit"][0]]
    last = float(match["count"])
    counts = [last] if match["first"] is None else [float(n) for n in range(int(match["first"]), int(last) + 1)]
    if not counts or min(counts) <= 0 or len(counts) > _MOST:
        raise ValueError(
            "as-of is the start of its day, and only what happened before it counts: the last day is '1 day ago', "
            f"and a range such as '1 to 5 days ago' holds at most {_MOST}"
        )
    return tuple(unit * count for count in counts)


def _instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError(f"cannot read the time {value!r}; {_HOW}") from None
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)


def _one_moment(value: object) -> Moment | None:
    if value is None:
        return None
    found = _moments(value)
    if len(found) != 1:
        raise ValueError("one time is wanted here, not several")
    return found[0]


# Validators are lists in `at`, one elsewhere; what they give is kept as it is.
Moments = Annotated[tuple[timedelta | datetime, ...], BeforeValidator(_moments)]
OneMoment = Annotated[timedelta | datetime | None, BeforeValidator(_one_moment)]


def instant(moment: Moment, as_of: date) -> datetime:
    """The instant (UTC) that a moment means at an as-of."""
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(as_of, time(), UTC) - moment
