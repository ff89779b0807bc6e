"""When a destination may be told something. Pure: the clock is an argument."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from handraise.playbook.alerts import Destination, Quiet


def first_at(rules: Destination, zone: str, now: datetime, *, urgent: bool) -> datetime:
    """Not before when something that happens now is told: now, or with the next digest."""
    if not rules.digest or (urgent and rules.urgent_at_once):
        return now
    local = now.astimezone(ZoneInfo(zone))
    days = (local.date() + timedelta(days=ahead) for ahead in range(3))
    return next(at for day in days for one in rules.digest if (at := _instant(datetime.combine(day, one), zone)) >= now)


def is_quiet(quiet: Quiet, zone: str, now: datetime) -> bool:
    """Whether nothing is sent now."""
    local = now.astimezone(ZoneInfo(zone))
    return local.isoweekday() in quiet.days_off or _within(local.time(), quiet)


def _within(clock: time, quiet: Quiet) -> bool:
    if quiet.start <= quiet.end:
        return quiet.start <= clock < quiet.end
    return clock >= quiet.start or clock < quiet.end


def _instant(local: datetime, zone: str) -> datetime:
    return local.replace(tzinfo=ZoneInfo(zone))
