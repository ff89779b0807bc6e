"""Parquet, in batches. Timestamps stay timestamps (UTC, microseconds); everything else becomes text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from handraise.errors import InputError
from handraise.events.formats.batches import (
    CHARS_PER_BATCH,
    LINE,
    ROWS_PER_BATCH,
    Batch,
    Broken,
    distinct_names,
)

INSTANT = pa.timestamp("us")
_YEARS_1_TO_9999 = (-62_135_596_800, 253_402_300_799)  # seconds since 1970


def read_parquet(path: Path) -> Iterator[Batch]:
    """Batches of a Parquet file; `_line` counts rows from 1.

    Raises:
        InputError: The file is not Parquet, is cut off, or has a column twice.
    """
    try:
        file = pq.ParquetFile(path)
        _refuse_twice(file.schema_arrow.names, path)
        total = max(file.metadata.num_rows, 1)
        if file.metadata.num_rows == 0:
            yield _batch(pa.table(file.schema_arrow.empty_table()), 0, 1.0)
        line = 0
        for batch in file.iter_batches(batch_size=_rows_at_once(file.metadata)):
            yield _batch(pa.Table.from_batches([batch]), line, (line + batch.num_rows) / total)
            line += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"this is not a readable Parquet file ({error}).", where=str(path), todo="Was it copied or written whole?"
        ) from error


def _rows_at_once(metadata: pq.FileMetaData) -> int:
    size: int = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    rows: int = CHARS_PER_BATCH * metadata.num_rows // max(size, 1)
    return max(1, min(ROWS_PER_BATCH, rows))


def _refuse_twice(columns: list[str], path: Path) -> None:
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise InputError(f"there are two columns {twice[0]!r}.", where=str(path), todo="Rename one of them.")


def parquet_columns(path: Path) -> tuple[str, ...]:
    """Column names of a Parquet file.

    Raises:
        InputError: The file is not Parquet, or is cut off.
    """
    try:
        return tuple(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"this is not a readable Parquet file ({error}).", where=str(path)) from error


def _batch(rows: pa.Table, before: int, done: float) -> Batch:
    lines = pa.array(np.arange(before + 1, before + 1 + rows.num_rows))
    rows, lines, broken = _readable(rows, lines)
    names = distinct_names(rows.column_names)
    columns = {name: _normal(column) for name, column in zip(names, rows.columns, strict=True)}
    return Batch(rows=pa.table({**columns, LINE: lines}), broken=broken, done=done)


def _readable(rows: pa.Table, lines: pa.Array) -> tuple[pa.Table, pa.Array, tuple[Broken, ...]]:
    """Rows without those that have bytes which are not UTF-8, or a NUL character, where a text should be."""
    wrong = None
    for column in rows.columns:
        found = _wrong(column)
        if found is not None:
            wrong = found if wrong is None else pc.or_(wrong, found)
    if wrong is None:
        return rows, lines, ()
    reason = "the row has a NUL character, or bytes that are not UTF-8 text"
    shown = [_shown(row) for row in rows.filter(wrong).cast(_as_bytes(rows.schema)).to_pylist()]
    broken = tuple(
        Broken(line=line, reason=reason, raw=raw)
        for line, raw in zip(lines.filter(wrong).to_pylist(), shown, strict=True)
    )
    right = pc.invert(wrong)
    return rows.filter(right), lines.filter(right), broken


def _wrong(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Which values are no text, although they should be; None where all are."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not _is_text(column.type) or _is_clean(column):
        return None
    plain = column.cast(pa.large_binary())
    found = pc.fill_null(pc.match_substring(plain, b"\0"), fill_value=False)
    try:
        plain.cast(pa.large_string())
    except pa.ArrowInvalid:
        values = (value is not None and not _decodes(value) for value in plain.to_pylist())
        found = pc.or_(found, pa.chunked_array([pa.array(values, pa.bool_())]))
    return found if pc.any(found).as_py() else None


def _is_clean(column: pa.ChunkedArray) -> bool:
    """Whether a quick look finds nothing that is no text; bytes are always looked at in full."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return False
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    contents = (chunk.buffers()[-1] for chunk in column.chunks)
    return not any(content and (np.frombuffer(content, np.uint8) == 0).any() for content in contents)


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests) or pa.types.is_fixed_size_binary(kind)


def _decodes(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _as_bytes(schema: pa.Schema) -> pa.Schema:
    return pa.schema([(field.name, pa.binary() if _is_text(field.type) else field.type) for field in schema])


def _shown(row: dict[str, object]) -> str:
    return json.dumps(_plain(row), default=str, ensure_ascii=False)


def _normal(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _instants(column)
    if pa.types.is_nested(kind):
        texts = [
            None if value is None else json.dumps(_plain(value), default=str, ensure_ascii=False)
            for value in column.to_pylist()
        ]
        return pa.chunked_array([pa.array(texts, type=pa.string())])
    if _is_text(kind):
        return column.cast(pa.binary()).cast(pa.string())
    return column.cast(pa.string())


def _instants(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """UTC microseconds; what lies outside the years 1 to 9999 becomes the nearest of them, and is refused later."""
    if pa.types.is_date64(column.type):
        column = column.cast(pa.timestamp("ms"))
    days = pa.types.is_date32(column.type)
    number = column.cast(pa.int32()).cast(pa.int64()) if days else column.cast(pa.int64())
    unit = 1 / 86_400 if days else {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[column.type.unit]
    first, last = (max(-(2**63), min(2**63 - 1, int(second * unit))) for second in _YEARS_1_TO_9999)
    inside = pc.max_element_wise(pc.min_element_wise(number, last, skip_nulls=False), first, skip_nulls=False)
    whole = inside.cast(pa.int32()).cast(pa.date32()) if days else inside.cast(pa.timestamp(column.type.unit))
    return pc.cast(whole, INSTANT, safe=False)


def _plain(value: object) -> object:
    """What JSON has a word for: maps come as lists of pairs, and NaN has none."""
    match value:
        case dict():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() if value and all(isinstance(v, tuple) and len(v) == 2 for v in value):  # noqa: PLR2004
            return {str(name): _plain(item) for name, item in value}
        case list():
            return [_plain(item) for item in value]
        case bytes():
            return value.decode("utf-8", "replace")
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
