"""The nouns of a brief: everything that a salesperson has to know of an account before the first word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from handraise.records import AccountScore, Change, Evidence, ReceiptLine
from handraise.records.acting import Handoff, Lane, Priority
from handraise.records.drafts import Contact, TalkTrack

MapRole = Literal["champion", "buyer", "executive", "admin"]
Trend = Literal["rising", "steady", "falling", "unknown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureUse:
    """One feature, in the window of the usage.

    Attributes:
        feature: Its key, as the product sends it.
        premium: Only higher plans have it.
        people: People who used it.
        days: Days on which anybody did.
    """

    feature: str
    premium: bool
    people: int
    days: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleUse:
    """Something that the playbook gives a meaning, in the window of the usage.

    Attributes:
        role: What it means, such as limit_reached.
        times: How often it happened.
        people: People who did it.
        last: The last day on which somebody did.
    """

    role: str
    times: int
    people: int
    last: date


@dataclass(frozen=True, kw_only=True, slots=True)
class WeekOfUse:
    """Seven days of the account.

    Attributes:
        ends: Its last day.
        people: People who were active.
        events: What they did, counted.
    """

    ends: date
    people: int
    events: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What the account does with the product.

    Attributes:
        window: Days that everything but the weeks looks back.
        active_people: People who were active in it.
        people: Known people of the account, active or not.
        new_people: People who were first seen in it.
        departments: Departments of the active people, the one with most of them first.
        last_active: The last day on which anybody was; None = nobody ever was.
        features: What they use, the most used first.
        deeds: What they did that means something for sales, the most frequent first.
        weeks: Week by week, the oldest first.
        trend: The last two whole weeks against the two before them.
    """

    window: int
    active_people: int
    people: int
    new_people: int = 0
    departments: tuple[str, ...] = ()
    last_active: date | None = None
    features: tuple[FeatureUse, ...] = ()
    deeds: tuple[RoleUse, ...] = ()
    weeks: tuple[WeekOfUse, ...] = ()
    trend: Trend = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonOnMap:
    """Somebody of the account who matters for a sale.

    Attributes:
        person_id: Id.
        name: As the people file has it; None = unknown.
        title: Job title.
        department: Department.
        roles: champion (the most engaged person), buyer, executive, admin; empty = whom the handoff names, without any.
        active_days: Days of the last 30 on which they were active.
        last_active: The last day on which they were; None = never.
        score: Of the person in this account.
        band: hot, warm, emerging, none, or as the playbook names them.
        is_pql: In a selling band, known, and able to buy.
        contact: May they be written to now?
    """

    person_id: str
    name: str | None
    title: str | None
    department: str | None
    roles: tuple[MapRole, ...]
    active_days: int
    last_active: date | None
    score: int
    band: str
    is_pql: bool
    contact: Contact


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanNow:
    """A subscription that runs.

    Attributes:
        plan: Its name.
        seats: Seats paid for; None = unknown.
        per_month: What it brings, in the company's money; None = unknown.
        since: When it began.
        channel: self_serve or sales; None = unknown.
    """

    plan: str
    seats: int | None
    per_month: Decimal | None
    since: date
    channel: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """What the account would pay on a plan, at its list price.

    Attributes:
        plan: Its name.
        seats: How many.
        seats_are: people (those active in 30 days) or paid (the seats it has, which are more).
        price: Of one seat in one period.
        period: month or year.
        per_year: seats × price × periods of a year.
        more_per_year: Against what it pays now; None = that is unknown.
        formula: The calculation in figures.
    """

    plan: str
    seats: int
    seats_are: Literal["people", "paid"]
    price: Decimal
    period: Literal["month", "year"]
    per_year: Decimal
    more_per_year: Decimal | None
    formula: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    """When a metric meets its limit at the present rate: a straight line through its measurements.

    Attributes:
        metric: What is limited.
        workspace_id: Where; None = in the whole account.
        used: At the last measurement.
        quota: At the last measurement.
        measured_at: When that was.
        measurements: How many the line goes through.
        per_week: What the line rises by in a week; None = there is no line.
        runs_out: The day on which the line meets the quota; None = see `cannot_say`.
        cannot_say: Why there is no day: reached, no_quota, too_few, too_short, resets, not_rising, stale or far_off;
            empty = there is one.
    """

    metric: str
    workspace_id: str | None
    used: float
    quota: float
    measured_at: datetime
    measurements: int
    per_week: float | None
    runs_out: date | None
    cannot_say: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Expansion:
    """What there is to gain, in money, and what is not known of it.

    Attributes:
        currency: Of all amounts; None = the playbook does not say.
        plans: What the account has now.
        paid_per_year: What that brings; None = unknown.
        options: What it would be on this plan, and on the next.
        forecasts: When its limits are reached, the soonest first.
        unknown: What could not be said: no_prices, plan_without_price, seats_unknown, paid_unknown, no_people, no_limits.
    """

    currency: str | None = None
    plans: tuple[PlanNow, ...] = ()
    paid_per_year: Decimal | None = None
    options: tuple[Option, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BuyerWanted:
    """No user can buy: what marketing needs for finding who can.

    Attributes:
        domain: The company's; None = unknown.
        departments: Where the product is used.
        champion_id: Who uses it most, and is not to be pitched; None = nobody.
        titles: Words of titles that can decide, of the playbook.
        seniorities: Levels that can buy within the buying departments, of the playbook.
        buying_departments: Departments that buy, of the playbook.
    """

    domain: str | None
    departments: tuple[str, ...]
    champion_id: str | None
    titles: tuple[str, ...]
    seniorities: tuple[str, ...]
    buying_departments: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Touch:
    """A contact with somebody of the account.

    Attributes:
        at: When.
        person_id: With whom; None = not told.
        channel: Such as email; None = not told.
        by: Who; None = not told.
        answered: They replied, or met.
    """

    at: datetime
    person_id: str | None
    channel: str | None
    by: str | None
    answered: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SinceTouch:
    """What is different since somebody last was in contact.

    Attributes:
        touch: The last contact.
        touches: Contacts in all.
        score_on: The day whose score is compared with; None = none was kept, so the change cannot be said.
        score_then: The account's score on it; None = there was none.
        changes: Signals whose points differ from then.
        new_people: People who came since.
    """

    touch: Touch
    touches: int
    score_on: date | None
    score_then: int | None
    changes: tuple[Change, ...]
    new_people: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierHandoff:
    """A handoff of the account that has ended.

    Attributes:
        number: Its number.
        lane: sales, find_buyer or top_down.
        owner: Whose it was; None = nobody's.
        created_at: When it was decided.
        closed_at: When it ended.
        ended: won, lost, rejected, or a code of what ended it.
        reason: Of a rejection or a loss.
    """

    number: int
    lane: Lane
    owner: str | None
    created_at: datetime
    closed_at: datetime
    ended: str
    reason: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WhyNow:
    """What somebody is asked to do, and why.

    Attributes:
        handoff: The handoff; None = nobody is asked.
        lane: sales, find_buyer, top_down or self_serve.
        priority: Of the strongest reason; None = there is no handoff.
        reasons: In words, the strongest first.
    """

    handoff: Handoff | None
    lane: Lane
    priority: Priority | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Brief:
    """An account as a salesperson needs to know it.

    Attributes:
        account_id: The account.
        name: As the accounts file has it, else its domain, else its id.
        as_of: The day whose scores it rests on.
        made_at: When it was put together.
        language: en or zh.
        simulated: The data come from the simulator.
        playbook: Hash of everything the company had decided.
        why: What is asked for, and why now.
        account: Score, tier and segment; None = it is not scored, as with a lead without usage.
        usage: What it does with the product.
        receipt: Signals with points, and blind ones, the largest first.
        evidence: The latest events behind the signals of whom the handoff names.
        expansion: What there is to gain.
        people: The people map: champion, buyers, executives, admins.
        buyer_wanted: For marketing, where no user can buy.
        talk: What to talk about, by the strongest signals.
        since: What changed since the last contact; None = there was none.
        earlier: Handoffs that have ended, the latest first.
        leads: Where marketing's leads of the company came from, the latest first.
    """

    account_id: str
    name: str
    as_of: date
    made_at: datetime
    language: Literal["en", "zh"]
    simulated: bool
    playbook: str
    why: WhyNow
    account: AccountScore | None
    usage: Usage
    receipt: tuple[ReceiptLine, ...]
    evidence: tuple[Evidence, ...]
    expansion: Expansion
    people: tuple[PersonOnMap, ...]
    buyer_wanted: BuyerWanted | None
    talk: tuple[TalkTrack, ...]
    since: SinceTouch | None
    earlier: tuple[EarlierHandoff, ...]
    leads: tuple[str, ...] = ()
