"""Hand-computed checks of the oracle itself: tiny inputs, mostly at the borders of the rules."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from .person_signals import Value
from .rows import work_domain_of_email
from .scorer import Scored, band, is_executive, score, tier

T = datetime(2026, 10, 28, tzinfo=UTC)
TINY = timedelta(microseconds=1)
DAY = timedelta(days=1)

Table = list[dict[str, Any]]


def event(name: str, ago: timedelta, person: str = "p1", **more: Any) -> dict[str, Any]:
    """Make one event that lies so long before T, in workspace w1 unless told otherwise."""
    row = {"person_id": person, "name": name, "timestamp": (T - ago).isoformat()}
    return {"workspace_id": "w1", **row, **more}


def run(folder: Path, events: Table, **tables: Any) -> Scored:
    """Write the tables as CSV and score them; tables that are no list are options."""
    options = {name: tables.pop(name) for name in list(tables) if not isinstance(tables[name], list)}
    numbered = [{"event_id": f"e{number}", **row} for number, row in enumerate(events)]
    for file, rows in {"events": numbered, **tables}.items():
        columns = sorted({column for row in rows for column in row})
        with (folder / f"{file}.csv").open("w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return score(folder, T.date(), **options)


def person(scored: Scored, signal: str, who: str = "p1") -> tuple[Value, Any]:
    """Give the value and points of a signal of a person who is in one account only."""
    [row] = [row for row in scored.people if row["person_id"] == who]
    return scored.values["person", who, row["account_id"], signal], row[signal]


def account(scored: Scored, signal: str, name: str = "workspace:w1") -> tuple[Value, Any]:
    """Give the value and points of an account signal."""
    [row] = [row for row in scored.accounts if row["account_id"] == name]
    column = "active_people_points" if signal == "active_people" else signal
    return scored.values["account", name, name, signal], row[column]


def daily(days: int, name: str = "open") -> Table:
    """Make one event in the middle of each of the last days."""
    return [event(name, DAY * day + DAY / 2) for day in range(days)]


@pytest.mark.parametrize(
    ("ago", "expected"),
    [(TINY, (1, 20)), (30 * DAY, (1, 20)), (30 * DAY + TINY, (0, 0))],
)
def test_a_window_holds_its_start_and_not_what_lies_before(
    tmp_path: Path, ago: timedelta, expected: tuple[int, int]
) -> None:
    scored = run(tmp_path, [event("limit_reached", ago)])
    assert person(scored, "limit_reached") == expected


def test_an_event_at_exactly_t_is_not_known(tmp_path: Path) -> None:
    scored = run(tmp_path, [event("limit_reached", timedelta(0))])
    assert scored.people == []
    assert scored.accounts == []


def test_zones_are_turned_to_utc_and_no_zone_is_utc(tmp_path: Path) -> None:
    after = event("open", DAY) | {"timestamp": "2026-10-27T23:59:59-01:00"}
    before = event("open", DAY) | {"timestamp": "2026-10-27 23:59:59"}
    assert person(run(tmp_path, [after, before]), "active_5_of_7") == (1, 0)


@pytest.mark.parametrize(("days", "points"), [(0, 0), (9, 0), (10, 10), (15, 10), (16, 20), (30, 20), (40, 20)])
def test_stickiness_rungs_are_strict(tmp_path: Path, days: int, points: int) -> None:
    scored = run(tmp_path, [event("invite_received", DAY), *daily(days)])
    assert person(scored, "stickiness") == (min(days, 30) / 30, points)


@pytest.mark.parametrize(("days", "points"), [(4, 0), (5, 15), (7, 15), (8, 15)])
def test_active_days_of_seven(tmp_path: Path, days: int, points: int) -> None:
    assert person(run(tmp_path, daily(days)), "active_5_of_7") == (min(days, 7), points)


@pytest.mark.parametrize(
    ("agos", "rising", "declining"),
    [
        ([7, 7, 7, 14, 14, 21], True, False),  # each a moment later than so many days ago
        ([1, 8, 8, 15, 15, 15, 22, 22, 22, 22], False, True),
        ([8, 15, 15, 22, 22, 22], False, True),
        ([1, 1, 8, 8, 15, 22], False, False),
    ],
)
def test_weekly_counts(tmp_path: Path, agos: list[int], rising: bool, declining: bool) -> None:
    inside = TINY if rising else timedelta(0)
    scored = run(tmp_path, [event("open", ago * DAY - inside) for ago in agos])
    assert person(scored, "rising_usage")[0] is rising
    assert person(scored, "declining_usage")[0] is declining


@pytest.mark.parametrize(("ago", "points"), [(7 * DAY, 0), (7 * DAY + TINY, -20)])
def test_week_zero_holds_its_start(tmp_path: Path, ago: timedelta, points: int) -> None:
    assert person(run(tmp_path, [event("open", ago)]), "inactive")[1] == points


def test_passive_events_make_a_pair_but_no_activity(tmp_path: Path) -> None:
    scored = run(tmp_path, [event("email_opened", 8 * DAY)])
    assert person(scored, "inactive") == (False, 0)
    assert account(scored, "active_people") == (0, 0)
    assert account(scored, "workspaces") == (1, 0)


@pytest.mark.parametrize(
    ("took", "ago", "points"),
    [
        (timedelta(hours=1) - TINY, DAY, 10),
        (timedelta(hours=1), DAY, 0),
        (timedelta(minutes=5), 30 * DAY, 10),
        (timedelta(minutes=5), 30 * DAY + TINY, 0),
    ],
)
def test_fast_activation(tmp_path: Path, took: timedelta, ago: timedelta, points: int) -> None:
    events = [event("activation", ago), event("activation", ago / 2), event("open", DAY / 2)]
    people = [{"person_id": "p1", "created_at": (T - ago - took).isoformat()}]
    assert person(run(tmp_path, events, people=people), "fast_activation")[1] == points


@pytest.mark.parametrize(
    ("completed_by", "after", "started", "expected"),
    [
        (None, DAY, 2 * DAY, True),
        (None, DAY, DAY, True),
        (None, DAY, DAY - TINY, False),
        ("p1", timedelta(0), 2 * DAY, False),
        ("p2", DAY - TINY, 2 * DAY, False),
        ("p2", DAY, 2 * DAY, True),
        (None, DAY, 30 * DAY, True),
        (None, DAY, 30 * DAY + TINY, False),
    ],
)
def test_upgrade_abandoned(
    tmp_path: Path, completed_by: str | None, after: timedelta, started: timedelta, expected: bool
) -> None:
    events = [event("upgrade_started", started)]
    if completed_by:
        events.append(event("upgrade_completed", started - after, completed_by))
    assert person(run(tmp_path, events), "upgrade_abandoned")[0] is expected


def test_own_completion_elsewhere_counts_and_a_strangers_does_not(tmp_path: Path) -> None:
    events = [event("upgrade_started", 3 * DAY), event("upgrade_started", 3 * DAY, "p2")]
    events.append(event("upgrade_completed", 2.5 * DAY, "p2", workspace_id="w2"))
    scored = run(tmp_path, events)
    found = {row["person_id"]: row["upgrade_abandoned"] for row in scored.people[:2]}
    assert found == {"p1": 25, "p2": 0}


def test_counts_and_distinct_features(tmp_path: Path) -> None:
    events = [
        event("invite_sent", DAY, properties=json.dumps({"count": 4})),
        event("invite_sent", DAY),
        event("premium_feature", DAY, properties=json.dumps({"feature": "a"})),
        event("premium_feature", DAY, properties=json.dumps({"feature": "b"})),
        event("premium_feature", DAY),
        *[event("feature", DAY, properties=json.dumps({"feature": key})) for key in "abc"],
        event("feature", DAY),
    ]
    scored = run(tmp_path, events)
    assert person(scored, "invites") == (5, 20)
    assert person(scored, "premium_features") == (3, 15)
    assert person(scored, "feature_breadth") == (5, 10)  # a, b, c and the two bare names


def test_lonely(tmp_path: Path) -> None:
    def points(first: timedelta, *others: dict[str, Any]) -> Any:
        passive = event("email_opened", DAY, "p3")
        return person(run(tmp_path, [event("open", first), passive, *others]), "lonely")[1]

    assert points(30 * DAY + TINY) == -10
    assert points(30 * DAY) == 0
    assert points(90 * DAY, event("invite_sent", 80 * DAY)) == 0
    assert points(90 * DAY, event("open", 80 * DAY, "p2")) == 0


@pytest.mark.parametrize(
    ("age", "mrr", "ended", "points"),
    [
        (31 * DAY, 0, None, -10),
        (30 * DAY, 0, None, 0),
        (31 * DAY, 20, None, 0),
        (31 * DAY, 20, TINY, -10),
        (31 * DAY, 20, -TINY, 0),
    ],
)
def test_free_only(tmp_path: Path, age: timedelta, mrr: int, ended: Any, points: int) -> None:
    paid = {"workspace_id": "w1", "plan": "team", "mrr": mrr, "started_at": "2026-01-01"}
    paid["ended_at"] = (T - ended).isoformat() if ended else ""
    scored = run(tmp_path, [event("open", age)], subscriptions=[paid])
    assert person(scored, "free_only")[1] == points


def test_blind_is_not_zero(tmp_path: Path) -> None:
    scored = run(tmp_path, [event("open", DAY)])
    assert person(scored, "fast_activation") == (None, 0)
    [row] = scored.people
    blind = {name for name, points in row.items() if points is None}
    firmographic = {"company_size", "target_industry", "icp_match"}
    assert blind == {"same_domain_people", "free_only"} | firmographic
    [row] = scored.accounts
    blind = {name for name, points in row.items() if points is None}
    assert blind == {"departments", "executive_present", "volume", "near_limit"}


def test_a_missing_cell_is_unknown_and_not_blind(tmp_path: Path) -> None:
    filled = {"account_id": "b", "employees": "500", "icp": "true", "industry": "it"}
    tables = {
        "workspaces": [{"workspace_id": "w1", "account_id": "a"}],
        "accounts": [{"account_id": "a"}, filled],
    }
    scored = run(tmp_path, [event("open", DAY)], **tables, industries=frozenset({"it"}))
    for signal in ("company_size", "target_industry", "icp_match"):
        assert person(scored, signal) == (None, 0)


def test_work_domain() -> None:
    assert work_domain_of_email("Ann@Mail.Acme.CO.UK") == "acme.co.uk"
    assert work_domain_of_email("ann@me.github.io") == "github.io"
    for host in ("gmail.com", "mailinator.com", "cs.mit.edu", "ox.ac.uk", "localhost", "10.0.0.1"):
        assert work_domain_of_email(f"ann@{host}") == ""
    assert work_domain_of_email("acme.com") == ""


@pytest.mark.parametrize(
    ("domains", "expected"),
    [
        ("one.com one.com two.com", "a1"),
        ("two.com one.com", "domain:two.com"),
        ("one.com two.com", "a1"),
        ("one.com two.com three.com", "workspace:w1"),
        ("two.com gmail.com gmail.com", "domain:two.com"),
        ("gmail.com", "workspace:w1"),
    ],
)
def test_a_workspace_belongs_to_the_majority_domain(tmp_path: Path, domains: str, expected: str) -> None:
    emails = [f"ann@{domain}" for domain in domains.split()]
    people = [{"person_id": f"p{n}", "email": email} for n, email in enumerate(emails)]
    events = [event("open", (9 - n) * DAY, f"p{n}") for n in range(len(emails))]
    accounts = [{"account_id": "a1", "domain": "x.com", "domains": "y.com;www.One.com"}]
    scored = run(tmp_path, events, people=people, accounts=accounts)
    assert {row["account_id"] for row in scored.people} == {expected}


def test_anonymous_visits_join_the_first_person_linked(tmp_path: Path) -> None:
    events = [
        event("legal_view", 5 * DAY, "", anonymous_id="x"),
        event("open", 3 * DAY, "p2", anonymous_id="x"),
        event("open", 2 * DAY, "p1", anonymous_id="x"),
        event("legal_view", DAY, "", anonymous_id="stranger"),
    ]
    scored = run(tmp_path, events)
    assert [row["person_id"] for row in scored.people] == ["p1", "p2", "stranger"]
    assert account(scored, "legal_view") == (1, 20)
    assert account(scored, "active_people") == (3, 10)


def test_placements_make_pairs_only_when_dated_before_t(tmp_path: Path) -> None:
    before, at = (T - TINY).isoformat(), T.isoformat()
    people = [
        {"person_id": "p1", "workspace_id": "w1", "created_at": before},
        {"person_id": "p2", "workspace_id": "w1", "created_at": at},
        {"person_id": "p3", "workspace_id": "w1"},
        {"person_id": "p4", "created_at": before},
        {"person_id": "p5", "created_at": before, "email": "a@acme.com"},
        {"person_id": "p6", "created_at": before},
    ]
    scored = run(tmp_path, [event("open", DAY, "p6")], people=people)
    found = [(row["person_id"], row["account_id"]) for row in scored.people]
    assert found[:2] == [("p1", "workspace:w1"), ("p4", "person:p4")]
    assert found[2:] == [("p5", "domain:acme.com"), ("p6", "workspace:w1")]


def test_a_person_in_two_accounts_is_scored_in_each(tmp_path: Path) -> None:
    people = [{"person_id": "p1", "email": "a@acme.com"}, {"person_id": "p2", "email": ""}]
    events = [event("billing_question", DAY), event("pricing_view", DAY, workspace_id="")]
    events += [event("open", DAY / 2, "p2", workspace_id="w1"), event("export", DAY, "p2")]
    accounts = [
        {"account_id": "b", "domain": "acme.com"},
        {"account_id": "a", "domain": "acme.com"},
    ]
    workspaces = [{"workspace_id": "w1", "account_id": "mapped"}]
    scored = run(tmp_path, events, people=people, accounts=accounts, workspaces=workspaces)
    found = [(r["account_id"], r["billing_question"], r["pricing_views"]) for r in scored.people]
    assert found == [("a", 0, 10), ("mapped", 20, 0), ("mapped", 0, 0)]


def test_the_same_event_id_is_one_event(tmp_path: Path) -> None:
    events = [event("pricing_view", DAY * n, event_id="same") for n in (1, 2, 3)]
    scored = run(tmp_path, [*events, event("pricing_view", DAY) | {"timestamp": "soon"}])
    assert person(scored, "pricing_views") == (1, 10)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [(2, 9, (None, 0)), (4, 5, (0.25, 15)), (4, 6, (0.5, 25)), (5, 6, (0.2, 0)), (3, 0, (-1, 0))],
)
def test_people_growth(tmp_path: Path, before: int, now: int, expected: tuple[float | None, int]) -> None:
    events = [event("open", 60 * DAY, f"p{n}") for n in range(before)]
    events += [event("open", 30 * DAY, f"p{n}") for n in range(now)]
    assert account(run(tmp_path, events), "people_growth") == expected


@pytest.mark.parametrize(
    ("new", "usual", "expected"),
    [(4, 0, False), (5, 0, True), (5, 4, True), (5, 7, False), (6, 8, True), (5, 8, False)],
)
def test_velocity_jump(tmp_path: Path, new: int, usual: int, expected: bool) -> None:
    events = [event("open", 7 * DAY, f"n{n}") for n in range(new)]
    events += [event("open", 35 * DAY, f"u{n}") for n in range(usual)]
    assert account(run(tmp_path, events), "velocity_jump")[0] is expected


@pytest.mark.parametrize(
    ("people", "readings", "expected"),
    [
        (10, [(2 * DAY, 8, 10)], True),
        (9, [(2 * DAY, 8, 10)], False),
        (10, [(2 * DAY, 9, 10), (DAY, 7, 10)], False),
        (10, [(2 * DAY, 7, 10), (timedelta(0), 9, 10)], False),
        (10, [(2 * DAY, 9, 10), (DAY, 9, 0)], False),
    ],
)
def test_near_limit(tmp_path: Path, people: int, readings: list[tuple[timedelta, int, int]], expected: bool) -> None:
    events = [event("open", DAY, f"p{n}") for n in range(people)]
    same = {"workspace_id": "w1", "metric": "seats"}
    limits = [
        {**same, "used": used, "quota": quota, "measured_at": (T - ago).isoformat()} for ago, used, quota in readings
    ]
    assert account(run(tmp_path, events, limits=limits), "near_limit")[0] is expected


def test_executive_rule() -> None:
    for title in ("Head of Sales", "co-founder", "Vice-President", "Interim CFO"):
        assert is_executive(title, "")
    for title in ("Headhunter", "Account Executive", "Directors' assistant", "Head, Sales"):
        assert not is_executive(title, "")
    assert is_executive("", "C_Level")
    assert not is_executive("", "manager")


def test_band_and_tier_borders() -> None:
    found = [band(n) for n in (80, 79, 50, 49, 30, 29)]
    assert found == ["hot", "warm", "warm", "emerging", "emerging", "none"]
    assert [tier(151, 10, 2, icp=True), tier(150, 10, 2, icp=True)] == [1, 2]
    assert [tier(151, 10, 2, icp=False), tier(79, 5, 2, icp=True)] == [2, 3]
    assert [tier(40, 2, 0, icp=False), tier(39, 2, 0, icp=False)] == [3, 4]
    assert tier(99, 1, 0, icp=False) == 4


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        # p1: limit 20, p2: inactive -20; size 20 and icp 15 go to each person or once;
        # the account itself: two active people and one workspace, no points.
        ({}, (20, 35, 55)),
        ({"floor": None}, (0, 35, 35)),
        ({"firmographics": "per_person"}, (70, 35, 105)),
        ({"firmographics": "per_person", "floor": None}, (70, 35, 105)),
    ],
)
def test_rollup(tmp_path: Path, options: dict[str, Any], expected: tuple[int, int, int]) -> None:
    events = [event("limit_reached", DAY), event("open", 8 * DAY, "p2")]
    workspaces = [{"workspace_id": "w1", "account_id": "a"}]
    accounts = [{"account_id": "a", "employees": 500, "icp": "true"}]
    scored = run(tmp_path, events, workspaces=workspaces, accounts=accounts, **options)
    [row] = scored.accounts
    found = (row["people_points"], row["firmographic_points"], row["score"])
    assert found == expected
    assert (row["segment"], row["tier"]) == ("enterprise", 3 if expected[2] >= 40 else 4)
    assert [(p["score"], p["behaviour_points"]) for p in scored.people] == [(55, 20), (15, -20)]


def test_volume_and_an_account_row_without_people(tmp_path: Path) -> None:
    accounts = [{"account_id": "quiet"}, {"account_id": "later", "created_at": T.isoformat()}]
    scored = run(tmp_path, daily(3, "run"), accounts=accounts, volume=("run", 3))
    assert account(scored, "volume") == (3, 15)
    assert [row["account_id"] for row in scored.accounts] == ["quiet", "workspace:w1"]
