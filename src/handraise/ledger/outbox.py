"""The outbox: a row is the queue. What the team is told is put here by the transaction that made it true.

A destination has one sender at a time, which holds it by a lease, and tries one message after another. That a message is being
tried is written before it leaves, so that after a crash it is known which one's fate is not. A row holds nothing about
people: it names a handoff or a decision by its number, and what is said about that is looked up when it is sent. Mailboxes
that a message is still owed to stand there as digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, exists, func, or_, select, update

from handraise.ledger.conflicts import insert_new
from handraise.ledger.schema import outbox, outbox_destinations
from handraise.records.alerting import AlertKind, Notice, Outcome

Status = Literal["waiting", "sending", "sent", "dead", "unsure", "dropped"]
# Waits between attempts, as Standard Webhooks recommends; after the last of them a message is dead.
SCHEDULE = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400))
_JITTER = 0.2
_NO_TIME_SAID = timedelta(seconds=30)
# A destination that failed so often running is left alone for a while, longer each time.
_FAILING_FROM = 10
_LONGEST_REST = timedelta(minutes=5)
_KEPT = timedelta(days=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A message as it stands in the outbox.

    Attributes:
        id: Number; later messages have higher ones.
        destination: Name of the destination.
        object: What it is about, such as `handoff 12`.
        kinds: What happened, the first of it first.
        urgent: Somebody raised a hand.
        status: waiting, sending, sent, dead (it will not be taken), unsure (it may have arrived, and is not sent again by
            itself) or dropped (there is nothing left to tell).
        attempts: How often it was tried.
        run_at: Not before.
        queued_at: Since when it waits.
        tried_at: When it was tried last.
        finished_at: When it ended.
        error: Why it did not arrive.
        owed: Digests of the mailboxes that it still has to reach; empty = all that the destination has.
    """

    id: int
    destination: str
    object: str
    kinds: tuple[AlertKind, ...]
    urgent: bool
    status: Status
    attempts: int
    run_at: datetime
    queued_at: datetime
    tried_at: datetime | None
    finished_at: datetime | None
    error: str | None
    owed: tuple[str, ...] = ()

    @property
    def message_id(self) -> str:
        """What the receiver knows it by, however often it is sent; other ledgers have other ones."""
        made_of = f"{self.destination}|{self.object}|{self.id}|{self.queued_at.isoformat()}"
        return f"msg_{hashlib.sha256(made_of.encode()).hexdigest()[:27]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a destination stands.

    Attributes:
        name: Its name in the playbook.
        waiting: Messages that wait, or are being sent.
        sent: Messages sent in the last 30 days.
        dead: Messages that will not be taken.
        unsure: Messages that may have arrived.
        paused_at: Since when nothing is sent there; None = it is.
        paused_because: Why.
        not_before: When it wants to be asked again; None = at any time.
        failures: How often running sending failed.
    """

    name: str
    waiting: int = 0
    sent: int = 0
    dead: int = 0
    unsure: int = 0
    paused_at: datetime | None = None
    paused_because: str | None = None
    not_before: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who sends to a destination.

    Attributes:
        name: No two senders share one, not even one after the other.
        seconds: How long it holds a destination without a word; longer than any attempt takes.
    """

    name: str
    seconds: float = 60.0


def put(connection: Connection, destination: str, notice: Notice, *, run_at: datetime, now: datetime) -> None:
    """Add a message, or let one about the same thing that nobody tried to send yet take this up too."""
    same = (outbox.c.destination == destination, outbox.c.object == notice.object)
    untried = (outbox.c.status == "waiting", outbox.c.attempts == 0)
    values = {
        "destination": destination,
        "object": notice.object,
        "kinds": [notice.kind],
        "urgent": notice.urgent,
        "status": "waiting",
        "attempts": 0,
        "run_at": run_at,
        "queued_at": now,
    }
    while True:  # where the other one is taken between the statements, there is none any more
        there = connection.execute(select(outbox).where(*same, *untried).with_for_update()).one_or_none()
        if there is None:
            if insert_new(connection, outbox, [values]):
                return
            continue
        kinds = [*(one for one in there.kinds if one != notice.kind), notice.kind]
        more = {"kinds": kinds, "urgent": there.urgent or notice.urgent, "run_at": min(there.run_at, run_at)}
        if connection.execute(update(outbox).where(outbox.c.id == there.id, *untried).values(more)).rowcount:
            return


