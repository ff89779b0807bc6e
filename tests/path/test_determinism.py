"""The same inputs, playbook and as-of give the same bytes, however and in whatever order the inputs came."""

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from handraise.service import project as projects
from path.messy import tables_of
from support import (
    DAY,
    NOW,
    Row,
    T,
    Tables,
    differences,
    ev,
    export_bytes,
    fetched,
    load_folder,
    memory_project,
    scores,
    write,
)

EARLIER = T - 20 * DAY


def exported(project: projects.Project, as_of: date = T) -> dict[str, bytes]:
    """The three files that `handraise export --as-of` writes."""
    projects.ensure_scored(project, as_of, NOW)
    return export_bytes(project)


class Known:
    """A company's rows, and its exports by day when it is loaded in one go and scored by one thread.

    No dataclass, because hypothesis would print all of it.
    """

    def __init__(self, rows: Tables, exports: dict[date, dict[str, bytes]]) -> None:
        self.rows, self.exports = rows, exports


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    company = tables_of(random.Random(20261028), 500)
    folder = write(tmp_path_factory.mktemp("undisturbed"), company)
    with memory_project() as project:
        load_folder(project, folder)
        found = {}
        for day in (EARLIER, T):
            found[day] = exported(project, day)
            assert differences(fetched(project), folder, day) == []
        assert found[T]["people"].count(b"\n") > 30
        assert found[T]["receipt"].count(b"\n") > 150
        return Known(rows=company, exports=found)


def parts(rows: list[Row], cuts: int, chance: random.Random) -> Iterator[list[Row]]:
    """The rows in an order of chance, dealt to so many files."""
    mixed = chance.sample(rows, len(rows))
    return (mixed[n::cuts] for n in range(cuts))


def test_two_threads_write_the_same_bytes(known: Known, tmp_path: Path) -> None:
    write(tmp_path, known.rows)
    with memory_project(threads=2) as project:
        load_folder(project, tmp_path)
        assert exported(project) == known.exports[T]


def test_several_days_in_one_pass_equal_each_day_alone(known: Known, tmp_path: Path) -> None:
    with memory_project() as project:
        load_folder(project, write(tmp_path, known.rows))
        together = scores(project, EARLIER, T - DAY, T)
        for day in (EARLIER, T):
            scores(project, day)
            assert export_bytes(project) == known.exports[day]
            alone = fetched(project)
            for kind in ("people", "accounts", "receipt"):
                of_day = {key: row for key, row in getattr(together, kind).items() if key[0] == day}
                assert of_day == getattr(alone, kind)


@settings(
    # An example takes some ten seconds: few of them, and no search for a smaller one.
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    loads=st.integers(2, 4),
    refreshed_after=st.sets(st.integers(0, 2), min_size=1, max_size=2),
    repeated=st.floats(0, 0.5),
)
def test_order_copies_many_loads_and_refreshes_in_between_change_nothing(
    known: Known,
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    loads: int,
    refreshed_after: set[int],
    repeated: float,
) -> None:
    folder, chance = tmp_path_factory.mktemp("parts"), random.Random(seed)
    events = known.rows["events"] + [row for row in known.rows["events"] if chance.random() < repeated]
    dealt = {
        **{name: parts(rows, loads, chance) for name, rows in known.rows.items()},
        "events": parts(events, loads, chance),
    }
    files = [write(folder / str(n), {name: next(rows) for name, rows in dealt.items()}) for n in range(loads)]
    with memory_project(threads=1 + loads % 2) as project:
        for number, path in enumerate(files):
            load_folder(project, path)
            if number in refreshed_after:
                projects.refresh(project, [chance.choice((T, EARLIER))], now=NOW)
        assert exported(project) == known.exports[T]
        assert exported(project, EARLIER) == known.exports[EARLIER]
        projects.refresh(project, [T], now=NOW, full=True)
        assert exported(project) == known.exports[T]


@pytest.mark.parametrize("seed", [1, 2])
def test_another_company_whose_oldest_events_come_last_agrees_with_the_oracle(seed: int, tmp_path: Path) -> None:
    company = tables_of(random.Random(seed), 200)
    whole = write(tmp_path / "whole", company)
    events = sorted(company["events"], key=lambda row: row["timestamp"], reverse=True)
    with memory_project() as project:
        load_folder(project, write(tmp_path / "first", {**company, "events": events[:150]}))
        projects.refresh(project, [T], now=NOW)
        load_folder(project, write(tmp_path / "rest", {"events": events[150:]}))
        assert differences(scores(project, T), whole, T) == []


