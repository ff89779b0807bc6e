"""What `init --from` found and proposed, for people on a terminal."""

from __future__ import annotations

from handraise.faces.cli import show
from handraise.service.start import Placed, Start, shown

_PROPOSALS_SHOWN = 40
_UNPLACED_SHOWN = 6


def _people_of(placed: Placed) -> str:
    """Who viewed one page among many was not counted."""
    return f"{placed.event.people:,}" if placed.count == placed.event.count else ""


def proposals(started: Start) -> None:
    """Which events were found, and which role each was proposed for."""
    columns = [
        ("event", "left"),
        ("events", "right"),
        ("people", "right"),
        ("role", "left"),
        ("", "left"),
        ("why", "left"),
    ]
    rows = [
        [shown(p.event.name), f"{p.count:,}", _people_of(p), p.proposal.role, p.proposal.level, p.proposal.why]
        for p in started.placed[:_PROPOSALS_SHOWN]
    ]
    show.table("", columns, rows)
    if len(started.placed) > _PROPOSALS_SHOWN:
        show.say(f"and {len(started.placed) - _PROPOSALS_SHOWN:,} more, all in the playbook.")
    left = started.profile.names - len({p.event.name for p in started.placed})
    if left:
        names = ", ".join(f"{shown(use.name)} ({use.count:,})" for use in started.unplaced[:_UNPLACED_SHOWN])
        show.say(f"Nothing was proposed for {left:,} of {started.profile.names:,} events, such as {names}.")
    if started.profile.refused:
        show.say(
            f"{started.profile.refused:,} rows cannot be read and would be set aside; `handraise load` will say why."
        )
    if started.passed_over:
        show.say(f"Passed over, as no format knows them: {', '.join(map(str, started.passed_over))}.")
