"""One decision about one account: to hand it over, to join what is under way, to nurture it, to wait, or to end it.

Pure: triggers that fired, facts and the account's life come in; what to do and why goes out. Deciding not to act is a
decision too, and says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handraise.handoffs import lives
from handraise.playbook.handoffs import Handoffs, Restraint
from handraise.playbook.triggers import Trigger
from handraise.records.acting import PRIORITIES, Lane, Life, Outcome, Priority, Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Somebody:
    """A person of the account, as far as deciding needs to know them.

    Attributes:
        person_id: Id.
        is_pql: A buyer in a selling band.
        signed_up_at: When; None = unknown, and long ago.
        opted_out: Wants no mail and no calls.
        touches: Instants of human touches, sales and marketing together.
    """

    person_id: str
    is_pql: bool
    signed_up_at: datetime | None = None
    opted_out: bool = False
    touches: tuple[datetime, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """An account, as far as deciding needs to know it.

    Attributes:
        account_id: Id.
        is_pqa: Its tier is a selling one.
        sells: Sales talks to its segment.
        has_usage: Somebody of it was ever active; people who are merely known are no usage.
        has_lead: Marketing has a lead of it.
        leads_opted_out: None of the leads that triggers still go by wants to be written to.
        people: Those whom one may talk to, best first.
        touches: Instants of human touches of anybody there.
        under_way: Number of its handoff that has not ended; None = there is none.
        asked_at: When somebody asked last for what that one is about; None = nobody did.
        owner: Who has the account in the CRM; None = nobody.
        segment: By employees; None = unknown.
        domain: Of the account.
        country: As the accounts file has it.
        industry: The same.
    """

    account_id: str
    is_pqa: bool
    sells: bool
    has_usage: bool
    has_lead: bool = False
    leads_opted_out: bool = False
    people: tuple[Somebody, ...] = ()
    touches: tuple[datetime, ...] = ()
    under_way: int | None = None
    asked_at: datetime | None = None
    owner: str | None = None
    segment: str | None = None
    domain: str | None = None
    country: str | None = None
    industry: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What is done about an account now, and why.

    Attributes:
        outcome: handoff, joined, nurture, hold (until `look_again`) or sunset.
        lane: sales, find_buyer, top_down or self_serve.
        priority: Of the strongest reason.
        because: Code of what decided.
        person_id: Whom to talk to; None = nobody yet.
        look_again: When the same reasons are decided on once more; None = not by the clock.
    """

    outcome: Outcome
    lane: Lane
    priority: Priority
    because: str
    person_id: str | None = None
    look_again: datetime | None = None


def decide(facts: Facts, life: Life, reasons: Sequence[Reason], rules: Handoffs, now: datetime) -> Verdict:
    """What to do about an account for which triggers fired, or still wait to be decided on; there is one at least."""
    triggers = rules.triggers
    asked = [reason for reason in reasons if triggers[reason.trigger].hand_raise]
    if asked:
        # Whoever asks is answered, whatever the account is worth and however often somebody wrote before.
        latest = max(asked, key=lambda reason: (reason.fired_at, reason.trigger, reason.person_id))
        outcome: Outcome = "handoff" if facts.under_way is None else "joined"
        return Verdict(
            outcome=outcome,
            lane="sales",
            priority=strongest(asked, triggers),
            because="hand_raise",
            person_id=latest.person_id or None,
        )
    made = Verdict(outcome="nurture", lane=lane_of(facts), priority=strongest(reasons, triggers), because="")
    passed = _passed_over(facts, made)
    if passed:
        return passed
    barred = lives.barred(life, rules.lifecycle)
    if barred and now < barred[0]:
        return replace(made, outcome="hold", because=barred[1], look_again=barred[0])
    if made.lane == "find_buyer":
        return replace(made, outcome="handoff", because="buyer_missing")
    if made.lane == "top_down":
        return _to_a_lead(made, facts, rules.restraint, now)
    return _to_somebody(made, facts, rules.restraint, now)


def lane_of(facts: Facts) -> Lane:
    """Where an account goes in which nobody asked for anything."""
    if facts.has_lead and not facts.has_usage:
        return "top_down"
    if not (facts.is_pqa and facts.sells):
        return "self_serve"
    return "sales" if any(person.is_pql for person in facts.people) else "find_buyer"


def strongest(reasons: Sequence[Reason], triggers: dict[str, Trigger]) -> Priority:
    """The highest priority of several reasons."""
    return min((triggers[reason.trigger].priority for reason in reasons), key=PRIORITIES.index)


def _passed_over(facts: Facts, made: Verdict) -> Verdict | None:
    """What becomes of reasons for which nobody is asked to act; None = somebody may be."""
    if made.lane == "self_serve":
        return replace(made, because="self_serve" if facts.sells else "segment_does_not_sell")
    if made.priority == "low" and made.lane != "top_down":
        return replace(made, because="low_priority")
    if facts.under_way is not None:
        return replace(made, outcome="joined", because="under_way")
    return None


def _to_a_lead(made: Verdict, facts: Facts, rules: Restraint, now: datetime) -> Verdict:
    """Hand a company over that does not use the product, unless its leads want no mail, or had enough of it."""
    if facts.leads_opted_out:
        return replace(made, outcome="hold", because="opted_out")
    full = full_until(facts.touches, rules.touches_per_account, timedelta(days=rules.window_days), now)
    if full:
        return replace(made, outcome="hold", because="account_cap", look_again=full)
    return replace(made, outcome="handoff", because="lead_without_usage")


def _to_somebody(made: Verdict, facts: Facts, rules: Restraint, now: datetime) -> Verdict:
    """Hand over with the best buyer who may be written to, or wait for the first of them."""
    window = timedelta(days=rules.window_days)
    full = full_until(facts.touches, rules.touches_per_account, window, now)
    if full:
        return replace(made, outcome="hold", because="account_cap", look_again=full)
    waits: list[tuple[datetime, str]] = []
    for person in (one for one in facts.people if one.is_pql and not one.opted_out):
        until = restrained(person, rules, now)
        if until is None:
            return replace(made, outcome="handoff", because="qualified", person_id=person.person_id)
        waits.append(until)
    if not waits:
        return replace(made, outcome="hold", because="opted_out")
    look_again, because = min(waits)
    return replace(made, outcome="hold", because=because, look_again=look_again)


def restrained(person: Somebody, rules: Restraint, now: datetime) -> tuple[datetime, str] | None:
    """Until when a person who did not ask is not written to, and why; None = they may be."""
    if person.signed_up_at:
        early = person.signed_up_at + timedelta(hours=rules.too_early_hours)
        if now < early:
            return early, "too_early"
    full = full_until(person.touches, rules.touches_per_person, timedelta(days=rules.window_days), now)
    return (full, "person_cap") if full else None


def full_until(touches: Sequence[datetime], most: int, window: timedelta, now: datetime) -> datetime | None:
    """When so many touches have left the window that there is room for one more; None = there is room now."""
    recent = sorted(at for at in touches if now - window < at <= now)
    return recent[len(recent) - most] + window if len(recent) >= most else None
