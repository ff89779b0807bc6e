"""The roster in force: the playbook's people, teams and territories, with what was told by the API laid over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection

from handraise.errors import ConflictError, InputError, NotFoundError
from handraise.handoffs.hours import holidays_of, working_spans
from handraise.handoffs.routing import Load
from handraise.ledger import assigning
from handraise.ledger import roster as told
from handraise.ledger.audit import record, take_turn
from handraise.ledger.store import Ledger
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.routing import RosterKind, Routing

_log = structlog.get_logger()
_LOOK = "`handraise roster` shows who is on it."


@dataclass(frozen=True, kw_only=True)
class RepNow:
    """Somebody of the roster, at an instant.

    Attributes:
        rep: Id.
        name: For people to read; None = it has none.
        teams: Theirs.
        active: Whether they get anything at all.
        away: Whether this is one of the days on which they are not there.
        at_work: Whether this is within their working hours.
        back_at: When they next are at work; now if they are, None = never.
        under_way: Handoffs of theirs that have not ended.
        capacity: At most so many; None = any number.
    """

    rep: str
    name: str | None
    teams: tuple[str, ...]
    active: bool
    away: bool
    at_work: bool
    back_at: datetime | None
    under_way: int
    capacity: int | None


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Who sells.

    Attributes:
        reps: Everybody, with how much they have.
        queues: Team → handoffs in its queue that are nobody's.
        routing: The rules in force.
        told: Kind → names whose entry was told by the API.
    """

    reps: tuple[RepNow, ...]
    queues: Mapping[str, int]
    routing: Routing
    told: Mapping[str, tuple[str, ...]]


def in_force(connection: Connection, rules: Handoffs) -> Handoffs:
    """The rules with the roster as it is now; of what was told, what the playbook leaves no room for is left out."""
    entries = told.told_roster(connection)
    if not entries:
        return rules
    try:
        routing = _laid_over(rules.routing, entries)
    except ValidationError:
        routing = rules.routing
        for kind, name, body in _one_by_one(entries):
            try:
                routing = _laid_over(routing, {kind: {name: body}})
            except ValidationError as error:
                _log.warning("what was told fits no more", kind=kind, name=name, reason=_first_fault(error)[1])
    return rules.model_copy(update={"routing": routing})


def _one_by_one(entries: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    """People first, as teams and territories name them."""
    for kind in ("reps", "teams", "territories"):
        yield from ((kind, name, body) for name, body in entries.get(kind, {}).items())


def loads_of(connection: Connection, routing: Routing) -> dict[str, Load]:
    """Rep → how much they have, under whatever name it was given to them."""
    found: dict[str, Load] = {}
    for owner, (under_way, latest) in assigning.loads(connection).items():
        rep = routing.rep_called(owner) or owner
        before = found.get(rep, Load())
        found[rep] = Load(under_way=before.under_way + under_way, latest=max(before.latest, latest))
    return found


def roster_now(connection: Connection, rules: Handoffs, now: datetime) -> Roster:
    """Who is there, and how much they have."""
    rules = in_force(connection, rules)
    loads, routing = loads_of(connection, rules.routing), rules.routing
    entries = told.told_roster(connection)
    return Roster(
        reps=tuple(_rep_now(rep, rules, loads.get(rep, Load()).under_way, now) for rep in sorted(routing.reps)),
        queues=assigning.queues(connection),
        routing=routing,
        told={kind: tuple(names) for kind, names in entries.items()},
    )


def tell(  # noqa: PLR0913 - each is the caller's to decide
    ledger: Ledger,
    rules: Handoffs,
    kind: RosterKind,
    name: str,
    body: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Put an entry of the roster in the place of what was there.

    Raises:
        InputError: The entry, or the roster with it, makes no sense.
    """
    with ledger.transaction() as connection:
        take_turn(connection)
        entries = told.told_roster(connection)
        try:
            _laid_over(rules.routing, {**entries, kind: {**entries.get(kind, {}), name: body}})
        except ValidationError as error:
            at, said = _first_fault(error)
            raise InputError(said, where=at or f"{kind}.{name}", todo=_LOOK) from error
        told.tell_roster(connection, kind, name, body, now=now)
        roster_now(connection, rules, now)  # what cannot be worked with is not kept
        _note(connection, kind, name, "tell", actor=actor, now=now)


def forget(ledger: Ledger, rules: Handoffs, kind: RosterKind, name: str, *, actor: str, now: datetime) -> None:
    """Let what the playbook says hold again.

    Raises:
        NotFoundError: Nothing was told under this name.
        ConflictError: Something else that was told names it.
    """
    with ledger.transaction() as connection:
        take_turn(connection)
        if not told.forget_roster(connection, kind, name):
            raise NotFoundError(f"nothing was told about {name!r} of the {kind}.", todo=_LOOK)
        try:
            _laid_over(rules.routing, told.told_roster(connection))
        except ValidationError as error:
            raise ConflictError(_first_fault(error)[1], todo="Change what names it first.") from error
        _note(connection, kind, name, "forget", actor=actor, now=now)


def _note(connection: Connection, kind: str, name: str, what: str, *, actor: str, now: datetime) -> None:
    record(connection, actor=actor, action=f"roster.{what}", object=f"{kind} {name}", details={}, now=now)


def _first_fault(error: ValidationError) -> tuple[str, str]:
    """Where it is, and what it is."""
    first = error.errors()[0]
    said = str(first["msg"]).removeprefix("Value error, ")
    return ".".join(str(part) for part in first["loc"]), said if said.endswith(".") else f"{said}."


def _laid_over(routing: Routing, entries: Mapping[str, Mapping[str, Any]]) -> Routing:
    body = routing.model_dump(mode="json")
    return Routing.model_validate({**body, **{kind: {**body[kind], **part} for kind, part in entries.items()}})


def _rep_now(rep_id: str, rules: Handoffs, under_way: int, now: datetime) -> RepNow:
    rep, hours = rules.routing.reps[rep_id], rules.routing.hours_of(rep_id, rules.hours)
    spans = working_spans(hours, now, holidays_of(hours))
    today = now.astimezone(ZoneInfo(hours.timezone)).date()
    back_at = next((max(start, now) for start, _ in spans), None)
    return RepNow(
        rep=rep_id,
        name=rep.name,
        teams=rules.routing.teams_of(rep_id),
        active=rep.active,
        away=any(away.first <= today <= away.last for away in rep.away),
        at_work=back_at == now,
        back_at=back_at,
        under_way=under_way,
        capacity=rep.capacity,
    )
