"""A run that is killed at any moment leaves a project that the next run completes, as if nothing had happened."""

import csv
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handraise.faces.cli.app import app
from handraise.service import project as projects
from handraise.service.project import open_project
from handraise.simulate import simulate
from support import NOW, export_bytes

HANDRAISE = Path(sys.executable).with_name("handraise")
END = date(2026, 9, 1)
DAYS = "2026-08-18..2026-09-01/14"
# Shares of an undisturbed run at which it is killed; the first quarter is Python reading its libraries.
MOMENTS = (0.4, 0.65, 0.8, 0.93)
BAD_ROWS = 7


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    simulate(folder, accounts=30, days=45, seed=4, end=END)
    with (folder / "events-bad.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [("", "p", "open", "2026-08-01")] * BAD_ROWS + [("fine", "p", "open", "2026-08-01")]
        csv.writer(file).writerows([("event_id", "person_id", "name", "timestamp"), *rows])
    return folder


def done(*arguments: object) -> None:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output


def start(*arguments: object) -> subprocess.Popen[bytes]:
    command = [str(HANDRAISE), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603


def killed_at(share: float, whole: float, *arguments: object) -> bool:
    """Kill a run after this share of the time it would take; whether it was still running then."""
    process = start(*arguments)
    time.sleep(share * whole)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def seconds(*arguments: object) -> float:
    started = time.monotonic()
    assert start(*arguments).wait(timeout=300) == 0
    return time.monotonic() - started


def rows_of(project: Path) -> dict[str, int]:
    with open_project(project) as opened:
        tables = ("events", "people", "accounts", "quarantine", "person_history", "account_history", "snapshots")
        return {name: opened.warehouse.count(opened.warehouse.table(name)) for name in tables}


def exports(project: Path) -> dict[date, dict[str, bytes]]:
    found = {}
    with open_project(project) as opened:
        for day in (date(2026, 8, 18), END):
            projects.ensure_scored(opened, day, NOW)
            found[day] = export_bytes(opened)
    return found


def test_killed_runs_leave_what_the_next_run_completes(data: Path, tmp_path: Path) -> None:
    calm, shaken = tmp_path / "calm", tmp_path / "shaken"
    for project in (calm, shaken):
        done("init", project)
    load = ("load", data, "--project")
    refresh = ("refresh", "--as-of", DAYS, "--project")
    loading, scoring = seconds(*load, calm), seconds(*refresh, calm)

    hits = [killed_at(share, loading, *load, shaken) for share in MOMENTS]
    done(*load, shaken)
    loaded = {name: count for name, count in rows_of(shaken).items() if "history" not in name and name != "snapshots"}
    assert loaded == {name: rows_of(calm)[name] for name in loaded}
    assert loaded["quarantine"] == BAD_ROWS
    assert loaded["events"] > 2_000

    hits += [killed_at(share, scoring, *refresh, shaken) for share in MOMENTS]
    done(*refresh, shaken)
    assert rows_of(shaken) == rows_of(calm)
    assert exports(shaken) == exports(calm)
    assert sum(hits) >= len(MOMENTS), "most of the kills have to hit a run that is still going on"
