"""Keys of programs that use the API, each allowed only what its scopes name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from handraise.errors import LedgerError
from handraise.ledger.audit import record, take_turn
from handraise.ledger.keys import NewKey, key_hash, keys_changed, make_key
from handraise.ledger.schema import api_keys

API_KEY = "hra_"
SCOPES = ("read", "write", "playbook", "privacy", "admin")
# Writing at each use would make every read of the API a write.
_USE_IS_NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key of a program.

    Attributes:
        id: Number of the key.
        name: What it is for, for people.
        prefix: The first characters of the key, to know it by.
        scopes: What it may do: of read, write, playbook, privacy, admin; sorted.
        created_at: When it was made.
        expires_at: From when on it no longer works; None = it does until revoked.
        revoked_at: Since when it no longer works; None = it was not revoked.
        last_used_at: When it was used last, to within an hour; None = never.
    """

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKeyRequest:
    """A key that is wanted.

    Attributes:
        name: What it is for, for people.
        scopes: What it may do: of read, write, playbook, privacy, admin.
        expires_at: From when on it no longer works; None = it does until revoked.
    """

    name: str
    scopes: Iterable[str]
    expires_at: datetime | None = None


def create_api_key(
    connection: Connection, wanted: ApiKeyRequest, *, actor: str, now: datetime, random: Callable[[int], bytes]
) -> NewKey:
    """Make a key for a program.

    Args:
        connection: The transaction.
        wanted: What it is for and what it may do.
        actor: Who makes it, for the audit trail.
        now: When.
        random: So many random bytes, such as `secrets.token_bytes`.

    Raises:
        LedgerError: A scope does not exist, there is none, or the key would have expired already.
    """
    scopes = sorted(set(wanted.scopes))
    if not scopes or not set(scopes) <= set(SCOPES):
        raise LedgerError(f"these are no scopes: {', '.join(scopes)!r}.", todo=f"Choose of {', '.join(SCOPES)}.")
    if wanted.expires_at and wanted.expires_at <= now:
        raise LedgerError("the key would have expired already.", todo="Choose a later time, or none.")
    take_turn(connection)
    plain, stored = make_key(API_KEY, random)
    values = {"name": wanted.name, "scopes": scopes, "created_at": now, "expires_at": wanted.expires_at, **stored}
    key_id = connection.execute(insert(api_keys).values(values).returning(api_keys.c.id)).scalar_one()
    record(
        connection,
        actor=actor,
        action="api_key.create",
        object=f"api_key {key_id}",
        details={"scopes": scopes, "prefix": stored["prefix"]},
        now=now,
    )
    keys_changed(connection)
    return NewKey(id=key_id, plain=plain)


def list_api_keys(connection: Connection) -> tuple[ApiKey, ...]:
    """All keys, oldest first, those that no longer work too."""
    return tuple(_api_key(row) for row in connection.execute(select(*_SHOWN).order_by(api_keys.c.id)))


def revoke_api_key(connection: Connection, key_id: int, *, actor: str, now: datetime) -> bool:
    """Make a key work no longer; False = there is no such key, or it was revoked already."""
    take_turn(connection)
    wanted = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    if not connection.execute(wanted.values(revoked_at=now)).rowcount:
        return False
    record(connection, actor=actor, action="api_key.revoke", object=f"api_key {key_id}", details={}, now=now)
    keys_changed(connection)
    return True


def api_key_of(connection: Connection, plain: str, now: datetime) -> ApiKey | None:
    """The key that somebody showed; None = there is no such key, or it no longer works."""
    works = (api_keys.c.revoked_at.is_(None), or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now))
    row = connection.execute(select(*_SHOWN).where(api_keys.c.hash == key_hash(plain), *works)).one_or_none()
    return _api_key(row) if row else None


def note_api_key_use(connection: Connection, key_id: int, *, now: datetime) -> bool:
    """Note that a key was used; False = that was noted less than an hour ago."""
    long_ago = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at <= now - _USE_IS_NOTED_EVERY)
    noted = update(api_keys).where(api_keys.c.id == key_id, long_ago).values(last_used_at=now)
    return connection.execute(noted).rowcount == 1


_SHOWN = [column for column in api_keys.columns if column.name != "hash"]


def _api_key(row: Row[Any]) -> ApiKey:
    return ApiKey(**{**row._asdict(), "scopes": tuple(row.scopes)})
