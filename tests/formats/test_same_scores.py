"""The same events through any format give the same scores, to the byte."""

from datetime import date
from pathlib import Path

import pytest

from formats.writers import WRITERS, write_as
from handraise.simulate import simulate
from support import export_bytes, load_folder, memory_project, scores

END = date(2026, 10, 28)


@pytest.fixture(scope="module")
def canonical(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated company."""
    folder = tmp_path_factory.mktemp("canonical")
    simulate(folder, accounts=12, days=45, seed=5, end=END)
    return folder


@pytest.fixture(scope="module")
def expected(canonical: Path) -> tuple[int, dict[str, bytes]]:
    """How many events there are, and the exports from the canonical files."""
    return _loaded(canonical)


def _loaded(folder: Path) -> tuple[int, dict[str, bytes]]:
    with memory_project() as project:
        counts = load_folder(project, folder)
        assert [count for count in counts if count.quarantined] == []
        scores(project, END)
        return project.warehouse.count(project.warehouse.table("events")), export_bytes(project)


@pytest.mark.parametrize("name", WRITERS)
def test_scores_of_a_format_are_those_of_the_canonical_files(
    name: str, canonical: Path, expected: tuple[int, dict[str, bytes]], tmp_path: Path
) -> None:
    events, exports = _loaded(write_as(name, canonical, tmp_path / name))
    assert events == expected[0]
    assert exports == expected[1]
    assert exports["people"].count(b"\n") > 20
