"""The nouns of telling the team: what happened, the message about it, and what became of sending it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from handraise.records.acting import Lane, Priority

AlertKind = Literal["created", "joined", "assigned", "ended", "reopened", "nurture"]
OutcomeKind = Literal["sent", "later", "unsent", "unknown", "denied", "refused"]
AlertLanguage = Literal["en", "zh"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """Something that the team may want to know.

    Attributes:
        object: What it is about, such as `handoff 12` or `decision 7`; never a name.
        kind: What happened to it.
        lane: Of the handoff or decision.
        priority: Of the handoff or decision.
        owner: Whose it is; None = nobody's.
        urgent: Somebody raised a hand, and waits for a person.
    """

    object: str
    kind: AlertKind
    lane: Lane
    priority: Priority
    owner: str | None = None
    urgent: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertItem:
    """What a message says about one handoff or decision, looked up when it is sent.

    Attributes:
        object: Such as `handoff 12`.
        number: 12.
        kinds: What happened since the last message, the first of it first.
        account_id: The account.
        account_name: Of the accounts file; None = it has none.
        person_id: Whom to talk to; None = nobody yet.
        person_name: Their name.
        person_title: Their job title.
        lane: sales, find_buyer, top_down or self_serve.
        priority: high, medium or low.
        status: open, working, accepted or closed; `automated` = nobody is asked to act.
        owner: Whose it is; None = nobody's.
        queue: The team that it belongs to; None = a single person's.
        due_at: When the first contact is due; None = there is no clock.
        closed_at: When it ended; None = it is under way.
        because: Its reasons in words, the strongest first.
        version: Of the handoff: raised by each change.
    """

    object: str
    number: int
    kinds: tuple[AlertKind, ...] = ()
    account_id: str
    account_name: str | None = None
    person_id: str | None = None
    person_name: str | None = None
    person_title: str | None = None
    lane: Lane
    priority: Priority
    status: str
    owner: str | None = None
    queue: str | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None
    because: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertMessage:
    """One message to one destination.

    Attributes:
        id: The same however often it is sent.
        sequence: Later messages to the same destination about the same thing have higher ones.
        at: When it is sent this time.
        language: Of its words.
        timezone: Of the times that it names.
        items: What it is about; none = it is a test.
        owed: Digests of the mailboxes that do not have it yet; empty = it goes to all.
    """

    id: str
    sequence: int
    at: datetime
    language: AlertLanguage
    timezone: str
    items: tuple[AlertItem, ...] = ()
    owed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of sending a message.

    Attributes:
        kind: sent; later (not taken, and not to be sent again for `wait`); unsent (it cannot have arrived); unknown (it may
            have); denied (nothing will be taken from us there until somebody changes something); refused (this
            message will never be taken).
        said: In words that name nobody.
        wait: See `later`; counted from when the answer is kept, so never too short. None = it does not say.
        owed: Of what was sent, digests of the mailboxes that refused it for the time being, and are to be tried again alone.
    """

    kind: OutcomeKind
    said: str = ""
    wait: timedelta | None = None
    owed: tuple[str, ...] = ()
