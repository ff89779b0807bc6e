"""`handraise inbox --watch`: handoffs as they come in, and as they go."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Group
from rich.live import Live
from rich.text import Text

from handraise.faces.cli import show
from handraise.faces.cli.acting_commands import inbox_rows, whom
from handraise.faces.cli.ask import ask
from handraise.faces.cli.days import right_now
from handraise.faces.cli.looking import keep_looking
from handraise.service import questions
from handraise.service.inbox import InboxChoice, InboxItem
from handraise.service.wire import encode

# Lines of the terminal around the rows, and lines of a row.
_AROUND, _LINES = 5, 3


@dataclass(kw_only=True)
class InboxWatch:
    """What was seen before.

    Attributes:
        folder: The project's.
        choice: Which handoffs are watched.
        language: Of the reasons; None = the playbook's.
        seen: Number → the handoff at the last look; None = nothing was looked at yet.
    """

    folder: Path
    choice: InboxChoice
    language: str | None
    seen: dict[int, InboxItem] | None = field(default=None)

    def look(self) -> tuple[list[InboxItem], list[InboxItem], list[InboxItem]]:
        """All, those that are new or have further reasons, and those that are gone."""
        found = ask(self.folder, questions.inbox, choice=self.choice, language=self.language, now=right_now())
        before, self.seen = self.seen, {one.handoff.id: one for one in found}
        if before is None:
            return found, [], []
        news = [one for one in found if one.handoff.id not in before or before[one.handoff.id].because != one.because]
        return found, news, [one for number, one in before.items() if number not in self.seen]


def watch(folder: Path, choice: InboxChoice, language: str | None, *, every: float, as_json: bool) -> None:
    """Look again and again until Ctrl-C.

    Raises:
        ProjectError: No server has the project.
    """
    watched = InboxWatch(folder=folder, choice=choice, language=language)
    if as_json or not show.out.is_terminal:
        keep_looking(folder, lambda: _lines(watched, every, as_json=as_json), every=every)
        return
    with Live(console=show.out, auto_refresh=False) as live:
        keep_looking(folder, lambda: live.update(_board(watched, every), refresh=True), every=every)


def _lines(watched: InboxWatch, every: float, *, as_json: bool) -> None:
    """One line for each handoff that came, got further reasons, or went."""
    first, before = watched.seen is None, watched.seen or {}
    found, news, gone = watched.look()
    if first:
        show.hint(f"Watching the inbox, which has {len(found)} handoffs, every {every:g} s. Ctrl-C ends it.")
    at = right_now()
    for one, is_there in [*((one, True) for one in news), *((one, False) for one in gone)]:
        if as_json:
            said = {"at": at.isoformat(timespec="milliseconds"), "there": is_there, **json.loads(encode(one))}
            sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
            continue
        name = one.account_name or one.handoff.account_id
        how = "more to" if one.handoff.id in before else "new"
        if is_there:
            show.say(
                f"{at:%H:%M:%S} no. {one.handoff.id}, {how}, {one.handoff.priority}: {name}: {whom(one)}: "
                f"{'; '.join(one.because)}"
            )
        else:
            show.say(f"{at:%H:%M:%S} no. {one.handoff.id} is done: {name}")
    sys.stdout.flush()


def _board(watched: InboxWatch, every: float) -> Group:
    """The table, as large as the terminal is, what is new in bold."""
    found, news, _ = watched.look()
    now, fresh = right_now(), {one.handoff.id for one in news}
    room = max((show.out.height - _AROUND) // _LINES, 1)
    table = show.make_table(*inbox_rows(found[:room], now))
    for place, one in enumerate(found[:room]):
        table.rows[place].style = "bold" if one.handoff.id in fresh else ""
    below = f"{now:%H:%M:%S} UTC · {len(found)} handoffs, {len(found[:room])} shown · every {every:g} s, Ctrl-C ends it"
    return Group(table, "", Text(below, style="dim"))
