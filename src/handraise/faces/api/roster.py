"""Who sells: people, teams and territories, as the playbook has them and as programs tell them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from handraise.faces.api.asked import Asked, HostOf
from handraise.faces.api.auth import Admin, Caller, Reader
from handraise.faces.api.problems import documented
from handraise.playbook.routing import Rep, RosterKind, Team, Territory
from handraise.service.host import Host
from handraise.service.roster import RepNow, Stale, forget, roster_now, tell

router = APIRouter(prefix="/api/v1/roster", tags=["handoffs"], responses=documented())
_RepId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}$", examples=["kim"])]
_Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,62}$", examples=["inside_sales"])]
_CHANGED = documented("invalid-input", always=False)


class NothingAsked(Asked):
    """No parameters."""


class RosterShown(BaseModel):
    """Who sells, now."""

    reps: list[RepNow]
    teams: dict[str, Team]
    territories: dict[str, Territory]
    queues: dict[str, int] = Field(description="Team → handoffs in its queue that are nobody's.")
    told: dict[str, list[str]] = Field(description="reps, teams, territories → names that were told by the API.")
    stale: list[Stale] = Field(description="Those of them that fit no more, and do not hold.")


@router.get("", operation_id="get_roster", summary="Who sells")
def get_roster(host: HostOf, _: Reader, asked: Annotated[NothingAsked, Query()]) -> RosterShown:
    """Everybody with how much they have and whether they are at work, and the rules in force. Needs the scope `read`."""
    del asked
    return _shown(host)


@router.put("/reps/{name}", operation_id="put_rep", summary="Tell who takes handoffs", responses=_CHANGED)
def put_rep(host: HostOf, caller: Admin, name: _RepId, wanted: Rep) -> RosterShown:
    """In the place of what the playbook says of this person. Needs the scope `admin`."""
    return _tell(host, caller, "reps", name, wanted)


@router.put("/teams/{name}", operation_id="put_team", summary="Tell who is in a team", responses=_CHANGED)
def put_team(host: HostOf, caller: Admin, name: _Name, wanted: Team) -> RosterShown:
    """In the place of what the playbook says of this team. Needs the scope `admin`."""
    return _tell(host, caller, "teams", name, wanted)


@router.put(
    "/territories/{name}", operation_id="put_territory", summary="Tell whose a territory is", responses=_CHANGED
)
def put_territory(host: HostOf, caller: Admin, name: _Name, wanted: Territory) -> RosterShown:
    """In the place of what the playbook says of this territory. Needs the scope `admin`."""
    return _tell(host, caller, "territories", name, wanted)


@router.delete(
    "/{kind}/{name}",
    operation_id="forget_roster",
    summary="Let the playbook hold again",
    responses=documented("not-found", "conflict", always=False),
)
def delete(host: HostOf, caller: Admin, kind: RosterKind, name: _RepId) -> RosterShown:
    """Forget what was told about a person, a team or a territory. Needs the scope `admin`."""
    forget(host.ledger, host.playbook.loaded.playbook.handoffs, kind, name, actor=caller.actor, now=host.now())
    return _shown(host)


def _tell(host: Host, caller: Caller, kind: RosterKind, name: str, wanted: BaseModel) -> RosterShown:
    body: dict[str, Any] = wanted.model_dump(mode="json")
    rules = host.playbook.loaded.playbook.handoffs
    tell(host.ledger, rules, kind, name, body, actor=caller.actor, now=host.now())
    return _shown(host)


def _shown(host: Host) -> RosterShown:
    with host.ledger.reading() as connection:
        found = roster_now(connection, host.playbook.loaded.playbook.handoffs, host.now())
    return RosterShown(
        reps=list(found.reps),
        teams=found.routing.teams,
        territories=found.routing.territories,
        queues=dict(found.queues),
        told={kind: list(names) for kind, names in found.told.items()},
        stale=list(found.stale),
    )
