"""How the server is doing: for whoever restarts it, whoever sends it requests, and whoever draws curves."""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from handraise.faces.api.asked import HostOf
from handraise.faces.api.metrics import CONTENT_TYPE, Metrics
from handraise.service.follower import FAR_BEHIND
from handraise.service.host import Host

router = APIRouter(tags=["state"])


class Health(BaseModel):
    """That the server lives, and a few facts."""

    status: Literal["ok"] = "ok"
    version: str = Field(description="Of handraise.")
    playbook: str = Field(description="Content hash of the playbook in use.")
    playbook_refused: str = Field(description="Why the playbook's file as it is now is not used; empty = it is.")
    scored_at: datetime | None = Field(description="When scores were last brought up to date since the start.")
    behind: int = Field(description="Bytes of the log that are still to be taken in.")
    calls: int = Field(description="Calls taken in since the start.")
    accepted: int = Field(description="Calls accepted since the start.")
    durable: int = Field(description="Where the log ends.")
    failing: bool = Field(description="Following the log failed the last time; the server's output says why.")


class Readiness(BaseModel):
    """Whether requests should be sent here."""

    ready: bool
    reasons: list[str] = Field(description="Why not.")


@router.get("/health", operation_id="health", summary="Is the server alive?")
async def health(host: HostOf) -> Health:
    """Answers 200 as long as the process can answer at all. Needs no key."""
    progress = host.follower.progress
    return Health(
        version=version("handraise"),
        playbook=host.playbook.loaded.content_hash,
        playbook_refused=host.playbook.refused,
        scored_at=progress.scored_at,
        behind=progress.behind,
        calls=progress.calls,
        accepted=host.door.accepted,
        durable=host.log.durable,
        failing=bool(progress.failure),
    )


@router.get(
    "/ready",
    operation_id="ready",
    summary="Can events be sent here?",
    responses={503: {"model": Readiness, "description": "They cannot, or the scores are far behind"}},
)
async def ready(host: HostOf, response: Response) -> Readiness:
    """Answers 200 when the log can be written and the scores follow it, else 503 with reasons. Needs no key."""
    reasons = why_not_ready(host)
    if reasons:
        response.status_code = 503
    return Readiness(ready=not reasons, reasons=reasons)


def why_not_ready(host: Host) -> list[str]:
    """What keeps the server from doing its work, in words."""
    progress = host.follower.progress
    found = {
        "the log cannot be written": host.door.failing,
        "the disk is full": not host.log.room,
        "following the log fails": bool(progress.failure),
        "the scores are far behind the log": progress.behind >= FAR_BEHIND,
        "the log is damaged": bool(progress.damaged or host.log.opened.damaged),
    }
    return [reason for reason, holds in found.items() if holds]


def _metrics_of(request: Request) -> Metrics:
    found: Metrics = request.app.state.metrics
    return found


@router.get("/metrics", operation_id="metrics", summary="Numbers for Prometheus", response_class=Response)
async def metrics(found: Annotated[Metrics, Depends(_metrics_of)]) -> Response:
    """What happened since the start, and how things stand, in Prometheus' text format. Needs no key."""
    return Response(found.text(), media_type=CONTENT_TYPE)
