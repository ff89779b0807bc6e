"""Load bad files, and hold what has to be true of every one of them."""

import json
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from handraise.errors import EngineError, HandraiseError
from handraise.events.intake import PASSED_OVER
from handraise.scores import history
from handraise.service import project as projects
from handraise.service.aside import replay
from handraise.service.project import Loaded, Project
from handraise.service.refresh import score_as_of
from handraise.warehouse.tables import INPUTS
from support import T, export_bytes

# What people, vendors and attackers put into a cell.
NASTY: tuple[Any, ...] = (
    "'; DROP TABLE events; --",
    'a"b\\c',
    "select",
    "$1 {x} {{y}} %s",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    "\U0001f600\u200d\U0001f469",
    "\u202e\u05e9\u05dc\u05d5\u05dd",
    "\ud800",
    "\0",
    "a\x1fb\r\nc",
    "",
    "  ",
    None,
    True,
    -1,
    2**70,
    1e300,
    float("nan"),
    float("inf"),
    [],
    {"a": [{"b": None}]},
    "[" * 60,
    '{"a":',
    '["x", "y"]',
    "null",
    "0001-01-01",
    "9999-12-31T23:59:59Z",
    "2026-10-01T10:00:00+05:30",
    "2026-02-30",
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a load: counts, or the words it was refused with."""

    counts: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    reasons: list[tuple[int, str]] = field(default_factory=list)
    refused: str = ""


def emptied(project: Project) -> Project:
    """The project without a row of anything."""
    for name in (*INPUTS, "quarantine", "dirty_days", "input_columns", "facts"):
        project.warehouse.empty(name)
    history.make_tables(project.warehouse)
    return project


def take_in(project: Project, files: dict[str, str | bytes], *, score: bool = False) -> Outcome:
    """Load files into an emptied project; whatever they hold, nothing is lost and nothing breaks.

    Any error but a refusal in words fails the test that calls this, and so does an engine's.
    """
    emptied(project)
    folder = Path(tempfile.mkdtemp())
    try:
        _write(folder, files)
        try:
            loaded = projects.load(project, [folder])
        except EngineError:
            raise
        except HandraiseError as refusal:
            return Outcome(refused=str(refusal))
        _adds_up(project, loaded)
        reasons = _reasons(project)
        _again_changes_nothing(project, folder, loaded)
        _replay_keeps_everything(project)
        if score:
            score_as_of(project.warehouse, project.loaded, [T - timedelta(days=7), T])
            assert set(export_bytes(project)) == {"people", "accounts", "receipt"}
        return Outcome(counts=_sums(loaded), reasons=reasons)
    finally:
        shutil.rmtree(folder)


def _write(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))


def _adds_up(project: Project, loaded: Loaded) -> None:
    for count in loaded.counts:
        if count.input != PASSED_OVER:
            assert count.read == count.loaded + count.duplicate + count.quarantined
        assert min(count.loaded, count.duplicate, count.quarantined, count.passed_over) >= 0
    quarantine = project.warehouse.table("quarantine")
    assert project.warehouse.count(quarantine) == sum(count.quarantined for count in loaded.counts)


def _sums(loaded: Loaded) -> dict[str, tuple[int, int, int, int]]:
    found: dict[str, tuple[int, int, int, int]] = {}
    for count in loaded.counts:
        new = (count.read, count.loaded, count.duplicate, count.quarantined)
        old = found.get(count.input, (0, 0, 0, 0))
        found[count.input] = (old[0] + new[0], old[1] + new[1], old[2] + new[2], old[3] + new[3])
    return found


def _reasons(project: Project) -> list[tuple[int, str]]:
    rows = project.warehouse.table("quarantine").select("line", "reason", "input").order_by("line", "input", "reason")
    return [(row["line"], row["reason"]) for row in project.warehouse.rows(rows).to_pylist()]


def _again_changes_nothing(project: Project, folder: Path, first: Loaded) -> None:
    again = projects.load(project, [folder])
    assert sum(count.loaded for count in again.counts) == 0
    assert [count.quarantined for count in again.counts] == [count.quarantined for count in first.counts]


def _replay_keeps_everything(project: Project) -> None:
    aside = project.warehouse.count(project.warehouse.table("quarantine"))
    tried = replay(project)
    left = project.warehouse.count(project.warehouse.table("quarantine"))
    assert sum(count.read for count in tried) == aside
    assert left + sum(count.loaded + count.duplicate for count in tried) == aside


def ndjson(rows: list[dict[str, Any]]) -> str:
    """Rows as NDJSON, with NaN and lone surrogates as careless writers put them."""
    return "".join(json.dumps(row) + "\n" for row in rows)
