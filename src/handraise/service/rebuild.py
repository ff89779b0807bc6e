"""Make a project's data again from what does not depend on them: the files that were loaded, and the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from handraise.errors import InputError
from handraise.events.call_intake import RETURNED, Erased
from handraise.events.erase import erase_rows, erased_in, subject_named
from handraise.events.received import micros_of
from handraise.ledger import loads
from handraise.ledger.loads import Load, LoadedFile
from handraise.ledger.store import Ledger
from handraise.log.disk import sha256_of
from handraise.log.store import EventLog
from handraise.service import project as projects
from handraise.service.live import Live
from handraise.service.project import Loaded, Project
from handraise.warehouse.tables import write_fact


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """What was made again.

    Attributes:
        files: Files that were read again.
        missing: Files that are gone, or not what they were; what they held is not in the data.
        calls: Calls taken in from the log.
    """

    files: int
    missing: tuple[str, ...]
    calls: int


def note_loads(ledger: Ledger, done: Loaded, *, now: datetime) -> None:
    """Remember which files were loaded, so that the data can be made again from them."""
    formats = {count.file: count.format for count in done.counts}
    with ledger.transaction() as connection:
        for name, form in formats.items():
            path = Path(name)
            if path.is_file():
                file = LoadedFile(
                    path=str(path.absolute()), format=form, size=path.stat().st_size, sha256=sha256_of(path)
                )
                loads.note_load(connection, file, now=now)


def files_of(ledger: Ledger) -> list[Load]:
    """Every file that was loaded, once, at the time of its last loading."""
    with ledger.reading() as connection:
        latest = {load.path: load for load in loads.list_loads(connection)}
    return sorted(latest.values(), key=lambda load: load.sequence)


def missing_of(files: list[Load]) -> tuple[str, ...]:
    """Files that cannot be read again as they were."""
    return tuple(load.path for load in files if not _is_same(load))


def rebuild(
    project: Project,
    log: EventLog,
    files: list[Load],
    *,
    erased: Erased,
    progress: Callable[[str, float], None] | None = None,
) -> Rebuilt:
    """Read the files and the log again, in the order in which they came; into data that hold nothing yet.

    Args:
        project: Open and empty.
        log: From its beginning.
        files: As `files_of` gives them; those that are not what they were are left out.
        erased: Those of some ids and addresses whose people were erased.
        progress: Called with what is read and the share of it that is done.
    """
    live = Live(project, log, erased=erased)
    missing = set(missing_of(files))
    calls = 0
    for load in (load for load in files if load.path not in missing):
        calls += _follow(live, micros_of(load.loaded_at), progress)
        projects.load(project, [Path(load.path)], progress, form=load.format)
    calls += _follow(live, None, progress)
    _forget(project, erased)
    return Rebuilt(files=len(files) - len(missing), missing=tuple(sorted(missing)), calls=calls)


def _forget(project: Project, erased: Erased) -> None:
    """Files may hold people who were erased since they were loaded."""
    warehouse = project.warehouse
    back = erased_in(warehouse, erased)
    if back:
        with warehouse.transaction():
            erase_rows(warehouse, subject_named(back))
            write_fact(warehouse, RETURNED, "yes")  # their rows are still on free blocks of the file


def check_complete(files: list[Load]) -> None:
    """Refuse when a file cannot be read again.

    Raises:
        InputError: Names the files.
    """
    missing = missing_of(files)
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")  # noqa: PLR2004
        raise InputError(
            f"{len(missing)} files that were loaded are gone, or are not what they were: {shown}.",
            todo="Put them back; or rebuild without them, with --without-missing.",
        )


def _follow(live: Live, before: int | None, progress: Callable[[str, float], None] | None) -> int:
    """Take in the log, up to what was received before an instant in microseconds."""
    calls, total = 0, max(live.log.durable, 1)
    while True:
        taken = live.take(before=before)
        calls += taken.calls
        if progress:
            progress("log", 1 - taken.behind / total)
        if not taken.behind:
            return calls


def _is_same(load: Load) -> bool:
    path = Path(load.path)
    return path.is_file() and path.stat().st_size == load.size and sha256_of(path) == load.sha256
