"""Scoring only the accounts that a few people touch leaves the same stored scores as scoring everybody."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from handraise.service.project import Project, ensure_scored, refresh
from handraise.service.rescore import rescore
from handraise.simulate import simulate
from support import export_bytes, load_folder, memory_project, write

END = date(2026, 9, 1)
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
HELD_BACK = 40  # people of whom the last days come later


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """A simulated company in two parts, and the people whom the second part is about."""
    whole, later = tmp_path_factory.mktemp("company"), tmp_path_factory.mktemp("later")
    simulate(whole, accounts=60, days=60, seed=11, end=END)
    events, source = whole / "events.parquet", f"'{whole / 'all.parquet'}'"
    events.rename(whole / "all.parquet")
    ids = "SELECT DISTINCT coalesce(person_id, anonymous_id) AS id"
    late_ids = f"{ids} FROM {source} WHERE timestamp >= '2026-08-30' ORDER BY hash(id) LIMIT {HELD_BACK}"
    people = [row[0] for row in duckdb.sql(late_ids).fetchall()]
    listed = ", ".join(f"'{person}'" for person in people)
    late = f"timestamp >= '2026-08-30' AND coalesce(person_id, anonymous_id) IN ({listed})"
    duckdb.sql(f"COPY (FROM {source} WHERE NOT ({late})) TO '{events}' (FORMAT parquet)")
    duckdb.sql(f"COPY (FROM {source} WHERE {late}) TO '{later / 'events.parquet'}' (FORMAT parquet)")
    (whole / "all.parquet").unlink()
    ties = duckdb.sql(f"SELECT DISTINCT person_id FROM '{later / 'events.parquet'}' WHERE person_id IS NOT NULL")  # noqa: S608
    return whole, later, sorted({*people, *(row[0] for row in ties.fetchall())})


@pytest.fixture
def project(company: tuple[Path, Path, list[str]]) -> Iterator[Project]:
    with memory_project(threads=2) as opened:
        load_folder(opened, company[0])
        refresh(opened, [END], now=NOW)
        yield opened


def _stored(project: Project) -> dict[str, bytes]:
    ensure_scored(project, END, NOW)
    return export_bytes(project)


def _fresh(*folders: Path) -> dict[str, bytes]:
    with memory_project(threads=2) as opened:
        for folder in folders:
            load_folder(opened, folder)
        refresh(opened, [END], now=NOW)
        return _stored(opened)


def test_a_few_peoples_last_days(project: Project, company: tuple[Path, Path, list[str]]) -> None:
    first, later, people = company
    before = _stored(project)
    load_folder(project, later)
    done = rescore(project, people, now=NOW)
    assert not done.everybody
    assert done.people > 0
    after = _stored(project)
    assert after == _fresh(first, later)
    assert after["people"] != before["people"]


def test_history_notices_what_was_scored_again(project: Project, company: tuple[Path, Path, list[str]]) -> None:
    """The next whole refresh writes the day anew, also where the stored scores had it already."""
    _, later, people = company
    load_folder(project, later)
    rescore(project, people, now=NOW)
    refresh(project, [END], now=NOW)
    kept = project.warehouse.table("person_history")
    with memory_project(threads=2) as other:
        load_folder(other, company[0], later)
        refresh(other, [END], now=NOW)
        wanted = other.warehouse.rows(other.warehouse.table("person_history").order_by("person_id", "account_id"))
    assert project.warehouse.rows(kept.order_by("person_id", "account_id")).equals(wanted)


def test_a_workspace_that_moves_to_another_company(
    project: Project, company: tuple[Path, Path, list[str]], tmp_path: Path
) -> None:
    """Newcomers of another domain outnumber the team: the workspace, and everybody in it, changes accounts."""
    crowd = [f"newcomer-{n}" for n in range(9)]
    mapped = project.warehouse.table("workspace_accounts")
    by_domain = mapped.filter((mapped.rule == "domain") & (mapped.people < 5)).order_by("workspace_id").limit(1)
    space = project.warehouse.rows(by_domain)["workspace_id"].to_pylist()[0]
    tables = {
        "people": [{"person_id": who, "email": f"{who}@elsewhere-company.com"} for who in crowd],
        "events": [
            {
                "event_id": f"x-{who}",
                "person_id": who,
                "name": "open",
                "workspace_id": space,
                "timestamp": "2026-08-31T10:00:00Z",
            }
            for who in crowd
        ],
    }
    folder = write(tmp_path / "crowd", tables)
    load_folder(project, folder)
    rescore(project, crowd, now=NOW)
    assert _stored(project) == _fresh(company[0], folder)
    moved = project.warehouse.table("kept_workspace_accounts")
    account = project.warehouse.rows(moved.filter(moved.workspace_id == space))["account_id"].to_pylist()
    assert account == ["domain:elsewhere-company.com"]
