"""What makes somebody act: one small model for each kind of condition, told apart by `kind`.

The docstring of a kind is its reference, as with measures.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from handraise.playbook.measures import RoleName
from handraise.playbook.section import Because, Name, Section
from handraise.records.acting import Priority

Days = Annotated[int, Field(ge=1, le=365)]


class Condition(Section):
    """Shared by all kinds."""

    def roles_used(self) -> tuple[str, ...]:
        """Names of the roles that this condition reads."""
        return ()

    @property
    def days(self) -> int:
        """Days before as-of that it looks at."""
        return 1

    @property
    def content_hash(self) -> str:
        """Changes exactly when it means something else."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


class Asked(Condition):
    """A person did something of a role in the last `within` days. Each time counts anew: whoever asks again is heard again."""

    kind: Literal["asked"]
    role: RoleName
    within: Days = 30

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return (self.role,)

    @property
    def days(self) -> int:  # noqa: D102
        return self.within


class InBand(Condition):
    """A known person's score reaches a band."""

    kind: Literal["band"]
    band: Name


class OfSignal(Condition):
    """The value of an account signal reaches a bound; a yes counts as 1."""

    kind: Literal["signal"]
    signal: Name
    at_least: float = 1


class NewPeople(Condition):
    """So many people came to the account in the last `within` days."""

    kind: Literal["new_people"]
    people: int = Field(default=5, ge=1)
    within: Days = 7

    @property
    def days(self) -> int:  # noqa: D102
        return self.within


class Without(Condition):
    """A person did something of a role `times` times in the last `within` days, and nobody of the account completed it."""

    kind: Literal["without"]
    role: RoleName = "pricing_view"
    times: int = Field(default=3, ge=1)
    completed: RoleName = "upgrade_completed"
    within: Days = 30

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return (self.role, self.completed)

    @property
    def days(self) -> int:  # noqa: D102
        return self.within


class IcpTeam(Condition):
    """The account fits the ideal customer profile, and so many of its departments are active."""

    kind: Literal["icp_team"]
    departments: int = Field(default=2, ge=1)


class LonePerson(Condition):
    """One person alone is active in a target account, on more than `share` of the last 30 days."""

    kind: Literal["lone_person"]
    share: float = Field(default=0.3, ge=0, lt=1)

    @property
    def days(self) -> int:  # noqa: D102
        return 30


class Growth(Condition):
    """The account's active events rose from week to week, `weeks` times running."""

    kind: Literal["growth"]
    weeks: int = Field(default=4, ge=1, le=12)

    @property
    def days(self) -> int:  # noqa: D102
        return 7 * (self.weeks + 1)


class Qualified(Condition):
    """The account is a PQA: its tier is a selling one."""

    kind: Literal["qualified"]


class Lead(Condition):
    """Marketing got a lead whose e-mail domain is the account's, in the last `within` days; each one counts anew."""

    kind: Literal["lead"]
    within: Days = 30

    @property
    def days(self) -> int:  # noqa: D102
        return self.within


AnyCondition = Annotated[
    Asked | InBand | OfSignal | NewPeople | Without | IcpTeam | LonePerson | Growth | Qualified | Lead,
    Field(discriminator="kind"),
]


class Trigger(Section):
    """One reason for acting: it fires when its condition becomes true, and again only after it was false.

    Attributes:
        priority: high = a person at once; medium = a person within a working day; low = automated.
        hand_raise: Somebody asked: a person answers, whatever else holds.
        when: The condition.
        because: The sentence of the reason; `{value}` and `{days}` are filled in.
    """

    priority: Priority
    hand_raise: bool = False
    when: AnyCondition
    because: Because
