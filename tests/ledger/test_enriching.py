"""Answers of providers, budgets that hold, and providers that are left alone; on both databases."""

from datetime import datetime

from handraise.ledger import acting, enriching
from handraise.ledger.store import Ledger
from handraise.records.enrichment import Subject
from ledger.clock import NOW, at_once, later
from ledger.conftest import Place

ACME = Subject(about="company", name="acme.com")
ANN = Subject(about="person", name="ann@acme.com", person_id="u-ann")


def _take(ledger: Ledger, now: datetime, per_day: int = 3, per_month: int = 5) -> str:
    with ledger.transaction() as connection:
        return enriching.take_request(connection, "data", now=now, per_day=per_day, per_month=per_month)


def test_a_budget_is_hard_and_survives_a_restart(place: Place) -> None:
    ledger = place.open()
    assert [_take(ledger, NOW) for _ in range(4)] == ["", "", "", "day"]
    ledger.close()
    again = place.open()
    assert _take(again, NOW) == "day"
    assert [_take(again, later(days=1)) for _ in range(3)] == ["", "", "month"]
    with again.reading() as connection:
        budget = enriching.budget_of(connection, "data", now=later(days=1), per_day=3, per_month=5)
        other = enriching.budget_of(connection, "other", now=NOW, per_day=3, per_month=5)
    assert (budget.day, budget.month, budget.left) == (1, 0, 0), "a refused request is not counted for the day"
    assert other.left == 3
    assert _take(again, later(days=40)) == ""


def test_of_many_at_once_none_is_over_the_budget(place: Place) -> None:
    ledger = place.open()
    given = at_once([lambda: _take(ledger, NOW, per_day=7, per_month=7)] * 12)
    assert sorted(given) == [""] * 7 + ["month"] * 5


def test_an_answer_is_known_since_it_first_said_so(ledger: Ledger) -> None:
    def keep(values: dict[str, object], **passed: float) -> None:
        with ledger.transaction() as connection:
            until = later(days=30, **passed)
            enriching.keep_answer(connection, "data", ACME, values, now=later(**passed), fresh_until=until)

    keep({"employees": 40})
    keep({"employees": 40}, hours=5)
    keep({}, hours=6)
    keep({"employees": 41, "name": "Äcme\0"}, hours=7)
    with ledger.reading() as connection:
        found = list(enriching.answers_after(connection, 0))
        assert [(one.asked_at, one.values["employees"]) for one in found] == [(NOW, 40), (later(hours=7), 41)]
        assert list(enriching.answers_after(connection, found[-1].id)) == []
        assert enriching.fresh_subjects(connection, "data", now=later(days=29)) == ["acme.com"]
        assert enriching.fresh_subjects(connection, "data", now=later(days=31)) == []
        assert enriching.fresh_subjects(connection, "other", now=NOW) == []


def test_who_fails_again_and_again_is_left_alone_longer_each_time(ledger: Ledger) -> None:
    def fail(now: datetime) -> datetime | None:
        with ledger.transaction() as connection:
            return enriching.note_failure(connection, "data", because="it answers 500", now=now)

    assert [fail(NOW) for _ in range(4)] == [None] * 4
    waits = [fail(NOW) for _ in range(8)]
    minutes = [(until - NOW).total_seconds() / 60 for until in waits if until]
    assert minutes == [10, 20, 40, 80, 160, 320, 360, 360]
    with ledger.reading() as connection:
        paused = enriching.budget_of(connection, "data", now=NOW, per_day=9, per_month=9)
        over = enriching.budget_of(connection, "data", now=later(hours=7), per_day=9, per_month=9)
    assert (paused.left, paused.because, over.left) == (0, "it answers 500", 9)
    with ledger.transaction() as connection:
        enriching.note_success(connection, "data")
    assert fail(NOW) is None


def test_an_erased_person_s_answers_go_by_id_and_by_address(ledger: Ledger) -> None:
    moved = Subject(about="person", name="old@acme.com", person_id="u-ann")
    with ledger.transaction() as connection:
        for subject in (ACME, ANN, moved, Subject(about="person", name="bob@acme.com", person_id="u-bob")):
            enriching.keep_answer(connection, "data", subject, {"name": "x"}, now=NOW, fresh_until=later(days=1))
        assert acting.people_named(connection) == {
            "u-ann", "u-bob", "ann@acme.com", "old@acme.com", "bob@acme.com"
        }  # fmt: skip
        assert acting.forget_people(connection, ["u-ann", " BOB@acme.com"]) == 3
        assert [one.subject for one in enriching.answers_after(connection, 0)] == ["acme.com"]
        assert acting.forget_people(connection, ["acme.com"]) == 0, "a company is nobody"
