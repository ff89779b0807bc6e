"""Whose a new handoff is; and what goes to somebody else because nobody was contacted, or its owner has left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from handraise.handoffs.decide import Facts, Verdict
from handraise.handoffs.routing import Load, Routed, Router, Work
from handraise.ledger import acting, assigning
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.load import LoadedPlaybook
from handraise.records.acting import PRIORITIES, Decision, Handoff
from handraise.service.alerting import tell_change
from handraise.service.roster import loads_of


class Assigning:
    """Gives handoffs to people, and remembers within a run how much each has got.

    Args:
        connection: The transaction.
        rules: With the roster in force.
        at: When.
        concerned: Accounts, or handoffs of accounts, for which somebody may be looked for.
    """

    def __init__(
        self, connection: Connection, rules: Handoffs, at: datetime, concerned: Sequence[Facts | Handoff]
    ) -> None:
        self._connection, self._rules, self._at = connection, rules, at
        since = at - timedelta(days=rules.routing.keep_owner_days)
        wanted = [(one.account_id, one.domain) for one in concerned]
        self._previous = assigning.previous_owners(connection, wanted, since=since)
        self._loads: dict[str, Load] | None = None

    def clock(self, handoff: Handoff) -> tuple[datetime | None, datetime | None]:
        """When the first contact of one that begins anew is due, and when it is late for good."""
        owner = self._rules.routing.rep_called(handoff.owner) or handoff.owner
        return Router(self._rules, {}, self._at).clock(owner, handoff.priority)

    def to_somebody(self, facts: Facts, verdict: Verdict | Decision) -> Routed:
        """Who gets a new handoff."""
        lane = "sales" if verdict.lane == "self_serve" else verdict.lane
        work = Work(
            account_id=facts.account_id,
            lane=lane,
            priority=verdict.priority,
            hand_raise=verdict.because == "hand_raise",
            segment=facts.segment,
            domain=facts.domain,
            country=facts.country,
            industry=facts.industry,
            crm_owner=facts.owner,
            previous_owner=self._previous.get((facts.account_id, facts.domain)),
        )
        return self._route(work, frozenset())

    def to_somebody_else(self, handoff: Handoff, *, hand_raise: bool) -> Routed:
        """Who gets one that has lain too long; the CRM's owner had it, or is not asked again."""
        work = Work(
            account_id=handoff.account_id,
            lane=handoff.lane,
            priority=handoff.priority,
            hand_raise=hand_raise,
            segment=handoff.segment,
            domain=handoff.domain,
            country=handoff.country,
            industry=handoff.industry,
            previous_owner=self._previous.get((handoff.account_id, handoff.domain)),
        )
        had_it = {*assigning.owners_so_far(self._connection, handoff.id), *filter(None, [handoff.owner])}
        called = self._rules.routing.rep_called
        return self._route(work, frozenset(called(one) or one for one in had_it))

    def _route(self, work: Work, passed_over: frozenset[str]) -> Routed:
        if self._loads is None:
            routing = self._rules.routing
            self._loads = loads_of(self._connection, routing) if routing.reps else {}
        routed = Router(self._rules, self._loads, self._at).route(work, passed_over)
        if routed.owner:
            before = self._loads.get(routed.owner, Load())
            newest = max((load.latest for load in self._loads.values()), default=0) + 1
            self._loads[routed.owner] = replace(before, under_way=before.under_way + 1, latest=newest)
        return routed


def join(
    connection: Connection, rules: Handoffs, joined: Mapping[int, tuple[Decision, Facts]], *, at: datetime
) -> None:
    """What follows for a handoff under way from reasons that joined it.

    Whoever asked is whom it is about now, its clock begins anew, and no snooze holds. Where a buyer was looked for and
    there is one now, it becomes sales'. A higher priority shortens the clock while nobody was contacted.

    Args:
        connection: The transaction.
        rules: With the roster in force.
        joined: Number of the handoff → the decision that joined it, and its account.
        at: When.
    """
    if not joined:
        return
    giving = Assigning(connection, rules, at, [facts for _, facts in joined.values()])
    snoozed = assigning.snoozed(connection, sorted(joined), at)
    for handoff in acting.handoffs_numbered(connection, sorted(joined)):
        made, facts = joined[handoff.id]
        after = _turned(handoff, made, facts)
        if after.lane != handoff.lane and handoff.owner is None:
            routed = giving.to_somebody(facts, replace(made, priority=after.priority))
            after = replace(
                after, owner=routed.owner, queue=routed.queue, due_at=routed.due_at, limit_at=routed.limit_at
            )
        elif made.because == "hand_raise" or after.lane != handoff.lane:
            due_at, limit_at = giving.clock(after)
            after = replace(after, due_at=due_at, limit_at=limit_at)
        elif after.priority != handoff.priority and not handoff.contacted_at and handoff.id not in snoozed:
            due_at, limit_at = giving.clock(after)
            after = replace(
                after, due_at=_earlier(handoff.due_at, due_at), limit_at=_earlier(handoff.limit_at, limit_at)
            )
        if after != handoff:
            assigning.give(connection, handoff, after)


