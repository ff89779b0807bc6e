"""When people work, and how soon something is due in working time."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from pydantic import Field, field_validator

from handraise.playbook.local_time import LocalTime, TimeZone
from handraise.playbook.section import Section


class Clock(Section):
    """How soon a person has to act, in working time; `business_days` = the same time of day, so many working days later.

    Attributes:
        business_hours: Working hours.
        business_days: Working days.
        limit_business_days: After so many working days it is late for good, and the handoff goes to somebody else.
    """

    business_hours: int = Field(default=0, ge=0, le=1000)
    business_days: int = Field(default=0, ge=0, le=100)
    limit_business_days: int = Field(default=2, ge=0, le=100)


class Sla(Section):
    """The clock of each priority at which a person acts."""

    high: Clock = Clock(business_hours=1, limit_business_days=1)
    medium: Clock = Clock(business_days=1, limit_business_days=2)
    low: Clock = Clock(business_days=2, limit_business_days=5)


class Hours(Section):
    """When people work, where nothing else is said of them.

    Attributes:
        timezone: IANA name.
        days: Working days, 1 = Monday.
        start: Of the working day.
        end: Of the working day.
        country: ISO 3166 code whose public holidays are off; None = none are.
    """

    timezone: TimeZone = "UTC"
    days: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5)
    start: LocalTime = time(9)
    end: LocalTime = time(17)
    country: str | None = None

    @field_validator("country")
    @classmethod
    def _has_holidays(cls, value: str | None) -> str | None:
        if value is not None:
            import holidays

            if value not in holidays.list_supported_countries(include_aliases=False):
                raise ValueError(
                    f"there are no public holidays of {value!r} to be had; write a code such as DE, or null"
                )
        return value
