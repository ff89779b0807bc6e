"""After scoring: which triggers fired, what is done about them, and every decision kept, all or nothing.

The engine says what became true; Python decides about those accounts only. What held before, the accounts' lives and the
decisions are in the ledger, and are changed in one transaction of it: if something stops, the same scores are made again, what
was kept does not fire a second time, and no decision is lost.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from handraise.accounts.leads import find_lead_accounts
from handraise.handoffs import lives
from handraise.handoffs.decide import Facts, Somebody, Verdict, decide
from handraise.handoffs.edges import hold_known, make_edges
from handraise.handoffs.facts import make_facts, touches_of
from handraise.handoffs.hours import due, holidays_of, too_late
from handraise.ledger import acting, calls
from handraise.ledger.acting import Held
from handraise.ledger.store import Ledger
from handraise.playbook.handoffs import Handoffs
from handraise.records.acting import Decision, Life, Reason
from handraise.service.alerting import tell_decision
from handraise.service.project import Project, check_as_of, refresh
from handraise.service.refresh import Refreshed, score_as_of

# What the first decisions of a project look back to: what became true before is not news.
FIRST_LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What deciding did.

    Attributes:
        fired: Triggers that fired.
        decisions: Each of them.
    """

    fired: int
    decisions: tuple[Decision, ...]

    @property
    def handoffs(self) -> int:
        """How many handoffs were made."""
        return sum(one.outcome == "handoff" for one in self.decisions)


NOTHING = Decided(fired=0, decisions=())


def refresh_and_decide(
    project: Project,
    as_ofs: list[date],
    *,
    now: datetime,
    full: bool = False,
    progress: Callable[[float], None] | None = None,
) -> tuple[Refreshed, Decided]:
    """Score everybody as of some days, and decide as of the last of them.

    Raises:
        AsOfError: An as-of lies beyond the end of today.
    """
    as_of = max(as_ofs)
    check_as_of(as_of, now)
    if project.ledger is None or not project.loaded.playbook.handoffs.triggers:
        return refresh(project, as_ofs, now=now, full=full, progress=progress), NOTHING
    with project.ledger() as ledger:
        before = look_back(project, ledger, as_of, progress)
        done = refresh(project, as_ofs, now=now, full=full, progress=progress)
        done = replace(done, days_rolled_up=max(done.days_rolled_up, before))
        return done, decide_now(project, ledger, as_of=as_of, now=now)


def decide_now(project: Project, ledger: Ledger, *, as_of: date, now: datetime, within_scope: bool = False) -> Decided:
    """Decide about everything that changed, right after the path was run for a day.

    Args:
        project: Its last run of the path was for `as_of`.
        ledger: The project's.
        as_of: The day. Decisions only go forward: about a day before the last one nothing is decided.
        now: The present instant; decisions about a past day are made as of its end.
        within_scope: Only the accounts of `scope_accounts` were scored.
    """
    at = min(now, datetime.combine(as_of, time(), UTC))
    with ledger.transaction() as connection:
        before = acting.decided_until(connection)
        if before and at < before:
            return NOTHING
        return _Deciding(project, connection, as_of=as_of, at=at).run(within_scope=within_scope)


def is_first(ledger: Ledger) -> bool:
    """Whether nothing was ever decided."""
    with ledger.reading() as connection:
        return acting.decided_until(connection) is None


def due_accounts(ledger: Ledger, now: datetime) -> list[str]:
    """Accounts that the clock says to decide about once more."""
    with ledger.reading() as connection:
        return acting.due_accounts(connection, now)


def look_back(project: Project, ledger: Ledger, as_of: date, progress: Callable[[float], None] | None = None) -> int:
    """Before a project's first decisions: take what held a week ago as known, so that only what is news fires.

    Returns:
        Days whose roll-ups were made anew for it.
    """
    if not is_first(ledger):
        return 0
    earlier = as_of - FIRST_LOOK_BACK
    done = score_as_of(project.warehouse, project.loaded, [earlier], progress=progress)
    at = datetime.combine(earlier, time(), UTC)
    with ledger.transaction() as connection:
        _Deciding(project, connection, as_of=earlier, at=at).take_as_known()
    return done.days_rolled_up


