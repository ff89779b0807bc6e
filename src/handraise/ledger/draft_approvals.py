"""Which exact text to a prospect somebody approved, in the ledger and in the audit trail (which keeps its hash alone)."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from handraise.ledger.audit import record
from handraise.ledger.schema import draft_approvals
from handraise.records.drafts import Approval


def keep_approval(connection: Connection, approval: Approval) -> Approval:
    """Keep an approval; the same text approved again by the same person for the same handoff is the approval it was.

    Args:
        connection: The transaction; its turn at the audit trail is taken.
        approval: Without a number.

    Returns:
        The approval with its number.
    """
    same = [one for one in approvals_of(connection, approval.handoff) if _is_same(one, approval)]
    if same:
        return same[-1]
    values = {name: value for name, value in asdict(approval).items() if name not in {"id", "handoff"}}
    wanted = insert(draft_approvals).values(handoff_id=approval.handoff, **values).returning(draft_approvals.c.id)
    number = int(connection.execute(wanted).scalar_one())
    record(
        connection,
        actor=approval.by,
        action="draft.approve",
        object=f"handoff {approval.handoff}",
        details={"approval": number, "sha256": approval.sha256, "template": approval.template},
        now=approval.at,
    )
    return replace(approval, id=number)


def _is_same(one: Approval, other: Approval) -> bool:
    return (one.sha256, one.by, one.person_id) == (other.sha256, other.by, other.person_id)


def approvals_of(connection: Connection, handoff: int) -> tuple[Approval, ...]:
    """Every approval of a handoff, oldest first."""
    wanted = select(draft_approvals).where(draft_approvals.c.handoff_id == handoff).order_by(draft_approvals.c.id)
    return tuple(_approval(row) for row in connection.execute(wanted))


def _approval(row: Row[Any]) -> Approval:
    values = row._asdict()
    values["handoff"] = values.pop("handoff_id")
    return Approval(**{field.name: values[field.name] for field in fields(Approval)})
