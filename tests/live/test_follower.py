"""The thread that follows the log: one bad record costs that record, and damage of the data is no fault of a record."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from handraise.errors import EngineError, ProjectError
from handraise.events.call_intake import Counts, read_counts
from handraise.log.store import EventLog
from handraise.service import live
from handraise.service.folder import create_project
from handraise.service.follower import Follower, says_damage
from handraise.service.playbook_file import PlaybookFile
from handraise.service.project import Project, open_project
from handraise.warehouse.engines.protocol import RefusedError
from live.sending import send, track

CORRUPT = "IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2 in block"
NOW = datetime(2026, 8, 31, 22, tzinfo=UTC)


@contextlib.contextmanager
def following(folder: Path, moved: list[str]) -> Iterator[tuple[EventLog, Follower]]:
    """A follower of a log into a project."""
    create_project(folder)
    log = EventLog(folder / "log", random=random.Random(1).randbytes, segment_size=1 << 20, reserve=0)
    with contextlib.ExitStack() as opened:

        def open_it() -> Project:
            opened.close()
            return opened.enter_context(open_project(folder, threads=1))

        def move_aside() -> str:
            moved.append("moved")
            return "moved"

        follower = Follower(
            open_it, move_aside, log, playbook=PlaybookFile(folder), now=lambda: NOW, erased=lambda _: set()
        )
        yield log, follower
        follower.stop()
    log.close()


def wait_until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


def counted(follower: Follower) -> Counts:
    return follower.ask(lambda project: read_counts(project.warehouse)).get("web", Counts())


def test_the_one_record_that_cannot_be_taken_in_is_set_aside_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, moved = live.take_calls, []

    def failing(warehouse: Any, calls: Any, *, reason: str | None = None, **more: Any) -> object:
        if reason is None and any(b"poison" in call.event for call in calls):
            raise EngineError("the engine cannot take this in")
        return real(warehouse, calls, reason=reason, **more)

    monkeypatch.setattr(live, "take_calls", failing)
    with following(tmp_path / "p", moved) as (log, follower):
        calls = [track(n, f"p{n}", "poison" if n == 137 else "open", "2026-08-31T10:00:00Z") for n in range(300)]
        send(log, calls, NOW, batch=1)
        follower.start()
        wait_until(lambda: counted(follower).received == 300)
        assert counted(follower) == Counts(received=300, accepted=299, quarantined=1)
    assert moved == []


def test_damage_of_the_data_file_is_no_fault_of_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, moved = live.take_calls, []

    def failing(warehouse: Any, calls: Any, **more: Any) -> object:
        if not moved:
            raise EngineError("the step failed") from RefusedError(CORRUPT)
        return real(warehouse, calls, **more)

    monkeypatch.setattr(live, "take_calls", failing)
    with following(tmp_path / "p", moved) as (log, follower):
        send(log, [track(n, f"p{n}", "open", "2026-08-31T10:00:00Z") for n in range(30)], NOW)
        follower.start()
        wait_until(lambda: counted(follower).received == 30)
        assert counted(follower) == Counts(received=30, accepted=30)
        assert follower.progress.moved_aside == ["moved"]


def test_damage_is_known_by_what_the_engine_says_whatever_kind_of_error_it_raises() -> None:
    busy = ProjectError("another process has the project's data open.")
    busy.__cause__ = duckdb.IOException(CORRUPT)
    assert says_damage(busy)
    assert not says_damage(ProjectError("the data file cannot be opened.", todo="Check that the disk is not full."))
    sent = EngineError(f"the step 'x' failed: {CORRUPT}")
    sent.__cause__ = RefusedError(f"Conversion Error: Could not convert string '{CORRUPT}' to INT32")
    assert not says_damage(sent), "nobody may have data moved aside by what an event says"
