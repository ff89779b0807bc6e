"""A comparison of two playbooks for people on a terminal."""

from __future__ import annotations

from rich.text import Text

from handraise.faces.cli import show
from handraise.faces.cli.diff_wording import SAME_POINTS, change, counted, headline, labels, scores, value, volumes
from handraise.playbook.diff import Setting
from handraise.service.diff import PlaybookDiff
from handraise.service.movers import LineChange, Moved
from handraise.service.shift import Effect, Shift

# Longer values of settings are cut here; JSON has them whole.
_LONGEST = 60


def playbook_diff(found: PlaybookDiff) -> None:
    """Headline, settings, volumes, effects, movers."""
    show.say(f"Playbook {found.old} → {found.new}, as of {found.as_of}")
    show.say(headline(found))
    for note in found.notes:
        show.say(f"Note: {note}")
    _settings(found.settings)
    _volumes("Accounts", "tier", found.accounts, "PQA")
    _volumes("People", "band", found.people, "PQL")
    _effects([("account", e) for e in found.accounts.effects] + [("person", e) for e in found.people.effects])
    _movers("Accounts that move", found.accounts, "PQA")
    _movers("People who move", found.people, "PQL")


def _settings(settings: tuple[Setting, ...]) -> None:
    show.say("")
    if not settings:
        show.say("The playbooks say the same.")
        return
    rows: list[list[object]] = [[s.key, _cut(value(s.old)), _cut(value(s.new))] for s in settings]
    show.table("What they say differently", [("key", "left"), ("old", "left"), ("new", "left")], rows)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _volumes(title: str, what: str, shift: Shift, qualified: str) -> None:
    rows: list[list[object]] = [
        [name, f"{old:,}", f"{new:,}", change(old, new)] for name, old, new in volumes(shift, qualified)
    ]
    show.say("")
    show.table(title, [(what, "left"), ("old", "right"), ("new", "right"), ("change", "right")], rows)
    if any(segment.old != segment.new for segment in shift.segments):
        rows = [[s.name, f"{s.old:,}", f"{s.new:,}", change(s.old, s.new)] for s in shift.segments]
        show.table("", [("segment", "left"), ("old", "right"), ("new", "right"), ("change", "right")], rows)


def _effects(effects: list[tuple[str, Effect]]) -> None:
    if not effects:
        return
    rows: list[list[object]] = [
        [e.signal, counted(e.entities, entity), f"{e.points:+,}", f"{e.moved:,}"] for entity, e in effects
    ]
    columns = [("signal", "left"), ("changes for", "left"), ("points", "right"), ("of them move", "right")]
    show.say("")
    show.table("Which signals did it", columns, rows)


def _movers(title: str, shift: Shift, qualified: str) -> None:
    if not shift.moved:
        return
    show.say("")
    show.say(
        f"{title}: {shift.moved:,}" + (f" ({shift.rescored:,} more change their score only)" if shift.rescored else "")
    )
    rows: list[list[object]] = [[_who(m), labels(m, qualified), scores(m), _lines(m.lines)] for m in shift.movers]
    columns = [("who", "left"), ("where", "left"), ("score", "right"), ("because", "left")]
    show.table("", columns, rows)
    if len(shift.movers) < shift.moved:
        show.say(f"… and {shift.moved - len(shift.movers):,} more; --limit shows more of them.")


def _who(mover: Moved) -> Text:
    where = "" if mover.id == mover.account_id else f" in {mover.account_id}"
    return Text.assemble(mover.name or mover.id, (f" {mover.id}" if mover.name else "", "dim"), (where, "dim"))


def _lines(lines: tuple[LineChange, ...]) -> str:
    return "\n".join(f"{line.signal} {line.old} → {line.new}: {line.because}" for line in lines) or SAME_POINTS
