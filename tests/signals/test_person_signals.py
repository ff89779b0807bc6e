"""Each person signal at the borders of its rule, against points written by hand and against the oracle.

All cases live in one company and are scored in one pass; `Case` keeps them apart.
"""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from signals.person_cases import CASES, TOMORROW, YESTERDAY
from support import (
    DAY,
    HOUR,
    Scores,
    T,
    company_of,
    differences,
    ev,
    load_folder,
    memory_project,
    own_id,
    scores,
    write,
)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scores]:
    folder = write(tmp_path_factory.mktemp("cases"), company_of(CASES))
    with memory_project("industries: [logistics]") as project:
        assert not [count for count in load_folder(project, folder) if count.quarantined]
        return folder, scores(project, YESTERDAY, T, TOMORROW)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{c.signal}: {c.title}" for c in CASES])
def test_person_signal(company: tuple[Path, Scores], number: int) -> None:
    case, found = CASES[number], company[1]
    person, account = own_id(number, case.person), own_id(number, case.account)
    assert found.person(person, account, case.as_of)[case.signal] == case.points
    if case.value is not None and case.points:
        assert found.value("person", person, account, case.signal, case.as_of) == pytest.approx(case.value, abs=1e-9)


@pytest.mark.parametrize("as_of", [YESTERDAY, T, TOMORROW], ids=str)
def test_the_oracle_agrees_on_every_case(company: tuple[Path, Scores], as_of: date) -> None:
    folder, found = company
    assert differences(found, folder, as_of, industries=frozenset({"logistics"})) == []


def test_every_person_signal_has_cases(company: tuple[Path, Scores]) -> None:
    signals = list(next(iter(company[1].people.values())))[6:]
    assert len(signals) == 22
    assert {case.signal for case in CASES} == set(signals)


@pytest.mark.parametrize(("minutes", "points"), [(-1, 0), (0, 25), (1, 25)])
def test_a_live_score_calls_an_upgrade_abandoned_only_once_its_24_hours_have_really_passed(
    minutes: int, points: int, tmp_path: Path
) -> None:
    """As of the end of today, an upgrade that was started yesterday evening may still be completed."""
    started = ev("upgrade_started", 28 * HOUR)
    now = datetime.fromisoformat(started["timestamp"]) + DAY + timedelta(minutes=minutes)
    with memory_project() as project:
        load_folder(project, write(tmp_path, {"events": [started]}))
        assert scores(project, T, now=now).person("p", "workspace:w")["upgrade_abandoned"] == points
        assert scores(project, T).person("p", "workspace:w")["upgrade_abandoned"] == 25
