"""Comparing playbooks: who moves, which lines did it, and that nothing of it stays behind."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from handraise.playbook.diff import settings_changed
from handraise.playbook.load import LoadedPlaybook, load_template, parse_playbook
from handraise.playbook.plan import plan_rollups
from handraise.service.diff import PlaybookDiff, diff_playbooks
from handraise.service.folder import create_project
from handraise.service.project import (
    Project,
    ensure_scored,
    is_current,
    load,
    open_project,
    refresh,
    scored_as_of,
)
from handraise.service.shift import Shift
from handraise.simulate import simulate
from handraise.warehouse.tables import read_fact
from oracle.scorer import score
from support import (
    DAY,
    NOW,
    T,
    ev,
    events_as_csv,
    export_bytes,
    load_folder,
    memory_project,
    scores,
    write,
)

TEMPLATE = load_template()
LETTER = (
    "rollup: {firmographics: per_person, floor: null}\nindustries: [logistics, energy, manufacturing, media, financial services]\n"
    "signals: {account: {volume: {measure: {kind: volume, role: feature, threshold: 20}}}}\n"
)
LETTER_ORACLE: dict[str, Any] = {
    "firmographics": "per_person",
    "floor": None,
    "industries": frozenset({"logistics", "energy", "manufacturing", "media", "financial services"}),
    "volume": ("feature", 20),
}


def playbook(text: str) -> LoadedPlaybook:
    return parse_playbook(text, name="new.yaml", path=None)


@contextmanager
def to_read(folder: Path) -> Iterator[Project]:
    with open_project(folder, read_only=True) as project:
        yield project


def diff(folder: Path, old: LoadedPlaybook, new: LoadedPlaybook, **more: Any) -> PlaybookDiff:
    with to_read(folder) as project:
        return diff_playbooks(project, old, new, **{"as_of": None, "now": NOW, **more})


def steps(folder: Path, old: LoadedPlaybook, new: LoadedPlaybook, **more: Any) -> list[str]:
    """Names of what the engine made for a comparison."""
    with to_read(folder) as project:
        diff_playbooks(project, old, new, **{"as_of": None, "now": NOW, **more})
        return [step.name for step in project.warehouse.steps]


def as_project(folder: Path, data: Path, as_of: date) -> Path:
    create_project(folder)
    with open_project(folder, threads=2) as project:
        load(project, [data])
        refresh(project, [as_of], now=NOW)
    return folder


def digest(folder: Path) -> dict[str, str]:
    """Every file of a project."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# --- a company small enough to count by hand -------------------------------------------------

HAND = {
    "events": [
        *(ev("pricing_view", 2 * DAY, "ana", "w") for _ in range(3)),
        ev("limit_reached", 2 * DAY, "ana", "w"),
        ev("pricing_view", 2 * DAY, "bob", "w"),
        ev("limit_reached", 3 * DAY, "cyd", "x"),
        ev("limit_reached", 3 * DAY, "dan", "x"),
        ev("export", 3 * DAY, "eve", "y"),
    ],
    "people": [{"person_id": "ana", "name": "Ana @acme | <b>", "title": "CEO"}],
}
# ana: 20 for pricing, 20 for the limit; bob: 10; cyd and dan: 20 each; eve: nothing.
CHANGED = """
language: zh
signals:
  person:
    pricing_views: {points: {">=3": 30}}
    limit_reached: {points: {">=1": 20, ">=2": 40}}
    rising_usage: off
bands:
  - {name: warm, at_least: 50}
  - {name: emerging, at_least: 20}
  - {name: none}
selling_bands: [warm]
"""


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hand")
    return as_project(folder / "project", write(folder / "data", HAND), T)


@pytest.fixture(scope="module")
def counted(hand: Path) -> PlaybookDiff:
    return diff(hand, TEMPLATE, playbook(CHANGED))