def due_destinations(connection: Connection, now: datetime) -> dict[str, bool]:
    """Destinations that are not paused or resting and have messages whose time has come; True = an urgent one too."""
    stand = outbox_destinations.c
    resting = select(stand.name).where(or_(stand.paused_at.is_not(None), stand.not_before > now))
    due = select(outbox.c.destination, func.max(case((outbox.c.urgent, 1), else_=0))).where(
        or_(and_(outbox.c.status == "waiting", outbox.c.run_at <= now), outbox.c.status == "sending"),
        outbox.c.destination.not_in(resting),
    )
    return {name: bool(urgent) for name, urgent in connection.execute(due.group_by(outbox.c.destination))}


def hold(connection: Connection, destination: str, holder: Holder, now: datetime) -> bool:
    """Become, or stay, the one who sends to a destination; False = it is somebody else's, paused, or not to be asked now."""
    insert_new(connection, outbox_destinations, [{"name": destination, "failures": 0}])
    stand = outbox_destinations.c
    mine = update(outbox_destinations).where(
        stand.name == destination,
        or_(stand.lease_until.is_(None), stand.lease_until <= now, stand.leased_by == holder.name),
        stand.paused_at.is_(None),
        or_(stand.not_before.is_(None), stand.not_before <= now),
    )
    until = now + timedelta(seconds=holder.seconds)
    return connection.execute(mine.values(lease_until=until, leased_by=holder.name)).rowcount == 1


def let_go(connection: Connection, destination: str, holder: Holder) -> None:
    """Let others send to a destination."""
    stand = outbox_destinations.c
    mine = update(outbox_destinations).where(stand.name == destination, stand.leased_by == holder.name)
    connection.execute(mine.values(lease_until=None, leased_by=None))


def recover(connection: Connection, destination: str, *, repeatable: bool, now: datetime) -> int:
    """Settle messages whose sender was lost while it sent them; for whoever holds the destination. Returns how many.

    What can be sent twice without harm waits again; of the rest nobody knows whether it arrived, and it is shown.
    """
    lost = update(outbox).where(outbox.c.destination == destination, outbox.c.status == "sending")
    said = "the sender was lost while it sent this."
    if repeatable:
        return connection.execute(lost.values(status="waiting", run_at=now, error=said)).rowcount
    return connection.execute(lost.values(status="unsure", finished_at=now, error=said)).rowcount


def take(connection: Connection, destination: str, *, most: int, urgent_only: bool, now: datetime) -> tuple[Entry, ...]:
    """The messages whose turn it is, and note that they are being tried; for whoever holds the destination.

    Several at once only where none of them was tried before; a message waits for earlier ones about the same thing.
    """
    other = outbox.alias()
    before = exists().where(
        other.c.destination == destination,
        other.c.object == outbox.c.object,
        other.c.id < outbox.c.id,
        other.c.status.in_(("waiting", "sending")),
        other.c.owed.is_(None),  # one mailbox that is full keeps no news from the others
    )
    wanted = select(outbox).where(
        outbox.c.destination == destination,
        outbox.c.status == "waiting",
        outbox.c.run_at <= now,
        ~before,
        *([outbox.c.urgent.is_(True)] if urgent_only else []),
    )
    rows = connection.execute(wanted.order_by(outbox.c.run_at, outbox.c.id).limit(most)).all()
    if rows and rows[0].attempts:
        rows = rows[:1]
    rows = [row for row in rows if row.attempts == 0] if len(rows) > 1 else rows
    taken = {"status": "sending", "attempts": outbox.c.attempts + 1, "tried_at": now}
    connection.execute(update(outbox).where(outbox.c.id.in_([row.id for row in rows])).values(taken))
    return tuple(_entry(row) for row in rows)


