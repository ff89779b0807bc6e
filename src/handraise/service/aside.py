"""What was set aside: looked through, and put right one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from handraise.errors import InputError, NotFoundError
from handraise.events.call_intake import FORMAT as CALL
from handraise.events.call_intake import Erased
from handraise.events.call_replay import aside_call, replay_calls, take_again
from handraise.events.calls.names import names_in
from handraise.events.intake import FileCount
from handraise.events.replay import replay_quarantine, replay_row
from handraise.service.project import LOAD_MEMORY, Project, refuse_files, renames_of
from handraise.warehouse.functions import any_of

Place = tuple[str, str, int]
# Characters; whole bodies can be in quarantine, and a list has hundreds of rows.
RAW_SHOWN = 4_000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows of quarantine are wanted.

    Attributes:
        input: Of this input only.
        format: Of files of this format only; `call` = what tracking libraries sent.
        source: What this source sent only.
        file: Of this file only.
    """

    input: str | None = None
    format: str | None = None
    source: str | None = None
    file: str | None = None


@dataclass(frozen=True, kw_only=True)
class Mended:
    """What became of a row that somebody put right.

    Attributes:
        outcome: accepted, duplicate or quarantined.
        row: The row that is in quarantine now; None = none is.
    """

    outcome: str
    row: dict[str, Any] | None


def place_of_row(row: dict[str, Any]) -> Place:
    """Where a row stands in quarantine; no two share it."""
    return row["input"], row["file"], row["line"]


def quarantined(project: Project, limit: int) -> tuple[list[dict[str, Any]], int]:
    """The first rows that were set aside, and how many there are."""
    rows = project.warehouse.table("quarantine")
    shown = project.warehouse.rows(rows.order_by("input", "file", "line").limit(limit)).to_pylist()
    return shown, project.warehouse.count(rows)


def replay(project: Project, *, erased: Erased = lambda _: set()) -> list[FileCount]:
    """Try every row that was set aside once more, of files and of calls; `erased` = whose calls are not stored again.

    Raises:
        ProjectError: The project reads its data from a warehouse, where the rows stay and can be put right.
    """
    refuse_files(project, "load again")
    with project.warehouse.memory(LOAD_MEMORY):
        of_files = replay_quarantine(project.warehouse, renames=renames_of(project))
        return [*of_files, *replay_calls(project.warehouse, erased=erased)]


def rows_aside(
    project: Project, *, limit: int, wanted: Wanted | None = None, after: Place | None = None
) -> list[dict[str, Any]]:
    """Rows that were set aside, by input, file and line; of a long one, `raw` is the beginning (`RAW_SHOWN`).

    Args:
        project: An open project.
        limit: Rows at most.
        wanted: Which; None = all.
        after: Only rows behind this place.
    """
    rows = _chosen(project.warehouse.table("quarantine"), wanted or Wanted())
    if after:
        name, file, line = after
        further = any_of(rows.file > file, (rows.file == file) & (rows.line > line))
        rows = rows.filter(any_of(rows.input > name, (rows.input == name) & further))
    shown = rows.mutate(raw=rows.raw.left(RAW_SHOWN)).order_by("input", "file", "line").limit(limit)
    found: list[dict[str, Any]] = project.warehouse.rows(shown).to_pylist()
    return found


def _chosen(rows: ir.Table, wanted: Wanted) -> ir.Table:
    for name, value in (("input", wanted.input), ("format", wanted.format), ("file", wanted.file)):
        if value is not None:
            rows = rows.filter(rows[name] == value)
    if wanted.source is not None:
        rows = rows.filter((rows.format == CALL) & rows.file.startswith(f"log:{wanted.source}:"))
    return rows


def row_aside(project: Project, place: Place) -> dict[str, Any]:
    """One row that was set aside.

    Raises:
        NotFoundError: There is none at this place.
    """
    rows = project.warehouse.table("quarantine")
    name, file, line = place
    mine = rows.filter((rows.input == name) & (rows.file == file) & (rows.line == line))
    found = project.warehouse.rows(mine.limit(1)).to_pylist()
    if not found:
        raise NotFoundError("there is no such row in quarantine.", todo="It may have been put right since you saw it.")
    row: dict[str, Any] = found[0]
    return row


def mend(project: Project, place: Place, raw: str, *, erased: Erased) -> Mended:
    """Try a row once more as somebody put it right; what is still bad stays, as it is now.

    Args:
        project: An open project.
        place: Of the row.
        raw: What is to be tried instead.
        erased: Those of some ids and addresses whose people were erased.

    Raises:
        NotFoundError: There is no such row.
        InputError: `raw` is not a row of its kind, or names somebody who was erased.
        ProjectError: The project reads its data from a warehouse.
    """
    refuse_files(project, "load again")
    row = row_aside(project, place)
    if erased(names_in(raw.encode())):
        raise InputError("it names somebody who was erased.", where="raw", todo="Leave them out of it.")
    if row["format"] == CALL:
        [counts] = take_again(project.warehouse, [aside_call(row, raw)], erased=erased).values()
        loaded, bad = counts.accepted, counts.quarantined
    else:
        count = replay_row(project.warehouse, row, raw, renames=renames_of(project))
        loaded, bad = count.loaded or count.passed_over, count.quarantined
    if not bad:
        return Mended(outcome="accepted" if loaded else "duplicate", row=None)
    rows = project.warehouse.table("quarantine")
    mine = rows.filter((rows.file == row["file"]) & (rows.line == row["line"])).order_by("input")
    return Mended(outcome="quarantined", row=project.warehouse.rows(mine.limit(1)).to_pylist()[0])
