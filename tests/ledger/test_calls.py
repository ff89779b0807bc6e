"""Calls are kept with what follows from them, can be taken back, and of many who claim one handoff one gets it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from handraise.errors import ConflictError, InputError, NotFoundError
from handraise.ledger import acting, calls
from handraise.ledger.audit import list_audit, verify
from handraise.ledger.store import Ledger
from handraise.playbook.load import load_template
from handraise.records.acting import Call, CallKind, Decision, Life, Reason
from handraise.service.calling import say, told, undo

RULES = load_template().playbook.handoffs
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def handed_over(ledger: Ledger, account: str = "a") -> int:
    reason = Reason(trigger="became_hot", person_id="p", value=90, fired_at=NOW)
    made = Decision(
        at=NOW,
        as_of=date(2026, 11, 25),
        account_id=account,
        person_id="p",
        outcome="handoff",
        lane="sales",
        priority="medium",
        because="qualified",
        reasons=(reason,),
        playbook="x",
    )
    with ledger.transaction() as connection:
        kept = acting.add_decision(connection, made, terms={"due_at": NOW + DAY, "limit_at": NOW + 3 * DAY})
        acting.keep_life(connection, account, Life(state="qualified", since=NOW, qualified_at=NOW), look_again=None)
    assert kept.handoff
    return kept.handoff


def call(kind: CallKind, by: str = "rep", hours: int = 1, **more: object) -> Call:
    return Call(kind=kind, by=by, at=NOW + timedelta(hours=hours), **more)  # type: ignore[arg-type]


@pytest.fixture
def number(ledger: Ledger) -> int:
    return handed_over(ledger)


def life_of(ledger: Ledger) -> Life:
    with ledger.reading() as connection:
        return acting.lives_of(connection, ["a"])["a"]


def test_a_deal_from_the_first_word_to_the_last(ledger: Ledger, number: int) -> None:
    for one in (
        call("claim"),
        call("contacted", hours=2, channel="email"),
        call("replied", hours=3),
        call("opportunity", hours=4, amount=9000.0),
        call("won", hours=5, amount=8500.5),
    ):
        found = say(ledger, number, one, RULES)
    assert found.handoff.closed_at == NOW + timedelta(hours=5)
    assert found.state == "won"
    assert [one.kind for one in found.calls] == ["claim", "contacted", "replied", "opportunity", "won"]
    assert found.calls[-1].amount == 8500.5
    assert {one.person_id for one in found.calls} == {"p"}, "with whom the handoff names, unless said otherwise"
    with ledger.reading() as connection:
        assert calls.touches_of(connection, ["a", "b"], since=NOW) == [("a", "p", NOW + timedelta(hours=2))]
        assert calls.touches_of(connection, ["b"], since=NOW) == []
        assert calls.touches_of(connection, ["b"], {"p"}, since=NOW) == [("a", "p", NOW + timedelta(hours=2))]
        assert calls.touches_of(connection, ["b"], {"q"}, since=NOW) == []
        assert {row.action for row in list_audit(connection)} == {"handoff.call"}
    assert verify(ledger).broken_at is None


def test_what_was_said_last_can_be_taken_back(ledger: Ledger, number: int) -> None:
    say(ledger, number, call("accept"), RULES)
    before = told(ledger, number)
    say(ledger, number, call("reject", hours=2, reason="not_icp"), RULES)
    assert life_of(ledger).cool_until
    with pytest.raises(ConflictError, match="is rep's"):
        undo(ledger, number, RULES, by="other", now=NOW + DAY)
    found = undo(ledger, number, RULES, by="rep", now=NOW + DAY)
    assert (found.handoff.status, found.handoff.owner, found.handoff.closed_at) == ("accepted", "rep", None)
    assert found.state == before.state == "accepted"
    assert life_of(ledger).cool_until is None
    assert [one.undone_at for one in found.calls] == [None, NOW + DAY]
    undo(ledger, number, RULES, by="rep", now=NOW + DAY)
    assert told(ledger, number).handoff.status == "open"
    with pytest.raises(NotFoundError, match="nothing was said"):
        undo(ledger, number, RULES, by="rep", now=NOW + DAY)


def test_an_end_is_not_taken_back_once_the_account_has_another_handoff(ledger: Ledger, number: int) -> None:
    say(ledger, number, call("lost", reason="no_budget"), RULES)
    other = handed_over(ledger)
    with pytest.raises(ConflictError, match=f"handoff {other}"):
        undo(ledger, number, RULES, by="rep", now=NOW + DAY)


def test_an_end_is_not_taken_back_after_another_handoff_that_has_ended_too(ledger: Ledger, number: int) -> None:
    say(ledger, number, call("lost", reason="no_budget"), RULES)
    other = handed_over(ledger)
    say(ledger, other, call("reject", hours=2, reason="not_icp"), RULES)
    with pytest.raises(ConflictError, match=f"handoff {other}"):
        undo(ledger, number, RULES, by="rep", now=NOW + DAY)
    assert life_of(ledger).cool_until


def test_a_rating_after_the_end_stops_no_clock_of_the_account(ledger: Ledger, number: int) -> None:
    say(ledger, number, call("lost", reason="no_budget"), RULES)
    life = life_of(ledger)
    with ledger.transaction() as connection:
        acting.keep_life(connection, "a", life, look_again=NOW + DAY)
    say(ledger, number, call("rate", by="other", hours=2, signal="became_hot", rating=2), RULES)
    undo(ledger, number, RULES, by="other", now=NOW + timedelta(hours=3))
    with ledger.reading() as connection:
        assert acting.due_accounts(connection, NOW + DAY) == ["a"]
        assert not acting.due_accounts(connection, NOW + timedelta(hours=4))


def test_signals_are_rated_by_anybody_also_after_the_end(ledger: Ledger, number: int) -> None:
    say(ledger, number, call("lost", reason="no_budget"), RULES)
    found = say(ledger, number, call("rate", by="other", hours=2, signal="became_hot", rating=2), RULES)
    assert (found.calls[-1].signal, found.calls[-1].rating, found.state) == ("became_hot", 2, "lost")
    for more in (
        {"signal": "became_warm", "rating": 2},
        {"signal": "became_hot"},
        {"signal": "became_hot", "rating": 6},
    ):
        with pytest.raises(InputError, match="from 1 to 5"):
            say(ledger, number, call("rate", **more), RULES)


def test_what_was_said_before_it_was_passed_on_is_not_taken_back(ledger: Ledger, number: int) -> None:
    say(ledger, number, call("claim"), RULES)
    with ledger.transaction() as connection:
        made = acting.list_decisions(connection, "a")[0]
        acting.add_decision(connection, replace(made, outcome="passed_on", because="sla_lapsed", owner="other"))
    with pytest.raises(ConflictError, match="passed on, ended or asked"):
        undo(ledger, number, RULES, by="rep", now=NOW + DAY)


def test_nothing_that_was_said_about_an_erased_person_is_left(ledger: Ledger, number: int) -> None:
    say(ledger, number, call("note", note="Kim called, kim@example.com"), RULES)
    say(ledger, number, call("lost", reason="Kim left"), RULES)
    other = handed_over(ledger, "b")
    say(ledger, other, call("note", note="hello", person_id="q"), RULES)
    with ledger.transaction() as connection:
        assert "p" in acting.people_named(connection)
        assert acting.forget_people(connection, ["p"])
        assert acting.people_named(connection) == {"q"}
        said = [*calls.calls_of(connection, number), *calls.calls_of(connection, other)]
    assert [(one.kind, one.person_id, one.note, one.reason) for one in said[:2]] == [
        ("note", None, None, None),
        ("lost", None, None, None),
    ]


def test_a_snooze_moves_both_clocks(ledger: Ledger, number: int) -> None:
    found = say(ledger, number, call("snooze", until=NOW + 5 * DAY), RULES).handoff
    assert (found.due_at, found.limit_at) == (NOW + 5 * DAY, NOW + 7 * DAY)


def test_a_refused_call_leaves_nothing_behind(ledger: Ledger, number: int) -> None:
    say(ledger, number, call("claim"), RULES)
    before = told(ledger, number)
    with pytest.raises(ConflictError):
        say(ledger, number, call("won", by="other"), RULES)
    with pytest.raises(NotFoundError):
        say(ledger, number + 1, call("claim"), RULES)
    assert told(ledger, number) == before
    with ledger.reading() as connection:
        assert len(list_audit(connection)) == 1


def test_of_many_who_claim_one_handoff_one_gets_it(ledger: Ledger) -> None:
    def claims(number: int, who: str) -> str | None:
        try:
            say(ledger, number, call("claim", by=who), RULES)
        except ConflictError:
            return None
        return who

    with ThreadPoolExecutor(8) as pool:
        for turn in range(10):
            number = handed_over(ledger, f"account-{turn}")
            won = [who for who in pool.map(lambda n, number=number: claims(number, f"rep-{n}"), range(32)) if who]
            assert len(won) == 1
            assert told(ledger, number).handoff.owner == won[0]
