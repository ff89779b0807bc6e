"""What joins a handoff under way turns it where it has to: to whoever asked, to a buyer who is there now, to a shorter clock."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from handraise.ledger import acting
from handraise.ledger.store import Ledger
from handraise.playbook.load import LoadedPlaybook, parse_playbook
from handraise.records.acting import Call, Decision, Handoff
from handraise.service import roster
from handraise.service.calling import say
from handraise.service.decisions import Deciding
from service.test_state_machine import DAY, HOUR, LOADED, RULES, SHAPES, START, Someone, World


@dataclass
class Company:
    """An account whose world a test changes, decided about when the test says so."""

    ledger: Ledger
    world: World = field(default_factory=lambda: World(people={"big": []}, pqa={"big"}))
    loaded: LoadedPlaybook = LOADED

    def decide(self, at: datetime) -> tuple[Decision, ...]:
        with self.ledger.transaction() as connection:
            return Deciding(connection, self.loaded, self.world, as_of=at.date() + DAY, at=at).run().decisions

    def handoff(self) -> Handoff:
        with self.ledger.reading() as connection:
            [found] = acting.list_handoffs(connection)
        return found

    def said(self, kind: Any, at: datetime, **more: Any) -> None:
        say(self.ledger, self.handoff().id, Call(kind=kind, by="ana", at=at, **more), RULES)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Nothing was true when it was looked for the first time."""
    ledger = Ledger.open(tmp_path / "ledger.db")
    made = Company(ledger)
    with ledger.transaction() as connection:
        Deciding(connection, LOADED, made.world, as_of=START.date() + DAY, at=START).take_as_known()
    yield made
    ledger.close()


def test_who_asks_where_a_buyer_is_looked_for_is_answered_by_sales(company: Company) -> None:
    company.world.true.add(("qualified", "big", ""))
    company.decide(START + HOUR)
    before = company.handoff()
    assert (before.lane, before.queue, before.owner) == ("find_buyer", "marketing", None)
    company.world.asked["contact_sales", "big", "eve"] = START + 2 * HOUR
    company.decide(START + 2 * HOUR)
    after = company.handoff()
    assert (after.lane, after.queue, after.person_id, after.priority) == ("sales", "inside_sales", "eve", "high")
    assert after.owner in {"ana", "bo"}
    assert after.due_at == START + 3 * HOUR


def test_where_marketing_has_it_the_claim_holds(company: Company) -> None:
    company.world.true.add(("qualified", "big", ""))
    company.decide(START + HOUR)
    company.said("claim", START + HOUR)
    company.world.asked["contact_sales", "big", "eve"] = START + 2 * HOUR
    company.decide(START + 2 * HOUR)
    assert (company.handoff().lane, company.handoff().owner) == ("sales", "ana")


def test_a_buyer_who_is_there_now_is_no_longer_looked_for(company: Company) -> None:
    company.world.true.add(("qualified", "big", ""))
    company.decide(START + HOUR)
    company.world.people["big"] = [Someone("out", is_pql=True), Someone("eve", is_pql=True)]
    company.world.people["big"][0].opted_out = True
    company.world.true.add(("became_hot", "big", "eve"))
    company.decide(START + 2 * HOUR)
    after = company.handoff()
    assert (after.lane, after.queue, after.person_id) == ("sales", "inside_sales", "eve")


def under_way(company: Company) -> Handoff:
    company.world.people["big"] = [Someone("eve", is_pql=True)]
    company.world.true.add(("qualified", "big", ""))
    company.decide(START + HOUR)
    return company.handoff()


def test_a_more_urgent_reason_shortens_the_clock(company: Company) -> None:
    before = under_way(company)
    assert (before.priority, before.due_at) == ("medium", START + DAY + HOUR)
    company.world.true.add(("team_near_limit", "big", ""))
    company.decide(START + 2 * HOUR)
    after = company.handoff()
    assert (after.priority, after.due_at) == ("high", START + 3 * HOUR)
    assert after.limit_at
    assert before.limit_at
    assert after.limit_at < before.limit_at


@pytest.mark.parametrize(
    ("kind", "more"), [("contacted", {}), ("snooze", {"until": START + 5 * DAY})], ids=["contacted", "snoozed"]
)
def test_it_does_not_where_somebody_was_contacted_or_who_has_it_put_it_off(
    company: Company, kind: str, more: dict[str, Any]
) -> None:
    owner = under_way(company).owner
    say(company.ledger, company.handoff().id, Call(kind=kind, by=str(owner), at=START + HOUR, **more), RULES)  # type: ignore[arg-type]
    before = company.handoff()
    company.world.true.add(("team_near_limit", "big", ""))
    company.decide(START + 2 * HOUR)
    assert company.handoff().priority == "high"
    assert company.handoff().due_at == before.due_at


def test_a_second_who_asks_is_answered_before_the_account_sinks(company: Company) -> None:
    owner = str(under_way(company).owner)
    company.world.asked["contact_sales", "big", "eve"] = START + 2 * HOUR
    company.decide(START + 2 * HOUR)
    say(company.ledger, 1, Call(kind="replied", by=owner, at=START + 3 * HOUR), RULES)
    company.world.pqa.clear()
    company.decide(START + 4 * HOUR)
    company.world.asked["contact_sales", "big", "bob"] = START + 13 * DAY
    company.decide(START + 13 * DAY)
    assert not [one for one in company.decide(START + 15 * DAY) if one.outcome == "sunset"]
    say(company.ledger, 1, Call(kind="replied", by=str(company.handoff().owner), at=START + 15 * DAY), RULES)
    assert [one.because for one in company.decide(START + 16 * DAY) if one.outcome == "sunset"] == ["below_tier"]


