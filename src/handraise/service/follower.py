"""The thread that owns a served project's data: it follows the log, scores, and does what others ask of it in between."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import structlog

from handraise.errors import BusyError, HandraiseError, ProjectError
from handraise.events.call_intake import Erased
from handraise.log.store import EventLog
from handraise.service.live import MOST_CALLS, Live
from handraise.service.project import Project

T = TypeVar("T")
# Seconds between two looks when nothing comes, and the least between two micro-batches.
_IDLE, _PACE = 0.5, 0.2
# While this far behind, taking in comes before scoring, which then waits so many seconds at most.
_FAR_BEHIND, _SCORE_AT_LEAST = 4 * 1024 * 1024, 2.0
_TRIES = 3
_log = structlog.get_logger()


@dataclass(kw_only=True)
class Progress:
    """How the follower is doing, for whoever watches.

    Attributes:
        behind: Bytes of the log that are still to be taken in.
        calls: Calls taken in since the start.
        scored_at: When scores were last brought up to date.
        failure: What it could not do, the last time it tried; empty when all is well.
        moved_aside: Data files that were damaged and made anew from the log.
    """

    behind: int = 0
    calls: int = 0
    scored_at: datetime | None = None
    failure: str = ""
    moved_aside: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What somebody wants done with the project, and what with its files afterwards."""

    work: Callable[[Project], Any]
    closed: Callable[[], None] | None
    promise: Future[Any]


class Follower:
    """Runs in a thread of its own from `start` to `stop`.

    Args:
        open_project: Opens the data, to be written; called again after a failure.
        move_aside: Takes a data file that cannot be opened out of the way; returns its new name.
        log: What to follow.
        now: The clock.
        erased: Those of some ids and addresses whose people were erased.
    """

    def __init__(
        self,
        open_project: Callable[[], Project],
        move_aside: Callable[[], str],
        log: EventLog,
        *,
        now: Callable[[], datetime],
        erased: Erased,
    ) -> None:
        self._open, self._move_aside, self._event_log = open_project, move_aside, log
        self._now, self._erased = now, erased
        self._woken = threading.Event()
        self._asked: deque[_Asked] = deque()
        self._stopping = threading.Event()
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="follower")
        self._failures = 0
        self._taking = False
        self._scored = 0.0
        self.progress = Progress()
        self.project: Project | None = None

    def start(self) -> None:
        """Open the data and begin; returns when the project can be read.

        Raises:
            HandraiseError: The project cannot be opened.
        """
        self._thread.start()
        self._ready.result()

    def wake(self) -> None:
        """There is something to do: the log has more."""
        self._woken.set()

    def stop(self) -> None:
        """End after what is being done now."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()

    def ask(self, work: Callable[[Project], T]) -> T:
        """Let the thread do something with the project between two micro-batches; returns what it returned.

        Raises:
            BusyError: The server is stopping.
        """
        return self._ask(work, None)

    def ask_and_reopen(self, work: Callable[[Project], T], closed: Callable[[], None]) -> T:
        """As `ask`; then the data are closed, `closed` is called, and they are opened again. Nobody may be reading."""
        return self._ask(work, closed)

    def _ask(self, work: Callable[[Project], T], closed: Callable[[], None] | None) -> T:
        if self._stopping.is_set():
            raise BusyError("the server is stopping.", todo="Run the command again in a moment.")
        promise: Future[T] = Future()
        self._asked.append(_Asked(work=work, closed=closed, promise=promise))
        self._woken.set()
        return promise.result()

    def _run(self) -> None:
        try:
            self._reopen()
        except BaseException as error:  # noqa: BLE001 - whoever started us gets it
            self._ready.set_exception(error)
            return
        self._ready.set_result(None)
        while not self._stopping.is_set():
            started = time.monotonic()
            self._woken.clear()
            try:
                self._do_asked()
                busy = self._step()
                self._failures = 0
                self.progress.failure = ""
            except Exception as error:  # noqa: BLE001 - the thread has to live on whatever the engine raises
                self._mend(error)
                continue
            if not busy:
                self._woken.wait(_IDLE)
            self._rest_until(started + _PACE)
        self._do_asked()
        if self.project:
            self.project.warehouse.close()

    def _rest_until(self, end: float) -> None:
        """Let a micro-batch gather; whoever asks something does not wait for that."""
        while not (self._asked or self._stopping.is_set()) and (left := end - time.monotonic()) > 0:
            self._stopping.wait(min(left, _PACE / 10))

    def _step(self) -> bool:
        """One micro-batch; whether there was anything to do."""
        assert self.project is not None  # noqa: S101 - opened before
        live = Live(self.project, self._event_log, erased=self._erased)
        self._taking = True
        taken = live.take(1 if self._failures else MOST_CALLS)
        self._taking = False
        self.progress.behind = taken.behind
        self.progress.calls += taken.calls
        for one in taken.damaged:
            _log.error("log damaged", position=one.position, end=one.end)
        late = time.monotonic() - self._scored > _SCORE_AT_LEAST
        if taken.behind < _FAR_BEHIND or late:
            now = self._now()
            if live.settle(now):
                self.progress.scored_at = now
            self._scored = time.monotonic()
        return bool(taken.calls or taken.behind)

    def _do_asked(self) -> None:
        assert self.project is not None  # noqa: S101 - opened before
        while self._asked:
            asked = self._asked.popleft()
            try:
                found = asked.work(self.project)
                if asked.closed:
                    self._reopen(asked.closed)
            except BaseException as error:  # noqa: BLE001 - whoever asked gets it
                asked.promise.set_exception(error)
            else:
                asked.promise.set_result(found)

    def _mend(self, error: Exception) -> None:
        """Open the data again: an engine that failed once may refuse everything until then."""
        self._failures += 1
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

    def _reopen(self, closed: Callable[[], None] = lambda: None) -> None:
        if self.project:
            self.project.warehouse.close()
            self.project = None
        closed()
        self.project = self._open()
