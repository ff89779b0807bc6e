"""`handraise accounts --watch`: look again and again, and show whose score moved."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from handraise.faces.cli import show
from handraise.faces.cli.ask import ask
from handraise.faces.cli.days import right_now
from handraise.faces.cli.looking import keep_looking
from handraise.faces.cli.served import Progress, progress_of
from handraise.records import Standing
from handraise.service import questions
from handraise.service.questions import Standings, check_name

# Looked at every time; what stands below moves unseen.
MOST_ACCOUNTS: Final = 10_000
SORTS: Final = ("tier", "score", "active_people", "people_points")
LANGUAGES: Final = ("en", "zh")
# Lines of the terminal around the rows; columns from which names are written out; bytes that are worth a word.
_AROUND, _WIDE, _SHOWN_BEHIND = 5, 110, 100_000


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which accounts are watched, and how they are shown.

    Attributes:
        tier: Only this one.
        segment: Only this one.
        sort: One of `SORTS`; None = who moved last stands first.
        limit: Rows at most.
        language: Of the reasons; None = the playbook's.
    """

    tier: int | None
    segment: str | None
    sort: str | None
    limit: int
    language: str | None

    def takes(self, row: Standing) -> bool:
        """Whether an account is one of them."""
        return self.tier in {None, row.tier} and self.segment in {None, row.segment}


@dataclass(frozen=True, kw_only=True)
class Watched:
    """An account at one look.

    Attributes:
        row: Where it stands.
        tier_name: Of its tier.
        because: Its strongest reason.
        since_start: Change of the score since the watch, or its day, began.
        since_look: Change since the look before.
    """

    row: Standing
    tier_name: str
    because: str
    since_start: int
    since_look: int

    @property
    def named(self) -> str:
        """Name and id."""
        return f"{self.row.name}  {self.row.account_id}" if self.row.name else self.row.account_id


@dataclass(kw_only=True)
class Memory:
    """What is kept from one look to the next.

    Attributes:
        as_of: The day of the last look.
        begun: Score of each account when the watch began, or when its day did.
        last: Score of each account at the last look.
        changes: Who moved at the last look, and by how much.
        moved: When each account moved last, as the number of the look.
        looks: How many there were.
    """

    as_of: date | None = None
    begun: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    looks: int = 0

    def take(self, found: Standings) -> None:
        """Take in what a look found."""
        now = {row.account_id: row.score for row in found.rows}
        self.looks += 1
        if found.as_of != self.as_of:
            # Every window ends a day later now: what that moves is no news of anybody.
            self.as_of, self.begun, self.changes, self.moved = found.as_of, dict(now), {}, {}
        else:
            # Who was not there before comes from nothing.
            self.begun = dict.fromkeys(now, 0) | self.begun
            moved = {one: score - self.last.get(one, 0) for one, score in now.items()}
            self.changes = {one: change for one, change in moved.items() if change}
            self.moved |= dict.fromkeys(self.changes, self.looks)
        self.last = now

    def order(self, rows: list[Standing], sort: str | None) -> list[Standing]:
        """Accounts as they are to be shown; they come in the order of their tiers."""
        if sort is None:
            return sorted(rows, key=lambda row: -self.moved.get(row.account_id, 0))
        return rows if sort == "tier" else sorted(rows, key=lambda row: -int(getattr(row, sort)))


@dataclass(kw_only=True)
class Looker:
    """Asks the server, and keeps the reasons of accounts that do not move.

    Attributes:
        folder: The project's.
        wanted: What is watched.
        memory: Of the looks before.
        reasons: Account and score → strongest reason.
        tiers: Number → name.
    """

    folder: Path
    wanted: Wanted
    memory: Memory = field(default_factory=Memory)
    reasons: dict[tuple[str, int], str] = field(default_factory=dict)
    tiers: dict[int, str] = field(default_factory=dict)

    def look(self) -> list[Standing]:
        """All wanted accounts; `memory` has how they moved."""
        first = not self.memory.looks
        found = ask(self.folder, questions.standings, most=MOST_ACCOUNTS, now=right_now())
        if first:
            check_name("segment", self.wanted.segment, found.segments)
            check_name(
                "tier", None if self.wanted.tier is None else str(self.wanted.tier), [str(tier) for tier in found.tiers]
            )
        self.memory.take(found)
        self.tiers = found.tiers
        rows = [row for row in found.rows if self.wanted.takes(row)]
        return self.memory.order(rows, self.wanted.sort)

    def explained(self, rows: list[Standing]) -> list[Watched]:
        """Accounts with their strongest reason."""
        unknown = [row.account_id for row in rows if (row.account_id, row.score) not in self.reasons]
        if unknown:
            language, now = self.wanted.language, right_now()
            told = ask(self.folder, questions.reasons, account_ids=unknown, language=language, now=now)
            because = {one: show.reasons(lines, most=1) for one, lines in told.items()}
            self.reasons |= {
                (row.account_id, row.score): because[row.account_id] for row in rows if row.account_id in because
            }
        return [self._watched(row) for row in rows]

    def _watched(self, row: Standing) -> Watched:
        return Watched(
            row=row,
            tier_name=self.tiers[row.tier],
            because=self.reasons.get((row.account_id, row.score), ""),
            since_start=row.score - self.memory.begun[row.account_id],
            since_look=self.memory.changes.get(row.account_id, 0),
        )