def _turned(handoff: Handoff, made: Decision, facts: Facts) -> Handoff:
    """With its lane, priority and person, after reasons joined it."""
    after = replace(handoff, priority=min(made.priority, handoff.priority, key=PRIORITIES.index))
    if made.because == "hand_raise":
        return replace(after, lane="sales", person_id=made.person_id or handoff.person_id, contacted_at=None)
    buyer = next((one.person_id for one in facts.people if one.is_pql and not one.opted_out), None)
    if made.lane == "sales" and handoff.lane != "sales" and buyer:
        return replace(after, lane="sales", person_id=buyer, contacted_at=None)
    return after


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at), default=None)


def pass_on(
    connection: Connection, rules: Handoffs, *, at: datetime, as_of: date, playbook: LoadedPlaybook
) -> list[Decision]:
    """Give what has lain too long, or whose owner has left, to somebody else; each time is a decision.

    Args:
        connection: The transaction.
        rules: With the roster in force; while nobody is on it, nothing is passed on.
        at: When.
        as_of: The day whose scores are the latest.
        playbook: Everything the company has decided.
    """
    waiting = to_pass_on(connection, rules, at)
    giving = Assigning(connection, rules, at, [one for one, _ in waiting])
    raised = {name for name, trigger in rules.triggers.items() if trigger.hand_raise}
    asked = acting.led_to_by(connection, [one.id for one, _ in waiting], raised)
    made: list[tuple[Decision, dict[str, Any]]] = []
    for handoff, because in waiting:
        routed = giving.to_somebody_else(handoff, hand_raise=handoff.id in asked)
        after = _after(handoff, routed, left=because == "owner_left")
        if not assigning.give(connection, handoff, after):
            continue  # somebody spoke up meanwhile
        lapsed_again = routed.owner is None and because == "sla_lapsed"
        if lapsed_again and assigning.nobody_was_free(connection, handoff.id):
            continue  # that was said already
        said = Decision(
            at=at,
            as_of=as_of,
            account_id=handoff.account_id,
            person_id=handoff.person_id,
            outcome="passed_on",
            lane=handoff.lane,
            priority=handoff.priority,
            because=because,
            handoff=handoff.id,
            playbook=playbook.handoffs_hash,
            owner=after.owner,
            queue=after.queue,
            routed=routed.because if routed.owner else "nobody_free",
        )
        made.append((said, {}))
    kept = acting.add_decisions(connection, made)
    for handoff, _ in waiting:
        tell_change(connection, playbook.playbook, handoff, now=at)
    return kept


def to_pass_on(connection: Connection, rules: Handoffs, at: datetime) -> list[tuple[Handoff, str]]:
    """What has lain too long, or whose owner has left, and which of both; nothing while nobody is on the roster."""
    reps = rules.routing.reps
    if not reps:
        return []
    names = {one: rules.routing.rep_called(one) for one in assigning.live_owners(connection)}
    gone = {one for one, rep in names.items() if rep is None or not reps[rep].active}
    found = {one.id: (one, "sla_lapsed") for one in assigning.lapsed(connection, at)}
    found |= {one.id: (one, "owner_left") for one in assigning.live_ones_of(connection, gone)}
    return [waiting for _, waiting in sorted(found.items())]


def _after(handoff: Handoff, routed: Routed, *, left: bool) -> Handoff:
    """With its new owner and a new clock; if nobody is left to take it, it stays, and is tried again when that has run down."""
    if routed.owner:
        return replace(handoff, owner=routed.owner, queue=routed.queue, due_at=routed.due_at, limit_at=routed.limit_at)
    return replace(
        handoff,
        owner=None if left else handoff.owner,
        queue=routed.queue or handoff.queue,
        limit_at=routed.limit_at,
    )
