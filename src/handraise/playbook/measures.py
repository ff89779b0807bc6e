"""What a signal can measure: one small model for each kind, told apart by `kind`.

The docstring of a kind is its reference: it is shown by `handraise playbook kinds` and in the docs.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _not_taken(role: str) -> str:
    if role in {"active", "events", "at", "active_at"}:
        raise ValueError(f"a role cannot be called {role!r}; choose another name")
    return role


Unit = Literal["count", "percent", "hours", "flag"]
ROLE_PATTERN = r"^[a-z][a-z0-9_]*$"
# `n_active` and the like are columns of the roll-ups, so these four cannot be roles.
RoleName = Annotated[str, Field(pattern=ROLE_PATTERN), AfterValidator(_not_taken)]
# Engines read these signs inside the path of a JSON property in ways of their own.
PropertyName = Annotated[str, Field(pattern=r"""^[^'"*\\\x00-\x1f]+$""")]


class Measure(BaseModel):
    """Shared by all kinds: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    unit: ClassVar[Unit] = "count"

    def roles_used(self) -> tuple[str, ...]:
        """Names of the roles that this measure reads."""
        return ()


class Count(Measure):
    """How many events of a role (or of one event name) happened in the window."""

    kind: Literal["count"]
    role: RoleName | None = None
    event: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Count:
        if (self.role is None) == (self.event is None):
            raise ValueError("count needs either `role` or `event`")
        return self

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return (self.role,) if self.role else ()


class Sum(Measure):
    """Sum of a number property over the events of a role; an event without the property adds `default`."""

    kind: Literal["sum"]
    role: RoleName
    property: PropertyName
    default: float = 1

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return (self.role,)


class Distinct(Measure):
    """How many different features (the `feature` key of the roles' events) were used in the window."""

    kind: Literal["distinct"]
    roles: tuple[RoleName, ...] = Field(min_length=1)

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return self.roles


class ActiveDays(Measure):
    """Days in the window with at least one active event."""

    kind: Literal["active_days"]


class ActiveShare(Measure):
    """Active days divided by the days of the window: DAU/MAU of one person."""

    kind: Literal["active_share"]
    unit: ClassVar[Unit] = "percent"


class Trend(Measure):
    """Active events rose (or fell) every week, over `weeks` whole weeks counted back from as-of."""

    kind: Literal["trend"]
    direction: Literal["rising", "falling"]
    weeks: int = Field(default=4, ge=2, le=12)
    unit: ClassVar[Unit] = "flag"


class SameDomainPeople(Measure):
    """Active people of the account who share the person's work e-mail domain, the person included."""

    kind: Literal["same_domain_people"]


class TimeToActivation(Measure):
    """Hours from sign-up to the first activation; counts while the activation lies in the window."""

    kind: Literal["time_to_activation"]
    sign_up: RoleName = "signed_up"
    activation: RoleName = "activation"
    unit: ClassVar[Unit] = "hours"

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return (self.sign_up, self.activation)


class Abandoned(Measure):
    """The last start in the window was not completed by the person or the account within 24 hours."""

    kind: Literal["abandoned"]
    started: RoleName = "upgrade_started"
    completed: RoleName = "upgrade_completed"
    unit: ClassVar[Unit] = "flag"

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return (self.started, self.completed)


class Inactive(Measure):
    """No active event in the window, but at least one before it."""

    kind: Literal["inactive"]
    unit: ClassVar[Unit] = "flag"


class Lonely(Measure):
    """The only person ever active in an account older than `after_days` from which no invite was ever sent."""

    kind: Literal["lonely"]
    after_days: int = Field(default=30, ge=0)
    invite: RoleName = "invite_sent"
    unit: ClassVar[Unit] = "flag"

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return (self.invite,)


class FreeOnly(Measure):
    """Older than `after_days`, never used a premium feature, and the account does not pay at as-of."""

    kind: Literal["free_only"]
    after_days: int = Field(default=30, ge=0)
    premium: RoleName = "premium_feature"
    sign_up: RoleName = "signed_up"
    unit: ClassVar[Unit] = "flag"

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return (self.premium, self.sign_up)


class Employees(Measure):
    """Number of employees of the account's company."""

    kind: Literal["employees"]


class Industry(Measure):
    """The account's industry is in the playbook's `industries` list; blind while the list is empty."""

    kind: Literal["industry"]
    unit: ClassVar[Unit] = "flag"


class Icp(Measure):
    """The account matches the ideal customer profile: its `icp` flag, or the rule under `icp`."""

    kind: Literal["icp"]
    unit: ClassVar[Unit] = "flag"


class ActivePeople(Measure):
    """People of the account with an active event in the window."""

    kind: Literal["active_people"]


class Departments(Measure):
    """Different departments among the people active in the window."""

    kind: Literal["departments"]


class PeopleGrowth(Measure):
    """Active people in the window against the window before it, minus 1; needs `at_least` people before."""

    kind: Literal["people_growth"]
    at_least: int = Field(default=3, ge=1)
    unit: ClassVar[Unit] = "percent"


class ExecutivePresent(Measure):
    """A person active in the window matches the playbook's executive rule."""

    kind: Literal["executive_present"]
    unit: ClassVar[Unit] = "flag"


class Workspaces(Measure):
    """Workspaces of the account created, or with an event, in the window."""

    kind: Literal["workspaces"]


class VelocityJump(Measure):
    """People first seen in the window: at least `at_least`, and `times` the weekly mean of `weeks` weeks before."""

    kind: Literal["velocity_jump"]
    at_least: int = Field(default=5, ge=1)
    times: float = Field(default=3, gt=0)
    weeks: int = Field(default=4, ge=1, le=12)
    unit: ClassVar[Unit] = "flag"


class Volume(Measure):
    """The value metric (events of `role`, or the sum of a property) reached `threshold`; blind until role and threshold are set."""

    kind: Literal["volume"]
    role: RoleName | None = None
    property: PropertyName | None = None
    threshold: float | None = None
    unit: ClassVar[Unit] = "flag"

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return (self.role,) if self.role else ()


class PeopleWith(Measure):
    """Different identified people of the account with an event of the role in the window."""

    kind: Literal["people_with"]
    role: RoleName

    def roles_used(self) -> tuple[str, ...]:  # noqa: D102
        return (self.role,)


class NearLimit(Measure):
    """At least `people` active people, and some metric's latest used ÷ quota is `share` or more."""

    kind: Literal["near_limit"]
    people: int = Field(default=10, ge=0)
    share: float = Field(default=0.8, gt=0)
    unit: ClassVar[Unit] = "flag"


PersonMeasure = Annotated[
    Count
    | Sum
    | Distinct
    | ActiveDays
    | ActiveShare
    | Trend
    | SameDomainPeople
    | TimeToActivation
    | Abandoned
    | Inactive
    | Lonely
    | FreeOnly
    | Employees
    | Industry
    | Icp,
    Field(discriminator="kind"),
]
AccountMeasure = Annotated[
    Count
    | Sum
    | ActivePeople
    | Departments
    | PeopleGrowth
    | ExecutivePresent
    | Workspaces
    | VelocityJump
    | Volume
    | PeopleWith
    | NearLimit,
    Field(discriminator="kind"),
]


def person_kinds() -> list[tuple[str, list[str], str]]:
    """(kind, its keys, what it measures) of everything a person signal can measure."""
    return _kinds(PersonMeasure)


def account_kinds() -> list[tuple[str, list[str], str]]:
    """(kind, its keys, what it measures) of everything an account signal can measure."""
    return _kinds(AccountMeasure)


def _kinds(union: object) -> list[tuple[str, list[str], str]]:
    models: tuple[type[Measure], ...] = get_args(get_args(union)[0])
    return [
        (
            str(get_args(model.model_fields["kind"].annotation)[0]),
            [name for name in model.model_fields if name != "kind"],
            model.__doc__ or "",
        )
        for model in models
    ]
