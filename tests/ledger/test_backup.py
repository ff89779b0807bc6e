"""A copy of the ledger is as it was at one instant, whatever is written meanwhile."""

import stat
import threading
from pathlib import Path

import pytest

from handraise.errors import LedgerError
from handraise.ledger.audit import record, verify
from handraise.ledger.backup import backup_to
from handraise.ledger.jobs import JobRequest, enqueue, list_jobs
from handraise.ledger.store import Ledger
from ledger.clock import NOW, at_once
from ledger.conftest import Place


def write(ledger: Ledger) -> None:
    """A job and its row in the trail: a copy has both or neither."""
    with ledger.transaction() as connection:
        job_id = enqueue(connection, JobRequest(kind="refresh"), now=NOW)
        record(connection, actor="cli", action="job.add", object=f"job {job_id}", details={}, now=NOW)


def test_a_copy_holds_what_the_ledger_held_and_can_be_opened(in_file: Place, tmp_path: Path) -> None:
    ledger = in_file.open()
    write(ledger)
    path = tmp_path / "copies #1" / "a%20b.sqlite"
    path.parent.mkdir()
    size = backup_to(ledger, path)
    assert (path.stat().st_size, stat.S_IMODE(path.stat().st_mode)) == (size, 0o600)
    assert [file.name for file in path.parent.iterdir()] == ["a%20b.sqlite"]
    write(ledger)
    copy = Place("sqlite", path)
    opened = copy.open()
    assert verify(opened).rows == 1
    write(opened)
    assert verify(opened) == verify(opened, anchor=verify(opened).anchor)
    opened.close()


def test_copies_made_while_others_write_are_each_of_one_instant(in_file: Place, tmp_path: Path) -> None:
    ledger = in_file.open()
    stop, copies = threading.Event(), [tmp_path / f"copy{number}.sqlite" for number in range(5)]

    def keep_writing() -> int:
        count = 0
        while not stop.is_set():
            write(ledger)
            count += 1
        return count

    def keep_copying() -> int:
        try:
            for path in copies:
                write(ledger)
                backup_to(ledger, path)
        finally:
            stop.set()
        return len(copies)

    written = sum(at_once([keep_writing, keep_writing, keep_copying]))
    lengths = []
    for path in copies:
        copy = Ledger.open(path)
        verdict = verify(copy)
        with copy.reading() as connection:
            assert (len(list_jobs(connection, limit=100_000)), verdict.broken_at) == (verdict.rows, None)
        copy.close()
        lengths.append(verdict.rows)
    assert lengths == sorted(lengths)
    assert lengths[-1] <= verify(ledger).rows == written


def test_a_copy_writes_over_nothing(in_file: Place, tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_text("mine")
    ledger = in_file.open()
    with pytest.raises(LedgerError, match="there already"):
        backup_to(ledger, path)
    with pytest.raises(LedgerError, match="there already"):
        backup_to(ledger, Path(in_file.address))
    assert path.read_text() == "mine"


def test_a_copy_that_cannot_be_written_leaves_nothing(in_file: Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be written"):
        backup_to(in_file.open(), tmp_path / "file" / "copy.sqlite")
    assert {path.name for path in tmp_path.iterdir()} == {"file", ".handraise"}


def test_a_ledger_in_postgres_is_copied_by_postgres(in_postgres: Place, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="pg_dump"):
        backup_to(in_postgres.open(), tmp_path / "copy")
