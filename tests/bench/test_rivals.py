"""The rivals of the benchmark answer the same question: their rows are equal to those of plain DuckDB."""

from datetime import date
from pathlib import Path

import pytest

from benchmarks.company import CSV_FILES, parts_of
from benchmarks.rivals.rival import COLUMNS, RIVALS, Place, differing_rows, installed, opening
from handraise.service.folder import create_project
from handraise.service.project import load, open_project
from handraise.simulate import simulate

END = date(2026, 9, 1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("rivals")
    simulate(folder, accounts=60, days=50, seed=5, end=END)
    parts = parts_of(folder / "events.parquet", folder / "parts", end=END, days=50, held_back=2)
    create_project(folder / "project")
    with open_project(folder / "project") as project:
        load(project, [*(folder / name for name in CSV_FILES), *(part.loaded for part in parts)])
        assert project.warehouse.count(project.warehouse.table("events")) == sum(part.events for part in parts)
    warehouse = folder / "project" / ".handraise" / "warehouse.duckdb"
    return Place(parquet=tuple(part.once for part in parts), warehouse=warehouse, scratch=folder)


def answer(name: str, place: Place, as_of: date) -> Path:
    path = place.scratch / f"{name}-{as_of}.parquet"
    with opening(name)(place) as rival:
        rival.ask(as_of)
        rival.write(path)
    return path


@pytest.mark.parametrize("name", [name for name in RIVALS if not name.startswith("DuckDB")])
@pytest.mark.parametrize("as_of", [END, date(2026, 8, 20)], ids=str)
def test_a_rival_says_what_duckdb_says(name: str, as_of: date, place: Place) -> None:
    if not installed(name):
        pytest.skip(f"{name} is not installed")
    assert differing_rows(answer(name, place, as_of), answer("DuckDB, one query", place, as_of)) == 0


def test_the_answer_has_something_in_every_column(place: Place) -> None:
    import duckdb

    path = answer("DuckDB, one query", place, END)
    counts = ", ".join(f"count(*) FILTER ({c} IS NOT NULL AND {c}::VARCHAR <> '0')" for c in COLUMNS)
    (row,) = duckdb.execute(f"SELECT {counts} FROM read_parquet('{path}')").fetchall()  # noqa: S608
    assert [c for c, count in zip(COLUMNS, row, strict=True) if not count] == []


def test_answers_of_different_days_differ(place: Place) -> None:
    one, other = (answer("DuckDB, one query", place, day) for day in (END, date(2026, 8, 20)))
    assert differing_rows(one, other) > 0
