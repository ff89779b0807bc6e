"""The life of an account that sales may work on: from watching over qualified and working to an end, and back again.

Pure rules: what they need comes in, what they decide goes out, and the clock is an argument.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from handraise.playbook.handoffs import Lifecycle
from handraise.records.acting import Life, State

# States in which somebody is at it, or about to be.
ENGAGED: tuple[State, ...] = ("qualified", "working", "accepted")
_MAY_SET: tuple[State, ...] = ("qualified", "working")


def barred(life: Life, rules: Lifecycle) -> tuple[datetime, str] | None:
    """Until when an account may not become qualified again, and why; None = it never has to wait."""
    if life.state in ENGAGED:
        return None
    waits = [(life.cool_until, "cooling_down")] if life.cool_until else []
    if life.qualified_at:
        waits.append((life.qualified_at + timedelta(days=rules.gap_days), "too_soon_again"))
    return max(waits, default=None)


def qualified(life: Life, now: datetime) -> Life:
    """The account after it was handed over; one that is worked on goes on as it is.

    What was to cool down goes on cooling: whoever asks is answered meanwhile, and that alone is no reason to sell.
    """
    if life.state in ENGAGED:
        return life
    return replace(life, state="qualified", since=now, qualified_at=now, reached_at=None, was_pqa=False)


def seen(life: Life, *, is_pqa: bool, now: datetime) -> Life:
    """The account after its tier was looked at; how long it is below matters only while it is worked on."""
    if life.state not in ENGAGED:
        return replace(life, below_since=None) if life.below_since else life
    if is_pqa:
        return replace(life, below_since=None, was_pqa=True)
    return replace(life, below_since=now) if life.was_pqa and not life.below_since else life


def sunset_at(life: Life, rules: Lifecycle) -> tuple[datetime, str] | None:
    """When work on an account ends by itself, and why; None = not by the clock."""
    if life.state not in _MAY_SET:
        return None
    clocks = []
    if life.below_since:
        clocks.append((life.below_since + timedelta(days=rules.sunset_below_days), "below_tier"))
    if not life.reached_at:
        began = life.qualified_at or life.since
        clocks.append((began + timedelta(days=rules.sunset_unreached_days), "nobody_reached"))
    return min(clocks, default=None)


def ended(life: Life, state: State, now: datetime) -> Life:
    """The account after work on it ended."""
    return replace(life, state=state, since=now)


def rejected(life: Life, rules: Lifecycle, reason: str, now: datetime) -> Life:
    """The account after a salesperson rejected it; it cools down for as long as the reason says, or an earlier one does."""
    until = now + timedelta(days=rules.cooldown_reasons.get(reason, rules.cooldown_days))
    return replace(life, state="rejected", since=now, cool_until=max(until, life.cool_until or until))