def settle(
    connection: Connection,
    entries: Sequence[Entry],
    outcome: Outcome,
    *,
    repeatable: bool,
    now: datetime,
    chance: float = 0.5,
) -> None:
    """Keep what became of messages to one destination that were tried together.

    Args:
        connection: The transaction.
        entries: As they were taken.
        outcome: What became of them.
        repeatable: They can be sent again without a second effect.
        now: When.
        chance: From 0 to 1, so that those who failed together are not tried again together.
    """
    for entry in entries:
        mine = update(outbox).where(outbox.c.id == entry.id, outbox.c.status == "sending")
        connection.execute(mine.values(_after(entry, outcome, repeatable=repeatable, now=now, chance=chance)))
    _note(connection, entries[0].destination, outcome, now)


def drop(connection: Connection, entries: Sequence[Entry], *, now: datetime) -> None:
    """End messages about what is not there any more."""
    gone = update(outbox).where(outbox.c.id.in_([entry.id for entry in entries]))
    connection.execute(gone.values(status="dropped", finished_at=now, error="there is nothing left to tell."))


def _after(entry: Entry, outcome: Outcome, *, repeatable: bool, now: datetime, chance: float) -> dict[str, Any]:
    """What changes for one message."""
    tried_out = entry.attempts >= len(SCHEDULE)
    ended = {"finished_at": now, "error": outcome.said or None}
    # Who asks to be left alone did not try the message; still it is not untried, as others may be by now.
    spared = {"status": "waiting", "attempts": max(entry.attempts, 1), "error": outcome.said}
    match outcome.kind:
        case "sent":
            still = (
                {} if tried_out else {"status": "waiting", "run_at": now + _wait(entry, chance), "finished_at": None}
            )
            owing = {"status": "dead", "owed": list(outcome.owed), **still}
            return {**ended, **(owing if outcome.owed else {"status": "sent"})}
        case "unknown" if not repeatable:
            return {**ended, "status": "unsure"}
        case "denied":
            return {**spared, "run_at": now}
        case "later":
            return {**spared, "run_at": _until(outcome, now)}
        case "unknown" | "unsent" if not tried_out:
            return {"status": "waiting", "run_at": now + _wait(entry, chance), "error": outcome.said}
        case _:  # refused, or tried often enough
            return {**ended, "status": "dead"}


def _wait(entry: Entry, chance: float) -> timedelta:
    """Until a message is tried again."""
    return SCHEDULE[entry.attempts] * (1 - _JITTER + 2 * _JITTER * chance)


def _until(outcome: Outcome, now: datetime) -> datetime:
    """Before when a destination that asked for it is left alone."""
    return now + (_NO_TIME_SAID if outcome.wait is None else outcome.wait)


def _note(connection: Connection, destination: str, outcome: Outcome, now: datetime) -> None:
    """What changes for the destination."""
    mine = update(outbox_destinations).where(outbox_destinations.c.name == destination)
    if outcome.kind in {"sent", "refused"}:
        connection.execute(mine.values(failures=0, not_before=None))
    elif outcome.kind == "denied":
        connection.execute(mine.values(paused_at=now, paused_because=outcome.said))
    elif outcome.kind == "later":
        connection.execute(mine.values(not_before=_until(outcome, now)))
    else:
        raised = mine.values(failures=outbox_destinations.c.failures + 1).returning(outbox_destinations.c.failures)
        failures = int(connection.execute(raised).scalar_one())
        if failures > _FAILING_FROM:
            rest = min(timedelta(seconds=2.0 ** min(failures - _FAILING_FROM - 1, 20)), _LONGEST_REST)
            connection.execute(mine.values(not_before=now + rest))


