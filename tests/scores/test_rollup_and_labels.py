"""Bands, tiers and segments at their borders; how people's points become the account's; receipts that add up."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handraise.service.project import Project
from handraise.service.refresh import score_as_of
from support import (
    DAY,
    Row,
    Scores,
    T,
    Tables,
    differences,
    ev,
    fetched,
    load_folder,
    memory_project,
    receipts_that_do_not_add_up,
    write,
)

# Signals that say exactly how many points a person or account gets: `worth` times one point.
MADE_UP = """
signals:
  person: {%s, worth: {category: x, measure: {kind: sum, role: export, property: worth}, points: {%s}, because: x}}
  account: {%s, extra: {category: x, measure: {kind: sum, role: feature, property: worth}, points: {%s}, because: x}}
"""
SWITCHED_OFF = {
    "person": "premium_features limit_reached api_or_integration feature_breadth invites same_domain_people external_share "
    "fast_activation stickiness rising_usage active_5_of_7 pricing_views upgrade_abandoned enterprise_request "
    "billing_question target_industry inactive declining_usage lonely free_only",
    "account": "active_people people_growth executive_present workspaces velocity_jump volume admin_change legal_view "
    "near_limit departments",
}


def made_up_signals(*worths: int) -> str:
    """A playbook whose only points are the ones asked for; company size and ICP stay."""
    off = {group: ", ".join(f"{name}: off" for name in names.split()) for group, names in SWITCHED_OFF.items()}
    ladder = ", ".join(f'">={n}": {n}' for n in sorted(set(worths)) if n > 0)
    return MADE_UP % (off["person"], ladder, off["account"], ladder)


def worth(points: int, person: str, ws: str, role: str = "export") -> list[Row]:
    return [ev(role, DAY, person, ws, properties={"worth": points})] if points else [ev("open", DAY, person, ws)]


BANDS = {0: "none", 29: "none", 30: "emerging", 49: "emerging", 50: "warm", 79: "warm", 80: "hot", 300: "hot"}
# (active people, departments, ICP, score) → tier
TIERS = {
    (10, 2, True, 151): 1,
    (10, 2, True, 150): 2,
    (9, 2, True, 151): 2,
    (10, 1, True, 151): 2,
    (10, 2, False, 151): 2,
    (40, 5, True, 400): 1,
    (5, 0, False, 80): 2,
    (5, 0, False, 79): 3,
    (4, 0, False, 80): 3,
    (2, 0, False, 40): 3,
    (2, 0, False, 39): 4,
    (1, 0, False, 300): 4,
    (10, 2, True, 39): 4,
}
SEGMENTS = {1: "smb", 49: "smb", 50: "mid_market", 499: "mid_market", 500: "enterprise", 10**6: "enterprise"}


def labels_company() -> Tables:
    """Each border case as an account of its own; the score comes from one event of the account signal `extra`."""
    tables: Tables = {"events": [], "people": [], "workspaces": [], "accounts": []}
    for points in BANDS:
        tables["events"] += worth(points, f"band{points}", f"band{points}")
    for number, ((people, departments, icp, score), _) in enumerate(TIERS.items()):
        ws = f"tier{number}"
        tables["workspaces"].append({"workspace_id": ws, "account_id": ws})
        tables["accounts"].append({"account_id": ws, "icp": str(icp).lower(), "employees": ""})
        for n in range(people):
            who = f"{ws}-{n}"
            tables["events"].append(ev("open", DAY, who, ws))
            tables["people"].append({"person_id": who, "department": f"d{n % departments}" if departments else ""})
        tables["events"] += worth(score - 15 * icp, f"{ws}-0", ws, "feature")
    for employees in SEGMENTS:
        tables["accounts"].append({"account_id": f"segment{employees}", "employees": employees, "icp": ""})
    for people in (1, 49, 50):
        ws = f"guess{people}"
        tables["events"] += [ev("open", DAY, f"{ws}-{n}", ws) for n in range(people)]
    return tables


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Scores]]:
    worths = [*BANDS, *(score - 15 * icp for _, _, icp, score in TIERS)]
    with memory_project(made_up_signals(*worths)) as project:
        load_folder(project, write(tmp_path_factory.mktemp("labels"), labels_company()))
        score_as_of(project.warehouse, project.loaded, [T])
        yield project, fetched(project)


@pytest.mark.parametrize("points", BANDS)
def test_a_band_starts_at_its_bound(labels: tuple[Project, Scores], points: int) -> None:
    row = labels[1].person(f"band{points}", f"workspace:band{points}")
    assert (row["score"], row["band"]) == (points, BANDS[points])


@pytest.mark.parametrize("case", TIERS, ids=str)
def test_a_tier_is_the_first_whose_every_bound_is_met(labels: tuple[Project, Scores], case: tuple[Any, ...]) -> None:
    row = labels[1].accounts[T, f"tier{list(TIERS).index(case)}"]
    assert (row["active_people"], row["score"]) == (case[0], case[3])
    assert row["tier"] == TIERS[case]
    assert row["is_pqa"] is (TIERS[case] <= 2)


@pytest.mark.parametrize("employees", SEGMENTS)
def test_a_segment_goes_by_employees(labels: tuple[Project, Scores], employees: int) -> None:
    assert labels[1].accounts[T, f"segment{employees}"]["segment"] == SEGMENTS[employees]


@pytest.mark.parametrize(("people", "segment"), [(1, "smb"), (49, "smb"), (50, "mid_market")])
def test_without_employees_the_segment_is_a_guess_by_active_people(
    labels: tuple[Project, Scores], people: int, segment: str
) -> None:
    project, found = labels
    assert found.accounts[T, f"workspace:guess{people}"]["segment"] == segment
    accounts = project.warehouse.table("scored_accounts")
    guessed = project.warehouse.rows(accounts.filter(accounts.segment_is_guess).select("account_id"))[0].to_pylist()
    assert f"workspace:guess{people}" in guessed
    assert "segment500" not in guessed


def test_every_score_names_the_playbook_that_made_it(labels: tuple[Project, Scores]) -> None:
    project, _ = labels
    for table in ("scored_people", "scored_accounts"):
        rows = project.warehouse.table(table)
        names = project.warehouse.rows(rows.select("playbook").distinct())[0].to_pylist()
        assert names == [project.loaded.content_hash]


# --- roll-up options -------------------------------------------------------------------------

# Points of five people of one account: hot 50, 20, 20, and two who are inactive and alone in nothing: -20 each.
PEOPLE = (50, 20, 20, -20, -20)
CROWD: Tables = {
    "events": [
        *(ev("limit_reached", DAY, f"p{n}") for n in (0, 1, 2)),
        *(ev("enterprise_request", DAY, "p0") for _ in range(2)),
        *(ev("open", 20 * DAY, f"p{n}") for n in (3, 4)),
    ],
    "workspaces": [{"workspace_id": "w", "account_id": "a"}],
    "accounts": [
        {"account_id": "a", "employees": 500, "icp": "true"},
        {"account_id": "empty", "employees": 80, "icp": ""},
    ],
}
FIT = 35
OPTIONS = list(itertools.product(("sum", "max", "top_k: 1", "top_k: 2", "top_k: 9"), (0, None, 15, -5), (False, True)))


def by_hand(people: str, floor: int | None, *, per_person: bool) -> int:
    own = [points + FIT * per_person for points in PEOPLE]
    counted = sorted((points if floor is None else max(points, floor) for points in own), reverse=True)
    kept = counted[: int(people[-1])] if people.startswith("top_k") else counted[:1] if people == "max" else counted
    return sum(kept)


def rollup_yaml(people: str, floor: int | None, *, per_person: bool) -> str:
    kind, _, k = people.partition(": ")
    parts = {"people": kind, "floor": "null" if floor is None else floor}
    parts |= {"firmographics": "per_person" if per_person else "once"} | ({"top_k": k} if k else {})
    return "rollup: {" + ", ".join(f"{name}: {value}" for name, value in parts.items()) + "}"


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Path]:
    """Scored people of one account, so that each roll-up option only has to add them up."""
    folder = write(tmp_path_factory.mktemp("crowd"), CROWD)
    with memory_project() as project:
        load_folder(project, folder)
        score_as_of(project.warehouse, project.loaded, [T])
        yield project, folder


def test_the_crowd_has_the_points_written_above(crowd: tuple[Project, Path]) -> None:
    found = fetched(crowd[0])
    assert tuple(found.person(f"p{n}", "a")["behaviour_points"] for n in range(5)) == PEOPLE
    assert {found.person(f"p{n}", "a")["score"] - PEOPLE[n] for n in range(5)} == {FIT}


@pytest.mark.parametrize(("people", "floor", "per_person"), OPTIONS, ids=str)
def test_how_people_add_up(crowd: tuple[Project, Path], people: str, floor: int | None, per_person: bool) -> None:
    from handraise.playbook.load import parse_playbook
    from handraise.scores.pqa import score_accounts

    warehouse = crowd[0].warehouse
    playbook = parse_playbook(rollup_yaml(people, floor, per_person=per_person), name="x", path=None).playbook
    blind = frozenset({"departments", "executive_present", "near_limit", "volume", "target_industry"})
    scored = score_accounts(warehouse.table("account_values"), warehouse.table("scored_people"), playbook, blind)
    rows = {row["account_id"]: row for row in warehouse.rows(scored).to_pylist()}
    expected = by_hand(people, floor, per_person=per_person)
    assert rows["a"]["people_points"] == expected
    assert rows["a"]["firmographic_points"] == FIT
    assert rows["a"]["score"] == expected + FIT + rows["a"]["account_points"]
    assert (rows["empty"]["people_points"], rows["empty"]["score"]) == (0, 10)


@pytest.mark.parametrize(
    ("yaml", "options"),
    [
        ("rollup: {firmographics: per_person}", {"firmographics": "per_person"}),
        ("rollup: {floor: null}", {"floor": None}),
        ("rollup: {firmographics: per_person, floor: null}", {"firmographics": "per_person", "floor": None}),
    ],
)
def test_the_letter_of_the_source_equals_the_oracle(
    yaml: str, options: dict[str, Any], crowd: tuple[Project, Path]
) -> None:
    with memory_project(yaml) as project:
        load_folder(project, crowd[1])
        score_as_of(project.warehouse, project.loaded, [T])
        found = fetched(project)
    assert differences(found, crowd[1], T, **options) == []
    assert receipts_that_do_not_add_up(found) == []


def test_receipts_add_up_and_hold_no_row_without_points(
    crowd: tuple[Project, Path], labels: tuple[Project, Scores]
) -> None:
    for found in (fetched(crowd[0]), labels[1]):
        assert receipts_that_do_not_add_up(found) == []
        assert all(row["points"] != 0 for row in found.receipt.values())
        assert all(row["because"] for row in found.receipt.values())
