"""One warehouse in memory for many bad files."""

from collections.abc import Iterator

import pytest

from handraise.service.project import Project
from support import memory_project


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    """A project whose tables `take_in` empties before each load."""
    with memory_project() as opened:
        yield opened
