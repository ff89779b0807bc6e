"""The ledger in one SQLite file: synced at each commit, one connection for all threads, one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event

from handraise.errors import LedgerError
from handraise.ledger.failures import cannot_be_written, damaged, waited_too_long

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
)


class Turns:
    """Who may use the file: one thread of this process, and one process for writing.

    SQLite before 3.51.3 can spoil the write-ahead log when two connections write and checkpoint at the same instant
    (https://sqlite.org/wal.html#walresetbug). SQLite's own lock is given back before a commit's checkpoint, so writers
    also hold a lock of ours until that is over.

    Args:
        path: The ledger's file.
        patience: Seconds to wait for a turn.
    """

    def __init__(self, path: Path, patience: float) -> None:
        """Nobody has a turn yet."""
        self._patience = patience
        self._where = str(path)
        self._lock_path = path.with_name(path.name + ".lock")
        self._threads = threading.Lock()

    @contextlib.contextmanager
    def turn(self, *, writing: bool) -> Iterator[None]:
        """Be the only one inside.

        Raises:
            LedgerError: The turn did not come in time; trying again can help.
        """
        if not self._threads.acquire(timeout=self._patience):
            raise waited_too_long(self._where)
        try:
            with self._only_process() if writing else contextlib.nullcontext():
                yield
        finally:
            self._threads.release()

    @contextlib.contextmanager
    def _only_process(self) -> Iterator[None]:
        try:
            descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise cannot_be_written(error, self._lock_path) from error
        try:
            self._wait_for(descriptor)
            yield
        finally:
            os.close(descriptor)  # which gives the lock back

    def _wait_for(self, descriptor: int) -> None:
        """The system's waiting has no end of its own, so it is asked again and again."""
        until, pause = time.monotonic() + self._patience, _FIRST_PAUSE
        while True:
            try:
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise waited_too_long(self._where) from None
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)


def sqlite_engine(path: Path, patience: float) -> Engine:
    """An engine with a single connection; the file is made, readable by its owner alone, if it is not there.

    Raises:
        LedgerError: The folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _make_private(path)
    except OSError as error:
        raise cannot_be_written(error, path) from error
    engine = create_engine(
        "sqlite://",
        creator=lambda: _connect(path, patience),
        poolclass=StaticPool,
        hide_parameters=True,  # they may be secrets, and errors end up in logs
    )
    event.listen(engine, "begin", _begin)
    return engine


def _make_private(path: Path) -> None:
    # Opening a file that SQLite has open here, and closing it, would drop SQLite's locks: it is opened only when new.
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if path.is_file() and path.stat().st_mode & 0o077:
            path.chmod(0o600)


def _connect(path: Path, patience: float) -> sqlite3.Connection:
    # No isolation level: the driver would begin by itself, and too late to be the only writer.
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        answers = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "quick_check(1)")]
    except BaseException:
        connection.close()
        raise
    if answers == ["wal", "ok"]:
        return connection
    connection.close()
    if answers[0] != "wal":
        raise LedgerError(
            "the file system lets no write-ahead log be kept.", where=str(path), todo="Keep the ledger on a local disk."
        )
    raise damaged(str(answers[1]).splitlines()[-1], str(path))


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
