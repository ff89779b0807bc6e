"""The machine fails: no room, no right, somebody else at work, somebody who stops it. The next run makes it good."""

import csv
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from handraise.service.project import open_project
from handraise.simulate import simulate
from hostile.attack import NASTY
from support import export_bytes

COMMAND = (sys.executable, "-c", "from handraise.faces.cli.app import main; main()")
END = date(2026, 9, 1)
NOBODY = 65_534
Done = subprocess.CompletedProcess[str]


def run(*arguments: object, room: int | None = None, before: tuple[str, ...] = ()) -> Done:
    """Run a command, perhaps where no file may grow beyond `room` bytes; it may be refused, never break."""

    def limit() -> None:
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    command = [*before, *COMMAND, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit, timeout=300, check=False)  # noqa: S603
    assert "Traceback" not in done.stderr
    assert done.returncode in {0, 1, 2}
    if done.returncode == 1:
        assert "handraise: " in done.stderr
    return done


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603
        [*COMMAND, *map(str, arguments)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    simulate(folder, accounts=30, days=45, seed=4, end=END)
    with (folder / "events-bad.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("event_id", "person_id", "name", "timestamp"), *[("", "p", "x", "2026-08-01")] * 5]
        )
    return folder


@pytest.fixture(scope="module")
def calm(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run exports."""
    project = tmp_path_factory.mktemp("calm")
    run("init", project)
    run("load", data, "--project", project)
    return exports(project)


def exports(project: Path) -> dict[str, bytes]:
    assert run("refresh", "--as-of", END, "--project", project).returncode == 0
    with open_project(project) as opened:
        from handraise.service.project import show_kept

        show_kept(opened)
        assert opened.warehouse.count(opened.warehouse.table("quarantine")) == 5
        return export_bytes(opened)


def test_a_full_disk_is_said_and_the_next_run_makes_it_good(data: Path, calm: dict[str, bytes], tmp_path: Path) -> None:
    project = tmp_path / "p"
    assert run("init", project, room=100).returncode == 1
    assert not (project / "handraise.yaml").exists()
    run("init", project)
    for room in (5_000, 20_000, 60_000):
        done = run("load", data, "--project", project, room=room)
        assert done.returncode == 1
        assert "no room" in done.stderr or "disk is not full" in done.stderr
    assert run("load", data, "--project", project).returncode == 0
    assert run("refresh", "--as-of", END, "--project", project, room=20_000).returncode == 1
    assert exports(project) == calm
    out, report = tmp_path / "people.csv", tmp_path / "report.html"
    assert run("export", "people", "--out", out, "--project", project, room=2_000).returncode == 1
    assert run("report", "--out", report, "--project", project, room=2_000).returncode == 1
    assert {file.name for file in tmp_path.iterdir()} == {"p"}


def test_kills_and_stops_at_any_moment_leave_what_the_next_run_completes(
    data: Path, calm: dict[str, bytes], tmp_path: Path
) -> None:
    project = tmp_path / "p"
    run("init", project)
    chance = random.Random(11)
    began = time.monotonic()
    assert run("load", data, "--project", project).returncode == 0
    whole = time.monotonic() - began
    shutil.rmtree(project / ".handraise")
    other = project / "other.yaml"
    other.write_text("rollup: {people: max}\n", encoding="utf-8")
    commands: list[tuple[object, ...]] = [
        ("load", data, "--project", project),
        ("refresh", "--as-of", END, "--project", project),
        ("playbook", "diff", project / "handraise.yaml", other, "--as-of", END, "--project", project),
    ]
    for command in commands:
        for way in (signal.SIGKILL, signal.SIGINT):
            process = start(*command)
            time.sleep(chance.uniform(0.4, 1.0) * whole)
            process.send_signal(way)
            _, said = process.communicate(timeout=300)
            assert way == signal.SIGKILL or "Traceback" not in said
            assert process.returncode in {0, 130, -signal.SIGKILL}
            if process.returncode == 130:
                assert "Stopped." in said
        assert run(*command).returncode == 0
    assert exports(project) == calm


def test_two_at_once_are_told_of_each_other_and_lose_nothing(
    data: Path, calm: dict[str, bytes], tmp_path: Path
) -> None:
    project = tmp_path / "p"
    run("init", project)
    together = [start("load", data, "--project", project) for _ in range(3)]
    said = [(process.communicate(timeout=300)[1], process.returncode) for process in together]
    assert {code for _, code in said} == {0, 1}
    assert all("another process has the project's data open" in text for text, code in said if code)
    others = [
        start("refresh", "--project", project),
        start("export", "people", "--out", tmp_path / "x.csv", "--project", project),
    ]
    assert all("Traceback" not in process.communicate(timeout=300)[1] for process in others)
    assert exports(project) == calm


def as_nobody() -> tuple[str, ...]:
    """How to run as somebody without rights; who runs the tests as themselves has none to lose."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("tests run as root, and there is no setpriv to give the rights away")
    return (setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")


def test_what_may_not_be_read_or_written_is_said(data: Path, tmp_path: Path) -> None:
    before = as_nobody()
    project, files = tmp_path / "p", tmp_path / "files"
    shutil.copytree(data, files)
    run("init", project)
    for folder in (tmp_path, *list(tmp_path.parents)[:-2]):
        if folder.stat().st_uid == os.geteuid() and str(folder) != "/tmp":  # noqa: S108
            folder.chmod(0o755)
    if subprocess.run([*before, *COMMAND, "--version"], capture_output=True, check=False).returncode:  # noqa: S603
        pytest.skip("somebody without rights cannot even start Python here")
    (project / ".handraise").mkdir(exist_ok=True)
    locked = [
        project / ".handraise",
        project,
        files / "events.parquet",
        files,
    ]
    for path in locked:
        mode = path.stat().st_mode
        path.chmod(0o555 if path == project / ".handraise" else 0)
        done = run("load", files, "--project", project, before=before)
        path.chmod(mode)
        # What is named on the command line and may not be read is wrong usage: 2.
        assert done.returncode in {1, 2}, path
        assert done.stderr.strip()


def test_hostile_names_stay_text_in_exports_and_the_report(tmp_path: Path) -> None:
    names = [value for value in NASTY if isinstance(value, str) and value.strip() and value not in {"\ud800", "\0"}]
    files, project = tmp_path / "files", tmp_path / "p"
    files.mkdir()
    run("init", project)
    tables = {
        "events.csv": [("event_id", "person_id", "name", "timestamp", "workspace_id"),
                       *[(f"{n}", name, "limit_reached", "2026-08-30", name) for n, name in enumerate(names)]],
        "people.csv": [("person_id", "name", "title"), *[(name, name, name) for name in names]],
        "accounts.csv": [("account_id", "name"), *[(f"workspace:{name}", name) for name in names]],
    }  # fmt: skip
    for name, rows in tables.items():
        with (files / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    assert run("load", files, "--project", project).returncode == 0
    for command in (["refresh"], ["doctor"], ["accounts"], ["people"], ["quarantine"]):
        assert run(*command, "--project", project).returncode == 0
    assert run("explain", names[0], "--project", project).returncode == 0
    out, page = tmp_path / "people.csv", tmp_path / "report.html"
    assert run("export", "people", "--out", out, "--project", project).returncode == 0
    with out.open(newline="", encoding="utf-8") as file:
        assert {row["person_id"] for row in csv.DictReader(file)} == set(names)
    assert run("report", "--out", page, "--project", project).returncode == 0
    text = page.read_text(encoding="utf-8")
    assert "<script>alert(1)</script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
