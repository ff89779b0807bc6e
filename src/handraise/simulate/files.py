"""Writing the canonical files: the same rows always give the same bytes."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from handraise.simulate.behaviour import Day
from handraise.simulate.chance import BoolArray, IntArray, TextArray
from handraise.simulate.ids import labels, numbered
from handraise.simulate.people import NOBODY, Members, Workspaces
from handraise.simulate.schedule import NO_PROPERTIES
from handraise.simulate.vocabulary import EVENT_NAMES, PROPERTIES

ROW_GROUP: Final = 1 << 17
INSTANT: Final = pa.timestamp("us", tz="UTC")
LABEL: Final = pa.dictionary(pa.int16(), pa.string())
MARK: Final = {b"handraise": b"simulated data; no person or company in it is real"}

EVENTS_SCHEMA: Final = pa.schema(
    [
        ("event_id", pa.string()),
        ("person_id", pa.string()),
        ("anonymous_id", pa.string()),
        ("name", LABEL),
        ("timestamp", INSTANT),
        ("workspace_id", pa.string()),
        ("received_at", INSTANT),
        ("properties", pa.string()),
    ],
    metadata=MARK,
)


def person_ids(members: Members) -> TextArray:
    """Return the id of every person, [people]."""
    return numbered("p-", members.people, 7)


def iso(at_ms: IntArray, known: BoolArray | None = None) -> pa.Array:
    """Return instants as ISO-8601 text with a Z, null where not known."""
    text = np.datetime_as_string(at_ms.astype("datetime64[ms]"), unit="ms", timezone="UTC")
    return pa.array(text.tolist(), pa.string(), mask=None if known is None else ~known)


def text_or_null(values: TextArray) -> pa.Array:
    """Return texts with null for the empty one."""
    return pa.array(values.tolist(), pa.string(), mask=values == "")


def values_or_null(values: npt.NDArray[np.generic], known: BoolArray) -> pa.Array:
    """Return numbers or flags, null where not known."""
    return pa.array(values, mask=~known)


def write_csv(path: Path, columns: dict[str, pa.Array | npt.NDArray[np.generic]]) -> int:
    """Write one CSV file with a header; return how many rows it has."""
    arrays = {
        name: value if isinstance(value, pa.Array | pa.ChunkedArray) else pa.array(value.tolist())
        for name, value in columns.items()
    }
    table = pa.table(arrays)
    with path.open("wb") as sink:
        # Arrow's other style quotes every text; this one raises on a comma or a quote, which nothing holds.
        sink.write((",".join(table.column_names) + "\n").encode())
        options = arrow_csv.WriteOptions(include_header=False, quoting_style="none")
        arrow_csv.write_csv(table, sink, options)
    return int(table.num_rows)


def write_parquet(path: Path, table: pa.Table) -> int:
    """Write one small Parquet file; return how many rows it has."""
    pq.write_table(
        table.replace_schema_metadata(MARK),
        path,
        compression="zstd",
        row_group_size=ROW_GROUP,
        store_schema=False,
    )
    return int(table.num_rows)


class EventsFile:
    """Streams days of events into one Parquet file of equal row groups, sorted by time."""

    def __init__(self, path: Path, members: Members, spaces: Workspaces, *, row_group: int = ROW_GROUP) -> None:
        """Open the file; `row_group` is the number of rows written at a time."""
        self._row_group = row_group
        self._waiting: list[tuple[npt.NDArray[np.int64], ...]] = []
        self._held = 0
        self.rows = 0
        self.copies = 0
        people = person_ids(members)
        self._person = pa.array(people.tolist(), pa.string())
        self._person_of = members.person
        self._room = pa.array(spaces.workspace_id.tolist(), pa.string())
        self._room_of = members.workspace
        self._texts = pa.array(PROPERTIES, pa.string())
        self._writer = pq.ParquetWriter(
            path,
            EVENTS_SCHEMA,
            compression="zstd",
            compression_level=1,
            use_dictionary=["person_id", "anonymous_id", "name", "workspace_id", "properties"],
            store_schema=False,
        )

    def __enter__(self) -> Self:
        """Return the open file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left and close."""
        if kind is None and self._held:
            self._flush(self._held)
        self._writer.close()

    def add(self, day: Day) -> None:
        """Take one day; write as many full row groups as are there."""
        lot = day.events
        who = (lot.member, lot.anonymous)
        columns = (day.sequence, *who, lot.name, lot.at_ms, day.received_ms, lot.properties)
        self._waiting.append(tuple(np.asarray(column) for column in columns))
        self._held += len(lot)
        self.rows += len(lot)
        self.copies += int(np.count_nonzero(np.diff(day.sequence) == 0))
        if self._held >= self._row_group:
            self._flush(self._held // self._row_group * self._row_group)

    def _flush(self, rows: int) -> None:
        joined = tuple(np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        for start in range(0, rows, self._row_group):
            stop = min(start + self._row_group, rows)
            self._write(tuple(column[start:stop] for column in joined))
        self._waiting = [tuple(column[rows:] for column in joined)]
        self._held -= rows

    def _write(self, columns: tuple[npt.NDArray[np.int64], ...]) -> None:
        sequence, member, anonymous, name, at_ms, received_ms, properties = columns
        known = member != NOBODY
        room = np.where(known, self._room_of[member], NOBODY)
        named = pa.DictionaryArray.from_arrays(pa.array(name), pa.array(EVENT_NAMES))
        arrays = [
            _event_ids(sequence),
            self._person.take(pa.array(self._person_of[member], mask=~known)),
            _anonymous_ids(anonymous),
            named,
            pa.array(at_ms * 1000).cast(INSTANT),
            self._room.take(pa.array(room, mask=room == NOBODY)),
            pa.array(received_ms * 1000).cast(INSTANT),
            # Not a dictionary array: Arrow writes one that has nulls with other bytes every time.
            self._texts.take(pa.array(properties, mask=properties == NO_PROPERTIES)),
        ]
        table = pa.Table.from_arrays(arrays, schema=EVENTS_SCHEMA)
        self._writer.write_table(table, row_group_size=len(sequence))


def _anonymous_ids(number: npt.NDArray[np.int64]) -> pa.Array:
    """Return anonymous ids, null for NOBODY."""
    result = np.full(len(number), None, dtype=object)
    here = np.flatnonzero(number != NOBODY)
    result[here] = labels("anon-", number[here].astype(np.int64) + 1, 7)
    return pa.array(result, pa.string())


_HEX: Final = np.frombuffer(b"".join(b"%02x" % value for value in range(256)), dtype=np.uint16)


def _event_ids(sequence: npt.NDArray[np.int64]) -> pa.Array:
    """Return ids of 17 characters: `e`, ten hexadecimal digits of the number, six that look drawn.

    They sort by time, as the ids of event collectors of today do. Built as one block of bytes, because making
    millions of Python texts would take longer than everything else.
    """
    number = sequence.astype(np.uint64)
    mixed = (number + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    packed = (number << np.uint64(24)) | (mixed & np.uint64(0xFFFFFF))
    digits = _HEX[packed.astype(">u8").view(np.uint8)].view(np.uint8).reshape(-1, 16)
    text = np.empty((len(sequence), 17), dtype=np.uint8)
    text[:, 0] = ord("e")
    text[:, 1:] = digits
    offsets = np.arange(len(sequence) + 1, dtype=np.int32) * 17
    return pa.StringArray.from_buffers(len(sequence), pa.py_buffer(offsets), pa.py_buffer(text))
