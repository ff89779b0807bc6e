"""The companies that use (or only know of) the simulated product, one array element per account."""

from dataclasses import dataclass

import numpy as np

from handraise.simulate.chance import (
    DAY,
    BoolArray,
    FloatArray,
    IntArray,
    Stage,
    TextArray,
    happens,
    log_uniform,
    milliseconds,
    pick,
    sigmoid,
    stream,
)
from handraise.simulate.ids import numbered
from handraise.simulate.vocabulary import (
    COUNTRIES,
    ENTERPRISE,
    ICP_INDUSTRIES,
    INDUSTRIES,
    MID,
    SMB,
    SOLO,
    SYLLABLES,
)

CLASS_SHARE = (0.45, 0.265, 0.155, 0.10, 0.03)
ICP_EMPLOYEES = 50
CRM_ONLY_SHARE = 0.10
OLD_SHARE = 0.42
EMPLOYEES = ((1.0, 1.0), (2.0, 15.0), (10.0, 49.0), (50.0, 499.0), (500.0, 20_000.0))
TRENDS = (-0.018, 0.0, 0.010)
TREND_EDGES = (-0.75, 0.7)
TEAM_MEDIAN = (1.0, 4.5, 12.0, 40.0, 165.0)
TEAM_SPREAD = (0.0, 0.5, 0.55, 0.6, 0.4)
TEAM_LIMITS = ((1, 1), (2, 10), (3, 40), (5, 180), (50, 300))


@dataclass(frozen=True, kw_only=True)
class Span:
    """The simulated stretch of time: events lie in `[start_ms, end_ms)`."""

    start_ms: int
    end_ms: int
    days: int


@dataclass(frozen=True, kw_only=True)
class Companies:
    """Every account as arrays of one length: those with usage, then those known to the CRM only."""

    size_class: IntArray
    """Index into SIZE_CLASSES."""
    employees: IntArray
    industry: IntArray
    country: IntArray
    icp: BoolArray
    has_row: BoolArray
    """True where accounts.csv has the company."""
    has_usage: BoolArray
    start_ms: IntArray
    """When the first person signs up (CRM-only accounts: when the row was made)."""
    intent: FloatArray
    """The hidden wish to buy, about standard normal; it causes the signs of buying and the buying."""
    trend: FloatArray
    """Change of usage per day, as a rate in the exponent (growing > 0, fading < 0)."""
    team_size: IntArray
    """How many people would join in the long run."""
    paying_before: BoolArray
    """True where the account already paid when the simulated stretch began."""
    name: TextArray
    domain: TextArray
    extra_domain: TextArray
    """A second work domain, or the empty text."""
    account_id: TextArray
    """The id in accounts.csv; only meaningful where has_row."""
    owner: IntArray
    """Number of the rep who owns the account, 0 for nobody."""

    def __len__(self) -> int:
        """Return how many accounts there are, with usage or without."""
        return len(self.size_class)


def draw_companies(seed: int, accounts: int, span: Span) -> Companies:
    """Draw `accounts` companies with usage and a tenth as many that only the CRM knows."""
    rng = stream(seed, Stage.COMPANIES)
    idle = round(accounts * CRM_ONLY_SHARE)
    total = accounts + idle
    has_usage = np.arange(total) < accounts
    size_class = np.where(has_usage, pick(rng, CLASS_SHARE, total), SMB + pick(rng, (0.5, 0.35, 0.15), total))
    bounds = np.asarray(EMPLOYEES)[size_class]
    employees = np.rint(log_uniform(rng, bounds[:, 0], bounds[:, 1])).astype(np.int64)
    industry = pick(rng, (1.0,) * len(INDUSTRIES), total)
    icp = np.isin(industry, ICP_INDUSTRIES) & (employees >= ICP_EMPLOYEES)
    intent = rng.normal(size=total) + 0.3 * icp + 0.08 * (size_class - 1)
    start_ms, old = _starts(rng, span, total)
    rows = np.asarray((0.0, 0.6, 0.88, 1.0, 1.0))[size_class]
    owned = np.asarray((0.0, 0.1, 0.2, 0.75, 0.95))[size_class]
    name, domain = _names(rng, total)
    extra = happens(rng, np.asarray((0.0, 0.0, 0.04, 0.15, 0.35))[size_class], total)
    return Companies(
        size_class=size_class,
        employees=employees,
        industry=industry,
        country=pick(rng, tuple(share for _, _, share in COUNTRIES), total),
        icp=icp,
        has_row=happens(rng, rows, total) | ~has_usage,
        has_usage=has_usage,
        start_ms=start_ms,
        intent=intent,
        trend=_trends(rng, intent),
        team_size=_team_sizes(rng, size_class, employees),
        paying_before=_payers(rng, intent) & old & has_usage & (size_class != SOLO),
        name=name,
        domain=domain,
        extra_domain=np.where(extra, np.char.replace(domain, "-simulated.com", "-group-simulated.com"), ""),
        account_id=numbered("acc-", total, 6),
        owner=np.where(happens(rng, owned, total), 1 + rng.integers(0, _reps(total), total), 0),
    )


