"""What people may ask for: to see what is stored of them, and to have it erased."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from handraise.faces.api.asked import LONGEST_ID, NO_NUL, Asked, HostOf, Id
from handraise.faces.api.auth import Privacy
from handraise.faces.api.problems import documented
from handraise.ledger.erasures import list_erasures
from handraise.service import ledgers, orders, questions

router = APIRouter(prefix="/api/v1/privacy", tags=["privacy"], responses=documented())


class NothingAsked(Asked):
    """No parameters."""


class ErasureWanted(BaseModel):
    """Whom to erase."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"person_id": "user-17"}]})

    person_id: str = Field(min_length=1, max_length=LONGEST_ID, pattern=NO_NUL)


class ErasureShown(BaseModel):
    """An erasure; it does not say whose."""

    id: int
    subject_hash: str = Field(description="Keyed hash of the person's id.")
    requested_at: datetime
    requested_by: str = Field(description="Who asked, such as `api_key 3`.")
    status: str = Field(description="running or finished.")
    receipt: Mapping[str, int] | None = Field(description="Where how much is gone; null = not finished.")
    finished_at: datetime | None


class Erasures(BaseModel):
    """All of them, oldest first."""

    rows: list[ErasureShown]


class PersonData(BaseModel):
    """Everything that is stored of a person."""

    tables: dict[str, list[dict[str, Any]]] = Field(description="Table → its rows about the person.")


@router.get(
    "/people/{person_id:path}",
    operation_id="get_person_data",
    summary="What is stored of a person",
    responses=documented("not-found", always=False),
)
def person_data(host: HostOf, _: Privacy, person_id: Id, asked: Annotated[NothingAsked, Query()]) -> PersonData:
    """Every row about a person, with anonymous ids, aliases and addresses that are theirs alone. Needs `privacy`."""
    del asked
    with host.reading() as project:
        return PersonData(tables=questions.person_data(project, person_id=person_id))


@router.post(
    "/erasures",
    operation_id="erase_person",
    summary="Erase a person",
    status_code=201,
    responses=documented("conflict", always=False),
)
def erase(host: HostOf, caller: Privacy, wanted: ErasureWanted) -> ErasureShown:
    """Erase a person from every place; answers when everything is gone. Needs the scope `privacy`."""
    receipt = orders.erase(host, person_id=wanted.person_id, requested_by=caller.actor)
    with host.ledger.reading() as connection:
        [found] = [one for one in list_erasures(connection) if one.id == receipt.erasure]
    return _shown(found)


@router.get("/erasures", operation_id="list_erasures", summary="List erasures")
def erasures(host: HostOf, _: Privacy, asked: Annotated[NothingAsked, Query()]) -> Erasures:
    """Receipts of all erasures, and those that are not finished. Needs the scope `privacy`."""
    del asked
    with host.ledger.reading() as connection:
        return Erasures(rows=[_shown(one) for one in list_erasures(connection)])


class SuppressionWanted(BaseModel):
    """Who is not to be written to."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"ids": ["user-17", "kim@acme.com"], "reason": "unsubscribed"}]}
    )

    ids: list[Annotated[str, Field(min_length=1, max_length=LONGEST_ID, pattern=NO_NUL)]] = Field(
        min_length=1, max_length=1000, description="Ids of people, or e-mail addresses."
    )
    reason: Literal["objection", "unsubscribed", "bounced"]


class SuppressionDone(BaseModel):
    """How many it changed something for."""

    changed: int


@router.post("/suppressions", operation_id="suppress", summary="Do not write to somebody any more")
def suppress(host: HostOf, caller: Privacy, wanted: SuppressionWanted) -> SuppressionDone:
    """Nobody is asked to write to these people from now on, unless they ask themselves. Needs the scope `privacy`."""
    actor, now = caller.actor, host.now()
    changed = ledgers.suppress(host.ledger, wanted.ids, wanted.reason, actor=actor, now=now, random=host.random)
    return SuppressionDone(changed=changed)


@router.post("/suppressions/remove", operation_id="unsuppress", summary="Write to somebody again")
def unsuppress(host: HostOf, caller: Privacy, wanted: SuppressionWanted) -> SuppressionDone:
    """Take back a suppression for one reason; others hold. Needs the scope `privacy`."""
    changed = ledgers.allow_again(host.ledger, wanted.ids, wanted.reason, actor=caller.actor, now=host.now())
    return SuppressionDone(changed=changed)


def _shown(one: object) -> ErasureShown:
    return ErasureShown(**{name: getattr(one, name) for name in ErasureShown.model_fields})
