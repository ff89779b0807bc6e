"""Day-to-day use: the bulk of the events, drawn one day at a time.

A day is the unit of randomness (each has its own stream), row groups are the unit of writing (files.py); so
neither the order of work nor the size of a block can change an event.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from handraise.simulate.chance import DAY, HOUR, MINUTE, SECOND, FloatArray, IntArray, Stage, happens, stream
from handraise.simulate.habits import (
    CAN_API,
    CAN_EXPORT,
    CAN_INVITE,
    CAN_PREMIUM,
    CAN_PRICING,
    CAN_SHARE,
    Habits,
    active_on,
)
from handraise.simulate.schedule import NO_PROPERTIES, Codes, Events, Rows, together
from handraise.simulate.vocabulary import (
    CODE,
    EVENT_NAMES,
    FEATURES,
    PERSONAS,
    PREMIUM_FEATURES,
    PROPERTY_SPAN,
)
from handraise.simulate.world import World

SATURDAY = 5
SECOND_SITTING = 0.4
"""Part of a day's events that belong to the later sitting."""
DUPLICATE_SHARE = 0.001
LATE_SHARE = 0.015

MIX: Final = (
    # name, weight for power / regular / dabbler / dormant, what the person must be able to do
    ("page_view", (22.0, 26.0, 32.0, 38.0), 0),
    ("document_opened", (16.0, 16.0, 16.0, 16.0), 0),
    ("document_edited", (14.0, 11.0, 6.0, 4.0), 0),
    ("comment_added", (7.0, 6.0, 3.0, 1.0), 0),
    ("search_performed", (5.0, 5.0, 5.0, 5.0), 0),
    ("notification_clicked", (5.0, 5.0, 4.0, 2.0), 0),
    ("dashboard_viewed", (5.0, 5.0, 4.0, 4.0), 0),
    ("file_uploaded", (2.0, 2.0, 1.5, 1.0), 0),
    ("feature", (16.0, 15.0, 13.0, 12.0), 0),
    ("premium_feature", (5.0, 4.0, 3.0, 2.0), CAN_PREMIUM),
    ("api_or_integration", (2.0, 1.5, 1.0, 1.0), CAN_API),
    ("external_share", (0.5, 0.5, 0.5, 0.5), CAN_SHARE),
    ("export", (0.8, 0.7, 0.6, 0.4), CAN_EXPORT),
    ("invite_sent", (0.15, 0.12, 0.1, 0.1), CAN_INVITE),
    ("pricing_view", (0.15, 0.2, 0.3, 0.3), CAN_PRICING),
)
CELLS = 1 << 14
WITH_PROPERTIES = ("page_view", "api_or_integration", "export")


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of events, sorted by time, with what the log adds to them."""

    events: Events
    received_ms: IntArray
    sequence: IntArray
    """Number of the event since the start; exact copies share it."""


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """Lookup tables over event names and personas, built once."""

    mix: Codes
    """[persona, cell] -> event name, cells in proportion to the weights."""
    needs: IntArray
    """[event name] -> bit the person must have."""
    first: IntArray
    """[event name] -> first property text."""
    width: IntArray
    """[event name] -> how many property texts; 0 where the event carries none."""


def _tables() -> _Tables:
    mix = np.empty((len(PERSONAS), CELLS), dtype=np.int16)
    codes = np.asarray([CODE[name] for name, _, _ in MIX])
    for persona in range(len(PERSONAS)):
        weights = np.cumsum([weight[persona] for _, weight, _ in MIX])
        cell = (np.arange(CELLS) + 0.5) / CELLS * weights[-1]
        mix[persona] = codes[np.searchsorted(weights, cell)]
    needs, first, width = (np.zeros(len(EVENT_NAMES), dtype=np.int64) for _ in range(3))
    for name, _, bit in MIX:
        needs[CODE[name]] = bit
    for name in WITH_PROPERTIES:
        first[CODE[name]], width[CODE[name]] = PROPERTY_SPAN[name]
    return _Tables(mix=mix, needs=needs, first=first, width=width)


def natural_events(world: World) -> float:
    """Return the expected number of day-to-day events over the whole span."""
    return sum(float(_chance(world, day) @ world.habits.events_a_day) for day in range(world.span.days))


def _chance(world: World, day: int) -> FloatArray:
    """Return the chance of every membership to be active on a day of the span."""
    # 1970-01-01 was a Thursday, three days after a Monday.
    weekday = (world.span.start_ms // DAY + day + 3) % 7
    return active_on(world.habits, day, weekend=weekday >= SATURDAY, middle=world.span.days / 2)


def days_of(world: World, planned: Events, *, scale: float) -> Iterator[Day]:
    """Yield every day's events: the planned ones (sorted by time, inside the span) and the day-to-day use.

    `scale` multiplies the mean number of day-to-day events of a person's active day.
    """
    tables, span = _tables(), world.span
    edges = np.searchsorted(planned.at_ms, span.start_ms + DAY * np.arange(span.days + 1))
    sequence = 0
    for day in range(span.days):
        rng = stream(world.seed, Stage.DAYS, day)
        used = _use(rng, world, tables, day=day, scale=scale)
        lot = together([planned.take(slice(int(edges[day]), int(edges[day + 1]))), used])
        lot = lot.take(np.argsort(lot.at_ms, kind="stable"))
        yield _logged(rng, lot, sequence, span.end_ms)
        sequence += len(lot)


def _use(rng: np.random.Generator, world: World, tables: _Tables, *, day: int, scale: float) -> Events:
    """Draw who is active on the day, how often, what they do, and when."""
    habits = world.habits
    active = np.flatnonzero(happens(rng, _chance(world, day), len(world.members)))
    # A gamma factor of mean 1 makes some days much busier than others, as real days are.
    mean = habits.events_a_day[active] * scale * rng.gamma(3.0, 1.0 / 3.0, len(active))
    member: Rows = np.repeat(active, rng.poisson(mean)).astype(np.int32)
    name = _what(rng, member, habits, tables)
    return Events(
        at_ms=_when(rng, active, member, world, day),
        member=member,
        anonymous=np.full(len(member), -1, dtype=np.int32),
        name=name,
        properties=_properties(rng, member, name, habits, tables),
    )


def _what(rng: np.random.Generator, member: Rows, habits: Habits, tables: _Tables) -> Codes:
    """Draw the event names; what a person never does becomes a page view."""
    cell = rng.integers(0, CELLS, len(member), dtype=np.int32)
    name = tables.mix[habits.persona[member], cell]
    needed = tables.needs[name]
    unable = (habits.abilities[member] & needed) != needed
    name[unable] = CODE["page_view"]
    return name


def _properties(rng: np.random.Generator, member: Rows, name: Codes, habits: Habits, tables: _Tables) -> Codes:
    """Draw the property texts; features come from the part of the product the person knows."""
    draw = rng.random(len(member), dtype=np.float32)
    width = tables.width[name]
    result = np.where(width > 0, tables.first[name] + (draw * width).astype(np.int64), NO_PROPERTIES)
    for kind, known, count in (
        ("feature", habits.breadth, len(FEATURES)),
        ("premium_feature", habits.premium_breadth, len(PREMIUM_FEATURES)),
    ):
        here = np.flatnonzero(name == CODE[kind])
        who = member[here]
        # Squaring the draw makes everybody's first features their favourites.
        nth = (draw[here] ** 2 * known[who]).astype(np.int64)
        result[here] = PROPERTY_SPAN[kind][0] + (habits.taste[who] + nth) % count
    return result.astype(np.int16)


def _when(rng: np.random.Generator, active: IntArray, member: Rows, world: World, day: int) -> IntArray:
    """Draw the instants: one or two sittings in the person's own working hours, folded into the UTC day."""
    habits, start_of_day = world.habits, world.span.start_ms + day * DAY
    slot = np.searchsorted(active, member)
    local: FloatArray = 8.0 + 11.0 * rng.beta(2.0, 2.2, (len(active), 2))
    sitting = (rng.random(len(member), dtype=np.float32) < SECOND_SITTING).astype(np.int64)
    begun = (local * HOUR).astype(np.int64)[slot, sitting]
    pause = (rng.standard_exponential(len(member), dtype=np.float32) * (18 * MINUTE)).astype(np.int64)
    offset = (begun + pause - habits.shift_ms[member]) % DAY
    first = np.flatnonzero(habits.first_day[member] == day)
    # On the first day nothing may come before the start of the membership.
    joined = world.members.start_ms[member[first]] - start_of_day
    room = np.minimum(DAY - joined, 4 * HOUR)
    offset[first] = joined + (rng.random(len(first)) ** 2 * room).astype(np.int64)
    return start_of_day + offset


def _logged(rng: np.random.Generator, lot: Events, sequence: int, end_ms: int) -> Day:
    """Add arrival times (some hours or days late) and a few exact copies, as delivery at least once gives."""
    count = len(lot)
    delay = 150 + (rng.standard_exponential(count, dtype=np.float32) * SECOND).astype(np.int64)
    late = np.flatnonzero(rng.random(count, dtype=np.float32) < LATE_SHARE)
    delay[late] = HOUR + (np.minimum(rng.lognormal(1.8, 1.1, len(late)), 200.0) * HOUR).astype(np.int64)
    copies = np.flatnonzero(rng.random(count, dtype=np.float32) < DUPLICATE_SHARE)
    rows = np.sort(np.concatenate((np.arange(count), copies)))
    # What arrives after the end could not be in files written at the end.
    received = np.maximum(lot.at_ms, np.minimum(lot.at_ms + delay, end_ms - 1))
    return Day(events=lot.take(rows), received_ms=received[rows], sequence=sequence + rows)