class _Deciding:
    """One run; holds what all its steps need."""

    def __init__(self, project: Project, connection: Connection, *, as_of: date, at: datetime) -> None:
        self.project, self.warehouse, self.connection = project, project.warehouse, connection
        self.as_of, self.at = as_of, at
        self.rules: Handoffs = project.loaded.playbook.handoffs
        self.triggers = {name: trigger.when.content_hash for name, trigger in self.rules.triggers.items()}

    def run(self, *, within_scope: bool) -> Decided:
        """All of it."""
        scope = self.warehouse.whole("scope_accounts")["account_id"].to_pylist() if within_scope else None
        self._find_edges(scope)
        fired = self._take_edges(acting.known_triggers(self.connection))
        overdue = set(acting.due_accounts(self.connection, self.at))
        looked_at = overdue | set(acting.engaged_accounts(self.connection))
        if scope is not None:
            looked_at &= set(scope)  # the scores of others were not made now
        news = {one.account_id for one in fired} | (overdue & looked_at)
        candidates = sorted(news | looked_at)
        facts = self._facts(candidates) if candidates else {}
        known = acting.lives_of(self.connection, candidates)
        waiting = self._waiting(news)
        made: list[Decision] = []
        for account in candidates:
            made += self._decide(facts[account], known.get(account), waiting[account])
        self._note()
        return Decided(fired=len(fired), decisions=tuple(made))

    def take_as_known(self) -> None:
        """Keep what holds, and decide nothing about it."""
        self._find_edges(None)
        self._take_edges({})
        self._note()

    def _note(self) -> None:
        acting.note_decided(self.connection, until=self.at, triggers=self.triggers)

    def _find_edges(self, scope: Sequence[str] | None) -> None:
        self.held = {one.key: one for one in acting.held_conditions(self.connection, scope)}
        hold_known(self.warehouse, ({**_key(one), "asked_at": _plain(one.asked_at)} for one in self.held.values()))
        playbook = self.project.loaded.playbook
        key = f"edges {self.project.loaded.handoffs_hash} {scope is not None}"
        find_lead_accounts(self.warehouse, playbook.domains)
        self.warehouse.once_built(key, lambda: make_edges(self.warehouse, playbook, within_scope=scope is not None))

    def _take_edges(self, known: Mapping[str, str]) -> list[Held]:
        """Keep what holds now; returns what fired. What holds of a trigger that is new or means something else is no news."""
        found = [
            Held(
                trigger=row["trigger"],
                account_id=row["account_id"],
                person_id=row["person_id"],
                value=row["value"],
                asked_at=_aware(row["at"]),
                fired_at=self.at,
                pending=known.get(row["trigger"]) == self.triggers[row["trigger"]],
            )
            for row in self.warehouse.whole("fired").to_pylist()
        ]
        found.sort(key=lambda one: one.key)
        ended = [tuple(row.values()) for row in self.warehouse.whole("ended").to_pylist()]
        acting.keep_conditions(self.connection, found, ended)
        for key in ended:
            self.held.pop(key, None)
        self.held |= {one.key: one for one in found}
        return [one for one in found if one.pending]

    def _waiting(self, accounts: set[str]) -> dict[str, list[Held]]:
        """Account → reasons that nothing was decided about yet, or that were to wait."""
        found: dict[str, list[Held]] = defaultdict(list)
        for one in sorted(self.held.values(), key=lambda one: one.key):
            if one.pending and one.account_id in accounts and one.trigger in self.rules.triggers:
                found[one.account_id].append(one)
        return found

    def _facts(self, candidates: Sequence[str]) -> dict[str, Facts]:
        """Account → what deciding needs to know of it."""
        self.warehouse.hold("candidates", pa.table({"account_id": pa.array(candidates, pa.string())}))
        self.warehouse.once_built("acting facts", lambda: make_facts(self.warehouse))
        touches: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
        for row in self.warehouse.rows(touches_of(self.warehouse)).to_pylist():
            touches[row["account_id"]].append((row["person_id"], row["at"].replace(tzinfo=UTC)))
        since = self.at - timedelta(days=self.rules.restraint.window_days)
        for account, person, at in calls.touches_of(self.connection, candidates, since=since):
            touches[account].append((person or "", at))
        people: dict[str, list[Somebody]] = defaultdict(list)
        found = self.warehouse.whole("acting_people").to_pylist()
        for row in sorted(found, key=lambda row: (row["account_id"], row["place"])):
            theirs = tuple(at for person, at in touches[row["account_id"]] if person == row["person_id"])
            people[row["account_id"]].append(
                Somebody(
                    person_id=row["person_id"],
                    is_pql=row["is_pql"],
                    signed_up_at=_aware(row["created_at"] or row["first_at"]),
                    touches=theirs,
                )
            )
        live = acting.live_handoffs(self.connection, candidates)
        raised = {name for name, trigger in self.rules.triggers.items() if trigger.hand_raise}
        asked = acting.those_with_reasons(self.connection, list(live.values()), raised)
        return {
            row["account_id"]: Facts(
                account_id=row["account_id"],
                is_pqa=row["is_pqa"],
                sells=row["sells"],
                has_usage=row["has_usage"],
                people=tuple(people[row["account_id"]]),
                touches=tuple(at for _, at in touches[row["account_id"]]),
                under_way=live.get(row["account_id"]),
                is_unanswered=live.get(row["account_id"]) in asked,
                owner=row["owner"],
            )
            for row in self.warehouse.whole("acting_accounts").to_pylist()
        }

    def _decide(self, facts: Facts, known: Life | None, pending: list[Held]) -> list[Decision]:
        """What is decided about one account; keeps it, and the account's life."""
        made: list[Decision] = []
        life = lives.seen(known or Life(since=self.at), is_pqa=facts.is_pqa, now=self.at)
        ends = self._ends(facts, life)
        if ends and ends[0] <= self.at:
            made.append(self._sunset(facts, ends[1]))
            life, facts = lives.ended(life, "sunset", self.at), replace(facts, under_way=None)
        again = None
        if pending:
            reasons = tuple(_reason(one) for one in pending)
            verdict = decide(facts, life, reasons, self.rules, self.at)
            made.append(self._keep(facts, verdict, reasons))
            if verdict.outcome == "handoff":
                life = lives.qualified(life, self.at)
            again = verdict.look_again
            if verdict.outcome != "hold":
                acting.keep_conditions(self.connection, [replace(one, pending=False) for one in pending], [])
        ends = self._ends(facts, life)
        look_again = min((at for at in (again, ends and ends[0]) if at), default=None)
        if known or look_again or life.state != "watching":
            acting.keep_life(self.connection, facts.account_id, life, look_again=look_again)
        return made

    def _ends(self, facts: Facts, life: Life) -> tuple[datetime, str] | None:
        """When work on an account ends by itself; it does not while somebody who asked was not reached."""
        if facts.is_unanswered and not life.reached_at:
            return None
        return lives.sunset_at(life, self.rules.lifecycle)

    def _keep(self, facts: Facts, verdict: Verdict, reasons: tuple[Reason, ...]) -> Decision:
        made = acting.add_decision(
            self.connection,
            Decision(
                at=self.at,
                as_of=self.as_of,
                account_id=facts.account_id,
                person_id=verdict.person_id,
                outcome=verdict.outcome,
                lane=verdict.lane,
                priority=verdict.priority,
                because=verdict.because,
                reasons=reasons,
                look_again=verdict.look_again,
                handoff=facts.under_way,
                playbook=self.project.loaded.handoffs_hash,
            ),
            **(self._terms(facts, verdict) if verdict.outcome == "handoff" else {}),
        )
        tell_decision(self.connection, self.project.loaded.playbook, made)
        return made

    def _terms(self, facts: Facts, verdict: Verdict) -> dict[str, Any]:
        """Whose a new handoff is, and its clocks."""
        clock, hours = getattr(self.rules.sla, verdict.priority), self.rules.hours
        is_holiday = holidays_of(hours)
        return {
            "owner": facts.owner if verdict.lane == "sales" else None,
            "due_at": due(clock, hours, self.at, is_holiday),
            "limit_at": too_late(clock, hours, self.at, is_holiday),
        }

    def _sunset(self, facts: Facts, because: str) -> Decision:
        if facts.under_way is not None:
            acting.close_handoff(self.connection, facts.under_way, because=because, now=self.at)
        verdict = Verdict(outcome="sunset", lane="self_serve", priority="low", because=because)
        return self._keep(facts, verdict, ())


def _reason(one: Held) -> Reason:
    return Reason(trigger=one.trigger, person_id=one.person_id, value=one.value, fired_at=one.asked_at or one.fired_at)


def _key(one: Held) -> dict[str, object]:
    return {"trigger": one.trigger, "account_id": one.account_id, "person_id": one.person_id}


def _plain(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC).replace(tzinfo=None) if at else None


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None
