"""The playbook's shape: what a company decided about its signals, points, bands, tiers and rules.

Every model is frozen and refuses unknown keys, so that a misspelt key is an error instead of a silent default.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from handraise.playbook.alerts import Alerts
from handraise.playbook.connection import WarehouseMode
from handraise.playbook.enrichment import Enrichment
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.ladder import Rung, parse_ladder
from handraise.playbook.measures import (
    AccountMeasure,
    Count,
    Distinct,
    Measure,
    PeopleWith,
    PersonMeasure,
    PropertyName,
    RoleName,
    Sum,
)
from handraise.playbook.rewriting import Rewriting
from handraise.playbook.section import Because, Language, Name, Section

# Columns that score tables have already; a signal of that name would hide one of them.
_TAKEN = frozenset(
    [
        "as_of",
        "person_id",
        "account_id",
        "score",
        "band",
        "behaviour_points",
        "tier",
        "segment",
        "is_pqa",
        "people",
        "people_points",
        "account_points",
        "firmographic_points",
        "team",
    ]
)


class EventPattern(Section):
    """Which events carry a role: a name, optionally with properties that must match.

    Attributes:
        event: The event's name as the product sends it; None = any name (then `where` is needed).
        where: Property → wanted value, or a list of which one must match (compared as text).
        feature: The property that holds the feature's key, for roles that count distinct features.
    """

    event: str | None = None
    where: dict[PropertyName, tuple[str, ...]] = Field(default_factory=dict)
    feature: PropertyName = "feature"

    @field_validator("where", mode="before")
    @classmethod
    def _as_lists(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {str(k): [_text(v) for v in (vs if isinstance(vs, list) else [vs])] for k, vs in value.items()}

    @model_validator(mode="after")
    def _needs_something(self) -> EventPattern:
        if self.event is None and not self.where:
            raise ValueError("an event pattern needs `event`, `where`, or both")
        return self


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _patterns(value: object) -> object:
    """`commit`, `[commit, push]` and `[{event: commit, where: …}]` all name events."""
    items = value if isinstance(value, list) else [value]
    return [{"event": item} if isinstance(item, str) else item for item in items]


Patterns = Annotated[tuple[EventPattern, ...], BeforeValidator(_patterns)]


class Signal(Section):
    """One measured behaviour or fact, the window it is measured in, and what it is worth.

    Attributes:
        category: The group it is shown in.
        measure: What is measured (its `kind` decides the other keys).
        window: Days before as-of that count; `lifetime` = all history.
        half_life: Days after which an event counts half; replaces the hard window for counts and sums.
        points: The ladder: threshold → points.
        because: The sentence of the receipt.
    """

    category: Name
    measure: Measure
    window: Annotated[int, Field(ge=1, le=3650)] | Literal["lifetime"] = 30
    half_life: Annotated[float, Field(gt=0, le=365)] | None = None
    points: dict[str, int]
    because: Because

    @field_validator("points", mode="before")
    @classmethod
    def _readable_ladder(cls, value: object) -> object:
        if not isinstance(value, dict):
            raise ValueError('points is a ladder such as {">=1": 10, ">=3": 15} or {true: 20}')  # noqa: TRY004
        return {rung.label: rung.points for rung in parse_ladder(value)}

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """The rungs, highest first."""
        return parse_ladder(dict(self.points.items()))

    @model_validator(mode="after")
    def _window_fits(self) -> Signal:
        if self.half_life is not None and not isinstance(self.measure, Count | Sum):
            raise ValueError("half_life works with the kinds count and sum")
        if self.window == "lifetime" and not isinstance(self.measure, Count | Sum | Distinct | PeopleWith):
            raise ValueError("window: lifetime works with the kinds count, sum, distinct and people_with")
        return self


class PersonSignal(Signal):
    """A signal of one person in one account."""

    measure: PersonMeasure


class AccountSignal(Signal):
    """A signal of a whole account."""

    measure: AccountMeasure


class Signals(Section):
    """The signals of people and of accounts, by name, in the order they are shown."""

    person: dict[Name, PersonSignal] = Field(min_length=1)
    account: dict[Name, AccountSignal]

    @model_validator(mode="after")
    def _names_are_free(self) -> Signals:
        for name in (*self.person, *self.account):
            if name in _TAKEN or "__" in name:
                raise ValueError(f"a signal cannot be called {name!r}: the score tables use that name")
        return self


class Band(Section):
    """A person's score from `at_least` upwards, until the next higher band; None = no lower bound."""

    name: Name
    at_least: int | None = None


