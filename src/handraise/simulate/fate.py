"""What becomes of each account: when it decides, whether sales gets in touch, and whether it converts.

The hidden intent drives the signs of buying (signs.py) and the buying itself. Sales picks accounts partly by
the use it can see, which intent also drives: that is the confounding a method has to undo. The chances with
and without sales are both kept, so the causal effect of every account is known.
"""

from dataclasses import dataclass

import numpy as np

from handraise.simulate.chance import (
    DAY,
    BoolArray,
    FloatArray,
    IntArray,
    Stage,
    happens,
    milliseconds,
    sigmoid,
    stream,
)
from handraise.simulate.company import Companies, Span, sells_by_hand, size_bonus
from handraise.simulate.habits import Habits
from handraise.simulate.people import NOBODY, Members
from handraise.simulate.vocabulary import ENTERPRISE, MID

INBOUND_SHARE = 0.15
"""Part of the untouched large buyers who come to sales themselves."""
NEVER = -1
"""Stands for an instant that never comes."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """One element per account; instants are NEVER where nothing happens, and may lie after the span's end."""

    decision_ms: IntArray
    """When the account makes up its mind; the signs of buying gather before it."""
    visible_use: FloatArray
    """Expected people active a day at the time of the touch, the use that sales can see."""
    p_touch: FloatArray
    touched: BoolArray
    touch_ms: IntArray
    p_without: FloatArray
    """Chance to convert at the decision if sales never gets in touch."""
    p_with: FloatArray
    """Chance to convert at the decision if sales does."""
    converted: BoolArray
    converted_ms: IntArray
    by_sales: BoolArray
    """Where the conversion is a sales deal instead of self-serve."""


def draw_fate(seed: int, companies: Companies, members: Members, habits: Habits, span: Span) -> Fate:
    """Draw the decision, the touch and the conversion of every account."""
    rng = stream(seed, Stage.FATE)
    total = len(companies)
    decision = _decisions(rng, companies, span)
    # Nobody is contacted within a day of sign-up.
    opened = np.maximum(companies.start_ms, span.start_ms) + DAY + milliseconds(rng.uniform(0.1, 4.0, total))
    touch = np.maximum(opened, decision - milliseconds(rng.uniform(2.0, 20.0, total)))
    visible = _visible_use(companies, members, habits, touch, span)
    p_touch = _propensity(companies, visible, reachable=(touch < span.end_ms) & (touch < decision))
    touched = happens(rng, p_touch, total)
    p_without, p_with = _chances(companies, _can_buy(companies, members))
    converted = happens(rng, np.where(touched, p_with, p_without), total)
    hands_on = sells_by_hand(companies)
    by_sales = converted & hands_on & (touched | happens(rng, INBOUND_SHARE, total))
    cycle = milliseconds(rng.uniform(1.0, 25.0, total))
    return Fate(
        decision_ms=decision,
        visible_use=visible,
        p_touch=p_touch,
        touched=touched,
        touch_ms=np.where(touched, touch, NEVER),
        p_without=p_without,
        p_with=p_with,
        converted=converted,
        converted_ms=np.where(converted, decision + np.where(by_sales, cycle, 0), NEVER),
        by_sales=by_sales,
    )


def _decisions(rng: np.random.Generator, companies: Companies, span: Span) -> IntArray:
    """Draw when each account decides: some weeks after its start, for old accounts some time in the span."""
    total = len(companies)
    old = companies.start_ms < span.start_ms
    wait = 6.0 + rng.gamma(2.0, 18.0, total)
    inside = span.start_ms + milliseconds(rng.uniform(0.05, 1.2, total) * span.days)
    return np.where(old, inside, companies.start_ms + milliseconds(wait))


def _visible_use(companies: Companies, members: Members, habits: Habits, touch: IntArray, span: Span) -> FloatArray:
    """Return the expected number of people active on the day of the touch, [accounts]."""
    day = ((touch - span.start_ms) // DAY)[members.account]
    there = (habits.first_day <= day) & (day <= habits.last_day)
    growth = np.clip(np.exp(habits.slope * (day - span.days / 2)), 0.05, 2.5)
    weights = np.where(there, habits.active_chance * growth, 0.0)
    return np.bincount(members.account, weights=weights, minlength=len(companies)).astype(np.float64)


def _propensity(companies: Companies, visible: FloatArray, *, reachable: BoolArray) -> FloatArray:
    """Return the chance of a touch: more for visible use and ICP, none where sales has no accounts row."""
    bonus = size_bonus(companies, (0.0, -0.6, 0.0, 0.5, 0.9))
    chance = np.clip(sigmoid(-2.6 + 1.1 * np.log1p(visible) + 0.5 * companies.icp + bonus), 0.02, 0.92)
    allowed = companies.has_row & ~companies.paying_before & reachable
    return np.where(allowed, chance, 0.0)


def _can_buy(companies: Companies, members: Members) -> BoolArray:
    """Return where a plan could be sold: used, not paying yet, with a workspace or a row to sell it to."""
    rooms = np.bincount(members.account[members.workspace != NOBODY], minlength=len(companies))
    able: BoolArray = companies.has_usage & ~companies.paying_before & (companies.has_row | (rooms > 0))
    return able


def _chances(companies: Companies, able: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return the chance to convert without and with sales.

    Sales helps the keen and big, does little for the middling, and puts small teams off.
    """
    intent = companies.intent
    base = -2.8 + 1.3 * intent + size_bonus(companies, (-0.6, 0.0, 0.3, 0.2, -0.1))
    pull = np.select(
        [companies.size_class == MID, companies.size_class == ENTERPRISE],
        [np.clip(0.4 + 0.7 * intent, -0.3, 2.2), np.clip(0.9 + 0.8 * intent, 0.0, 2.8)],
        size_bonus(companies, (-0.5, -0.6, -0.2, 0.0, 0.0)),
    )
    return np.where(able, sigmoid(base), 0.0), np.where(able, sigmoid(base + pull), 0.0)
