"""What the company decided about acting: triggers, clocks, routing, restraint, and how long an account is worked on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handraise.playbook.routing import Routing
from handraise.playbook.section import Name, Section
from handraise.playbook.selling import Admins, Outreach, Pricing
from handraise.playbook.triggers import Trigger
from handraise.playbook.working_time import Hours, Sla

# Ten years: whoever means never says so otherwise.
MOST_DAYS = 3650


class Restraint(Section):
    """What keeps people from being sold to.

    Attributes:
        too_early_hours: Nobody is written to so soon after signing up, unless they asked.
        touches_per_person: Human touches in `window_days`, sales and marketing together.
        touches_per_account: The same for all people of an account.
        window_days: Days that touches count for.
    """

    too_early_hours: int = Field(default=24, ge=0, le=24 * MOST_DAYS)
    touches_per_person: int = Field(default=2, ge=1)
    touches_per_account: int = Field(default=6, ge=1)
    window_days: int = Field(default=14, ge=1, le=MOST_DAYS)


class Lifecycle(Section):
    """How long an account is worked on, and when it may come back.

    Attributes:
        sunset_below_days: It goes down after so many days below its tier.
        sunset_unreached_days: It goes down when nobody was reached for so long.
        gap_days: So many days lie between two qualifications at least.
        cooldown_days: After a rejection.
        cooldown_reasons: Reason of a rejection → days of its own.
    """

    sunset_below_days: int = Field(default=14, ge=1, le=MOST_DAYS)
    sunset_unreached_days: int = Field(default=21, ge=1, le=MOST_DAYS)
    gap_days: int = Field(default=7, ge=0, le=MOST_DAYS)
    cooldown_days: int = Field(default=30, ge=0, le=MOST_DAYS)
    cooldown_reasons: dict[Name, Annotated[int, Field(ge=0, le=MOST_DAYS)]] = Field(
        default_factory=lambda: {"not_icp": 90}
    )


class Handoffs(Section):
    """Everything about acting."""

    triggers: dict[Name, Trigger] = Field(default_factory=dict)
    sla: Sla = Sla()
    hours: Hours = Hours()
    routing: Routing = Routing()
    restraint: Restraint = Restraint()
    lifecycle: Lifecycle = Lifecycle()
    pricing: Pricing = Pricing()
    admins: Admins = Admins()
    outreach: Outreach = Outreach()