COPIES = {
    "another name": {"name": "export"},
    "another day": {"timestamp": "2026-10-01T00:00:00Z"},
    "a later day": {"timestamp": "2026-10-27T00:00:00Z"},
    "another person": {"person_id": "q"},
    "another workspace": {"workspace_id": "v"},
    "other properties": {"properties": '{"feature": "a"}'},
    "after T": {"timestamp": "2026-11-03T00:00:00Z"},
    "no anonymous id": {"anonymous_id": ""},
}


def one_copy_after_the_other(first: int, tmp_path: Path, project: projects.Project) -> Path:
    """Loads all conflicts at once, each with people of its own, with a refresh between the copies."""
    names = range(len(COPIES))
    one = [ev("premium_feature", 5 * DAY, f"p{n}", f"w{n}", event_id=f"e{n}", anonymous_id=f"a{n}") for n in names]
    visits = [ev("pricing_view", 9 * DAY, None, f"w{n}", event_id=f"v{n}", anonymous_id=f"a{n}") for n in names]
    other = [{**row, **change} for row, change in zip(one, COPIES.values(), strict=True)]
    copies = [one, other]
    load_folder(project, write(tmp_path / "one", {"events": [*copies[first], *visits]}))
    projects.refresh(project, [T], now=NOW)
    load_folder(project, write(tmp_path / "other", {"events": copies[1 - first]}))
    return write(tmp_path / "whole", {"events": [*one, *other, *visits]})


@pytest.mark.parametrize("first", [0, 1])
def test_of_conflicting_copies_the_same_one_stays_in_either_order(first: int, tmp_path: Path) -> None:
    with memory_project() as project:
        whole = one_copy_after_the_other(first, tmp_path, project)
        assert differences(scores(project, T), whole, T) == []


def test_scores_are_not_called_current_after_a_better_copy_replaced_an_event(tmp_path: Path) -> None:
    with memory_project() as project:
        whole = one_copy_after_the_other(0, tmp_path, project)
        projects.ensure_scored(project, None, NOW)  # what `handraise accounts` would show now
        assert differences(fetched(project), whole, T) == []


def test_what_comes_later_does_not_change_an_earlier_day(known: Known, tmp_path: Path) -> None:
    """Later events, people, links between people and ids, money and readings arrive; the past stays byte for byte."""
    with memory_project() as project:
        load_folder(project, write(tmp_path / "company", known.rows))
        before = exported(project, EARLIER)
        later = {
            "events": [
                *(ev(name, 10 * DAY, f"new{n}", ws) for n, ws in enumerate(("w0", "w1", "w2", "")) for name in ("open", "invite_sent")),
                *(ev("open", 9 * DAY, f"p{n}", "w1", anonymous_id=f"a{n}") for n in range(5)),
                ev("upgrade_completed", 20 * DAY, "p0", "w0"),
                ev("premium_feature", 20 * DAY, "p1", "w0"),
            ],
            "people": [
                {"person_id": f"new{n}", "email": f"new{n}@acme.com", "created_at": ev("", 20 * DAY)["timestamp"],
                 "workspace_id": "w1", "department": "new", "seniority": "founder"} for n in range(9)],
            "subscriptions": [{"workspace_id": "w0", "plan": "x", "started_at": ev("", 20 * DAY)["timestamp"], "mrr": 9}],
            "limits": [{"workspace_id": "w0", "metric": "seats", "used": 99, "quota": 1,
                        "measured_at": ev("", 20 * DAY)["timestamp"]}],
            "accounts": [{"account_id": "acc-new", "created_at": ev("", 20 * DAY)["timestamp"]}],
        }  # fmt: skip
        for number, row in enumerate(later["events"]):
            row["event_id"] = f"later-{number}"
        load_folder(project, write(tmp_path / "later", later))
        assert exported(project, EARLIER) == before
        now = exported(project)
        assert b"new0" in now["people"]
        assert b"acc-new" in now["accounts"]
