"""The whole path: imagine a world, stream its events, write its files."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from handraise.simulate.behaviour import days_of, natural_events
from handraise.simulate.commerce import write_limits, write_outcomes, write_subscriptions
from handraise.simulate.files import EventsFile
from handraise.simulate.journey import journeys
from handraise.simulate.market import write_leads, write_nps, write_prompts
from handraise.simulate.registry import write_accounts, write_people, write_workspaces
from handraise.simulate.sales import write_opportunities, write_touches
from handraise.simulate.schedule import Events, together, within
from handraise.simulate.signs import signs
from handraise.simulate.truth import write_truth
from handraise.simulate.world import World, imagine

Progress = Callable[[str, int, int], None]
DEFAULT_END: Final = date(2026, 10, 28)
PROGRESS_STEPS: Final = 20

TABLES: Final[dict[str, tuple[str, Callable[[Path, World], int]]]] = {
    "people": ("people.csv", write_people),
    "workspaces": ("workspaces.csv", write_workspaces),
    "accounts": ("accounts.csv", write_accounts),
    "subscriptions": ("subscriptions.csv", write_subscriptions),
    "limits": ("limits.csv", write_limits),
    "opportunities": ("opportunities.csv", write_opportunities),
    "touches": ("touches.csv", write_touches),
    "leads": ("leads.csv", write_leads),
    "nps": ("nps.csv", write_nps),
    "prompts": ("prompts.csv", write_prompts),
    "outcomes": ("outcomes.csv", write_outcomes),
    "truth": ("truth.parquet", write_truth),
}


@dataclass(frozen=True, kw_only=True)
class SimulationSummary:
    """How many rows each file got."""

    events: int
    """Rows of events.parquet, exact copies included."""
    duplicates: int
    """Rows of events.parquet that are exact copies of another."""
    people: int
    workspaces: int
    accounts: int
    """Rows of accounts.csv: those of the accounts asked for that the CRM knows, plus some without usage."""
    subscriptions: int
    limits: int
    opportunities: int
    """Rows of the stage history, several per opportunity."""
    touches: int
    leads: int
    nps: int
    prompts: int
    outcomes: int
    truth: int


def simulate(  # noqa: PLR0913 - all but one are keywords, and each is a choice of the caller
    directory: Path,
    *,
    accounts: int,
    days: int,
    seed: int,
    end: date = DEFAULT_END,
    events_per_day: float | None = None,
    progress: Progress | None = None,
) -> SimulationSummary:
    """Write a simulated company's canonical files and its truth into `directory`; same arguments, same bytes.

    Args:
        directory: Made if missing; files of the same names are replaced.
        accounts: Accounts with usage, people on their own included.
        days: Length of the span in days.
        seed: Any non-negative integer.
        end: The first day after the last event, UTC.
        events_per_day: Wanted mean of events a day; it scales the day-to-day use, not the meaningful events.
        progress: Called now and then with what is being done, how much is done, and of how much.

    Raises:
        ValueError: A number is out of range, or `events_per_day` is less than the meaningful events alone.

    """
    if accounts < 1 or days < 1 or seed < 0:
        message = f"accounts ({accounts}) and days ({days}) must be at least 1 and seed ({seed}) at least 0"
        raise ValueError(message)
    report = progress or _silent
    report("imagining the company", 0, 1)
    world = imagine(seed=seed, accounts=accounts, days=days, end=end)
    planned = _planned(world)
    scale = 1.0 if events_per_day is None else _scale(world, len(planned), events_per_day)
    directory.mkdir(parents=True, exist_ok=True)
    report("imagining the company", 1, 1)
    counts = {name: write(directory / file, world) for name, (file, write) in TABLES.items()}
    events, copies = _write_events(directory / "events.parquet", world, planned, scale=scale, report=report)
    return SimulationSummary(events=events, duplicates=copies, **counts)


def _planned(world: World) -> Events:
    """Return every event with a story behind it, sorted by time and cut to the span."""
    return within(together((journeys(world), signs(world))), world.span)


def _scale(world: World, planned: int, events_per_day: float) -> float:
    """Return the factor on day-to-day use that gives the wanted mean of events a day."""
    wanted = events_per_day * world.span.days - planned
    if wanted < 0:
        message = (
            f"events_per_day={events_per_day:g} is less than the {planned / world.span.days:.0f} meaningful "
            "events a day of such a company; ask for more, for fewer accounts, or leave it out"
        )
        raise ValueError(message)
    natural = natural_events(world)
    return wanted / natural if natural > 0 else 1.0


def _write_events(path: Path, world: World, planned: Events, *, scale: float, report: Progress) -> tuple[int, int]:
    """Stream every day into the events file; return (rows, exact copies among them)."""
    days = world.span.days
    step = max(1, days // PROGRESS_STEPS)
    with EventsFile(path, world.members, world.spaces) as sink:
        for done, day in enumerate(days_of(world, planned, scale=scale), start=1):
            sink.add(day)
            if done % step == 0 or done == days:
                report("writing events", done, days)
    return sink.rows, sink.copies


def _silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