def watch(folder: Path, wanted: Wanted, *, every: float, as_json: bool) -> None:
    """`handraise accounts --watch`; ends with Ctrl-C. A server that goes away is waited for.

    Raises:
        ProjectError: No server has the project.
        HandraiseError: There is no such sort, segment or language.
    """
    check_name("sort", wanted.sort, SORTS)
    check_name("language", wanted.language, LANGUAGES)
    looker = Looker(folder=folder, wanted=wanted)
    with _shown(looker, every, as_json=as_json) as once:
        keep_looking(folder, once, every=every)


@contextmanager
def _shown(looker: Looker, every: float, *, as_json: bool) -> Iterator[Callable[[], None]]:
    """Gives what looks once and shows it."""
    if as_json or not show.out.is_terminal:
        yield lambda: _lines(looker, every, as_json=as_json)
        return
    with Live(console=show.out, auto_refresh=False) as live:
        yield lambda: live.update(_board(looker, every), refresh=True)


def _lines(looker: Looker, every: float, *, as_json: bool) -> None:
    """One line for each account that moved."""
    before, rows = looker.memory.as_of, looker.look()
    memory = looker.memory
    if memory.as_of != before:
        show.hint(f"Watching {len(rows):,} accounts as of {memory.as_of}, every {every:g} s. Ctrl-C ends it.")
    moved = [row for row in rows if row.account_id in memory.changes]
    at = right_now()
    for one in looker.explained(moved):
        if as_json:
            sys.stdout.write(json.dumps(_as_json(one, at, memory.as_of), ensure_ascii=False) + "\n")
        else:
            was = one.row.score - one.since_look
            show.say(
                f"{at:%H:%M:%S} {one.named}: {was:,} → {one.row.score:,} ({one.since_look:+,}; {one.since_start:+,} since "
                f"the start), tier {one.row.tier} {one.tier_name}; strongest reason: {one.because}"
            )
    sys.stdout.flush()


def _as_json(one: Watched, at: datetime, as_of: date | None) -> dict[str, object]:
    row = one.row
    return {
        "at": at.isoformat(timespec="milliseconds"),
        "as_of": str(as_of),
        "account_id": row.account_id,
        "name": row.name,
        "before": row.score - one.since_look,
        "score": row.score,
        "change": one.since_look,
        "since_start": one.since_start,
        "tier": row.tier,
        "because": one.because,
    }


def _board(looker: Looker, every: float) -> Group:
    """The table and what stands below it, as large as the terminal is."""
    rows = looker.look()
    room = max(show.out.height - _AROUND, 1)
    drawn = looker.explained(rows[: min(looker.wanted.limit, room)])
    table = Table(header_style="bold", box=None, pad_edge=False, expand=True)
    wide = show.out.width >= _WIDE
    for heading in ("score", "since start", "last look") if wide else ("score", "start", "look"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("tier", no_wrap=True)
    table.add_column("account", no_wrap=True, overflow="ellipsis", max_width=40 if wide else 20)
    table.add_column("strongest reason", no_wrap=True, overflow="ellipsis", ratio=1)
    for one in drawn:
        tier = f"{one.row.tier} {one.tier_name}" if wide else str(one.row.tier)
        table.add_row(
            f"{one.row.score:,}",
            _change(one.since_start),
            _change(one.since_look),
            tier,
            one.named if wide else one.row.name or one.row.account_id,
            one.because,
            style="bold" if one.since_look else "",
        )
    below = f"as of {looker.memory.as_of} · {len(rows):,} accounts · every {every:g} s, Ctrl-C ends it"
    return Group(table, "", Text(below, style="dim"), _how_far(progress_of(looker.folder)))


def _change(points: int) -> Text:
    return Text(f"{points:+,}" if points else "", style="green" if points > 0 else "red")


def _how_far(progress: Progress) -> Text:
    """How many events were taken in, how far behind the server is, and what it cannot do."""
    if progress.failing:
        return Text("the server cannot take in what is sent; its own output says why", style="bold red")
    behind = f"{progress.behind / 1e6:.1f} MB behind" if progress.behind >= _SHOWN_BEHIND else "nothing behind"
    scored = f" · scored {progress.scored_at:%H:%M:%S} UTC" if progress.scored_at else ""
    return Text(f"{progress.calls:,} events taken in · {behind}{scored}", style="dim")
