"""Working time, against counting minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from handraise.handoffs.hours import after_days, after_hours, due, holidays_of, too_late
from handraise.playbook.working_time import Clock, Hours

OFFICE = Hours()
BERLIN = Hours(timezone="Europe/Berlin", start=time(9), end=time(17, 30))
NIGHT = Hours(timezone="America/New_York", days=(1, 2, 3, 4), start=time(22), end=time(6))
HOLIDAYS = {date(2026, 12, 25), date(2026, 12, 28)}


def none(_: date) -> bool:
    return False


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("begin", "hours", "end"),
    [
        ("2026-11-24T10:15", 1, "2026-11-24T11:15"),
        ("2026-11-24T16:30", 1, "2026-11-25T09:30"),
        ("2026-11-27T16:30", 1, "2026-11-30T09:30"),  # Friday to Monday
        ("2026-11-28T03:00", 1, "2026-11-30T10:00"),  # Saturday
        ("2026-11-24T08:00", 8, "2026-11-24T17:00"),
        ("2026-11-24T17:00", 9, "2026-11-26T10:00"),
        ("2026-12-24T16:00", 2, "2026-12-29T10:00"),  # Christmas and the Monday after it are free
    ],
)
def test_working_hours_go_by_at_work_only(begin: str, hours: int, end: str) -> None:
    assert after_hours(OFFICE, at(begin), timedelta(hours=hours), HOLIDAYS.__contains__) == at(end)


@pytest.mark.parametrize(
    ("begin", "days", "end"),
    [
        ("2026-11-24T10:15", 1, "2026-11-25T10:15"),
        ("2026-11-27T15:00", 1, "2026-11-30T15:00"),
        ("2026-11-28T03:00", 1, "2026-12-01T09:00"),  # begins on Monday
        ("2026-11-24T20:00", 2, "2026-11-27T09:00"),
        ("2026-12-23T12:00", 2, "2026-12-29T12:00"),
        ("2026-11-24T10:15", 0, "2026-11-24T10:15"),
    ],
)
def test_a_working_day_later_is_the_same_time_of_day(begin: str, days: int, end: str) -> None:
    assert after_days(OFFICE, at(begin), days, HOLIDAYS.__contains__) == at(end)


def test_nine_stays_nine_when_clocks_are_put_forward_and_back() -> None:
    friday = at("2026-03-27T17:00", "Europe/Berlin")
    assert after_hours(BERLIN, friday, timedelta(hours=1), none) == at("2026-03-30T09:30", "Europe/Berlin")
    assert after_days(BERLIN, friday, 1, none) == at("2026-03-30T17:00", "Europe/Berlin")
    friday = at("2026-10-23T17:00", "Europe/Berlin")
    assert after_hours(BERLIN, friday, timedelta(hours=1), none) == at("2026-10-26T09:30", "Europe/Berlin")


def test_whoever_works_past_midnight_is_at_work_then() -> None:
    tuesday = at("2026-11-24T02:00", "America/New_York")
    assert after_hours(NIGHT, tuesday, timedelta(hours=5), none) == at("2026-11-24T23:00", "America/New_York")
    assert after_days(NIGHT, tuesday, 1, none) == at("2026-11-25T02:00", "America/New_York")


def test_where_nobody_works_nothing_is_ever_due() -> None:
    assert after_hours(Hours(days=()), at("2026-11-24T10:00"), timedelta(hours=1), none) is None
    assert after_days(OFFICE, at("2026-11-24T10:00"), 1, lambda _: True) is None


def test_clocks_of_the_template() -> None:
    friday = at("2026-11-27T16:30")
    assert due(Clock(business_hours=1, limit_business_days=1), OFFICE, friday, none) == at("2026-11-30T09:30")
    assert due(Clock(business_days=1), OFFICE, friday, none) == at("2026-11-30T16:30")
    assert too_late(Clock(business_days=1, limit_business_days=2), OFFICE, friday, none) == at("2026-12-01T16:30")
    assert due(Clock(limit_business_days=0), OFFICE, friday, none) is None
    assert too_late(Clock(limit_business_days=0), OFFICE, friday, none) is None


def working_minutes(hours: Hours, begin: datetime, end: datetime) -> int:
    """Counted one by one."""
    zone, count, minute = ZoneInfo(hours.timezone), 0, begin
    while minute < end:
        local = minute.astimezone(zone)
        count += local.isoweekday() in hours.days and hours.start <= local.time() < hours.end
        minute += timedelta(minutes=1)
    return count


@given(
    begin=st.integers(0, 21 * 24 * 60).map(lambda n: datetime(2026, 3, 20, tzinfo=UTC) + timedelta(minutes=n)),
    minutes=st.integers(min_value=1, max_value=1500),
)
@settings(max_examples=40, deadline=None)
def test_as_many_minutes_of_work_lie_between_as_were_asked_for(begin: datetime, minutes: int) -> None:
    end = after_hours(BERLIN, begin, timedelta(minutes=minutes), none)
    assert end is not None
    assert working_minutes(BERLIN, begin, end) == minutes


def test_public_holidays_of_a_country_are_free() -> None:
    is_free = holidays_of(Hours(country="DE"))
    assert is_free(date(2026, 12, 25))
    assert not is_free(date(2026, 12, 24))
    assert not holidays_of(Hours())(date(2026, 12, 25))


@pytest.mark.parametrize(
    "wrong", [{"timezone": "Mars/Olympus"}, {"country": "XX"}, {"country": "Germany"}, {"days": [8]}]
)
def test_what_nobody_can_work_by_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Hours(**wrong)
