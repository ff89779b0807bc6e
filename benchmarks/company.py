"""The simulated company that is measured, and its events cut into what is known at first and what each day brings."""

from __future__ import annotations

import itertools
import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

# 9,000 accounts over 180 days are about 100,000 people, and 9,900 accounts with those that only the CRM knows.
ISSUED_EVENTS: Final = 30_000_000
ACCOUNTS: Final = 9_000
DAYS: Final = 180
HISTORY_DAYS: Final = 720
SEED: Final = 7
# A Wednesday in the past, so that no clock finds the data to lie in the future.
END: Final = date(2025, 10, 1)
CSV_FILES: Final = tuple(
    f"{name}.csv"
    for name in [
        "people",
        "workspaces",
        "accounts",
        "subscriptions",
        "limits",
        "opportunities",
        "touches",
        "leads",
        "nps",
        "prompts",
        "outcomes",
    ]
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """What is simulated.

    Attributes:
        events: About how many, over all days; exact copies, as deliveries at least once give, come on top.
        days: Length of the history.
        accounts: Accounts with usage.
    """

    events: int
    days: int
    accounts: int

    @property
    def name(self) -> str:
        """Name of its cache folder."""
        return f"{self.events}-events-{self.days}-days-{self.accounts}-accounts-seed-{SEED}"


def size_for(events: int, days: int) -> Size:
    """A company in the proportions of the full benchmark: fewer events are fewer people, not quieter ones."""
    share = events / days / (ISSUED_EVENTS / DAYS)
    return Size(events=events, days=days, accounts=max(10, round(ACCOUNTS * share)))


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stretch of days of events.

    Attributes:
        name: `older` and `base` are what is known at first, the others are one day each, by date.
        loaded: The file that handraise loads, with exact copies of some events.
        once: The same, each event once, for rivals.
        rows: Rows of `loaded`.
        events: Rows of `once`.
    """

    name: str
    loaded: Path
    once: Path
    rows: int
    events: int


@dataclass(frozen=True, kw_only=True)
class Company:
    """A simulated company on disk.

    Attributes:
        folder: Where its files are.
        parts: Its events in order of time.
        simulated: What simulating it took: seconds, peak_bytes, events, people, accounts.
    """

    folder: Path
    parts: tuple[Part, ...]
    simulated: dict[str, Any]

    @property
    def tables(self) -> list[Path]:
        """Every canonical file but the events."""
        return [self.folder / name for name in CSV_FILES]


def simulate_company(folder: Path, size: Size) -> dict[str, Any]:
    """Write the company's files; returns what was made and how long it took."""
    import time as clock

    from handraise.simulate import simulate

    started = clock.perf_counter()
    made = simulate(
        folder, accounts=size.accounts, days=size.days, seed=SEED, end=END, events_per_day=size.events / size.days
    )
    seconds = clock.perf_counter() - started
    return {"seconds": seconds, "events": made.events, "people": made.people, "accounts": made.accounts}


def cut_company(folder: Path, size: Size, held_back: int) -> None:
    """Cut the events of a simulated company into parts, and remember them beside the files."""
    parts = parts_of(
        folder / "events.parquet", _parts_folder(folder, held_back), end=END, days=size.days, held_back=held_back
    )
    listed = [{name: str(value) for name, value in asdict(part).items()} for part in parts]
    _parts_file(folder, held_back).write_text(json.dumps(listed), encoding="utf-8")


def known_company(folder: Path, held_back: int) -> Company | None:
    """The company of a cache folder; None unless it is whole."""
    simulated, parts = folder / "simulated.json", _parts_file(folder, held_back)
    if not simulated.exists() or not parts.exists():
        return None
    listed = [
        Part(
            name=row["name"],
            loaded=Path(row["loaded"]),
            once=Path(row["once"]),
            rows=int(row["rows"]),
            events=int(row["events"]),
        )
        for row in json.loads(parts.read_text(encoding="utf-8"))
    ]
    return Company(folder=folder, parts=tuple(listed), simulated=json.loads(simulated.read_text(encoding="utf-8")))


def _parts_folder(folder: Path, held_back: int) -> Path:
    return folder / f"parts-{held_back}"


def _parts_file(folder: Path, held_back: int) -> Path:
    return folder / f"parts-{held_back}.json"


def parts_of(events: Path, folder: Path, *, end: date, days: int, held_back: int) -> tuple[Part, ...]:
    """Cut an events file that is sorted by time: older than the last `DAYS` days, the rest, and the last days singly.

    Args:
        events: As the simulator writes it; exact copies stand next to each other.
        folder: Where the parts go.
        end: The day after the last event.
        days: Length of the history.
        held_back: How many of the last days become a part each.
    """
    starts = [("base", end - timedelta(days=min(days, DAYS)))]
    if days > DAYS:
        starts.insert(0, ("older", end - timedelta(days=days)))
    last = [end - timedelta(days=ago) for ago in range(held_back, 0, -1)]
    starts += [(str(day), day) for day in last]
    return _cut(events, folder, starts)


def _cut(events: Path, folder: Path, starts: list[tuple[str, date]]) -> tuple[Part, ...]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    source = pq.ParquetFile(events)
    edges = [_microseconds(start) for _, start in starts[1:]]
    rows, once = [0] * len(starts), [0] * len(starts)
    previous = None
    with ExitStack() as stack:
        sinks = [
            [
                stack.enter_context(
                    pq.ParquetWriter(_path(folder, kind, name), source.schema_arrow, compression="zstd")
                )
                for kind in ("loaded", "once")
            ]
            for name, _ in starts
        ]
        for group in range(source.num_row_groups):
            batch = source.read_row_group(group)
            ids = batch["event_id"].combine_chunks()
            before = pa.concat_arrays([pa.array([previous], pa.string()), ids[:-1]])
            fresh = pc.fill_null(pc.not_equal(ids, before), fill_value=True)
            previous = ids[-1].as_py()
            instants = batch["timestamp"].combine_chunks().cast(pa.int64()).to_numpy()
            bounds = [0, *np.searchsorted(instants, edges).tolist(), len(instants)]
            for place, (start, stop) in enumerate(itertools.pairwise(bounds)):
                piece = batch.slice(start, stop - start)
                unique = piece.filter(fresh.slice(start, stop - start))
                if piece.num_rows:
                    sinks[place][0].write_table(piece)
                    sinks[place][1].write_table(unique)
                rows[place] += piece.num_rows
                once[place] += unique.num_rows
    return tuple(
        Part(
            name=name,
            loaded=_path(folder, "loaded", name),
            once=_path(folder, "once", name),
            rows=rows[place],
            events=once[place],
        )
        for place, (name, _) in enumerate(starts)
    )


def _path(folder: Path, kind: str, name: str) -> Path:
    path = folder / kind / f"events-{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _microseconds(day: date) -> int:
    return round(datetime.combine(day, time(), UTC).timestamp()) * 1_000_000
