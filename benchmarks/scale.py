"""Cost against events, people and days on DuckDB and on Spark: `python -m benchmarks.scale --help`.

Each company is simulated; one thing at a time is larger than in the first one. Every engine scores the same rows, loaded
from the same files, and the export files have to be equal to the byte.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from handraise.playbook.load import load_template
from handraise.scores import history
from handraise.service.export import export_rows
from handraise.service.project import Project, default_as_of, refresh
from handraise.service.project import load as load_into
from handraise.simulate.run import simulate
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.tables import create_missing

NOW = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Size:
    """What is simulated."""

    accounts: int
    days: int
    events_per_day: float | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was measured of one company on one engine, in seconds."""

    engine: str
    events: int
    people: int
    days: int
    load: float
    first: float
    next_day: float
    scores: str


def sizes(accounts: list[int], days: list[int], events_per_day: list[float]) -> Iterator[Size]:
    """The first of each, then each of the others by itself."""
    first = Size(accounts=accounts[0], days=days[0], events_per_day=events_per_day[0] if events_per_day else None)
    yield first
    for more in accounts[1:]:
        yield Size(accounts=more, days=first.days, events_per_day=first.events_per_day)
    for more in days[1:]:
        yield Size(accounts=first.accounts, days=more, events_per_day=first.events_per_day)
    for more_events in events_per_day[1:]:
        yield Size(accounts=first.accounts, days=first.days, events_per_day=more_events)


def opened(engine: str, master: str, folder: Path) -> Warehouse:
    """An empty warehouse on an engine."""
    if engine == "duckdb":
        return Warehouse.open(folder / "scale.duckdb")
    from pyspark.sql import SparkSession

    from handraise.warehouse.engines.spark import SparkEngine

    builder = SparkSession.builder.master(master).appName("handraise scale")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(folder / "tables"),
        "spark.sql.shuffle.partitions": "4",
    }
    for key, value in settings.items():
        builder = builder.config(key, value)
    return Warehouse(engine=SparkEngine(builder.getOrCreate(), f"scale_{folder.name}".lower().replace("-", "_")))


def measure(engine: str, master: str, files: Path) -> Figures:
    """Load, score, and score again with one day more known."""
    folder = Path(tempfile.mkdtemp(prefix="scale"))
    warehouse = opened(engine, master, folder)
    try:
        create_missing(warehouse)
        history.make_tables(warehouse)
        project = Project(folder=folder, loaded=load_template(), warehouse=warehouse)
        started = time.perf_counter()
        load_into(project, [files])
        load = time.perf_counter() - started
        day = default_as_of(project, NOW)
        started = time.perf_counter()
        refresh(project, [day - timedelta(days=1)], now=NOW)
        first = time.perf_counter() - started
        started = time.perf_counter()
        done = refresh(project, [day], now=NOW)
        next_day = time.perf_counter() - started
        out = folder / "receipt.csv"
        warehouse.write_file(export_rows(project, "receipt"), out)
        days = warehouse.table("person_days").select("day").distinct()
        return Figures(
            engine=warehouse.version().split(",")[0],
            events=warehouse.count(warehouse.table("events")),
            people=done.people,
            days=warehouse.count(days),
            load=load,
            first=first,
            next_day=next_day,
            scores=hashlib.sha256(out.read_bytes()).hexdigest()[:8],
        )
    finally:
        warehouse.close()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Simulate, measure, print the table; exit status 1 when engines disagree."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--engines", nargs="+", default=["duckdb", "spark"], choices=["duckdb", "spark"])
    parser.add_argument("--master", default="local[2]", help="where Spark runs")
    parser.add_argument("--accounts", nargs="+", type=int, default=[20, 40], help="the first is the base")
    parser.add_argument("--days", nargs="+", type=int, default=[40, 80], help="the first is the base")
    parser.add_argument("--events-per-day", nargs="+", type=float, default=[], help="the first is the base")
    asked = parser.parse_args()
    say = sys.stdout.write
    say("| engine | events | people | days | load s | first refresh s | next as-of s | scores |\n")
    say("|---|--:|--:|--:|--:|--:|--:|---|\n")
    agree = True
    for size in sizes(asked.accounts, asked.days, asked.events_per_day):
        files = Path(tempfile.mkdtemp(prefix="scale"))
        try:
            simulate(files, accounts=size.accounts, days=size.days, seed=1, events_per_day=size.events_per_day)
            found = [measure(engine, asked.master, files) for engine in asked.engines]
        finally:
            shutil.rmtree(files, ignore_errors=True)
        agree &= len({f.scores for f in found}) == 1
        for f in found:
            times = " | ".join(f"{seconds:.1f}" for seconds in (f.load, f.first, f.next_day))
            say(f"| {f.engine} | {f.events:,} | {f.people:,} | {f.days} | {times} | {f.scores} |\n")
            sys.stdout.flush()
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
