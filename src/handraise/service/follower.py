"""The thread that owns a served project's data: it follows the log, scores, and does what others ask of it in between."""

from __future__ import annotations

import contextlib
import gc
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import structlog

from handraise.errors import BusyError, HandraiseError
from handraise.events.call_intake import Erased
from handraise.log.store import EventLog
from handraise.service.live import MOST_CALLS, Live
from handraise.service.playbook_file import PlaybookFile
from handraise.service.project import Project

T = TypeVar("T")
# Seconds between two looks when nothing comes, and the least between two micro-batches.
_IDLE, _PACE = 0.5, 0.2
# While this far behind, taking in comes before scoring, which then waits so many seconds, and so many times as long as it
# took the last time.
FAR_BEHIND, _SCORE_AT_LEAST, _SCORE_SHARE = 4 * 1024 * 1024, 2.0, 5
# Seconds between two decisions about everybody, while scores change all the time.
_DECIDE_EVERY = 0.5
# Seconds between two looks at the playbook's file.
_LOOK_EVERY = 1.0
# So many failures at one record alone, and it is set aside. A batch that fails is tried again in ever smaller parts.
_TRIES, _SMALLER = 3, 16
# Seconds that what is being done gets to end by itself when the server stops; then it is broken off, which loses nothing.
_END_WITHIN = 3.0
# How the engine begins when it says that a file cannot be trusted any more. Only the beginning counts: what follows in
# other errors may be what somebody sent.
_DAMAGED = re.compile(
    r"IO Error: Corrupt database file|IO Error: Could not read enough bytes from file|Serialization Error: Failed to deserialize"
    r'|IO Error: The file "[^"]*" exists, but it is not a valid DuckDB|Corrupt database file'
)
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What somebody wants done with the project, and what with its files once it is closed."""

    work: Callable[[Project], Any]
    closed: Callable[[], None] | None
    promise: Future[Any]


class Follower:
    """Runs in a thread of its own from `start` to `stop`.

    Args:
        open_project: Opens the data, to be written; called again after a failure.
        move_aside: Takes a data file that cannot be opened out of the way; returns its new name.
        log: What to follow.
        playbook: Whose scores are made.
        now: The clock.
        erased: Those of some ids and addresses whose people were erased.
    """

    def __init__(
        self,
        open_project: Callable[[], Project],
        move_aside: Callable[[], str],
        log: EventLog,
        *,
        playbook: PlaybookFile,
        now: Callable[[], datetime],
        erased: Erased,
    ) -> None:
        self._open, self._move_aside, self._event_log = open_project, move_aside, log
        self._playbook, self._now, self._erased = playbook, now, erased
        self._asked: deque[_Asked] = deque()
        self._asking = threading.Lock()
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="follower")
        self._ended = self._taking = False
        self._failures = 0
        self._most = MOST_CALLS
        self._scored = self._scoring = self._looked = self._decided = 0.0
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

    def look_at_playbook(self) -> None:
        """Look at the playbook's file as soon as can be."""
        self._looked = 0.0
        self._woken.set()

    def stop(self) -> None:
        """End after what is being done now, which is broken off when it takes long."""
        with self._asking:
            self._stopping.set()
        self._woken.set()
        self._thread.join(_END_WITHIN)
        while self._thread.is_alive():
            project = self.project
            if project:
                with contextlib.suppress(Exception):  # it is being closed this moment
                    project.warehouse.connection.interrupt()
            self._thread.join(0.1)

    def ask(self, work: Callable[[Project], T], *, patience: float | None = None) -> T:
        """Let the thread do something with the project between two micro-batches; returns what it returned.

        Args:
            work: What to do.
            patience: Seconds until it has to have begun; None = as long as it takes.

        Raises:
            BusyError: The server is stopping, or has not come to it in time; nothing was done.
        """
        return self._ask(work, None, patience)

    def ask_and_reopen(self, work: Callable[[Project], T], closed: Callable[[], None]) -> T:
        """As `ask`; then the data are closed, `closed` is called, and they are opened again. Nobody may be reading."""
        return self._ask(work, closed, None)

    def _ask(self, work: Callable[[Project], T], closed: Callable[[], None] | None, patience: float | None) -> T:
        promise: Future[T] = Future()
        with self._asking:  # what is asked after the last look at it would never be answered
            if self._ended or self._stopping.is_set():
                raise _stopping()
            self._asked.append(_Asked(work=work, closed=closed, promise=promise))
        self._woken.set()
        try:
            return promise.result(patience)
        except TimeoutError:
            if promise.cancel():
                raise BusyError("the server is busy with the data.", todo=_AGAIN) from None
            return promise.result()

    def _run(self) -> None:
        try:
            self._open_first()
        except BaseException as error:  # noqa: BLE001 - whoever started us gets it
            self._ready.set_exception(error)
            return
        self._ready.set_result(None)
        try:
            while not self._stopping.is_set():
                self._go_on()
        finally:
            self._refuse_asked()
            self._close()

    def _go_on(self) -> None:
        """Once around: what was asked, a micro-batch, and a rest."""
        started, self._taking = time.monotonic(), False
        self._woken.clear()
        try:
            if self.project is None:
                self.project = self._open()
            self._do_asked()
            self._follow_playbook()
            busy = self._step()
        except KeyboardInterrupt:  # the engine was told to break off
            return
        except Exception as error:  # noqa: BLE001 - the thread has to live on whatever the engine raises
            self._mend(error)
            return
        self._failures = 0
        self.progress.failure = ""
        if not busy:
            self._woken.wait(_IDLE)
        self._rest_until(started + _PACE)

    def _rest_until(self, end: float) -> None:
        """Let a micro-batch gather; whoever asks something does not wait for that."""
        while not (self._asked or self._stopping.is_set()) and (left := end - time.monotonic()) > 0:
            self._stopping.wait(min(left, _PACE / 10))

    def _step(self) -> bool:
        """One micro-batch; whether there was anything to do."""
        assert self.project is not None  # noqa: S101 - opened before
        live = Live(self.project, self._event_log, erased=self._erased)
        self._taking = True
        taken = live.take(self._most)
        self._taking = False
        self._most = min(self._most * 2, MOST_CALLS)
        self.progress.behind = taken.behind
        self.progress.calls += taken.calls
        self.progress.damaged += sum(one.end - one.position for one in taken.damaged)
        for one in taken.damaged:
            _log.error("log damaged", position=one.position, end=one.end)
        late = time.monotonic() - self._scored > max(_SCORE_AT_LEAST, _SCORE_SHARE * self._scoring)
        if taken.behind < FAR_BEHIND or late:
            now, begun = self._now(), time.monotonic()
            may_wait = begun - self._decided < _DECIDE_EVERY
            if live.settle(now, may_wait=may_wait):
                self._decided = self._decided if may_wait else begun
                if self.progress.scored_at is None:
                    _keep_for_good()
                self.progress.scored_at = now
            self._scored = time.monotonic()
            self._scoring = self._scored - begun
        self.project.warehouse.steps.clear()  # nobody reads them here, and there is no end to them
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
        while self._asked and not self._stopping.is_set():
            assert self.project is not None  # noqa: S101 - opened before
            asked = self._asked.popleft()
            if not asked.promise.set_running_or_notify_cancel():
                continue
            try:
                found = asked.work(self.project)
                if asked.closed:
                    self._close()
                    asked.closed()
                    self.project = self._open()
            except KeyboardInterrupt:
                asked.promise.set_exception(_stopping())
                raise
            except BaseException as error:
                asked.promise.set_exception(error)
                if self.project is None:
                    raise
            else:
                asked.promise.set_result(found)

    def _refuse_asked(self) -> None:
        with self._asking:
            self._ended = True
            while self._asked:
                self._asked.popleft().promise.set_exception(_stopping())

    def _mend(self, error: Exception) -> None:
        """Open the data again: an engine that failed once may refuse everything until then."""
        self._failures += 1
        self.progress.failures += 1
        self.progress.failure = str(error)
        _log.error("following the log failed", error=str(error), failures=self._failures)
        self._close()
        if says_damage(error):
            self._put_aside()
            return
        if self._taking and not (isinstance(error, HandraiseError) and error.retry):
            if self._most == 1 and self._failures > _TRIES and self._skip(error):
                return
            self._most = max(1, self._most // _SMALLER)
        self._stopping.wait(min(2.0**self._failures * 0.1, 5.0))

    def _skip(self, error: Exception) -> bool:
        """Set the one record aside at which everything fails again and again; whether that went well."""
        try:
            self.project = self._open()
            Live(self.project, self._event_log, erased=self._erased).set_next_aside(str(error))
        except Exception as again:  # noqa: BLE001 - then it is not the record
            _log.error("setting a record aside failed", error=str(again))
            self._close()
            return False
        return True

    def _open_first(self) -> None:
        try:
            self.project = self._open()
        except HandraiseError as error:
            if not says_damage(error):
                raise
            self._put_aside()
            self.project = self._open()

    def _put_aside(self) -> None:
        """Take a damaged data file out of the way; the next one is made from the log."""
        try:
            name = self._move_aside()
        except OSError as error:
            _log.error("a damaged data file cannot be moved aside", error=str(error))
            self._stopping.wait(_IDLE)
            return
        self.progress.moved_aside.append(name)
        _log.error("data file moved aside", file=name)

    def _close(self) -> None:
        project, self.project = self.project, None
        if project:
            with contextlib.suppress(Exception):  # a broken engine is left as it is
                project.warehouse.close()


def _keep_for_good() -> None:
    """Spare the collector what is there now: libraries and statements that were built once and stay as long as the process.

    Looking through them again and again stops every thread for more than a tenth of a second each time, and with them
    whoever waits for an answer.
    """
    gc.collect()
    gc.freeze()


def says_damage(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that the data file cannot be trusted any more."""
    seen: BaseException | None = error
    while seen is not None:
        if not isinstance(seen, HandraiseError) and _DAMAGED.match(str(seen)):
            return True
        seen = seen.__cause__
    return False


def _stopping() -> BusyError:
    return BusyError("the server is stopping.", todo=_AGAIN)
