"""Why somebody has a score, and how it came to be."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from handraise.faces.api.asked import Asked, AsOf, Day, HostOf, Id, Language
from handraise.faces.api.auth import Reader
from handraise.faces.api.pages import Page, Paged, Text, cut, place_in
from handraise.faces.api.problems import documented
from handraise.records import Explanation, PastScore
from handraise.service import questions
from handraise.service.past import Entity, past_scores

router = APIRouter(prefix="/api/v1", tags=["scores"], responses=documented("not-found"))


class ExplainAsked(Asked):
    """Which day is explained, and against which."""

    as_of: AsOf = None
    against: Annotated[Day | None, Field(description="An earlier day to compare with.")] = None
    lang: Language = None


class Explanations(BaseModel):
    """The receipts of one id."""

    rows: list[Explanation]


class HistoryAsked(Paged):
    """A part of a history."""


@router.get("/explain/{entity_id:path}", operation_id="explain", summary="The receipts of a person or an account")
def explain(host: HostOf, _: Reader, entity_id: Id, asked: Annotated[ExplainAsked, Query()]) -> Explanations:
    """Every receipt of an id: an account's, or a person's in each account. Needs the scope `read`."""
    with host.reading() as project:
        found = questions.explain(
            project,
            entity_id=entity_id,
            as_of=asked.as_of,
            against=asked.against,
            language=asked.lang,
            now=host.now(),
        )
    return Explanations(rows=found)


@router.get(
    "/history/accounts/{account_id:path}", operation_id="account_history", summary="How an account's score changed"
)
def account_history(
    host: HostOf, _: Reader, account_id: Id, asked: Annotated[HistoryAsked, Query()]
) -> Page[PastScore]:
    """The days on which the score or its reasons changed, the latest first. Needs the scope `read`."""
    return _history(host, "account", account_id, asked)


@router.get("/history/people/{person_id:path}", operation_id="person_history", summary="How a person's score changed")
def person_history(host: HostOf, _: Reader, person_id: Id, asked: Annotated[HistoryAsked, Query()]) -> Page[PastScore]:
    """The days on which the score or its reasons changed, in each account, the latest first. Needs the scope `read`."""
    return _history(host, "person", person_id, asked)


def _history(host: HostOf, entity: Entity, entity_id: str, asked: HistoryAsked) -> Page[PastScore]:
    name = f"history of {entity} {entity_id}"
    after = place_in(name, asked, tuple[date, Text])
    with host.reading() as project:
        found = past_scores(project, entity, entity_id, limit=asked.limit + 1, after=after)
    rows, following = cut(name, asked, found, lambda row: (row.as_of, row.account_id))
    return Page[PastScore](rows=rows, next=following)
