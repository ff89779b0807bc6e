"""People whose data may not be used, and requests to erase them; the ledger keeps a keyed hash of who they are.

A hash without a key could be turned back: e-mail addresses can be guessed. The key is made at the first use and stays
in the ledger, so hashes of two ledgers have nothing in common.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection, delete, func, select

from handraise.errors import LedgerError
from handraise.ledger.audit import record, take_turn
from handraise.ledger.conflicts import insert_new
from handraise.ledger.schema import secrets, suppression

REASONS = ("erasure", "objection", "unsubscribed", "bounced")
_KEY = "suppression"
_KEY_BYTES = 32
# Databases allow some ten thousand parameters of a statement.
_ASKED_AT_ONCE = 5000
_TOLD_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppressed:
    """One person or address that may not be used.

    Attributes:
        subject_hash: Keyed hash of the person's id or e-mail address, in hexadecimal.
        reason: erasure, objection, unsubscribed or bounced.
        suppressed_at: Since when.
    """

    subject_hash: str
    reason: str
    suppressed_at: datetime


def suppress(
    connection: Connection,
    ids: Iterable[str],
    *,
    reason: str,
    actor: str,
    now: datetime,
    random: Callable[[int], bytes],
) -> int:
    """Never use these people's data again.

    Args:
        connection: The transaction.
        ids: Ids of people, and e-mail addresses (however they are capitalised).
        reason: erasure, objection, unsubscribed or bounced.
        actor: Who wants it, for the audit trail.
        now: When.
        random: So many random bytes, for the key at the first use.

    Returns:
        How many were not suppressed for this reason before.

    Raises:
        LedgerError: There is no such reason.
    """
    if reason not in REASONS:
        raise LedgerError(f"{reason!r} is no reason to suppress.", todo=f"Choose of {', '.join(REASONS)}.")
    take_turn(connection)
    hashes = sorted(set(hashes_of(connection, ids, now=now, random=random).values()))
    wanted = [{"subject_hash": hashed, "reason": reason, "suppressed_at": now} for hashed in hashes]
    new = sorted(row.subject_hash for row in insert_new(connection, suppression, wanted))
    _record(connection, new, "suppression.add", reason=reason, actor=actor, now=now)
    return len(new)


def suppress_hashes(connection: Connection, hashes: Iterable[str], *, reason: str, actor: str, now: datetime) -> int:
    """Suppress people who are known by their keyed hash alone, as notes of erasures name them; returns how many were new."""
    take_turn(connection)
    wanted = [{"subject_hash": one, "reason": reason, "suppressed_at": now} for one in sorted(set(hashes))]
    new = sorted(row.subject_hash for row in insert_new(connection, suppression, wanted)) if wanted else []
    _record(connection, new, "suppression.add", reason=reason, actor=actor, now=now)
    return len(new)


def allow_again(connection: Connection, ids: Iterable[str], *, reason: str, actor: str, now: datetime) -> int:
    """Take back a suppression for one reason: somebody subscribed again, an address works again.

    Returns:
        How many were suppressed for this reason. Who is suppressed for another as well stays so.

    Raises:
        LedgerError: An erasure cannot be taken back.
    """
    if reason == "erasure":
        raise LedgerError("an erasure cannot be taken back.")
    take_turn(connection)
    freed = []
    for hashed in sorted(set(_known_hashes(connection, ids).values())):
        gone = delete(suppression).where(suppression.c.subject_hash == hashed, suppression.c.reason == reason)
        if connection.execute(gone).rowcount:
            freed.append(hashed)
    _record(connection, freed, "suppression.remove", reason=reason, actor=actor, now=now)
    return len(freed)


def is_suppressed(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those of these ids and e-mail addresses that may not be used, as they were given."""
    hashes = _known_hashes(connection, ids)
    found: set[str] = set()
    waiting = iter(set(hashes.values()))
    while some := list(islice(waiting, _ASKED_AT_ONCE)):
        wanted = select(suppression.c.subject_hash).where(suppression.c.subject_hash.in_(some))
        found.update(connection.execute(wanted).scalars())
    return {given for given, hashed in hashes.items() if hashed in found}


def list_suppressed(connection: Connection, *, reason: str | None = None) -> tuple[Suppressed, ...]:
    """Everybody suppressed, or for one reason, in the order it came."""
    wanted = select(suppression)
    if reason is not None:
        wanted = wanted.where(suppression.c.reason == reason)
    found = (Suppressed(**row._asdict()) for row in connection.execute(wanted))
    return tuple(sorted(found, key=lambda one: (one.suppressed_at, one.subject_hash, one.reason)))


def count_suppressed(connection: Connection) -> Counter[str]:
    """How many are suppressed for each reason."""
    wanted = select(suppression.c.reason, func.count().label("people")).group_by(suppression.c.reason)
    return Counter({row.reason: row.people for row in connection.execute(wanted)})


def hashes_of(
    connection: Connection, ids: Iterable[str], *, now: datetime, random: Callable[[int], bytes]
) -> dict[str, str]:
    """Id or e-mail address as given → its keyed hash; the key is made if there is none yet."""
    insert_new(connection, secrets, [{"name": _KEY, "value": random(_KEY_BYTES), "created_at": now}])
    return _known_hashes(connection, ids)


def _record(connection: Connection, hashes: list[str], action: str, *, reason: str, actor: str, now: datetime) -> None:
    """A long list is told in several rows, none of them large."""
    for first in range(0, len(hashes), _TOLD_AT_ONCE):
        details = {"reason": reason, "subjects": hashes[first : first + _TOLD_AT_ONCE]}
        record(connection, actor=actor, action=action, object="suppression", details=details, now=now)


def _known_hashes(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """Nothing while there is no key: nobody was ever suppressed then."""
    key = connection.execute(select(secrets.c.value).where(secrets.c.name == _KEY)).scalar()
    return {} if key is None else {given: _hash(key, given) for given in ids}


def _hash(key: bytes, given: str) -> str:
    """Letters that are put together in two ways are one; capitals of an e-mail address do not count."""
    same = unicodedata.normalize("NFC", given)
    if "@" in same:
        same = unicodedata.normalize("NFC", same.lower())
    return hmac.digest(key, same.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()
