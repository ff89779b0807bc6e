"""Whose a handoff is: the account's owner, whoever had it before, the territory's, or the next of a team.

Pure: what is known of the work, the roster, and how much everybody has; who gets it and why goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from handraise.handoffs.hours import due, holidays_of, too_late
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.routing import CRM_OWNER, PREVIOUS_OWNER, TERRITORY, Route, Routing, Territory
from handraise.records.acting import Lane, Priority

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What is known of a handoff when somebody is looked for.

    Attributes:
        account_id: Of which account.
        lane: sales, find_buyer or top_down.
        priority: high, medium or low.
        hand_raise: Somebody asked, so nobody is too busy for it.
        segment: Of the account; None = unknown.
        domain: Of the account.
        country: As the accounts file has it.
        industry: The same.
        crm_owner: Whose the account is in the CRM.
        previous_owner: Who had the account's last handoff not long ago.
    """

    account_id: str
    lane: Lane
    priority: Priority
    hand_raise: bool = False
    segment: str | None = None
    domain: str | None = None
    country: str | None = None
    industry: str | None = None
    crm_owner: str | None = None
    previous_owner: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """How much somebody has.

    Attributes:
        under_way: Handoffs that have not ended.
        latest: Number of the last one that they got; 0 = none yet.
    """

    under_way: int = 0
    latest: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Routed:
    """Who gets a handoff.

    Attributes:
        owner: Whose it is; None = whoever claims it.
        queue: The team that it belongs to; None = a single person's.
        because: crm_owner, previous_owner, territory, team, person, queue (nobody is in it) or nobody_free.
        due_at: When the first contact is due, in the owner's working time.
        limit_at: When it goes to somebody else.
    """

    owner: str | None
    queue: str | None
    because: str
    due_at: datetime | None
    limit_at: datetime | None


_Pick = tuple[str | None, str | None, str]


class Router:
    """Who gets what, at one instant.

    Args:
        rules: The roster, the clocks, and everybody's usual hours.
        loads: Rep → how much they have.
        now: The instant.
    """

    def __init__(self, rules: Handoffs, loads: Mapping[str, Load], now: datetime) -> None:
        self._rules, self._routing, self._loads, self._now = rules, rules.routing, loads, now

    def route(self, work: Work, passed_over: Set[str] = frozenset()) -> Routed:
        """Who gets it; `passed_over` = those who had it and let it lie."""
        owner, queue, because = self._pick(work, passed_over)
        due_at, limit_at = self.clock(owner, work.priority)
        return Routed(owner=owner, queue=queue, because=because, due_at=due_at, limit_at=limit_at)

    def clock(self, owner: str | None, priority: Priority) -> tuple[datetime | None, datetime | None]:
        """When the first contact is due, and when it is late for good, in somebody's working time."""
        clock, hours = getattr(self._rules.sla, priority), self._routing.hours_of(owner, self._rules.hours)
        is_holiday = holidays_of(hours)
        return due(clock, hours, self._now, is_holiday), too_late(clock, hours, self._now, is_holiday)

    def _pick(self, work: Work, passed_over: Set[str]) -> _Pick:
        waiting: _Pick = (None, None, "queue")
        for step in _route(work, self._routing):
            wanted, because = self._named(step, work)
            if wanted is None:
                continue
            if wanted in self._routing.teams or self._is_queue(step, wanted):
                owner = self._next_of(wanted, work, passed_over)
                if owner:
                    return owner, wanted, because
                waiting = (None, wanted, "nobody_free" if self._members(wanted) else "queue")
            elif wanted not in passed_over and self._is_there(wanted):
                return wanted, None, because
        return waiting

    def _named(self, step: str, work: Work) -> tuple[str | None, str]:
        """The person or the team that a step means for this work, and what it is called in the reason."""
        routing = self._routing
        if step in (CRM_OWNER, PREVIOUS_OWNER):
            name = work.crm_owner if step == CRM_OWNER else work.previous_owner
            # While nobody is on the roster, whoever the CRM names is taken at its word.
            return (routing.rep_called(name) if routing.reps else name), step
        if step == TERRITORY:
            found = next((one for one in _by_rank(work, routing) if _takes(one, work)), None)
            return (found.owner if found else None), step
        return step, "person" if step in routing.reps else "team"

    def _is_queue(self, step: str, wanted: str) -> bool:
        return step == wanted and wanted not in self._routing.reps and step not in (CRM_OWNER, PREVIOUS_OWNER)

    def _members(self, team: str) -> tuple[str, ...]:
        return self._routing.teams[team].members if team in self._routing.teams else ()

    def _next_of(self, team: str, work: Work, passed_over: Set[str]) -> str | None:
        """Whose turn it is: the fewest under way, then who waited longest; what is urgent goes to whoever is soonest at work."""
        free = [
            one
            for one in self._members(team)
            if one not in passed_over and self._is_there(one) and (work.hand_raise or self._has_room(one))
        ]
        return min(free, key=lambda one: self._turn(one, work), default=None)

    def _turn(self, rep_id: str, work: Work) -> tuple[object, ...]:
        load = self._loads.get(rep_id, Load())
        hours = self._routing.hours_of(rep_id, self._rules.hours)
        soonest = due(getattr(self._rules.sla, work.priority), hours, self._now, holidays_of(hours)) or _NEVER
        if work.priority == "high":
            return soonest, load.under_way, load.latest, rep_id
        return load.under_way, load.latest, soonest, rep_id

    def _is_there(self, rep_id: str) -> bool:
        rep = self._routing.reps.get(rep_id)
        if rep is None:
            return not self._routing.reps
        today = self._now.astimezone(ZoneInfo(self._routing.hours_of(rep_id, self._rules.hours).timezone)).date()
        return rep.active and not any(away.first <= today <= away.last for away in rep.away)

    def _has_room(self, rep_id: str) -> bool:
        capacity = self._routing.reps[rep_id].capacity
        return capacity is None or self._loads.get(rep_id, Load()).under_way < capacity


def _route(work: Work, routing: Routing) -> Route:
    routes = routing.routes
    if work.lane == "find_buyer":
        return routes.find_buyer
    if work.lane == "top_down":
        return routes.top_down
    return routes.sales.get(work.segment or "default", routes.sales["default"])


def _by_rank(work: Work, routing: Routing) -> list[Territory]:
    """Those that name the account come first, whatever their place."""
    return sorted(routing.territories.values(), key=lambda one: work.account_id not in one.accounts)


def _takes(territory: Territory, work: Work) -> bool:
    if work.account_id in territory.accounts:
        return True
    fits = [
        _in(work.country, territory.countries),
        _in(work.industry, territory.industries),
        _in(work.segment, territory.segments),
        not territory.domains or any(_ends_in(work.domain, end) for end in territory.domains),
    ]
    only_named = not (territory.countries or territory.industries or territory.segments or territory.domains)
    return all(fits) and not only_named


def _in(value: str | None, wanted: tuple[str, ...]) -> bool:
    return not wanted or (value or "").strip().casefold() in {one.casefold() for one in wanted}


def _ends_in(domain: str | None, end: str) -> bool:
    domain, end = (domain or "").casefold(), end.casefold().lstrip(".")
    return domain == end or domain.endswith(f".{end}")
