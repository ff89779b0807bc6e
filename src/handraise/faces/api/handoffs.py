"""Who is asked to act, and what was decided about an account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from handraise.faces.api.asked import NO_NUL, Asked, HostOf, Id, Language, Number
from handraise.faces.api.auth import Caller, Reader, Writer
from handraise.faces.api.pages import Page, Paged, Text, Whole, cut, place_in
from handraise.faces.api.problems import documented
from handraise.handoffs.calls import MOST_MONEY
from handraise.ledger import acting
from handraise.records.acting import Call, CallKind, Decision, Handoff
from handraise.service import questions
from handraise.service.calling import Told, say, told, undo
from handraise.service.inbox import InboxChoice, InboxItem, place_of

router = APIRouter(prefix="/api/v1", tags=["handoffs"], responses=documented())


Words = Annotated[str, Field(min_length=1, max_length=2000, pattern=NO_NUL)]


class HandoffsAsked(Paged):
    """Which handoffs."""

    lane: Annotated[Literal["sales", "find_buyer", "top_down"] | None, Field(description="Of this lane only.")] = None
    priority: Annotated[Literal["high", "medium", "low"] | None, Field(description="Of this priority only.")] = None
    owner: Annotated[Words | None, Field(description="Of this person only, and what they may claim.")] = None
    queue: Annotated[Words | None, Field(description="Of this team's queue only.")] = None
    lang: Language = None


Instant = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(9000, 1, 1, tzinfo=UTC))]


class CallWanted(BaseModel):
    """What is said about a handoff."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "reject", "reason": "not_icp"}]})

    kind: CallKind
    by: Annotated[Words | None, Field(description="Whose words they are; without it, the key's.")] = None
    person_id: Annotated[Words | None, Field(description="With whom; without it, whom the handoff names.")] = None
    reason: Annotated[Words | None, Field(description="Of a rejection or a loss.")] = None
    channel: Annotated[Words | None, Field(description="Of a contact, such as email.")] = None
    until: Annotated[Instant | None, Field(description="Of a snooze.")] = None
    to: Annotated[Words | None, Field(description="Who gets it, for `reassign`.")] = None
    amount: Annotated[float | None, Field(ge=0, le=MOST_MONEY, description="Of an opportunity or a deal.")] = None
    note: Annotated[Words | None, Field(description="In words.")] = None
    signal: Annotated[Words | None, Field(description="The trigger that is rated.")] = None
    rating: Annotated[int | None, Field(ge=1, le=5, description="From 1, a waste of time, to 5, just right.")] = None


class HandoffAsked(Asked):
    """In which words."""

    lang: Language = None


class HandoffShown(BaseModel):
    """One handoff, with names and reasons in words."""

    handoff: Handoff
    state: str = Field(description="Where its account stands now.")
    calls: list[Call] = Field(description="Everything that was said about it, oldest first.")
    account_name: str | None
    person_name: str | None
    person_title: str | None
    because: list[str] = Field(description="Its reasons, the strongest first.")


class UndoWanted(BaseModel):
    """Whose last words are taken back."""

    model_config = ConfigDict(extra="forbid")

    by: Annotated[Words | None, Field(description="Whose words they were; without it, the key's.")] = None


class DecisionsAsked(Paged):
    """Which decisions."""


@router.get("/handoffs", operation_id="list_handoffs", summary="List handoffs")
def list_handoffs(host: HostOf, _: Reader, asked: Annotated[HandoffsAsked, Query()]) -> Page[InboxItem]:
    """Handoffs that are under way, the most urgent first, each with its reasons. Needs the scope `read`."""
    choice = InboxChoice(
        lane=asked.lane,
        priority=asked.priority,
        owner=asked.owner,
        queue=asked.queue,
        limit=asked.limit + 1,
        after=place_in("handoffs", asked, tuple[Whole, Text, Whole]),
    )
    with host.reading() as project:
        found = questions.inbox(project, choice=choice, language=asked.lang, now=host.now())
    rows, following = cut("handoffs", asked, found, lambda row: place_of(row.handoff))
    return Page[InboxItem](rows=rows, next=following)


@router.get(
    "/decisions/{account_id:path}",
    operation_id="list_decisions",
    summary="What was decided about an account",
    responses=documented("not-found", always=False),
)
def list_decisions(
    host: HostOf, _: Reader, account_id: Id, asked: Annotated[DecisionsAsked, Query()]
) -> Page[Decision]:
    """Every decision about an account, also those not to act, the latest first. Needs the scope `read`."""
    after = place_in(f"decisions {account_id}", asked, tuple[Whole])
    with host.ledger.reading() as connection:
        found = acting.list_decisions(connection, account_id, before=after[0] if after else None, limit=asked.limit + 1)
    rows, following = cut(f"decisions {account_id}", asked, found, lambda row: (row.id,))
    return Page[Decision](rows=rows, next=following)


@router.get(
    "/handoffs/{number}",
    operation_id="get_handoff",
    summary="One handoff",
    responses=documented("not-found", always=False),
)
def get_handoff(host: HostOf, _: Reader, number: Number, asked: Annotated[HandoffAsked, Query()]) -> HandoffShown:
    """A handoff with names and reasons in words, and everything that was said about it. Needs the scope `read`."""
    found = told(host.ledger, number)
    with host.reading() as project:
        item = questions.handoff_item(project, number=number, language=asked.lang, now=host.now())
    return HandoffShown(
        handoff=found.handoff,
        state=found.state,
        calls=list(found.calls),
        account_name=item.account_name,
        person_name=item.person_name,
        person_title=item.person_title,
        because=list(item.because),
    )


@router.post(
    "/handoffs/{number}/calls",
    operation_id="say",
    summary="Say what becomes of a handoff",
    responses=documented("not-found", "conflict", "invalid-input", always=False),
)
def call(host: HostOf, caller: Writer, number: Number, wanted: CallWanted) -> Told:
    """Claim it, accept or reject it, say that somebody was contacted, and so on. Needs the scope `write`."""
    said = Call(**{**wanted.model_dump(), "by": _who(caller, wanted.by), "at": host.now()})
    playbook = host.playbook.loaded.playbook
    return say(host.ledger, number, said, playbook.handoffs, playbook)


@router.post(
    "/handoffs/{number}/undo",
    operation_id="undo",
    summary="Take back what was said last",
    responses=documented("not-found", "conflict", always=False),
)
def take_back(host: HostOf, caller: Writer, number: Number, wanted: UndoWanted) -> Told:
    """The handoff and its account are as they were before. Needs the scope `write`."""
    playbook = host.playbook.loaded.playbook
    by = _who(caller, wanted.by)
    return undo(host.ledger, number, playbook.handoffs, by=by, now=host.now(), tell=playbook)


def _who(caller: Caller, by: str | None) -> str:
    return by or caller.actor
