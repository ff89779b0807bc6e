"""Commands that make a company up: the demo, its files, and its activity as it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handraise.faces.cli.options import LangOption, day_of, run


def demo(
    directory: Annotated[Path, typer.Argument(help="Where the demo project goes.")] = Path("demo"),
    accounts: Annotated[int, typer.Option(min=10, help="Size of the simulated company's market.")] = 1000,
    days: Annotated[int, typer.Option(min=40, help="Days of history.")] = 97,
    seed: Annotated[int, typer.Option(help="Same seed and same --end, same company.")] = 7,
    end: Annotated[
        str | None, typer.Option(metavar="DAY", help="The day after the last event, UTC.", show_default="today")
    ] = None,
    lang: LangOption = None,
) -> None:
    """Simulate a company, load it, score it, show the day's accounts and write a report. Works offline.

    Everything in the demo is simulated. Example: `handraise demo`
    """
    from handraise.faces.cli.demo import run_demo

    run(lambda: run_demo(directory, accounts=accounts, days=days, seed=seed, end=day_of(end), language=lang or "en"))


def simulate(
    directory: Annotated[Path, typer.Argument(help="Where the files go.")],
    accounts: Annotated[int, typer.Option(min=1, help="Companies and single users with usage.")] = 1000,
    days: Annotated[int, typer.Option(min=1, help="Days of history.")] = 97,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 7,
    events_per_day: Annotated[
        float | None, typer.Option(help="Mean events a day; leave out for a natural rate.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="DAY", help="The day after the last event.")] = None,
) -> None:
    """Make up a company with known truth: canonical files and `truth.parquet`. All of it is simulated.

    Example: `handraise simulate sim --accounts 1000 --days 90 --seed 1`
    """
    from handraise.faces.cli import commands

    run(
        lambda: commands.simulate(
            directory, accounts=accounts, days=days, seed=seed, events_per_day=events_per_day, end=day_of(end)
        )
    )
