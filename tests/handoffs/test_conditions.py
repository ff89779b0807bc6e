"""Each kind of condition where it just holds and where it just does not, all in one company; and what fires from day to day."""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handraise.accounts.leads import find_lead_accounts
from handraise.handoffs.edges import hold_known, make_edges
from handraise.playbook.load import load_template
from handraise.service.project import Project
from handraise.service.refresh import score_as_of
from support import (
    DAY,
    HOUR,
    NOON,
    TINY,
    Row,
    T,
    Tables,
    before,
    days,
    ev,
    load_folder,
    memory_project,
    weeks,
    with_ids,
    write,
)


def team(ws: str, size: int) -> list[Row]:
    return [row for n in range(size) for row in days("open", 1, 40, person=f"{ws}-{n}", ws=ws)]


def of(ws: str, **more: Any) -> Tables:
    """A workspace that is an account of its own name."""
    return {"workspaces": [{"workspace_id": ws, "account_id": ws}], "accounts": [{"account_id": ws, **more}]}


def known(*people: str, **more: Any) -> list[Row]:
    return [{"person_id": one, "created_at": before(60 * DAY), **more} for one in people]


def joined(*parts: Tables) -> Tables:
    tables: Tables = {}
    for part in parts:
        for name, rows in part.items():
            tables.setdefault(name, []).extend(rows)
    return tables


GROWING = weeks(9, 7, 5, 3, 1, person="up")
COMPANY = joined(
    of("asked"),
    {"events": [ev("enterprise_request", NOON, "asker", "asked"), ev("enterprise_request", 3 * DAY, "asker", "asked")]},
    of("asked-long-ago"),
    {
        "events": [
            ev("enterprise_request", 30 * DAY + TINY, "old", "asked-long-ago"),
            ev(person="old", ws="asked-long-ago"),
        ]
    },
    of("sales"),
    {"events": [ev("contact_sales", 30 * DAY, "form", "sales")]},
    {"events": [ev("upgrade_started", DAY, "chooser", "sales", properties={"plan": "enterprise"})]},
    {"events": [ev("upgrade_started", DAY, "smaller", "sales", properties={"plan": "team"})]},
    # New people: five within seven days, and five of whom one came a moment too early.
    of("grows"),
    {"events": [ev("open", 7 * DAY, f"new-{n}", "grows") for n in range(5)]},
    of("grows-not"),
    {"events": [ev("open", 7 * DAY + (TINY if n == 0 else -TINY), f"newer-{n}", "grows-not") for n in range(5)]},
    # Pricing: three looks without an upgrade, two, and three with an upgrade by a colleague.
    of("looks"),
    {"events": [ev("pricing_view", n * DAY, "looker", "looks") for n in (1, 2, 3)]},
    {"events": [ev("pricing_view", n * DAY, "glancer", "looks") for n in (1, 2)]},
    of("buys"),
    {"events": [ev("pricing_view", n * DAY, "watcher", "buys") for n in (1, 2, 3)]},
    {"events": [ev("upgrade_completed", 2 * DAY, "boss", "buys")]},
    # Departments of a fitting company; the same elsewhere.
    of("fits", icp="true"),
    of("fits-not", icp="false"),
    {
        "events": [
            row
            for ws in ("fits", "fits-not")
            for one in ("a", "b")
            for row in days("open", 1, person=f"{ws}-{one}", ws=ws)
        ]
    },
    {
        "people": [
            p
            for ws in ("fits", "fits-not")
            for one in ("a", "b")
            for p in known(f"{ws}-{one}", department=f"dep {one}")
        ]
    },
    # One person alone at a target account: ten active days of thirty, and nine.
    of("target", target="true"),
    of("target-less", target="true"),
    of("no-target"),
    {"events": days("open", *range(10), person="lone", ws="target")},
    {"events": days("open", *range(9), person="lonely", ws="target-less")},
    {"events": days("open", *range(10), person="nobody", ws="no-target")},
    # Five weeks that rise, and five of which two are alike.
    of("up"),
    {"events": [{**row, "workspace_id": "up"} for row in GROWING]},
    of("flat"),
    {"events": [{**row, "workspace_id": "flat", "person_id": "flat"} for row in weeks(9, 7, 5, 5, 1)]},
    # Ten people close to a limit, and nine.
    of("full"),
    of("nearly-full"),
    {"events": team("full", 10) + team("nearly-full", 9)},
    {
        "limits": [
            {"account_id": ws, "metric": "seats", "used": "8", "quota": "10", "measured_at": before(DAY)}
            for ws in ("full", "nearly-full")
        ]
    },
    # Leads: of the domain of an account, of a known person, of a company without usage, and of nobody.
    of("leads", domain="leadsco.com"),
    {"events": days("open", 1, person="home", ws="leads"), "people": known("home", email="home@gmail.com")},
    {
        "leads": [
            {"email": "Fan@leadsco.com", "at": before(DAY), "source": "fair"},
            {"email": "HOME@gmail.com", "at": before(2 * DAY), "source": "fair"},
            {"email": "new@stranger.com", "at": before(DAY), "source": "fair"},
            {"email": "who@gmail.com", "at": before(DAY), "source": "fair"},
            {"email": "late@leadsco.com", "at": before(-DAY), "source": "fair"},
        ]
    },
)
HOLDS = {
    "enterprise_request": {("asked", "asker")},
    "contact_sales": {("sales", "form"), ("sales", "chooser")},
    "team_growing": {("grows", "")},
    "pricing_without_upgrade": {("looks", "looker")},
    "icp_departments": {("fits", "")},
    "lone_enthusiast": {("target", "lone")},
    "growing_usage": {("up", "")},
    "team_near_limit": {("full", "")},
    "marketing_lead": {("leads", ""), ("domain:stranger.com", "")},
}


