"""One run of deciding: what fired, what is done about it, and every decision kept, in one transaction of the ledger.

What is true now comes in as `Seen`; nothing here asks the engine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from handraise.handoffs import lives
from handraise.handoffs.decide import Facts, Verdict, decide
from handraise.handoffs.routing import Routed
from handraise.ledger import acting
from handraise.ledger.acting import Held
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.load import LoadedPlaybook
from handraise.records.acting import Decision, Life, Reason
from handraise.service.alerting import tell_decision
from handraise.service.assigning import Assigning, pass_on
from handraise.service.roster import in_force


@dataclass(frozen=True, kw_only=True, slots=True)
class Fired:
    """A condition that holds now and did not before, or was asked for once more.

    Attributes:
        trigger: Whose.
        account_id: Where.
        person_id: Of whom; empty = of the whole account.
        value: What its reason says.
        asked_at: When it was asked for last, where each time counts anew.
    """

    trigger: str
    account_id: str
    person_id: str
    value: float | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Edges:
    """What changed since the last look.

    Attributes:
        fired: What holds now and did not.
        ended: Trigger, account and person of what held and does no more.
    """

    fired: Sequence[Fired]
    ended: Sequence[tuple[str, str, str]]


class Seen(Protocol):
    """What is true now.

    Attributes:
        scope: The only accounts that were looked at; None = all were.
    """

    @property
    def scope(self) -> Sequence[str] | None:
        """The only accounts that were looked at; None = all were."""

    def edges(self, held: Iterable[Held]) -> Edges:
        """What changed, compared with what held before."""

    def facts(
        self, connection: Connection, rules: Handoffs, accounts: Sequence[str], at: datetime
    ) -> Mapping[str, Facts]:
        """Account → what deciding needs to know of it."""


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


class Deciding:
    """One run; holds what all its steps need.

    Args:
        connection: The transaction.
        loaded: The playbook.
        seen: What the engine says of now.
        as_of: The day whose scores it rests on.
        at: When it is decided.
    """

    def __init__(
        self, connection: Connection, loaded: LoadedPlaybook, seen: Seen, *, as_of: date, at: datetime
    ) -> None:
        self.connection, self.loaded, self.seen = connection, loaded, seen
        self.as_of, self.at = as_of, at
        self.rules: Handoffs = in_force(connection, loaded.playbook.handoffs)
        self._giving = Assigning(connection, self.rules, at)
        self.triggers = {name: trigger.when.content_hash for name, trigger in self.rules.triggers.items()}

    def run(self) -> Decided:
        """All of it."""
        scope = self.seen.scope
        fired = self._take_edges(acting.known_triggers(self.connection))
        overdue = set(acting.due_accounts(self.connection, self.at))
        looked_at = overdue | set(acting.engaged_accounts(self.connection))
        if scope is not None:
            looked_at &= set(scope)  # the scores of others were not made now
        news = {one.account_id for one in fired} | (overdue & looked_at)
        candidates = sorted(news | looked_at)
        facts = self.seen.facts(self.connection, self.rules, candidates, self.at) if candidates else {}
        known = acting.lives_of(self.connection, candidates)
        waiting = self._waiting(news)
        made: list[Decision] = []
        for account in candidates:
            made += self._decide(facts[account], known.get(account), waiting[account])
        made += self.pass_on()
        self._note()
        return Decided(fired=len(fired), decisions=tuple(made))

    def pass_on(self) -> list[Decision]:
        """What has lain too long goes to somebody else."""
        return pass_on(self.connection, self.rules, at=self.at, as_of=self.as_of, playbook=self.loaded)

    def take_as_known(self) -> None:
        """Keep what holds, and decide nothing about it."""
        self._take_edges({})
        self._note()

    def _note(self) -> None:
        acting.note_decided(self.connection, until=self.at, triggers=self.triggers)

    def _take_edges(self, known: Mapping[str, str]) -> list[Held]:
        """Keep what holds now; returns what fired. What holds of a trigger that is new or means something else is no news."""
        self.held = {one.key: one for one in acting.held_conditions(self.connection, self.seen.scope)}
        edges = self.seen.edges(self.held.values())
        ended, found = edges.ended, sorted((self._held(one, known) for one in edges.fired), key=lambda one: one.key)
        acting.keep_conditions(self.connection, found, ended)
        for key in ended:
            self.held.pop(key, None)
        self.held |= {one.key: one for one in found}
        return [one for one in found if one.pending]

    def _held(self, one: Fired, known: Mapping[str, str]) -> Held:
        return Held(
            trigger=one.trigger,
            account_id=one.account_id,
            person_id=one.person_id,
            value=one.value,
            asked_at=one.asked_at,
            fired_at=self.at,
            pending=known.get(one.trigger) == self.triggers[one.trigger],
        )

    def _waiting(self, accounts: set[str]) -> dict[str, list[Held]]:
        """Account → reasons that nothing was decided about yet, or that were to wait."""
        found: dict[str, list[Held]] = defaultdict(list)
        for one in sorted(self.held.values(), key=lambda one: one.key):
            if one.pending and one.account_id in accounts and one.trigger in self.rules.triggers:
                found[one.account_id].append(one)
        return found

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
                life = lives.seen(lives.qualified(life, self.at), is_pqa=facts.is_pqa, now=self.at)
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
        routed = self._giving.to_somebody(facts, verdict) if verdict.outcome == "handoff" else None
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
                playbook=self.loaded.handoffs_hash,
                owner=routed.owner if routed else None,
                queue=routed.queue if routed else None,
                routed=routed.because if routed else None,
            ),
            terms=_terms(facts, routed) if routed else None,
        )
        tell_decision(self.connection, self.loaded.playbook, made)
        return made

    def _sunset(self, facts: Facts, because: str) -> Decision:
        if facts.under_way is not None:
            acting.close_handoff(self.connection, facts.under_way, because=because, now=self.at)
        verdict = Verdict(outcome="sunset", lane="self_serve", priority="low", because=because)
        return self._keep(facts, verdict, ())


def _terms(facts: Facts, routed: Routed) -> dict[str, Any]:
    """The clocks of a new handoff, and what it was routed by, in case it goes to somebody else."""
    return {
        "due_at": routed.due_at,
        "limit_at": routed.limit_at,
        "segment": facts.segment,
        "domain": facts.domain,
        "country": facts.country,
        "industry": facts.industry,
    }


def _reason(one: Held) -> Reason:
    return Reason(trigger=one.trigger, person_id=one.person_id, value=one.value, fired_at=one.asked_at or one.fired_at)
