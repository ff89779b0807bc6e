"""What a reader hands on: a bounded number of rows as Arrow columns, and the lines it could not read."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

ROWS_PER_BATCH = 200_000
LINE = "_line"


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """A line that is no row.

    Attributes:
        line: Line number in the file, from 1.
        reason: What is wrong with it, for a person.
        raw: The line itself, so that nothing is lost.
    """

    line: int
    reason: str
    raw: str


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows of one file.

    Attributes:
        rows: Text or timestamp columns under their names in the file, and `_line`.
        broken: Lines that could not be read as rows.
        done: Share of the file read so far, 0–1, for progress.
    """

    rows: pa.Table
    broken: tuple[Broken, ...]
    done: float


def text_batch(columns: list[str], values: list[list[str | None]], lines: list[int]) -> pa.Table:
    """Arrow table of text columns; `values` holds one list for each column."""
    arrays = [pa.array(column, type=pa.string()) for column in values]
    # A column of the file that has our own name for the line number is kept out of its way.
    names = [f"{column}_" if column == LINE else column for column in columns]
    return pa.table([*arrays, pa.array(lines, type=pa.int64())], names=[*names, LINE])
