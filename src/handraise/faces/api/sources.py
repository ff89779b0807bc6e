"""Where events come from: sources and their write keys, and what became of everything that they sent."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from handraise.errors import NotFoundError
from handraise.events.call_intake import Counts
from handraise.faces.api.asked import NO_NUL, HostOf, Number, Slug
from handraise.faces.api.auth import Admin, Reader
from handraise.faces.api.pages import Page, Paged, Text, Whole, cut, place_in
from handraise.faces.api.problems import ProblemError, documented
from handraise.ledger import keys
from handraise.ledger.keys import Source, WriteKey
from handraise.service import questions

router = APIRouter(prefix="/api/v1", tags=["sources"], responses=documented())


class SourcesAsked(Paged):
    """A part of the sources."""


class KeysAsked(Paged):
    """A part of the keys."""


class SourceWanted(BaseModel):
    """A source to be made."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"id": "web", "name": "The web app"}]})

    id: Annotated[
        str,
        Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="Small letters, digits and hyphens, at most 63."),
    ]
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL, description="For people.")]


class MadeKey(BaseModel):
    """A write key that was just made."""

    id: int = Field(description="Number of the key.")
    source_id: str = Field(description="Whose events it lets in.")
    write_key: str = Field(description="The key. It is not shown again.", examples=["hrw_…"])


class Accounted(BaseModel):
    """What became of everything that one source sent and that was taken in."""

    source: str = Field(description="Its id; `unknown` = sent without a key that works.")
    received: int = Field(description="accepted + duplicate + quarantined + refused.")
    accepted: int = Field(description="Stored, or of no use here and passed over.")
    duplicate: int = Field(description="Known already.")
    quarantined: int = Field(description="Set aside with a reason.")
    refused: int = Field(description="Answered with an error, so that the sender knows that it is not stored.")
    passed_over: int = Field(description="Of those accepted, of no use here.")


class Waiting(BaseModel):
    """What is not in the counts yet."""

    log_bytes: int = Field(description="Of the log: stored, and still to be taken in.")
    memory_bytes: int = Field(description="Received, and not acknowledged yet.")
    refused: dict[str, int] = Field(description="Reason → calls refused in the last second.")


class Accounting(BaseModel):
    """What became of everything that was sent: `received = accepted + duplicate + quarantined + refused`."""

    rows: list[Accounted]
    waiting: Waiting


@router.get("/sources", operation_id="list_sources", summary="List sources")
def list_sources(host: HostOf, _: Reader, asked: Annotated[SourcesAsked, Query()]) -> Page[Source]:
    """Places that events come from, by id. Needs the scope `read`."""
    after = place_in("sources", asked, tuple[Text])
    with host.ledger.reading() as connection:
        found = [one for one in keys.list_sources(connection) if after is None or one.id > after[0]]
    rows, following = cut("sources", asked, found, lambda row: (row.id,))
    return Page[Source](rows=rows, next=following)


@router.post(
    "/sources",
    operation_id="create_source",
    summary="Make a source",
    status_code=201,
    responses=documented("conflict", always=False),
)
def create_source(host: HostOf, caller: Admin, wanted: SourceWanted) -> Source:
    """Add a place that events come from; it needs a key next. Needs the scope `admin`."""
    with host.ledger.transaction() as connection:
        return keys.create_source(connection, source_id=wanted.id, name=wanted.name, actor=caller.actor, now=host.now())


@router.post(
    "/sources/{source_id}/disable",
    operation_id="disable_source",
    summary="Let nothing of a source in",
    responses=documented("not-found", "conflict", always=False),
)
def disable_source(host: HostOf, caller: Admin, source_id: Slug) -> Source:
    """None of its keys lets anything in from now on. Needs the scope `admin`."""
    with host.ledger.transaction() as connection:
        _known(connection, source_id)
        if not keys.disable_source(connection, source_id, actor=caller.actor, now=host.now()):
            raise ProblemError("conflict", f"the source {source_id!r} is disabled already.")
        found = _known(connection, source_id)
    host.door.keys.look_again()
    return found


@router.get(
    "/sources/{source_id}/keys",
    operation_id="list_write_keys",
    summary="List a source's write keys",
    responses=documented("not-found", always=False),
)
def list_write_keys(host: HostOf, _: Reader, source_id: Slug, asked: Annotated[KeysAsked, Query()]) -> Page[WriteKey]:
    """Keys by their number and first characters, revoked ones too. Needs the scope `read`."""
    name = f"keys of {source_id}"
    after = place_in(name, asked, tuple[Whole])
    with host.ledger.reading() as connection:
        _known(connection, source_id)
        found = [one for one in keys.list_write_keys(connection, source_id) if after is None or one.id > after[0]]
    rows, following = cut(name, asked, found, lambda row: (row.id,))
    return Page[WriteKey](rows=rows, next=following)


@router.post(
    "/sources/{source_id}/keys",
    operation_id="create_write_key",
    summary="Make a write key",
    status_code=201,
    responses=documented("not-found", "conflict", always=False),
)
def create_write_key(host: HostOf, caller: Admin, source_id: Slug) -> MadeKey:
    """Make a key for tracking libraries; this answer is the only one that shows it. Needs the scope `admin`."""
    with host.ledger.transaction() as connection:
        _known(connection, source_id)
        made = keys.create_write_key(
            connection, source_id, actor=caller.actor, now=host.now(), random=secrets.token_bytes
        )
    host.door.keys.look_again()
    return MadeKey(id=made.id, source_id=source_id, write_key=made.plain)


@router.delete(
    "/sources/{source_id}/keys/{key_id}",
    operation_id="revoke_write_key",
    summary="Revoke a write key",
    status_code=204,
    responses=documented("not-found", always=False),
)
def revoke_write_key(host: HostOf, caller: Admin, source_id: Slug, key_id: Number) -> None:
    """Let nothing in by this key from now on. Needs the scope `admin`."""
    with host.ledger.transaction() as connection:
        mine = {one.id for one in keys.list_write_keys(connection, source_id)}
        if key_id not in mine or not keys.revoke_write_key(connection, key_id, actor=caller.actor, now=host.now()):
            raise NotFoundError(f"the source {source_id!r} has no key {key_id} that works.")
    host.door.keys.look_again()


@router.get("/ingest", operation_id="ingest", summary="What became of everything that was sent")
def ingest(host: HostOf, _: Reader) -> Accounting:
    """Counts by source, which add up, and what waits to be counted. Needs the scope `read`."""
    with host.reading() as project:
        counts = questions.ingest_counts(project)
    waiting = Waiting(
        log_bytes=host.follower.progress.behind, memory_bytes=host.door.waiting, refused=host.door.refused()
    )
    return Accounting(rows=[_accounted(name, counts[name]) for name in sorted(counts)], waiting=waiting)


def _accounted(source: str, counts: Counts) -> Accounted:
    return Accounted(source=source, **vars(counts))


def _known(connection: Connection, source_id: str) -> Source:
    for source in keys.list_sources(connection):
        if source.id == source_id:
            return source
    raise NotFoundError(f"there is no source {source_id!r}.", todo="`/api/v1/sources` lists them.")
