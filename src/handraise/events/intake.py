"""Load files: read in batches, accept or refuse each row, store once. The counts always add up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from handraise.errors import InputError
from handraise.events.accept import REASON, accepted, check_columns
from handraise.events.formats.batches import LINE, Batch, Broken
from handraise.events.formats.files import InputFile, read_batches
from handraise.events.store import INCOMING, note_columns, store_entities, store_events
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.tables import INPUTS, Input

# Events are stored in lots of this size: large enough to look duplicates up cheaply, small enough for memory.
EVENTS_PER_LOT = 2_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class FileCount:
    """What became of the rows of one file; `read = loaded + duplicate + quarantined`.

    Attributes:
        file: The path as given.
        input: The canonical input it holds.
        read: Rows in the file.
        loaded: Rows that brought something new.
        duplicate: Rows that were known already.
        quarantined: Rows set aside with a reason.
    """

    file: str
    input: str
    read: int
    loaded: int
    duplicate: int
    quarantined: int


Progress = Callable[[str, float], None]
Renames = dict[str, dict[str, str]]


def load_files(
    warehouse: Warehouse, files: Iterable[InputFile], *, renames: Renames, progress: Progress | None = None
) -> list[FileCount]:
    """Load canonical files one after the other.

    Args:
        warehouse: Where rows go.
        files: What to read.
        renames: Input → canonical column → column in the file, from the playbook's `attributes`.
        progress: Called with the file's name and the share of it that is done.

    Raises:
        InputError: A file is unreadable as a whole; files before it stay loaded.
    """
    return [_load_file(warehouse, file, renames.get(file.input, {}), progress) for file in files]


def _load_file(warehouse: Warehouse, file: InputFile, names: dict[str, str], progress: Progress | None) -> FileCount:
    intake = _Intake(warehouse=warehouse, item=INPUTS[file.input], file=str(file.path))
    for batch in read_batches(file):
        intake.take(_renamed(batch, names, str(file.path)))
        if progress:
            progress(file.path.name, batch.done)
    intake.store_lot()
    return intake.counted()


def load_batch(warehouse: Warehouse, name: str, file: str, batch: Batch, *, names: dict[str, str]) -> FileCount:
    """Load rows of one file that were read before; they replace what is set aside from it.

    Args:
        warehouse: Where rows go.
        name: The canonical input.
        file: The file's path, as quarantine knows it.
        batch: The rows.
        names: Canonical column → column in the file.
    """
    intake = _Intake(warehouse=warehouse, item=INPUTS[name], file=file)
    with warehouse.transaction():
        intake.take(_renamed(batch, names, file))
        intake.store_lot()
    return intake.counted()


def _renamed(batch: Batch, names: dict[str, str], where: str) -> Batch:
    if not names:
        return batch
    theirs = {theirs: ours for ours, theirs in names.items()}
    columns = [theirs.get(name, name) for name in batch.rows.column_names]
    if len(set(columns)) < len(columns):
        twice = sorted({name for name in columns if columns.count(name) > 1})[0]
        raise InputError(
            f"`attributes` maps a column to {twice!r}, which the file has already.",
            where=where,
            todo="Take the mapping out, or rename the column in the file.",
        )
    return Batch(rows=batch.rows.rename_columns(columns), broken=batch.broken, done=batch.done)


class _Intake:
    """One file on its way in: counts, the lot being filled, and what was set aside."""

    def __init__(self, *, warehouse: Warehouse, item: Input, file: str) -> None:
        self.warehouse, self.item, self.file = warehouse, item, file
        self.read = self.loaded = self.quarantined = self._waiting = 0
        self._started = False
        self._known_columns: set[str] = set()
        self._set_aside: list[dict[str, object]] = []

    def take(self, batch: Batch) -> None:
        """Accept or refuse the rows of one batch; events wait for their lot, other rows are stored at once."""
        columns = [name for name in batch.rows.column_names if name != LINE]
        if batch.rows.num_rows and not self._known_columns:
            check_columns(self.item, columns, self.file)
        if not self._started:  # reading a file again replaces what was set aside from it before
            self.warehouse.delete_where("quarantine", "file", self.file)
            self._started = True
        self._note(columns)
        self.read += batch.rows.num_rows + len(batch.broken)
        self._set_broken_aside(batch.broken)
        landing = self.warehouse.register("landing", batch.rows)
        try:
            rows = self.warehouse.create("checked_rows", accepted(self.item, landing), temporary=True)
        finally:
            self.warehouse.unregister("landing")
        self._set_refused_aside(batch.rows)
        good = rows.filter(rows[REASON].isnull())
        if self.item.name == "events":
            self._wait(good.select(*self.item.columns))
        else:
            with self.warehouse.transaction():
                self._store(lambda: store_entities(self.warehouse, self.item, good, LINE))

    def store_lot(self) -> None:
        """Store the events that wait, and what was set aside so far."""
        with self.warehouse.transaction():
            if self._waiting:
                self._store(lambda: store_events(self.warehouse))
                self.warehouse.empty(INCOMING)
            self._write_quarantine()
        self._waiting = 0

    def counted(self) -> FileCount:
        """The counts of the whole file."""
        return FileCount(
            file=self.file,
            input=self.item.name,
            read=self.read,
            loaded=self.loaded,
            duplicate=self.read - self.loaded - self.quarantined,
            quarantined=self.quarantined,
        )

    def _wait(self, rows: object) -> None:
        if self._waiting == 0:
            self.warehouse.create(INCOMING, self.item.schema, temporary=True)
        self._waiting += self.warehouse.insert(INCOMING, rows)
        if self._waiting >= EVENTS_PER_LOT:
            self.store_lot()

    def _store(self, store: Callable[[], int]) -> None:
        self.loaded += store()
        self._write_quarantine()

    def _note(self, columns: list[str]) -> None:
        if not set(columns) <= self._known_columns:
            self._known_columns.update(columns)
            note_columns(self.warehouse, self.item, columns)

    def _set_broken_aside(self, broken: tuple[Broken, ...]) -> None:
        self._add_aside({"line": b.line, "reason": b.reason, "raw": json.dumps({"_text": b.raw})} for b in broken)

    def _set_refused_aside(self, landing: pa.Table) -> None:
        checked = self.warehouse.table("checked_rows")
        refused = self.warehouse.rows(checked.filter(checked[REASON].notnull()).select(LINE, REASON))
        reasons = dict(zip(refused[0].to_pylist(), refused[1].to_pylist(), strict=True))
        if not reasons:
            return
        keep = pc.is_in(landing[LINE], value_set=pa.array(list(reasons), type=pa.int64()))
        rows = landing.filter(keep).to_pylist()
        self._add_aside({"line": row[LINE], "reason": reasons[row[LINE]], "raw": _as_json(row)} for row in rows)

    def _add_aside(self, rows: Iterable[dict[str, object]]) -> None:
        before = len(self._set_aside)
        self._set_aside += [{"input": self.item.name, "file": self.file, **row} for row in rows]
        self.quarantined += len(self._set_aside) - before

    def _write_quarantine(self) -> None:
        if self._set_aside:
            schema = self.warehouse.table("quarantine").schema().to_pyarrow()
            self.warehouse.insert(
                "quarantine", self.warehouse.hold("set_aside", pa.Table.from_pylist(self._set_aside, schema=schema))
            )
            self._set_aside = []


def _as_json(row: dict[str, object]) -> str:
    return json.dumps({k: v for k, v in row.items() if k != LINE and v is not None}, default=str, ensure_ascii=False)
