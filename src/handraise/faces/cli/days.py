"""Days as people write them, and the clock."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from handraise.errors import AsOfError

_DAY = re.compile(r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?:Z|\+00:?00)?)?$")
_RANGE = re.compile(r"^(?P<first>\S+)\.\.(?P<last>[^/\s]+)(?:/(?P<step>\d+))?$")
MOST_DAYS = 1000


def right_now() -> datetime:
    """The present instant; nothing below the faces asks for it."""
    return datetime.now(UTC)


def parse_day(text: str) -> date:
    """A day, or an instant on a day boundary.

    Raises:
        AsOfError: It is neither.
    """
    match = _DAY.match(_in_utc(text.strip()))
    try:
        if match is None:
            raise ValueError(text)  # noqa: TRY301
        day = date.fromisoformat(match[1])
    except ValueError:
        raise AsOfError(f"cannot read the day {text!r}.", todo="Write it as 2026-10-28.") from None
    if match[2] and float(match[2].replace(":", "")) != 0:
        raise AsOfError(
            f"{text!r} is not on a day boundary.",
            todo=f"Scores exist for whole days (UTC): use {day} (before that day began) or {day + timedelta(days=1)}.",
        )
    return day


def _in_utc(text: str) -> str:
    """An instant with an offset, told in UTC; anything else as it is."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    return instant.astimezone(UTC).isoformat() if instant.tzinfo else text


def parse_days(texts: list[str]) -> list[date]:
    """Days from `a`, `a,b` and `a..b/7` (every seventh day from a to b).

    Raises:
        AsOfError: One cannot be read, or a range is empty or longer than `MOST_DAYS`.
    """
    days: list[date] = []
    for part in (part for text in texts for part in text.split(",") if part.strip()):
        match = _RANGE.match(part.strip())
        if match is None:
            days.append(parse_day(part))
            continue
        first, last, step = parse_day(match["first"]), parse_day(match["last"]), int(match["step"] or 1)
        if step < 1 or last < first or (last - first).days // step >= MOST_DAYS:
            raise AsOfError(f"the range {part!r} is empty or too long.", todo=f"At most {MOST_DAYS} days at once.")
        days += [first + timedelta(days=offset) for offset in range(0, (last - first).days + 1, step)]
    return days
