"""NDJSON: one JSON object a line. Values become text; objects and lists stay JSON text.

A file that is one JSON list of objects, or whose objects run over lines, is read as well.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import IO

import msgspec
import pyarrow as pa

from handraise.errors import InputError
from handraise.events.formats.batches import (
    CHARS_PER_BATCH,
    KEPT_OF_LONGER,
    LONGEST_ROW,
    NUL,
    ROWS_PER_BATCH,
    Batch,
    Broken,
    text_batch,
    too_long,
)
from handraise.events.formats.json_document import elements, is_document

_DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)


_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_ndjson(stream: IO[bytes], *, name: str, share_read: Callable[[], float]) -> Iterator[Batch]:
    """Batches of an NDJSON file, or of a JSON document that lists objects; blank lines are passed over.

    Args:
        stream: The bytes of the file.
        name: What errors call the file.
        share_read: Share of the file read so far, 0–1.

    Raises:
        InputError: The file is not UTF-8 text.
    """
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    broken: list[Broken] = []
    columns: dict[str, None] = {}
    size = 0
    for number, text in _objects(stream, name):
        size += len(text)
        row = _row_or_broken(number, text)
        if isinstance(row, Broken):
            broken.append(row)
        else:
            columns.update(dict.fromkeys(row))
            rows.append(row)
            lines.append(number)
        if len(rows) + len(broken) >= ROWS_PER_BATCH or size >= CHARS_PER_BATCH:
            yield Batch(rows=_table(columns, rows, lines), broken=tuple(broken), done=share_read())
            rows, lines, broken, size = [], [], [], 0
    yield Batch(rows=_table(columns, rows, lines), broken=tuple(broken), done=1.0)


def ndjson_columns(stream: IO[bytes], most: int) -> tuple[str, ...]:
    """Keys of the first objects, `most` of them; what is no object is passed over."""
    columns: dict[str, None] = {}
    for number, text in itertools.islice(_objects(stream, ""), most):
        row = _row_or_broken(number, text)
        if not isinstance(row, Broken):
            columns.update(dict.fromkeys(row))
    return tuple(columns)


def _objects(stream: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """(number, bytes) of what should be one object each; the number is that of the line, in a list that of the object."""
    number, first = 1, stream.readline(LONGEST_ROW + 1)
    if first.startswith(_UTF_16):
        raise InputError("the file is UTF-16 text.", where=name, todo="Save the file as UTF-8 text.")
    first = first.removeprefix(b"\xef\xbb\xbf") or stream.readline(LONGEST_ROW + 1)
    while first and not first.strip():
        number, first = number + 1, stream.readline(LONGEST_ROW + 1)
    if is_document(first):
        # Many objects may share a line, and rows are known by their number: here it is their place in the list.
        return enumerate(elements(stream, first, name), start=1)
    return _lines(stream, first, number)


def _lines(stream: IO[bytes], line: bytes, number: int) -> Iterator[tuple[int, bytes]]:
    while line:
        if line.strip():
            yield number, line
        while len(line) > LONGEST_ROW and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_ROW + 1)
            if len(line) <= LONGEST_ROW:
                break
        line = stream.readline(LONGEST_ROW + 1)
        number += 1


def _row_or_broken(number: int, text: bytes) -> dict[str, str] | Broken:
    if len(text) > LONGEST_ROW:
        return too_long(number, text[:KEPT_OF_LONGER].decode("utf-8", "replace"))
    try:
        row = _row(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raw = text.decode("utf-8", "replace").strip("\r\n")
        return Broken(line=number, reason=f"the line is not a JSON object ({error})", raw=raw)
    if b"\\u0000" in text and any("\0" in value for value in row.values()):
        return Broken(line=number, reason=NUL, raw=text.decode("utf-8", "replace").strip("\r\n"))
    return row


def _row(line: bytes) -> dict[str, str]:
    try:
        raw = _DECODER.decode(line)
        found = {key: _as_text(value) for key, value in raw.items()}
    except msgspec.DecodeError:
        # Real exports hold NaN, Infinity and lone surrogates, which the strict parser refuses.
        document = json.loads(line, parse_constant=lambda _: None)
        if not isinstance(document, dict):
            raise
        found = {_encodable(str(key)): _lenient_text(value) for key, value in document.items()}
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
    return _encodable(text) or None


def _encodable(text: str) -> str:
    """A text without lone surrogates, which no file and no engine can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _table(columns: dict[str, None], rows: list[dict[str, str]], lines: list[int]) -> pa.Table:
    return text_batch(list(columns), [[row.get(column) for row in rows] for column in columns], lines)
