"""touches.csv and opportunities.csv: what sales did, and what came of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from handraise.simulate.chance import (
    DAY,
    HOUR,
    BoolArray,
    IntArray,
    Stage,
    TextArray,
    happens,
    milliseconds,
    pick,
    sigmoid,
    stream,
)
from handraise.simulate.company import sells_by_hand
from handraise.simulate.fate import NEVER
from handraise.simulate.files import iso, person_ids, text_or_null, values_or_null, write_csv
from handraise.simulate.ids import numbered
from handraise.simulate.people import NOBODY
from handraise.simulate.vocabulary import CHANNELS, OPPORTUNITY_SOURCES, REJECT_REASONS, STAGES
from handraise.simulate.world import World, founders, reps, some

PRODUCT, INBOUND, OUTBOUND = range(3)
TOUCH_WEEKS = 6


def write_touches(path: Path, world: World) -> int:
    """Write every contact of sales with an account, first contact and follow-ups."""
    fate, span = world.fate, world.span
    rng = stream(world.seed, Stage.SALES, 2)
    first = np.flatnonzero(fate.touched)
    repeats = 1 + rng.poisson(1.2 + 1.3 * sells_by_hand(world.companies)[first])
    account = np.repeat(first, repeats)
    nth = np.arange(len(account)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    gap = milliseconds(nth * rng.uniform(2.0, 6.0, len(account)))
    at = fate.touch_ms[account] + gap
    kept = at < np.minimum(span.end_ms, fate.touch_ms[account] + TOUCH_WEEKS * 7 * DAY)
    account, at = account[kept], at[kept]
    order = np.lexsort((account, at))
    account, at = account[order], at[order]
    replied_at = at + HOUR + milliseconds(rng.exponential(1.0, len(at)))
    replied = happens(rng, 0.08 + 0.35 * sigmoid(world.companies.intent[account]), len(at))
    meeting_at = replied_at + milliseconds(rng.uniform(1.0, 8.0, len(at)))
    met = replied & happens(rng, 0.4, len(at))
    return write_csv(
        path,
        {
            "account_id": world.companies.account_id[account],
            "at": iso(at),
            "person_id": text_or_null(_reached(rng, world, account, at)),
            "channel": some(rng, CHANNELS, len(at)),
            "by": reps(world)[account],
            "replied_at": iso(replied_at, replied & (replied_at < span.end_ms)),
            "meeting_at": iso(meeting_at, met & (meeting_at < span.end_ms)),
        },
    )


def _reached(rng: np.random.Generator, world: World, account: IntArray, at: IntArray) -> TextArray:
    """Return whom sales reached: somebody who had joined by then, nobody where the product has no user."""
    members = world.members
    founder = founders(world)[account]
    size = np.bincount(members.account[: members.people], minlength=len(world.companies))[account]
    drawn = founder + (rng.random(len(account)) * np.maximum(size, 1)).astype(np.int64)
    joined = members.start_ms[np.clip(drawn, 0, None)] < at
    person = np.where(joined | (founder == NOBODY), drawn, founder)
    ids = np.append(person_ids(members), "")
    return ids[np.where(founder == NOBODY, len(ids) - 1, person)]


@dataclass(frozen=True, kw_only=True)
class _Deals:
    """One element per opportunity."""

    account: IntArray
    created_ms: IntArray
    closed_ms: IntArray
    """May lie after the span's end: then the opportunity is still open."""
    won: BoolArray
    rejected: BoolArray
    steps: IntArray
    """How many stages it goes through before it closes."""
    source: IntArray
    reason: TextArray


def write_opportunities(path: Path, world: World) -> int:
    """Write the stage history: one row per stage an opportunity entered, as it was known then."""
    deals = _deals(world)
    entries = deals.steps + 1
    deal = np.repeat(np.arange(len(entries)), entries)
    step = np.arange(len(deal)) - np.repeat(np.cumsum(entries) - entries, entries)
    last = step == deals.steps[deal]
    length = deals.closed_ms[deal] - deals.created_ms[deal]
    at = deals.created_ms[deal] + (length * (step / deals.steps[deal])).astype(np.int64)
    kept = np.flatnonzero(at < world.span.end_ms)
    deal, step, last, at = deal[kept], step[kept], last[kept], at[kept]
    won, rejected = deals.won[deal], deals.rejected[deal]
    closing = np.select([won, rejected], ["closed_won", "rejected"], "closed_lost")
    account = deals.account[deal]
    return write_csv(
        path,
        {
            "opportunity_id": numbered("opp-", len(entries), 6)[deal],
            "account_id": world.companies.account_id[account],
            "created_at": iso(deals.created_ms[deal]),
            "stage": np.where(last, closing, np.asarray(STAGES)[np.minimum(step, len(STAGES) - 1)]),
            "stage_at": iso(at),
            "amount": world.contract[account],
            "closed_at": iso(at, last),
            "status": np.where(last, np.where(won, "won", "lost"), "open"),
            "accepted": values_or_null(~rejected, step > 0),
            "reject_reason": _where_text(last & rejected, deals.reason[deal]),
            "source": np.asarray(OPPORTUNITY_SOURCES)[deals.source[deal]],
        },
    )


def _where_text(shown: BoolArray, values: TextArray) -> pa.Array:
    return text_or_null(np.where(shown, values, ""))


def _deals(world: World) -> _Deals:
    """Draw the opportunities: every sales deal has one, so have some touched accounts that did not buy."""
    fate, span, companies = world.fate, world.span, world.companies
    rng = stream(world.seed, Stage.SALES, 3)
    total = len(companies)
    won = fate.by_sales
    tried = fate.touched & ~fate.converted & happens(rng, np.where(sells_by_hand(companies), 0.6, 0.25), total)
    asked = fate.decision_ms - milliseconds(rng.uniform(1.0, 9.0, total))
    begun = np.where(fate.touched, fate.touch_ms, asked)
    created = begun + milliseconds(rng.uniform(0.1, 0.9, total))
    cycle = milliseconds(rng.uniform(8.0, 45.0, total))
    closed = np.where(won, fate.converted_ms, created + cycle)
    rejected = ~won & happens(rng, np.where(companies.icp, 0.2, 0.45), total)
    closed = np.where(rejected, created + milliseconds(rng.uniform(0.5, 6.0, total)), closed)
    fitting, other = pick(rng, (0.0, 2.0, 3.0, 1.0, 0.2), total), pick(rng, (4.0, 1.0, 1.0, 1.0, 1.0), total)
    reason = np.where(companies.icp, fitting, other)
    source = np.where(fate.touched, np.where(companies.has_usage, PRODUCT, OUTBOUND), INBOUND)
    steps = np.where(won, len(STAGES), 1 + rng.integers(0, len(STAGES), total))
    rows = np.flatnonzero((won | tried) & (created < span.end_ms) & (begun != NEVER) & companies.has_row)
    rows = rows[np.argsort(created[rows], kind="stable")]
    return _Deals(
        account=rows,
        created_ms=created[rows],
        closed_ms=closed[rows],
        won=won[rows],
        rejected=rejected[rows],
        steps=np.where(rejected, 1, steps)[rows],
        source=source[rows],
        reason=np.asarray(REJECT_REASONS)[reason[rows]],
    )
