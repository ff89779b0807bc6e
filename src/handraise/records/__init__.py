"""The nouns that cross folders: frozen, keyword-only, every field explained with its unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from handraise.records.enrichment import KnownValue


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptLine:
    """One signal of one person or account: the score is the sum of the points of these lines.

    Attributes:
        signal: Name in the playbook; `people` stands for the people's points of an account.
        category: Group of the signal.
        value: Measured value (count, share, hours; 1 or 0 for yes/no); None = unknown or blind.
        points: What it gave; None = blind.
        because: The reason in the reader's language; for a blind signal, what is missing.
    """

    signal: str
    category: str
    value: float | None
    points: int | None
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonScore:
    """One person in one account at as-of.

    Attributes:
        person_id: The product's user id (or the anonymous id of somebody not identified yet).
        account_id: The account in which this score was earned.
        name: As the people file has it.
        title: Job title.
        department: Department.
        score: Sum of all points.
        band: hot, warm, emerging, none, or as the playbook names them.
        behaviour_points: Points without company size, industry and ICP.
        is_pql: In a selling band, known, and able to buy.
        is_buyer: Matches the buyer rule.
    """

    person_id: str
    account_id: str
    name: str | None
    title: str | None
    department: str | None
    score: int
    band: str
    behaviour_points: int
    is_pql: bool
    is_buyer: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountScore:
    """One account at as-of.

    Attributes:
        account_id: Id of the accounts file, or domain:…, workspace:…, person:….
        name: As the accounts file has it.
        domain: Work domain, if known.
        score: people_points + account_points + firmographic_points.
        tier: 1 (best) to 4.
        tier_name: The playbook's name of the tier.
        action: What the tier asks for, in the reader's language.
        segment: Size class by employees.
        segment_is_guess: Employees are unknown; active people stand in for them.
        segment_sells: Whether sales talks to this segment.
        is_pqa: The tier is a selling one.
        active_people: People active in 30 days.
        people_points: Points of the people, rolled up as the playbook says.
        account_points: Points of the account signals.
        firmographic_points: Points of size, industry and ICP, once.
        pqls: People who are PQLs.
        risen: Change of the score in the last 7 days; None = not known a week ago.
        receipt: Lines that add up to the score, those with points only, largest first.
        people: The strongest people, best first.
    """

    account_id: str
    name: str | None
    domain: str | None
    score: int
    tier: int
    tier_name: str
    action: str
    segment: str
    segment_is_guess: bool
    segment_sells: bool
    is_pqa: bool
    active_people: int
    people_points: int
    account_points: int
    firmographic_points: int
    pqls: int
    risen: int | None = None
    receipt: tuple[ReceiptLine, ...] = ()
    people: tuple[PersonScore, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Strangers:
    """Workspaces of one company that do not know each other.

    Attributes:
        domain: The work e-mail domain they share.
        workspaces: How many.
        people: People with that domain in them.
        accounts: How many accounts they count as now.
        workspace_ids: Their ids, joined by `, `.
        because: What was seen, in words.
    """

    domain: str
    workspaces: int
    people: int
    accounts: int
    workspace_ids: str
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where an account stands, without its receipt.

    Attributes:
        account_id: Its id.
        name: As the accounts file has it; None if it is not there.
        score: Sum of all points.
        tier: 1 is best.
        segment: As in `AccountScore`.
        active_people: People active in 30 days.
        people_points: Sum of the points of its people.
    """

    account_id: str
    name: str | None
    score: int
    tier: int
    segment: str
    active_people: int
    people_points: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TierCount:
    """How many accounts a tier held at one as-of."""

    as_of: date
    tier: int
    accounts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class BandCount:
    """How many people a band holds at as-of."""

    band: str
    people: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Everything the report shows.

    Attributes:
        as_of: The day scored.
        language: en or zh.
        simulated: The data come from the simulator; said on the page.
        playbook_hash: Which playbook made the scores.
        events: Events loaded.
        accounts: Accounts scored.
        people: Person scores.
        tiers: Accounts per tier now and at earlier as-ofs, oldest first.
        tier_names: Tier → its name.
        selling_tiers: Tiers that sales works on.
        bands: People per band, best first.
        top: Best accounts, with receipts and people.
        risen: Accounts that rose most in 7 days, with receipts.
        top_people: Best people.
        blind: Signal → why it is blind.
    """

    as_of: date
    language: str
    simulated: bool
    playbook_hash: str
    events: int
    accounts: int
    people: int
    tiers: tuple[TierCount, ...]
    tier_names: dict[int, str]
    selling_tiers: tuple[int, ...]
    bands: tuple[BandCount, ...]
    top: tuple[AccountScore, ...]
    risen: tuple[AccountScore, ...]
    top_people: tuple[PersonScore, ...]
    blind: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What a signal gave then and gives now."""

    signal: str
    then: int
    now: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """The next rung of a ladder: what would give more points.

    Attributes:
        signal: Name in the playbook.
        rung: The threshold to reach, as the playbook writes it.
        value: The value now; None = unknown.
        gain: Points on top of the present ones.
    """

    signal: str
    rung: str
    value: float | None
    gain: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """An event that a signal rests on."""

    signal: str
    name: str
    at: str
    event_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Why something belongs to somebody: an anonymous id to a person, a workspace to an account."""

    what: str
    to: str
    because: str


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The receipt of one person in one account, or of one account.

    Attributes:
        entity: person or account.
        id: person_id or account_id.
        account_id: The account.
        name: Display name, if known.
        as_of: The day scored.
        playbook_hash: Which playbook made the score.
        score: The sum of the lines' points.
        label: Band of a person, tier of an account.
        lines: Signals with points, and blind ones.
        against: The earlier day compared with, if one was asked for.
        score_then: Score on that day; None = not there yet.
        changes: Signals whose points differ from that day.
        next_label: The next better band and the score it takes; None at the top and for accounts.
        steps: What would add points, largest gain first.
        evidence: The latest events behind the signals.
        links: Reasons of the links.
        people: For an account, who carries it, best first.
        known: What each source says of the company or the person, field by field, what is believed first.
    """

    entity: str
    id: str
    account_id: str
    name: str | None
    as_of: date
    playbook_hash: str
    score: int
    label: str
    lines: tuple[ReceiptLine, ...]
    against: date | None = None
    score_then: int | None = None
    changes: tuple[Change, ...] = ()
    next_label: tuple[str, int] | None = None
    steps: tuple[Step, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    links: tuple[Link, ...] = ()
    people: tuple[PersonScore, ...] = ()
    known: tuple[KnownValue, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PastScore:
    """A score from one day on, until the next row of the same person in the same account, or of the same account.

    Attributes:
        as_of: The day that was scored.
        account_id: The account.
        score: The score; None = there was none from this day on.
        label: Band of a person, tier of an account; None without a score.
        points: What gave points → how many.
        playbook: Content hash of the playbook that made it.
    """

    as_of: date
    account_id: str
    score: int | None
    label: str | None
    points: dict[str, int]
    playbook: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One finding of `doctor`.

    Attributes:
        state: good, missing or problem.
        what: What was looked at.
        found: What was found.
        todo: What to do about it; empty when all is well.
    """

    state: str
    what: str
    found: str
    todo: str = ""
