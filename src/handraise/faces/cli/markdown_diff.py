"""A comparison of two playbooks as Markdown, to be read as a comment of a pull request."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from handraise.faces.cli.diff_wording import SAME_POINTS, change, headline, labels, scores, value, volumes
from handraise.service.diff import PlaybookDiff
from handraise.service.movers import LineChange, Moved
from handraise.service.shift import Shift

# Longer lists are folded away, so that a comment stays short.
_OPEN_ROWS = 12
_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
# A hosting site makes links and calls of these; a space without width keeps them text.
_CALLS = re.compile(r"([@#])")


def markdown_diff(found: PlaybookDiff) -> str:
    """The whole comment, ending with a line break."""
    return "\n".join(_parts(found)) + "\n"


def _parts(found: PlaybookDiff) -> Iterator[str]:
    yield f"### Playbook `{found.old}` → `{found.new}`\n"
    yield f"**{headline(found)}** Scores as of {found.as_of}.\n"
    yield from (f"> {note}\n" for note in found.notes)
    if found.settings:
        rows = [[code(s.key), code(value(s.old)), code(value(s.new))] for s in found.settings]
        yield from _list("What the playbooks say differently", ("key", "old", "new"), rows, len(rows))
    else:
        yield "The playbooks say the same.\n"
    yield from _volumes("tier", found.accounts, "PQA")
    yield from _volumes("band", found.people, "PQL")
    yield from _effects(found)
    yield from _movers("Accounts that move", found.accounts, "PQA")
    yield from _movers("People who move", found.people, "PQL")


def _volumes(what: str, shift: Shift, qualified: str) -> Iterator[str]:
    counts = volumes(shift, qualified)
    yield _table((what, "old", "new", "change"), [_count(*row) for row in counts], numbers=3)
    if any(segment.old != segment.new for segment in shift.segments):
        rows = [_count(segment.name, segment.old, segment.new) for segment in shift.segments]
        yield _table(("segment", "old", "new", "change"), rows, numbers=3)


def _count(name: str, old: int, new: int) -> list[str]:
    moved = change(old, new)
    return [plain(name), f"{old:,}", f"{new:,}", f"**{moved}**" if moved else ""]


def _effects(found: PlaybookDiff) -> Iterator[str]:
    rows = [
        [entity, code(effect.signal), f"{effect.entities:,}", f"{effect.points:+,}", f"{effect.moved:,}"]
        for entity, shift in (("accounts", found.accounts), ("people", found.people))
        for effect in shift.effects
    ]
    if rows:
        columns = ("of", "signal", "get other points", "points in all", "of them move")
        yield from _list("Which signals did it", columns, rows, len(rows), numbers=3)


def _movers(title: str, shift: Shift, qualified: str) -> Iterator[str]:
    if shift.moved:
        rows = [[_who(m), plain(labels(m, qualified)), scores(m), _lines(m.lines)] for m in shift.movers]
        yield from _list(title, ("who", "where", "score", "because"), rows, shift.moved)


def _who(mover: Moved) -> str:
    ids = code(mover.id) if mover.id == mover.account_id else f"{code(mover.id)} in {code(mover.account_id)}"
    return f"{plain(mover.name)} {ids}" if mover.name else ids


def _lines(lines: tuple[LineChange, ...]) -> str:
    told = (f"{code(line.signal)} {line.old} → {line.new}: {plain(line.because)}" for line in lines)
    return "<br>".join(told) or SAME_POINTS


def _list(title: str, columns: Sequence[str], rows: list[list[str]], total: int, *, numbers: int = 0) -> Iterator[str]:
    """A table under its title, folded when it is long; says how many rows are left out."""
    heading = f"{title}: {total:,}"
    more = f"\n… and {total - len(rows):,} more.\n" if len(rows) < total else ""
    shown = _table(columns, rows, numbers=numbers) + more
    if len(rows) <= _OPEN_ROWS:
        yield f"#### {heading}\n\n{shown}"
    else:
        yield f"<details><summary>{heading}</summary>\n\n{shown}\n</details>\n"


def _table(columns: Sequence[str], rows: list[list[str]], *, numbers: int = 0) -> str:
    """A table whose last columns hold numbers."""
    sides = ["---"] * (len(columns) - numbers) + ["---:"] * numbers
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (columns, sides, *rows))


def plain(text: str) -> str:
    """Text that stays text: no markup, no HTML, no line break, no `@name` that calls somebody, no `#1`."""
    shown = html.escape(" ".join(text.split()), quote=False)
    return _CALLS.sub("\\1\u200b", _SPECIAL.sub(r"\\\1", shown))


def code(text: str) -> str:
    """Text as code inside a table's cell."""
    shown = " ".join(text.split()).replace("|", "\\|") or " "
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"
