"""The benchmark's baseline is worth its name: hand-written SQL gives the scores that handraise gives."""

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from benchmarks.analyst.score import PLAYBOOK, differences, score
from handraise.service.project import Project
from handraise.service.refresh import score_as_of
from handraise.simulate import simulate
from path.messy import tables_of
from support import T, Tables, load_folder, memory_project, write

END = date(2026, 9, 1)


def disagreements(project: Project, as_of: date) -> dict[str, int]:
    score_as_of(project.warehouse, project.loaded, [as_of])
    score(project.warehouse, as_of)
    return differences(project, "people") | differences(project, "accounts")


def messy(seed: int, events: int) -> Tables:
    """A messy company whose ids stand for nobody else: the analyst follows no aliases."""
    tables = tables_of(random.Random(seed), events)
    del tables["aliases"]
    return tables


def counted(project: Project, sql: str) -> int:
    ((count,),) = project.warehouse.connection.execute(sql).fetchall()
    return int(count)


def test_the_analysts_sql_gives_the_same_scores_on_a_simulated_company(tmp_path: Path) -> None:
    simulate(tmp_path, accounts=120, days=75, seed=11, end=END)
    with memory_project(PLAYBOOK.read_text(encoding="utf-8"), threads=2) as project:
        load_folder(project, tmp_path)
        for as_of in (END, END - timedelta(days=20)):
            assert disagreements(project, as_of) == {}
        assert counted(project, "SELECT count(*) FROM analyst_people WHERE score <> 0") > 100
        assert counted(project, "SELECT count(DISTINCT tier) FROM analyst_accounts") == 4


@pytest.mark.parametrize("seed", range(3))
def test_the_analysts_sql_gives_the_same_scores_on_a_messy_company(seed: int, tmp_path: Path) -> None:
    with memory_project(PLAYBOOK.read_text(encoding="utf-8")) as project:
        load_folder(project, write(tmp_path, messy(seed, 400)))
        assert disagreements(project, T) == {}


def test_a_difference_is_counted_by_column(tmp_path: Path) -> None:
    with memory_project(PLAYBOOK.read_text(encoding="utf-8")) as project:
        load_folder(project, write(tmp_path, messy(1, 60)))
        assert disagreements(project, T) == {}
        project.warehouse.connection.execute("UPDATE analyst_people SET inactive = inactive - 1, score = score - 1")
        people = counted(project, "SELECT count(*) FROM analyst_people")
        assert differences(project, "people") == {"inactive": people, "score": people}
        project.warehouse.connection.execute("DELETE FROM analyst_accounts")
        assert differences(project, "accounts") == {"missing there": counted(project, "SELECT count(*) FROM exported")}
