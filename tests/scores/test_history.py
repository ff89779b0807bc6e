"""History: what it says of a kept day equals scoring that day anew, in whatever order days were scored."""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from handraise.scores import history
from handraise.service import project as projects
from handraise.service.explain import explain
from handraise.service.project import Project
from support import DAY, NOW, Row, Scores, T, Tables, ev, fetched, load_folder, memory_project, scores, write

# p0 comes first, a visitor is linked to p1 on day 30, p2 turns up late, and a workspace changes hands on day 20.
COMPANY: Tables = {
    "events": [
        ev("limit_reached", 60 * DAY, "p0", "w"),
        ev("pricing_view", 50 * DAY, None, "", anonymous_id="v"),
        ev("open", 30 * DAY, "p1", "u", anonymous_id="v"),
        *(ev("open", 20 * DAY, f"g{n}", "w") for n in range(3)),
        ev("enterprise_request", 9 * DAY, "p2", "w"),
    ],
    "people": [{"person_id": "p0", "email": "p0@acme.com", "workspace_id": "", "created_at": ""}]
    + [{"person_id": f"g{n}", "email": f"g{n}@globex.com"} for n in range(3)],
}
DAYS = [T - n * DAY for n in (70, 55, 45, 29, 19, 5, 0)]
ORDERS = {
    "oldest first": [[day] for day in DAYS],
    "newest first": [[day] for day in reversed(DAYS)],
    "all at once": [DAYS],
    "in between, then again": [[DAYS[1], DAYS[5]], [DAYS[6], DAYS[3]], [DAYS[2], DAYS[4], DAYS[0]], [DAYS[3]]],
}


def states(project: Project, day: date) -> dict[str, dict[tuple[str, ...], tuple[int, str, dict[str, int]]]]:
    """Score, label and points of everybody, as history has them."""
    found = {}
    for name, key in (("person_history", history.PERSON_KEY), ("account_history", history.ACCOUNT_KEY)):
        rows = project.warehouse.rows(history.state_at(project.warehouse.table(name), key, day)).to_pylist()
        found[name] = {
            tuple(r[k] for k in key): (r["score"], r["label"], history.read_points(r["points"])) for r in rows
        }
    return found


def expected(found: Scores, day: date) -> dict[str, dict[tuple[str, ...], tuple[int, str, dict[str, int]]]]:
    """The same from the exports of that day."""

    def points(entity: str, own: str, account: str) -> dict[str, int]:
        rows = {k[4]: r["points"] for k, r in found.receipt.items() if k[:4] == (day, entity, own, account)}
        return {signal: given for signal, given in rows.items() if given}

    return {
        "person_history": {
            (who, account): (row["score"], row["band"], points("person", who, account))
            for (at, who, account), row in found.people.items()
            if at == day
        },
        "account_history": {
            (account,): (row["score"], str(row["tier"]), points("account", account, account))
            for (at, account), row in found.accounts.items()
            if at == day
        },
    }


def kept(project: Project) -> list[tuple[date, int, int]]:
    rows = project.warehouse.rows(project.warehouse.table("snapshots").order_by("as_of")).to_pylist()
    return [(row["as_of"], row["people"], row["accounts"]) for row in rows]


class Told:
    """The company's scores of all days, made once; history is kept from them in any order."""

    def __init__(self, project: Project) -> None:
        self.project, self.together = project, scores(project, *DAYS)
        warehouse = project.warehouse
        for name in ("scored_people", "scored_accounts"):
            warehouse.create(f"all_{name}", warehouse.table(name))

    def keep(self, order: list[list[date]]) -> None:
        """Start history anew and keep the days run by run."""
        warehouse = self.project.warehouse
        for name in ("person_history", "account_history", "snapshots"):
            warehouse.empty(name)
        for days in order:
            for name in ("scored_people", "scored_accounts"):
                rows = warehouse.table(f"all_{name}")
                warehouse.create(name, rows.filter(rows.as_of.isin(days)), temporary=True)
            projects.keep_scored(self.project, days)

    def assert_right(self, days: Iterable[date]) -> None:
        """What history says of the days is what the exports of the days say."""
        for day in days:
            assert states(self.project, day) == expected(self.together, day), f"history differs on {day}"
        sizes = [(day, len(expected(self.together, day)["person_history"])) for day in sorted(days)]
        assert [row[:2] for row in kept(self.project)] == [(day, size) for day, size in sizes if size]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with memory_project() as project:
        load_folder(project, write(tmp_path_factory.mktemp("history"), COMPANY))
        yield Told(project)