def _payers(rng: np.random.Generator, intent: FloatArray) -> BoolArray:
    return happens(rng, sigmoid(0.8 * intent - 1.9), len(intent))


def _reps(accounts: int) -> int:
    return int(np.clip(accounts // 120, 4, 60))


def _starts(rng: np.random.Generator, span: Span, total: int) -> tuple[IntArray, BoolArray]:
    """Return each account's first sign-up and whether it lies before the simulated stretch."""
    old = happens(rng, OLD_SHARE, total)
    before = span.start_ms - DAY - milliseconds(np.minimum(rng.exponential(140.0, total), 700.0))
    # The square root of the uniform would be linear growth of sign-ups; 0.85 is a gentler slope.
    inside = span.start_ms + ((span.end_ms - span.start_ms - 1) * rng.random(total) ** 0.85).astype(np.int64)
    return np.where(old, before, inside), old


def _trends(rng: np.random.Generator, intent: FloatArray) -> FloatArray:
    """Return growing, steady or fading usage; keen accounts grow more often, but far from always."""
    leaning = 0.6 * intent + rng.normal(0.0, 0.8, len(intent))
    trend: FloatArray = np.asarray(TRENDS)[np.searchsorted(TREND_EDGES, leaning)]
    return trend


def _team_sizes(rng: np.random.Generator, size_class: IntArray, employees: IntArray) -> IntArray:
    median = np.asarray(TEAM_MEDIAN)[size_class]
    spread = np.asarray(TEAM_SPREAD)[size_class]
    low, high = np.asarray(TEAM_LIMITS)[size_class].T
    wanted = np.rint(median * np.exp(spread * rng.normal(size=len(median)))).astype(np.int64)
    limited: IntArray = np.minimum(np.clip(wanted, low, high), employees)
    return limited


def _names(rng: np.random.Generator, total: int) -> tuple[TextArray, TextArray]:
    """Return invented company names and their domains, all different."""
    base = len(SYLLABLES)
    length = 3 if total <= base**3 // 2 else 4
    span = base**length
    # 7919 and the powers of 40 share no factor, so this walk visits every number once: no two names alike.
    number = (np.arange(total, dtype=np.int64) * 7919 + int(rng.integers(span))) % span
    syllables = np.asarray(SYLLABLES)
    stem = syllables[number % base]
    for place in range(1, length):
        stem = np.char.add(stem, syllables[number // base**place % base])
    stem = _distinct(stem)
    return np.char.add(np.char.capitalize(stem), " (simulated)"), np.char.add(stem, "-simulated.com")


def _distinct(stems: TextArray) -> TextArray:
    """Give the few stems that spell alike from different syllables a number of their own."""
    _, first, inverse = np.unique(stems, return_index=True, return_inverse=True)
    repeated = first[inverse] != np.arange(len(stems))
    suffix = np.where(repeated, np.arange(len(stems)).astype(str), "")
    return np.char.add(stems, suffix)


def size_bonus(companies: Companies, values: tuple[float, ...]) -> FloatArray:
    """Return `values[size class]` for every account; `values` has one entry per size class."""
    chosen: FloatArray = np.asarray(values, dtype=np.float64)[companies.size_class]
    return chosen


def segment(companies: Companies) -> TextArray:
    """Return the segment of domain.md section 5 by true head count, [accounts]."""
    names = np.asarray(("smb", "mid_market", "enterprise"))
    return names[np.searchsorted((50, 500), companies.employees, side="right")]


def sells_by_hand(companies: Companies) -> BoolArray:
    """Return where sales would work the account at all: mid-market and enterprise."""
    by_hand: BoolArray = (companies.size_class == MID) | (companies.size_class == ENTERPRISE)
    return by_hand
