"""Seeded chance: one independent stream of random numbers per stage of the simulation and per day.

A stream depends on the seed, the stage and the part alone, never on what was drawn before, so widening one
stage leaves the others untouched and the size of the written blocks cannot change what is drawn.
"""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.str_]

SECOND = 1_000
"""Milliseconds; every instant inside the simulation is an integer of milliseconds since 1970-01-01T00:00Z."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Stage(IntEnum):
    """The stages that draw; the number is part of the seed, so it must never be reused for another stage."""

    COMPANIES = 1
    TEAMS = 2
    GUESTS = 3
    HABITS = 4
    PROFILES = 5
    FATE = 6
    JOURNEY = 7
    SIGNS = 8
    ANONYMOUS = 9
    DAYS = 10
    MONEY = 11
    SALES = 12
    MARKET = 13
    WORKSPACES = 14
    LIVE = 15


def stream(seed: int, stage: Stage, part: int = 0) -> np.random.Generator:
    """Return the generator of one stage (and of one part of it, such as a day)."""
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=(int(stage), part)))


def sigmoid(logit: FloatArray) -> FloatArray:
    """Return the probability of each log-odds, elementwise."""
    result: FloatArray = 1.0 / (1.0 + np.exp(-logit))
    return result


def happens(rng: np.random.Generator, chance: FloatArray | float, size: int) -> BoolArray:
    """Draw for each of `size` rows whether something of that chance (one, or one per row) happens."""
    drawn: BoolArray = rng.random(size) < chance
    return drawn


def pick(rng: np.random.Generator, weights: tuple[float, ...], size: int) -> IntArray:
    """Draw `size` indices, index i with probability `weights[i] / sum(weights)`."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    found = np.searchsorted(edges / edges[-1], rng.random(size), side="right").astype(np.int64)
    return np.minimum(found, len(weights) - 1)


def pick_rows(rng: np.random.Generator, weights: FloatArray) -> IntArray:
    """Draw one column index per row of `weights` (shape [n, k], non-negative), in proportion to the row."""
    edges = np.cumsum(weights, axis=1)
    at = rng.random(len(weights)) * edges[:, -1]
    found: IntArray = (at[:, None] >= edges).sum(axis=1)
    column: IntArray = np.minimum(found, weights.shape[1] - 1)
    return column


def log_uniform(rng: np.random.Generator, low: FloatArray, high: FloatArray) -> FloatArray:
    """Draw one value per row between `low` and `high`, uniform in the logarithm."""
    drawn: FloatArray = np.exp(rng.uniform(np.log(low), np.log(high)))
    return drawn


def milliseconds(days: FloatArray) -> IntArray:
    """Turn a length in days into whole milliseconds."""
    whole: IntArray = np.rint(days * DAY).astype(np.int64)
    return whole
