"""An account that goes by another id from now on: what the ledger knows of it goes with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from handraise.ledger.audit import record
from handraise.ledger.schema import account_lives, handoffs


def move_account(connection: Connection, old: str, new: str, *, now: datetime) -> None:
    """Let an account's life and its handoffs go on under another id, of which the ledger knows nothing yet.

    Decisions stay under the id by which they were made. The audit trail names the handoffs alone: an account's id can be a
    person's, and nothing is ever taken out of the trail.
    """
    connection.execute(update(account_lives).where(account_lives.c.account_id == old).values(account_id=new))
    moved = update(handoffs).where(handoffs.c.account_id == old).values(account_id=new).returning(handoffs.c.id)
    for number in sorted(connection.execute(moved).scalars()):
        record(connection, actor="handraise", action="handoff.moved", object=f"handoff {number}", details={}, now=now)
