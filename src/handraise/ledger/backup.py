"""A copy of the ledger as it is at one instant, made while it is used."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from handraise.errors import LedgerError
from handraise.ledger.failures import cannot_be_written, failures_told
from handraise.ledger.store import Ledger


def backup_to(ledger: Ledger, path: Path) -> int:
    """Copy a SQLite ledger into a new file, whole or not at all; writing goes on meanwhile.

    `Ledger.open` opens the copy. It holds the key of the suppression list and the hashes of all keys, so it is made
    readable by its owner alone.

    Args:
        ledger: Which.
        path: The new file.

    Returns:
        Bytes written.

    Raises:
        LedgerError: The file is there already or cannot be written, or the ledger is in Postgres.
    """
    if ledger.file is None:
        raise LedgerError("the ledger is in Postgres, which makes its own copies.", todo="Use `pg_dump`.")
    if path.exists():
        raise LedgerError("the file is there already.", where=str(path), todo="Name another file.")
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        with failures_told(str(path)):
            os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _copy(ledger.file, unfinished)
        _sync(unfinished)
        unfinished.rename(path)
        _sync(path.parent)
    except OSError as error:
        raise cannot_be_written(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
    return path.stat().st_size


def _copy(source: Path, target: Path) -> None:
    """Through a connection that only reads, so that the ledger's own is free to write."""
    with (
        contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as reader,
        contextlib.closing(sqlite3.connect(target)) as writer,
    ):
        # In one step: between steps, each write would make it begin anew.
        reader.backup(writer, pages=-1)
        # One file, which can be moved without another beside it.
        writer.execute("PRAGMA journal_mode=DELETE")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
