"""The roster in force: the playbook's people, teams and territories, with what was told by the API laid over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
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
_KINDS: tuple[RosterKind, ...] = get_args(RosterKind)
# Kind → name → what was told; one of these; and one that the rules leave no room for.
_Told = Mapping[str, Mapping[str, Any]]
_Entry = tuple[RosterKind, str, Any]
_Misfit = tuple[_Entry, ValidationError]


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
class Stale:
    """Something that was told and fits no more, so that it does not hold.

    Attributes:
        kind: reps, teams or territories.
        name: Its name.
        reason: Why, such as a person whom the playbook does not have any more.
    """

    kind: RosterKind
    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Who sells.

    Attributes:
        reps: Everybody, with how much they have.
        queues: Team → handoffs in its queue that are nobody's.
        routing: The rules in force.
        told: Kind → names whose entry was told by the API.
        stale: Those of them that do not hold.
    """

    reps: tuple[RepNow, ...]
    queues: Mapping[str, int]
    routing: Routing
    told: Mapping[str, tuple[str, ...]]
    stale: tuple[Stale, ...]


def in_force(connection: Connection, rules: Handoffs) -> Handoffs:
    """The rules with the roster as it is now; of what was told, what the playbook leaves no room for is left out."""
    routing, stale = _fitting(rules.routing, told.told_roster(connection))
    for (kind, name, _), error in stale:
        _log.warning("what was told fits no more", kind=kind, name=name, reason=_first_fault(error)[1])
    return rules.model_copy(update={"routing": routing})


def _fitting(routing: Routing, told_now: _Told) -> tuple[Routing, list[_Misfit]]:
    """The rules with all that fits laid over them, and what does not, with why."""
    # People first, as teams and territories name them.
    waiting = [(kind, name, body) for kind in _KINDS for name, body in told_now.get(kind, {}).items()]
    misfits: list[_Misfit] = []
    while waiting:  # what does not fit at first may once others are there
        routing, misfits = _laid_in_halves(routing, waiting)
        if len(misfits) == len(waiting):
            break
        waiting = [entry for entry, _ in misfits]
    return routing, misfits


def _laid_in_halves(routing: Routing, entries: list[_Entry]) -> tuple[Routing, list[_Misfit]]:
    """All at once if they fit, else half by half: a few that do not are found without trying each."""
    try:
        return _laid_over(routing, entries), []
    except ValidationError as error:
        if len(entries) == 1:
            return routing, [(entries[0], error)]
    middle = len(entries) // 2
    routing, first = _laid_in_halves(routing, entries[:middle])
    routing, second = _laid_in_halves(routing, entries[middle:])
    return routing, [*first, *second]


def _worsened(routing: Routing, before: _Told, after: _Told) -> _Misfit | None:
    """Something that does not fit after a change and did before it; what did not before is not judged again."""
    known = {entry[:2] for entry, _ in _fitting(routing, before)[1]}
    return next((misfit for misfit in _fitting(routing, after)[1] if misfit[0][:2] not in known), None)


def _without(told_now: _Told, kind: RosterKind, name: str) -> dict[str, Mapping[str, Any]]:
    rest = {one: body for one, body in told_now.get(kind, {}).items() if one != name}
    return {**told_now, kind: rest}


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
    entries = told.told_roster(connection)
    routing, misfits = _fitting(rules.routing, entries)
    rules = rules.model_copy(update={"routing": routing})
    loads = loads_of(connection, routing)
    return Roster(
        reps=tuple(_rep_now(rep, rules, loads.get(rep, Load()).under_way, now) for rep in sorted(routing.reps)),
        queues=assigning.queues(connection),
        routing=routing,
        told={kind: tuple(names) for kind, names in entries.items()},
        stale=tuple(Stale(kind=kind, name=name, reason=_first_fault(error)[1]) for (kind, name, _), error in misfits),
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
        InputError: The entry makes no sense, or something that was told fits no more because of it.
    """
    with ledger.transaction() as connection:
        take_turn(connection)
        others = _without(told.told_roster(connection), kind, name)
        worse = _worsened(rules.routing, others, {**others, kind: {**others[kind], name: body}})
        if worse:
            at, said = _first_fault(worse[1])
            raise InputError(said, where=at or f"{kind}.{name}", todo=_LOOK) from worse[1]
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
        before = told.told_roster(connection)
        if not told.forget_roster(connection, kind, name):
            raise NotFoundError(f"nothing was told about {name!r} of the {kind}.", todo=_LOOK)
        worse = _worsened(rules.routing, before, _without(before, kind, name))
        if worse:
            raise ConflictError(_first_fault(worse[1])[1], todo="Change what names it first.") from worse[1]
        _note(connection, kind, name, "forget", actor=actor, now=now)


def _note(connection: Connection, kind: str, name: str, what: str, *, actor: str, now: datetime) -> None:
    record(connection, actor=actor, action=f"roster.{what}", object=f"{kind} {name}", details={}, now=now)


def _first_fault(error: ValidationError) -> tuple[str, str]:
    """Where it is, and what it is."""
    first = error.errors()[0]
    said = str(first["msg"]).removeprefix("Value error, ")
    return ".".join(str(part) for part in first["loc"]), said if said.endswith(".") else f"{said}."


def _laid_over(routing: Routing, entries: list[_Entry]) -> Routing:
    body = routing.model_dump(mode="json")
    for kind, name, told_of_it in entries:
        body[kind][name] = told_of_it
    return Routing.model_validate(body)


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
