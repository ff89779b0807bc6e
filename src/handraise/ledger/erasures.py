"""Requests to erase a person: begun, worked off elsewhere, and closed with a receipt that names nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Text, cast, func, insert, or_, select, update

from handraise.errors import LedgerError
from handraise.ledger.audit import record, take_turn
from handraise.ledger.columns import canonical
from handraise.ledger.schema import erasures, jobs
from handraise.ledger.suppression import hashes_of, suppress

_TELLING = 6  # characters of an id that stands for nothing else


@dataclass(frozen=True, kw_only=True, slots=True)
class ErasureRequest:
    """A wish to be forgotten.

    Attributes:
        person_id: The product's user id.
        others: Further ids of the person, and e-mail addresses.
        requested_by: Who asked, such as `user 3`; not the person's own id or address.
    """

    person_id: str
    others: Iterable[str] = ()
    requested_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasure:
    """A request to erase a person.

    Attributes:
        id: Number of the request; jobs name it instead of the person.
        subject: The person's id, then further ids and e-mail addresses; empty once the work is done.
        subject_hash: Keyed hash of the person's id, in hexadecimal.
        requested_at: When it was begun.
        requested_by: Who asked.
        status: running or finished.
        receipt: What was erased where, as JSON; None = not finished.
        finished_at: When everything was erased.
    """

    id: int
    subject: tuple[str, ...]
    subject_hash: str
    requested_at: datetime
    requested_by: str
    status: str
    receipt: Mapping[str, Any] | None
    finished_at: datetime | None


def begin_erasure(
    connection: Connection, wanted: ErasureRequest, *, now: datetime, random: Callable[[int], bytes]
) -> Erasure:
    """Note a request, and use nothing of the person's from now on.

    The plain ids are kept until the work is done: whoever does it needs them.

    Raises:
        LedgerError: The request names the person as who asked, which would stay.
    """
    subject = (wanted.person_id, *wanted.others)
    if _names(wanted.requested_by, subject):
        raise LedgerError(
            "`requested_by` names the person who is to be forgotten.",
            todo="Say in another way who asked, such as `self`.",
        )
    take_turn(connection)
    suppress(connection, subject, reason="erasure", actor=wanted.requested_by, now=now, random=random)
    hashed = hashes_of(connection, [wanted.person_id], now=now, random=random)[wanted.person_id]
    values = {
        "subject": list(subject),
        "subject_hash": hashed,
        "requested_at": now,
        "requested_by": wanted.requested_by,
        "status": "running",
    }
    row = connection.execute(insert(erasures).values(values).returning(*erasures.columns)).one()
    _record(connection, "erasure.begin", row, wanted.requested_by, now)
    return _erasure(row)


def finish_erasure(
    connection: Connection, erasure_id: int, *, receipt: Mapping[str, Any], actor: str, now: datetime
) -> Erasure:
    """Close a request: the plain ids leave the ledger, and with SQLite its files at the next `Ledger.checkpoint`.

    Texts of jobs that have ended and hold one of the ids are emptied too.

    Args:
        connection: The transaction.
        erasure_id: Which.
        receipt: What was erased where, as JSON, without naming the person.
        actor: Who did it, for the audit trail.
        now: When.

    Raises:
        LedgerError: There is no such request, it is finished, or the receipt names the person.
    """
    take_turn(connection)
    found = connection.execute(select(erasures).where(erasures.c.id == erasure_id)).one_or_none()
    if found is None or found.status == "finished":
        raise LedgerError(
            f"there is no erasure {erasure_id} that waits to be finished.",
            todo="See the list of erasures for its number.",
        )
    if _names(receipt, found.subject):
        raise LedgerError(
            "the receipt names the person who was erased.", todo="Say in it how much was erased, not what."
        )
    for name in found.subject:
        _forget_in_jobs(connection, name)
    values = {"subject": None, "status": "finished", "receipt": dict(receipt), "finished_at": now}
    closed = update(erasures).where(erasures.c.id == erasure_id).values(values).returning(*erasures.columns)
    row = connection.execute(closed).one()
    _record(connection, "erasure.finish", row, actor, now)
    return _erasure(row)


def list_erasures(connection: Connection, *, status: str | None = None) -> tuple[Erasure, ...]:
    """All requests, or those of one status (running or finished), oldest first."""
    wanted = select(erasures).order_by(erasures.c.id)
    if status is not None:
        wanted = wanted.where(erasures.c.status == status)
    return tuple(_erasure(row) for row in connection.execute(wanted))


def _forget_in_jobs(connection: Connection, name: str) -> None:
    """Rather too much than too little: these jobs are over, and their texts are there to look at only."""
    written = canonical(name)[1:-1]
    texts = [func.coalesce(cast(column, Text), "") for column in (jobs.c.arguments, jobs.c.result)]
    held = or_(
        *[column.contains(written, autoescape=True) for column in texts],
        *[column.contains(name, autoescape=True) for column in (jobs.c.error, jobs.c.dedupe_key)],
    )
    ended = jobs.c.status.in_(("done", "failed", "cancelled"))
    emptied: dict[str, object] = {"arguments": {}, "result": None, "error": None, "dedupe_key": None}
    connection.execute(update(jobs).where(ended, held).values(emptied))


def _names(value: object, subject: tuple[str, ...]) -> bool:
    """Whether a name stands anywhere in a JSON value, as a whole text or inside a longer one with an `@`."""
    if isinstance(value, Mapping):
        return any(_names(part, subject) for item in value.items() for part in item)
    if isinstance(value, list | tuple):
        return any(_names(part, subject) for part in value)
    # A short id, such as 7, stands in many texts that do not mean it; and a number counts something.
    telling = (name for name in subject if "@" in name or len(name) >= _TELLING)
    return isinstance(value, str) and (value in subject or any(name in value for name in telling))


def _record(connection: Connection, action: str, row: Row[Any], actor: str, now: datetime) -> None:
    details = {"subject": row.subject_hash}
    record(connection, actor=actor, action=action, object=f"erasure {row.id}", details=details, now=now)


def _erasure(row: Row[Any]) -> Erasure:
    return Erasure(**{**row._asdict(), "subject": tuple(row.subject or ())})
