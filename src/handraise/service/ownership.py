"""Which process serves a project: a lock that ends with the process, and a file that says where it answers."""

from __future__ import annotations

import contextlib
import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from handraise.errors import BusyError

_LOCK, _FILE = "server.lock", "server.json"


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """The server of a project.

    Attributes:
        pid: Its process.
        address: Where it answers, such as http://127.0.0.1:8321.
        token: Lets whoever may read this file speak for the person at the keyboard.
        since: When it started, ISO-8601.
    """

    pid: int
    address: str
    token: str
    since: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to serve a project, held until `release` or the end of the process."""

    folder: Path
    lock: IO[bytes]

    def announce(self, owner: Owner) -> None:
        """Let other processes find the server; only the same user may read it."""
        unfinished = self.folder / f"{_FILE}.unfinished"
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(msgspec.json.encode(owner))
        unfinished.replace(self.folder / _FILE)

    def release(self) -> None:
        """Give the right back."""
        (self.folder / _FILE).unlink(missing_ok=True)
        self.lock.close()


def claim(folder: Path) -> Claim:
    """Take the right to serve a project; `folder` is its data folder.

    Raises:
        BusyError: Another process serves it; the message names it.
    """
    lock = (folder / _LOCK).open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise _taken(folder, _read(folder)) from error
    return Claim(folder=folder, lock=lock)


def check_is_free(folder: Path) -> None:
    """Refuse at once where a server has said that it has the project; `folder` is its data folder.

    Raises:
        BusyError: It has; the message names it.
    """
    owner = owner_of(folder)
    if owner:
        raise _taken(folder, owner)


def _taken(folder: Path, owner: Owner | None) -> BusyError:
    named = f" (process {owner.pid}, at {owner.address}, since {owner.since})" if owner else ""
    return BusyError(
        f"another server has this project{named}.",
        where=str(folder),
        todo="Use that one, or stop it and run this again.",
    )


def owner_of(folder: Path) -> Owner | None:
    """Who serves a project now; None when nobody does, or the server has not said yet where it answers."""
    path = folder / _LOCK
    if not path.exists():
        return None
    with path.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _read(folder)
    return None


def _read(folder: Path) -> Owner | None:
    with contextlib.suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=Owner)
    return None
