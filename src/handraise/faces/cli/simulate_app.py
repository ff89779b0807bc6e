"""Commands that make a company up: the demo, its files, and its activity as it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handraise.faces.cli.options import HERE, LangOption, ProjectOption, day_of, run


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
    directory: Annotated[
        Path | None, typer.Argument(help="Where the files go.", show_default="none with --live")
    ] = None,
    accounts: Annotated[int, typer.Option(min=1, help="Companies and single users with usage.")] = 1000,
    days: Annotated[int, typer.Option(min=1, help="Days of history.")] = 97,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Same seed, same bytes.", show_default="7; with --live another each time")
    ] = None,
    events_per_day: Annotated[
        float | None, typer.Option(help="Mean events a day; leave out for a natural rate.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="DAY", help="The day after the last event.")] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Send the activity of the demo's company to its server, as it happens.")
    ] = False,
    project: ProjectOption = HERE,
    rate: Annotated[float, typer.Option(min=0.1, max=2000, help="With --live: calls a second.")] = 5.0,
    seconds: Annotated[
        float | None,
        typer.Option("--for", metavar="SECONDS", min=0.1, help="With --live: how long.", show_default="until Ctrl-C"),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="With --live: another server, with --key.", show_default="the project's")
    ] = None,
    key: Annotated[str | None, typer.Option(help="With --live: a write key.", show_default="one is made")] = None,
) -> None:
    """Make up a company with known truth: canonical files and `truth.parquet`. All of it is simulated.

    With --live, its people go on working: `handraise simulate --live --project demo` while `handraise serve` runs.
    Example: `handraise simulate sim --accounts 1000 --days 90 --seed 1`
    """
    if live:
        from handraise.faces.cli.live_commands import Pace, simulate_live

        if directory:
            raise typer.BadParameter("with --live, name the project: --project", param_hint="DIRECTORY")
        if url and not key:
            raise typer.BadParameter("another server wants a write key of its own", param_hint="--key")
        pace = Pace(rate=rate, seconds=seconds, seed=seed)
        run(lambda: simulate_live(project, pace, url=url, key=key))
        return
    from handraise.faces.cli import commands

    if directory is None:
        raise typer.BadParameter("say where the files go", param_hint="DIRECTORY")
    options = {"accounts": accounts, "days": days, "seed": 7 if seed is None else seed}
    run(lambda: commands.simulate(directory, **options, events_per_day=events_per_day, end=day_of(end)))
