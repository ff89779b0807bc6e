"""People, the best first, each once for every account that they use the product in."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from handraise.errors import NotFoundError
from handraise.faces.api.asked import Asked, AsOf, HostOf, Id, Name
from handraise.faces.api.auth import Reader
from handraise.faces.api.pages import DayPage, Paged, Text, Whole, cut, place_in
from handraise.faces.api.problems import documented
from handraise.records import PersonScore
from handraise.service import questions
from handraise.service.explain import nearest_ids
from handraise.service.lists import Choice, place_of

router = APIRouter(prefix="/api/v1", tags=["scores"], responses=documented())
Place = tuple[Whole, Text, Text]
# More accounts than anybody uses a product in.
_MOST_ACCOUNTS = 500


class PeopleAsked(Paged):
    """Which people, in which order."""

    band: Annotated[Name | None, Field(description="Of this band of the playbook only, such as `hot`.")] = None
    account_id: Annotated[Name | None, Field(description="Of this account only.")] = None
    pql: Annotated[bool, Field(description="Those who are product-qualified leads only.")] = False
    sort: Annotated[Literal["score", "behaviour_points"], Field(description="Largest first.")] = "score"
    as_of: AsOf = None


class PersonAsked(Asked):
    """How one person is shown."""

    as_of: AsOf = None


class PersonOfDay(BaseModel):
    """One person, in each of their accounts."""

    as_of: date = Field(description="The day that was scored.")
    rows: list[PersonScore]


@router.get("/people", operation_id="list_people", summary="List people")
def list_people(host: HostOf, _: Reader, asked: Annotated[PeopleAsked, Query()]) -> DayPage[PersonScore]:
    """People with their scores. Needs the scope `read`."""
    choice = Choice(
        band=asked.band,
        account_id=asked.account_id,
        pql=asked.pql,
        sort=asked.sort,
        limit=asked.limit + 1,
        after=place_in("people", asked, Place),
    )
    with host.reading() as project:
        found = questions.people(project, choice=choice, as_of=asked.as_of, now=host.now())
    rows, following = cut("people", asked, found.rows, lambda row: place_of(row, asked.sort))
    return DayPage[PersonScore](rows=rows, next=following, as_of=found.day.as_of, newer=found.day.newer)


@router.get(
    "/people/{person_id:path}",
    operation_id="get_person",
    summary="One person",
    responses=documented("not-found", always=False),
)
def get_person(host: HostOf, _: Reader, person_id: Id, asked: Annotated[PersonAsked, Query()]) -> PersonOfDay:
    """A person's score in each of their accounts. Needs the scope `read`."""
    choice = Choice(person_id=person_id, limit=_MOST_ACCOUNTS)
    with host.reading() as project:
        found = questions.people(project, choice=choice, as_of=asked.as_of, now=host.now())
        if not found.rows:
            said = f"no person has the id {person_id!r} as of {found.day.as_of}."
            raise NotFoundError(said, todo=nearest_ids(project, person_id))
    return PersonOfDay(as_of=found.day.as_of, rows=found.rows)