def standings(connection: Connection) -> dict[str, Standing]:
    """How every destination stands that messages were meant for, by name."""
    counted = select(outbox.c.destination, outbox.c.status, func.count()).group_by(
        outbox.c.destination, outbox.c.status
    )
    counts: dict[str, dict[str, int]] = {}
    for name, status, count in connection.execute(counted):
        of = counts.setdefault(name, {})
        key = "waiting" if status == "sending" else status
        of[key] = of.get(key, 0) + count
    known = {row.name: row for row in connection.execute(select(outbox_destinations))}
    return {name: _standing(name, counts.get(name, {}), known.get(name)) for name in sorted({*counts, *known})}


def _standing(name: str, counts: dict[str, int], row: Row[Any] | None) -> Standing:
    return Standing(
        name=name,
        waiting=counts.get("waiting", 0),
        sent=counts.get("sent", 0),
        dead=counts.get("dead", 0),
        unsure=counts.get("unsure", 0),
        paused_at=row.paused_at if row else None,
        paused_because=row.paused_because if row else None,
        not_before=row.not_before if row else None,
        failures=row.failures if row else 0,
    )


def list_undelivered(connection: Connection, *, after: int = 0, limit: int = 50) -> tuple[Entry, ...]:
    """Messages that are dead, and those that may have arrived, by number; `after` = only those with higher numbers."""
    wanted = select(outbox).where(outbox.c.status.in_(("dead", "unsure")), outbox.c.id > after)
    return tuple(_entry(row) for row in connection.execute(wanted.order_by(outbox.c.id).limit(limit)))


def lying_among(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Those of some numbers whose messages are dead, or may have arrived."""
    wanted = select(outbox.c.id).where(outbox.c.status.in_(("dead", "unsure")), outbox.c.id.in_(numbers))
    return set(connection.execute(wanted).scalars())


def replay(connection: Connection, numbers: Sequence[int] | None, *, now: datetime) -> int:
    """Let messages that are dead, or may have arrived, wait again; all of them without numbers. Returns how many will be sent.

    One about something that a newer message tells about anyway ends instead.
    """
    lying = outbox.c.status.in_(("dead", "unsure"))
    chosen: ColumnElement[bool] = lying if numbers is None else and_(lying, outbox.c.id.in_(numbers))
    sent = 0
    for row in connection.execute(select(outbox).where(chosen).order_by(outbox.c.id)).all():
        same = (outbox.c.destination == row.destination, outbox.c.object == row.object)
        untried = (outbox.c.status == "waiting", outbox.c.attempts == 0)
        newer = connection.execute(select(outbox.c.id).where(*same, *untried)).first()
        # What only some mailboxes are owed counts as tried, so that it takes up no news that all of them are to get.
        tried = 1 if row.owed else 0
        again = {"status": "waiting", "attempts": tried, "run_at": now, "finished_at": None, "error": None}
        ended = {"status": "dropped", "finished_at": now}
        connection.execute(update(outbox).where(outbox.c.id == row.id).values(ended if newer else again))
        sent += not newer
    return sent


def resume(connection: Connection, destination: str) -> bool:
    """Send to a paused destination again, once it wants to be asked; False = it was not paused."""
    stand = outbox_destinations.c
    paused = update(outbox_destinations).where(stand.name == destination, stand.paused_at.is_not(None))
    return connection.execute(paused.values(paused_at=None, paused_because=None, failures=0)).rowcount == 1


def drop_ended(connection: Connection, *, now: datetime) -> int:
    """Remove what was sent or dropped long ago; what did not arrive stays until somebody looks at it."""
    ended = outbox.c.status.in_(("sent", "dropped"))
    return connection.execute(delete(outbox).where(ended, outbox.c.finished_at < now - _KEPT)).rowcount


def _entry(row: Row[Any]) -> Entry:
    values = {field.name: getattr(row, field.name) for field in fields(Entry)}
    return Entry(**{**values, "kinds": tuple(row.kinds), "owed": tuple(row.owed or ())})
