"""`python -m benchmarks`: what `make bench` and `make bench-history` run."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.child import ROOT
from benchmarks.company import DAYS, HISTORY_DAYS, ISSUED_EVENTS, Company, size_for
from benchmarks.figures import GIB, plain
from benchmarks.run import Plan, Track, company_for, run
from benchmarks.table import report_of, slowest_steps

_STEPS_SHOWN = 15
_PACKAGES = ("duckdb", "ibis-framework", "pyarrow", "polars", "chdb")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, help="how many events; default 30 M, with --history 120 M")
    parser.add_argument("--history", action="store_true", help="720 days instead of 180, and both against each other")
    parser.add_argument("--repeat", type=int, default=3, help="days measured, each in turn with baseline and rivals")
    parser.add_argument("--cache", type=Path, default=ROOT / ".bench", help="folder for simulated data and projects")
    parser.add_argument("--out", type=Path, help="JSON file; default: in the cache folder")
    return parser.parse_args()


def main() -> None:
    """Measure, print the table, write the JSON."""
    asked = _arguments()
    days = HISTORY_DAYS if asked.history else DAYS
    events = asked.events or ISSUED_EVENTS * days // DAYS
    console, progress = Console(width=None if sys.stdout.isatty() else 200), Console(stderr=True)
    plan = Plan(size=size_for(events, days), repeat=asked.repeat, cache=asked.cache.resolve())
    company = company_for(plan, lambda text: progress.print(f"bench: {text}"))
    tracks = run(plan, company, lambda text: progress.print(f"bench: {text}"))
    report = report_of(tracks, company)
    report.facts["machine"] = _machine()
    report.show(console)
    for track in tracks:
        console.print(_steps(track))
    out = asked.out or plan.cache / f"{plan.size.name}.json"
    out.write_text(json.dumps(report.as_json(), indent=1), encoding="utf-8")
    console.print(_told(company), f"Every repetition: {out}")


def _machine() -> dict[str, object]:
    found: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def _steps(track: Track) -> Table:
    table = Table(title=f"{track.name}: slowest steps of the daily refresh", title_justify="left")
    table.add_column("step")
    table.add_column("rows", justify="right")
    table.add_column("seconds", justify="right")
    for name, rows, seconds in slowest_steps(track)[:_STEPS_SHOWN]:
        table.add_row(name, f"{rows:,}", plain(seconds))
    return table


def _told(company: Company) -> str:
    made = company.simulated
    return (
        f"All data is simulated: {made['events']:,} rows of events, {made['people']:,} people. "
        "Medians, in brackets the least and the most. Ratios are taken inside each repetition."
    )


if __name__ == "__main__":
    main()
