"""Each account signal at the borders of its rule, by hand and against the oracle; and which inputs make it blind."""

import inspect
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from handraise.scores.receipt import BLIND_IN_CHINESE
from handraise.signals import blind as signals_blind
from handraise.signals.blind import blind_signals, input_columns
from support import (
    DAY,
    TINY,
    Case,
    Row,
    Scores,
    T,
    Tables,
    company_of,
    differences,
    ev,
    load_folder,
    memory_project,
    own_id,
    scored,
    scores,
    write,
)

TOMORROW = T + DAY
MONTH = 30 * DAY


def people(count: int, *, first: int = 0, **columns: Callable[[int], str]) -> list[Row]:
    """Rows of people p0, p1 …; a column's function gets the person's number."""
    return [
        {"person_id": f"p{n}", **{name: make(n) for name, make in columns.items()}} for n in range(first, first + count)
    ]


def active(count: int, ago: timedelta = DAY, *, first: int = 0, name: str = "open", ws: str = "w") -> list[Row]:
    return [ev(name, ago, f"p{n}", ws) for n in range(first, first + count)]


def case(signal: str, title: str, points: int | None, events: list[Row], **more: object) -> Case:
    """A case of an account signal; other keywords are tables."""
    told = {name: more.pop(name) for name in ("value", "account", "as_of") if name in more}
    return Case(title=title, signal=signal, points=points, events=events, tables=more, **told)


def departments(*names: str) -> list[Row]:
    return people(len(names), department=lambda n: names[n])


TEAM = [
    *(case("active_people", f"{n} people", points, active(n), value=n)
      for n, points in [(1, 0), (2, 0), (3, 10), (6, 10), (7, 25), (14, 25), (15, 40), (40, 40)]),
    case("active_people", "the third 30 days ago to the instant", 10, [*active(2), ev("open", MONTH, "x")]),
    case("active_people", "the third an instant too early", 0, [*active(2), ev("open", MONTH + TINY, "x")]),
    case("active_people", "the third at T", 0, [*active(2), ev("open", timedelta(0), "x")]),
    case("active_people", "the third only got mail", 0, [*active(2), ev("email_opened", DAY, "x")]),
    case("active_people", "one person under three names of a day is one", 0,
         [ev(name, DAY, "x") for name in ("open", "export", "feature")]),
    case("active_people", "anonymous visitors are people too", 10,
         [ev("open", DAY, None, anonymous_id=f"a{n}") for n in range(3)]),
    case("active_people", "an anonymous id that became a person is not counted twice", 0,
         [ev("open", 3 * DAY, None, anonymous_id="a"), ev("open", DAY, "x", anonymous_id="a"), ev("open", DAY, "y")]),
    case("active_people", "people of two workspaces of one account", 10, [*active(2), *active(1, first=2, ws="v")],
         account="a", workspaces=[{"workspace_id": ws, "account_id": "a"} for ws in "wv"]),
    case("active_people", "somebody in both workspaces is one", 0, [*active(2), *active(2, ws="v")],
         account="a", workspaces=[{"workspace_id": ws, "account_id": "a"} for ws in "wv"]),
    case("departments", "one department", 0, active(3), people=departments("it", "it", "it")),
    case("departments", "two", 20, active(3), people=departments("it", "sales", "it"), value=2),
    case("departments", "three", 30, active(3), people=departments("it", "sales", "hr"), value=3),
    case("departments", "no department is none", 20, active(3), people=departments("it", "sales", "")),
    case("departments", "of people who are not active", 0, active(1), people=departments("it", "sales", "hr")),
    case("departments", "of people active exactly 30 days ago", 20, active(2, MONTH), people=departments("it", "hr")),
    case("departments", "of people active an instant before", 0, active(2, MONTH + TINY),
         people=departments("it", "hr")),
    case("departments", "of people who are active elsewhere", 0, [*active(1), *active(1, first=1, ws="v")],
         people=departments("it", "hr")),
]  # fmt: skip


