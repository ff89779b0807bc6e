"""An account that goes by another id from now on: what the ledger knows of it goes with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, update

from handraise.ledger.audit import record
from handraise.ledger.schema import account_lives, handoffs

# What touches of an account, its owners and its next handoff are looked up by.
_FOLLOW = (handoffs, account_lives)


def move_account(connection: Connection, old: str, new: str, *, now: datetime) -> None:
    """Let an account's life and its handoffs go on under another id, of which the ledger knows nothing yet.

    Decisions stay under the id by which they were made.
    """
    for table in _FOLLOW:
        connection.execute(update(table).where(table.c.account_id == old).values(account_id=new))
    record(
        connection,
        actor="handraise",
        action="account.moved",
        object=f"account {new}",
        details={"from": old},
        now=now,
    )
