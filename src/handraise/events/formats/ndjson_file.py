"""NDJSON: one JSON object a line. Values become text; objects and lists stay JSON text."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import IO

import msgspec
import pyarrow as pa

from handraise.events.formats.batches import ROWS_PER_BATCH, Batch, Broken, text_batch

MAX_BYTES_PER_LINE = 16 * 1024 * 1024
_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


def read_ndjson(stream: IO[bytes], *, share_read: Callable[[], float]) -> Iterator[Batch]:
    """Batches of an NDJSON file; blank lines are passed over.

    Args:
        stream: The bytes of the file.
        share_read: Share of the file read so far, 0–1.
    """
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    broken: list[Broken] = []
    columns: dict[str, None] = {}
    number = 0
    while line := stream.readline(MAX_BYTES_PER_LINE):
        number += 1
        if not line.strip():
            continue
        try:
            row = _row(line)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raw = line.decode("utf-8", "replace").rstrip("\r\n")
            broken.append(Broken(line=number, reason=f"the line is not a JSON object ({error})", raw=raw))
            continue
        columns.update(dict.fromkeys(row))
        rows.append(row)
        lines.append(number)
        if len(rows) >= ROWS_PER_BATCH:
            yield Batch(rows=_table(columns, rows, lines), broken=tuple(broken), done=share_read())
            rows, lines, broken = [], [], []
    yield Batch(rows=_table(columns, rows, lines), broken=tuple(broken), done=1.0)


def ndjson_columns(stream: IO[bytes], most: int) -> tuple[str, ...]:
    """Keys of the first lines, `most` of them; lines that are no object are passed over."""
    columns: dict[str, None] = {}
    for _ in range(most):
        line = stream.readline(MAX_BYTES_PER_LINE)
        if not line:
            break
        with contextlib.suppress(msgspec.DecodeError, ValueError, RecursionError):
            columns.update(dict.fromkeys(_row(line)))
    return tuple(columns)


def _row(line: bytes) -> dict[str, str]:
    try:
        raw = _DECODER.decode(line)
        found = {key: _as_text(value) for key, value in raw.items()}
    except msgspec.DecodeError:
        # Real exports hold NaN, Infinity and lone surrogates, which the strict parser refuses.
        document = json.loads(line, parse_constant=lambda _: None)
        if not isinstance(document, dict):
            raise
        found = {str(key): _lenient_text(value) for key, value in document.items()}
    return {key: value for key, value in found.items() if value is not None}


def _as_text(value: msgspec.Raw) -> str | None:
    content = bytes(value)
    if content.startswith(b'"'):
        return _TEXT.decode(content) or None
    return None if content == b"null" else content.decode("utf-8")


def _lenient_text(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8") or None


def _table(columns: dict[str, None], rows: list[dict[str, str]], lines: list[int]) -> pa.Table:
    return text_batch(list(columns), [[row.get(column) for row in rows] for column in columns], lines)