def growth(title: str, points: int, earlier: int, now: int, **more: object) -> Case:
    """So many people in the 30 days before the last 30, so many in the last."""
    return case("people_growth", title, points, [*active(earlier, 40 * DAY), *active(now, DAY)], **more)


GROWTH = [
    growth("from 2 to 10 says nothing", 0, 2, 10),
    growth("from 3 to 4", 15, 3, 4, value=1 / 3),
    growth("from 4 to 5 is a quarter", 15, 4, 5, value=0.25),
    growth("from 5 to 6 is less", 0, 5, 6),
    growth("from 4 to 6 is a half", 25, 4, 6, value=0.5),
    growth("from 3 to 9", 25, 3, 9, value=2),
    growth("from 5 to 5", 0, 5, 5),
    growth("from 5 to 0", 0, 5, 0),
    case("people_growth", "60 days ago to the instant is before", 15, [*active(4, 60 * DAY), *active(5)]),
    case("people_growth", "an instant more is not", 0, [*active(4, 60 * DAY + TINY), *active(5)]),
    case("people_growth", "30 days ago to the instant is now", 15,
         [*active(4, MONTH + TINY), *active(4, DAY), ev("open", MONTH, "x")]),
    case("people_growth", "a person active in both is in both", 0, [*active(4, 40 * DAY), *active(4, 31 * DAY)]),
    *(case("velocity_jump", f"{new} new after {usual} in four weeks", points,
           [*active(new, 7 * DAY), *active(usual, 35 * DAY, first=50)])
      for new, usual, points in [(4, 0, 0), (5, 0, 25), (5, 4, 25), (5, 6, 25), (5, 7, 0), (6, 8, 25), (5, 8, 0),
                                 (9, 12, 25), (8, 12, 0)]),
    case("velocity_jump", "the fifth came an instant before the week", 0,
         [*active(4, DAY), ev("open", 7 * DAY + TINY, "x")]),
    case("velocity_jump", "more than five weeks ago is not usual any more", 25,
         [*active(5, DAY), *active(40, 35 * DAY + TINY, first=50)]),
    case("velocity_jump", "people seen before are not new", 0, [*active(5, DAY), *active(1, 300 * DAY)]),
    case("velocity_jump", "seen before in another account is new here", 25,
         [*active(5, DAY), *active(5, 300 * DAY, ws="v")]),
    case("velocity_jump", "a first event may be mail", 25, active(5, DAY, name="email_delivered")),
    case("velocity_jump", "the next day the week has moved", 0, active(5, 7 * DAY), as_of=TOMORROW),
]  # fmt: skip


def person(title: str = "", seniority: str = "") -> list[Row]:
    return [{"person_id": "p", "title": title, "seniority": seniority}]


EXECUTIVE = [
    *(case("executive_present", f"title {title!r}", 10, [ev()], people=person(title=title))
      for title in ("CEO", "Interim CFO", "co-founder", "Head of Sales", "head  of sales", "Vice President, Sales",
                    "vice-president", "VP Engineering", "SVP/VP", "Chief of Staff", "Director", "CTO (acting)",
                    "Managing Director", "ciso", "President")),
    *(case("executive_present", f"title {title!r}", 0, [ev()], people=person(title=title))
      for title in ("", "Headhunter", "Account Executive", "Directors' assistant", "Head, Sales", "Product Owner",
                    "Mischief manager", "vpn engineer", "Founding engineer", "Presidential aide", "ctos")),
    *(case("executive_present", f"seniority {level!r}", 10, [ev()], people=person(seniority=level))
      for level in ("founder", "Owner", "C-Level", "c_level", "C level", "executive", "PRESIDENT", "vp", "Director",
                    "head")),
    *(case("executive_present", f"seniority {level!r}", 0, [ev()], people=person(seniority=level))
      for level in ("", "manager", "lead", "senior", "heads", "c")),
    case("executive_present", "an executive who is not active", 0, [ev("open", DAY, "q"), ev("open", MONTH + TINY)],
         people=person(title="CEO")),
    case("executive_present", "an executive active exactly 30 days ago", 10, [ev("open", MONTH)],
         people=person(title="CEO")),
    case("executive_present", "an executive who only got mail", 0, [ev("email_opened")], people=person(title="CEO")),
]  # fmt: skip

