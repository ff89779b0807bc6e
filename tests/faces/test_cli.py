"""The command line as a user runs it: answers, refusals, exit statuses, files."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from handraise.faces.cli.app import app
from handraise.service.ownership import Owner, claim
from handraise.service.project import open_project
from support import DAY, T, ev, write

HANDRAISE = Path(sys.executable).with_name("handraise")
DATA = {
    "events": [
        *(ev("limit_reached", n * DAY, f"p{n % 3}", "w") for n in range(1, 12)),
        ev("enterprise_request", 3 * DAY, "p0", "w"),
        ev("pricing_view", 9 * DAY, None, "", anonymous_id="visitor-1"),
        ev("open", 2 * DAY, "p1", "w", anonymous_id="visitor-1"),
        ev("open", 5 * DAY, "loner", ""),
    ],
    "people": [{"person_id": f"p{n}", "email": f"p{n}@acme.com", "name": f"Person {n}", "title": "CEO" if n == 0 else ""}
               for n in range(3)],
    "accounts": [{"account_id": "acme", "name": "Acme", "domain": "acme.com", "employees": 600, "icp": "true"}],
}  # fmt: skip


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def program(*arguments: object, **more: Any) -> subprocess.CompletedProcess[str]:
    """The installed command, as a process of its own."""
    command = [str(HANDRAISE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **more)  # noqa: S603


def answer(*arguments: object) -> Any:
    """What a command says with --json."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(*arguments: object, status: int = 1) -> str:
    result = run(*arguments)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project that was loaded and refreshed as a user does it."""
    place = tmp_path_factory.mktemp("cli") / "project"
    assert run("init", place).exit_code == 0
    data = write(place.parent / "data", DATA)
    assert run("load", data, "--project", place).exit_code == 0
    assert run("refresh", "--project", place).exit_code == 0
    yield place
    shutil.rmtree(place)


def test_init_writes_a_playbook_once(tmp_path: Path) -> None:
    assert run("init", tmp_path / "a" / "b").exit_code == 0
    assert (tmp_path / "a" / "b" / "handraise.yaml").is_file()
    assert "there is a playbook already" in refused("init", tmp_path / "a" / "b")
    assert run("playbook", "check", "--project", tmp_path / "a" / "b").exit_code == 0


def test_load_says_what_became_of_every_row_and_loads_nothing_twice(folder: Path) -> None:
    counts = {c["input"]: c for c in answer("load", folder.parent / "data", "--project", folder)}
    assert {name: (c["read"], c["loaded"], c["duplicate"]) for name, c in counts.items()} == {
        "events": (15, 0, 15), "people": (3, 0, 3), "accounts": (1, 0, 1)}  # fmt: skip


def test_refresh_says_what_was_scored(folder: Path) -> None:
    found = answer("refresh", "--project", folder)
    assert found["as_ofs"] == [str(T)], "the end of the day of the newest event"
    assert (found["people"], found["accounts"]) == (4, 2)
    assert "volume" in found["blind"]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026-10-20", ["2026-10-20"]),
        ("2026-10-20T00:00:00Z", ["2026-10-20"]),
        ("2026-10-20,2026-10-22", ["2026-10-20", "2026-10-22"]),
        ("2026-10-01..2026-10-15/7", ["2026-10-01", "2026-10-08", "2026-10-15"]),
        ("2026-10-27..2026-10-28", ["2026-10-27", "2026-10-28"]),
    ],
)
def test_lists_of_days(text: str, days: list[str], folder: Path) -> None:
    assert answer("refresh", "--as-of", text, "--project", folder)["as_ofs"] == days


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-10-20T12:00", "not on a day boundary"),
        ("2026-10-20T12:00", "use 2026-10-20 (before that day began) or 2026-10-21"),
        ("2026-10-20T00:00:00.5Z", "not on a day boundary"),
        ("20.10.2026", "Write it as 2026-10-28"),
        ("2026-02-30", "cannot read the day '2026-02-30'"),
        ("yesterday", "cannot read the day"),
        ("2026-10-20..2026-10-01", "empty or too long"),
        ("2000-01-01..2026-10-01", "At most 1000 days"),
        ("2026-10-01..2026-10-09/0", "empty or too long"),
        ("2150-01-01", "lies in the future"),
    ],
)
def test_a_day_that_is_none_is_refused_with_a_hint(text: str, said: str, folder: Path) -> None:
    commands = (
        ["refresh"] if ".." in text else ["refresh", "accounts", "people", "explain acme", "export people --out x.csv"]
    )
    for command in commands:
        assert said in refused(*command.split(), "--as-of", text, "--project", folder)


def test_the_end_of_today_can_be_scored_and_the_next_day_not(folder: Path) -> None:
    today = datetime.now(UTC).date()
    assert run("accounts", "--as-of", today + timedelta(days=1), "--project", folder).exit_code == 0
    assert str(today + timedelta(days=1)) in refused(
        "accounts", "--as-of", today + timedelta(days=2), "--project", folder
    )


def test_accounts_lists_scores_with_reasons(folder: Path) -> None:
    rows = answer("accounts", "--as-of", T, "--project", folder)
    assert [row["account_id"] for row in rows] == ["acme", "person:loner"]
    assert rows[0]["score"] == sum(line["points"] for line in rows[0]["receipt"])
    assert (rows[0]["segment"], rows[0]["active_people"]) == ("enterprise", 3)
    assert [
        row["account_id"] for row in answer("accounts", "--as-of", T, "--segment", "enterprise", "--project", folder)
    ] == ["acme"]
    plain = run("accounts", "--as-of", T, "--project", folder).stdout
    assert "Acme" in plain
    assert str(rows[0]["score"]) in plain


def test_people_lists_bands(folder: Path) -> None:
    rows = answer("people", "--as-of", T, "--project", folder)
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    assert {row["person_id"] for row in rows} == {"p0", "p1", "p2", "loner"}
    only = answer(
        "people", "--as-of", T, "--band", rows[0]["band"], "--account", "acme", "--limit", 1, "--project", folder
    )
    assert [row["person_id"] for row in only] == [rows[0]["person_id"]]
    assert "Nobody is like that" in run("people", "--as-of", T, "--account", "none", "--project", folder).stdout
    assert "there is no tier '99'" in refused("accounts", "--tier", 99, "--project", folder)
    pqls = answer("people", "--as-of", T, "--pql", "--project", folder)
    assert [row["person_id"] for row in pqls] == ["p0"], "a warm person who can buy"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("accounts --sort height", "there is no sort 'height'. next: Choose one of: tier, score"),
        ("accounts --segment huge", "there is no segment 'huge'"),
        ("people --band cold", "there is no band 'cold'"),
        ("explain acme --lang de", "there is no language 'de'"),
    ],
)
def test_a_choice_that_is_none_names_the_choices(command: str, said: str, folder: Path) -> None:
    assert said in refused(*command.split(), "--project", folder)


def test_explain_adds_up_and_says_what_changed(folder: Path) -> None:
    [found] = answer("explain", "p0", "--as-of", T, "--against", T - 5 * DAY, "--project", folder)
    assert found["score"] == sum(line["points"] or 0 for line in found["lines"])
    assert found["score"] - found["score_then"] == sum(c["now"] - c["then"] for c in found["changes"])
    assert {c["signal"] for c in found["changes"]} == {"enterprise_request"}
    assert {e["signal"] for e in found["evidence"]} == {"limit_reached", "enterprise_request"}
    [linked] = answer("explain", "p1", "--as-of", T, "--project", folder)
    assert [link["what"] for link in linked["links"]] == ["anonymous visitor-1"]
    [account] = answer("explain", "acme", "--as-of", T, "--project", folder)
    assert account["score"] == sum(line["points"] or 0 for line in account["lines"])
    assert "what would add points" in run("explain", "acme", "--as-of", T, "--project", folder).stdout.lower()


def test_an_unknown_id_names_the_nearest(folder: Path) -> None:
    assert "Did you mean acme?" in refused("explain", "acmee", "--as-of", T, "--project", folder)
    assert "list ids" in refused("explain", "zzzz", "--as-of", T, "--project", folder)


def test_exports_have_the_contracts_columns_and_are_sorted(folder: Path, tmp_path: Path) -> None:
    rows = {}
    for what in ("people", "accounts", "receipt"):
        out = tmp_path / f"{what}.csv"
        said = answer("export", what, "--out", out, "--as-of", T, "--project", folder)
        with out.open(encoding="utf-8", newline="") as file:
            rows[what] = list(csv.DictReader(file))
        assert said == {"file": str(out), "rows": len(rows[what])}
    assert list(rows["people"][0])[:6] == ["person_id", "account_id", "as_of", "score", "band", "behaviour_points"]
    assert list(rows["accounts"][0])[:9] == [
        "account_id", "as_of", "score", "tier", "segment", "is_pqa", "active_people", "people_points", "firmographic_points"]  # fmt: skip
    assert list(rows["receipt"][0]) == [
        "entity", "id", "account_id", "as_of", "signal", "category", "value", "points", "because"]  # fmt: skip
    assert [row["person_id"] for row in rows["people"]] == ["loner", "p0", "p1", "p2"]
    assert {row["volume"] for row in rows["accounts"]} == {""}, "blind is empty"
    for kind in ("parquet", "ndjson"):
        out = tmp_path / f"people.{kind}"
        assert answer("export", "people", "--out", out, "--as-of", T, "--project", folder)["rows"] == 4
        assert out.stat().st_size
    assert len((tmp_path / "people.ndjson").read_text().splitlines()) == 4


def test_an_export_that_cannot_be_written_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    assert "cannot write a .xlsx file" in refused("export", "people", "--out", tmp_path / "x.xlsx", "--project", folder)
    assert "cannot be written" in refused("export", "people", "--out", tmp_path / "gone" / "x.csv", "--project", folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        "export everything --out x.csv",
        "nonsense",
        "accounts --limit 0",
        "accounts --colour red",
        "load",
        "export people",
    ],
)
def test_wrong_usage_is_status_2(command: str, folder: Path) -> None:
    del folder
    refused(*command.split(), status=2)


def test_help_names_every_command() -> None:
    said = run("--help").stdout
    for command in ("demo", "init", "load", "refresh", "accounts", "people", "explain", "export", "report", "simulate",
                    "doctor", "playbook", "quarantine"):  # fmt: skip
        assert command in said
    assert run("--version").stdout.startswith("handraise ")


def test_commands_outside_a_project_say_so(tmp_path: Path) -> None:
    for command in ("accounts", "refresh", "doctor", "quarantine"):
        assert "not a handraise project" in refused(command, "--project", tmp_path)
    assert not list(tmp_path.iterdir()), "looking does not leave files"


def test_before_any_data_the_next_step_is_named(tmp_path: Path) -> None:
    run("init", tmp_path)
    assert "handraise load" in refused("refresh", "--project", tmp_path)
    assert "handraise load" in refused("accounts", "--project", tmp_path)
    found = {check["what"]: check["state"] for check in answer("doctor", "--project", tmp_path)}
    assert (found["input events"], found["scores"]) == ("problem", "problem")


def test_a_mistake_in_the_playbook_is_said_by_every_command(tmp_path: Path) -> None:
    (tmp_path / "handraise.yaml").write_text("signals:\n  person:\n    invites: {windw: 7}\n")
    for command in ("accounts", "refresh", "playbook check"):
        assert "handraise.yaml:3: the key 'signals.person.invites.windw'" in refused(
            *command.split(), "--project", tmp_path
        )


def test_a_playbook_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    said = refused("playbook", "check", "--project", tmp_path)
    assert "there is no such file" in said
    assert "handraise init" in said
    (tmp_path / "handraise.yaml").write_bytes(b"\xff")
    assert "(it is no UTF-8)" in refused("playbook", "check", "--project", tmp_path)


def test_quarantine_shows_the_rows_and_replays_them(tmp_path: Path) -> None:
    run("init", tmp_path)
    assert "Nothing is set aside" in run("quarantine", "--project", tmp_path).stdout
    bad = tmp_path / "events.csv"
    bad.write_text("event_id,person_id,name,timestamp\n1,p,open,2026-10-01\n2,p,[bold]open,never\n")
    loaded = run("load", bad, "--project", tmp_path)
    assert (loaded.exit_code, "Some rows were set aside" in loaded.stdout) == (0, True)
    [row] = answer("quarantine", "--project", tmp_path)
    assert (row["file"], row["line"]) == (str(bad), 3)
    shown = run("quarantine", "--project", tmp_path).stdout
    assert "[bold]open" in shown
    assert "Mend the file and load it again." in shown
    assert "REST API" not in shown
    [count] = answer("quarantine", "replay", "--project", tmp_path)
    assert (count["read"], count["loaded"], count["quarantined"]) == (1, 0, 1)
    assert len(answer("quarantine", "--project", tmp_path)) == 1


def test_doctor_finds_what_is_there_and_what_is_stale(folder: Path, tmp_path: Path) -> None:
    run("refresh", "--as-of", T, "--project", folder)
    found = {check["what"]: check for check in answer("doctor", "--project", folder)}
    assert found["input events"]["found"].startswith("15 rows")
    assert found["scores"]["state"] == "good"
    assert found["blind signal volume"]["state"] == "missing"
    assert found["events with a person"]["found"] == "93%"
    shutil.copytree(folder, tmp_path / "copy")
    more = write(tmp_path / "more", {"events": [ev("open", DAY, "p9", "w", event_id="new")]})
    run("load", more, "--project", tmp_path / "copy")
    found = {check["what"]: check for check in answer("doctor", "--project", tmp_path / "copy")}
    assert found["scores"]["state"] == "problem"


def test_report_is_one_file(folder: Path, tmp_path: Path) -> None:
    result = run("report", "--as-of", T, "--lang", "zh", "--out", tmp_path / "r.html", "--project", folder)
    assert result.exit_code == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Acme" in page
    assert "30 天内有 3 人活跃" in page


def test_the_program_itself_demo_in_an_empty_folder_and_not_in_a_full_one(tmp_path: Path) -> None:
    made = program("demo", "here", "--accounts", 40, "--days", 60, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "Simulated accounts that deserve a salesperson" in made.stdout
    assert (tmp_path / "here" / "report.html").is_file()
    today = datetime.now(UTC).date()
    shown = run("accounts", "--project", tmp_path / "here")
    assert f"Accounts as of {today}" in shown.stdout, "its last events are of yesterday"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    assert "holds something else" in refused("demo", tmp_path / "full", "--accounts", 10, "--days", 40)
    assert (tmp_path / "full" / "letter.txt").read_text() == "mine"


def test_a_demo_with_the_same_end_is_the_same_company(tmp_path: Path) -> None:
    for name in ("one", "two"):
        made = run("demo", tmp_path / name, "--accounts", 10, "--days", 40, "--end", "2026-10-28")
        assert "as of 2026-10-28" in made.stdout
    one, two = ((tmp_path / name / "data" / "events.parquet").read_bytes() for name in ("one", "two"))
    assert one == two
    assert "lies in the future" in refused("demo", tmp_path / "three", "--end", "2150-01-01")
    served = claim(tmp_path / "one" / ".handraise")
    served.announce(Owner(pid=1, address="http://127.0.0.1:9", token="", since="now"))
    assert "Stop `handraise serve` first" in refused("demo", tmp_path / "one")
    served.release()
    assert (tmp_path / "one" / "data" / "events.parquet").exists()


def test_the_program_itself_reads_the_project_from_the_environment(folder: Path) -> None:
    found = program("accounts", "--as-of", T, "--json", env={**os.environ, "HANDRAISE_PROJECT": str(folder)})
    assert [row["account_id"] for row in json.loads(found.stdout)] == ["acme", "person:loner"]
    assert program("nonsense").returncode == 2


def test_a_second_process_is_told_who_has_the_data(folder: Path) -> None:
    with open_project(folder):
        second = program("accounts", "--project", folder)
    assert second.returncode == 1
    assert "another process has the project's data open" in second.stderr
    assert "Traceback" not in second.stderr


def test_simulate_writes_the_same_files_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert run("simulate", tmp_path / name, "--accounts", 10, "--days", 40, "--seed", 3).exit_code == 0
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert "truth.parquet" in files
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def test_lists_say_that_later_days_are_loaded_and_doctor_which_roles_nothing_reads(tmp_path: Path) -> None:
    project = tmp_path / "project"
    assert run("init", project).exit_code == 0
    (project / "handraise.yaml").write_text("roles: {export: [Report Saved]}\n", encoding="utf-8")
    first = {"events": [ev("Report Saved", 5 * DAY, "ana", "w"), ev("open", 5 * DAY, "ana", "w")]}
    assert run("load", write(tmp_path / "first", first), "--project", project).exit_code == 0
    assert run("refresh", "--project", project).exit_code == 0
    assert run("people", "--project", project).stderr == ""
    later = {"events": [{**ev("open", DAY, "ben", "w"), "event_id": "later"}]}
    assert run("load", write(tmp_path / "later", later), "--project", project).exit_code == 0
    assert "Events of later days are loaded" in run("people", "--project", project).stderr
    found = {check["what"]: check["found"] for check in answer("doctor", "--project", project)}
    assert found["roles that no signal reads"] == "export (1)"
    assert found["most frequent events without a role"] == "open (2)"


def test_an_account_whose_people_alone_give_points_says_so(tmp_path: Path) -> None:
    project = tmp_path / "project"
    assert run("init", project).exit_code == 0
    assert run("load", write(tmp_path / "data", {"events": [ev("limit_reached")]}), "--project", project).exit_code == 0
    assert run("refresh", "--project", project).exit_code == 0
    assert "(+20)" in run("accounts", "--project", project).output


def test_how_many_people_saw_one_page_of_many_is_left_open(tmp_path: Path) -> None:
    pages = [
        ev("page_view", DAY, f"p{n}", "w", properties={"path": path})
        for n, path in enumerate(["/pricing", "/", "/docs"])
    ]
    said = run("init", tmp_path / "project", "--from", write(tmp_path / "data", {"events": pages})).output
    [row] = [line.split() for line in said.splitlines() if "pricing_view" in line and "page_view" in line]
    assert row[:3] == ["page_view", "1", "pricing_view"]
