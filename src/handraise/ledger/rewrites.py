"""Texts that a language model reworded and that wait for somebody's approval; one for each handoff, the latest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select

from handraise.ledger.schema import draft_rewrites
from handraise.records.drafts import Cite, Draft
from handraise.records.rewriting import Rewrite


def keep_rewrite(connection: Connection, done: Rewrite, *, by: str) -> None:
    """Put a new text in the place of the one that the handoff had; a preview, which has none, is not kept."""
    draft = done.reworded
    if draft is None or draft.handoff is None:
        return
    connection.execute(delete(draft_rewrites).where(draft_rewrites.c.handoff_id == draft.handoff))
    row = {
        "handoff_id": draft.handoff,
        "account_id": draft.account_id,
        "person_id": draft.person_id,
        "to_name": draft.to_name,
        "language": draft.language,
        "persona": draft.persona,
        "template": draft.template,
        "origin": draft.origin,
        "subject": draft.subject,
        "body": draft.body,
        "cites": [asdict(cite) for cite in draft.cites],
        "sha256": draft.sha256,
        "model": done.model,
        "by": by,
        "at": done.at,
    }
    connection.execute(insert(draft_rewrites).values(**row))


def rewrite_of(connection: Connection, handoff: int) -> Draft | None:
    """The reworded text of a handoff that waits; None = there is none. Whoever approves it checks it once more."""
    row = connection.execute(select(draft_rewrites).where(draft_rewrites.c.handoff_id == handoff)).one_or_none()
    if row is None:
        return None
    return Draft(
        handoff=row.handoff_id,
        account_id=row.account_id,
        person_id=row.person_id,
        to_name=row.to_name,
        language=row.language,
        persona=row.persona,
        template=row.template,
        origin=row.origin,
        subject=row.subject,
        body=row.body,
        cites=tuple(Cite(**cite) for cite in row.cites),
    )


def people_reworded(connection: Connection) -> set[str]:
    """Ids of everybody whom a kept text is for."""
    return {one for one in connection.execute(select(draft_rewrites.c.person_id).distinct()).scalars() if one}


def forget_rewrites(connection: Connection, people: Sequence[str]) -> int:
    """Drop the texts for some people; at most as many as a statement takes. Returns rows gone."""
    accounts = [f"person:{one}" for one in people]
    theirs = draft_rewrites.c.person_id.in_(people) | draft_rewrites.c.account_id.in_(accounts)
    return connection.execute(delete(draft_rewrites).where(theirs)).rowcount
