"""A company that briefs and drafts are made of; tests that change something of it put it back."""

from collections.abc import Iterator

import pytest

from handraise.service.project import open_project
from service.selling_company import Company, begin, decided


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Decided as of T; account → its handoff."""
    folder = tmp_path_factory.mktemp("selling")
    begin(folder / "p", folder / "files")
    with open_project(folder / "p") as project:
        yield project, decided(project, folder / "files")
