"""Decisions about one account: each rule by an example, and what must never happen over many random months."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handraise.handoffs import lives
from handraise.handoffs.decide import Facts, Somebody, Verdict, decide
from handraise.playbook.load import load_template
from handraise.records.acting import Life, Reason

RULES = load_template().playbook.handoffs
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BUYER = Somebody(person_id="buyer", is_pql=True, signed_up_at=NOW - 90 * DAY)
SECOND = Somebody(person_id="second", is_pql=True, signed_up_at=NOW - 90 * DAY)
USER = Somebody(person_id="user", is_pql=False, signed_up_at=NOW - 90 * DAY)
PQA = Facts(account_id="a", is_pqa=True, sells=True, has_usage=True, people=(BUYER, USER))
LED = Facts(account_id="a", is_pqa=False, sells=False, has_usage=False, has_lead=True)
FRESH = Life(since=NOW - 90 * DAY)


def why(*triggers: str, person: str = "user") -> tuple[Reason, ...]:
    return tuple(Reason(trigger=name, person_id=person, value=1, fired_at=NOW) for name in triggers)


def said(made: Verdict) -> tuple[str, str, str, str | None]:
    return made.outcome, made.lane, made.because, made.person_id


TOUCHED = replace(BUYER, touches=(NOW - 3 * DAY, NOW - 10 * DAY))
CASES = {
    "a PQA with a buyer is handed over": (PQA, FRESH, ("became_hot",), ("handoff", "sales", "qualified", "buyer")),
    "without a buyer, the buyer is to be found": (
        replace(PQA, people=(USER,)),
        FRESH,
        ("became_hot",),
        ("handoff", "find_buyer", "buyer_missing", None),
    ),
    "who does not use it comes from the top": (
        LED,
        FRESH,
        ("marketing_lead",),
        ("handoff", "top_down", "lead_without_usage", None),
    ),
    "without a lead there is nobody to begin with": (
        replace(LED, has_lead=False, sells=True),
        FRESH,
        ("team_growing",),
        ("nurture", "self_serve", "self_serve", None),
    ),
    "leads who opted out are left alone": (
        replace(LED, leads_opted_out=True),
        FRESH,
        ("marketing_lead",),
        ("hold", "top_down", "opted_out", None),
    ),
    "unless somebody there asks": (
        replace(LED, leads_opted_out=True),
        FRESH,
        ("marketing_lead", "contact_sales"),
        ("handoff", "sales", "hand_raise", "user"),
    ),
    "six touches are enough for a company with a lead": (
        replace(LED, touches=tuple(NOW - n * DAY for n in range(1, 7))),
        FRESH,
        ("marketing_lead",),
        ("hold", "top_down", "account_cap", None),
    ),
    "below the tier it is self-serve": (
        replace(PQA, is_pqa=False),
        FRESH,
        ("became_hot",),
        ("nurture", "self_serve", "self_serve", None),
    ),
    "small companies are not sold to": (
        replace(PQA, sells=False),
        FRESH,
        ("team_near_limit",),
        ("nurture", "self_serve", "segment_does_not_sell", None),
    ),
    "unless they ask": (
        replace(PQA, sells=False, is_pqa=False),
        FRESH,
        ("contact_sales",),
        ("handoff", "sales", "hand_raise", "user"),
    ),
    "what is low goes to nurture": (PQA, FRESH, ("became_warm",), ("nurture", "sales", "low_priority", None)),
    "what is under way is joined": (
        replace(PQA, under_way=7),
        FRESH,
        ("became_hot",),
        ("joined", "sales", "under_way", None),
    ),
    "an asking joins too": (
        replace(PQA, under_way=7),
        FRESH,
        ("contact_sales",),
        ("joined", "sales", "hand_raise", "user"),
    ),
    "after a rejection it cools down": (
        PQA,
        replace(FRESH, state="rejected", cool_until=NOW + 5 * DAY),
        ("became_hot",),
        ("hold", "sales", "cooling_down", None),
    ),
    "unless somebody asks": (
        PQA,
        replace(FRESH, state="rejected", cool_until=NOW + 5 * DAY),
        ("became_hot", "enterprise_request"),
        ("handoff", "sales", "hand_raise", "user"),
    ),
    "a week lies between two qualifications": (
        PQA,
        replace(FRESH, state="sunset", qualified_at=NOW - 6 * DAY),
        ("became_hot",),
        ("hold", "sales", "too_soon_again", None),
    ),
    "and no more than a week": (
        PQA,
        replace(FRESH, state="sunset", qualified_at=NOW - 7 * DAY),
        ("became_hot",),
        ("handoff", "sales", "qualified", "buyer"),
    ),
    "nobody is written to on the first day": (
        replace(PQA, people=(replace(BUYER, signed_up_at=NOW - DAY / 2),)),
        FRESH,
        ("became_hot",),
        ("hold", "sales", "too_early", None),
    ),
    "another buyer is, if there is one": (
        replace(PQA, people=(replace(BUYER, signed_up_at=NOW - DAY / 2), SECOND)),
        FRESH,
        ("became_hot",),
        ("handoff", "sales", "qualified", "second"),
    ),
    "two touches in two weeks are enough for a person": (
        replace(PQA, people=(TOUCHED,)),
        FRESH,
        ("became_hot",),
        ("hold", "sales", "person_cap", None),
    ),
    "six are enough for an account": (
        replace(PQA, touches=tuple(NOW - n * DAY for n in range(1, 7))),
        FRESH,
        ("became_hot",),
        ("hold", "sales", "account_cap", None),
    ),
    "old touches do not count": (
        replace(PQA, touches=tuple(NOW - (13 + n) * DAY for n in range(1, 7))),
        FRESH,
        ("became_hot",),
        ("handoff", "sales", "qualified", "buyer"),
    ),
    "nobody is written to who opted out": (
        replace(PQA, people=(replace(BUYER, opted_out=True),)),
        FRESH,
        ("became_hot",),
        ("hold", "sales", "opted_out", None),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_rule(rule: str) -> None:
    facts, life, triggers, wanted = CASES[rule]
    assert said(decide(facts, life, why(*triggers), RULES, NOW)) == wanted


@pytest.mark.parametrize(
    ("facts", "life", "look_again"),
    [
        (replace(PQA, people=(replace(BUYER, signed_up_at=NOW - DAY / 2),)), FRESH, NOW + DAY / 2),
        (replace(PQA, people=(TOUCHED,)), FRESH, NOW + 4 * DAY),
        (PQA, replace(FRESH, state="rejected", cool_until=NOW + 5 * DAY), NOW + 5 * DAY),
        (PQA, replace(FRESH, state="sunset", qualified_at=NOW - 6 * DAY), NOW + DAY),
        (replace(PQA, touches=tuple(NOW - n * DAY for n in range(1, 8))), FRESH, NOW + 8 * DAY),
        (replace(LED, touches=tuple(NOW - n * DAY for n in range(1, 8))), FRESH, NOW + 8 * DAY),
    ],
)
def test_who_waits_is_handed_over_when_the_time_has_come_and_not_before(
    facts: Facts, life: Life, look_again: datetime
) -> None:
    reasons = why("became_hot")
    assert decide(facts, life, reasons, RULES, NOW).look_again == look_again
    assert decide(facts, life, reasons, RULES, look_again - timedelta(seconds=1)).outcome == "hold"
    assert decide(facts, life, reasons, RULES, look_again).outcome == "handoff"


def test_the_strongest_reason_sets_the_priority() -> None:
    assert decide(PQA, FRESH, why("became_warm", "became_hot"), RULES, NOW).priority == "medium"
    assert decide(PQA, FRESH, why("became_hot", "team_near_limit"), RULES, NOW).priority == "high"
    # Of somebody who asks, what was asked counts.
    assert decide(PQA, FRESH, why("team_near_limit", "contact_sales", person="x"), RULES, NOW).person_id == "x"


def test_work_ends_two_weeks_below_the_tier_or_three_weeks_without_reaching_anybody() -> None:
    asked = lives.qualified(FRESH, NOW)
    assert lives.seen(asked, is_pqa=False, now=NOW + DAY) == asked, "who never had a tier cannot lose it"
    life = lives.seen(asked, is_pqa=True, now=NOW)
    assert lives.sunset_at(life, RULES.lifecycle) == (NOW + 21 * DAY, "nobody_reached")
    below = lives.seen(life, is_pqa=False, now=NOW + 2 * DAY)
    assert lives.sunset_at(below, RULES.lifecycle) == (NOW + 16 * DAY, "below_tier")
    assert lives.seen(below, is_pqa=False, now=NOW + 9 * DAY) == below
    assert lives.seen(below, is_pqa=True, now=NOW + 9 * DAY) == life
    reached = replace(life, state="working", reached_at=NOW + DAY)
    assert lives.sunset_at(reached, RULES.lifecycle) is None
    assert lives.sunset_at(lives.ended(life, "won", NOW), RULES.lifecycle) is None


def test_a_rejection_cools_down_as_long_as_its_reason_says() -> None:
    life = lives.qualified(FRESH, NOW)
    assert lives.rejected(life, RULES.lifecycle, "timing", NOW).cool_until == NOW + 30 * DAY
    assert lives.rejected(life, RULES.lifecycle, "not_icp", NOW).cool_until == NOW + 90 * DAY


people = st.builds(
    Somebody,
    person_id=st.sampled_from(["p1", "p2", "p3"]),
    is_pql=st.booleans(),
    signed_up_at=st.one_of(st.none(), st.integers(0, 60).map(lambda n: NOW - n * DAY / 2)),
    opted_out=st.booleans(),
    touches=st.lists(st.integers(0, 40).map(lambda n: NOW - n * DAY / 2), max_size=4).map(tuple),
)
facts = st.builds(
    Facts,
    account_id=st.just("a"),
    is_pqa=st.booleans(),
    sells=st.booleans(),
    has_usage=st.booleans(),
    has_lead=st.booleans(),
    leads_opted_out=st.booleans(),
    people=st.lists(people, max_size=3, unique_by=lambda one: one.person_id).map(tuple),
    touches=st.lists(st.integers(0, 40).map(lambda n: NOW - n * DAY / 2), max_size=9).map(tuple),
    under_way=st.one_of(st.none(), st.just(7)),
)
ago = st.one_of(st.none(), st.integers(0, 60).map(lambda n: NOW - n * DAY / 2))
some_life = st.builds(
    Life,
    state=st.sampled_from(["watching", "qualified", "working", "accepted", "rejected", "won", "lost", "sunset"]),
    since=st.just(NOW - 60 * DAY),
    qualified_at=ago,
    below_since=ago,
    cool_until=st.one_of(st.none(), st.integers(-60, 60).map(lambda n: NOW + n * DAY / 2)),
    reached_at=ago,
)
some_reasons = st.lists(st.sampled_from(sorted(RULES.triggers)), min_size=1, max_size=4).map(lambda names: why(*names))


@given(facts=facts, life=some_life, reasons=some_reasons)
@settings(max_examples=600, deadline=None)
def test_what_must_never_happen_never_does(facts: Facts, life: Life, reasons: tuple[Reason, ...]) -> None:
    made = decide(facts, life, reasons, RULES, NOW)
    asked = any(RULES.triggers[one.trigger].hand_raise for one in reasons)
    two_weeks = [at for at in facts.touches if at > NOW - 14 * DAY]
    assert made.because
    if asked:  # nobody who asks goes unanswered
        assert made.outcome == ("handoff" if facts.under_way is None else "joined")
        return
    if made.outcome == "handoff":
        assert facts.under_way is None, "no account has two"
        assert made.priority != "low" or made.lane == "top_down"
        assert life.state in lives.ENGAGED or not life.cool_until or life.cool_until <= NOW
        assert life.state in lives.ENGAGED or not life.qualified_at or life.qualified_at <= NOW - 7 * DAY
    if made.outcome == "handoff" and made.lane == "top_down":
        assert facts.has_lead
        assert not facts.has_usage
        assert not facts.leads_opted_out
        assert len(two_weeks) < 6
    if made.outcome == "handoff" and made.lane == "sales":
        assert facts.is_pqa
        assert facts.sells
        assert len(two_weeks) < 6
        [person] = [one for one in facts.people if one.person_id == made.person_id]
        assert person.is_pql
        assert not person.opted_out
        assert not person.signed_up_at or person.signed_up_at <= NOW - DAY
        assert len([at for at in person.touches if at > NOW - 14 * DAY]) < 2
    if made.look_again:
        assert made.outcome == "hold"
        assert made.look_again > NOW
