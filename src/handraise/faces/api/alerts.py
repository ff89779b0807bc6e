"""Where the team is told about handoffs, and what became of the messages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from handraise.alerts.protocol import Reach
from handraise.faces.api.asked import MOST_NUMBER, HostOf
from handraise.faces.api.auth import Reader, Writer
from handraise.faces.api.pages import Page, Paged, Whole, cut, place_in
from handraise.faces.api.problems import documented
from handraise.ledger.outbox import Entry
from handraise.playbook.schema import Playbook
from handraise.records.alerting import Outcome
from handraise.service import alert_desk
from handraise.service.alert_desk import DestinationShown
from handraise.service.host import Host

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=documented())
DestinationName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,62}$", examples=["sales_channel"])]
_LONGEST = 1000


class UndeliveredAsked(Paged):
    """Which messages."""


class ReplayWanted(BaseModel):
    """Which messages are sent again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ids": [17]}]})

    ids: Annotated[
        list[Annotated[int, Field(ge=1, le=MOST_NUMBER)]] | None,
        Field(min_length=1, max_length=_LONGEST, description="Their numbers."),
    ] = None
    everything: Annotated[bool, Field(description="All of them, instead of `ids`.")] = False

    @model_validator(mode="after")
    def _says_which(self) -> ReplayWanted:
        if (self.ids is None) != self.everything:
            raise ValueError("name `ids`, or say `everything: true`")
        return self


class Replayed(BaseModel):
    """How many messages wait again."""

    waiting: int


@router.get("/alerts", operation_id="list_alert_destinations", summary="Where the team is told")
def list_destinations(host: HostOf, _: Reader) -> list[DestinationShown]:
    """The playbook's destinations, and how many messages wait, were sent, and did not arrive. Needs the scope `read`."""
    return alert_desk.destinations(host.ledger, _playbook(host), _reach(host), host.now())


@router.get("/alerts/dead", operation_id="list_undelivered_alerts", summary="Messages that did not arrive")
def list_undelivered(host: HostOf, _: Reader, asked: Annotated[UndeliveredAsked, Query()]) -> Page[Entry]:
    """Messages that will not be taken (`dead`), or may have arrived (`unsure`), the oldest first. Needs the scope `read`."""
    after = place_in("alerts", asked, tuple[Whole])
    found = list(alert_desk.undelivered(host.ledger, after=after[0] if after else 0, limit=asked.limit + 1))
    rows, following = cut("alerts", asked, found, lambda row: (row.id,))
    return Page[Entry](rows=rows, next=following)


@router.post(
    "/alerts/replay",
    operation_id="replay_alerts",
    summary="Send messages again",
    responses=documented("not-found", always=False),
)
def replay(host: HostOf, caller: Writer, wanted: ReplayWanted) -> Replayed:
    """Those that did not arrive, or may not have. Needs the scope `write`."""
    return Replayed(waiting=alert_desk.replay(host.ledger, wanted.ids, actor=caller.actor, now=host.now()))


@router.post(
    "/alerts/{name}/resume",
    operation_id="resume_alerts",
    summary="Send to a paused destination again",
    responses=documented("not-found", "conflict", always=False),
)
def resume(host: HostOf, caller: Writer, name: DestinationName) -> list[DestinationShown]:
    """Messages that waited for it go out; all destinations are the answer. Needs the scope `write`."""
    alert_desk.resume(host.ledger, _playbook(host), name, actor=caller.actor, now=host.now())
    return alert_desk.destinations(host.ledger, _playbook(host), _reach(host), host.now())


@router.post(
    "/alerts/{name}/test",
    operation_id="test_alerts",
    summary="Send a test message",
    responses=documented("not-found", always=False),
)
def try_out(host: HostOf, _: Writer, name: DestinationName) -> Outcome:
    """Now, whatever the hour; the answer says what became of it. Needs the scope `write`."""
    message = f"msg_test_{host.random(12).hex()}"
    return alert_desk.send_test(_playbook(host), name, _reach(host), message_id=message, now=host.now())


def _playbook(host: Host) -> Playbook:
    return host.playbook.loaded.playbook


def _reach(host: Host) -> Reach:
    return Reach(environment=host.environment)
