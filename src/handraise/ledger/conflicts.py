"""Rows that may be there already, and numbers that nobody else gets: the same on SQLite and Postgres."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, Table, update
from sqlalchemy.dialects import postgresql, sqlite

from handraise.ledger.schema import counters


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> Row[Any] | None:
    """Add a row unless one with the same key is there; also when two do it at once.

    Returns:
        The row as stored, with what the database filled in; None = there was one already.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).values(**values).on_conflict_do_nothing().returning(*table.columns)
    row: Row[Any] | None = connection.execute(statement).one_or_none()
    return row


def next_number(connection: Connection, counter: str) -> int:
    """Raise a counter and return its new value; others who want one wait until this transaction ends."""
    raised = update(counters).where(counters.c.name == counter).values(value=counters.c.value + 1)
    return int(connection.execute(raised.returning(counters.c.value)).scalar_one())
