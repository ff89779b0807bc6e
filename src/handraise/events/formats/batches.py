"""What a reader hands on: a bounded number of rows as Arrow columns, and the lines it could not read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from handraise.errors import InputError

ROWS_PER_BATCH = 200_000
# A batch ends earlier when its rows are long, so that memory does not follow their size.
CHARS_PER_BATCH = 128 * 1024 * 1024
# The longest row of a text file; of a longer one only the beginning is kept, in quarantine.
LONGEST_ROW = 16 * 1024 * 1024
KEPT_OF_LONGER = 1_000
# Engines and systems behind them disagree on what follows such a character.
NUL = "the row has a NUL character"
LINE = "_line"

# Batches are stored together until they are this large: enough rows to be worth a statement, few enough for memory.
ROWS_PER_LOT = 2_000_000
BYTES_PER_LOT = 256 * 1024 * 1024


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

    @property
    def kept(self) -> str:
        """What quarantine keeps of it: JSON in ASCII, so that bytes which are no text survive as escapes."""
        return json.dumps({"_text": self.raw})


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


def in_lots(batches: Iterable[Batch], progress: Callable[[float], object]) -> Iterator[Batch]:
    """The same rows in larger batches; at least one, so that an empty file is seen too."""
    waiting: list[Batch] = []
    try:
        for batch in batches:
            waiting.append(batch)
            rows, size = sum(b.rows.num_rows for b in waiting), sum(b.rows.nbytes for b in waiting)
            if rows >= ROWS_PER_LOT or size >= BYTES_PER_LOT:
                yield _together(waiting)
                waiting = []
            progress(batch.done)
    except InputError:
        if waiting:  # the file breaks off here; what was read before is stored
            yield _together(waiting)
        raise
    if waiting:
        yield _together(waiting)


def _together(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    # Lines of NDJSON need not have the same keys; those that a batch lacks are NULL in it.
    rows = pa.concat_tables([batch.rows for batch in batches], promote_options="default")
    broken = tuple(line for batch in batches for line in batch.broken)
    return Batch(rows=rows, broken=broken, done=batches[-1].done)


def text_batch(columns: list[str], values: list[list[str | None]], lines: list[int]) -> pa.Table:
    """Arrow table of text columns; `values` holds one list for each column."""
    arrays = [pa.array(column, type=pa.string()) for column in values]
    return pa.table([*arrays, pa.array(lines, type=pa.int64())], names=[*distinct_names(columns), LINE])


def distinct_names(columns: list[str]) -> list[str]:
    """Names that differ in more than capitals, as engines want it; the spelling in small letters keeps its name.

    A column without a name is called after its place, and one that has our own name for the line number gives way.
    """
    taken = {LINE, *(column for column in columns if column == column.lower())} - {""}
    found, used = [], {LINE}
    for place, column in enumerate(columns, start=1):
        name = column or f"column {place}"
        own = name == name.lower() and column not in {LINE, ""}
        while name.lower() in used or (not own and name.lower() in taken):
            name += "_"
        used.add(name.lower())
        found.append(name)
    return found


def too_long(line: int, beginning: str) -> Broken:
    """A row that is longer than any row may be."""
    reason = f"the row is longer than {LONGEST_ROW // 1024**2} MiB; only its beginning is kept here"
    return Broken(line=line, reason=reason, raw=beginning[:KEPT_OF_LONGER])
