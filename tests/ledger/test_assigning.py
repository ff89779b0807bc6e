"""Handoffs go to people, on to others when they lie, and back to whoever had the company before."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from handraise.errors import ConflictError, InputError, NotFoundError
from handraise.handoffs.decide import Facts, Verdict
from handraise.ledger import acting, assigning
from handraise.ledger.store import Ledger
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.load import load_template
from handraise.playbook.routing import Routing
from handraise.records.acting import Call, CallKind, Decision, Handoff, Reason
from handraise.service.assigning import Assigning, pass_on
from handraise.service.calling import say, undo
from handraise.service.roster import forget, in_force, roster_now, tell

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday
DAY = timedelta(days=1)
LATER = NOW + 3 * DAY
TEMPLATE = load_template().playbook.handoffs
RULES: Handoffs = TEMPLATE.model_copy(
    update={
        "routing": Routing.model_validate(
            {
                "reps": {"ana": {"known_as": ["Ana Ruiz"]}, "bo": {}, "cy": {"capacity": 1}},
                "teams": {"inside_sales": {"members": ["ana", "bo"]}},
            }
        )
    }
)
EMPTY: Handoffs = TEMPLATE
VERDICT = Verdict(outcome="handoff", lane="sales", priority="medium", because="qualified")


def facts(account: str = "a", **more: Any) -> Facts:
    return Facts(account_id=account, is_pqa=True, sells=True, has_usage=True, segment="mid_market", **more)


def hand_over(
    ledger: Ledger, known: Facts, *, at: datetime = NOW, trigger: str = "became_hot", rules: Handoffs = RULES
) -> Handoff:
    with ledger.transaction() as connection:
        routed = Assigning(connection, in_force(connection, rules), at, [known]).to_somebody(known, VERDICT)
        reason = Reason(trigger=trigger, person_id="p", value=1, fired_at=at)
        made = Decision(
            at=at,
            as_of=date(2026, 11, 25),
            account_id=known.account_id,
            person_id="p",
            outcome="handoff",
            lane="sales",
            priority="medium",
            because="qualified",
            reasons=(reason,),
            playbook="x",
            owner=routed.owner,
            queue=routed.queue,
            routed=routed.because,
        )
        terms = {"due_at": routed.due_at, "limit_at": routed.limit_at, "domain": known.domain, "segment": known.segment}
        number = acting.add_decision(connection, made, terms=terms).handoff
    return found(ledger, number or 0)


def found(ledger: Ledger, number: int) -> Handoff:
    with ledger.reading() as connection:
        [one] = [one for one in acting.list_handoffs(connection, live=False) if one.id == number]
    return one


def passed_on(ledger: Ledger, at: datetime = LATER, rules: Handoffs = RULES) -> list[Decision]:
    with ledger.transaction() as connection:
        return pass_on(
            connection, in_force(connection, rules), at=at, as_of=date(2026, 11, 28), playbook=load_template()
        )


def called(kind: CallKind, by: str, **more: Any) -> Call:
    return Call(kind=kind, by=by, at=NOW + timedelta(hours=1), **more)


def test_a_team_takes_turns_by_what_everybody_has(ledger: Ledger) -> None:
    owners = [hand_over(ledger, facts(f"a{n}")).owner for n in range(4)]
    assert owners == ["ana", "bo", "ana", "bo"]
    say(ledger, 2, called("lost", "bo", reason="timing"), RULES)
    say(ledger, 4, called("lost", "bo", reason="timing"), RULES)
    assert [hand_over(ledger, facts(f"b{n}")).owner for n in range(3)] == ["bo", "bo", "ana"]


def test_what_nobody_was_contacted_about_goes_round_once_and_then_stays(ledger: Ledger) -> None:
    one = hand_over(ledger, facts())
    assert (one.owner, one.queue, one.limit_at) == ("ana", "inside_sales", NOW + 2 * DAY)
    assert passed_on(ledger, NOW + 2 * DAY - timedelta(seconds=1)) == []
    [made] = passed_on(ledger, NOW + 2 * DAY)
    assert (made.because, made.owner, made.routed, made.handoff) == ("sla_lapsed", "bo", "team", one.id)
    after = found(ledger, one.id)
    assert (after.owner, after.version, after.limit_at) == ("bo", one.version + 1, NOW + 6 * DAY)
    [last] = passed_on(ledger, NOW + 7 * DAY)
    assert (last.owner, last.routed) == ("bo", "nobody_free")
    assert passed_on(ledger, NOW + 30 * DAY) == [], "it is tried again, and said once"
    assert (found(ledger, one.id).limit_at or NOW) > NOW + 30 * DAY
    tell(ledger, RULES, "teams", "inside_sales", {"members": ["ana", "bo", "cy"]}, actor="x", now=NOW)
    assert [made.owner for made in passed_on(ledger, NOW + 60 * DAY)] == ["cy"], "somebody new may take it"
    with ledger.reading() as connection:
        said = [one.outcome for one in acting.list_decisions(connection, "a")]
    assert said == ["passed_on", "passed_on", "passed_on", "handoff"]


def test_a_contact_stops_the_clock_and_a_claim_does_not(ledger: Ledger) -> None:
    one, two = hand_over(ledger, facts("a")), hand_over(ledger, facts("b"))
    say(ledger, one.id, called("contacted", "ana", channel="phone"), RULES)
    say(ledger, two.id, called("claim", "bo"), RULES)
    assert [(made.handoff, made.owner) for made in passed_on(ledger)] == [(two.id, "ana")]
    with pytest.raises(ConflictError, match="passed on, ended or asked"):
        undo(ledger, two.id, RULES, by="bo", now=LATER)


def test_who_spoke_up_meanwhile_keeps_it(ledger: Ledger) -> None:
    before = hand_over(ledger, facts())
    say(ledger, before.id, called("contacted", "ana"), RULES)
    with ledger.transaction() as connection:
        assert not assigning.give(connection, before, replace(before, owner="bo"))
    assert found(ledger, before.id).owner == "ana"


def test_what_somebody_who_left_had_goes_to_others_at_once(ledger: Ledger) -> None:
    one = hand_over(ledger, facts())
    tell(ledger, RULES, "reps", "ana", {"known_as": ["Ana Ruiz"], "active": False}, actor="x", now=NOW)
    [made] = passed_on(ledger, NOW)
    assert (made.because, made.owner) == ("owner_left", "bo")
    tell(ledger, RULES, "reps", "bo", {"active": False}, actor="x", now=NOW)
    [made] = passed_on(ledger, NOW)
    assert (made.owner, made.queue, made.routed) == (None, "inside_sales", "nobody_free")
    assert found(ledger, one.id).owner is None
    assert passed_on(ledger, NOW) == []
    tell(ledger, RULES, "reps", "cy", {"active": True}, actor="x", now=NOW)
    assert [hand_over(ledger, facts(f"n{n}")).owner for n in range(2)] == [None, None], "nothing goes to who left"
    for kind, by, more in (("claim", "ana", {}), ("claim", "Ana Ruiz", {}), ("reassign", "cy", {"to": "bo"})):
        with pytest.raises(ConflictError, match="takes no handoffs any more"):
            say(ledger, one.id, called(kind, by, **more), RULES)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Did you mean 'ana'"):
        say(ledger, one.id, called("reassign", "cy", to="anna"), RULES)


def test_who_comes_back_goes_to_whoever_had_them(ledger: Ledger) -> None:
    hand_over(ledger, facts("other"))
    first = hand_over(ledger, facts("a", domain="acme.example"))
    assert first.owner == "bo"
    say(ledger, first.id, called("lost", "bo", reason="timing"), RULES)
    assert hand_over(ledger, facts("a"), at=NOW + 179 * DAY).owner == "bo"
    same = facts("domain:acme.example", domain="acme.example")
    assert hand_over(ledger, same, at=NOW + 100 * DAY).owner == "bo"
    with ledger.reading() as connection:
        since = NOW + timedelta(hours=1)
        wanted = [("x", "acme.example"), ("x", None), ("a", None)]
        had = assigning.previous_owners(connection, wanted, since=since)
        assert had == {("x", "acme.example"): "bo", ("a", None): "bo"}
        assert assigning.previous_owners(connection, wanted, since=since + timedelta(seconds=1)) == {}


def test_people_are_known_by_all_their_names(ledger: Ledger) -> None:
    one = hand_over(ledger, facts(owner="ana RUIZ"))
    assert one.owner == "ana"
    say(ledger, one.id, called("claim", "Ana Ruiz"), RULES)
    assert undo(ledger, one.id, RULES, by="ANA ruiz", now=NOW).handoff.status == "open"


def test_without_a_roster_nothing_is_passed_on(ledger: Ledger) -> None:
    one = hand_over(ledger, facts(owner="Whoever"), rules=EMPTY)
    assert one.owner == "Whoever"
    assert passed_on(ledger, rules=EMPTY) == []


def test_the_roster_told_stands_before_the_playbooks(ledger: Ledger) -> None:
    tell(ledger, RULES, "reps", "dee", {"name": "Dee", "capacity": 3}, actor="x", now=NOW)
    tell(ledger, RULES, "teams", "inside_sales", {"members": ["dee"]}, actor="x", now=NOW)
    assert hand_over(ledger, facts()).owner == "dee"
    with ledger.reading() as connection:
        now = roster_now(connection, RULES, NOW)
        assert [(one.rep, one.teams, one.under_way, one.at_work) for one in now.reps] == [
            ("ana", (), 0, True),
            ("bo", (), 0, True),
            ("cy", (), 0, True),
            ("dee", ("inside_sales",), 1, True),
        ]
        night = roster_now(connection, RULES, NOW + 8 * timedelta(hours=1)).reps[0]
        assert (night.at_work, night.back_at) == (False, datetime(2026, 11, 25, 9, tzinfo=UTC))
    with pytest.raises(ConflictError, match="names 'dee'"):
        forget(ledger, RULES, "reps", "dee", actor="x", now=NOW)
    forget(ledger, RULES, "teams", "inside_sales", actor="x", now=NOW)
    forget(ledger, RULES, "reps", "dee", actor="x", now=NOW)
    with pytest.raises(NotFoundError):
        forget(ledger, RULES, "reps", "dee", actor="x", now=NOW)
    with pytest.raises(InputError, match="whom `reps` does not have"):
        tell(ledger, RULES, "teams", "t", {"members": ["zed"]}, actor="x", now=NOW)
    assert hand_over(ledger, facts("b")).owner in {"ana", "bo"}


def test_of_what_was_told_only_what_fits_no_more_is_left_out(ledger: Ledger) -> None:
    tell(ledger, RULES, "reps", "ana", {"active": False}, actor="x", now=NOW)
    tell(ledger, RULES, "teams", "inside_sales", {"members": ["cy", "ana"]}, actor="x", now=NOW)
    tell(ledger, RULES, "territories", "t", {"owner": "cy", "countries": ["DE"]}, actor="x", now=NOW)
    fewer = RULES.routing.model_copy(update={"reps": {"ana": RULES.routing.reps["ana"]}, "teams": {}})
    with ledger.reading() as connection:
        routing = in_force(connection, replace_routing(fewer)).routing
    assert routing.territories == {}
    assert routing.teams == {}
    assert not routing.reps["ana"].active, "who was told to have left stays so"


def test_what_fits_no_more_keeps_nothing_else_from_being_told_or_taken_away(ledger: Ledger) -> None:
    tell(ledger, RULES, "teams", "inside_sales", {"members": ["cy", "ana"]}, actor="x", now=NOW)
    tell(ledger, RULES, "teams", "others", {"members": ["cy"]}, actor="x", now=NOW)
    tell(ledger, RULES, "territories", "t", {"owner": "others", "countries": ["DE"]}, actor="x", now=NOW)
    fewer = replace_routing(RULES.routing.model_copy(update={"reps": {"ana": RULES.routing.reps["ana"]}, "teams": {}}))
    with ledger.reading() as connection:
        found = roster_now(connection, fewer, NOW)
    assert [(one.kind, one.name) for one in found.stale] == [
        ("teams", "inside_sales"),
        ("teams", "others"),
        ("territories", "t"),
    ]
    assert "names 'cy', whom `reps` does not have" in found.stale[0].reason
    tell(ledger, fewer, "reps", "dee", {"known_as": ["D"]}, actor="x", now=NOW)
    tell(ledger, fewer, "teams", "fine", {"members": ["dee"]}, actor="x", now=NOW)
    with pytest.raises(InputError, match="names 'cy'"):
        tell(ledger, fewer, "teams", "inside_sales", {"members": ["cy", "dee"]}, actor="x", now=NOW)
    with pytest.raises(InputError, match="both known as 'd'"):
        tell(ledger, fewer, "reps", "bo", {"known_as": ["d"]}, actor="x", now=NOW)
    with pytest.raises(ConflictError, match="the team 'fine' names 'dee'"):
        forget(ledger, fewer, "reps", "dee", actor="x", now=NOW)
    for kind, name in (("teams", "others"), ("territories", "t")):
        forget(ledger, fewer, kind, name, actor="x", now=NOW)  # type: ignore[arg-type]
    tell(ledger, fewer, "teams", "inside_sales", {"members": ["dee"]}, actor="x", now=NOW)
    with ledger.reading() as connection:
        found = roster_now(connection, fewer, NOW)
    assert found.stale == ()
    assert found.told == {"reps": ("dee",), "teams": ("fine", "inside_sales")}
    assert found.routing.teams["inside_sales"].members == ("dee",)


def test_what_fits_only_together_holds_beside_what_fits_no_more(ledger: Ledger) -> None:
    """A name went from one person to another, who comes first in the alphabet."""
    tell(ledger, RULES, "reps", "bo", {"known_as": ["b"]}, actor="x", now=NOW)
    tell(ledger, RULES, "reps", "cy", {"capacity": 2}, actor="x", now=NOW)
    tell(ledger, RULES, "teams", "old", {"members": ["ana"]}, actor="x", now=NOW)
    cy = RULES.routing.reps["cy"].model_copy(update={"known_as": ("b",)})
    changed = replace_routing(RULES.routing.model_copy(update={"reps": {"cy": cy}, "teams": {}}))
    with ledger.reading() as connection:
        found = roster_now(connection, changed, NOW)
    assert [(one.kind, one.name) for one in found.stale] == [("teams", "old")]
    assert found.routing.reps["bo"].known_as == ("b",)
    assert found.routing.reps["cy"].known_as == ()
    tell(ledger, changed, "reps", "bo", {"known_as": ["b", "bobby"]}, actor="x", now=NOW)
    with pytest.raises(ConflictError, match="both known as 'b'"):
        forget(ledger, changed, "reps", "cy", actor="x", now=NOW)
    forget(ledger, changed, "teams", "old", actor="x", now=NOW)


@pytest.mark.parametrize(
    ("kind", "name", "body"),
    [
        ("reps", "kim", {"hours": {"start": "09:00Z"}}),
        ("reps", "kim", {"hours": {"timezone": "Europe"}}),
        ("reps", "kim", {"hours": {"timezone": "x" * 300}}),
        ("teams", "t", {"members": ["inside_sales"]}),
        ("teams", "t", {"members": ["t"]}),
    ],
)
def test_what_cannot_be_worked_with_is_not_kept(ledger: Ledger, kind: Any, name: str, body: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        tell(ledger, RULES, kind, name, body, actor="x", now=NOW)
    with ledger.reading() as connection:
        assert roster_now(connection, RULES, NOW).told == {}


def test_owners_are_known_by_every_name_they_have(ledger: Ledger) -> None:
    raw = [hand_over(ledger, facts(f"a{n}", owner=name), rules=EMPTY) for n, name in enumerate(_SPELLINGS)]
    assert [one.owner for one in raw] == list(_SPELLINGS)
    with ledger.reading() as connection:
        assert next(one.under_way for one in roster_now(connection, RULES, NOW).reps if one.rep == "ana") == 3
    say(ledger, raw[0].id, called("accept", "ana"), RULES)
    tell(ledger, RULES, "reps", "ana", {"known_as": ["Ana Ruiz"], "active": False}, actor="x", now=NOW)
    made = passed_on(ledger, NOW)
    assert {one.because for one in made} == {"owner_left"}
    assert {one.owner for one in made} == {"bo"}
    assert len(made) == len(_SPELLINGS), "whoever is not on the roster has left too"


_SPELLINGS = ("Ana Ruiz", "ANA", "ana ruiz", "somebody else")


def test_a_stranger_speaks_for_nobody(ledger: Ledger) -> None:
    one = hand_over(ledger, facts())
    with pytest.raises(InputError, match="Did you mean 'ana'"):
        say(ledger, one.id, called("accept", "anna"), RULES)
    say(ledger, one.id, called("note", "a visitor", note="hello"), RULES)


def test_a_reason_that_is_nearly_one_of_the_playbook_is_asked_about(ledger: Ledger) -> None:
    one = hand_over(ledger, facts())
    with pytest.raises(InputError, match="Did you mean 'not_icp'"):
        say(ledger, one.id, called("reject", "ana", reason="not_icb"), RULES)
    say(ledger, one.id, called("reject", "ana", reason="budget"), RULES)


def replace_routing(routing: Routing) -> Handoffs:
    return RULES.model_copy(update={"routing": routing})


def test_a_hand_raise_goes_to_somebody_however_much_they_have(ledger: Ledger) -> None:
    full = Routing.model_validate({"reps": {"cy": {"capacity": 1}}, "teams": {"inside_sales": {"members": ["cy"]}}})
    rules = replace_routing(full)
    assert hand_over(ledger, facts("a"), rules=rules).owner == "cy"
    assert hand_over(ledger, facts("b"), rules=rules).owner is None
    with ledger.transaction() as connection:
        raised = replace(VERDICT, because="hand_raise", priority="high")
        assert Assigning(connection, rules, NOW, []).to_somebody(facts("c"), raised).owner == "cy"
