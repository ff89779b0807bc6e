"""Accounts, the best first."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from handraise.errors import NotFoundError
from handraise.faces.api.asked import Asked, AsOf, HostOf, Id, Language, Name
from handraise.faces.api.auth import Reader
from handraise.faces.api.pages import DayPage, Paged, Text, Whole, cut, place_in
from handraise.faces.api.problems import documented
from handraise.records import AccountScore
from handraise.service import questions
from handraise.service.explain import nearest_ids
from handraise.service.lists import Choice, place_of

router = APIRouter(prefix="/api/v1", tags=["scores"], responses=documented())
Place = tuple[Whole, Whole, Text]


class AccountsAsked(Paged):
    """Which accounts, in which order."""

    tier: Annotated[int | None, Field(ge=1, le=1000, description="Of this tier only; 1 is the best.")] = None
    segment: Annotated[Name | None, Field(description="Of this segment of the playbook only.")] = None
    sort: Annotated[
        Literal["tier", "score", "risen", "active_people", "people_points"],
        Field(description="Largest first; `tier`: the best tier first, then by score; `risen`: those that rose only."),
    ] = "tier"
    as_of: AsOf = None
    lang: Language = None


class AccountAsked(Asked):
    """How one account is shown."""

    as_of: AsOf = None
    lang: Language = None


class AccountOfDay(BaseModel):
    """One account."""

    as_of: date = Field(description="The day that was scored.")
    account: AccountScore


@router.get("/accounts", operation_id="list_accounts", summary="List accounts")
def list_accounts(host: HostOf, _: Reader, asked: Annotated[AccountsAsked, Query()]) -> DayPage[AccountScore]:
    """Accounts with their receipts and strongest people. Needs the scope `read`."""
    choice = Choice(
        tier=asked.tier,
        segment=asked.segment,
        sort=asked.sort,
        limit=asked.limit + 1,
        after=place_in("accounts", asked, Place),
    )
    with host.reading() as project:
        found = questions.accounts(project, choice=choice, as_of=asked.as_of, language=asked.lang, now=host.now())
    rows, following = cut("accounts", asked, found.rows, lambda row: place_of(row, asked.sort))
    return DayPage[AccountScore](rows=rows, next=following, as_of=found.day.as_of, newer=found.day.newer)


@router.get(
    "/accounts/{account_id:path}",
    operation_id="get_account",
    summary="One account",
    responses=documented("not-found", always=False),
)
def get_account(host: HostOf, _: Reader, account_id: Id, asked: Annotated[AccountAsked, Query()]) -> AccountOfDay:
    """An account with its receipt and strongest people. Needs the scope `read`."""
    choice = Choice(account_id=account_id, limit=1)
    with host.reading() as project:
        found = questions.accounts(project, choice=choice, as_of=asked.as_of, language=asked.lang, now=host.now())
        if not found.rows:
            said = f"no account has the id {account_id!r} as of {found.day.as_of}."
            raise NotFoundError(said, todo=nearest_ids(project, account_id))
    return AccountOfDay(as_of=found.day.as_of, account=found.rows[0])
