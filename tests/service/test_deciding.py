"""A month of days decided one after another on a simulated company: the same again, once each, and within the rules."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from handraise.ledger import acting, conditions
from handraise.ledger.store import Ledger
from handraise.records.acting import Decision, Handoff
from handraise.service.deciding import refresh_and_decide
from handraise.service.decisions import Decided
from handraise.service.folder import create_project
from handraise.service.inbox import InboxChoice, inbox, sentences, why_not
from handraise.service.ledgers import open_ledger
from handraise.service.project import Project, open_project
from handraise.simulate import simulate
from support import load_folder

END, DAYS = date(2026, 10, 28), 30
DAY = timedelta(days=1)
LATE = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    simulate(folder, accounts=70, days=80, seed=11, end=END)
    return folder


@contextmanager
def company(folder: Path, data: Path) -> Iterator[Project]:
    create_project(folder)
    with open_project(folder) as project:
        load_folder(project, data)
        yield project


def days_of(project: Project, first: date, last: date) -> list[Decided]:
    days = [first + n * DAY for n in range((last - first).days + 1)]
    return [refresh_and_decide(project, [day], now=LATE)[1] for day in days]


def told(ledger: Ledger) -> tuple[tuple[Handoff, ...], list[Decision]]:
    with ledger.reading() as connection:
        handoffs = acting.list_handoffs(connection, live=False)
        return handoffs, list(acting.all_decisions(connection))


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[tuple[Project, Ledger]]:
    folder = tmp_path_factory.mktemp("month") / "p"
    with company(folder, data) as project, open_ledger(folder, {}) as ledger:
        days_of(project, END - DAYS * DAY, END)
        yield project, ledger


def test_the_same_month_is_decided_the_same_again(month: tuple[Project, Ledger], data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    with company(folder, data) as project, open_ledger(folder, {}) as ledger:
        days_of(project, END - DAYS * DAY, END)
        assert told(ledger) == told(month[1])


def test_nothing_is_decided_twice(month: tuple[Project, Ledger]) -> None:
    project, ledger = month
    before = told(ledger)
    for day in (END, END - 5 * DAY, END):
        assert refresh_and_decide(project, [day], now=LATE)[1].decisions == ()
    assert told(ledger) == before


def test_what_was_true_a_week_before_the_first_decisions_is_no_news(month: tuple[Project, Ledger]) -> None:
    _, decisions = told(month[1])
    first = min(one.at for one in decisions)
    opened = Counter(one.at for one in decisions if one.outcome == "handoff")
    with month[1].reading() as connection:
        held = list(conditions.held_conditions(connection))
    assert sum(one.fired_at < first for one in held) > opened[first], "most of what holds was known"


def test_the_rules_hold_all_month(month: tuple[Project, Ledger]) -> None:
    project, ledger = month
    handoffs, decisions = told(ledger)
    triggers = project.loaded.playbook.handoffs.triggers
    assert {one.outcome for one in decisions} >= {"handoff", "joined", "nurture"}
    assert {one.lane for one in handoffs} >= {"sales", "find_buyer"}
    for one in handoffs:
        assert one.reasons, "no handoff without a reason"
        others = [h for h in handoffs if h.account_id == one.account_id and h.id != one.id]
        for other in others:  # one after another, never two at a time
            assert (other.closed_at or LATE) <= one.created_at or (one.closed_at or LATE) <= other.created_at
    asked = [one for one in decisions if any(triggers[r.trigger].hand_raise for r in one.reasons)]
    assert asked
    assert all(one.handoff is not None for one in asked), "whoever asks is answered"
    qualified = [one for one in decisions if one.outcome == "handoff" and one.because == "qualified"]
    assert all(one.person_id for one in qualified)
    ends = [one for one in decisions if one.outcome == "sunset"]
    closed = {one.id: one for one in handoffs if one.closed_at}
    assert {one.handoff for one in ends} >= closed.keys()


def test_the_clock_of_a_handoff_runs_in_working_time(month: tuple[Project, Ledger]) -> None:
    handoffs, _ = told(month[1])
    for one in handoffs:
        assert one.due_at
        assert one.limit_at
        assert one.created_at < one.due_at < one.limit_at
        assert one.due_at.isoweekday() <= 5
        assert 9 <= one.due_at.hour <= 17
    again = {one.handoff for one in told(month[1])[1] if (one.outcome, one.because) == ("joined", "hand_raise")}
    high = next(h for h in handoffs if h.priority == "high" and h.created_at.isoweekday() <= 5 and h.id not in again)
    assert high.due_at == high.created_at + timedelta(hours=10)  # decided at midnight, due an hour after nine


def test_the_inbox_says_who_and_why_in_both_languages(month: tuple[Project, Ledger]) -> None:
    project, _ = month
    rows = inbox(project, InboxChoice(limit=50), "en")
    assert [row.handoff.priority for row in rows] == sorted(
        (row.handoff.priority for row in rows), key=("high", "medium", "low").index
    )
    assert all(row.because and "{" not in "".join(row.because) for row in rows)
    chinese = inbox(project, InboxChoice(limit=50), "zh")
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in "".join(row.because)) for row in chinese)
    found = why_not(project, rows[0].handoff.account_id, language="en", limit=5)
    assert found.handoff == rows[0].handoff.id
    assert found.decisions[-1].outcome in {"handoff", "joined", "nurture", "hold"}
    playbook = project.loaded.playbook
    assert sentences(rows[0].handoff.reasons, playbook, "en") == rows[0].because
