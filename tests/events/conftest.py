"""One warehouse for many small files."""

from collections.abc import Iterator

import pytest

from handraise.service.project import Project
from support import memory_project


@pytest.fixture(scope="module")
def shared() -> Iterator[Project]:
    """One warehouse; each test empties it."""
    with memory_project() as project:
        yield project


@pytest.fixture
def project(shared: Project) -> Project:
    """The warehouse without a row."""
    for name in ("events", "people", "accounts", "limits", "quarantine", "dirty_days", "input_columns", "facts"):
        shared.warehouse.empty(name)
    return shared
