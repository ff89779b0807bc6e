"""The thread that owns a served project's data: it follows the log, scores, and does what others ask of it in between."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import structlog

from handraise.errors import BusyError, HandraiseError, ProjectError
from handraise.log.store import EventLog
from handraise.service.live import MOST_CALLS, Live
from handraise.service.playbook_file import PlaybookFile
from handraise.service.project import Project

T = TypeVar("T")
# Seconds between two looks when nothing comes, and the least between two micro-batches.
_IDLE, _PACE = 0.5, 0.2
# While this far behind, taking in comes before scoring, which then waits so many seconds at most.
FAR_BEHIND, _SCORE_AT_LEAST = 4 * 1024 * 1024, 2.0
# Seconds between two looks at the playbook's file.
_LOOK_EVERY = 1.0
_TRIES = 3
_AGAIN = "Try again in a moment."
_log = structlog.get_logger()


@dataclass(kw_only=True)
class Progress:
    """How the follower is doing, for whoever watches.

    Attributes:
        behind: Bytes of the log that are still to be taken in.
        calls: Calls taken in since the start.
        scored_at: When scores were last brought up to date.
        failure: What it could not do, the last time it tried; empty when all is well.
        failures: How often something failed since the start.
        damaged: Bytes of the log that could not be read since the start.
        moved_aside: Data files that were damaged and made anew from the log.
    """

    behind: int = 0
    calls: int = 0
    scored_at: datetime | None = None
    failure: str = ""
    failures: int = 0
    damaged: int = 0
    moved_aside: list[str] = field(default_factory=list)


class Follower:
    """Runs in a thread of its own from `start` to `stop`.

    Args:
        open_project: Opens the data, to be written; called again after a failure.
        move_aside: Takes a data file that cannot be opened out of the way; returns its new name.
        log: What to follow.
        playbook: Whose scores are made.
        wait: Blocks for so many seconds, or until the log has more.
        now: The clock.
    """

    def __init__(
        self,
        open_project: Callable[[], Project],
        move_aside: Callable[[], str],
        log: EventLog,
        *,
        playbook: PlaybookFile,
        wait: Callable[[float], object],
        now: Callable[[], datetime],
    ) -> None:
        self._open, self._move_aside, self._event_log = open_project, move_aside, log
        self._playbook, self._wait, self._now = playbook, wait, now
        self._asked: deque[tuple[Callable[[Project], Any], Future[Any]]] = deque()
        self._asking = threading.Lock()
        self._stopping = threading.Event()
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="follower")
        self._failures = 0
        self._taking = False
        self._scored = self._looked = 0.0
        self.progress = Progress()
        self.project: Project | None = None

    def start(self) -> None:
        """Open the data and begin; returns when the project can be read.

        Raises:
            HandraiseError: The project cannot be opened.
        """
        self._thread.start()
        self._ready.result()

    def stop(self) -> None:
        """End after what is being done now."""
        with self._asking:
            self._stopping.set()
        self._thread.join()

    def ask(self, work: Callable[[Project], T], *, patience: float | None = None) -> T:
        """Let the thread do something with the project between two micro-batches; returns what it returned.

        Args:
            work: What to do.
            patience: Seconds until it has to have begun; None = as long as it takes.

        Raises:
            BusyError: The server is stopping, or has not come to it in time; nothing was done.
        """
        promise: Future[T] = Future()
        with self._asking:  # what is asked after the last look at it would never be answered
            if self._stopping.is_set():
                raise BusyError("the server is stopping.", todo=_AGAIN)
            self._asked.append((work, promise))
        try:
            return promise.result(patience)
        except TimeoutError:
            if promise.cancel():
                raise BusyError("the server is busy with the data.", todo=_AGAIN) from None
            return promise.result()

    def look_at_playbook(self) -> None:
        """Look at the playbook's file as soon as can be."""
        self._looked = 0.0

    def _run(self) -> None:
        try:
            self._reopen()
        except BaseException as error:  # noqa: BLE001 - whoever started us gets it
            self._ready.set_exception(error)
            return
        self._ready.set_result(None)
        while not self._stopping.is_set():
            started, self._taking = time.monotonic(), False
            try:
                self._do_asked()
                self._follow_playbook()
                busy = self._step()
                self._failures = 0
                self.progress.failure = ""
            except Exception as error:  # noqa: BLE001 - the thread has to live on whatever the engine raises
                self._mend(error)
                continue
            rest = _PACE - (time.monotonic() - started)
            if not busy:
                self._wait(_IDLE)
            if rest > 0:
                self._stopping.wait(rest)
        if self.project:
            self._do_asked()
            self.project.warehouse.close()
        for _, promise in self._asked:
            promise.set_exception(BusyError("the server is stopping.", todo=_AGAIN))

    def _step(self) -> bool:
        """One micro-batch; whether there was anything to do."""
        assert self.project is not None  # noqa: S101 - opened before
        live = Live(self.project, self._event_log)
        self._taking = True
        taken = live.take(1 if self._failures else MOST_CALLS)
        self._taking = False
        self.progress.behind = taken.behind
        self.progress.calls += taken.calls
        self.progress.damaged += sum(one.end - one.position for one in taken.damaged)
        for one in taken.damaged:
            _log.error("log damaged", position=one.position, end=one.end)
        late = time.monotonic() - self._scored > _SCORE_AT_LEAST
        if taken.behind < FAR_BEHIND or late:
            now = self._now()
            if live.settle(now):
                self.progress.scored_at = now
            self._scored = time.monotonic()
        return bool(taken.calls or taken.behind)

    def _follow_playbook(self) -> None:
        """Use what the playbook's file says by now; whoever reads sees the old scores until the new ones are made."""
        assert self.project is not None  # noqa: S101 - opened before
        if time.monotonic() - self._looked < _LOOK_EVERY:
            return
        self._looked = time.monotonic()
        loaded = self._playbook.look()
        if loaded is None:
            return
        project, now = replace(self.project, loaded=loaded), self._now()
        try:
            if Live(project, self._event_log).settle(now):
                self.progress.scored_at = now
        except Exception as error:
            self._playbook.cannot_use(error)
            raise
        self._playbook.use(loaded)
        self.project = project
        _log.info("playbook changed", playbook=loaded.content_hash)

    def _do_asked(self) -> None:
        assert self.project is not None  # noqa: S101 - opened before
        while self._asked:
            work, promise = self._asked.popleft()
            if not promise.set_running_or_notify_cancel():
                continue
            try:
                promise.set_result(work(self.project))
            except BaseException as error:  # noqa: BLE001 - whoever asked gets it
                promise.set_exception(error)

    def _mend(self, error: Exception) -> None:
        """Open the data again: an engine that failed once may refuse everything until then."""
        self._failures += 1
        self.progress.failures += 1
        self.progress.failure = str(error)
        _log.error("following the log failed", error=str(error), failures=self._failures)
        hopeless = self._taking and not (isinstance(error, HandraiseError) and error.retry)
        if hopeless and self._failures > _TRIES and self._skip(error):
            return
        self._stopping.wait(min(2.0**self._failures * 0.1, 5.0))
        try:
            self._reopen()
        except HandraiseError as again:
            self.progress.failure = str(again)
            if isinstance(again, ProjectError):
                self.progress.moved_aside.append(self._move_aside())
                _log.error("data file moved aside", file=self.progress.moved_aside[-1])

    def _skip(self, error: Exception) -> bool:
        """Set the one record aside at which everything fails again and again; whether that went well."""
        try:
            self._reopen()
            assert self.project is not None  # noqa: S101 - just opened
            Live(self.project, self._event_log).set_next_aside(str(error))
        except Exception as again:  # noqa: BLE001 - then it is not the record
            _log.error("setting a record aside failed", error=str(again))
            return False
        return True

    def _reopen(self) -> None:
        if self.project:
            self.project.warehouse.close()
            self.project = None
        self.project = self._open()
