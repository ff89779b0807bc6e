"""CSV, read so that every row keeps its line number and one broken quote costs one line, not the file."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import IO

import pyarrow as pa

from handraise.errors import InputError
from handraise.events.formats.batches import ROWS_PER_BATCH, Batch, Broken, text_batch

# A quoted field may run over lines (a JSON value, an address). One that never ends is a broken quote: after so
# many lines its first line is set aside and reading goes on with the next.
MAX_LINES_PER_ROW = 200
MAX_CHARS_PER_ROW = 16 * 1024 * 1024
Record = tuple[int, str]
_QUOTED_FIELD = re.compile(r'(?:(?<=^)|(?<=,))"(?:[^"]|"")*"(?=,|\r?\n?\Z)')
_OPENING = re.compile(r'(?:^|,)"')


def read_csv(stream: IO[str], *, name: str, share_read: Callable[[], float]) -> Iterator[Batch]:
    """Batches of a CSV file with a header line.

    Args:
        stream: Decoded text, undecodable bytes as surrogates, newlines untouched.
        name: What errors call the file.
        share_read: Share of the file read so far, 0–1.

    Raises:
        InputError: There is no header line, or a column name stands in it twice.
    """
    csv.field_size_limit(MAX_CHARS_PER_ROW)
    broken: list[Broken] = []
    records = _records(stream, broken)
    header = _header_of(next(records, None), name)
    records_of_batch: list[Record] = []
    yielded = False
    for record in records:
        records_of_batch.append(record)
        if len(records_of_batch) >= ROWS_PER_BATCH:
            yield _batch(header, records_of_batch, broken, share_read())
            yielded = True
            records_of_batch, broken[:] = [], []
    if records_of_batch or broken or not yielded:
        yield _batch(header, records_of_batch, broken, 1.0)


def read_header(stream: IO[str], name: str) -> list[str]:
    """Column names of a CSV file.

    Raises:
        InputError: There is no header line that can be read.
    """
    csv.field_size_limit(MAX_CHARS_PER_ROW)
    return _header_of(next(_records(stream, []), None), name)


def _records(stream: IO[str], broken: list[Broken]) -> Iterator[Record]:
    """(first line number, text) of each row; a row goes on while a quote is open."""
    waiting: list[Record] = []
    number = 0
    while True:
        if waiting:
            line_number, line = waiting.pop(0)
        else:
            number, line, line_number = number + 1, stream.readline(MAX_CHARS_PER_ROW), number + 1
            if not line:
                return
        if not _leaves_open(line):
            if line.strip("\r\n"):
                yield line_number, line
            continue
        parts, more, number = _until_quote_closes(stream, line, waiting, number)
        if parts is None:
            broken.append(
                Broken(line=line_number, reason="a quote is opened and never closed", raw=line.rstrip("\r\n"))
            )
            waiting = more
        else:
            waiting = more
            yield line_number, parts


def _leaves_open(text: str) -> bool:
    """Whether a quoted field is still open at the end; a quote inside an unquoted field is an ordinary sign."""
    if text.count('"') % 2 == 0:
        return False
    return _OPENING.search(_QUOTED_FIELD.sub("", text)) is not None


def _until_quote_closes(
    stream: IO[str], line: str, waiting: list[Record], number: int
) -> tuple[str | None, list[Record], int]:
    """The whole row, or None and the lines that were looked at and must be read again."""
    looked: list[Record] = []
    text, size = [line], len(line)
    while len(looked) < MAX_LINES_PER_ROW and size < MAX_CHARS_PER_ROW:
        if waiting:
            following = waiting.pop(0)
        else:
            content = stream.readline(MAX_CHARS_PER_ROW)
            if not content:
                break
            number += 1
            following = (number, content)
        looked.append(following)
        text.append(following[1])
        size += len(following[1])
        if '"' in following[1] and not _leaves_open("".join(text)):
            return "".join(text), waiting, number
    return None, looked + waiting, number


def _header_of(record: Record | None, name: str) -> list[str]:
    if record is None:
        raise InputError("the file is empty.", where=name, todo="A CSV file starts with a line of column names.")
    header = [column.strip() for column in _one(record[1].lstrip("\ufeff"))]
    if not header or any(_has_surrogate(column) for column in header):
        raise InputError("the header line cannot be read.", where=f"{name}:1", todo="Save the file as UTF-8 text.")
    twice = {column for column in header if header.count(column) > 1}
    if twice:
        raise InputError(
            f"the column {sorted(twice)[0]!r} stands in the header twice.",
            where=f"{name}:1",
            todo="Rename one of them.",
        )
    return header


def _batch(header: list[str], records: list[Record], broken: list[Broken], done: float) -> Batch:
    lines, rows = _split(records, len(header), broken)
    columns: list[list[str | None]] = (
        [[value or None for value in column] for column in zip_longest(*rows)] if rows else [[] for _ in header]
    )
    return Batch(rows=_encodable(header, columns, lines, broken), broken=tuple(broken), done=done)


def _split(records: list[Record], width: int, broken: list[Broken]) -> tuple[list[int], list[list[str]]]:
    """Fields of each row; a row of another width than the header is broken."""
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        parsed = list(csv.reader(text for _, text in records))
    except csv.Error:
        parsed = []
    if len(parsed) != len(records):  # a row is no CSV, or a stray carriage return split it: one by one
        parsed = [_one(text) for _, text in records]
    for (line, text), row in zip(records, parsed, strict=True):
        if len(row) == width:
            lines.append(line)
            rows.append(row)
        else:
            reason = (
                f"the row has {len(row)} fields, the header has {width}" if row else "the row cannot be read as CSV"
            )
            broken.append(Broken(line=line, reason=reason, raw=text.rstrip("\r\n")))
    return lines, rows


def _one(text: str) -> list[str]:
    try:
        found = list(csv.reader([text]))
    except csv.Error:
        return []
    return found[0] if len(found) == 1 else []


def _encodable(header: list[str], columns: list[list[str | None]], lines: list[int], broken: list[Broken]) -> pa.Table:
    """Arrow columns; rows with bytes that are not UTF-8 are set aside when there are any."""
    try:
        return text_batch(header, columns, lines)
    except UnicodeEncodeError:
        keep = []
        for index, line in enumerate(lines):
            row = [column[index] or "" for column in columns]
            if any(_has_surrogate(value) for value in row):
                raw = ",".join(row).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
                broken.append(Broken(line=line, reason="the row is not valid UTF-8 text", raw=raw))
            else:
                keep.append(index)
        return text_batch(header, [[column[i] for i in keep] for column in columns], [lines[i] for i in keep])


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in value)
