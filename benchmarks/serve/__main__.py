"""`python -m benchmarks.serve`: what `make bench-serve` runs."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from benchmarks.figures import Report
from benchmarks.serve.phases import MILLION, PHASES, Sizes


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__)
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=list(PHASES))
    parser.add_argument("--seconds", type=float, default=600, help="of the sustained load")
    parser.add_argument("--rate", type=int, default=5000, help="events a second of the sustained load")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--overload", type=float, default=60, help="seconds")
    parser.add_argument("--events", type=int, default=MILLION, help="of the log that is opened and read again")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    return parser.parse_args()


def main() -> None:
    """Measure, print the table; exit status 1 where a limit is not met."""
    asked = _arguments()
    sizes = Sizes(
        seconds=asked.seconds, rate=asked.rate, kills=asked.kills, overload=asked.overload, events=asked.events
    )
    console, progress = Console(width=None if sys.stdout.isatty() else 200), Console(stderr=True)
    report = Report(title=f"Server, {os.cpu_count()} processors shared with the sender")
    report.facts = {"sizes": vars(sizes), "load_average": os.getloadavg()}
    for phase in asked.phases:
        progress.print(f"bench-serve: {phase}")
        with tempfile.TemporaryDirectory(prefix="bench-serve", ignore_cleanup_errors=True) as folder:
            for figure in PHASES[phase](Path(folder) / "project", sizes):
                report.add(figure)
    report.show(console)
    if asked.out:
        asked.out.write_text(json.dumps(report.as_json(), indent=1), encoding="utf-8")
    sys.exit(1 if any(figure.met is False for figure in report.figures) else 0)


if __name__ == "__main__":
    main()
