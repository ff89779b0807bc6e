"""Group commit: whatever waits is written together and synced once, so that being durable costs next to nothing."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from handraise.errors import LogError
from handraise.log.store import EventLog

# Of bytes that wait for the disk; more is refused before it takes memory.
MOST_WAITING = 32 * 1024 * 1024
_GROUP = 4 * 1024 * 1024
_PAUSE = 0.5

Done = Callable[[LogError | None], None]


@dataclass(frozen=True, slots=True)
class _Waiting:
    received_at: int
    payload: bytes
    done: Done


class GroupWriter:
    """The one thread that writes the log, and another that prepares segments for it.

    Args:
        log: Written by nobody else from now on.
        most_waiting: Bytes that may wait to be written.
        told: Called with each failure, and with None when writing works again.
        wrote: Called whenever the log has more; must not block.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        most_waiting: int = MOST_WAITING,
        told: Callable[[LogError | None], None] = lambda _: None,
        wrote: Callable[[], None] = lambda: None,
    ) -> None:
        self._log, self._most, self._told, self._wrote = log, most_waiting, told, wrote
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._rotations: list[Future[None]] = []
        self._failure: LogError | None = None
        self._prepare = threading.Event()
        self._threads = [
            threading.Thread(target=self._write_on, name="log writer"),
            threading.Thread(target=self._prepare_on, name="log segments"),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def failure(self) -> LogError | None:
        """Why nothing can be stored at the moment; None when it can."""
        return self._failure

    @property
    def waiting(self) -> int:
        """Bytes that wait to be written."""
        return self._bytes

    def submit(self, received_at: int, payload: bytes, done: Done) -> bool:
        """Hand over a record; `done` is called from the writer's thread with None once it is durable, or with the error.

        Args:
            received_at: Microseconds since 1970, UTC.
            payload: What to store.
            done: Must not block.

        Returns:
            False when too much is waiting already, or the log cannot be written; then `done` is never called.
        """
        with self._changed:
            if self._stopping or self._failure or self._bytes + len(payload) > self._most:
                return False
            self._waiting.append(_Waiting(received_at, payload, done))
            self._bytes += len(payload)
            self._changed.notify()
        return True

    def rotate(self) -> None:
        """Let the next record begin a new segment; returns when it will.

        Raises:
            LogError: The log cannot be written at the moment.
        """
        closed: Future[None] = Future()
        with self._changed:
            if self._stopping:
                raise LogError("the event log is being closed.")
            self._rotations.append(closed)
            self._changed.notify()
        closed.result()

    def close(self) -> None:
        """Write what waits, then stop and seal; where that fails, the next start does it."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._threads[0].join()
        self._prepare.set()
        self._threads[1].join()
        try:
            self._log.close()
        except LogError as error:
            self._told(error)

    def _write_on(self) -> None:
        while True:
            group = self._take()
            self._close_segment()
            if not group:
                if self._stopping:
                    return
                continue
            try:
                self._log.append([(one.received_at, one.payload) for one in group])
            except Exception as error:  # noqa: BLE001 - without this thread everybody would wait for ever
                self._fail(group, _as_ours(error))
                self._reopen()
                continue
            _tell_all(group, None)
            self._wrote()
            self._prepare.set()

    def _take(self) -> list[_Waiting]:
        """The next group; empty when the writer is to stop, or to begin a new segment."""
        with self._changed:
            while not (self._waiting or self._stopping or self._rotations):
                self._changed.wait()
            group, size = [], 0
            while self._waiting and size < _GROUP:
                group.append(self._waiting.popleft())
                size += len(group[-1].payload)
            self._bytes -= size
            return group

    def _close_segment(self) -> None:
        with self._changed:
            asked, self._rotations = self._rotations, []
        for one in asked:
            try:
                self._log.close_segment()
                one.set_result(None)
            except Exception as error:  # noqa: BLE001 - whoever asked gets it
                one.set_exception(_as_ours(error))

    def _fail(self, group: list[_Waiting], error: LogError) -> None:
        with self._changed:
            self._failure = error
            group += self._waiting
            self._waiting.clear()
            self._bytes = 0
        _tell_all(group, error)
        self._told(error)

    def _reopen(self) -> None:
        """Try until the log can be written again; meanwhile everything is refused, and segments can still be closed."""
        while not self._stopping:
            try:
                self._log.reopen()
            except Exception:  # noqa: BLE001 - it is tried again
                self._close_segment()
                time.sleep(_PAUSE)
                continue
            self._failure = None
            self._told(None)
            return

    def _prepare_on(self) -> None:
        while not self._stopping:
            self._prepare.wait()
            self._prepare.clear()
            if not self._stopping:
                self._log.prepare()


def _as_ours(error: Exception) -> LogError:
    return error if isinstance(error, LogError) else LogError(f"the event log cannot be written ({error}).")


def _tell_all(group: list[_Waiting], error: LogError | None) -> None:
    """Tell everybody; who is gone by now keeps nobody else from being told, and the writer from going on."""
    for one in group:
        with contextlib.suppress(Exception):
            one.done(error)
