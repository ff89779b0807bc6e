"""The ledger in a Postgres database: a schema of its own, and a pool that notices connections that are gone."""

from __future__ import annotations

import contextlib
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event

from handraise.errors import LedgerError

_DRIVER = "postgresql+psycopg"


def postgres_engine(url: URL, schema: str, patience: float) -> Engine:
    """An engine whose plain table names mean those of the schema, which is made if it is not there.

    Raises:
        LedgerError: The driver is not installed.
    """
    try:
        engine = create_engine(
            url.set(drivername=_DRIVER),
            pool_pre_ping=True,
            pool_timeout=patience,
            hide_parameters=True,  # they may be secrets, and errors end up in logs
        )
    except ModuleNotFoundError as error:
        raise LedgerError(
            "the driver for Postgres is not installed.", todo="Run `pip install 'handraise[postgres]'`."
        ) from error

    def prepare(connection: Any, _: object) -> None:
        connection.autocommit = True
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET client_min_messages = warning")
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{patience * 1000:.0f}ms"])
        if connection.execute("SELECT to_regnamespace(%s)", [f'"{schema}"']).fetchone() == (None,):
            _make_schema(connection, schema)
        connection.execute("SELECT set_config('search_path', %s, false)", [f'"{schema}"'])
        connection.autocommit = False

    # Before SQLAlchemy's own questions: it asks once which schema plain names mean.
    event.listen(engine, "connect", prepare, insert=True)
    return engine


def _make_schema(connection: Any, schema: str) -> None:
    """IF NOT EXISTS alone is no help when two come at once: the second would fail instead of waiting."""
    with contextlib.closing(connection.cursor()) as cursor, connection.transaction():
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"handraise schema {schema}"])
        cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
