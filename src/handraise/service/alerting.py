"""Telling the team: what is put into the outbox when something is decided or said, and what its messages say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import Connection

from handraise.alerts.timing import first_at
from handraise.errors import HandraiseError
from handraise.ledger import acting, calls, outbox
from handraise.ledger.store import Ledger
from handraise.playbook.alerts import Destination
from handraise.playbook.schema import Playbook
from handraise.playbook.section import Language
from handraise.records.acting import Decision, Handoff
from handraise.records.alerting import AlertItem, AlertKind, Notice
from handraise.service.inbox import InboxItem, items_of, sentences
from handraise.service.project import Project, ensure_scored

_OF_OUTCOME: dict[str, AlertKind] = {
    "handoff": "created",
    "joined": "joined",
    "sunset": "ended",
    "nurture": "nurture",
}
_log = structlog.get_logger()
_HANDOFF, _DECISION = "handoff", "decision"


def tell_decision(connection: Connection, playbook: Playbook, made: Decision) -> None:
    """Put what was decided into the outbox, in the transaction that decided it."""
    kind = _OF_OUTCOME.get(made.outcome)
    if not playbook.alerts.destinations or kind is None or (kind != "nurture" and made.handoff is None):
        return
    if made.handoff is None:
        notice = Notice(object=f"{_DECISION} {made.id}", kind=kind, lane=made.lane, priority=made.priority)
        _put(connection, playbook, notice, made.at)
        return
    handoff = calls.find_handoff(connection, made.handoff)
    urgent = made.because == "hand_raise" and made.priority == "high"
    _put(connection, playbook, _notice(handoff, kind, urgent=urgent), made.at)


def tell_change(connection: Connection, playbook: Playbook | None, before: Handoff, *, now: datetime) -> None:
    """Put what changed about a handoff into the outbox, in the transaction that changed it; None = nobody is told."""
    if playbook is None or not playbook.alerts.destinations:
        return
    after = calls.find_handoff(connection, before.id)
    for kind in _changes(before, after):
        _put(connection, playbook, _notice(after, kind), now)


def _changes(before: Handoff, after: Handoff) -> Iterable[AlertKind]:
    if before.closed_at and after.closed_at is None:
        yield "reopened"
    if after.owner != before.owner and after.closed_at is None:
        yield "assigned"
    if after.closed_at and before.closed_at is None:
        yield "ended"


def _notice(handoff: Handoff, kind: AlertKind, *, urgent: bool = False) -> Notice:
    return Notice(
        object=f"{_HANDOFF} {handoff.id}",
        kind=kind,
        lane=handoff.lane,
        priority=handoff.priority,
        owner=handoff.owner,
        urgent=urgent,
    )


def _put(connection: Connection, playbook: Playbook, notice: Notice, now: datetime) -> None:
    for name, rules in playbook.alerts.destinations.items():
        if rules.takes(notice):
            run_at = first_at(rules, zone_of(rules, playbook), now, urgent=notice.urgent)
            outbox.put(connection, name, notice, run_at=run_at, now=now)


def zone_of(rules: Destination, playbook: Playbook) -> str:
    """The time zone of a destination's clock."""
    return rules.timezone or playbook.handoffs.hours.timezone


def alert_items(
    project: Project, ledger: Ledger, objects: Sequence[str], language: Language, now: datetime
) -> dict[str, AlertItem]:
    """What is to be said about handoffs and decisions as they are now; those that are gone are not in it.

    Args:
        project: For names.
        ledger: Its ledger.
        objects: Such as `handoff 12`.
        language: Of the reasons.
        now: The present instant.
    """
    numbers: dict[str, list[int]] = {_HANDOFF: [], _DECISION: []}
    for one in objects:
        kind, _, number = one.partition(" ")
        numbers[kind].append(int(number))
    with ledger.reading() as connection:
        handoffs = acting.handoffs_numbered(connection, numbers[_HANDOFF])
        decisions = acting.decisions_numbered(connection, numbers[_DECISION])
    names = [*(f"{_HANDOFF} {one.id}" for one in handoffs), *(f"{_DECISION} {one.id}" for one in decisions)]
    shown = _with_names(project, [*handoffs, *map(_as_handoff, decisions)], language, now)
    return {name: _item(name, one) for name, one in zip(names, shown, strict=True)}


def _as_handoff(made: Decision) -> Handoff:
    """A decision for which nobody is asked to act, in the shape of one for which somebody is."""
    return Handoff(
        id=made.id,
        account_id=made.account_id,
        person_id=made.person_id,
        lane=made.lane,
        priority=made.priority,
        status="automated",
        owner=None,
        created_at=made.at,
        due_at=None,
        limit_at=None,
        closed_at=None,
        playbook=made.playbook,
        version=0,
        reasons=made.reasons,
    )


def _with_names(project: Project, found: Sequence[Handoff], language: Language, now: datetime) -> list[InboxItem]:
    """With names; where there are no scores, and so no names to be had, ids have to do."""
    try:
        ensure_scored(project, None, now)
        return items_of(project, found, language)
    except HandraiseError as error:
        _log.warning("alerts are sent without names", reason=error.what)
        return [_nameless(one, project, language) for one in found]


def _nameless(one: Handoff, project: Project, language: Language) -> InboxItem:
    return InboxItem(
        handoff=one,
        account_name=None,
        tier=None,
        score=None,
        person_name=None,
        person_title=None,
        because=sentences(one.reasons, project.loaded.playbook, language),
    )


def _item(name: str, shown: InboxItem) -> AlertItem:
    one = shown.handoff
    return AlertItem(
        object=name,
        number=one.id,
        account_id=one.account_id,
        account_name=shown.account_name,
        person_id=one.person_id,
        person_name=shown.person_name,
        person_title=shown.person_title,
        lane=one.lane,
        priority=one.priority,
        status="closed" if one.closed_at else one.status,
        owner=one.owner,
        queue=one.queue,
        due_at=one.due_at,
        closed_at=one.closed_at,
        because=shown.because,
        version=one.version,
    )
