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
from handraise.ledger import acting, conditions
from handraise.ledger.conditions import Held, Key
from handraise.ledger.moving import move_account
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.load import LoadedPlaybook
from handraise.records.acting import Decision, Life, Reason
from handraise.service.alerting import tell_decision
from handraise.service.assigning import Assigning, join, pass_on
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

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.trigger, self.account_id, self.person_id


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

    def facts(self, connection: Connection, accounts: Sequence[str], at: datetime) -> Mapping[str, Facts]:
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

    @property
    def passed_on(self) -> int:
        """How many handoffs went to somebody else."""
        return sum(one.outcome == "passed_on" for one in self.decisions)


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
        self.triggers = {name: trigger.when.content_hash for name, trigger in self.rules.triggers.items()}
        self.decided_until = conditions.decided_until(connection)

    def run(self) -> Decided:
        """All of it."""
        scope = self.seen.scope
        fired = self._take_edges(conditions.known_triggers(self.connection))
        overdue = set(acting.due_accounts(self.connection, self.at))
        looked_at = overdue | set(acting.engaged_accounts(self.connection))
        if scope is not None:
            looked_at &= set(scope)  # the scores of others were not made now
        news = {one.account_id for one in fired} | (overdue & looked_at)
        candidates = sorted(news | looked_at)
        facts = dict(self.seen.facts(self.connection, candidates, self.at)) if candidates else {}
        known = acting.lives_of(self.connection, candidates)
        new = Life(since=self.at)
        now = {one: lives.seen(known.get(one, new), is_pqa=facts[one].is_pqa, now=self.at) for one in candidates}
        made = self._end(facts, now)
        again = self._hand_over(facts, now, self._waiting(news), made)
        self._keep_lives(facts, now, known, again)
        made += self.pass_on()
        self._note()
        return Decided(fired=len(fired), decisions=tuple(made))

    def _end(self, facts: dict[str, Facts], now: dict[str, Life]) -> list[Decision]:
        """Work that ends by itself; whoever has something new to say may be handed over again at once."""
        over = {one: ends for one, life in now.items() if (ends := self._ends(facts[one], life)) and ends[0] <= self.at}
        numbers = {facts[one].under_way: because for one, (_, because) in over.items()}
        acting.close_handoffs(self.connection, {n: why for n, why in numbers.items() if n is not None}, self.at)
        verdicts = {
            one: Verdict(outcome="sunset", lane="self_serve", priority="low", because=because)
            for one, (_, because) in over.items()
        }
        made: list[tuple[Decision, Mapping[str, Any]]] = [
            (self._decision(facts[one], verdict), {}) for one, verdict in verdicts.items()
        ]
        for one in over:
            now[one], facts[one] = lives.ended(now[one], "sunset", self.at), replace(facts[one], under_way=None)
        return self._keep(made)

    def _hand_over(
        self, facts: dict[str, Facts], now: dict[str, Life], waiting: dict[str, list[Held]], made: list[Decision]
    ) -> dict[str, datetime]:
        """What is decided about everything that fired; account → when to look again at what has to wait."""
        decided: list[tuple[Decision, Mapping[str, Any]]] = []
        settled: list[Held] = []
        again: dict[str, datetime] = {}
        giving = Assigning(self.connection, self.rules, self.at, [facts[one] for one in waiting])
        for account, pending in sorted(waiting.items()):
            reasons = tuple(_reason(one) for one in pending)
            verdict = decide(facts[account], now[account], reasons, self.rules, self.at)
            routed = giving.to_somebody(facts[account], verdict) if verdict.outcome == "handoff" else None
            terms = _terms(facts[account], routed) if routed else {}
            decided.append((self._decision(facts[account], verdict, reasons, routed), terms))
            if routed:
                qualified = lives.qualified(now[account], self.at)
                now[account] = lives.seen(qualified, is_pqa=facts[account].is_pqa, now=self.at)
            if verdict.look_again:
                again[account] = verdict.look_again
            settled += pending if verdict.outcome != "hold" else []
        made += self._keep(decided, facts)
        conditions.settle_conditions(self.connection, (one.key for one in settled))
        return again

    def _keep_lives(
        self,
        facts: Mapping[str, Facts],
        now: Mapping[str, Life],
        known: Mapping[str, Life],
        again: Mapping[str, datetime],
    ) -> None:
        kept = []
        for account, life in now.items():
            ends = self._ends(facts[account], life)
            look_again = min((at for at in (again.get(account), ends and ends[0]) if at), default=None)
            if account in known or look_again or life.state != "watching":
                kept.append((account, life, look_again))
        acting.keep_lives(self.connection, kept)

    def pass_on(self) -> list[Decision]:
        """What has lain too long goes to somebody else."""
        return pass_on(self.connection, self.rules, at=self.at, as_of=self.as_of, playbook=self.loaded)

    def take_as_known(self) -> None:
        """Keep what holds, and decide nothing about it."""
        self._take_edges({})
        self._note()

    def take_more_as_known(self, until: datetime) -> None:
        """Besides what is known, keep what holds too: that scores mean something else by now is no news of anybody."""
        held = {one.key: one for one in conditions.held_conditions(self.connection)}
        fired = self.seen.edges(held.values()).fired
        new = [self._held(one, pending=False) for one in fired if one.key not in held]
        conditions.keep_conditions(self.connection, new, [])
        self._note(until)

    def _note(self, until: datetime | None = None) -> None:
        meant = {**self.triggers, conditions.SCORES: self.loaded.content_hash}
        conditions.note_decided(self.connection, until=until or self.at, triggers=meant)

    def _take_edges(self, known: Mapping[str, str]) -> list[Held]:
        """Keep what holds now; returns what fired. What holds of a trigger that is new or means something else is no news."""
        self.held = {one.key: one for one in conditions.held_conditions(self.connection, self.seen.scope)}
        edges = self.seen.edges(self.held.values())
        moved = self._moved(edges)
        news = [self._held(one, pending=self._is_news(one, known), before=moved.get(one.key)) for one in edges.fired]
        ended, found = edges.ended, sorted(news, key=lambda one: one.key)
        conditions.keep_conditions(self.connection, found, ended)
        for key in ended:
            self.held.pop(key, None)
        self.held |= {one.key: one for one in found}
        return [one for one in found if one.pending]

    def _moved(self, edges: Edges) -> dict[Key, Held]:
        """What fired and is no news: who had asked before asks no second time because their account changed.

        Of an account that nobody is in any more, what held of its people is no news either.
        """
        ended = {(h.trigger, h.person_id, h.asked_at): h for h in (self.held[k] for k in edges.ended if k in self.held)}
        found = {
            one.key: ended[one.trigger, one.person_id, one.asked_at]
            for one in edges.fired
            if (one.trigger, one.person_id, one.asked_at) in ended and (one.person_id or one.asked_at)
        }
        left = sorted({before.account_id for before in found.values()})
        facts = self.seen.facts(self.connection, left, self.at) if left else {}
        gone = {name for name in left if name not in facts or not facts[name].has_usage}
        self._follow_accounts({key: before for key, before in found.items() if before.account_id in gone})
        return {key: before for key, before in found.items() if before.asked_at or before.account_id in gone}

    def _follow_accounts(self, moved: Mapping[Key, Held]) -> None:
        """An account that nobody is in any more, and whose conditions hold of one other now, is that one from here on.

        Somebody's account is called after them until their company is known, and after its domain until the CRM has it.
        """
        to: dict[str, set[str]] = defaultdict(set)
        for (_, account, _), before in moved.items():
            to[before.account_id].add(account)
        one_way = {old: min(new) for old, new in to.items() if len(new) == 1}
        taken = set(acting.lives_of(self.connection, sorted(one_way.values())))
        for old, new in sorted(one_way.items()):
            if new not in taken:
                move_account(self.connection, old, new, now=self.at)
                taken.add(new)

    def _is_news(self, one: Fired, known: Mapping[str, str]) -> bool:
        """Not of a trigger that is new or means something else; but whoever asked since the last decisions is answered."""
        asked_at, until = one.asked_at, self.decided_until
        asks_anew = bool(self.rules.triggers[one.trigger].hand_raise and asked_at and until and asked_at > until)
        return asks_anew or known.get(one.trigger) == self.triggers[one.trigger]

    def _held(self, one: Fired, *, pending: bool, before: Held | None = None) -> Held:
        """A condition as it is kept; one that moved here is as old as it was, and as settled."""
        return Held(
            trigger=one.trigger,
            account_id=one.account_id,
            person_id=one.person_id,
            value=one.value,
            asked_at=one.asked_at,
            fired_at=before.fired_at if before else self.at,
            pending=before.pending if before else pending,
        )

    def _waiting(self, accounts: set[str]) -> dict[str, list[Held]]:
        """Account → reasons that nothing was decided about yet, or that were to wait."""
        found: dict[str, list[Held]] = defaultdict(list)
        for one in sorted(self.held.values(), key=lambda one: one.key):
            if one.pending and one.account_id in accounts and one.trigger in self.rules.triggers:
                found[one.account_id].append(one)
        return found

    def _ends(self, facts: Facts, life: Life) -> tuple[datetime, str] | None:
        """When work on an account ends by itself; it does not while nobody was reached since somebody asked."""
        if facts.asked_at and (life.reached_at is None or life.reached_at < facts.asked_at):
            return None
        return lives.sunset_at(life, self.rules.lifecycle)

    def _decision(
        self, facts: Facts, verdict: Verdict, reasons: tuple[Reason, ...] = (), routed: Routed | None = None
    ) -> Decision:
        return Decision(
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
        )

    def _keep(
        self, made: Sequence[tuple[Decision, Mapping[str, Any]]], facts: Mapping[str, Facts] | None = None
    ) -> list[Decision]:
        """Keep decisions, and tell the team in the same transaction."""
        kept = acting.add_decisions(self.connection, made)
        joined = {one.handoff: one for one in kept if one.outcome == "joined" and one.handoff}
        if facts and joined:
            concerned = {number: (one, facts[one.account_id]) for number, one in joined.items()}
            join(self.connection, self.rules, concerned, at=self.at)
        for one in kept:
            tell_decision(self.connection, self.loaded.playbook, one)
        return kept


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
