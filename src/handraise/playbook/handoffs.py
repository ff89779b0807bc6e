"""What the company decided about acting: triggers, clocks, restraint, and how long an account is worked on."""

from __future__ import annotations

from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from handraise.playbook.section import Name, Section
from handraise.playbook.selling import Admins, Outreach, Pricing
from handraise.playbook.triggers import Trigger


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

    timezone: str = "UTC"
    days: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5)
    start: time = time(9)
    end: time = time(17)
    country: str | None = None

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"there is no time zone {value!r}; write one such as Europe/Berlin") from error
        return value

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

    @field_validator("start", "end", mode="before")
    @classmethod
    def _minutes(cls, value: object) -> object:
        return f"{value:02}:00" if isinstance(value, int) and not isinstance(value, bool) else value


class Restraint(Section):
    """What keeps people from being sold to.

    Attributes:
        too_early_hours: Nobody is written to so soon after signing up, unless they asked.
        touches_per_person: Human touches in `window_days`, sales and marketing together.
        touches_per_account: The same for all people of an account.
        window_days: Days that touches count for.
    """

    too_early_hours: int = Field(default=24, ge=0)
    touches_per_person: int = Field(default=2, ge=1)
    touches_per_account: int = Field(default=6, ge=1)
    window_days: int = Field(default=14, ge=1)


class Lifecycle(Section):
    """How long an account is worked on, and when it may come back.

    Attributes:
        sunset_below_days: It goes down after so many days below its tier.
        sunset_unreached_days: It goes down when nobody was reached for so long.
        gap_days: So many days lie between two qualifications at least.
        cooldown_days: After a rejection.
        cooldown_reasons: Reason of a rejection → days of its own.
    """

    sunset_below_days: int = Field(default=14, ge=1)
    sunset_unreached_days: int = Field(default=21, ge=1)
    gap_days: int = Field(default=7, ge=0)
    cooldown_days: int = Field(default=30, ge=0)
    cooldown_reasons: dict[Name, Annotated[int, Field(ge=0)]] = Field(default_factory=lambda: {"not_icp": 90})


class Handoffs(Section):
    """Everything about acting."""

    triggers: dict[Name, Trigger] = Field(default_factory=dict)
    sla: Sla = Sla()
    hours: Hours = Hours()
    restraint: Restraint = Restraint()
    lifecycle: Lifecycle = Lifecycle()
    pricing: Pricing = Pricing()
    admins: Admins = Admins()
    outreach: Outreach = Outreach()
