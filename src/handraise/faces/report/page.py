"""What the template shows: the overview's records with their words, comparisons and charts worked out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import accumulate, zip_longest
from typing import Final

from markupsafe import Markup

from handraise.faces.report.charts import Layer, bar, sparkline, trend, waterfall
from handraise.faces.report.texts import long_day, percent, sentence, short_day
from handraise.records import AccountScore, Overview, PersonScore, ReceiptLine

"""Tiers 1 and 2 are the ones sales works on, unless an account of the overview says otherwise."""
SHADES: Final = 4
REASONS: Final = 3
PEOPLE: Final = "people"


@dataclass(frozen=True, kw_only=True, slots=True)
class TierRow:
    """One tier at as-of.

    Attributes:
        tier: 1 (best) upwards.
        name: The playbook's name of the tier; None when it has none.
        sells: Sales works on it.
        shade: Its colour class, 1 to 4.
        accounts: How many it holds.
        change: Against the previous as-of; None when there is none.
        history: Counts of all days, oldest first.
        spark: The same, drawn.
        bar: Its share of all accounts, drawn.
    """

    tier: int
    name: str | None
    sells: bool
    shade: int
    accounts: int
    change: int | None
    history: tuple[int, ...]
    spark: Markup | None
    bar: Markup


@dataclass(frozen=True, kw_only=True, slots=True)
class Tiers:
    """All tiers, best first, and their course over the scored days."""

    rows: tuple[TierRow, ...]
    days: tuple[date, ...]
    previous: date | None

    @property
    def accounts(self) -> int:
        """Accounts in all tiers at as-of."""
        return sum(row.accounts for row in self.rows)

    @property
    def for_sales(self) -> int:
        """Accounts in the tiers that sales works on."""
        return sum(row.accounts for row in self.rows if row.sells)

    @property
    def change_for_sales(self) -> int | None:
        """How many more of them there are than at the previous as-of."""
        return sum(row.change or 0 for row in self.rows if row.sells) if self.previous else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One bar of a receipt.

    Attributes:
        kind: gain, loss, rest (points no line explains) or total.
        line: The receipt line; None for rest and total.
        points: What the step adds; for the total, the score.
        after: The sum after it.
        drawing: Its bar.
    """

    kind: str
    line: ReceiptLine | None
    points: int
    after: int
    drawing: Markup


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountCard:
    """One account with what a salesperson needs to decide on a call."""

    place: int
    anchor: str
    title: str
    account: AccountScore
    steps: tuple[Step, ...]
    blind: tuple[ReceiptLine, ...]
    reasons: tuple[ReceiptLine, ...]
    contact: PersonScore | None
    advice: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BandRow:
    """How many people a band holds, its share in words, and its bar."""

    band: str
    people: int
    share: str
    drawing: Markup


def tiers_of(overview: Overview) -> Tiers:
    """Counts per tier at as-of, with the change, the history and the drawings; a missing count is 0."""
    counts = {(c.as_of, c.tier): c.accounts for c in overview.tiers if c.as_of <= overview.as_of}
    days = tuple(sorted({day for day, _ in counts}))
    earlier = [day for day in days if day < overview.as_of]
    previous = earlier[-1] if earlier else None
    tiers = sorted({tier for _, tier in counts} | (set(overview.tier_names) if counts else set()))
    whole = sum(counts.get((overview.as_of, tier), 0) for tier in tiers)
    rows = []
    for place, tier in enumerate(tiers):
        history = tuple(counts.get((day, tier), 0) for day in days)
        now = counts.get((overview.as_of, tier), 0)
        shade = min(place + 1, SHADES)
        rows.append(
            TierRow(
                tier=tier,
                name=overview.tier_names.get(tier),
                sells=tier in overview.selling_tiers,
                shade=shade,
                accounts=now,
                change=None if previous is None else now - counts.get((previous, tier), 0),
                history=history,
                spark=sparkline(history),
                bar=bar(now, whole, shade),
            )
        )
    return Tiers(rows=tuple(rows), days=days, previous=previous)


def bands_of(overview: Overview) -> tuple[BandRow, ...]:
    """The bands, best first, each against all people."""
    whole = sum(count.people for count in overview.bands)
    return tuple(
        BandRow(
            band=count.band,
            people=count.people,
            share=percent(count.people, whole),
            drawing=bar(count.people, whole, min(place, SHADES)),
        )
        for place, count in enumerate(overview.bands, start=1)
    )


def trend_of(tiers: Tiers, texts: dict[str, str], language: str) -> Markup | None:
    """The chart of the selling tiers over the scored days; None when there is only one day."""
    selling = [row for row in tiers.rows if row.sells]
    if not tiers.days or not selling:
        return None
    first, last = tiers.days[0], tiers.days[-1]
    written = long_day if first.year != last.year else short_day
    label = sentence(
        texts["trend_label"],
        first=sum(row.history[0] for row in selling),
        last=sum(row.history[-1] for row in selling),
        first_day=long_day(first, language),
        last_day=long_day(last, language),
    )
    layers = [Layer(shade=row.shade, values=row.history) for row in selling]
    return trend(tiers.days, layers, (written(first, language), written(last, language)), label)


def title_of(account: AccountScore) -> str:
    """The account's name, or the best that stands in for it."""
    return account.name or account.domain or account.account_id


def steps_of(account: AccountScore) -> tuple[Step, ...]:
    """The receipt from 0 to the score; points that no line explains become a visible step of their own."""
    lines = [line for line in account.receipt if line.points]
    points = [line.points or 0 for line in lines]
    if rest := account.score - sum(points):
        points.append(rest)
    drawings = waterfall(points)
    steps = [
        Step(kind=_kind(line, value), line=line, points=value, after=after, drawing=drawing)
        for line, value, after, drawing in zip_longest(lines, points, accumulate(points), drawings[:-1])
    ]
    steps.append(Step(kind="total", line=None, points=account.score, after=account.score, drawing=drawings[-1]))
    return tuple(steps)


def _kind(line: ReceiptLine | None, points: int) -> str:
    if line is None:
        return "rest"
    return "loss" if points < 0 else "gain"


def card_of(account: AccountScore, place: int) -> AccountCard:
    """The account's card; its anchor is its place, because ids are foreign text."""
    contact = next((person for person in account.people if person.is_pql), None)
    return AccountCard(
        place=place,
        anchor=f"account-{place}",
        title=title_of(account),
        account=account,
        steps=steps_of(account),
        blind=tuple(line for line in account.receipt if line.points is None),
        reasons=reasons_of(account),
        contact=contact,
        advice=_advice(account, contact),
    )


def reasons_of(account: AccountScore) -> tuple[ReceiptLine, ...]:
    """The largest reasons in favour; the sum of the people's points only where there is nothing more telling."""
    gains = [line for line in account.receipt if (line.points or 0) > 0]
    gains.sort(key=lambda line: (line.signal == PEOPLE, -(line.points or 0)))
    return tuple(gains[:REASONS])


def _advice(account: AccountScore, contact: PersonScore | None) -> str:
    """Which advice goes with the tier's action: hand, talk, pqls, find_buyer, or none for the product's own tiers."""
    if not account.is_pqa:
        return "none"
    if not account.segment_sells:
        return "hand"
    if contact:
        return "talk"
    return "pqls" if account.pqls else "find_buyer"


def risen_of(overview: Overview) -> tuple[AccountScore, ...]:
    """Accounts that gained points or are new; one that fell does not belong under this heading."""
    return tuple(account for account in overview.risen if account.risen is None or account.risen > 0)
