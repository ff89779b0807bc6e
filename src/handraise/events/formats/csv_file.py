"""CSV, read so that every row keeps its line number and one broken quote costs one line, not the file."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import IO

import pyarrow as pa

from handraise.errors import InputError
from handraise.events.formats.batches import (
    CHARS_PER_BATCH,
    LONGEST_ROW,
    NUL,
    ROWS_PER_BATCH,
    Batch,
    Broken,
    text_batch,
    too_long,
)

# A quoted field may run over lines (a JSON value, an address). One that never ends is a broken quote: after so
# many lines its first line is set aside and reading goes on with the next.
MAX_LINES_PER_ROW = 200
Record = tuple[int, str]
_OTHER_SEPARATORS = (";", "\t", "|")
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
    csv.field_size_limit(LONGEST_ROW)
    broken: list[Broken] = []
    records = _records(stream, broken)
    header = _header_of(next(records, None), name)
    records_of_batch: list[Record] = []
    yielded, size = False, 0
    for record in records:
        records_of_batch.append(record)
        size += len(record[1])
        if len(records_of_batch) + len(broken) >= ROWS_PER_BATCH or size >= CHARS_PER_BATCH:
            yield _batch(header, records_of_batch, broken, share_read())
            yielded, size = True, 0
            records_of_batch, broken[:] = [], []
    if records_of_batch or broken or not yielded:
        yield _batch(header, records_of_batch, broken, 1.0)


def read_header(stream: IO[str], name: str) -> list[str]:
    """Column names of a CSV file.

    Raises:
        InputError: There is no header line that can be read.
    """
    csv.field_size_limit(LONGEST_ROW)
    return _header_of(next(_records(stream, []), None), name)


def _records(stream: IO[str], broken: list[Broken]) -> Iterator[Record]:
    """(first line number, text) of each row; a row goes on while a quote is open."""
    lines = _lines(stream, broken)
    waiting: list[Record] = []
    while record := waiting.pop(0) if waiting else next(lines, None):
        number, line = record
        if not _leaves_open(line):
            if line.strip("\r\n"):
                yield record
            continue
        whole, waiting = _until_quote_closes(lines, line, waiting)
        if whole is None:
            broken.append(Broken(line=number, reason="a quote is opened and never closed", raw=line.rstrip("\r\n")))
        else:
            yield number, whole


def _lines(stream: IO[str], broken: list[Broken]) -> Iterator[Record]:
    """Numbered lines; one that is too long for any row is passed over to its end."""
    number = 0
    while line := stream.readline(LONGEST_ROW):
        number += 1
        if len(line) == LONGEST_ROW and _pass_over_rest(stream, line):
            broken.append(too_long(number, line))
        else:
            yield number, line


def _pass_over_rest(stream: IO[str], line: str) -> bool:
    """Read to the end of a line that was cut; whether there was more of it."""
    more = False
    while line and not line.endswith("\n"):
        line = stream.readline(LONGEST_ROW)
        more = more or bool(line)
    return more


def _leaves_open(text: str) -> bool:
    """Whether a quoted field is still open at the end; a quote inside an unquoted field is an ordinary sign."""
    if text.count('"') % 2 == 0:
        return False
    return _OPENING.search(_QUOTED_FIELD.sub("", text)) is not None


def _until_quote_closes(lines: Iterator[Record], line: str, waiting: list[Record]) -> tuple[str | None, list[Record]]:
    """The whole row, or None; and the lines that were looked at and must be read again."""
    looked: list[Record] = []
    text, size = [line], len(line)
    while len(looked) < MAX_LINES_PER_ROW and size < LONGEST_ROW:
        following = waiting.pop(0) if waiting else next(lines, None)
        if following is None:
            break
        looked.append(following)
        text.append(following[1])
        size += len(following[1])
        if '"' in following[1] and not _leaves_open("".join(text)):
            return "".join(text), waiting
    return None, looked + waiting


_HEADER_TODO = "A CSV file starts with a line of column names."
_ZIP = "PK\x03\x04"


def _header_of(record: Record | None, name: str) -> list[str]:
    if record is None:
        raise InputError("the file is empty.", where=name, todo=_HEADER_TODO)
    line = record[1].lstrip("\ufeff")
    if not line.strip():
        raise InputError("the first line is empty.", where=f"{name}:1", todo=_HEADER_TODO)
    if line.startswith(_ZIP):
        raise InputError("this is a zip archive.", where=name, todo="Unpack it and load the files in it.")
    header = [column.strip() for column in _one(line)]
    if not header or any(_has_surrogate(column) or "\0" in column for column in header):
        raise InputError("the header line cannot be read.", where=f"{name}:1", todo="Save the file as UTF-8 text.")
    twice = {column for column in header if column and header.count(column) > 1}
    other = [sign for sign in _OTHER_SEPARATORS if sign in header[0]]
    if len(header) == 1 and other:
        raise InputError(
            f"the columns are separated by {other[0]!r}.", where=f"{name}:1", todo="Save the file with commas."
        )
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
        if "\0" in text:
            broken.append(Broken(line=line, reason=NUL, raw=text.rstrip("\r\n")))
        elif len(row) == width:
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
