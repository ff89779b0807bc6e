"""Everything that runs while a project is served: the log and its writer, the follower, and readers of the scores."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

import structlog

from handraise.errors import BusyError, EngineError, LogError, ProjectError
from handraise.log.disk import Disk
from handraise.log.store import EventLog
from handraise.log.writer import GroupWriter
from handraise.playbook.load import FILE_NAME, load_playbook
from handraise.service.door import Door, KeyRing
from handraise.service.folder import DATA_FOLDER, DATABASE, check_is_project, make_data_folder
from handraise.service.follower import Follower
from handraise.service.ledgers import keys_version, open_ledger, valid_keys
from handraise.service.ownership import Claim, Owner, claim
from handraise.service.project import Project, open_project
from handraise.warehouse.engine import failures_told

LOG_FOLDER = "log"
_READERS = 4
# So that the whole server stays below a gigabyte; what needs more goes through the disk.
_MEMORY = "400MB"
_NOTE_EVERY = 1.0
# Seconds that somebody may look whose project it is, or read the last answer from data that are to be opened again.
_LOOKED_AT, _READ_OUT = 0.5, 10.0
_log = structlog.get_logger()


class Host:
    """One served project. Use it as a context: leaving it stores and seals everything.

    Args:
        folder: The project's.
        environment: The process's variables.
        now: The clock.
        random: Gives so many random bytes.
        disk: The file system of the event log.

    Raises:
        BusyError: Another process serves the project, or has its data open.
        ProjectError: It reads its data from a warehouse, or cannot be opened.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environment: Mapping[str, str],
        now: Callable[[], datetime],
        random: Callable[[int], bytes],
        disk: Disk | None = None,
    ) -> None:
        self.folder, self._environment, self._now = folder, environment, now
        self._exits = contextlib.ExitStack()
        data = folder / DATA_FOLDER
        with self._exits:
            _check(folder)
            self._claim: Claim = _claim(data)
            self._exits.callback(self._claim.release)
            self.ledger = self._exits.enter_context(open_ledger(folder, environment))
            self.log = EventLog(data / LOG_FOLDER, random=random, disk=disk)
            self._writer = GroupWriter(self.log, told=_tell)
            self._exits.callback(self._writer.close)
            self.door = Door(
                self._writer, KeyRing(partial(valid_keys, self.ledger), partial(keys_version, self.ledger))
            )
            self.follower = Follower(
                self._open_project, self._move_aside, self.log, wait=self._writer.wait_for_more, now=now
            )
            self._projects = self._exits.enter_context(contextlib.ExitStack())
            self._readers: list[tuple[Project, Project]] = []
            self._places = threading.BoundedSemaphore(_READERS)
            self._exits.callback(self._close_readers)
            self._exits.callback(self.follower.stop)
            self.follower.start()
            self._stopping = threading.Event()
            self._noting = threading.Thread(target=self._note, name="refusals")
            self._noting.start()
            self._exits.callback(self._stop_noting)
            self._exits = self._exits.pop_all()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def announce(self, owner: Owner) -> None:
        """Say where the server answers."""
        self._claim.announce(owner)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Project]:
        """The project as it is now, unchanged while it is looked at, beside whatever is being written.

        Raises:
            BusyError: Too many are reading, or the data are being opened again.
        """
        if not self._places.acquire(timeout=10):
            raise BusyError("too much is being read at once.", todo="Try again in a moment.")
        try:
            owner, reader = self._reader()
            try:
                with failures_told(), reader.warehouse.transaction():
                    yield reader
            except BaseException:
                reader.warehouse.close()  # it may be of data that are damaged
                raise
            reader.warehouse.steps.clear()
            if _sees_what_is_stored(reader):
                self._readers.append((owner, reader))
            else:
                reader.warehouse.close()
        finally:
            self._places.release()

    def _reader(self) -> tuple[Project, Project]:
        """The project that is written, and a reader of it; readers of one that was opened before are no use."""
        owner = self.follower.project
        if owner is None:
            raise _opening()
        while self._readers:
            of, reader = self._readers.pop()
            if of is owner:
                return owner, reader
            reader.warehouse.close()
        try:
            with failures_told():
                warehouse = owner.warehouse.reader()
        except EngineError as error:  # it is being closed this moment
            raise _opening() from error
        return owner, Project(folder=self.folder, loaded=owner.loaded, warehouse=warehouse, followed=True)

    def _open_project(self) -> Project:
        """Open the data; whoever still reads them as they were is waited for, as the engine keeps open what is read."""
        with self._nobody_reading():
            self._projects.close()
            return self._projects.enter_context(
                open_project(self.folder, environment=self._environment, memory=_MEMORY)
            )

    @contextlib.contextmanager
    def _nobody_reading(self) -> Iterator[None]:
        taken = sum(self._places.acquire(timeout=_READ_OUT) for _ in range(_READERS))
        try:
            self._close_readers()
            yield
        finally:
            for _ in range(taken):
                self._places.release()

    def _close_readers(self) -> None:
        while self._readers:
            self._readers.pop()[1].warehouse.close()

    def _move_aside(self) -> str:
        path = self.folder / DATA_FOLDER / DATABASE
        name = path.with_name(f"{DATABASE}.damaged-{self._now():%Y%m%dT%H%M%S}")
        path.rename(name)
        with contextlib.suppress(FileNotFoundError):
            path.with_name(f"{DATABASE}.wal").rename(f"{name}.wal")
        return name.name

    def _note(self) -> None:
        """Every second: write down what was refused, and look for keys that other processes made or revoked."""
        while not self._stopping.wait(_NOTE_EVERY):
            try:
                self.door.note_refusals(self._now())
                self.door.keys.look_again()
            except Exception as error:  # noqa: BLE001 - whatever the ledger raises, the next second comes
                _log.error("looking for new keys failed", error=str(error))

    def _stop_noting(self) -> None:
        self._stopping.set()
        self._noting.join()
        self.door.note_refusals(self._now())


def _opening() -> BusyError:
    return BusyError("the data are being opened again.", todo="Try again in a moment.")


def _sees_what_is_stored(reader: Project) -> bool:
    """Whether a reader has no tables of its own in front of stored ones; it has when it scored something by itself."""
    twice = "SELECT 1 FROM duckdb_tables() GROUP BY table_name HAVING count(*) > 1 LIMIT 1"
    return not reader.warehouse.connection.execute(twice).fetchall()


def _claim(data: Path) -> Claim:
    """Claim a project; a command that looks this moment who has it holds the lock too, but not for long."""
    ends = time.monotonic() + _LOOKED_AT
    while True:
        try:
            return claim(data)
        except BusyError:
            if time.monotonic() > ends:
                raise
            time.sleep(_LOOKED_AT / 10)


def _check(folder: Path) -> None:
    """Refuse a folder that cannot be served, before anything of it is opened."""
    check_is_project(folder)
    if load_playbook(folder / FILE_NAME).playbook.warehouse:
        raise ProjectError(
            "this project reads its data from your warehouse, so there is nothing to send events to.",
            where="warehouse.sources",
            todo="Run `handraise refresh` on a schedule, or serve a project without `warehouse` in handraise.yaml.",
        )
    make_data_folder(folder / DATA_FOLDER)


def _tell(failure: LogError | None) -> None:
    if failure:
        _log.error("events cannot be stored", reason=failure.what)
    else:
        _log.info("events are stored again")
