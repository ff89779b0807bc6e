"""What was measured, against what was asked for: as a table for people, as JSON for machines."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

GIB = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What a figure has to be.

    Attributes:
        most: Its median may not be above this; None = no such bound.
        least: Its median may not be below this; None = no such bound.
        shown: How the limit is written.
    """

    shown: str
    most: float | None = None
    least: float | None = None

    def met(self, value: float) -> bool:
        """Whether a value keeps to it."""
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What was done.
        seconds: Wall time of each repetition; empty where time is not the figure.
        measured: The number that the limit is about, of each repetition, such as a ratio; empty = the seconds.
        unit: What stands behind that number, such as `× F`.
        limit: None where nothing was asked for.
        note: What a reader has to know.
    """

    name: str
    seconds: Sequence[float] = ()
    measured: Sequence[float] = ()
    unit: str = ""
    limit: Limit | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the median keeps to the limit; None without limit or measurement."""
        numbers = self.measured or self.seconds
        return self.limit.met(statistics.median(numbers)) if self.limit and numbers else None


@dataclass
class Report:
    """All figures of one run.

    Attributes:
        title: What was measured on what.
        figures: In the order of the table.
        facts: What else belongs into the JSON: sizes, versions, steps.
    """

    title: str
    figures: list[Figure] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def add(self, figure: Figure) -> None:
        """Add a line."""
        self.figures.append(figure)

    def as_json(self) -> dict[str, Any]:
        """Everything, with every repetition."""
        rows = [{**asdict(figure), "met": figure.met} for figure in self.figures]
        return {"title": self.title, "facts": self.facts, "figures": rows}

    def show(self, console: Console) -> None:
        """Print the table: medians, and in brackets the least and the most."""
        table = Table(title=self.title, title_justify="left", caption_justify="left")
        for column in ("figure", "seconds", "ratio or rate", "limit", "met", "note"):
            table.add_column(column, justify="right" if column in {"seconds", "ratio or rate"} else "left")
        for figure in self.figures:
            table.add_row(
                figure.name,
                spread(figure.seconds),
                f"{spread(figure.measured)} {figure.unit}".strip(),
                figure.limit.shown if figure.limit else "",
                {True: "yes", False: "NO", None: ""}[figure.met],
                figure.note,
            )
        console.print(table)


def spread(numbers: Sequence[float]) -> str:
    """The median; with several numbers also the least and the most."""
    if not numbers:
        return ""
    middle = plain(statistics.median(numbers))
    return middle if len(numbers) == 1 else f"{middle} ({plain(min(numbers))}–{plain(max(numbers))})"


def plain(number: float) -> str:
    """Three digits that matter, never fewer than the whole ones."""
    size = abs(number)
    if size >= 100:  # noqa: PLR2004 - from here on, digits behind the point say nothing
        return f"{number:,.0f}"
    return f"{number:.1f}" if size >= 10 else f"{number:.2f}"  # noqa: PLR2004 - likewise