def test_people_who_cross_a_line_come_out_with_the_lines_that_did_it(counted: PlaybookDiff) -> None:
    found = {m.id: m for m in counted.people.movers}
    assert set(found) == {"ana", "cyd", "dan"}
    ana = found["ana"]
    assert (ana.old, ana.new, ana.old_score, ana.new_score) == ("emerging", "warm", 40, 50)
    assert (ana.old_qualified, ana.new_qualified) == (False, True)
    assert [(line.signal, line.old, line.new) for line in ana.lines] == [("pricing_views", 20, 30)]
    assert ana.lines[0].because == "30 天内查看定价 3 次"
    assert [(found[p].old, found[p].new, found[p].lines) for p in ("cyd", "dan")] == [("none", "emerging", ())] * 2
    assert counted.people.movers[0].id == "ana", "who becomes a PQL stands first"


def test_volumes_and_crossings_are_counted(counted: PlaybookDiff) -> None:
    people = counted.people
    assert {v.name: (v.old, v.new) for v in people.volumes} == {
        "hot": (0, 0),
        "warm": (0, 1),
        "emerging": (1, 2),
        "none": (4, 2),
    }
    assert (people.old, people.new, people.moved, people.rescored) == (5, 5, 3, 1)
    assert (people.old_qualified, people.new_qualified, people.entering, people.leaving) == (0, 1, 1, 0)
    assert {(f.old, f.new): f.count for f in people.flows} == {
        ("emerging", "warm"): 1,
        ("none", "emerging"): 2,
        ("none", "none"): 2,
    }


def test_each_signal_says_whom_it_moved_by_how_many_points(counted: PlaybookDiff) -> None:
    # bob loses 10 and ana gains 10, so the sum is 0 although two people are concerned.
    assert [(e.signal, e.entities, e.points, e.moved) for e in counted.people.effects] == [("pricing_views", 2, 0, 1)]
    assert [(e.signal, e.entities) for e in counted.accounts.effects] == []
    assert counted.accounts.moved == 0


def test_the_settings_that_differ_are_told(counted: PlaybookDiff) -> None:
    told = {s.key: (s.old, s.new) for s in counted.settings}
    assert told["signals.person.pricing_views.points.>=3"] == (20, 30)
    assert told["signals.person.pricing_views.points.>=1"] == (10, None)
    assert told["signals.person.limit_reached.points.>=2"] == (None, 40)
    assert told["language"] == ("en", "zh")
    assert told["bands.hot"] == ({"name": "hot", "at_least": 80}, None)
    assert told["bands.emerging.at_least"] == (30, 20)
    assert told["signals.person.rising_usage"][1] is None
    # A band that is gone takes along the trigger of the template that reads it.
    assert told["handoffs.triggers.became_hot"][1] is None
    assert len(told) == 9, sorted(told)


def test_a_tier_bound_moves_accounts_without_any_line(hand: Path) -> None:
    text = "".join(
        f"  - {{tier: {n}, name: {name}, active_people: {people}, score_at_least: {at}, pqa: {pqa}, action: x}}\n"
        for n, name, people, at, pqa in ((2, "team", 2, 50, "true"), (3, "pair", 2, 41, "false"))
    )
    found = diff(hand, TEMPLATE, playbook(f"tiers:\n{text}  - {{tier: 4, name: individual, action: x}}\n"))
    told = {m.id: (m.old, m.new, m.new_qualified, m.lines) for m in found.accounts.movers}
    assert told == {
        "workspace:w": ("3 smb", "2 team", True, ()),
        "workspace:x": ("3 smb", "4 individual", False, ()),
    }
    assert (found.accounts.entering, found.accounts.leaving) == (1, 0)
    assert {v.name: (v.old, v.new) for v in found.accounts.volumes} == {
        "1 enterprise": (0, 0),
        "2 mid_market": (0, 0),
        "3 smb": (2, 0),
        "4 individual": (1, 2),
        "2 team": (0, 1),
        "3 pair": (0, 0),
    }


def test_a_segment_bound_moves_accounts_too(hand: Path) -> None:
    text = "segments:\n  - {name: tiny, employees: 1, sells: false}\n  - {name: team, employees: 2, sells: true}\n"
    found = diff(hand, TEMPLATE, playbook(text)).accounts
    assert {(m.id, m.old_segment, m.new_segment) for m in found.movers} == {
        ("workspace:w", "smb", "team"),
        ("workspace:x", "smb", "team"),
        ("workspace:y", "smb", "tiny"),
    }
    assert {v.name: (v.old, v.new) for v in found.segments} == {
        "enterprise": (0, 0),
        "mid_market": (0, 0),
        "smb": (3, 0),
        "team": (0, 2),
        "tiny": (0, 1),
    }


