"""The ledger itself: where it is, and how changes are made to it, all or nothing."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from handraise.errors import LedgerError
from handraise.ledger.failures import failures_told
from handraise.ledger.postgres import postgres_engine
from handraise.ledger.sqlite import Turns, sqlite_engine
from handraise.ledger.upgrade import bring_up_to_date

FILE_NAME = "ledger.sqlite"
POSTGRES_SCHEMA = "handraise_ledger"
PATIENCE = 30.0  # seconds
_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_POSTGRES = {"postgresql", "postgres", "postgresql+psycopg"}


class Ledger:
    """What was promised and sent, kept in a SQLite file or in Postgres; safe to use from several threads.

    Functions of this package take the connection that `transaction` or `reading` gives, so that the caller says what
    belongs together.

    Args:
        engine: The connections.
        where: For messages.
        file: The SQLite file; None = Postgres.
        patience: Seconds to wait while somebody else is writing.
    """

    def __init__(self, engine: Engine, *, where: str, file: Path | None, patience: float) -> None:
        """Use `Ledger.open`."""
        self.file = file
        self._engine = engine
        self.where = where
        self._turns = Turns(file, patience) if file else None
        self._mine = threading.local()

    @classmethod
    def open(cls, place: str | Path, *, schema: str = POSTGRES_SCHEMA, patience: float = PATIENCE) -> Ledger:
        """Open a ledger, make it if it is not there, and bring an older one to the present schema.

        Args:
            place: A file, or the address of a Postgres database (`postgresql://user@host/database`).
            schema: The ledger's schema in Postgres.
            patience: Seconds to wait while somebody else is writing.

        Raises:
            LedgerError: It cannot be reached or written, is damaged, is not a ledger, or is newer than this version.
        """
        ledger = cls.connect(place, schema=schema, patience=patience)
        try:
            with ledger.transaction() as connection:
                bring_up_to_date(connection, ledger.where)
        except BaseException:
            ledger.close()
            raise
        return ledger

    @classmethod
    def connect(cls, place: str | Path, *, schema: str = POSTGRES_SCHEMA, patience: float = PATIENCE) -> Ledger:
        """Reach the database without looking at what is in it; `open` is what you want.

        Raises:
            LedgerError: The address cannot be read, or the file cannot be made.
        """
        if not _SCHEMA_NAME.fullmatch(schema):
            raise LedgerError(
                f"{schema!r} cannot be the name of a schema.", todo="Use small letters, digits and underscores."
            )
        scheme, _, rest = str(place).partition("://")
        if isinstance(place, Path) or not rest:
            file = Path(place)
            return cls(sqlite_engine(file, patience), where=str(file), file=file, patience=patience)
        if scheme not in _POSTGRES:
            raise LedgerError(
                f"a ledger cannot be kept in {scheme!r}.", todo="Name a file, or an address that begins postgresql://."
            )
        try:
            url = make_url(str(place))
        except (ArgumentError, ValueError) as error:
            raise LedgerError("the address of the ledger's database cannot be read.") from error
        where = f"{url.host or url.query.get('host') or 'this machine'}/{url.database or ''}, schema {schema}"
        return cls(postgres_engine(url, schema, patience), where=where, file=None, patience=patience)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Make changes: all of them are kept and on the disk afterwards, or none of them.

        Raises:
            LedgerError: The database refused; nothing was kept.
            RuntimeError: This thread is inside one already: hand its connection on instead.
        """
        with self._connected(reading=False) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read one state of the ledger, whatever is written meanwhile; changes are refused.

        Raises:
            LedgerError: The database refused.
            RuntimeError: This thread is inside one already: hand its connection on instead.
        """
        with self._connected(reading=True) as connection, connection.begin():
            yield connection

    def checkpoint(self) -> None:
        """Leave nothing in the write-ahead log: what was deleted is then on no page of the files of SQLite.

        Postgres: nothing is done; what was deleted stays in its files until vacuum and its own checkpoints.

        Raises:
            LedgerError: Another process is reading; trying again can help.
        """
        if not self.file:
            return
        with (
            self._turn(writing=True),
            failures_told(self.where),
            contextlib.closing(self._engine.raw_connection()) as connection,
            contextlib.closing(connection.cursor()) as cursor,
        ):
            cursor.execute("PRAGMA query_only=OFF")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (busy, _, _) = cursor.fetchone() or (1, 0, 0)
        if busy:
            raise LedgerError("the ledger is being read.", where=self.where, todo="Try again in a moment.", retry=True)

    def close(self) -> None:
        """Close all connections."""
        with contextlib.ExitStack() as stack:
            # Closing as the last one writes, so it takes a turn. Where that does not come, we are not the last.
            with contextlib.suppress(LedgerError):
                stack.enter_context(self._turn(writing=True))
            self._engine.dispose()

    @contextlib.contextmanager
    def _connected(self, *, reading: bool) -> Iterator[Connection]:
        with self._turn(writing=not reading), failures_told(self.where), self._engine.connect() as connection:
            if not reading:
                yield connection
            elif self.file:
                yield connection.execution_options(reading=True)
            else:
                yield connection.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")

    @contextlib.contextmanager
    def _turn(self, *, writing: bool) -> Iterator[None]:
        if getattr(self._mine, "inside", False):
            raise RuntimeError("this thread is inside a transaction of the ledger: hand its connection on")
        self._mine.inside = True
        try:
            with self._turns.turn(writing=writing) if self._turns else contextlib.nullcontext():
                yield
        finally:
            self._mine.inside = False
