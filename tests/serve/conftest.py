"""Servers on projects of their own, each ended with its test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.serve.server import Server, new_project, serving


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, str]:
    """A project's folder and a write key."""
    folder = tmp_path / "project"
    return folder, new_project(folder)


@pytest.fixture
def launch() -> Iterator[Callable[..., Server]]:
    """Makes servers, and ends those that still run."""
    made: list[Server] = []

    def make(folder: Path, **how: object) -> Server:
        made.append(Server(folder, **how))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for server in made:
        if server._process:
            server.kill()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server for all tests of a module, and a write key."""
    folder = tmp_path_factory.mktemp("served") / "project"
    key = new_project(folder)
    with serving(Server(folder)) as server:
        yield server, key