def test_limit_cuts_the_records_and_not_the_counts(hand: Path) -> None:
    found = diff(hand, TEMPLATE, playbook(CHANGED), limit=1).people
    assert (found.moved, len(found.movers)) == (3, 1)
    assert found.movers[0].id == "ana"


def test_attributes_are_said_to_work_at_load_only(hand: Path) -> None:
    found = diff(hand, TEMPLATE, playbook("attributes: {people: {title: job_title}}"))
    assert found.people.moved == 0
    assert "load" in found.notes[0]


# --- simulated companies, against the oracle -------------------------------------------------

END = date(2026, 9, 1)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A project, and the files it was loaded from."""
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder / "data", accounts=90, days=60, seed=3, end=END)
    events_as_csv(folder / "data")
    return as_project(folder / "project", folder / "data", END), folder / "data"


@pytest.fixture(scope="module")
def letters(company: tuple[Path, Path]) -> PlaybookDiff:
    return diff(company[0], TEMPLATE, playbook(LETTER))


@pytest.fixture(scope="module")
def mirrored(company: tuple[Path, Path]) -> PlaybookDiff:
    return diff(company[0], playbook(LETTER), TEMPLATE)


def test_movers_are_those_whose_labels_differ_between_two_runs_of_the_oracle(
    company: tuple[Path, Path], letters: PlaybookDiff
) -> None:
    old, new = score(company[1], END), score(company[1], END, **LETTER_ORACLE)
    people = [{(r["person_id"], r["account_id"]): r for r in side.people} for side in (old, new)]
    wanted = {key: (people[0][key]["band"], people[1][key]["band"]) for key in people[0]}
    moved = {(m.id, m.account_id): (m.old, m.new) for m in letters.people.movers}
    assert moved == {key: bands for key, bands in wanted.items() if bands[0] != bands[1]}
    accounts = [{r["account_id"]: r for r in side.accounts} for side in (old, new)]
    tiers = {key: tuple(side[key]["tier"] for side in accounts) for key in accounts[0]}
    found = {m.id: tuple(int(str(label).split()[0]) for label in (m.old, m.new)) for m in letters.accounts.movers}
    assert found == {key: pair for key, pair in tiers.items() if pair[0] != pair[1]}
    assert len(moved) > 3
    assert len(found) > 0


def test_points_of_lines_and_totals_are_the_oracles(company: tuple[Path, Path], letters: PlaybookDiff) -> None:
    old, new = score(company[1], END), score(company[1], END, **LETTER_ORACLE)
    rows = {r["account_id"]: r for r in old.accounts}, {r["account_id"]: r for r in new.accounts}
    effect = next(e for e in letters.accounts.effects if e.signal == "volume")
    # Blind under the template, so the oracle has no points there.
    changes = [(after["volume"] or 0) - (rows[0][key]["volume"] or 0) for key, after in rows[1].items()]
    assert (effect.entities, effect.points) == (sum(c != 0 for c in changes), sum(changes))
    for mover in letters.accounts.movers:
        line = next((line for line in mover.lines if line.signal == "people"), None)
        points = tuple(side[mover.id]["people_points"] for side in rows)
        assert points == ((line.old, line.new) if line else (points[0], points[0]))


@pytest.mark.parametrize("kind", ["people", "accounts"])
def test_differences_of_the_lines_add_up_to_that_of_the_score(letters: PlaybookDiff, kind: str) -> None:
    shift: Shift = getattr(letters, kind)
    assert shift.movers
    for mover in shift.movers:
        change = (mover.new_score or 0) - (mover.old_score or 0)
        assert sum(line.new - line.old for line in mover.lines) == change, mover


@pytest.mark.parametrize("kind", ["people", "accounts"])
def test_volumes_add_up(letters: PlaybookDiff, kind: str) -> None:
    shift: Shift = getattr(letters, kind)
    assert sum(v.old for v in shift.volumes) == shift.old == sum(f.count for f in shift.flows if f.old is not None)
    assert sum(v.new for v in shift.volumes) == shift.new == sum(f.count for f in shift.flows if f.new is not None)
    assert shift.new_qualified - shift.old_qualified == shift.entering - shift.leaving
    assert shift.moved == len(shift.movers)


@pytest.mark.parametrize("kind", ["people", "accounts"])
def test_the_mirrored_comparison_says_the_opposite(letters: PlaybookDiff, mirrored: PlaybookDiff, kind: str) -> None:
    one, other = getattr(letters, kind), getattr(mirrored, kind)
    assert {(v.name, v.old, v.new) for v in one.volumes} == {(v.name, v.new, v.old) for v in other.volumes}
    assert {(f.old, f.new, f.count) for f in one.flows} == {(f.new, f.old, f.count) for f in other.flows}
    assert {(e.signal, e.entities, e.points, e.moved) for e in one.effects} == {
        (e.signal, e.entities, -e.points, e.moved) for e in other.effects
    }
    assert (one.entering, one.leaving, one.rescored) == (other.leaving, other.entering, other.rescored)
    there = {m.id: {(line.signal, line.old, line.new) for line in m.lines} for m in one.movers}
    back = {m.id: {(line.signal, line.new, line.old) for line in m.lines} for m in other.movers}
    assert there == back


def test_mirrored_settings_are_swapped(letters: PlaybookDiff, mirrored: PlaybookDiff) -> None:
    assert {(s.key, str(s.old), str(s.new)) for s in letters.settings} == {
        (s.key, str(s.new), str(s.old)) for s in mirrored.settings
    }


@pytest.mark.parametrize("text", ["", LETTER], ids=["as shipped", "the letter"])
def test_a_playbook_against_itself_changes_nothing(company: tuple[Path, Path], text: str) -> None:
    found = diff(company[0], playbook(text), playbook(text))
    assert found.settings == ()
    for shift in (found.people, found.accounts):
        assert (shift.moved, shift.rescored, shift.entering, shift.leaving, shift.effects) == (0, 0, 0, 0, ())
        assert all(v.old == v.new for v in shift.volumes)
        assert shift.old > 0


# --- what is stored, and what is read of it --------------------------------------------------


def test_the_project_keeps_every_byte(company: tuple[Path, Path]) -> None:
    project = company[0]
    before = digest(project)
    with open_project(project, read_only=True) as opened:
        diff_playbooks(opened, TEMPLATE, playbook(LETTER), as_of=END - timedelta(days=9), now=NOW)
    assert digest(project) == before
    with open_project(project) as opened:
        kept = [opened.warehouse.rows(opened.warehouse.table("snapshots"))["as_of"].to_pylist()]
        assert kept == [[END]]
        assert is_current(opened, END)


def test_exports_are_the_same_before_and_after(company: tuple[Path, Path]) -> None:
    exported = []
    for _ in range(2):
        with open_project(company[0]) as opened:
            ensure_scored(opened, None, NOW)
            exported.append(export_bytes(opened))
        diff(company[0], playbook(LETTER), playbook("signals: {person: {invites: off}}"))
    assert exported[0] == exported[1]


def test_stored_roll_ups_are_read_when_they_hold_what_is_needed(company: tuple[Path, Path]) -> None:
    fewer = playbook("signals: {person: {invites: off, pricing_views: {points: {'>=2': 30}}}}")
    assert "create person_days" not in steps(company[0], TEMPLATE, fewer)
    assert steps(company[0], TEMPLATE, playbook(LETTER)).count("create person_days") == 1


def test_of_two_playbooks_that_both_need_more_one_set_of_roll_ups_is_made(company: tuple[Path, Path]) -> None:
    one = playbook(LETTER)
    other = playbook("signals: {person: {pricing_views: {measure: {kind: sum, role: export, property: rows}}}}")
    assert steps(company[0], one, other).count("create person_days") == 1
    both = diff(company[0], one, other)
    apart = diff(company[0], one, TEMPLATE), diff(company[0], TEMPLATE, other)
    assert {(v.name, v.old) for v in both.people.volumes} == {(v.name, v.old) for v in apart[0].people.volumes}
    assert {(v.name, v.new) for v in both.people.volumes} == {(v.name, v.new) for v in apart[1].people.volumes}


def test_a_role_that_means_something_else_has_roll_ups_of_its_own(hand: Path) -> None:
    found = diff(hand, TEMPLATE, playbook("roles: {limit_reached: [export]}"))
    assert [(m.id, m.old_score, m.new_score) for m in found.people.movers] == []
    assert [(e.signal, e.entities, e.points) for e in found.people.effects] == [("limit_reached", 1, 20)]


def test_people_can_join_another_account(tmp_path: Path) -> None:
    """Addresses of a host that becomes a free-mail host place nobody any more."""
    data = {
        "events": [ev("limit_reached", DAY, "ann", ""), ev("limit_reached", DAY, "ben", "")],
        "people": [{"person_id": p, "email": f"{p}@club-mail.com"} for p in ("ann", "ben")],
    }
    project = as_project(tmp_path / "project", write(tmp_path / "data", data), T)
    found = diff(project, TEMPLATE, playbook("domains: {free_mail: [club-mail.com]}"))
    assert {(m.id, m.old, m.new, m.old_score, m.new_score) for m in found.accounts.movers} == {
        ("domain:club-mail.com", "3 smb", None, 40, None),
        ("person:ann", None, "4 individual", None, 20),
        ("person:ben", None, "4 individual", None, 20),
    }
    assert (found.accounts.old, found.accounts.new) == (1, 2)
    assert {(m.account_id, m.old, m.new) for m in found.people.movers} == {
        ("domain:club-mail.com", "none", None),
        ("person:ann", None, "none"),
        ("person:ben", None, "none"),
    }
    for mover in (*found.accounts.movers, *found.people.movers):
        assert sum(li.new - li.old for li in mover.lines) == (mover.new_score or 0) - (mover.old_score or 0)


def test_events_not_rolled_up_yet_count_and_stay_to_be_rolled_up(tmp_path: Path) -> None:
    project = as_project(tmp_path / "project", write(tmp_path / "data", HAND), T)
    late = {"events": [{**ev("limit_reached", DAY, "bob", "w"), "event_id": "late"}]}
    with open_project(project) as opened:
        load(opened, [write(tmp_path / "more", late)])
    before = digest(project)
    found = diff(
        project, TEMPLATE, playbook("bands: [{name: warm, at_least: 30}, {name: none}]\nselling_bands: [warm]")
    )
    assert {(m.id, m.old_score) for m in found.people.movers if m.old == "emerging"} == {("ana", 40), ("bob", 30)}
    assert digest(project) == before
    with open_project(project) as opened:
        assert opened.warehouse.count(opened.warehouse.table("dirty_days")) == 1
        assert scored_as_of(opened) == T
        assert read_fact(opened.warehouse, "rollup_plan") == plan_rollups(TEMPLATE.playbook).content_hash


def test_both_sides_are_scored_as_a_project_would_score_them(company: tuple[Path, Path], letters: PlaybookDiff) -> None:
    with memory_project(LETTER, threads=2) as project:
        load_folder(project, company[1])
        found = scores(project, END)
    counts: dict[str, int] = {}
    for row in found.people.values():
        counts[row["band"]] = counts.get(row["band"], 0) + 1
    assert {v.name: v.new for v in letters.people.volumes} == counts


# --- plans and settings ----------------------------------------------------------------------


def test_a_plan_covers_less_and_itself_and_nothing_that_means_otherwise() -> None:
    whole = plan_rollups(TEMPLATE.playbook)
    fewer = plan_rollups(playbook("signals: {person: {invites: off}}").playbook)
    other = plan_rollups(playbook("roles: {limit_reached: [wall_hit]}").playbook)
    passive = plan_rollups(playbook("passive_events: [ping]").playbook)
    assert whole.covers(whole)
    assert whole.covers(fewer)
    assert not fewer.covers(whole)
    assert whole.joined(fewer) == whole == fewer.joined(whole)
    assert whole.joined(other) is None
    assert whole.joined(passive) is None


def test_settings_name_patterns_as_people_write_them() -> None:
    new = playbook("roles: {export: [saved, {event: sent, where: {as: pdf}}]}")
    (found,) = settings_changed(TEMPLATE.playbook, new.playbook)
    assert (found.key, found.old) == ("roles.export", [])
    assert found.new == ["saved", {"event": "sent", "where": {"as": ["pdf"]}}]
