"""What was set aside: looked through, put right, tried again."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from handraise.errors import NotFoundError
from handraise.events.intake import FileCount
from handraise.faces.api.asked import HostOf, Name
from handraise.faces.api.auth import Caller, Reader, Writer
from handraise.faces.api.pages import Page, Paged, Text, Whole, cut, place_in
from handraise.faces.api.problems import documented
from handraise.ledger.audit import record
from handraise.service import aside, orders
from handraise.service.host import Host

router = APIRouter(prefix="/api/v1", tags=["quarantine"], responses=documented())
RowId = Annotated[str, Path(min_length=1, max_length=20_000, description="As the list gives it.")]
_Place = tuple[Text, Text, Whole]


class QuarantineAsked(Paged):
    """Which rows."""

    input: Annotated[Name | None, Field(description="Of this input only, such as `events`.")] = None
    format: Annotated[Name | None, Field(description="Of this format only; `call` = sent by a tracking library.")] = (
        None
    )
    source: Annotated[Name | None, Field(description="Sent by this source only.")] = None
    file: Annotated[Name | None, Field(description="Of this file only.")] = None


class AsideRow(BaseModel):
    """A row that was set aside."""

    id: str = Field(description="Names the row in the addresses below.")
    input: str = Field(description="The canonical input that it was for.")
    file: str = Field(description="The file that it is from; `log:SOURCE:POSITION` of a call.")
    line: int = Field(description="Its line in the file; of a call, its number in the request.")
    reason: str = Field(description="Why it could not be used.")
    raw: str = Field(
        description="The row as it came, as JSON. Of a call: `event`, what the request said for all of its events "
        "(`shared`), and `received_at`, each a text. In lists, its first 4,000 characters."
    )
    format: str | None = Field(description="What the file was taken for; `call` = sent by a tracking library.")
    format_table: str | None = Field(description="Which table of that format, or whose call.")


class Correction(BaseModel):
    """A row as it should have been."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"raw": '{"event_id":"1","person_id":"p","name":"open","timestamp":"2026-10-01"}'}]
        },
    )

    raw: Annotated[str, Field(min_length=1, max_length=900_000, description="The row's `raw` with the mistake mended.")]


class Outcome(BaseModel):
    """What became of a row that was put right."""

    outcome: str = Field(description="accepted, duplicate, or quarantined: still bad, see `row`.")
    row: AsideRow | None = Field(description="The row as it is in quarantine now.")


class Replayed(BaseModel):
    """What became of everything that was tried again: of each, `read = loaded + duplicate + quarantined`."""

    rows: list[FileCount]


@router.get("/quarantine", operation_id="list_quarantine", summary="List what was set aside")
def list_quarantine(host: HostOf, _: Reader, asked: Annotated[QuarantineAsked, Query()]) -> Page[AsideRow]:
    """Rows and calls with the reason why they could not be used. Needs the scope `read`."""
    wanted = aside.Wanted(input=asked.input, format=asked.format, source=asked.source, file=asked.file)
    after = place_in("quarantine", asked, _Place)
    with host.reading() as project:
        found = aside.rows_aside(project, limit=asked.limit + 1, wanted=wanted, after=after)
    rows, following = cut("quarantine", asked, found, aside.place_of_row)
    return Page[AsideRow](rows=[_shown(row) for row in rows], next=following)


@router.post("/quarantine/replay", operation_id="replay_quarantine", summary="Try everything again")
def replay_quarantine(host: HostOf, caller: Writer) -> Replayed:
    """Try every row once more under the rules of now; what is still bad stays. Needs the scope `write`."""
    done = orders.try_again(host, patience=orders.PATIENCE)
    tried, loaded = sum(count.read for count in done), sum(count.loaded for count in done)
    _note(host, caller, "quarantine.replay", {"tried": tried, "loaded": loaded})
    return Replayed(rows=done)


@router.get(
    "/quarantine/{row_id}",
    operation_id="get_quarantined",
    summary="One row that was set aside",
    responses=documented("not-found", always=False),
)
def get_quarantined(host: HostOf, _: Reader, row_id: RowId) -> AsideRow:
    """A row with the reason why it could not be used. Needs the scope `read`."""
    place = _place_of(row_id)
    with host.reading() as project:
        return _shown(aside.row_aside(project, place))


@router.post(
    "/quarantine/{row_id}/fix",
    operation_id="fix_quarantined",
    summary="Put a row right and try it again",
    responses=documented("not-found", always=False),
)
def fix_quarantined(host: HostOf, caller: Writer, row_id: RowId, correction: Correction) -> Outcome:
    """Take a row in as it should have been; if it is still bad, it stays as it is now. Needs the scope `write`."""
    place = _place_of(row_id)
    done = orders.mend(host, place=place, raw=correction.raw)
    _note(host, caller, "quarantine.fix", {"outcome": done.outcome})
    return Outcome(outcome=done.outcome, row=_shown(done.row) if done.row else None)


def _note(host: Host, caller: Caller, action: str, details: dict[str, Any]) -> None:
    with host.ledger.transaction() as connection:
        record(connection, actor=caller.actor, action=action, object="quarantine", details=details, now=host.now())


def _shown(row: dict[str, Any]) -> AsideRow:
    whole = msgspec.json.encode(aside.place_of_row(row))
    return AsideRow(id=base64.urlsafe_b64encode(whole).decode("ascii").rstrip("="), **row)


def _place_of(row_id: str) -> aside.Place:
    try:
        whole = base64.urlsafe_b64decode(row_id.encode("ascii") + b"===")
        name, file, line = msgspec.json.decode(whole, type=_Place)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise NotFoundError("there is no such row in quarantine.", todo="`/api/v1/quarantine` lists them.") from error
    return name, file, line
