"""Who is asked to act, and what was decided about an account."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from handraise.faces.api.asked import HostOf, Id, Language
from handraise.faces.api.auth import Reader
from handraise.faces.api.pages import Page, Paged, Text, Whole, cut, place_in
from handraise.faces.api.problems import documented
from handraise.ledger import acting
from handraise.records.acting import Decision
from handraise.service import questions
from handraise.service.inbox import InboxChoice, InboxItem, place_of

router = APIRouter(prefix="/api/v1", tags=["handoffs"], responses=documented())


class HandoffsAsked(Paged):
    """Which handoffs."""

    lane: Annotated[Literal["sales", "find_buyer", "top_down"] | None, Field(description="Of this lane only.")] = None
    priority: Annotated[Literal["high", "medium", "low"] | None, Field(description="Of this priority only.")] = None
    lang: Language = None


class DecisionsAsked(Paged):
    """Which decisions."""


@router.get("/handoffs", operation_id="list_handoffs", summary="List handoffs")
def list_handoffs(host: HostOf, _: Reader, asked: Annotated[HandoffsAsked, Query()]) -> Page[InboxItem]:
    """Handoffs that are under way, the most urgent first, each with its reasons. Needs the scope `read`."""
    choice = InboxChoice(
        lane=asked.lane,
        priority=asked.priority,
        limit=asked.limit + 1,
        after=place_in("handoffs", asked, tuple[Whole, Text, Whole]),
    )
    with host.reading() as project:
        found = questions.inbox(project, choice=choice, language=asked.lang, now=host.now())
    rows, following = cut("handoffs", asked, found, lambda row: place_of(row.handoff))
    return Page[InboxItem](rows=rows, next=following)


@router.get("/decisions/{account_id:path}", operation_id="list_decisions", summary="What was decided about an account")
def list_decisions(
    host: HostOf, _: Reader, account_id: Id, asked: Annotated[DecisionsAsked, Query()]
) -> Page[Decision]:
    """Every decision about an account, also those not to act, the latest first. Needs the scope `read`."""
    after = place_in(f"decisions {account_id}", asked, tuple[Whole])
    with host.ledger.reading() as connection:
        found = acting.list_decisions(connection, account_id, before=after[0] if after else None, limit=asked.limit + 1)
    rows, following = cut(f"decisions {account_id}", asked, found, lambda row: (row.id,))
    return Page[Decision](rows=rows, next=following)
