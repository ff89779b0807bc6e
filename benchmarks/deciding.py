"""What deciding about a whole company costs each night: `python -m benchmarks.deciding --help`.

A company is simulated and loaded; its first night looks back, the nights after it are as they will always be. Each night
is timed as its two parts: the scores, and the decisions that rest on them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from rich.console import Console

from benchmarks.figures import Figure, Limit, Report, plain
from handraise.service.deciding import decide_now, look_back
from handraise.service.folder import create_project
from handraise.service.project import Project, open_project, refresh
from handraise.service.project import load as load_into
from handraise.simulate.run import simulate

END = date(2026, 10, 28)
NOW = datetime(2100, 1, 1, tzinfo=UTC)
NIGHTS = 3


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deciding", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--events-per-day", type=float, default=110_000)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def nights(project: Project, report: Report, say: Console) -> None:
    """Decide night after night, and time each part."""
    assert project.ledger  # noqa: S101 - it is a project on disk
    with project.ledger() as ledger:
        for number in range(NIGHTS):
            day = END - timedelta(days=NIGHTS - 1 - number)
            say.print(f"night {number + 1} of {NIGHTS}")
            started = time.perf_counter()
            look_back(project, ledger, day)
            looked = time.perf_counter()
            done = refresh(project, [day], now=NOW)
            scored = time.perf_counter()
            made = decide_now(project, ledger, as_of=day, now=NOW)
            decided = time.perf_counter()
            outcomes = Counter(one.outcome for one in made.decisions)
            name = f"night {number + 1}: {done.accounts:,} accounts"
            back = f"looking back before it {plain(looked - started)} s; " if not number else ""
            report.add(Figure(name=f"{name}, scores", seconds=[scored - looked], note=back))
            limit = Limit(shown="≤ 60 s", most=60)
            note = f"{made.fired:,} triggers fired; " + ", ".join(f"{count:,} {one}" for one, count in outcomes.items())
            report.add(Figure(name="… decisions", seconds=[decided - scored], limit=limit, note=note))


def main() -> None:
    """Measure, print the table; exit status 1 where the limit is not met."""
    asked = _arguments()
    say = Console(stderr=True)
    report = Report(title=f"Deciding each night, {os.cpu_count()} processors, simulated company")
    with tempfile.TemporaryDirectory(prefix="bench-deciding") as place:
        data, folder = Path(place) / "data", Path(place) / "project"
        say.print(f"simulating {asked.accounts:,} accounts")
        sizes = {"days": asked.days, "seed": asked.seed, "end": END, "events_per_day": asked.events_per_day}
        simulate(data, accounts=asked.accounts, **sizes)
        create_project(folder)
        with open_project(folder) as project:
            say.print("loading")
            load_into(project, [data])
            nights(project, report, say)
    report.show(Console(width=None if sys.stdout.isatty() else 200))
    sys.exit(1 if any(figure.met is False for figure in report.figures) else 0)


if __name__ == "__main__":
    main()
