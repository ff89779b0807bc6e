"""How each person uses the product: how often, how much, which parts, until when."""

from dataclasses import dataclass

import numpy as np

from handraise.simulate.chance import (
    DAY,
    HOUR,
    BoolArray,
    FloatArray,
    IntArray,
    Stage,
    happens,
    pick_rows,
    sigmoid,
    stream,
)
from handraise.simulate.company import Companies, Span
from handraise.simulate.people import NOBODY, Members
from handraise.simulate.vocabulary import (
    COUNTRIES,
    DABBLER,
    DORMANT,
    FEATURES,
    POWER,
    PREMIUM_FEATURES,
    REGULAR,
    SOLO,
)

# Per persona: power, regular, dabbler, dormant.
ACTIVE_CHANCE = (0.62, 0.27, 0.09, 0.35)
EVENTS_A_DAY = (15.0, 9.0, 5.0, 5.0)
DAYS_STAYED = (520.0, 260.0, 160.0, 5.0)
MOST_LIKELY = 0.97
"""Nobody is active with a higher chance than this on any day."""

CAN_PREMIUM, CAN_API, CAN_SHARE, CAN_EXPORT, CAN_INVITE, CAN_PRICING = (1 << place for place in range(6))


@dataclass(frozen=True, kw_only=True)
class Habits:
    """One element per membership."""

    persona: IntArray
    active_chance: FloatArray
    """Chance of being active on a weekday in the middle of the span."""
    events_a_day: FloatArray
    """Mean events on a day with any use."""
    weekend: FloatArray
    """Factor on `active_chance` on Saturdays and Sundays."""
    slope: FloatArray
    """Change of the chance per day, in the exponent."""
    first_day: IntArray
    """Day of the span (0 = its first day; may be negative) the membership starts on."""
    last_day: IntArray
    """Last day of the span with any use."""
    shift_ms: IntArray
    """Local time minus UTC."""
    abilities: IntArray
    """Bits CAN_*: what the person ever does."""
    breadth: IntArray
    """How many features the person knows, at least 1."""
    premium_breadth: IntArray
    """How many premium features the person knows, 0 without CAN_PREMIUM."""
    taste: IntArray
    """Where in the feature list the person's own features begin."""


def draw_habits(seed: int, companies: Companies, members: Members, span: Span) -> Habits:
    """Draw the habits of every membership from the account's intent and trend and the person's persona."""
    rng = stream(seed, Stage.HABITS)
    count = len(members)
    intent = companies.intent[members.account]
    persona = _personas(rng, members, intent)
    first_day = (members.start_ms - span.start_ms) // DAY
    trend = companies.trend[members.account]
    stayed = rng.exponential(1.0, count) * np.asarray(DAYS_STAYED)[persona] * np.where(trend < 0, 0.5, 1.0)
    chance = np.asarray(ACTIVE_CHANCE)[persona] * np.exp(0.18 * intent + rng.normal(0.0, 0.25, count))
    abilities = _abilities(rng, intent, persona)
    premium = (abilities & CAN_PREMIUM) > 0
    solo = companies.size_class[members.account] == SOLO
    hours = np.asarray([ahead for _, ahead, _ in COUNTRIES])[companies.country[members.account]]
    return Habits(
        persona=persona,
        active_chance=np.minimum(chance, MOST_LIKELY),
        events_a_day=np.asarray(EVENTS_A_DAY)[persona] * np.exp(rng.normal(0.0, 0.35, count)),
        weekend=np.where(solo, rng.uniform(0.3, 1.0, count), rng.uniform(0.03, 0.35, count)),
        slope=trend + rng.normal(0.0, 0.003, count),
        first_day=first_day,
        last_day=first_day + np.floor(stayed).astype(np.int64),
        shift_ms=np.rint(hours * HOUR).astype(np.int64),
        abilities=abilities,
        breadth=1 + rng.binomial(len(FEATURES) - 1, np.asarray((0.55, 0.35, 0.15, 0.1))[persona]),
        premium_breadth=np.where(premium, 1 + rng.binomial(len(PREMIUM_FEATURES) - 1, 0.3, count), 0),
        taste=rng.integers(0, len(FEATURES), count),
    )


def _personas(rng: np.random.Generator, members: Members, intent: FloatArray) -> IntArray:
    """Draw personas; founders are keener than the invited, guests are dabblers or regulars."""
    keen = np.exp(np.clip(0.3 * intent, -1.5, 1.5))
    one = np.ones(len(intent))
    weights = np.stack((0.10 * keen, 0.32 * one, 0.33 * one, 0.25 / keen), axis=1)
    founder = members.is_home & (members.inviter == NOBODY)
    weights[founder, POWER] *= 2.0
    weights[~members.is_home, POWER] = 0.0
    weights[~members.is_home, DORMANT] *= 0.3
    return pick_rows(rng, weights)


def _abilities(rng: np.random.Generator, intent: FloatArray, persona: IntArray) -> IntArray:
    """Draw what each person ever does; the keener the account the more, which is how intent shows in use."""
    engaged = np.select([persona == POWER, persona == REGULAR, persona == DABBLER], [1.3, 0.2, -0.9], -2.0)
    result = np.zeros(len(intent), dtype=np.int64)
    for bit, base, slope in (
        (CAN_PREMIUM, -0.9, 0.6),
        (CAN_API, -2.4, 0.7),
        (CAN_SHARE, -1.6, 0.4),
        (CAN_EXPORT, -0.7, 0.2),
        (CAN_INVITE, -1.5, 0.5),
        (CAN_PRICING, -1.6, 0.8),
    ):
        able = happens(rng, sigmoid(base + slope * intent + engaged), len(intent))
        result |= np.where(able, bit, 0)
    return result


def active_on(habits: Habits, day: int, *, weekend: bool, middle: float) -> FloatArray:
    """Return the chance of every membership to be active on one day of the span, [memberships]."""
    there: BoolArray = (habits.first_day <= day) & (day <= habits.last_day)
    growth = np.clip(np.exp(habits.slope * (day - middle)), 0.05, 2.5)
    chance = np.minimum(habits.active_chance * growth, MOST_LIKELY)
    if weekend:
        chance = chance * habits.weekend
    kept: FloatArray = np.where(there, chance, 0.0)
    return kept
