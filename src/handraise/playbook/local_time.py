"""Times of day and time zones as a playbook gives them: what cannot be meant is a mistake where it stands, not later where it is used."""

from __future__ import annotations

from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator


def _minutes(value: object) -> object:
    """YAML takes 9 for a number."""
    return f"{value:02}:00" if isinstance(value, int) and not isinstance(value, bool) else value


def _local(value: time) -> time:
    """A time with a zone of its own cannot be compared with those of the zone that is named beside it."""
    if value.tzinfo is not None:
        raise ValueError("a time of day has no zone of its own; write one such as 22:00, and the zone under timezone")
    return value


def _is_known(value: str) -> str:
    try:
        return ZoneInfo(value).key
    # A folder of the zones, or a name that no file can have, is told by the system.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {value[:60]!r}; write one such as Europe/Berlin") from error


LocalTime = Annotated[time, BeforeValidator(_minutes), AfterValidator(_local)]
TimeZone = Annotated[str, AfterValidator(_is_known)]