def test_who_asked_is_answered_though_the_trigger_was_changed_since(company: Company) -> None:
    company.world.asked["contact_sales", "big", "ann"] = START - DAY
    text = "version: 1\nhandoffs: {triggers: {contact_sales: {when: {kind: asked, role: contact_sales, within: 9}}}}\n"
    company.loaded = parse_playbook(text, name="handraise.yaml", path=None)
    company.world.asked["contact_sales", "big", "eve"] = START + HOUR
    [made] = company.decide(START + 2 * HOUR)
    assert (made.outcome, made.person_id) == ("handoff", "eve"), "and not ann, who asked before anything was decided"


def test_what_holds_since_scores_mean_something_else_is_no_news(company: Company) -> None:
    company.decide(START + HOUR)
    company.world.true.add(("qualified", "big", ""))
    company.world.people["big"] = [Someone("eve", is_pql=True)]
    with company.ledger.transaction() as connection:
        deciding = Deciding(connection, LOADED, company.world, as_of=START.date(), at=START)
        deciding.take_more_as_known(START + HOUR)
    assert company.decide(START + 2 * HOUR) == ()
    company.world.true.add(("team_growing", "big", ""))
    [made] = company.decide(START + 3 * HOUR)
    assert [one.trigger for one in made.reasons] == ["team_growing"]


def test_an_ask_ends_no_rest_that_a_rejection_began(company: Company) -> None:
    owner = str(under_way(company).owner)
    say(company.ledger, 1, Call(kind="reject", by=owner, at=START + HOUR, reason="not_icp"), RULES)
    company.world.asked["contact_sales", "big", "eve"] = START + 2 * DAY
    company.decide(START + 2 * DAY)
    say(company.ledger, 2, Call(kind="lost", by=str(company.handoff().owner), at=START + 3 * DAY, reason="no"), RULES)
    company.world.true.add(("became_hot", "big", "eve"))
    [held] = company.decide(START + 20 * DAY)
    assert (held.outcome, held.because, held.look_again) == ("hold", "cooling_down", START + HOUR + 90 * DAY)


def test_an_account_that_is_called_otherwise_goes_on_as_it_was(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SHAPES, "workspace:w", (True, True))
    monkeypatch.setitem(SHAPES, "domain:brand.example", (True, True))
    company.world.people |= {"workspace:w": [], "domain:brand.example": []}
    company.world.asked["contact_sales", "workspace:w", "eve"] = START + HOUR
    company.decide(START + HOUR)
    company.said("reject", START + 2 * HOUR, reason="not_icp")
    monkeypatch.setitem(SHAPES, "workspace:w", (True, False))  # nobody is in it any more
    company.world.asked["contact_sales", "domain:brand.example", "eve"] = START + HOUR
    del company.world.asked["contact_sales", "workspace:w", "eve"]
    company.world.pqa.add("domain:brand.example")
    company.world.people["domain:brand.example"] = [Someone("eve", is_pql=True)]
    company.world.true.add(("qualified", "domain:brand.example", ""))
    [held] = company.decide(START + 20 * DAY)
    assert (held.account_id, held.outcome, held.because) == ("domain:brand.example", "hold", "cooling_down")
    assert [one.trigger for one in held.reasons] == ["qualified"], "what was asked once is answered once"
    company.world.asked["contact_sales", "domain:brand.example", "eve"] = START + 21 * DAY
    [again] = company.decide(START + 21 * DAY)
    assert (again.outcome, again.because) == ("handoff", "hand_raise")


def test_who_asked_and_goes_elsewhere_asks_no_second_time(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHAPES, "other", (True, True))
    company.world.people["other"] = []
    company.world.asked["contact_sales", "big", "eve"] = START + HOUR
    company.decide(START + HOUR)
    company.world.asked["contact_sales", "other", "eve"] = company.world.asked.pop(("contact_sales", "big", "eve"))
    assert company.decide(START + 2 * HOUR) == ()
    assert company.handoff().account_id == "big", "where others are still"


def test_what_nobody_has_is_tried_again_after_its_owner_left_in_contact(company: Company) -> None:
    owner = str(under_way(company).owner)
    say(company.ledger, 1, Call(kind="contacted", by=owner, at=START + HOUR), RULES)

    def told(rep: str, *, active: bool) -> None:
        body = {**RULES.routing.reps[rep].model_dump(mode="json"), "active": active}
        roster.tell(company.ledger, RULES, "reps", rep, body, actor="admin", now=START)

    for rep in ("ana", "bo", "cy"):
        told(rep, active=False)
    company.decide(START + 2 * HOUR)
    assert company.handoff().owner is None
    for rep in ("ana", "bo", "cy"):
        told(rep, active=rep != owner)
    company.decide(START + 10 * DAY)
    assert company.handoff().owner not in {None, owner}