class Rollup(Section):
    """How people's points become the account's.

    Attributes:
        people: All people, the best `top_k` of them, or the best one.
        top_k: How many people count with `top_k`.
        floor: The least one person can add; None lets dormant people pull the account down.
        firmographics: `once` per account, or `per_person` as the scoring template's letter has it.
    """

    people: Literal["sum", "top_k", "max"] = "sum"
    top_k: int = Field(default=5, ge=1)
    floor: int | None = 0
    firmographics: Literal["once", "per_person"] = "once"


class Tier(Section):
    """One tier of accounts; lower bounds only, so that no account falls between two tiers."""

    tier: int = Field(ge=1)
    name: Name
    active_people: int = 0
    departments: int = 0
    icp: bool = False
    score_above: int | None = None
    score_at_least: int | None = None
    pqa: bool = False
    action: Because

    @property
    def takes_all(self) -> bool:
        """Whether the tier has no bound at all."""
        bounds = (self.active_people, self.departments, self.icp, self.score_above, self.score_at_least)
        return all(bound in (0, None) for bound in bounds)  # False is 0


class Segment(Section):
    """Accounts from `employees` upwards, until the next larger segment."""

    name: Name
    employees: int = Field(ge=0)
    sells: bool


class IcpRule(Section):
    """The ideal customer profile, besides the accounts file's own `icp` flag; every part given must hold."""

    min_employees: int | None = None
    max_employees: int | None = None
    industries: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether there is any rule at all."""
        return self != IcpRule()


class Executive(Section):
    """Who counts as an executive: by seniority, or by a word of the title."""

    seniorities: tuple[str, ...]
    title_words: tuple[str, ...]


class Buyer(Section):
    """Who can buy: executives, and these seniorities within these departments."""

    seniorities: tuple[str, ...]
    departments: tuple[str, ...]


class Domains(Section):
    """Additions to the shipped lists of e-mail domains that never join people."""

    free_mail: tuple[str, ...] = ()
    disposable: tuple[str, ...] = ()
    education: tuple[str, ...] = ()


class Attributes(Section):
    """Canonical column → the name of the column in the company's own files."""

    people: dict[Name, str] = Field(default_factory=dict)
    accounts: dict[Name, str] = Field(default_factory=dict)


class Playbook(Section):
    """Everything a company decided; the built-in template is the default for each part."""

    version: Literal[1]
    language: Language = "en"
    roles: dict[RoleName, Patterns]
    passive_events: tuple[str, ...]
    attributes: Attributes = Attributes()
    domains: Domains = Domains()
    industries: tuple[str, ...] = ()
    icp: IcpRule = IcpRule()
    executive: Executive
    buyer: Buyer
    signals: Signals
    bands: tuple[Band, ...]
    selling_bands: tuple[Name, ...]
    rollup: Rollup
    tiers: tuple[Tier, ...] = Field(min_length=1)
    segments: tuple[Segment, ...] = Field(min_length=1)
    handoffs: Handoffs = Handoffs()
    enrichment: Enrichment = Enrichment()
    rewriting: Rewriting | None = None
    alerts: Alerts = Alerts()
    # Where scores are made decides nothing about them, so it is no part of the playbook's hash.
    warehouse: WarehouseMode | None = None

    @field_validator("tiers")
    @classmethod
    def _some_tier_takes_all(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        if not any(tier.takes_all for tier in tiers):
            raise ValueError("the last tier must take every account that is left: a tier without any bound")
        return tiers

    @model_validator(mode="after")
    def _names_agree(self) -> Playbook:
        missing = {name for name in self.selling_bands if name not in {band.name for band in self.bands}}
        if missing:
            raise ValueError(f"selling_bands names no band of `bands`: {', '.join(sorted(missing))}")
        shared = set(self.signals.person) & set(self.signals.account)
        if shared:
            raise ValueError(f"a person signal and an account signal share a name: {', '.join(sorted(shared))}")
        return self

    def model_post_init(self, _context: Any, /) -> None:
        """Bands and segments are read from the top down, whatever order they were written in."""
        lowest = -(10**9)
        ordered = sorted(self.bands, key=lambda b: lowest if b.at_least is None else b.at_least, reverse=True)
        object.__setattr__(self, "bands", tuple(ordered))
        object.__setattr__(self, "segments", tuple(sorted(self.segments, key=lambda s: s.employees, reverse=True)))
        object.__setattr__(self, "tiers", tuple(sorted(self.tiers, key=lambda t: t.tier)))
