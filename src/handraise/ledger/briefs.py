"""What the ledger knows of one account for a brief: its handoffs, how they ended, and what was said about them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from handraise.ledger import acting, calls
from handraise.ledger.schema import handoffs
from handraise.records.acting import Call, Handoff


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """A handoff of the account.

    Attributes:
        handoff: As it is now.
        closed_because: Code of what ended it by itself; None = a person did, or it is under way.
        calls: What was said about it and holds, oldest first.
    """

    handoff: Handoff
    closed_because: str | None
    calls: tuple[Call, ...]


def handoffs_of(connection: Connection, account_id: str) -> tuple[Past, ...]:
    """Every handoff of an account, oldest first."""
    found = acting.handoffs_where(connection, handoffs.c.account_id == account_id)
    wanted = select(handoffs.c.id, handoffs.c.closed_because).where(handoffs.c.account_id == account_id)
    because = {row.id: row.closed_because for row in connection.execute(wanted)}
    return tuple(
        Past(
            handoff=one,
            closed_because=because[one.id],
            calls=tuple(call for call in calls.calls_of(connection, one.id) if call.undone_at is None),
        )
        for one in found
    )
