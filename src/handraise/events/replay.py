"""Take rows out of quarantine: try them again under the present rules; what is still bad stays, with its line."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from handraise.errors import InputError
from handraise.events.call_intake import FORMAT as CALL
from handraise.events.formats.batches import Batch, Broken, text_batch
from handraise.events.intake import FileCount, Origin, load_again, load_one_again
from handraise.events.registry import CANONICAL
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.tables import INPUTS, Renames

ROWS_AT_ONCE = 20_000


def replay_quarantine(warehouse: Warehouse, *, renames: Renames) -> list[FileCount]:
    """Load every quarantined row of a file once more, file by file; `read` counts the rows tried.

    Calls of tracking libraries are tried by `call_replay`.
    """
    kept = warehouse.table("quarantine")
    kept = kept.filter(kept.format.fill_null(CANONICAL) != CALL)
    rows = warehouse.rows(kept.order_by("input", "file", "line"))
    places = rows.select(["input", "file", "format", "format_table"])
    done = []
    for found in places.group_by(places.column_names).aggregate([]).sort_by("input").to_pylist():
        same = functools.reduce(pc.and_, (_equal(places[name], value) for name, value in found.items()))
        origin = _origin(found)
        batches = _batches(rows.filter(same), _columns(found["input"], origin))
        done.append(load_again(warehouse, found["input"], origin, batches, renames=renames))
    return done


def replay_row(warehouse: Warehouse, row: dict[str, Any], raw: str, *, renames: Renames) -> FileCount:
    """Load one quarantined row of a file once more, as somebody put it right.

    Args:
        warehouse: Where it goes.
        row: The row of quarantine.
        raw: What is to be tried instead: a JSON object of the file's columns.
        renames: As in `replay_quarantine`.

    Raises:
        InputError: `raw` is not that.
    """
    origin = _origin(row)
    batch = _batch([{**row, "raw": _mended(raw)}], _columns(row["input"], origin))
    return load_one_again(warehouse, row["input"], origin, batch, line=row["line"], renames=renames)


def _mended(raw: str) -> str:
    """A row that somebody wrote, in the shape in which quarantine keeps rows."""
    try:
        found = json.loads(raw)
        kept = {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}
        mended = json.dumps({name: value for name, value in kept.items() if value != "null"}, ensure_ascii=False)
        mended.encode()
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputError(_NO_ROW, where="raw", todo=_ROW_TODO) from error
    names = [name.strip().casefold() for name in kept]
    if not kept or len(set(names)) < len(names) or not all(names) or any(name.startswith("_") for name in names):
        raise InputError(_NO_ROW, where="raw", todo=_ROW_TODO)
    return mended


_NO_ROW = "this is not a row of the file."
_ROW_TODO = "Send the row's `raw` back with the mistake mended: a JSON object, column → value, each column once."


def _equal(column: pa.ChunkedArray, value: str | None) -> pa.ChunkedArray:
    return pc.is_null(column) if value is None else pc.fill_null(pc.equal(column, value), fill_value=False)


def _batches(rows: pa.Table, required: list[str]) -> Iterator[Batch]:
    """In portions, as each row becomes Python objects on its way."""
    for part in rows.combine_chunks().to_batches(max_chunksize=ROWS_AT_ONCE):
        yield _batch(part.to_pylist(), required)


def _origin(row: dict[str, Any]) -> Origin:
    # Rows that were set aside before formats were known are canonical.
    return Origin(file=row["file"], format=row["format"] or CANONICAL, table=row["format_table"] or row["input"])


def _columns(name: str, origin: Origin) -> list[str]:
    return _required(name) if origin.format == CANONICAL else []


def _required(name: str) -> list[str]:
    """Columns that the file had, or it would not have been read; a cell that was empty is not in the kept row."""
    needed = (option if isinstance(option, tuple) else (option,) for option in INPUTS[name].required)
    return [column for options in needed for column in options]


def _batch(rows: list[dict[str, Any]], required: list[str]) -> Batch:
    documents = [(row, json.loads(row["raw"])) for row in rows]
    broken = tuple(
        Broken(line=row["line"], reason=row["reason"], raw=document["_text"])
        for row, document in documents
        if "_text" in document
    )
    readable = [(row["line"], document) for row, document in documents if "_text" not in document]
    columns = list(dict.fromkeys([*required, *(name for _, document in readable for name in document)]))
    values = [[_text(document.get(name)) for _, document in readable] for name in columns]
    return Batch(rows=text_batch(columns, values, [line for line, _ in readable]), broken=broken, done=1.0)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