TWO_WORKSPACES = [{"workspace_id": ws, "account_id": "a"} for ws in "wv"]
QUARTER = 90 * DAY


def created(ago: timedelta | None) -> str:
    return ev("", ago)["timestamp"] if ago is not None else ""


def spaces(title: str, points: int, first: timedelta | None, second: timedelta | None, *events: Row) -> Case:
    rows = [{"workspace_id": ws, "account_id": "a", "created_at": created(ago)}
            for ws, ago in (("w", first), ("v", second))]  # fmt: skip
    return case("workspaces", title, points, [*events], workspaces=rows, account="a",
                accounts=[{"account_id": "a"}])  # fmt: skip


USE = [
    spaces("two created", 15, DAY, 2 * DAY, ev()),
    spaces("one created, one used", 15, DAY, None, ev(ws="v")),
    spaces("one created and used", 0, DAY, None, ev(ws="w")),
    spaces("mail in a workspace is an event there", 15, None, None, ev(), ev("email_opened", ws="v")),
    spaces("created exactly 90 days ago", 15, QUARTER, DAY),
    spaces("created an instant before", 0, QUARTER + TINY, DAY),
    spaces("created at T", 0, timedelta(0), DAY),
    spaces("used exactly 90 days ago", 15, None, DAY, ev("open", QUARTER, ws="w")),
    spaces("used an instant before", 0, None, DAY, ev("open", QUARTER + TINY, ws="w")),
    case("workspaces", "events without workspace are in none", 0, [ev(), ev("open", ws="")], account="a",
         workspaces=[{"workspace_id": "w", "account_id": "a"}]),
    *(case("volume", f"{n} runs of 3", points, [ev("api_or_integration")] * n) for n, points in [(2, 0), (3, 15)]),
    case("volume", "the third run by a colleague", 15,
         [ev("api_or_integration")] * 2 + [ev("api_or_integration", MONTH, "q")]),
    case("volume", "the third run is too old", 0,
         [ev("api_or_integration")] * 2 + [ev("api_or_integration", MONTH + TINY, "q")]),
    case("admin_change", "once", 20, [ev("admin_change", MONTH)], value=1),
    case("admin_change", "by two people", 20, [ev("admin_change"), ev("admin_change", DAY, "q")], value=2),
    case("admin_change", "an instant too early", 0, [ev(), ev("admin_change", MONTH + TINY)]),
    case("admin_change", "at T", 0, [ev(), ev("admin_change", timedelta(0))]),
    case("admin_change", "in another account", 0, [ev(), ev("admin_change", ws="v")]),
    case("legal_view", "one person, often", 20, [ev("legal_view")] * 3, value=1),
    case("legal_view", "two people", 20, [ev("legal_view"), ev("legal_view", DAY, "q")], value=2),
    case("legal_view", "an anonymous visitor", 0, [ev(), ev("legal_view", DAY, None, anonymous_id="a")]),
    case("legal_view", "a visitor who was known by T", 20,
         [ev("legal_view", 3 * DAY, None, anonymous_id="a"), ev("open", DAY, anonymous_id="a")], value=1),
    case("legal_view", "a visitor known only from tomorrow on", 0,
         [ev("legal_view", 3 * DAY, None, anonymous_id="a"), ev("open", -DAY / 2, anonymous_id="a")]),
    case("legal_view", "and tomorrow", 20, as_of=TOMORROW, value=1, events=[
         ev("legal_view", 3 * DAY, None, anonymous_id="a"), ev("open", -DAY / 2, anonymous_id="a")]),
    case("legal_view", "exactly 30 days ago", 20, [ev("legal_view", MONTH)]),
    case("legal_view", "an instant before", 0, [ev(), ev("legal_view", MONTH + TINY)]),
]  # fmt: skip


