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

from handraise.errors import BusyError, LogError
from handraise.log.store import EventLog
from handraise.log.writer import GroupWriter
from handraise.service.door import Door, KeyRing
from handraise.service.folder import DATA_FOLDER, DATABASE, check_is_project, make_data_folder
from handraise.service.follower import Follower
from handraise.service.ledgers import keys_version, open_ledger, valid_keys
from handraise.service.ownership import Claim, Owner, claim
from handraise.service.playbook_file import PlaybookFile
from handraise.service.project import Project, open_project, scored_by
from handraise.warehouse.engine import failures_told

LOG_FOLDER = "log"
_READERS = 4
# So that the whole server stays below a gigabyte; what needs more goes through the disk.
_MEMORY = "400MB"
_NOTE_EVERY = 1.0
# Seconds that a reader waits for its turn, and between two looks whether it has come.
_PATIENCE, _LOOK_AGAIN = 10.0, 0.05
_AGAIN = "Try again in a moment."
_log = structlog.get_logger()


class Host:
    """One served project. Use it as a context: leaving it stores and seals everything.

    Args:
        folder: The project's.
        environment: The process's variables.
        now: The clock.
        random: Gives so many random bytes.

    Raises:
        BusyError: Another process serves the project, or has its data open.
        PlaybookError: The playbook has a mistake.
        ProjectError: It reads its data from a warehouse, or cannot be opened.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environment: Mapping[str, str],
        now: Callable[[], datetime],
        random: Callable[[int], bytes],
    ) -> None:
        self.folder, self._environment, self.now = folder, environment, now
        self._exits = contextlib.ExitStack()
        data = folder / DATA_FOLDER
        with self._exits:
            check_is_project(folder)
            self.playbook = PlaybookFile(folder)
            make_data_folder(data)
            self._claim: Claim = claim(data)
            self._exits.callback(self._claim.release)
            self.ledger = self._exits.enter_context(open_ledger(folder, environment))
            self.log = EventLog(data / LOG_FOLDER, random=random)
            self._writer = GroupWriter(self.log, told=_tell)
            self._exits.callback(self._writer.close)
            self.door = Door(
                self._writer, KeyRing(partial(valid_keys, self.ledger), partial(keys_version, self.ledger))
            )
            self.follower = Follower(
                self._open_project,
                self._move_aside,
                self.log,
                playbook=self.playbook,
                wait=self._writer.wait_for_more,
                now=now,
            )
            self._projects = contextlib.ExitStack()
            self.follower.start()
            self._exits.callback(self.follower.stop)
            self._stopping = threading.Event()
            self._noting = threading.Thread(target=self._note, name="refusals")
            self._noting.start()
            self._exits.callback(self._stop_noting)
            self._readers: list[tuple[Project, Project]] = []
            self._places = threading.BoundedSemaphore(_READERS)
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
            BusyError: Too many are reading, or the data are being opened or scored again.
        """
        if not self._places.acquire(timeout=_PATIENCE):
            raise BusyError("too much is being read at once.", todo=_AGAIN)
        try:
            with contextlib.ExitStack() as exits:
                owner, reader = self._settled(exits)
                yield reader
            if reader.warehouse.hides_stored():
                reader.warehouse.close()  # what it copied to look at another day would be read for ever
            else:
                self._readers.append((owner, reader))
        finally:
            self._places.release()

    def _settled(self, exits: contextlib.ExitStack) -> tuple[Project, Project]:
        """A reader in its transaction, of scores that its own playbook made: those of another have other columns."""
        until = time.monotonic() + _PATIENCE
        while True:
            owner, reader = self._reader()
            attempt = contextlib.ExitStack()
            attempt.push(partial(_close_after_failure, reader))
            attempt.enter_context(failures_told())
            attempt.enter_context(reader.warehouse.transaction())
            with attempt:
                if scored_by(reader) in {None, reader.loaded.content_hash}:
                    exits.push(attempt.pop_all())
                    return owner, reader
            reader.warehouse.close()
            if time.monotonic() > until:
                raise BusyError("everybody is being scored again.", todo=_AGAIN)
            time.sleep(_LOOK_AGAIN)

    def _reader(self) -> tuple[Project, Project]:
        """The project that is written, and a reader of it; readers of one that was opened before are no use."""
        owner = self.follower.project
        if owner is None:
            raise BusyError("the data are being opened again.", todo=_AGAIN)
        while self._readers:
            of, reader = self._readers.pop()
            if of is owner:
                return owner, reader
            reader.warehouse.close()
        warehouse = owner.warehouse.reader()
        return owner, Project(folder=self.folder, loaded=owner.loaded, warehouse=warehouse, followed=True)

    def _open_project(self) -> Project:
        self._projects.close()
        return self._projects.enter_context(
            open_project(self.folder, environment=self._environment, memory=_MEMORY, loaded=self.playbook.loaded)
        )

    def _move_aside(self) -> str:
        path = self.folder / DATA_FOLDER / DATABASE
        name = path.with_name(f"{DATABASE}.damaged-{self.now():%Y%m%dT%H%M%S}")
        path.rename(name)
        with contextlib.suppress(FileNotFoundError):
            path.with_name(f"{DATABASE}.wal").rename(f"{name}.wal")
        return name.name

    def _note(self) -> None:
        """Every second: write down what was refused, and look for keys that other processes made or revoked."""
        while not self._stopping.wait(_NOTE_EVERY):
            self.door.note_refusals(self.now())
            self.door.keys.look_again()

    def _stop_noting(self) -> None:
        self._stopping.set()
        self._noting.join()
        self.door.note_refusals(self.now())


def _close_after_failure(reader: Project, kind: type[BaseException] | None, *_: object) -> None:
    """What a failure left half made is in nobody's way when the connection goes with it."""
    if kind is not None:
        reader.warehouse.close()


def _tell(failure: LogError | None) -> None:
    if failure:
        _log.error("events cannot be stored", reason=failure.what)
    else:
        _log.info("events are stored again")
