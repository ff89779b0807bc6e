"""Where events may come from, and the keys that let them in."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from handraise.errors import LedgerError
from handraise.ledger.audit import record, take_turn
from handraise.ledger.conflicts import insert_new, next_number
from handraise.ledger.schema import counters, sources, write_keys

WRITE_KEY = "hrw_"
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_VERSION = "keys_version"
_KEY_BYTES = 24  # 32 characters of base64
_VISIBLE = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A place that events come from, such as the web application.

    Attributes:
        id: Small letters, digits and hyphens.
        name: For people.
        created_at: When it was made.
        disabled_at: Since when its keys let nothing in; None = they do.
    """

    id: str
    name: str
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteKey:
    """A key that lets events of one source in, and nothing else.

    Attributes:
        id: Number of the key.
        source_id: Whose events.
        prefix: The first characters of the key, to know it by.
        created_at: When it was made.
        revoked_at: Since when it lets nothing in; None = it does.
    """

    id: int
    source_id: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """A key that was just made; the ledger keeps its hash alone.

    Attributes:
        id: Number of the key.
        plain: The key itself, to be shown once.
    """

    id: int
    plain: str = field(repr=False)


def key_hash(plain: str) -> str:
    """What the ledger knows a key by. Keys are random, so one round of SHA-256 is enough."""
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def make_key(kind: str, random: Callable[[int], bytes]) -> tuple[str, dict[str, str]]:
    """A new key and what is stored of it: its hash and its first characters."""
    plain = kind + base64.urlsafe_b64encode(random(_KEY_BYTES)).decode("ascii")
    return plain, {"hash": key_hash(plain), "prefix": plain[:_VISIBLE]}


def create_source(connection: Connection, *, source_id: str, name: str, actor: str, now: datetime) -> Source:
    """Add a source.

    Raises:
        LedgerError: The id is taken, or is no id.
    """
    if not _SLUG.fullmatch(source_id):
        raise LedgerError(
            f"{source_id!r} cannot be the id of a source.", todo="Use small letters, digits and hyphens, at most 63."
        )
    take_turn(connection)
    new = insert_new(connection, sources, [{"id": source_id, "name": name, "created_at": now}])
    if not new:
        raise LedgerError(f"there is a source {source_id!r} already.", todo="Choose another id.")
    _changed(connection, actor, "source.create", f"source {source_id}", {}, now)
    return Source(**new[0]._asdict())


def ensure_source(connection: Connection, source_id: str, *, actor: str, now: datetime) -> None:
    """Add a source under its id as its name, unless there is one.

    Raises:
        LedgerError: The id cannot be one.
    """
    take_turn(connection)
    if source_id not in {source.id for source in list_sources(connection)}:
        create_source(connection, source_id=source_id, name=source_id, actor=actor, now=now)


def list_sources(connection: Connection) -> tuple[Source, ...]:
    """All sources, by id."""
    found = (Source(**row._asdict()) for row in connection.execute(select(sources)))
    return tuple(sorted(found, key=lambda source: source.id))


def disable_source(connection: Connection, source_id: str, *, actor: str, now: datetime) -> bool:
    """Let nothing of a source in any more, whatever its keys; False = it was so already.

    Raises:
        LedgerError: There is no such source.
    """
    take_turn(connection)
    _known_source(connection, source_id)
    wanted = update(sources).where(sources.c.id == source_id, sources.c.disabled_at.is_(None))
    if not connection.execute(wanted.values(disabled_at=now)).rowcount:
        return False
    _changed(connection, actor, "source.disable", f"source {source_id}", {}, now)
    return True


def create_write_key(
    connection: Connection, source_id: str, *, actor: str, now: datetime, random: Callable[[int], bytes]
) -> NewKey:
    """Make a key for a source.

    Args:
        connection: The transaction.
        source_id: Whose events it lets in.
        actor: Who makes it, for the audit trail.
        now: When.
        random: So many random bytes, such as `secrets.token_bytes`.

    Raises:
        LedgerError: There is no such source, or it is disabled.
    """
    take_turn(connection)
    if _known_source(connection, source_id).disabled_at:
        raise LedgerError(f"the source {source_id!r} is disabled.", todo="Make a key for another source.")
    plain, stored = make_key(WRITE_KEY, random)
    made = insert(write_keys).values(source_id=source_id, created_at=now, **stored).returning(write_keys.c.id)
    key_id = connection.execute(made).scalar_one()
    details = {"source": source_id, "prefix": stored["prefix"]}
    _changed(connection, actor, "write_key.create", f"write_key {key_id}", details, now)
    return NewKey(id=key_id, plain=plain)


def list_write_keys(connection: Connection, source_id: str | None = None) -> tuple[WriteKey, ...]:
    """Keys of one source or of all, oldest first, revoked ones too."""
    shown = [column for column in write_keys.columns if column.name != "hash"]
    wanted = select(*shown).order_by(write_keys.c.id)
    if source_id is not None:
        wanted = wanted.where(write_keys.c.source_id == source_id)
    return tuple(WriteKey(**row._asdict()) for row in connection.execute(wanted))


def revoke_write_key(connection: Connection, key_id: int, *, actor: str, now: datetime) -> bool:
    """Let nothing in by this key any more; False = there is no such key, or it was revoked already."""
    take_turn(connection)
    wanted = update(write_keys).where(write_keys.c.id == key_id, write_keys.c.revoked_at.is_(None))
    if not connection.execute(wanted.values(revoked_at=now)).rowcount:
        return False
    _changed(connection, actor, "write_key.revoke", f"write_key {key_id}", {}, now)
    return True


def source_of_key(connection: Connection, plain: str) -> str | None:
    """The source whose events a key lets in; None = it lets nothing in."""
    found: str | None = connection.execute(_valid().where(write_keys.c.hash == key_hash(plain))).scalar()
    return found


def valid_write_keys(connection: Connection) -> dict[str, str]:
    """Hash → source id of every key that lets events in, for a cache; `key_hash` gives the hash of a key."""
    wanted = _valid().add_columns(write_keys.c.hash)
    return {row.hash: row.source_id for row in connection.execute(wanted)}


def keys_version(connection: Connection) -> int:
    """A number that grows with every change to sources or keys: a cache made at the same number still holds."""
    wanted = select(counters.c.value).where(counters.c.name == _VERSION)
    return int(connection.execute(wanted).scalar_one())


def keys_changed(connection: Connection) -> None:
    """Tell caches that they no longer hold."""
    next_number(connection, _VERSION)


def _valid() -> Any:
    joined = write_keys.join(sources, sources.c.id == write_keys.c.source_id)
    lets_in = (write_keys.c.revoked_at.is_(None), sources.c.disabled_at.is_(None))
    return select(write_keys.c.source_id).select_from(joined).where(*lets_in)


def _known_source(connection: Connection, source_id: str) -> Row[Any]:
    row: Row[Any] | None = connection.execute(select(sources).where(sources.c.id == source_id)).one_or_none()
    if row is None:
        raise LedgerError(f"there is no source {source_id!r}.", todo="Create it first.")
    return row


def _changed(
    connection: Connection, actor: str, action: str, what: str, details: dict[str, Any], now: datetime
) -> None:
    record(connection, actor=actor, action=action, object=what, details=details, now=now)
    keys_changed(connection)
