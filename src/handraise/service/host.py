"""Everything that runs while a project is served: the log and its writer, the follower, and readers of the scores."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import structlog

from handraise.errors import BusyError, LogError
from handraise.events.received import Received, micros_of
from handraise.ledger.outbox import Standing, standings
from handraise.log.disk import Disk
from handraise.log.store import EventLog
from handraise.log.writer import GroupWriter
from handraise.playbook.section import Language
from handraise.records.alerting import AlertItem
from handraise.service.alerting import alert_items
from handraise.service.door import Door, KeyRing
from handraise.service.enriching import bring_in
from handraise.service.folder import (
    DATA_FOLDER,
    DATABASE,
    FRESH,
    LOG_FOLDER,
    check_is_project,
    make_data_folder,
    remove_data,
)
from handraise.service.follower import Follower
from handraise.service.ledgers import erased_of, keys_version, open_ledger, secret_of, valid_keys
from handraise.service.ownership import Claim, Owner, claim
from handraise.service.playbook_file import PlaybookFile
from handraise.service.project import Project, open_project
from handraise.service.readers import Readers
from handraise.service.rebuild import Rebuilt, files_of, rebuild

_REBUILDING = "rebuilding"
# So that the whole server stays below a gigabyte; what needs more goes through the disk.
MEMORY = "400MB"
_NOTE_EVERY = 1.0
# Seconds that somebody may look whose project it is.
_LOOKED_AT = 0.5
_log = structlog.get_logger()


class Host:
    """One served project. Use it as a context: leaving it stores and seals everything.

    Args:
        folder: The project's.
        environment: The process's variables.
        now: The clock.
        random: Gives so many random bytes.
        disk: The file system of the event log.
        memory: What the embedded engine may use.

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
        disk: Disk | None = None,
        memory: str = MEMORY,
    ) -> None:
        self.folder, self.environment, self.now, self.random = folder, environment, now, random
        self._memory = memory
        self.rebuilt: Rebuilt | None = None
        # For whoever reads, copies or rewrites the log as a whole; the writer and the follower go on meanwhile.
        self.log_upkeep = threading.RLock()
        self._exits = contextlib.ExitStack()
        data = folder / DATA_FOLDER
        with self._exits:
            check_is_project(folder)
            self.playbook = PlaybookFile(folder)
            make_data_folder(data)
            self._claim: Claim = _claim(data)
            self._exits.callback(self._claim.release)
            self.ledger = self._exits.enter_context(open_ledger(folder, environment))
            self.log = EventLog(data / LOG_FOLDER, random=random, disk=disk)
            self._writer = GroupWriter(self.log, told=_tell, wrote=self._wake)
            self._exits.callback(self._writer.close)
            keys = KeyRing(partial(valid_keys, self.ledger), partial(keys_version, self.ledger))
            self.door = Door(self._writer, keys, webhook_secret=partial(secret_of, self.ledger))
            self._projects = self._exits.enter_context(contextlib.ExitStack())
            self.follower = Follower(
                self._open_project,
                self._move_aside,
                self.log,
                playbook=self.playbook,
                now=now,
                erased=partial(erased_of, self.ledger),
            )
            self._readers = Readers(lambda: self.follower.project)
            self._exits.callback(self._readers.close)
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

    def alert_items(self, objects: Sequence[str], language: Language) -> Mapping[str, AlertItem]:
        """What is to be said about handoffs and decisions; see `alerting.alert_items`."""
        with self.reading() as project:
            return alert_items(project, self.ledger, objects, language, self.now())

    def alert_standings(self) -> dict[str, Standing]:
        """How the destinations of alerts stand, by name."""
        with self.ledger.reading() as connection:
            return standings(connection)

    def reading(self) -> AbstractContextManager[Project]:
        """The project as it is now; see `Readers.reading`."""
        return self._readers.reading()

    def store(self, received: Received) -> None:
        """Write something to the log and wait until it is durable.

        Raises:
            LogError: It is not.
        """
        told: Future[LogError | None] = Future()
        if not self._writer.submit(micros_of(self.now()), received.encoded(), told.set_result):
            raise LogError("the event log cannot be written at the moment.", todo="Try again in a moment.")
        failure = told.result()
        if failure:
            raise failure

    def begin_segment(self) -> None:
        """Let the log go on in a new segment, so that everything before can be rewritten."""
        self._writer.rotate()

    def _wake(self) -> None:
        self.follower.wake()

    def _open_project(self) -> Project:
        """Open the data; whoever still reads them as they were is waited for, as the engine keeps open what is read."""
        with self._readers.nobody_reading():
            self._projects.close()
            (self.folder / DATA_FOLDER / FRESH).unlink(missing_ok=True)  # of an erasure that was cut off
            with self._rebuilding() as is_new:
                project = self._projects.enter_context(
                    open_project(
                        self.folder, environment=self.environment, memory=self._memory, loaded=self.playbook.loaded
                    )
                )
                if is_new:
                    self._rebuild(project)
                bring_in(project, self.ledger)
        return replace(project, ledger=lambda: contextlib.nullcontext(self.ledger))

    @contextlib.contextmanager
    def _rebuilding(self) -> Iterator[bool]:
        """Whether there are no data yet; if what is done inside is cut off, there are none the next time either."""
        data = self.folder / DATA_FOLDER
        begun = data / _REBUILDING
        if begun.exists():
            remove_data(data)
        is_new = not (data / DATABASE).exists()
        if is_new:
            begun.touch()
        yield is_new
        begun.unlink(missing_ok=True)

    def _rebuild(self, project: Project) -> None:
        """Read again the files that were once loaded; what else the log holds is followed as ever."""
        files = files_of(self.ledger)
        if not files:
            return
        self.rebuilt = rebuild(project, self.log, files, erased=partial(erased_of, self.ledger))
        for name in self.rebuilt.missing:
            _log.error("a loaded file cannot be read again", file=name)

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
            try:
                self.door.note_refusals(self.now())
                self.door.keys.look_again()
            except Exception as error:  # noqa: BLE001 - whatever the ledger raises, the next second comes
                _log.error("looking for new keys failed", error=str(error))

    def _stop_noting(self) -> None:
        self._stopping.set()
        self._noting.join()
        self.door.note_refusals(self.now())


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


def _tell(failure: LogError | None) -> None:
    if failure:
        _log.error("events cannot be stored", reason=failure.what)
    else:
        _log.info("events are stored again")
