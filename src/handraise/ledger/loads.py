"""The manifest of files that were handed over: which, how large, with what content, and in what order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from handraise.ledger.conflicts import next_number
from handraise.ledger.schema import loads


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedFile:
    """What is known of a file when it is handed over.

    Attributes:
        path: Where it was.
        format: What it was read as, such as `csv`.
        size: Bytes.
        sha256: Hash of its content, in hexadecimal.
    """

    path: str
    format: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """One file handed over once.

    Attributes:
        id: Number of the entry.
        sequence: Its place in the order of all, from 1 and without gaps.
        path: Where it was.
        format: What it was read as.
        size: Bytes.
        sha256: Hash of its content, in hexadecimal.
        loaded_at: When.
    """

    id: int
    sequence: int
    path: str
    format: str
    size: int
    sha256: str
    loaded_at: datetime


def note_load(connection: Connection, file: LoadedFile, *, now: datetime) -> Load:
    """Add a file to the manifest; the same file handed over again is another entry."""
    values = {
        "sequence": next_number(connection, "loads"),
        "path": file.path,
        "format": file.format,
        "size": file.size,
        "sha256": file.sha256,
        "loaded_at": now,
    }
    row = connection.execute(insert(loads).values(values).returning(*loads.columns)).one()
    return Load(**row._asdict())


def list_loads(connection: Connection, *, after: int = 0, limit: int | None = None) -> tuple[Load, ...]:
    """The manifest, in order.

    Args:
        connection: To read with.
        after: Only entries of a higher sequence; the last one of a page gives the next page.
        limit: At most so many; None = all.
    """
    wanted = select(loads).where(loads.c.sequence > after).order_by(loads.c.sequence).limit(limit)
    return tuple(Load(**row._asdict()) for row in connection.execute(wanted))
