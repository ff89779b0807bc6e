"""Readers of a served project's scores, beside the thread that writes them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from handraise.errors import BusyError, EngineError
from handraise.service.project import Project, scored_by
from handraise.warehouse.failures import failures_told

_READERS = 4
# Seconds that a reader waits for its turn, between two looks whether it has come, and that a reader gets to end.
_PATIENCE, _LOOK_AGAIN, _READ_OUT = 10.0, 0.05, 20.0
_AGAIN = "Try again in a moment."


class Readers:
    """A few connections, each used by one reader at a time.

    Args:
        owner: Gives the project that is written; None while it is being opened.
    """

    def __init__(self, owner: Callable[[], Project | None]) -> None:
        self._owner = owner
        self._idle: list[tuple[Project, Project]] = []
        self._places = threading.BoundedSemaphore(_READERS)

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
            reader.warehouse.steps.clear()  # nobody reads them here, and there is no end to them
            if reader.warehouse.hides_stored():
                reader.warehouse.close()  # what it copied to look at another day would be read for ever
            else:
                self._idle.append((owner, reader))
        finally:
            self._places.release()

    @contextlib.contextmanager
    def nobody_reading(self) -> Iterator[None]:
        """Inside, no reader is open, so that the data file can be opened again or exchanged; who reads for ever is left."""
        taken = sum(self._places.acquire(timeout=_READ_OUT) for _ in range(_READERS))
        try:
            self.close()
            yield
        finally:
            for _ in range(taken):
                self._places.release()

    def close(self) -> None:
        """Close those that nobody uses."""
        while idle := self._take_idle():
            idle[1].warehouse.close()

    def _take_idle(self) -> tuple[Project, Project] | None:
        with contextlib.suppress(IndexError):  # another thread may take the last one between a look and a pop
            return self._idle.pop()
        return None

    def _settled(self, exits: contextlib.ExitStack) -> tuple[Project, Project]:
        """A reader in its transaction, of scores that its own playbook made: those of another have other columns."""
        until = time.monotonic() + _PATIENCE
        while True:
            owner, reader = self._reader()
            with contextlib.ExitStack() as attempt:
                attempt.push(partial(_close_after_failure, reader))
                attempt.enter_context(failures_told())
                attempt.enter_context(reader.warehouse.transaction())
                if scored_by(reader) in {None, reader.loaded.content_hash}:
                    exits.push(attempt.pop_all())
                    return owner, reader
            reader.warehouse.close()
            if time.monotonic() > until:
                raise BusyError("everybody is being scored again.", todo=_AGAIN)
            time.sleep(_LOOK_AGAIN)

    def _reader(self) -> tuple[Project, Project]:
        """The project that is written, and a reader of it; readers of one that was opened before are no use."""
        owner = self._owner()
        if owner is None:
            raise _opening()
        while idle := self._take_idle():
            of, reader = idle
            if of is owner:
                return owner, reader
            reader.warehouse.close()
        try:
            with failures_told():
                warehouse = owner.warehouse.reader()
        except EngineError as error:  # it is being closed this moment
            raise _opening() from error
        return owner, replace(owner, warehouse=warehouse, followed=True)


def _opening() -> BusyError:
    return BusyError("the data are being opened again.", todo=_AGAIN)


def _close_after_failure(reader: Project, kind: type[BaseException] | None, *_: object) -> None:
    """What a failure left half made is in nobody's way when the connection goes with it."""
    if kind is not None:
        reader.warehouse.close()
