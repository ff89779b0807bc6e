"""subscriptions.csv, limits.csv and outcomes.csv: what accounts pay for, use up and decide."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from handraise.simulate.chance import DAY, FloatArray, IntArray, Stage, sigmoid, stream
from handraise.simulate.files import iso, text_or_null, write_csv
from handraise.simulate.people import people_per_account
from handraise.simulate.world import World, home_room, large, scored_ids

METRICS = ("seats", "projects")
QUOTA_WHEN_PAID = 1.8
PLANS = ("team", "business", "enterprise")
WEEK = 7
GROWN_SHARE = 0.22
ENDED_SHARE = 0.10
FIRST_PLAN_SHARE = 0.6
"""A plan that grew in the span was this part of the full contract before."""


def write_subscriptions(path: Path, world: World) -> int:
    """Write the plans: those from before the span (some grow or end in it) and the conversions inside it."""
    companies = world.companies
    plans = _plans(world)
    rows = plans.account
    by_hand = np.where(companies.paying_before, companies.owner > 0, world.fate.by_sales)
    return write_csv(
        path,
        {
            "account_id": text_or_null(np.where(companies.has_row, companies.account_id, "")[rows]),
            "workspace_id": text_or_null(np.where(companies.has_row, "", home_room(world))[rows]),
            "plan": np.asarray(PLANS)[large(world)[rows]],
            "started_at": iso(plans.started_ms),
            "ended_at": iso(plans.ended_ms, plans.ended_ms < world.span.end_ms),
            "mrr": np.round(world.contract[rows] * plans.part / 12.0, 2),
            "seats": np.maximum(np.ceil(world.seats[rows] * plans.part), 1).astype(np.int64),
            "channel": np.where(by_hand[rows], "sales", "self_serve"),
        },
    )


@dataclass(frozen=True, kw_only=True)
class _Plans:
    account: IntArray
    started_ms: IntArray
    ended_ms: IntArray
    """The end of the span stands for a plan still running."""
    part: FloatArray
    """Part of the account's full contract."""


def _plans(world: World) -> _Plans:
    """Return every plan, sorted by its start."""
    companies, fate, span = world.companies, world.fate, world.span
    rng = stream(world.seed, Stage.MONEY, 1)
    total, length = len(companies), span.end_ms - span.start_ms
    age = np.maximum(span.start_ms - companies.start_ms, 0)
    begun = companies.start_ms + (age * rng.uniform(0.05, 0.95, total)).astype(np.int64)
    change = span.start_ms + (length * rng.uniform(0.05, 0.99, total)).astype(np.int64)
    fortune = rng.random(total)
    grown = companies.paying_before & (fortune < GROWN_SHARE)
    ended = companies.paying_before & (fortune > 1.0 - ENDED_SHARE)
    bought = fate.converted & (fate.converted_ms < span.end_ms)
    still = np.full(total, span.end_ms)
    account = np.concatenate([np.flatnonzero(mask) for mask in (companies.paying_before, grown, bought)])
    kind = np.repeat((0, 1, 2), [int(mask.sum()) for mask in (companies.paying_before, grown, bought)])
    started = np.stack((begun, change, fate.converted_ms))[kind, account]
    until = np.stack((np.where(grown | ended, change, still), still, still))[kind, account]
    order = np.lexsort((kind, account, started))
    part = np.where((kind == 0) & grown[account], FIRST_PLAN_SHARE, 1.0)
    return _Plans(account=account[order], started_ms=started[order], ended_ms=until[order], part=part[order])


def write_limits(path: Path, world: World) -> int:
    """Write a weekly measurement of seats and projects for every account with a row and usage."""
    companies, span = world.companies, world.span
    account = np.flatnonzero(companies.has_row & companies.has_usage)
    days = np.arange((span.days - 1) % WEEK, span.days, WEEK)
    at = span.start_ms + days * DAY + DAY // 2
    used, quota = _use_and_quota(world, account, at)
    metric, week, place = np.nonzero(np.broadcast_to(companies.start_ms[account] < at[:, None], used.shape))
    order = np.lexsort((metric, place, week))
    metric, week, place = metric[order], week[order], place[order]
    return write_csv(
        path,
        {
            "account_id": companies.account_id[account[place]],
            "metric": np.asarray(METRICS)[metric],
            "used": used[metric, week, place],
            "quota": quota[metric, week, place],
            "measured_at": iso(at[week]),
        },
    )


def _use_and_quota(world: World, account: IntArray, at: IntArray) -> tuple[IntArray, IntArray]:
    """Return use and quota, both [metric, week, account]; use never passes the quota.

    The nearer an account gets to its limits the more it wants to buy; noise keeps it from being a giveaway.
    """
    companies, fate = world.companies, world.fate
    rng = stream(world.seed, Stage.MONEY, 2)
    everybody = len(companies)
    final = people_per_account(world.members, everybody, world.span.end_ms)[account]
    people = np.stack([people_per_account(world.members, everybody, int(now))[account] for now in at])
    each = 2.0 + rng.gamma(2.0, 2.0, len(account))
    life = np.maximum(world.span.end_ms - companies.start_ms[account], 1)
    # Projects pile up with time, also when nobody joins any more.
    age = np.clip((at[:, None] - companies.start_ms[account]) / life, 0.0, 1.0)
    used = np.stack((people, people * each * (0.4 + 0.6 * age)))
    whole = np.stack((final, final * each))
    fullness = 0.25 + 0.85 * sigmoid(0.9 * companies.intent[account] + rng.normal(-0.6, 0.9, whole.shape))
    free = np.maximum(np.ceil(whole / fullness), 3)[:, None, :]
    bought = fate.converted[account] & (fate.converted_ms[account] < at[:, None])
    quota = np.where(bought, np.ceil(free * QUOTA_WHEN_PAID), free)
    return np.minimum(np.ceil(used), quota).astype(np.int64), quota.astype(np.int64)


def write_outcomes(path: Path, world: World) -> int:
    """Write one `converted` row per account that converted inside the span, its value in dollars a year."""
    fate = world.fate
    rows = np.flatnonzero(fate.converted & (fate.converted_ms < world.span.end_ms))
    rows = rows[np.argsort(fate.converted_ms[rows], kind="stable")]
    return write_csv(
        path,
        {
            "account_id": scored_ids(world)[rows],
            "person_id": text_or_null(np.full(len(rows), "")),
            "outcome": np.full(len(rows), "converted"),
            "at": iso(fate.converted_ms[rows]),
            "value": world.contract[rows],
        },
    )
