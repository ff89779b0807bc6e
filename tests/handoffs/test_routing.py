"""Who gets a handoff: the steps of a route, whose turn it is, and who never gets anything."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from handraise.handoffs.routing import Load, Router, Work
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.load import load_template
from handraise.playbook.routing import Routing

MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
TEMPLATE = load_template().playbook.handoffs
BERLIN = {"timezone": "Europe/Berlin"}
TOKYO = {"timezone": "Asia/Tokyo"}
ROSTER: dict[str, Any] = {
    "reps": {
        "ana": {"email": "ana@us.example", "known_as": ["Ana Ruiz"]},
        "bo": {"capacity": 2},
        "cy": {"hours": TOKYO},
        "dee": {"active": False},
        "eve": {"away": [{"first": "2026-11-20", "last": "2026-11-23"}]},
        "max": {},
    },
    "teams": {"inside_sales": {"members": ["bo", "cy", "dee", "eve"]}, "marketing": {"members": ["max"]}},
    "territories": {
        "german": {"owner": "ana", "countries": ["de", "AT"], "segments": ["enterprise"]},
        "named": {"owner": "bo", "accounts": ["acc-7"]},
        "schools": {"owner": "inside_sales", "domains": ["edu", "school.example"]},
    },
}
WORK = Work(account_id="a", lane="sales", priority="medium", segment="mid_market")


def rules(**routing: Any) -> Handoffs:
    return TEMPLATE.model_copy(update={"routing": Routing.model_validate({**ROSTER, **routing})})


def routed(work: Work = WORK, *, loads: dict[str, Load] | None = None, at: datetime = MONDAY, **routing: Any) -> str:
    found = Router(rules(**routing), loads or {}, at).route(work)
    return f"{found.owner or '-'} {found.queue or '-'} {found.because}"


CASES: list[tuple[dict[str, Any], str]] = [
    ({"crm_owner": "ana"}, "ana - crm_owner"),
    ({"crm_owner": " Ana RUIZ "}, "ana - crm_owner"),
    ({"crm_owner": "ana@US.example"}, "ana - crm_owner"),
    ({"crm_owner": "dee"}, "bo inside_sales team"),
    ({"crm_owner": "somebody who left"}, "bo inside_sales team"),
    ({"crm_owner": "eve"}, "bo inside_sales team"),
    ({"crm_owner": "dee", "previous_owner": "ana"}, "ana - previous_owner"),
    ({"crm_owner": "bo", "previous_owner": "ana"}, "bo - crm_owner"),
    ({"country": "DE", "segment": "enterprise"}, "ana - territory"),
    ({"country": "DE", "segment": "mid_market"}, "bo inside_sales team"),
    ({"country": None, "segment": "enterprise"}, "bo inside_sales team"),
    ({"account_id": "acc-7", "country": "DE", "segment": "enterprise"}, "bo - territory"),
    ({"domain": "big.EDU"}, "bo inside_sales territory"),
    ({"domain": "school.example"}, "bo inside_sales territory"),
    ({"domain": "preschool.example"}, "bo inside_sales team"),
    ({"lane": "find_buyer", "crm_owner": "ana"}, "max marketing team"),
    ({"lane": "top_down", "crm_owner": "ana"}, "ana - crm_owner"),
    ({"segment": None}, "bo inside_sales team"),
]


@pytest.mark.parametrize(("known", "wanted"), CASES)
def test_the_first_step_that_has_somebody_gets_it(known: dict[str, Any], wanted: str) -> None:
    assert routed(replace(WORK, **known)) == wanted


def test_a_segment_can_have_a_route_of_its_own() -> None:
    routes = {"sales": {"default": ["inside_sales"], "enterprise": ["territory", "max"]}}
    assert routed(replace(WORK, segment="enterprise"), routes=routes) == "max - person"
    assert routed(replace(WORK, segment="enterprise", country="at"), routes=routes) == "ana - territory"
    assert routed(replace(WORK, segment="mid_market", crm_owner="ana"), routes=routes) == "bo inside_sales team"


def test_while_nobody_is_on_the_roster_the_crm_is_taken_at_its_word() -> None:
    empty = {"reps": {}, "teams": {}, "territories": {}}
    assert routed(replace(WORK, crm_owner="Whoever It Is"), **empty) == "Whoever It Is - crm_owner"
    assert routed(WORK, **empty) == "- inside_sales queue"
    assert routed(replace(WORK, lane="find_buyer"), **empty) == "- marketing queue"


def test_it_goes_round() -> None:
    team = {"teams": {"inside_sales": {"members": ["ana", "cy", "max"]}}, "territories": {}}
    loads: dict[str, Load] = {}
    got = []
    for number in range(1, 10):
        owner = routed(WORK, loads=loads, **team).split()[0]
        got.append(owner)
        loads[owner] = Load(under_way=loads.get(owner, Load()).under_way + 1, latest=number)
    assert Counter(got) == {"ana": 3, "cy": 3, "max": 3}
    assert got[:3] == got[3:6] == got[6:]


def test_who_has_fewest_gets_the_next_and_who_waited_longest_among_equals() -> None:
    team = {"teams": {"inside_sales": {"members": ["ana", "cy", "max"]}}, "territories": {}}
    loads = {"ana": Load(under_way=2, latest=3), "cy": Load(under_way=1, latest=9), "max": Load(under_way=1, latest=8)}
    assert routed(WORK, loads=loads, **team).startswith("max ")


def test_what_is_urgent_goes_to_whoever_is_soonest_at_work() -> None:
    team = {"teams": {"inside_sales": {"members": ["ana", "cy"]}}, "territories": {}}
    urgent = replace(WORK, priority="high")
    busy = {"ana": Load(under_way=9, latest=1)}
    assert routed(urgent, loads=busy, **team).startswith("ana "), (
        "ten in the morning here, seven in the evening in Tokyo"
    )
    assert routed(urgent, loads=busy, at=MONDAY - timedelta(hours=9), **team).startswith("cy ")
    assert routed(WORK, loads=busy, **team).startswith("cy ")


def test_whoever_is_full_gets_nothing_unless_somebody_asked() -> None:
    team = {"teams": {"inside_sales": {"members": ["bo"]}}, "territories": {}}
    full = {"bo": Load(under_way=2, latest=5)}
    assert routed(WORK, loads=full, **team) == "- inside_sales nobody_free"
    assert routed(replace(WORK, hand_raise=True), loads=full, **team) == "bo inside_sales team"
    assert routed(replace(WORK, crm_owner="bo"), loads=full, **team) == "bo - crm_owner", "their accounts are theirs"


def test_the_clock_is_that_of_whoever_gets_it() -> None:
    team = {"teams": {"inside_sales": {"members": ["ana"], "hours": BERLIN}}, "territories": {}}
    found = Router(rules(**team), {}, MONDAY - timedelta(hours=10)).route(replace(WORK, priority="high"))
    assert found.due_at == datetime(2026, 11, 23, 9, tzinfo=UTC), "an hour after nine in Berlin"
    alone = Router(rules(**team), {}, MONDAY - timedelta(hours=10)).route(
        replace(WORK, priority="high", crm_owner="bo")
    )
    assert alone.due_at == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_away_means_days_where_they_live() -> None:
    away = {"reps": {**ROSTER["reps"], "eve": {**ROSTER["reps"]["eve"], "hours": TOKYO}}, "territories": {}}
    work, team = replace(WORK, crm_owner="eve"), {**away, "teams": {}}
    assert routed(work, at=datetime(2026, 11, 23, 14, 59, tzinfo=UTC), **team) == "- inside_sales queue"
    assert routed(work, at=datetime(2026, 11, 23, 15, 1, tzinfo=UTC), **team) == "eve - crm_owner"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"teams": {"t": {"members": ["nobody"]}}}, "whom `reps` does not have"),
    ({"territories": {"t": {"owner": "anna", "countries": ["DE"]}}}, "Did you mean"),
    ({"territories": {"t": {"owner": "ana"}}}, "which accounts are in it"),
    ({"teams": {"ana": {}}, "territories": {}}, "name of two things"),
    ({"teams": {"territory": {}}, "territories": {}}, "name of two things"),
    ({"reps": {"a": {"known_as": ["X"]}, "b": {"email": "x"}}, "teams": {}, "territories": {}}, "both known as"),
    ({"routes": {"find_buyer": ["crm_owner"]}}, "so that nothing is lost"),
    ({"routes": {"sales": {"enterprise": ["max"]}}}, "needs a route `default`"),
    ({"reps": {"a": {"away": [{"first": "2026-11-24", "last": "2026-11-23"}]}}}, "comes before"),
    ({"reps": {"a b": {}}}, "should match pattern"),
]


@pytest.mark.parametrize(("routing", "said"), REFUSED)
def test_a_roster_that_makes_no_sense_is_refused(routing: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        rules(**routing)


REPS = ["ana", "bo", "cy", "dee", "eve", "max"]


@settings(max_examples=200, deadline=None)
@given(
    work=st.builds(
        Work,
        account_id=st.sampled_from(["a", "acc-7"]),
        lane=st.sampled_from(["sales", "find_buyer", "top_down"]),
        priority=st.sampled_from(["high", "medium", "low"]),
        hand_raise=st.booleans(),
        segment=st.sampled_from([None, "enterprise", "mid_market", "smb"]),
        domain=st.sampled_from([None, "x.edu", "y.com"]),
        country=st.sampled_from([None, "DE", "fr"]),
        crm_owner=st.sampled_from([None, "zed", *REPS]),
        previous_owner=st.sampled_from([None, *REPS]),
    ),
    loads=st.dictionaries(
        st.sampled_from(REPS), st.builds(Load, under_way=st.integers(0, 4), latest=st.integers(0, 9))
    ),
    passed_over=st.frozensets(st.sampled_from(REPS)),
    hours=st.integers(0, 24 * 14),
)
def test_nobody_who_is_gone_away_full_or_passed_over_gets_anything(
    work: Work, loads: dict[str, Load], passed_over: frozenset[str], hours: int
) -> None:
    at = MONDAY + timedelta(hours=hours)
    found = Router(rules(), loads, at).route(work, passed_over)
    assert found.owner or found.queue, "nothing is lost"
    if found.owner is None:
        assert found.because in {"queue", "nobody_free"}
        return
    assert found.owner in REPS
    assert found.owner not in passed_over | {"dee"}
    if at.date() <= datetime(2026, 11, 23, tzinfo=UTC).date():
        assert found.owner != "eve"
    if found.queue and not work.hand_raise and found.owner == "bo":
        assert loads.get("bo", Load()).under_way < 2
    assert found.due_at
    assert found.limit_at
    assert at <= found.due_at <= found.limit_at
