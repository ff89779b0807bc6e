"""Take rows out of quarantine: try them again under the present rules; what is still bad stays, with its line."""

from __future__ import annotations

import json
from typing import Any

from handraise.events.formats.batches import Batch, Broken, text_batch
from handraise.events.intake import FileCount, Origin, load_again
from handraise.events.registry import CANONICAL
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.tables import INPUTS, Renames


def replay_quarantine(warehouse: Warehouse, *, renames: Renames) -> list[FileCount]:
    """Load every quarantined row once more, file by file; `read` counts the rows tried."""
    rows = warehouse.rows(warehouse.table("quarantine").order_by("input", "file", "line")).to_pylist()
    files: dict[tuple[str, Origin], list[dict[str, Any]]] = {}
    for row in rows:
        files.setdefault((row["input"], _origin(row)), []).append(row)
    return [
        load_again(warehouse, name, origin, _batch(kept, _columns(name, origin)), renames=renames)
        for (name, origin), kept in files.items()
    ]


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
