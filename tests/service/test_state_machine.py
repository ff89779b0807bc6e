"""Triggers, lives and routing over random histories, against an oracle that knows the rules and keeps nothing but history.

What the engine sees is played by a small world here; the engine's own part has tests of its own.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection

from handraise.errors import HandraiseError
from handraise.handoffs.decide import Facts, Somebody
from handraise.ledger import acting, calls
from handraise.ledger.conditions import Held
from handraise.ledger.store import Ledger
from handraise.playbook.load import LoadedPlaybook, load_template, parse_playbook
from handraise.records.acting import Call, CallKind, Decision, Handoff
from handraise.service import roster
from handraise.service.calling import say, undo
from handraise.service.decisions import Deciding, Edges, Fired

START = datetime(2026, 9, 1, 8, tzinfo=UTC)  # a Tuesday
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LOADED: LoadedPlaybook = parse_playbook(
    """
version: 1
handoffs:
  routing:
    reps:
      ana: {capacity: 1}
      bo: {away: [{first: 2026-09-10, last: 2026-09-20}]}
      cy: {hours: {timezone: Asia/Tokyo}}
    teams: {inside_sales: {members: [ana, bo, cy]}}
""",
    name="handraise.yaml",
    path=None,
)
RULES = LOADED.playbook.handoffs
ASKING = ("contact_sales", "enterprise_request")
OF_PEOPLE = ("became_hot", "became_warm")
OF_ACCOUNTS = ("qualified", "team_growing", "growing_usage")
REPS = ("ana", "bo", "cy")
SHAPES = {"big": (True, True), "small": (False, True), "lead": (True, False)}  # sells to it, uses the product
# Somebody is in two accounts, and has one mailbox.
WHO = {"big": ("both", "big-1"), "small": ("both", "small-1"), "lead": ("lead-0", "lead-1")}


@dataclass
class Someone:
    """A person of the world."""

    person_id: str
    is_pql: bool = False
    opted_out: bool = False
    signed_up_at: datetime = START - 30 * DAY


@dataclass
class World:
    """What is true, as an engine would find it."""

    true: set[tuple[str, str, str]] = field(default_factory=set)
    asked: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    pqa: set[str] = field(default_factory=set)
    people: dict[str, list[Someone]] = field(default_factory=dict)
    touches: list[tuple[str, str, datetime]] = field(default_factory=list)
    leads_opted_out: bool = False
    scope: Sequence[str] | None = None

    def edges(self, held: Iterable[Held]) -> Edges:
        before = {one.key: one.asked_at for one in held}
        now = dict.fromkeys(self.true) | dict(self.asked)
        news = [key for key, at in now.items() if key not in before or at != before[key]]
        fired = [
            Fired(trigger=key[0], account_id=key[1], person_id=key[2], value=1.0, asked_at=now[key]) for key in news
        ]
        return Edges(fired=fired, ended=[key for key in before if key not in now])

    def facts(self, connection: Connection, accounts: Sequence[str], at: datetime) -> Mapping[str, Facts]:
        live = acting.live_handoffs(connection, accounts)
        asked = acting.led_to_by(connection, list(live.values()), ASKING)
        since = at - RULES.restraint.window_days * DAY
        everybody = {who.person_id for people in self.people.values() for who in people}
        told = [(a, p or "", t) for a, p, t in calls.touches_of(connection, accounts, everybody, since=since)]
        touches = [one for one in [*self.touches, *told] if one[2] <= at]
        return {
            one: Facts(
                account_id=one,
                is_pqa=one in self.pqa,
                sells=SHAPES[one][0],
                has_usage=SHAPES[one][1],
                has_lead=not SHAPES[one][1],
                leads_opted_out=self.leads_opted_out and not SHAPES[one][1],
                people=tuple(
                    Somebody(
                        person_id=who.person_id,
                        is_pql=who.is_pql,
                        signed_up_at=who.signed_up_at,
                        opted_out=who.opted_out,
                        touches=tuple(t for _, p, t in touches if p == who.person_id),
                    )
                    for who in self.people[one]
                ),
                touches=tuple(t for a, _, t in touches if a == one),
                under_way=live.get(one),
                asked_at=asked.get(live.get(one, 0)),
                segment="mid_market",
            )
            for one in accounts
        }


class Acting(RuleBasedStateMachine):
    """Random days of a company; the oracle's history is what was decided and said, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="acting")
        self.ledger = Ledger.open(Path(self.folder.name) / "ledger.db")
        self.now = START
        someone = {name: Someone(name, is_pql=names[0] == name) for names in WHO.values() for name in names}
        self.world = World(
            people={account: [someone[name] for name in names] for account, names in WHO.items()},
            pqa={"big", "small"},
        )
        self.decisions: list[Decision] = []
        self.below: dict[str, datetime] = {}
        self.numbers_before: set[int] = set()
        self.were_pqa: set[int] = set()

    @initialize()
    def look_for_the_first_time(self) -> None:
        with self.ledger.transaction() as connection:
            self._deciding(connection).take_as_known()

    def _deciding(self, connection: Connection) -> Deciding:
        return Deciding(connection, LOADED, self.world, as_of=self.now.date() + DAY, at=self.now)

    def teardown(self) -> None:
        self.ledger.close()
        self.folder.cleanup()

    # What happens in the world.

    @rule(hours=st.sampled_from([1, 5, 24, 72, 24 * 8, 24 * 15]), decide=st.booleans())
    def time_goes_by(self, hours: int, *, decide: bool) -> None:
        self.now += hours * HOUR
        gone = [key for key, at in self.world.asked.items() if at < self.now - 30 * DAY]
        for key in gone:
            del self.world.asked[key]
        if decide:
            self.it_is_decided()

    @rule(trigger=st.sampled_from(OF_ACCOUNTS), account=st.sampled_from(sorted(SHAPES)), decide=st.booleans())
    def something_of_an_account_turns(self, trigger: str, account: str, *, decide: bool) -> None:
        self.world.true ^= {(trigger, account, "")}
        if decide:
            self.it_is_decided()

    @rule(
        trigger=st.sampled_from(OF_PEOPLE),
        account=st.sampled_from(["big", "small"]),
        who=st.integers(0, 1),
        decide=st.booleans(),
    )
    def something_of_a_person_turns(self, trigger: str, account: str, who: int, *, decide: bool) -> None:
        self.world.true ^= {(trigger, account, WHO[account][who])}
        if decide:
            self.it_is_decided()

    @rule(trigger=st.sampled_from(ASKING), account=st.sampled_from(sorted(SHAPES)), who=st.integers(0, 1))
    def somebody_asks(self, trigger: str, account: str, who: int) -> None:
        self.world.asked[trigger, account, WHO[account][who]] = self.now

    @rule(account=st.sampled_from(["big", "small"]))
    def the_tier_changes(self, account: str) -> None:
        self.world.pqa ^= {account}

    @rule(account=st.sampled_from(["big", "small"]), who=st.integers(0, 1), what=st.sampled_from(["pql", "out", "new"]))
    def a_person_changes(self, account: str, who: int, what: str) -> None:
        person = self.world.people[account][who]
        if what == "pql":
            person.is_pql = not person.is_pql
        elif what == "out":
            person.opted_out = not person.opted_out
        else:
            person.signed_up_at = self.now

    @rule()
    def the_lead_opts_out_or_in_again(self) -> None:
        self.world.leads_opted_out = not self.world.leads_opted_out

    @rule(account=st.sampled_from(sorted(SHAPES)), who=st.integers(0, 1), times=st.integers(1, 3))
    def marketing_writes(self, account: str, who: int, times: int) -> None:
        self.world.touches += [(account, WHO[account][who], self.now)] * times

    @rule(rep=st.sampled_from(REPS), active=st.booleans())
    def somebody_leaves_or_comes_back(self, rep: str, active: bool) -> None:
        body = {**RULES.routing.reps[rep].model_dump(mode="json"), "active": active}
        roster.tell(self.ledger, RULES, "reps", rep, body, actor="admin", now=self.now)

    # What people say.

    def _live(self) -> list[Handoff]:
        with self.ledger.reading() as connection:
            return list(acting.list_handoffs(connection))

    @precondition(lambda self: self._live())
    @rule(
        which=st.integers(0, 2),
        kind=st.sampled_from(
            [
                "claim",
                "accept",
                "reject",
                "contacted",
                "contacted",
                "replied",
                "won",
                "lost",
                "snooze",
                "reassign",
                "note",
            ]
        ),
        by=st.sampled_from([*REPS, "owner"]),
        reason=st.sampled_from(["not_icp", "timing"]),
    )
    def somebody_says(self, which: int, kind: CallKind, by: str, reason: str) -> None:
        live = self._live()
        handoff = live[which % len(live)]
        more: dict[str, Any] = {
            "reject": {"reason": reason},
            "lost": {"reason": reason},
            "snooze": {"until": self.now + 2 * DAY},
            "reassign": {"to": "cy"},
            "note": {"note": "hm"},
        }.get(kind, {})
        who = (handoff.owner or "ana") if by == "owner" else by
        try:
            say(self.ledger, handoff.id, Call(kind=kind, by=who, at=self.now, **more), RULES)
        except HandraiseError:
            assert self._live() == live, "what is refused changes nothing"

    @precondition(lambda self: self._numbers())
    @rule(which=st.integers(0, 9), by=st.sampled_from(REPS))
    def somebody_takes_it_back(self, which: int, by: str) -> None:
        numbers = self._numbers()
        try:
            undo(self.ledger, numbers[which % len(numbers)], RULES, by=by, now=self.now)
        except HandraiseError:
            return

    def _numbers(self) -> list[int]:
        with self.ledger.reading() as connection:
            return [one.id for one in acting.list_handoffs(connection, live=False)]

    # What is decided.

    @rule()
    def it_is_decided(self) -> None:
        before = {one.account_id: one for one in self._live()}
        reached, self.numbers_before = self._reached(), set(self._numbers())
        self._see_tiers(before)
        sunset = {account for account in before if self._has_gone_down(before[account], reached)}
        with self.ledger.transaction() as connection:
            made = self._deciding(connection).run().decisions
        self.decisions += made
        assert {one.account_id for one in made if one.outcome == "sunset"} == sunset
        for one in made:
            self._check(one, None if one.account_id in sunset else before.get(one.account_id))
        self._see_tiers({one.account_id: one for one in self._live()})
        with self.ledger.transaction() as connection:
            again = self._deciding(connection).run().decisions
        assert not [one for one in again if one.outcome != "hold"], "what was decided is decided once"
        self._check_owners()

    def _reached(self) -> set[int]:
        """Handoffs of which somebody of the account answered since somebody asked last."""
        found = set()
        with self.ledger.reading() as connection:
            for handoff in acting.list_handoffs(connection, live=False):
                asked = max((one.fired_at for one in handoff.reasons if one.trigger in ASKING), default=START)
                said = [one for one in calls.calls_of(connection, handoff.id) if not one.undone_at]
                if any(one.kind in {"replied", "meeting", "opportunity"} and one.at >= asked for one in said):
                    found.add(handoff.id)
        return found

    def _see_tiers(self, live: Mapping[str, Handoff]) -> None:
        """Since when each account under way is below its tier, as it was seen; who never was a PQA cannot be."""
        numbers = {one.id for one in live.values()}
        self.were_pqa = {one for one in self.were_pqa if one in numbers}
        self.were_pqa |= {one.id for name, one in live.items() if name in self.world.pqa}
        below = {name for name, one in live.items() if name not in self.world.pqa and one.id in self.were_pqa}
        self.below = {name: self.below.get(name, self.now) for name in below}

    def _has_gone_down(self, handoff: Handoff, reached: set[int]) -> bool:
        if handoff.status == "accepted":
            return False
        is_asked = any(one.trigger in ASKING for one in handoff.reasons)
        if handoff.id in reached:
            return self._is_long_below(handoff)
        if is_asked:
            return False
        return self._is_long_below(handoff) or self.now >= handoff.created_at + 21 * DAY

    def _is_long_below(self, handoff: Handoff) -> bool:
        since = self.below.get(handoff.account_id)
        return since is not None and self.now >= since + 14 * DAY

    def _check(self, made: Decision, live: Handoff | None) -> None:
        """One decision, by the rules."""
        if made.outcome in {"sunset", "passed_on"}:
            return
        assert made.reasons, "a decision says why"
        sells, uses = SHAPES[made.account_id]
        people = {one.person_id: one for one in self.world.people[made.account_id]}
        asked = any(one.trigger in ASKING for one in made.reasons)
        if asked:
            assert made.outcome == ("joined" if live else "handoff"), "whoever asks is answered"
            [now] = [one for one in self._live() if one.id == made.handoff]
            assert now.person_id in {one.person_id for one in made.reasons if one.trigger in ASKING}
            assert now.lane == "sales"
            assert now.priority == "high"
            assert now.contacted_at is None
            assert now.due_at
            assert self.now <= now.due_at <= self.now + 6 * DAY, "no snooze holds"
            return
        urgent = any(RULES.triggers[one.trigger].priority != "low" for one in made.reasons)
        worth_it = not uses or (sells and made.account_id in self.world.pqa and urgent)
        if not worth_it:
            assert made.outcome == "nurture"
            return
        if live:
            assert made.outcome == "joined"
            self._check_joined(made, live)
            return
        if made.outcome == "handoff":
            assert not self._must_rest(made.account_id)
            buyers = [one for one in people.values() if one.is_pql]
            if uses and buyers:
                assert made.person_id
                assert people[made.person_id].is_pql
                assert self._may_be_written_to(people[made.person_id], made.account_id)
                assert self._touches(made.account_id, None) < 6
            else:
                assert made.person_id is None
                assert uses or self._may_be_sold_to_as_a_lead(made.account_id)
            return
        assert made.outcome == "hold"
        buyers = [one for one in people.values() if one.is_pql]
        room = self._touches(made.account_id, None) < 6
        free = uses and room and any(self._may_be_written_to(one, made.account_id) for one in buyers)
        free = free or (not uses and self._may_be_sold_to_as_a_lead(made.account_id))
        assert self._must_rest(made.account_id) or not free, "nobody waits for nothing"
        assert self._must_rest(made.account_id) or buyers, "a missing buyer is looked for"

    def _check_joined(self, made: Decision, live: Handoff) -> None:
        """Of what joins, the priority counts, and a buyer who was looked for is found."""
        [now] = [one for one in self._live() if one.id == live.id]
        rank = ("high", "medium", "low").index
        assert rank(now.priority) <= min(rank(live.priority), rank(made.priority))
        buyers = {one.person_id for one in self.world.people[made.account_id] if one.is_pql and not one.opted_out}
        if live.lane == "find_buyer" and made.lane == "sales" and buyers and now.lane == "find_buyer":
            raise AssertionError("a buyer who is there is still looked for")
        if now.lane == "sales" and live.lane == "find_buyer":
            assert now.person_id in buyers

    def _may_be_sold_to_as_a_lead(self, account: str) -> bool:
        return not self.world.leads_opted_out and self._touches(account, None) < 6

    def _may_be_written_to(self, person: Someone, account: str) -> bool:
        early = self.now < person.signed_up_at + DAY
        return not (person.opted_out or early or self._touches(account, person.person_id) >= 2)

    def _touches(self, account: str, person: str | None) -> int:
        """Of a person in whichever account, or of an account."""
        with self.ledger.reading() as connection:
            told = calls.touches_of(connection, list(SHAPES), since=self.now - 14 * DAY)
        every = [*self.world.touches, *((a, p or "", t) for a, p, t in told)]
        mine = [t for a, p, t in every if (p == person if person else a == account)]
        return sum(self.now - 14 * DAY < t <= self.now for t in mine)

    def _must_rest(self, account: str) -> bool:
        """A week since it was handed over for the last time; a month after a rejection, three when it does not fit."""
        with self.ledger.reading() as connection:
            mine = [one for one in acting.list_handoffs(connection, live=False) if one.account_id == account]
            earlier = [one for one in mine if one.id in self.numbers_before]
            ended = [(one, calls.calls_of(connection, one.id)) for one in earlier]
        if any(self.now < one.created_at + 7 * DAY for one in earlier):
            return True
        rejected = [one for _, said in ended for one in said if one.kind == "reject" and not one.undone_at]
        return any(self.now < one.at + (90 if one.reason == "not_icp" else 30) * DAY for one in rejected)

    def _check_owners(self) -> None:
        with self.ledger.reading() as connection:
            routing = roster.in_force(connection, RULES).routing
        live = self._live()
        for one in live:
            if one.owner in REPS:
                assert routing.reps[one.owner].active, "nobody who left has anything"
            if one.limit_at and not one.contacted_at:
                assert one.limit_at > self.now, "what lay too long went on, or its clock was stopped"
        for one in self.decisions:
            if one.outcome == "handoff" and one.at == self.now and one.owner == "bo":
                assert not "2026-09-10" <= f"{self.now:%Y-%m-%d}" <= "2026-09-20"

    @invariant()
    def no_account_has_two(self) -> None:
        live = self._live()
        assert len({one.account_id for one in live}) == len(live)
        assert all(one.reasons for one in live), "no handoff without a reason"

    @invariant()
    def an_account_is_worked_on_exactly_while_somebody_has_it(self) -> None:
        live = {one.account_id for one in self._live()}
        with self.ledger.reading() as connection:
            assert set(acting.engaged_accounts(connection)) == live


def test_over_random_histories_the_rules_hold() -> None:
    run_state_machine_as_test(
        Acting,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_the_template_has_the_triggers_of_this_world() -> None:
    triggers = load_template().playbook.handoffs.triggers
    assert {*ASKING, *OF_PEOPLE, *OF_ACCOUNTS} <= triggers.keys()
    assert {name for name, one in triggers.items() if one.hand_raise} >= set(ASKING)
