"""Load files: read in batches, accept or refuse each row, store once. The counts always add up."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from handraise.errors import InputError
from handraise.events.accept import REASON, accepted, check_columns
from handraise.events.formats.batches import LINE, Batch, Broken, in_lots
from handraise.events.formats.files import InputFile, read_batches
from handraise.events.registry import CANONICAL, format_named
from handraise.events.store import note_columns, refresh_event_keys, store_entities, store_events
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.tables import INPUTS, Input, Renames

# Rows set aside are written in portions, so that a file of nothing but bad rows needs no more memory than a good one.
ASIDE_AT_ONCE = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class FileCount:
    """What became of the rows that one file gave one input; `read = loaded + duplicate + quarantined`.

    Attributes:
        file: The path as given.
        format: The layout it was taken for.
        table: Which of the layout's tables.
        input: The canonical input that these rows went to; `none` for rows that no input takes.
        read: Rows of the file that are of this input.
        loaded: Rows that brought something new.
        duplicate: Rows that were known already.
        quarantined: Rows set aside with a reason.
        passed_over: Rows that the format knows and no input takes, such as a session's start.
        reason: Why they were passed over, where the format says it.
    """

    file: str
    format: str
    table: str
    input: str
    read: int
    loaded: int
    duplicate: int
    quarantined: int
    passed_over: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where rows come from: their file, and what it was taken for (see `FileCount`)."""

    file: str
    format: str
    table: str


Progress = Callable[[str, float], None]
PASSED_OVER = "none"


def load_files(
    warehouse: Warehouse, files: Iterable[InputFile], *, renames: Renames, progress: Progress | None = None
) -> list[FileCount]:
    """Load files one after the other.

    Args:
        warehouse: Where rows go.
        files: What to read.
        renames: Input → canonical column → column in the file, from the playbook's `attributes`.
        progress: Called with the file's name and the share of it that is done.

    Raises:
        InputError: A file is unreadable as a whole; files before it stay loaded.
    """
    refresh_event_keys(warehouse)
    return [count for file in files for count in _load_file(warehouse, file, renames, progress)]


def _load_file(warehouse: Warehouse, file: InputFile, renames: Renames, progress: Progress | None) -> list[FileCount]:
    origin = Origin(file=str(file.path), format=file.format, table=file.table)
    intake = _FileIntake(warehouse=warehouse, origin=origin, renames=renames)
    for batch in in_lots(read_batches(file), lambda done: progress and progress(file.path.name, done)):
        intake.take(batch)
    return intake.counted()


def load_rows(warehouse: Warehouse, name: str, source: str, batch: Batch) -> FileCount:
    """Load canonical rows that no file holds; `source` says in quarantine where they come from."""
    refresh_event_keys(warehouse)
    intake = _FileIntake(warehouse=warehouse, origin=Origin(file=source, format=CANONICAL, table=name), renames={})
    intake.take(batch)
    [count] = intake.counted()
    return count


def load_again(
    warehouse: Warehouse, name: str, origin: Origin, batches: Iterable[Batch], *, renames: Renames
) -> FileCount:
    """Load rows that were set aside from an input once more; those that are still bad replace what was set aside."""
    refresh_event_keys(warehouse)
    intake = _FileIntake(warehouse=warehouse, origin=origin, renames=renames, only=name)
    with warehouse.transaction():
        for batch in batches:
            intake.take(batch)
    [count] = (count for count in intake.counted() if count.input == name)
    return count


def load_one_again(
    warehouse: Warehouse, name: str, origin: Origin, batch: Batch, *, line: int, renames: Renames
) -> FileCount:
    """Load the one row that was set aside at a line once more; if it is still bad, it replaces what was set aside."""
    refresh_event_keys(warehouse)
    intake = _FileIntake(warehouse=warehouse, origin=origin, renames=renames, only=name, line=line)
    with warehouse.transaction():
        intake.take(batch)
    counts = [count for count in intake.counted() if count.input == name]
    nothing = FileCount(
        **dataclasses.asdict(origin), input=name, read=1, loaded=0, duplicate=0, quarantined=0, passed_over=1
    )
    return counts[0] if counts and counts[0].read else nothing


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


class _FileIntake:
    """One file on its way in, to each of the inputs that its rows feed."""

    def __init__(
        self,
        *,
        warehouse: Warehouse,
        origin: Origin,
        renames: Renames,
        only: str | None = None,
        line: int | None = None,
    ) -> None:
        self.warehouse, self.origin, self.renames, self.only, self._line = warehouse, origin, renames, only, line
        self._format = None if origin.format == CANONICAL else format_named(origin.format)
        self._intakes: dict[str, _Intake] = {}
        self._passed_over = 0
        self._started = False

    def take(self, batch: Batch) -> None:
        """Accept or refuse the rows of one batch, for each input that they feed."""
        self._start()
        if self._format is None:
            batch = _renamed(batch, self.renames.get(self.origin.table, {}), self.origin.file)
        landing = self.warehouse.register("landing", batch.rows)
        try:
            if self._format is None:
                self._intake(self.origin.table).take(batch, landing, headed=True)
            else:
                self._take_translated(self._format.translate(self.origin.table, landing), batch, landing)
        finally:
            self.warehouse.unregister("landing")

    def counted(self) -> list[FileCount]:
        """The counts of the whole file, input by input."""
        counts = [intake.counted() for intake in self._intakes.values()]
        if self._passed_over:
            nothing = FileCount(
                **dataclasses.asdict(self.origin),
                input=PASSED_OVER,
                read=self._passed_over,
                loaded=0,
                duplicate=0,
                quarantined=0,
                passed_over=self._passed_over,
            )
            counts.append(nothing)
        return counts

    def _start(self) -> None:
        """Reading a file again replaces what was set aside from it before."""
        if self._started:
            return
        self._started = True
        if self.only is None:
            self.warehouse.delete_where("quarantine", "file", self.origin.file)
        else:
            key = pa.table({"file": [self.origin.file], "input": [self.only]})
            if self._line is not None:
                key = key.append_column("line", pa.array([self._line], pa.int64()))
            self.warehouse.delete("quarantine", self.warehouse.hold("aside_key", key))

    def _intake(self, name: str) -> _Intake:
        if name not in self._intakes:
            self._intakes[name] = _Intake(warehouse=self.warehouse, item=INPUTS[name], origin=self.origin)
        return self._intakes[name]

    def _take_translated(self, parts: dict[str, ir.Table], batch: Batch, landing: ir.Table) -> None:
        unreadable = batch.broken
        for name, part in parts.items():
            if self.only in {None, name}:
                held = self.warehouse.create("translated_rows", part, temporary=True)
                broken = Batch(rows=batch.rows, broken=unreadable, done=batch.done)
                self._intake(name).take(broken, held, headed=False)
                unreadable = ()
        if self.only is None:
            taken = [part.select(LINE) for part in parts.values()]
            lines = ibis.union(*taken) if len(taken) > 1 else taken[0]
            self._passed_over += self.warehouse.count(landing.anti_join(lines, LINE))


