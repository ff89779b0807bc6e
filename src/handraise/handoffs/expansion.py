"""What there is to gain in money: seats × list price, with the formula; what is not known is said to be unknown."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from handraise.playbook.selling import ListPrice, Pricing
from handraise.records.brief import Expansion, Forecast, Option, PlanNow

_PERIODS = {"month": 12, "year": 1}
_MONTHS = 12


def expansion_of(
    plans: Sequence[PlanNow] | None, active_people: int, pricing: Pricing, forecasts: tuple[Forecast, ...]
) -> Expansion:
    """What the account would pay for everybody who is active, on its plan and on the next.

    Args:
        plans: What runs now; none = it pays nothing; None = nothing is known about subscriptions.
        active_people: People who were active in 30 days.
        pricing: List prices.
        forecasts: Of its limits.
    """
    unknown = []
    paid = _paid(plans)
    if paid is None:
        unknown.append("paid_unknown")
    seats = _seats(plans)
    if plans and seats is None:
        unknown.append("seats_unknown")
    if not pricing.plans:
        unknown.append("no_prices")
    elif any(_place(plan.plan, pricing) is None for plan in plans or ()):
        unknown.append("plan_without_price")
    if not active_people:
        unknown.append("no_people")
    if not forecasts:
        unknown.append("no_limits")
    return Expansion(
        currency=pricing.currency,
        plans=tuple(plans or ()),
        paid_per_year=paid,
        options=_options(plans, (active_people, seats or 0), pricing, paid) if active_people else (),
        forecasts=forecasts,
        unknown=tuple(unknown),
    )


def _paid(plans: Sequence[PlanNow] | None) -> Decimal | None:
    if plans is None or any(plan.per_month is None for plan in plans):
        return None
    return sum((plan.per_month or Decimal(0) for plan in plans), Decimal(0)) * _MONTHS


def _seats(plans: Sequence[PlanNow] | None) -> int | None:
    if plans is None or any(plan.seats is None for plan in plans):
        return None
    return sum(plan.seats or 0 for plan in plans)


def _place(plan: str, pricing: Pricing) -> int | None:
    """Where a plan stands in the list, however it is capitalised."""
    folded = [name.casefold() for name in pricing.plans]
    return folded.index(plan.casefold()) if plan.casefold() in folded else None


def _options(
    plans: Sequence[PlanNow] | None, counts: tuple[int, int], pricing: Pricing, paid: Decimal | None
) -> tuple[Option, ...]:
    """The largest plan it has, and the next; the smallest that costs anything where it has none."""
    people, seats = counts
    names = list(pricing.plans)
    places = [_place(plan.plan, pricing) for plan in plans or ()]
    if any(place is None for place in places):
        return ()  # what the plan it has costs is unknown, so no other can be told to be the next
    now = max((place for place in places if place is not None), default=None)
    priced = [place for place, name in enumerate(names) if pricing.plans[name].per_seat > 0]
    if now is None:
        wanted = priced[:1]
    else:
        wanted = [now] * (now in priced and people > seats) + [place for place in priced if place > now][:1]
    return tuple(_option(names[place], pricing, counts, paid) for place in wanted)


def _option(name: str, pricing: Pricing, counts: tuple[int, int], paid: Decimal | None) -> Option:
    people, seats = counts
    price, many = pricing.plans[name], max(counts)
    per_year = price.per_seat * many * _PERIODS[price.period]
    return Option(
        plan=name,
        seats=many,
        seats_are="people" if people >= seats else "paid",
        price=price.per_seat,
        period=price.period,
        per_year=per_year,
        more_per_year=None if paid is None else per_year - paid,
        formula=_formula(many, price, pricing.currency or "", per_year),
    )


def _formula(seats: int, price: ListPrice, currency: str, per_year: Decimal) -> str:
    periods = f" × {_PERIODS[price.period]}" if price.period == "month" else ""
    return f"{seats:,} × {money(price.per_seat, currency)}{periods} = {money(per_year, currency)}"


def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency: 1,250 EUR, 12.50 EUR."""
    written = f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"
    return f"{written} {currency}".rstrip()
