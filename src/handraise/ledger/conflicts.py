"""Rows that may be there already, and numbers that nobody else gets: the same on SQLite and Postgres."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, update
from sqlalchemy.dialects import postgresql, sqlite

from handraise.ledger.schema import counters


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row[Any]]:
    """Add rows, except those whose key is there already; also when two do it at once.

    Returns:
        The rows that were added, with what the database filled in, in any order.
    """
    if not rows:
        return []
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table).on_conflict_do_nothing().returning(*table.columns)
    return connection.execute(statement, rows).all()


def next_number(connection: Connection, counter: str) -> int:
    """Raise a counter and return its new value; others who want one wait until this transaction ends."""
    raised = update(counters).where(counters.c.name == counter).values(value=counters.c.value + 1)
    return int(connection.execute(raised.returning(counters.c.value)).scalar_one())
