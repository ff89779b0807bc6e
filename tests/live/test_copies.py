"""A backup made while events come in brings everything back, also what was decided to be forgotten since."""

import hashlib
import json
import shutil
from functools import partial
from pathlib import Path

import pytest

from handraise.errors import BusyError, InputError, ProjectError
from handraise.ledger.audit import verify
from handraise.service import questions
from handraise.service.backup import Backup, back_up, prune, read_backup, restore
from handraise.service.erase import erase, erase_noted, is_owed
from handraise.service.host import Host
from handraise.service.ledgers import new_write_key, valid_keys
from handraise.service.orders import take_up_restore
from handraise.service.rebuild import files_of, missing_of, note_loads
from live.hosting import NOW, clock, hosted, scored, send, settle
from live.sending import track
from support import write


def calls(first: int, count: int) -> list[tuple[str, dict[str, object]]]:
    return [
        track(n, f"person-{n % 7}", "open", "2026-08-31T10:00:00Z", workspace="w") for n in range(first, first + count)
    ]


def backed_up(host: Host, target: Path) -> Backup:
    def copy(path: Path) -> int:
        return host.follower.ask(partial(questions.copy_data, target=path))

    return back_up(host.folder, target, copy_data=copy, ledger=host.ledger, now=NOW, random=host.random)


def test_what_was_backed_up_comes_back(tmp_path: Path) -> None:
    project = tmp_path / "project"
    with hosted(project) as host:
        new_write_key(host.ledger, "web", actor="me", now=NOW, random=host.random)
        send(host, *calls(0, 300))
        host.begin_segment()
        send(host, *calls(300, 50))
        made = backed_up(host, tmp_path / "copy")
        seen, keys = scored(host), valid_keys(host.ledger)
        counted = host.follower.ask(questions.ingest_counts)
        send(host, *calls(350, 90))
    assert read_backup(tmp_path / "copy") == made
    done = restore(project, tmp_path / "copy", now=NOW)
    assert done.kept is not None
    assert (done.kept / "warehouse.duckdb").exists()
    with hosted(project) as host:
        settle(host)
        assert scored(host) == seen
        assert valid_keys(host.ledger) == keys
        assert host.follower.ask(questions.ingest_counts) == counted
        assert verify(host.ledger).broken_at is None
        send(host, *calls(300, 140))
        assert host.follower.ask(questions.ingest_counts)["web"].duplicate == 50
    restore(tmp_path / "elsewhere", tmp_path / "copy", now=NOW)
    with hosted(tmp_path / "elsewhere") as host:
        settle(host)
        assert scored(host) == seen


def test_whoever_was_erased_after_the_backup_does_not_come_back_with_it(tmp_path: Path) -> None:
    project = tmp_path / "project"
    with hosted(project) as host:
        send(host, *calls(0, 30), track("gone", "erasmus-4711", "open", "2026-08-31T10:00:00Z", workspace="w"))
        backed_up(host, project / ".handraise" / "backups" / "monday")
        erase(host, "erasmus-4711", requested_by="self", now=clock)
    restore(project, project / ".handraise" / "backups" / "monday", now=NOW)
    with hosted(project) as host:
        settle(host)
        assert "erasmus-4711" in scored(host)
        assert erase_noted(host, now=clock) == 1
        assert "erasmus-4711" not in scored(host)
    left = [path for path in (project / ".handraise").rglob("*") if path.is_file() and b"erasmus" in path.read_bytes()]
    assert {path.relative_to(project / ".handraise").parts[0] for path in left} <= {"backups"}


def test_a_backup_that_is_restored_into_another_folder_brings_along_who_was_erased(tmp_path: Path) -> None:
    project, other = tmp_path / "project", tmp_path / "other"
    with hosted(project) as host:
        send(host, *calls(0, 30), track("gone", "erasmus-4711", "open", "2026-08-31T10:00:00Z", workspace="w"))
        backed_up(host, project / ".handraise" / "backups" / "monday")
        erase(host, "erasmus-4711", requested_by="self", now=clock)
    for _ in range(2):
        restore(other, project / ".handraise" / "backups" / "monday", now=NOW)
        with hosted(other) as host:
            settle(host)
            assert erase_noted(host, now=clock) == 1
            assert "erasmus-4711" not in scored(host)
    notes = [folder / ".handraise" / "backups" / "erasures.ndjson" for folder in (project, other)]
    assert notes[0].read_text() == notes[1].read_text()


def test_a_restore_that_was_cut_off_before_the_erasures_is_taken_up_by_the_next_server(tmp_path: Path) -> None:
    project = tmp_path / "project"
    with hosted(project) as host:
        send(host, *calls(0, 30), track("gone", "erasmus-4711", "open", "2026-08-31T10:00:00Z", workspace="w"))
        backed_up(host, tmp_path / "monday")
        take_up_restore(host)
        assert "erasmus-4711" in scored(host)
        erase(host, "erasmus-4711", requested_by="self", now=clock)
    restore(project, tmp_path / "monday", now=NOW)
    for _ in range(2):
        with hosted(project) as host:
            take_up_restore(host)
            assert "erasmus-4711" not in scored(host)
            assert not is_owed(host)


