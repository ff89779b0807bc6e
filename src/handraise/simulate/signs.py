"""The signs of buying: what an account's hidden intent makes its people do before the decision.

Each kind of sign comes at a rate that rises with the intent and the size of the account, most of it in the
weeks before the decision, a smaller part at any time by people who are only curious. No sign is certain, and
accounts that never buy show some too.
"""

from dataclasses import dataclass

import numpy as np

from handraise.simulate.chance import DAY, HOUR, MINUTE, IntArray, Stage, milliseconds, stream
from handraise.simulate.schedule import NO_PROPERTIES, Events, any_property, events, together
from handraise.simulate.vocabulary import MID, PROPERTY_SPAN, SMB, SOLO, TEAM
from handraise.simulate.world import World

CURIOUS_SHARE = 0.2
"""Background rate per 30 days, as a part of the rate before the decision."""
MOST_SIGNS = 60.0


@dataclass(frozen=True, kw_only=True)
class Sign:
    """One kind of sign and how its number depends on the account."""

    name: str
    rate: float
    """Mean count before the decision for an account of one person and intent 0."""
    intent: float
    """Slope of the logarithm of the rate in the intent."""
    size: float
    """Exponent of the team size."""
    from_class: int = SOLO
    """Smallest size class that ever shows it."""
    lead_days: float = 12.0
    """Mean days before the decision."""
    by_executives: bool = False
    """True where the account's executives do it if there are any."""


SIGNS = (
    Sign(name="pricing_view", rate=0.70, intent=0.8, size=0.40, lead_days=9.0),
    Sign(name="limit_reached", rate=0.35, intent=0.8, size=0.45, lead_days=16.0),
    Sign(name="upgrade_started", rate=0.10, intent=0.9, size=0.20, lead_days=9.0),
    Sign(name="billing_question", rate=0.06, intent=0.7, size=0.30, lead_days=8.0),
    Sign(name="admin_change", rate=0.12, intent=0.6, size=0.55, from_class=TEAM, lead_days=14.0),
    Sign(name="legal_view", rate=0.07, intent=0.9, size=0.50, from_class=TEAM, lead_days=10.0),
    Sign(name="api_or_integration", rate=0.12, intent=0.7, size=0.40, from_class=TEAM, lead_days=20.0),
    Sign(name="contact_sales", rate=0.012, intent=1.0, size=0.45, from_class=SMB, by_executives=True),
    Sign(name="enterprise_request", rate=0.02, intent=1.0, size=0.55, from_class=SMB, by_executives=True),
    Sign(name="seat_consolidation_request", rate=0.008, intent=0.9, size=0.6, from_class=MID),
    Sign(name="volume_pricing_question", rate=0.008, intent=0.9, size=0.6, from_class=MID),
    Sign(name="invite_sent", rate=0.30, intent=0.7, size=0.40, from_class=TEAM, lead_days=18.0),
)  # fmt: skip


def signs(world: World) -> Events:
    """Return every sign of buying and what self-serve buyers and inbound leads do, unsorted and uncut."""
    crowd = _Crowd.of(world)
    parts = [_upgrades(world, crowd), _inbound(world, crowd)]
    for number, sign in enumerate(SIGNS):
        parts.append(_draw(stream(world.seed, Stage.SIGNS, number), sign, world, crowd))
    return together(parts)


@dataclass(frozen=True, kw_only=True)
class _Crowd:
    """The home memberships of each account, executives first, so that a low rank is an executive."""

    order: IntArray
    first: IntArray
    size: IntArray
    executives: IntArray
    founder: IntArray

    @staticmethod
    def of(world: World) -> "_Crowd":
        members, total = world.members, len(world.companies)
        account = members.account[: members.people]
        executive = world.profiles.executive
        order = np.lexsort((members.start_ms[: members.people], ~executive, account))
        size = np.bincount(account, minlength=total)
        executives = np.bincount(account[executive], minlength=total)
        first = np.cumsum(size) - size
        # Home memberships are stored account by account, founder first.
        return _Crowd(order=order, first=first, size=size, executives=executives, founder=first)


def _draw(rng: np.random.Generator, sign: Sign, world: World, crowd: _Crowd) -> Events:
    """Draw one kind of sign for every account: before the decision, and in passing at any time."""
    companies, members, span = world.companies, world.members, world.span
    able = (companies.size_class >= sign.from_class) & (crowd.size > 0)
    level = sign.rate * np.exp(sign.intent * companies.intent) * np.maximum(crowd.size, 1.0) ** sign.size
    rate = np.where(able, np.minimum(level, MOST_SIGNS), 0.0)
    opened = np.maximum(companies.start_ms, span.start_ms)
    months = (span.end_ms - opened) / (30.0 * DAY)
    near = np.repeat(np.arange(len(companies)), rng.poisson(rate))
    far = np.repeat(np.arange(len(companies)), rng.poisson(CURIOUS_SHARE * rate * months))
    before = world.fate.decision_ms[near] - milliseconds(rng.gamma(1.5, sign.lead_days / 1.5, len(near)))
    passing = opened[far] + (rng.random(len(far)) * (span.end_ms - opened[far])).astype(np.int64)
    account, at = np.concatenate((near, far)), np.concatenate((before, passing))
    member = _who(rng, account, crowd, executives=sign.by_executives)
    # A sign cannot come before its person: it then comes some days into that person's use.
    late = members.start_ms[member] + HOUR + milliseconds(rng.exponential(6.0, len(at)))
    at = np.where(at < members.start_ms[member] + HOUR, late, at)
    properties = np.full(len(at), NO_PROPERTIES)
    if sign.name in PROPERTY_SPAN:
        properties = any_property(rng, sign.name, len(at), 0.25 if sign.name == "invite_sent" else 0.9)
    return events(sign.name, at, member, properties=properties)


def _who(rng: np.random.Generator, account: IntArray, crowd: _Crowd, *, executives: bool) -> IntArray:
    """Choose who does it: anybody (early joiners a little more), or an executive where there is one."""
    pool = crowd.size[account]
    if executives:
        pool = np.where(crowd.executives[account] > 0, crowd.executives[account], pool)
    rank = np.floor(rng.random(len(account)) ** 1.4 * pool).astype(np.int64)
    chosen: IntArray = crowd.order[crowd.first[account] + rank]
    return chosen


def _inbound(world: World, crowd: _Crowd) -> Events:
    """Return the request that opens every sales deal nobody from sales began."""
    account = np.flatnonzero(world.fate.by_sales & ~world.fate.touched)
    start = world.companies.start_ms[account]
    at = np.maximum(start + HOUR, world.fate.decision_ms[account] - 10 * DAY)
    return events("contact_sales", at, crowd.founder[account])


def _upgrades(world: World, crowd: _Crowd) -> Events:
    """Return start and completion of the upgrade of every self-serve conversion."""
    companies, fate, span = world.companies, world.fate, world.span
    buyer_account = np.flatnonzero(fate.converted & ~fate.by_sales & (fate.converted_ms < span.end_ms))
    buyer, done = crowd.founder[buyer_account], fate.converted_ms[buyer_account]
    plan = (companies.size_class[buyer_account] > SMB).astype(np.int64)
    first, _ = PROPERTY_SPAN["upgrade_started"]
    completed, _ = PROPERTY_SPAN["upgrade_completed"]
    return together(
        [
            events("upgrade_started", done - 12 * MINUTE, buyer, properties=first + plan),
            events("upgrade_completed", done, buyer, properties=completed + plan),
        ]
    )
