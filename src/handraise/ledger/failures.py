"""What the databases refuse, said in the ledger's words, and whether the same call can work later."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import exc

from handraise.errors import LedgerError

_NO_ROOM = ("database or disk is full", "disk i/o error")
_SOMEBODY_ELSE = ("database is locked", "database table is locked")
_DAMAGED = ("file is not a database", "malformed", "unsupported file format")
# Classes and codes of SQLSTATE: resources lacking, connection gone, server going down, two transactions in each
# other's way, a lock not had in time. https://www.postgresql.org/docs/current/errcodes-appendix.html
_LATER = ("53", "08", "57P", "40", "55P03")


@contextlib.contextmanager
def failures_told(where: str) -> Iterator[None]:
    """Let whatever the database refuses inside come out as an error of ours.

    Raises:
        LedgerError: Something was refused. Values of the statement are never quoted: they may be secrets.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise _told(error.orig or error, where, gone=error.connection_invalidated) from error
    except exc.TimeoutError as error:
        raise _busy("all connections to the ledger are in use", where) from error
    except sqlite3.Error as error:
        raise _told(error, where) from error


def _told(error: BaseException, where: str, *, gone: bool = False) -> LedgerError:
    # Postgres quotes values from the second line on.
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    state = getattr(error, "sqlstate", None)
    if any(words in reason.lower() for words in _NO_ROOM) or state == "53100":
        return LedgerError(
            f"there is no room for the change ({reason}); nothing of it was kept.",
            where=where,
            todo="Make room on the disk, then try again.",
            retry=True,
        )
    if any(words in reason.lower() for words in _SOMEBODY_ELSE):
        return _busy("somebody else is writing to the ledger", where)
    if any(words in reason.lower() for words in _DAMAGED):
        return damaged(reason, where)
    # A server that cannot be reached has no SQLSTATE.
    if gone or (state or "").startswith(_LATER) or (state is None and not isinstance(error, sqlite3.Error)):
        return LedgerError(
            f"the ledger's database does not answer or could not finish ({reason}).",
            where=where,
            todo="Check that it runs, then try again.",
            retry=True,
        )
    return LedgerError(f"the ledger refused a change ({reason}); nothing of it was kept.", where=where)


def _busy(what: str, where: str) -> LedgerError:
    return LedgerError(f"{what}.", where=where, todo="Try again in a moment.", retry=True)


def damaged(reason: str, where: str) -> LedgerError:
    """The error for a file that is no ledger, or no longer a whole one."""
    return LedgerError(
        f"the file is damaged, or is no ledger ({reason}).",
        where=where,
        todo="Put it aside and bring back the latest backup.",
    )


def waited_too_long(where: str) -> LedgerError:
    """The error for a turn that did not come in time."""
    return _busy("somebody else has been writing to the ledger for too long", where)


def cannot_be_written(error: OSError, path: Path) -> LedgerError:
    """The error for a file that the system does not let us write."""
    room = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    todo = "Make room on the disk, then try again." if room else "Give yourself the right to, or choose another place."
    return LedgerError(f"the file cannot be written ({error.strerror}).", where=str(path), todo=todo, retry=room)