def meter(used: float, quota: float, ago: timedelta = DAY, metric: str = "seats", **owner: str) -> Row:
    return {**(owner or {"workspace_id": "w"}), "metric": metric, "used": used, "quota": quota,
            "measured_at": created(ago)}  # fmt: skip


def near(title: str, points: int, *limits: Row, team: int = 10) -> Case:
    return case("near_limit", title, points, active(team), limits=list(limits))


LIMITS = [
    near("ten people at 0.8", 20, meter(8, 10)),
    near("nine people at 0.8", 0, meter(8, 10), team=9),
    near("ten people just below", 0, meter(799_999, 1_000_000)),
    near("over the limit", 20, meter(12, 10)),
    near("one of two metrics", 20, meter(1, 10, metric="projects"), meter(80, 100)),
    near("the latest reading counts, and is low", 0, meter(10, 10, 2 * DAY), meter(7, 10, DAY)),
    near("the latest reading counts, and is high", 20, meter(7, 10, 2 * DAY), meter(10, 10, DAY)),
    near("a reading at T is not known", 0, meter(7, 10, 2 * DAY), meter(9, 10, timedelta(0))),
    near("a reading an instant before T is", 20, meter(7, 10, 2 * DAY), meter(9, 10, TINY)),
    near("a quota of nothing is never near", 0, meter(9, 0)),
    near("the latest reading has no quota", 0, meter(9, 10, 2 * DAY), meter(9, 0, DAY)),
    near("a reading of long ago still stands", 20, meter(9, 10, 300 * DAY)),
    near("a reading of the account", 20, meter(9, 10, account_id="workspace:w")),
    near("a reading of another account", 0, meter(9, 10, account_id="other")),
    near("twelve of fifteen", 20, meter(12, 15)),
    case("near_limit", "two workspaces of one account have a meter each", 20, active(10), account="a",
         workspaces=TWO_WORKSPACES, limits=[meter(9, 10, 5 * DAY), meter(1, 10, DAY, workspace_id="v")]),
    case("near_limit", "ten people of whom one only got mail", 0, [*active(9), ev("email_opened", DAY, "x")],
         limits=[meter(9, 10)]),
]  # fmt: skip

CASES = [*TEAM, *GROWTH, *EXECUTIVE, *USE, *LIMITS]
VOLUME = "signals: {account: {volume: {measure: {kind: volume, role: api_or_integration, threshold: 3}}}}"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scores]:
    folder = write(tmp_path_factory.mktemp("cases"), company_of(CASES))
    with memory_project(VOLUME) as project:
        assert not [count for count in load_folder(project, folder) if count.quarantined]
        return folder, scores(project, T, TOMORROW)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{c.signal}: {c.title}" for c in CASES])
def test_account_signal(company: tuple[Path, Scores], number: int) -> None:
    wanted, found = CASES[number], company[1]
    account = own_id(number, wanted.account)
    column = "active_people_points" if wanted.signal == "active_people" else wanted.signal
    assert found.accounts[wanted.as_of, account][column] == wanted.points
    if wanted.value is not None and wanted.points:
        value = found.value("account", account, account, wanted.signal, wanted.as_of)
        assert value == pytest.approx(wanted.value, abs=1e-9)


@pytest.mark.parametrize("as_of", [T, TOMORROW], ids=str)
def test_the_oracle_agrees_on_every_case(company: tuple[Path, Scores], as_of: date) -> None:
    folder, found = company
    assert differences(found, folder, as_of, volume=("api_or_integration", 3)) == []


def test_every_account_signal_has_cases(company: tuple[Path, Scores]) -> None:
    signals = list(next(iter(company[1].accounts.values())))[9:]
    assert len(signals) == 10
    assert {c.signal for c in CASES} == {name.removesuffix("_points") for name in signals}


# --- blind inputs ----------------------------------------------------------------------------