class _Intake:
    """The rows of one file for one input: counts, and what is to be set aside."""

    def __init__(self, *, warehouse: Warehouse, item: Input, origin: Origin) -> None:
        self.warehouse, self.item, self.origin = warehouse, item, origin
        self.read = self.loaded = self.quarantined = 0
        self._known_columns: set[str] = set()
        self._set_aside: list[dict[str, object]] = []

    def take(self, batch: Batch, landing: ir.Table, *, headed: bool) -> None:
        """Accept or refuse rows; what is accepted and what is set aside is stored together.

        Args:
            batch: The rows as read, for what has to be set aside.
            landing: The same rows under canonical names, or those of them that are of this input.
            headed: Whether the file itself has the canonical columns.
        """
        columns = [name for name in landing.columns if name != LINE]
        # A file that is not what it says tells by its header; NDJSON without a row has none.
        if headed and columns and not self._known_columns:
            check_columns(self.item, columns, self.origin.file)
        rows = self.warehouse.create("checked_rows", accepted(self.item, landing), temporary=True)
        self._note(columns if headed else self._filled(rows))
        self.read += (batch.rows.num_rows if headed else self.warehouse.count(rows)) + len(batch.broken)
        self._set_broken_aside(batch.broken)
        self._set_refused_aside(batch.rows)
        good = rows.filter(rows[REASON].isnull())
        with self.warehouse.transaction():
            if self.item.name == "events":
                self.loaded += store_events(self.warehouse, good.select(*self.item.columns))
            else:
                self.loaded += store_entities(self.warehouse, self.item, good, LINE)
            self._write_quarantine()

    def _filled(self, rows: ir.Table) -> list[str]:
        """Columns that have a value in some row: what a format could carry says nothing about what it does."""
        counts = self.warehouse.rows(rows.agg([rows[name].count().name(name) for name in self.item.columns]))
        return [name for name, count in counts.to_pylist()[0].items() if count]

    def counted(self) -> FileCount:
        """The counts of the whole file."""
        return FileCount(
            **dataclasses.asdict(self.origin),
            input=self.item.name,
            read=self.read,
            loaded=self.loaded,
            duplicate=self.read - self.loaded - self.quarantined,
            quarantined=self.quarantined,
        )

    def _note(self, columns: list[str]) -> None:
        if not set(columns) <= self._known_columns:
            self._known_columns.update(columns)
            note_columns(self.warehouse, self.item, columns)

    def _set_broken_aside(self, broken: tuple[Broken, ...]) -> None:
        self._add_aside({"line": b.line, "reason": b.reason, "raw": b.kept} for b in broken)

    def _set_refused_aside(self, landing: pa.Table) -> None:
        checked = self.warehouse.table("checked_rows")
        refused = self.warehouse.rows(checked.filter(checked[REASON].notnull()).select(LINE, REASON))
        reasons = dict(zip(refused[0].to_pylist(), refused[1].to_pylist(), strict=True))
        if not reasons:
            return
        keep = pc.is_in(landing[LINE], value_set=pa.array(list(reasons), type=pa.int64()))
        for part in landing.filter(keep).to_batches(max_chunksize=ASIDE_AT_ONCE):
            rows = part.to_pylist()
            self._add_aside({"line": row[LINE], "reason": reasons[row[LINE]], "raw": as_json(row)} for row in rows)

    def _add_aside(self, rows: Iterable[dict[str, object]]) -> None:
        before = len(self._set_aside)
        origin = {"file": self.origin.file, "format": self.origin.format, "format_table": self.origin.table}
        self._set_aside += [{"input": self.item.name, **origin, **row} for row in rows]
        self.quarantined += len(self._set_aside) - before
        if len(self._set_aside) >= ASIDE_AT_ONCE:
            self._write_quarantine()

    def _write_quarantine(self) -> None:
        if self._set_aside:
            schema = self.warehouse.table("quarantine").schema().to_pyarrow()
            self.warehouse.insert(
                "quarantine", self.warehouse.hold("set_aside", pa.Table.from_pylist(self._set_aside, schema=schema))
            )
            self._set_aside = []


def as_json(row: dict[str, object]) -> str:
    """What quarantine keeps of a row: the columns that have a value."""
    return json.dumps({k: v for k, v in row.items() if k != LINE and v is not None}, default=str, ensure_ascii=False)
