"""What a comparison says in words, shared by the terminal and Markdown."""

from __future__ import annotations

import json
from typing import Any

from handraise.service.diff import PlaybookDiff
from handraise.service.movers import Moved
from handraise.service.shift import Shift

NOT_THERE = "–"
SAME_POINTS = "same points, other bounds"


def headline(found: PlaybookDiff) -> str:
    """The outcome in a sentence or two."""
    accounts, people = found.accounts, found.people
    if not (accounts.moved or people.moved):
        rescored = accounts.rescored + people.rescored
        return "Nobody moves." if not rescored else "Nobody moves; some scores change within their band or tier."
    return (
        f"{counted(accounts.moved, 'account')} and {counted(people.moved, 'person')} move. "
        f"PQAs: {_crossing(accounts)}. PQLs: {_crossing(people)}."
    )


def counted(number: int, what: str) -> str:
    """`1 account`, `3 people`."""
    many = {"person": "people", "entity": "entities"}.get(what, f"{what}s")
    return f"{number:,} {what if number == 1 else many}"


def _crossing(shift: Shift) -> str:
    """How many become qualified, and how many stop being so."""
    return f"{shift.entering:,} enter, {shift.leaving:,} leave"


def change(old: int, new: int) -> str:
    """`+3`, `-1`, or nothing."""
    return f"{new - old:+,}" if new != old else ""


def value(given: Any) -> str:
    """A setting's value on one line, as it may stand in YAML."""
    if given is None:
        return NOT_THERE
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def labels(mover: Moved, qualified: str) -> str:
    """Where somebody stood and stands; names PQA or PQL and the segment where they change."""
    parts = [f"{mover.old or NOT_THERE} → {mover.new or NOT_THERE}" if mover.old != mover.new else mover.new or ""]
    if mover.old_qualified != mover.new_qualified:
        parts.append(f"now {qualified}" if mover.new_qualified else f"no longer {qualified}")
    if mover.old_segment != mover.new_segment:
        parts.append(f"segment {mover.old_segment or NOT_THERE} → {mover.new_segment or NOT_THERE}")
    return ", ".join(parts)


def scores(mover: Moved) -> str:
    """The score then and now."""
    old, new = ("–" if score is None else str(score) for score in (mover.old_score, mover.new_score))
    return old if old == new else f"{old} → {new}"


def volumes(shift: Shift, qualified: str) -> list[tuple[str, int, int]]:
    """Name, old and new count of each band or tier, of the qualified ones, and of all."""
    return [
        *((volume.name, volume.old, volume.new) for volume in shift.volumes),
        (f"{qualified}s", shift.old_qualified, shift.new_qualified),
        ("all", shift.old, shift.new),
    ]