@pytest.mark.parametrize("order", ORDERS)
def test_history_equals_the_scores_of_each_day_in_whatever_order_days_came(order: str, told: Told) -> None:
    told.keep(ORDERS[order])
    told.assert_right(DAYS)


@settings(
    max_examples=8, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(order=st.lists(st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True), min_size=1, max_size=5))
def test_history_equals_the_scores_of_each_day_in_any_order_with_repeats(order: list[list[date]], told: Told) -> None:
    told.keep(order)
    told.assert_right({day for days in order for day in days})


def test_the_story_is_worth_keeping(told: Told) -> None:
    """Otherwise equal histories would prove little: somebody vanishes, an account vanishes, most stay as they were."""
    told.keep([DAYS])
    people = [set(states(told.project, day)["person_history"]) for day in DAYS]
    accounts = [set(states(told.project, day)["account_history"]) for day in DAYS]
    assert people[0] == set()
    assert ("v", "person:v") in people[2] - people[3]
    assert ("domain:acme.com",) in accounts[3] - accounts[4]
    rows = told.project.warehouse.count(told.project.warehouse.table("person_history"))
    assert rows < sum(map(len, people)), "only changes are kept"


def test_late_data_are_told_when_their_days_are_scored_again(tmp_path: Path) -> None:
    late: list[Row] = [
        ev("limit_reached", 40 * DAY, "p9", "w", event_id="late"),
        ev("open", 52 * DAY, "g0", "w", event_id="l2"),
    ]
    with memory_project() as project:
        load_folder(project, write(tmp_path / "first", COMPANY))
        projects.refresh(project, DAYS[1:4], now=NOW)
        before = states(project, DAYS[3])
        load_folder(project, write(tmp_path / "late", {"events": late}))
        projects.refresh(project, [T], now=NOW)
        assert states(project, DAYS[3]) == before, "a day that was not scored again keeps what it said"
        projects.refresh(project, [DAYS[3]], now=NOW)
        found = fetched(project)
        assert states(project, DAYS[3]) == expected(found, DAYS[3])
        assert ("p9", "domain:acme.com") in states(project, DAYS[3])["person_history"].keys() - before["person_history"]


def test_what_changed_since_a_day_adds_up_whether_history_has_the_day_or_not(tmp_path: Path) -> None:
    with memory_project() as project:
        load_folder(project, write(tmp_path, COMPANY))
        projects.refresh(project, [DAYS[3], T], now=NOW)
        answers = {
            day: explain(project, "domain:globex.com", as_of=T, against=day, now=NOW, language="en")[0]
            for day in (DAYS[3], DAYS[4])
        }
        found = fetched(project)
    assert {day: one.score for day, one in answers.items()} == dict.fromkeys(
        answers, found.accounts[T, "domain:globex.com"]["score"]
    )
    assert answers[DAYS[3]].score_then is None, "the account was not there yet"
    changes = {change.signal: (change.then, change.now) for change in answers[DAYS[4]].changes}
    assert changes
    assert answers[DAYS[4]].score - (answers[DAYS[4]].score_then or 0) == sum(
        now - then for then, now in changes.values()
    )


def test_each_kept_day_names_its_playbook(tmp_path: Path) -> None:
    with memory_project() as project:
        load_folder(project, write(tmp_path, COMPANY))
        projects.refresh(project, [DAYS[5], T], now=NOW)
        rows = project.warehouse.rows(project.warehouse.table("snapshots")).to_pylist()
    assert {row["playbook"] for row in rows} == {project.loaded.content_hash}