FULL: Tables = {
    "events": [ev("open", DAY, "p")],
    "people": [{"person_id": "p", "email": "p@acme.com", "department": "it", "title": "x", "seniority": "y"}],
    "workspaces": [{"workspace_id": "w", "account_id": "a"}],
    "accounts": [{"account_id": "a", "employees": 60, "industry": "retail", "icp": "true"}],
    "subscriptions": [{"account_id": "a", "plan": "t", "started_at": "2026-01-01", "mrr": 0}],
    "limits": [meter(1, 10)],
}
ALWAYS = {"target_industry", "volume"}  # until the playbook says which industries and what volume


def without(table: str, *columns: str) -> Tables:
    """The full inputs without a table, or without some columns of it."""
    if not columns:
        return {name: rows for name, rows in FULL.items() if name != table}
    kept = [{name: value for name, value in row.items() if name not in columns} for row in FULL[table]]
    return {**FULL, table: kept}


EVENTS_ALONE_SHOW_NO = {
    "same_domain_people", "company_size", "icp_match", "free_only", "departments", "executive_present", "workspaces",
    "near_limit",
}  # fmt: skip

BLIND = {
    "nothing missing": (FULL, set()),
    "no e-mails": (without("people", "email"), {"same_domain_people"}),
    "no departments": (without("people", "department"), {"departments"}),
    "titles only": (without("people", "seniority"), set()),
    "seniorities only": (without("people", "title"), set()),
    "neither title nor seniority": (without("people", "title", "seniority"), {"executive_present"}),
    "no people file": (without("people"), {"same_domain_people", "departments", "executive_present"}),
    "no employees": (without("accounts", "employees"), {"company_size"}),
    "no ICP flag": (without("accounts", "icp"), {"icp_match"}),
    "no accounts file": (without("accounts"), {"company_size", "icp_match"}),
    "no subscriptions": (without("subscriptions"), {"free_only"}),
    "subscriptions without money": (without("subscriptions", "mrr"), {"free_only"}),
    "no limits": (without("limits"), {"near_limit"}),
    "no workspaces file": (without("workspaces"), set()),
    "no workspace of events": (without("events", "workspace_id"), set()),
    "only events": ({"events": FULL["events"]}, EVENTS_ALONE_SHOW_NO - {"workspaces"}),
}


@pytest.mark.parametrize("title", BLIND)
def test_what_makes_a_signal_blind(title: str, tmp_path: Path) -> None:
    tables, expected = BLIND[title]
    with memory_project() as project:
        load_folder(project, write(tmp_path, tables))
        found = blind_signals(project.loaded.playbook, input_columns(project.warehouse))
    assert set(found) == expected | ALWAYS
    assert all(found.values()), "every blind signal says why"


def test_why_a_signal_is_blind_is_said_in_chinese_too() -> None:
    assert set(re.findall(r'yield "(.+)"', inspect.getsource(signals_blind))) == set(BLIND_IN_CHINESE)


@pytest.mark.parametrize(
    ("tables", "blind"),
    [
        (FULL, ALWAYS),
        ({"events": [{"person_id": "p", "name": "open", "timestamp": "2026-10-20"}]}, {*ALWAYS, *EVENTS_ALONE_SHOW_NO}),
    ],
    ids=["everything came", "only events came"],
)
def test_a_blind_signal_is_empty_in_the_exports_and_said_in_the_receipt(
    tables: Tables, blind: set[str], tmp_path: Path
) -> None:
    with memory_project() as project:
        load_folder(project, write(tmp_path, tables))
        found = scores(project)
    [person_row] = found.people.values()
    [account_row] = found.accounts.values()
    empty = {name for row in (person_row, account_row) for name, value in row.items() if value is None}
    assert empty == blind
    assert {signal for (*_, signal), row in found.receipt.items() if row["points"] is None} == blind
    assert differences(found, tmp_path, T) == []


def test_a_column_that_came_empty_is_unknown_and_not_blind() -> None:
    tables = {**FULL, "accounts": [{"account_id": "a", "employees": "", "industry": "", "icp": ""}]}
    found = scored(tables, playbook="industries: [retail]")
    row = found.person("p", "a")
    assert (row["company_size"], row["icp_match"], row["target_industry"]) == (0, 0, 0)
