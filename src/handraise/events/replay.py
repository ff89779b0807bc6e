"""Take rows out of quarantine: try them again under the present rules; what is still bad stays, with its line."""

from __future__ import annotations

import json
from typing import Any

from handraise.events.formats.batches import Batch, Broken, text_batch
from handraise.events.intake import FileCount, Renames, load_batch
from handraise.warehouse.engine import Warehouse


def replay_quarantine(warehouse: Warehouse, *, renames: Renames) -> list[FileCount]:
    """Load every quarantined row once more, file by file; `read` counts the rows tried."""
    rows = warehouse.rows(warehouse.table("quarantine").order_by("input", "file", "line")).to_pylist()
    files: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        files.setdefault((row["input"], row["file"]), []).append(row)
    return [
        load_batch(warehouse, name, file, _batch(kept), names=renames.get(name, {}))
        for (name, file), kept in files.items()
    ]


def _batch(rows: list[dict[str, Any]]) -> Batch:
    documents = [(row, json.loads(row["raw"])) for row in rows]
    broken = tuple(
        Broken(line=row["line"], reason=row["reason"], raw=document["_text"])
        for row, document in documents
        if "_text" in document
    )
    readable = [(row["line"], document) for row, document in documents if "_text" not in document]
    columns = list(dict.fromkeys(name for _, document in readable for name in document))
    values = [[_text(document.get(name)) for _, document in readable] for name in columns]
    return Batch(rows=text_batch(columns, values, [line for line, _ in readable]), broken=broken, done=1.0)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