def test_a_damaged_backup_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    project = tmp_path / "project"
    with hosted(project) as host:
        send(host, *calls(0, 30))
        backed_up(host, tmp_path / "copy")
    data = tmp_path / "copy" / "warehouse.duckdb"
    data.write_bytes(data.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match="damaged"):
        restore(project, tmp_path / "copy", now=NOW)
    with pytest.raises(InputError, match="no backup"):
        restore(project, project, now=NOW)
    with hosted(project) as host:
        assert len(scored(host)) == 7


@pytest.mark.parametrize(
    "name", ["../../outside.txt", "/{outside}", "log/../../../outside.txt", "linked", "folder/passwd", ""]
)
def test_a_backup_that_reaches_outside_of_itself_is_refused(tmp_path: Path, name: str) -> None:
    project, copy, outside = tmp_path / "project", tmp_path / "copies" / "copy", tmp_path / "outside.txt"
    with hosted(project) as host:
        backed_up(host, copy)
    outside.write_bytes(b"mine")
    (tmp_path / "passwd").write_bytes(b"mine")
    (copy / "linked").symlink_to(outside)
    (copy / "folder").symlink_to(tmp_path)
    named = name.replace("/{outside}", str(outside))
    manifest = json.loads((copy / "backup.json").read_bytes())
    manifest["files"].append({"path": named, "size": 4, "sha256": hashlib.sha256(b"mine").hexdigest()})
    (copy / "backup.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(InputError, match="outside of itself"):
        restore(project, copy, now=NOW)


def test_a_restore_that_was_cut_off_is_told_and_can_be_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, copy = tmp_path / "project", tmp_path / "project" / ".handraise" / "backups" / "one"
    with hosted(project) as host:
        send(host, *calls(0, 30))
        copy.parent.mkdir()
        backed_up(host, copy)
    shutil.copytree(copy, tmp_path / "copy")
    rename = Path.rename

    def cut_off(path: Path, target: Path) -> Path:
        if path.name.endswith(".restoring"):
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", cut_off)
        with pytest.raises(KeyboardInterrupt):
            restore(project, tmp_path / "copy", now=NOW)
    with pytest.raises(ProjectError, match="a restore was cut off"), hosted(project):
        pass
    restore(project, tmp_path / "copy", now=NOW)
    assert copy.exists()
    with hosted(project) as host:
        assert len(scored(host)) == 7


def test_several_restores_in_the_same_second_keep_what_was_there_before_each(tmp_path: Path) -> None:
    project = tmp_path / "project"
    with hosted(project) as host:
        send(host, *calls(0, 30))
        backed_up(host, tmp_path / "copy")
    kept = [restore(project, tmp_path / "copy", now=NOW).kept for _ in range(3)]
    assert len(set(kept)) == 3
    assert all(one and (one / "warehouse.duckdb").exists() for one in kept)


def test_nothing_is_restored_under_a_running_server(tmp_path: Path) -> None:
    with hosted(tmp_path / "project") as host:
        backed_up(host, tmp_path / "copy")
        with pytest.raises(BusyError, match="another server"):
            restore(tmp_path / "project", tmp_path / "copy", now=NOW)


def test_only_the_latest_backups_are_kept(tmp_path: Path) -> None:
    with hosted(tmp_path / "project") as host:
        for day in ("1", "2", "3"):
            backed_up(host, tmp_path / "backups" / day)
    assert [path.name for path in prune(tmp_path / "backups", 2)] == ["1"]
    assert sorted(path.name for path in (tmp_path / "backups").iterdir()) == ["2", "3"]


def test_data_are_made_again_from_files_and_log(tmp_path: Path) -> None:
    project = tmp_path / "project"
    old = {"event_id": "f1", "person_id": "filed", "name": "open", "timestamp": "2026-08-01T10:00:00Z"}
    files = write(tmp_path / "files", {"events": [old], "people": [{"person_id": "filed", "name": "Fay"}]})
    with hosted(project) as host:
        send(host, *calls(0, 40))
        note_loads(host.ledger, host.follower.ask(partial(questions.load, paths=[files], form=None)), now=NOW)
        send(host, *calls(40, 40))
        seen = scored(host)
    assert "filed" in seen
    for file in (project / ".handraise").glob("warehouse.duckdb*"):
        file.unlink()
    with hosted(project) as host:
        settle(host)
        assert host.rebuilt is not None
        assert host.rebuilt.files == 2
        assert scored(host) == seen
    (files / "people.csv").unlink()
    for file in (project / ".handraise").glob("warehouse.duckdb*"):
        file.unlink()
    with hosted(project) as host:
        settle(host)
        assert [Path(name).name for name in missing_of(files_of(host.ledger))] == ["people.csv"]
        assert [Path(name).name for name in host.rebuilt.missing] == ["people.csv"]
        assert scored(host).keys() == seen.keys()
