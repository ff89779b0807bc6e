"""The audit trail: one row for each change, in the change's own transaction, chained by hashes so that tampering shows.

The chain shows edits, rows that are gone and rows in another order to whoever reads it. Rows cut off its end show
because the head says how many there are. Who can write to the whole database could make both anew; an anchor that was
kept elsewhere shows that too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from handraise.ledger.columns import canonical, in_utc, storable
from handraise.ledger.schema import audit, audit_head
from handraise.ledger.store import Ledger

# One sign on each side of the @ is enough, and takes no longer on long texts than they are long.
_SECRET = re.compile(r"[\w.+-]@\w|\bhr[wa]_[\w-]{8}")
_READ_AT_ONCE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRow:
    """One change.

    Attributes:
        seq: Place in the chain, from 1.
        at: When.
        actor: Who, such as `cli`, `user 3` or `worker`.
        action: What was done, such as `write_key.revoke`.
        object: To what, such as `write_key 7`.
        details: More about it; neither secrets nor e-mail addresses.
        previous_hash: Hash of the row before; 64 zeros before the first.
        hash: SHA-256 over everything above, in hexadecimal.
    """

    seq: int
    at: datetime
    actor: str
    action: str
    object: str
    details: Mapping[str, Any]
    previous_hash: str
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """How the chain ended at some time; kept outside of the ledger, it proves that nothing before was made anew.

    Attributes:
        seq: The last row's place; 0 = there was none.
        hash: The last row's hash.
    """

    seq: int
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What looking at the whole chain gave.

    Attributes:
        rows: Rows found to be in order, from the first on.
        broken_at: Place of the first row that is not as it was written; None = all are.
        because: What is wrong there, in words; empty = nothing.
        anchor: How the chain ends, to be kept outside.
    """

    rows: int
    broken_at: int | None
    because: str
    anchor: Anchor


def take_turn(connection: Connection) -> Anchor:
    """Be the only one who adds to the chain until the transaction ends; says how the chain ends now.

    Whoever changes rows before recording it takes the turn first: everybody then waits in the same order, and no two
    transactions wait for each other.
    """
    head = connection.execute(select(audit_head.c.length, audit_head.c.hash).with_for_update()).one()
    return Anchor(seq=head.length, hash=head.hash)


def record(
    connection: Connection,
    *,
    actor: str,
    action: str,
    object: str,  # noqa: A002 - the field's own word
    details: Mapping[str, Any],
    now: datetime,
) -> Anchor:
    """Add a row for a change that the same transaction makes.

    Args:
        connection: The change's transaction.
        actor: Who.
        action: What was done.
        object: To what.
        details: More about it, as JSON.
        now: When.

    Raises:
        ValueError: The details hold an e-mail address or a key (the trail is kept for good and read by many), or `now`
            has no time zone.
    """
    told = canonical(dict(details))
    if _SECRET.search(told):
        raise ValueError(f"details of {action} hold an e-mail address or a key")
    before = take_turn(connection)
    at = in_utc(now).isoformat(timespec="microseconds")
    content = (before.seq + 1, at, storable(actor), storable(action), storable(object), told, before.hash)
    hashed = _hash(*content)
    names = ("seq", "at", "actor", "action", "object", "details", "previous_hash")
    connection.execute(insert(audit).values(**dict(zip(names, content, strict=True)), hash=hashed))
    connection.execute(update(audit_head).values(length=before.seq + 1, hash=hashed))
    return Anchor(seq=before.seq + 1, hash=hashed)


def list_audit(connection: Connection, *, before: int | None = None, limit: int = 100) -> tuple[AuditRow, ...]:
    """Rows of the trail, latest first.

    Args:
        connection: To read with.
        before: Only rows that come before this one; the last `seq` of a page gives the next page.
        limit: At most so many.
    """
    wanted = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(audit.c.seq < before)
    return tuple(_audit_row(row) for row in connection.execute(wanted))


def verify(ledger: Ledger, anchor: Anchor | None = None) -> Verdict:
    """Read the whole chain and find the first row that is not as it was written.

    Args:
        ledger: Whose trail.
        anchor: How the chain ended at an earlier time, from outside of the ledger.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with ledger.reading() as connection:
        end = Anchor(seq=0, hash="0" * 64)
        rows = connection.execute(select(audit).order_by(audit.c.seq).execution_options(yield_per=_READ_AT_ONCE))
        for row in rows:
            wrong = _wrong(row, end, anchor)
            if wrong:
                rows.close()
                return Verdict(rows=end.seq, broken_at=end.seq + 1, because=wrong, anchor=end)
            end = Anchor(seq=row.seq, hash=row.hash)
        head = connection.execute(select(audit_head.c.length, audit_head.c.hash)).one_or_none()
    cut = _cut(end, head, anchor)
    return Verdict(rows=end.seq, broken_at=end.seq + 1 if cut else None, because=cut, anchor=end)


def _audit_row(row: Row[Any]) -> AuditRow:
    at, details = datetime.fromisoformat(row.at), json.loads(row.details)
    return AuditRow(**{**row._asdict(), "at": at, "details": details})


def _wrong(row: Row[Any], before: Anchor, anchor: Anchor | None) -> str:
    """What is wrong with the row that follows; empty = nothing."""
    if row.seq != before.seq + 1:
        return f"row {before.seq + 1} is missing: row {row.seq} follows row {before.seq}"
    if row.previous_hash != before.hash:
        return f"row {row.seq} was written after another row than the one before it"
    # SQLite lets a text column hold anything.
    if not all(isinstance(part, str) for part in tuple(row)[1:]) or row.hash != _hash(*row[:-1]):
        return f"row {row.seq} was changed"
    if anchor and anchor.seq == row.seq and anchor.hash != row.hash:
        return f"row {row.seq} has another hash than the anchor: it, or rows before it, were made anew"
    return ""


def _cut(end: Anchor, head: Row[int, str] | None, anchor: Anchor | None) -> str:
    if head is None:
        return "the head of the chain is missing"
    if anchor and anchor.seq > end.seq:
        return f"the chain ends at row {end.seq}, and the anchor says that there was a row {anchor.seq}"
    if head.length > end.seq:
        return f"the chain ends at row {end.seq}, and its head says that there are {head.length}"
    if (head.length, head.hash) != (end.seq, end.hash):
        return f"the head of the chain says that it ends at row {head.length}, with another hash"
    return ""


def _hash(*content: object) -> str:
    """A JSON list says where each part ends, so no two contents are written alike."""
    return hashlib.sha256(canonical(content).encode("ascii")).hexdigest()
