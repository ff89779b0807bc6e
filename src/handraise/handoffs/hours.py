"""Working time: when somebody is at work, and when so many working hours or days have gone by.

A day's working hours are taken in the person's own time zone, so they stay nine to five when clocks are put forward or back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from handraise.playbook.working_time import Clock, Hours

# Beyond this nobody comes back to work: every day is a holiday, or no day is a working day.
_MOST_DAYS = 1500


def holidays_of(hours: Hours) -> Callable[[date], bool]:
    """Which days are public holidays where somebody works."""
    return _holidays_in(hours.country)


@lru_cache(maxsize=300)
def _holidays_in(country: str | None) -> Callable[[date], bool]:
    if country is None:
        return lambda _: False
    import holidays  # tables of all countries, which most projects never need

    free = holidays.country_holidays(country)
    return lambda day: day in free


def working_spans(
    hours: Hours, begin: datetime, is_holiday: Callable[[date], bool]
) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of each stretch of work from an instant on, in UTC; the first may have begun before."""
    zone = ZoneInfo(hours.timezone)
    first = begin.astimezone(zone).date() - timedelta(days=1)  # whoever works past midnight
    for offset in range(_MOST_DAYS):
        day = first + timedelta(days=offset)
        if day.isoweekday() not in hours.days or is_holiday(day):
            continue
        over_midnight = hours.end <= hours.start
        last = day + timedelta(days=1) if over_midnight else day
        start = datetime.combine(day, hours.start, zone).astimezone(UTC)
        end = datetime.combine(last, hours.end, zone).astimezone(UTC)
        if end > begin and end > start:
            yield start, end


def after_hours(
    hours: Hours, begin: datetime, worked: timedelta, is_holiday: Callable[[date], bool]
) -> datetime | None:
    """When so much working time has gone by; None = never, as nobody works."""
    left = worked
    for start, end in working_spans(hours, begin, is_holiday):
        at = max(start, begin)
        if end - at >= left:
            return at + left
        left -= end - at
    return None


def after_days(hours: Hours, begin: datetime, days: int, is_holiday: Callable[[date], bool]) -> datetime | None:
    """The same time of day so many working days later; what begins outside of work begins with the next working day."""
    zone = ZoneInfo(hours.timezone)
    spans = working_spans(hours, begin, is_holiday)
    for number, (start, end) in enumerate(spans):
        if number == 0:
            clock = max(begin, start).astimezone(zone).time()
        if number == days:
            day = start.astimezone(zone).date() + timedelta(days=1 if clock < hours.start else 0)
            return min(datetime.combine(day, clock, zone).astimezone(UTC), end)
    return None


def due(clock: Clock, hours: Hours, begin: datetime, is_holiday: Callable[[date], bool]) -> datetime | None:
    """When a clock that starts at an instant has run down; None = it has none, or nobody works."""
    if clock.business_days:
        begin = after_days(hours, begin, clock.business_days, is_holiday) or begin
        return (
            after_hours(hours, begin, timedelta(hours=clock.business_hours), is_holiday)
            if clock.business_hours
            else begin
        )
    return (
        after_hours(hours, begin, timedelta(hours=clock.business_hours), is_holiday) if clock.business_hours else None
    )


def too_late(clock: Clock, hours: Hours, begin: datetime, is_holiday: Callable[[date], bool]) -> datetime | None:
    """When what was due goes to somebody else; None = never."""
    return after_days(hours, begin, clock.limit_business_days, is_holiday) if clock.limit_business_days else None
