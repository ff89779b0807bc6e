"""Load a file written in a test, and look at what became of its rows."""

from pathlib import Path
from typing import Any

from handraise.events.intake import FileCount
from handraise.service.project import Project
from support import load_folder

HEAD = "event_id,person_id,name,timestamp"
GOOD = "1,p,open,2026-10-01T10:00:00Z"
# A row that is refused, and how its reason starts.
BAD = {
    "an id is missing": (",p,open,2026-10-01", "event_id is missing"),
    "an id of spaces": ("  ,p,open,2026-10-01", "event_id is missing"),
    "nobody did it": ("1,,open,2026-10-01", "person_id or anonymous_id is missing"),
    "no name": ("1,p,,2026-10-01", "name is missing"),
    "no time": ("1,p,open,", "timestamp is missing"),
    "no such month": ("1,p,open,2026-13-01", "timestamp is not an ISO-8601 time between 1970 and 2199: 2026-13-01"),
    "no such day": ("1,p,open,2026-02-30T00:00:00Z", "timestamp is not"),
    "an epoch": ("1,p,open,1790000000", "timestamp is not"),
    "another calendar": ("1,p,open,10/01/2026", "timestamp is not"),
    "before computers": ("1,p,open,1969-12-31", "timestamp is not"),
    "a broken clock": ("1,p,open,2200-01-01", "timestamp is not"),
    "words": ("1,p,open,yesterday", "timestamp is not"),
    "no such hour": ("1,p,open,2026-10-01T25:00:00", "timestamp is not"),
    "too few fields": ("1,p,open", "the row has 3 fields, the header has 4"),
    "too many fields": ("1,p,open,2026-10-01,more", "the row has 5 fields, the header has 4"),
    "a quote that never closes": ('1,p,"open,2026-10-01', "a quote is opened and never closed"),
}


def load_text(project: Project, folder: Path, text: str | bytes, name: str = "events.csv") -> FileCount:
    """Write and load a file; its counts add up, and quarantine has the rows that it should."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    [count] = load_folder(project, path)
    assert count.read == count.loaded + count.duplicate + count.quarantined
    assert aside(project, path) == count.quarantined
    return count


def aside(project: Project, path: Path) -> int:
    """Rows of a file that were set aside."""
    rows = project.warehouse.table("quarantine")
    return project.warehouse.count(rows.filter(rows.file == str(path)))


def stored(project: Project, table: str = "events") -> list[dict[str, Any]]:
    """The rows of an input, in the order of its first column."""
    rows = project.warehouse.table(table)
    return project.warehouse.rows(rows.order_by(rows[rows.columns[0]])).to_pylist()


def reasons(project: Project) -> list[tuple[int, str]]:
    """Line and reason of every row that was set aside."""
    rows = project.warehouse.table("quarantine")
    return [(r["line"], r["reason"]) for r in project.warehouse.rows(rows.order_by("line")).to_pylist()]
