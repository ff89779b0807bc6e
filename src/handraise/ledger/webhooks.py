"""Secrets of inbound webhooks, one for each source: what is signed with it is believed to come from there."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from handraise.ledger.audit import record, take_turn
from handraise.ledger.keys import ensure_source, list_sources
from handraise.ledger.schema import secrets

PREFIX = "whsec_"
_NAME = "webhook "
_BYTES = 32


def create_webhook(
    connection: Connection, source_id: str, *, actor: str, now: datetime, random: Callable[[int], bytes]
) -> str:
    """Make the secret of a source, and the source if it is new; a secret that it had before no longer works.

    Returns:
        The secret, in the form of Standard Webhooks: `whsec_` and base64.

    Raises:
        LedgerError: The id cannot be one.
    """
    take_turn(connection)
    ensure_source(connection, source_id, actor=actor, now=now)
    value = random(_BYTES)
    connection.execute(delete(secrets).where(secrets.c.name == _NAME + source_id))
    connection.execute(insert(secrets).values(name=_NAME + source_id, value=value, created_at=now))
    record(connection, actor=actor, action="webhook.create", object=f"source {source_id}", details={}, now=now)
    return PREFIX + base64.b64encode(value).decode("ascii")


def webhook_secret(connection: Connection, source_id: str) -> bytes | None:
    """The secret that a source signs with; None = it may not send webhooks, or is disabled."""
    if source_id not in {source.id for source in list_sources(connection) if source.disabled_at is None}:
        return None
    value: bytes | None = connection.execute(
        select(secrets.c.value).where(secrets.c.name == _NAME + source_id)
    ).scalar()
    return value