def edges(project: Project, as_of: Any, held: list[dict[str, object]]) -> tuple[list[Row], list[Row]]:
    """What fired and what ended."""
    score_as_of(project.warehouse, project.loaded, [as_of])
    find_lead_accounts(project.warehouse, project.loaded.playbook.domains)
    hold_known(project.warehouse, held)
    make_edges(project.warehouse, project.loaded.playbook, within_scope=False)
    return project.warehouse.whole("fired").to_pylist(), project.warehouse.whole("ended").to_pylist()


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    with tempfile.TemporaryDirectory() as folder, memory_project() as project:
        load_folder(project, write(Path(folder), {**COMPANY, "events": with_ids(COMPANY["events"])}))
        yield project


@pytest.fixture(scope="module")
def fired(project: Project) -> list[Row]:
    return edges(project, T, [])[0]


@pytest.mark.parametrize("trigger", HOLDS)
def test_it_holds_where_it_should_and_nowhere_else(fired: list[Row], trigger: str) -> None:
    assert {(row["account_id"], row["person_id"]) for row in fired if row["trigger"] == trigger} == HOLDS[trigger]


def test_bands_and_tiers_are_those_of_the_scores(project: Project, fired: list[Row]) -> None:
    people = project.warehouse.whole("scored_people").to_pylist()
    for band, least in (("hot", 80), ("warm", 50)):
        wanted = {(row["account_id"], row["person_id"]) for row in people if row["known"] and row["score"] >= least}
        assert {(r["account_id"], r["person_id"]) for r in fired if r["trigger"] == f"became_{band}"} == wanted
    accounts = project.warehouse.whole("scored_accounts").to_pylist()
    wanted_accounts = {row["account_id"] for row in accounts if row["is_pqa"]}
    assert {r["account_id"] for r in fired if r["trigger"] == "qualified"} == wanted_accounts


def test_values_say_how_much(fired: list[Row]) -> None:
    values = {(row["trigger"], row["account_id"], row["person_id"]): row["value"] for row in fired}
    assert values["enterprise_request", "asked", "asker"] == 2
    assert values["team_growing", "grows", ""] == 5
    assert values["pricing_without_upgrade", "looks", "looker"] == 3
    assert values["growing_usage", "up", ""] == 4
    assert values["marketing_lead", "leads", ""] == 2


def test_only_what_is_new_fires_and_whoever_asks_again_is_heard_again(project: Project) -> None:
    held = [
        {"trigger": r["trigger"], "account_id": r["account_id"], "person_id": r["person_id"], "asked_at": r["at"]}
        for r in edges(project, T, [])[0]
    ]
    assert edges(project, T, held) == ([], [])
    asked = next(one for one in held if one["trigger"] == "enterprise_request")
    earlier = {**asked, "asked_at": asked["asked_at"] - HOUR}
    again, ended = edges(project, T, [one for one in held if one is not asked] + [earlier])
    assert [(row["trigger"], row["person_id"]) for row in again] == [("enterprise_request", "asker")]
    assert not ended
    gone = {"trigger": "team_growing", "account_id": "nowhere", "person_id": "", "asked_at": None}
    assert edges(project, T, [*held, gone]) == ([], [{k: gone[k] for k in ("trigger", "account_id", "person_id")}])


def test_days_later_what_was_true_is_true_no_more(project: Project) -> None:
    held = [
        {"trigger": r["trigger"], "account_id": r["account_id"], "person_id": r["person_id"], "asked_at": r["at"]}
        for r in edges(project, T, [])[0]
    ]
    fresh, ended = edges(project, T + timedelta(days=40), held)
    assert {row["trigger"] for row in ended} >= {
        "enterprise_request",
        "team_growing",
        "growing_usage",
        "marketing_lead",
    }
    assert not {row["trigger"] for row in fresh} & {"enterprise_request", "team_growing"}


def test_every_kind_is_in_the_template() -> None:
    kinds = {trigger.when.kind for trigger in load_template().playbook.handoffs.triggers.values()}
    assert kinds == {
        "asked",
        "signal",
        "band",
        "new_people",
        "without",
        "icp_team",
        "qualified",
        "lone_person",
        "growth",
        "lead",
    }
