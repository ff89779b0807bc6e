"""Parquet, in batches. Timestamps stay timestamps (UTC, microseconds); everything else becomes text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from handraise.errors import InputError
from handraise.events.formats.batches import LINE, ROWS_PER_BATCH, Batch

INSTANT = pa.timestamp("us")


def read_parquet(path: Path) -> Iterator[Batch]:
    """Batches of a Parquet file; `_line` counts rows from 1.

    Raises:
        InputError: The file is not Parquet, or is cut off.
    """
    try:
        file = pq.ParquetFile(path)
        total = max(file.metadata.num_rows, 1)
        if file.metadata.num_rows == 0:
            yield _batch(pa.table(file.schema_arrow.empty_table()), 0, 1.0)
        line = 0
        for batch in file.iter_batches(batch_size=ROWS_PER_BATCH):
            yield _batch(pa.Table.from_batches([batch]), line, (line + batch.num_rows) / total)
            line += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"this is not a readable Parquet file ({error}).", where=str(path), todo="Was it copied or written whole?"
        ) from error


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
    columns = {name: _normal(rows.column(name)) for name in rows.column_names if name != LINE}
    lines = pa.array(range(before + 1, before + 1 + rows.num_rows), type=pa.int64())
    return Batch(rows=pa.table({**columns, LINE: lines}), broken=(), done=done)


def _normal(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return pc.cast(column, INSTANT, safe=False)
    if pa.types.is_nested(kind):
        texts = [
            None if value is None else json.dumps(_plain(value), ensure_ascii=False) for value in column.to_pylist()
        ]
        return pa.chunked_array([pa.array(texts, type=pa.string())])
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return column.cast(pa.binary()).cast(pa.string())
    return column.cast(pa.string())


def _plain(value: object) -> object:
    """Arrow maps come as lists of pairs; JSON wants an object."""
    if isinstance(value, list) and value and all(isinstance(v, tuple) and len(v) == 2 for v in value):  # noqa: PLR2004
        return dict(value)
    return value
