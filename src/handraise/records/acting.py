"""The nouns of acting: reasons, decisions, handoffs, and the life of an account that is worked on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Priority = Literal["high", "medium", "low"]
Lane = Literal["sales", "find_buyer", "top_down", "self_serve"]
Outcome = Literal["handoff", "joined", "nurture", "hold", "sunset", "passed_on"]
State = Literal["watching", "qualified", "working", "accepted", "rejected", "won", "lost", "sunset"]
CallKind = Literal[
    "claim",
    "accept",
    "reject",
    "snooze",
    "reassign",
    "note",
    "contacted",
    "replied",
    "meeting",
    "opportunity",
    "won",
    "lost",
    "rate",
]
PRIORITIES: tuple[Priority, ...] = ("high", "medium", "low")


@dataclass(frozen=True, kw_only=True, slots=True)
class Life:
    """Where an account stands between a company's sales and its own usage.

    Attributes:
        state: watching → qualified → working → accepted, rejected, won, lost or sunset.
        since: When it came into this state.
        qualified_at: When it last became qualified; None = never.
        below_since: Since when it is no PQA; None = it is one.
        cool_until: Not to be qualified before, after a rejection; None = there is no such time.
        reached_at: When somebody last was reached since it qualified; None = nobody was.
        was_pqa: It has been a PQA since it was handed over, so it can go below its tier; whoever only asked cannot.
    """

    state: State = "watching"
    since: datetime
    qualified_at: datetime | None = None
    below_since: datetime | None = None
    cool_until: datetime | None = None
    reached_at: datetime | None = None
    was_pqa: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """A trigger that fired.

    Attributes:
        trigger: Its name.
        person_id: Whose doing it is; empty = the whole account's.
        value: What the sentence of the reason says.
        fired_at: When it was seen.
    """

    trigger: str
    person_id: str
    value: float | None
    fired_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What was done about an account, and why.

    Attributes:
        at: When it was decided.
        as_of: The day whose scores it rests on.
        account_id: The account.
        person_id: Whom to talk to; None = nobody yet.
        outcome: handoff, joined (to the one under way), nurture (automated), hold (until `look_again`), sunset, or
            passed_on (to somebody else).
        lane: sales, find_buyer, top_down or self_serve.
        priority: Of the strongest reason.
        because: Code of what decided.
        reasons: Triggers that led to it.
        look_again: When it is decided on once more by the clock; None = only when something new happens.
        handoff: Number of the handoff that it made or joined.
        playbook: Hash of everything the company had decided.
        owner: Who got the handoff; None = whoever claims it, or there is none.
        queue: The team that it belongs to.
        routed: Code of why they got it.
        id: Number; 0 = not kept yet.
    """

    at: datetime
    as_of: date
    account_id: str
    person_id: str | None
    outcome: Outcome
    lane: Lane
    priority: Priority
    because: str
    reasons: tuple[Reason, ...] = ()
    look_again: datetime | None = None
    handoff: int | None = None
    playbook: str
    owner: str | None = None
    queue: str | None = None
    routed: str | None = None
    id: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Handoff:
    """Work that somebody is asked to do.

    Attributes:
        id: Number.
        account_id: The account.
        person_id: Whom to talk to; None = nobody yet.
        lane: sales, find_buyer or top_down.
        priority: high, medium or low.
        status: open, working or closed.
        owner: Whose it is; None = nobody's yet.
        created_at: When it was decided.
        due_at: When the first contact is due; None = there is no clock.
        limit_at: When it goes to somebody else.
        closed_at: When it ended; None = it is under way.
        playbook: Hash of everything the company had decided.
        version: Raised by each change, so that of two who change it at once one is refused.
        queue: The team that it belongs to; None = a single person's.
        contacted_at: When somebody was contacted first; None = nobody was.
        segment: Of the account when it was decided.
        domain: Of the account then.
        country: Of the account then.
        industry: Of the account then.
        reasons: Triggers that led to it.
    """

    id: int
    account_id: str
    person_id: str | None
    lane: Lane
    priority: Priority
    status: str
    owner: str | None
    created_at: datetime
    due_at: datetime | None
    limit_at: datetime | None
    closed_at: datetime | None
    playbook: str
    version: int
    queue: str | None = None
    contacted_at: datetime | None = None
    segment: str | None = None
    domain: str | None = None
    country: str | None = None
    industry: str | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What somebody said about a handoff.

    Attributes:
        kind: claim, accept, reject, snooze, reassign, note, contacted, replied, meeting, opportunity, won, lost or rate.
        by: Who.
        at: When.
        person_id: With whom; None = whom the handoff names.
        reason: Of a rejection or a loss.
        channel: Of a contact, such as e-mail.
        until: Of a snooze.
        to: Of a reassignment.
        amount: Of an opportunity or a deal, in the company's money.
        note: In words.
        signal: The trigger that is rated.
        rating: From 1, a waste of time, to 5, just right.
        id: Number; 0 = not kept yet.
        undone_at: When it was taken back; None = it holds.
    """

    kind: CallKind
    by: str
    at: datetime
    person_id: str | None = None
    reason: str | None = None
    channel: str | None = None
    until: datetime | None = None
    to: str | None = None
    amount: float | None = None
    note: str | None = None
    signal: str | None = None
    rating: int | None = None
    id: int = 0
    undone_at: datetime | None = None
