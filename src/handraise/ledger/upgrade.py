"""Which schema a ledger has, and how an older one is brought to the present one."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from handraise.errors import LedgerError
from handraise.ledger.schema import REVISIONS

_VERSIONS = "alembic_version"


def bring_up_to_date(connection: Connection, where: str, *, to: str = REVISIONS[-1]) -> None:
    """Run the revisions that are lacking, inside the caller's transaction; others who want to do the same wait.

    Args:
        connection: In a transaction that may write.
        where: The ledger, for messages.
        to: The revision to stop at.

    Raises:
        LedgerError: The ledger is newer than this version, or the tables are somebody else's.
    """
    if _revision(connection, where) == to:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended('handraise ledger ' || current_schema(), 0))")
        )
        if _revision(connection, where) == to:
            return
    # Needed only where something is lacking, and slow to import.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "handraise.ledger:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _revision(connection: Connection, where: str) -> str | None:
    """The ledger's revision; None = there is nothing yet."""
    names = inspect(connection).get_table_names()
    if not names:
        return None
    if _VERSIONS not in names:
        raise LedgerError("the database holds tables of something else.", where=where, todo="Name another place.")
    found = connection.execute(text(f"SELECT version_num FROM {_VERSIONS}")).scalar_one()  # noqa: S608 - a constant
    if found not in REVISIONS:
        raise LedgerError(
            f"the ledger was written by a newer version of handraise (schema {found}; this one knows {REVISIONS[-1]}).",
            where=where,
            todo="Install that version again, or bring back a backup made before.",
        )
    return str(found)
