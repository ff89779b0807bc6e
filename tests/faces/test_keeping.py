"""Commands that keep a project in order, as somebody at a keyboard uses them."""

import json
from pathlib import Path

import pytest

from faces.typed import answer, done, runner
from handraise.faces.cli.app import app
from support import write


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three people from files."""
    folder = tmp_path_factory.mktemp("keeping")
    people = ("ann", "bob", "erasmus-4711")
    events = [
        {"event_id": f"{who}{n}", "person_id": who, "name": "open", "timestamp": f"2026-08-0{n}T10:00:00Z"}
        for who in people
        for n in range(1, 6)
    ]
    rows = [{"person_id": who, "name": who.title(), "email": f"{who}@acme.example"} for who in people]
    write(folder / "files", {"events": events, "people": rows})
    assert runner.invoke(app, ["init", str(folder / "p")]).exit_code == 0
    done(folder / "p", "load", str(folder / "files"))
    done(folder / "p", "refresh")
    return folder / "p"


def ids(project: Path) -> set[str]:
    return {row["person_id"] for row in answer(project, "people")}


def test_a_backup_is_restored_elsewhere(project: Path, tmp_path: Path) -> None:
    made = answer(project, "backup", "--to", str(tmp_path / "copy"))
    assert {file["path"] for file in made["files"]} >= {"warehouse.duckdb", "ledger.sqlite", "handraise.yaml"}
    shown = done(tmp_path / "other", "restore", str(tmp_path / "copy"))
    assert "Restored the backup of" in shown.stdout
    said = " ".join(shown.output.split())
    assert "Nothing here says who was erased since then" in said
    assert "Keys that were revoked since then work again" in said
    assert ids(tmp_path / "other") == ids(project)
    again = runner.invoke(app, ["backup", "--to", str(tmp_path / "copy"), "--project", str(project)])
    assert again.exit_code == 1


def test_a_backup_says_where_it_is_and_a_restore_what_it_leaves_as_it_is(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    done(other, "restore", _backed_up(project))
    (other / "handraise.yaml").write_text((other / "handraise.yaml").read_text() + "\n# ours\n")
    said = " ".join(done(other, "restore", _backed_up(other)).output.split())
    assert "stays as it is" not in said
    said = " ".join(done(other, "restore", _backed_up(project)).output.split())
    assert "stays as it is" in said
    assert "Nothing here says who was erased" not in said
    said = " ".join(done(other, "erase", "nobody", "--yes").output.split())
    assert "Nothing was stored of 'nobody'" in said
    assert ".handraise.before-" in said


def _backed_up(project: Path) -> str:
    """The folder that `handraise backup` names."""
    return done(project, "backup").stdout.strip().removesuffix(".").rpartition(" to ")[2]


def test_the_data_are_rebuilt_from_what_was_loaded(project: Path) -> None:
    before = answer(project, "people")
    assert "from 2 files" in done(project, "rebuild").stdout
    assert answer(project, "people", "--as-of", "2026-08-06") is not None
    assert {row["person_id"] for row in before} == ids(project)


def test_a_rebuild_names_files_that_are_gone(project: Path) -> None:
    file = project.parent / "files" / "people.csv"
    content = file.read_bytes()
    file.write_bytes(content + b"\n")
    refused = runner.invoke(app, ["rebuild", "--project", str(project)])
    assert refused.exit_code == 1
    assert "people.csv" in refused.output
    file.write_bytes(content)


def test_somebody_sees_and_erases_their_data_and_a_file_does_not_bring_them_back(project: Path) -> None:
    data = json.loads(done(project, "person-data", "erasmus-4711").stdout)
    assert len(data["events"]) == 5
    assert data["people"][0]["name"] == "Erasmus-4711"
    asked = runner.invoke(app, ["erase", "erasmus-4711", "--project", str(project)], input="n\n")
    assert "takes along what else leads to them: 'erasmus-4711@acme.example'." in asked.output
    assert json.loads(done(project, "person-data", "erasmus-4711").stdout) == data
    receipt = answer(project, "erase", "erasmus-4711", "--yes", "--by", "ticket 12")
    assert receipt["erased"]["events"] == 5
    assert runner.invoke(app, ["person-data", "erasmus-4711", "--project", str(project)]).exit_code == 1
    loaded = runner.invoke(app, ["load", str(project.parent / "files"), "--project", str(project)])
    assert "people who were erased" in loaded.output
    done(project, "refresh")
    assert ids(project) == {"ann", "bob"}
    assert b"erasmus-4711" not in (project / ".handraise" / "warehouse.duckdb").read_bytes()


def test_an_erasure_is_asked_about_first(project: Path) -> None:
    result = runner.invoke(app, ["erase", "ann", "--project", str(project)], input="n\n")
    assert result.exit_code == 1
    assert "ann" in ids(project)


def test_the_trail_of_changes_is_listed_and_checked(project: Path) -> None:
    done(project, "sources", "key", "web")
    rows = answer(project, "audit")
    assert rows[0]["action"] == "write_key.create"
    done(project, "api-keys", "add", "loader", "--scope", "read", "--scope", "write")
    assert "scopes: read write" in done(project, "audit", "--limit", "1").stdout
    verdict = answer(project, "audit", "verify")
    assert verdict["broken_at"] is None
    anchor = f"{verdict['anchor']['seq']}:{verdict['anchor']['hash']}"
    assert "as they were written" in done(project, "audit", "verify", "--anchor", anchor).stdout
    wrong = runner.invoke(app, ["audit", "verify", "--anchor", "1:00", "--project", str(project)])
    assert wrong.exit_code == 1
    assert "broken at row 1" in wrong.stdout


def test_work_comes_due_and_is_done_by_a_worker(project: Path) -> None:
    assert {row["name"] for row in answer(project, "schedules")} >= {"nightly refresh", "backup"}
    assert "full: yes" in done(project, "schedules").stdout
    assert "on" in done(project, "schedules", "set", "backup", "--on", "--with", "keep=2").stdout
    for wrong in ("keeep=2", "keep=two"):
        refused = runner.invoke(app, ["jobs", "add", "backup", "--with", wrong, "--project", str(project)])
        assert refused.exit_code == 1
        said = " ".join(refused.output.split())
        assert f"backup cannot be done with {wrong}" in said
        assert "keep=…" in said
    refused = runner.invoke(app, ["schedules", "set", "backup", "--cron", "nonsense", "--project", str(project)])
    assert refused.exit_code == 1
    done(project, "jobs", "add", "verify")
    done(project, "jobs", "add", "refresh")
    done(project, "jobs", "add", "backup", "--with", "keep=1")
    wrong = runner.invoke(app, ["jobs", "add", "backup", "--with", "colour=red", "--project", str(project)])
    assert wrong.exit_code == 1
    assert "Did 3 jobs" in done(project, "worker", "--once").stdout
    assert [job["status"] for job in answer(project, "jobs")[:3]] == ["done"] * 3
    assert len(list((project / ".handraise" / "backups").glob("*/backup.json"))) == 1
    done(project, "jobs", "add", "refresh")
    number = answer(project, "jobs")[0]["id"]
    done(project, "jobs", "cancel", str(number))
    assert runner.invoke(app, ["jobs", "cancel", str(number), "--project", str(project)]).exit_code == 1


def test_keys_of_the_api_are_made_and_ended(project: Path) -> None:
    made = answer(project, "api-keys", "add", "dashboard", "--expires", "90", "--scope", "read", "--scope", "write")
    assert made["api_key"].startswith("hra_")
    assert answer(project, "api-keys")[-1]["scopes"] == ["read", "write"]
    done(project, "api-keys", "revoke", str(made["key"]))
    assert "revoked" in done(project, "api-keys").stdout
    assert runner.invoke(app, ["api-keys", "add", "x", "--scope", "all", "--project", str(project)]).exit_code == 1


def test_a_revoked_write_key_is_shown_as_such(project: Path) -> None:
    made = answer(project, "sources", "key", "app")
    done(project, "sources", "revoke", str(made["key"]))
    assert "revoked" in done(project, "sources").stdout
    again = runner.invoke(app, ["sources", "revoke", str(made["key"]), "--project", str(project)])
    assert again.exit_code == 1
