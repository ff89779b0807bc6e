"""Seats × list price, worked out a second time by hand and by chance; what is unknown is said and never guessed."""

import random
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from pydantic import ValidationError

from handraise.handoffs.expansion import expansion_of, money
from handraise.playbook.selling import ListPrice, Pricing
from handraise.records.brief import PlanNow

PRICING = Pricing(
    currency="EUR",
    plans={
        "free": ListPrice(per_seat=Decimal(0)),
        "Team": ListPrice(per_seat=Decimal("12.50")),
        "business": ListPrice(per_seat=Decimal(24)),
        "enterprise": ListPrice(per_seat=Decimal(420), period="year"),
    },
)


def plan(name: str, seats: int | None, per_month: str | None) -> PlanNow:
    paid = None if per_month is None else Decimal(per_month)
    return PlanNow(plan=name, seats=seats, per_month=paid, since=date(2026, 1, 1), channel=None)


def test_an_account_that_pays_nothing_sees_every_plan_that_costs_something() -> None:
    found = expansion_of((), 34, PRICING, ())
    assert [(one.plan, one.per_year, one.more_per_year) for one in found.options] == [
        ("Team", Decimal("5100.00"), Decimal("5100.00")),
        ("business", Decimal(9792), Decimal(9792)),
        ("enterprise", Decimal(14280), Decimal(14280)),
    ]
    assert [one.formula for one in found.options] == [
        "34 × 12.50 EUR × 12 = 5,100 EUR",
        "34 × 24 EUR × 12 = 9,792 EUR",
        "34 × 420 EUR = 14,280 EUR",
    ]
    assert found.paid_per_year == 0
    assert found.unknown == ("no_limits",)


def test_a_plan_that_is_outgrown_and_the_larger_ones() -> None:
    found = expansion_of([plan("TEAM", 20, "250")], 34, PRICING, ())
    assert [(one.plan, one.seats, one.seats_are) for one in found.options] == [
        ("Team", 34, "people"),
        ("business", 34, "people"),
        ("enterprise", 34, "people"),
    ]
    assert found.options[0].more_per_year == Decimal("5100.00") - 3000
    roomy = expansion_of([plan("team", 50, "600")], 34, PRICING, ())
    assert [(one.plan, one.seats, one.seats_are) for one in roomy.options] == [
        ("business", 50, "paid"),
        ("enterprise", 50, "paid"),
    ]
    assert expansion_of([plan("enterprise", 50, "2000")], 34, PRICING, ()).options == ()


@pytest.mark.parametrize(
    ("plans", "people", "pricing", "unknown"),
    [
        (None, 34, PRICING, {"paid_unknown", "no_limits"}),
        ([plan("team", 20, None)], 34, PRICING, {"paid_unknown", "no_limits"}),
        ([plan("team", None, "10")], 34, PRICING, {"seats_unknown", "no_limits"}),
        ([plan("gold", 20, "10")], 34, PRICING, {"plan_without_price", "no_limits"}),
        ([plan("team", 20, "10")], 34, Pricing(), {"no_prices", "no_limits"}),
        ([plan("team", 20, "10")], 0, PRICING, {"no_people", "no_limits"}),
    ],
)
def test_what_is_unknown_is_said(plans: list[PlanNow] | None, people: int, pricing: Pricing, unknown: set[str]) -> None:
    found = expansion_of(plans, people, pricing, ())
    assert set(found.unknown) == unknown
    if unknown & {"plan_without_price", "no_prices", "no_people"}:
        assert found.options == ()
    if "paid_unknown" in unknown:
        assert found.paid_per_year is None
        assert all(one.more_per_year is None for one in found.options)


def test_every_amount_is_what_exact_fractions_give() -> None:
    chance = random.Random(9)
    for _ in range(300):
        cents = [chance.randint(1, 500_00) for _ in range(3)]
        periods = [chance.choice(["month", "year"]) for _ in range(3)]
        pricing = Pricing.model_validate(
            {
                "currency": "USD",
                "plans": {
                    f"p{n}": {"per_seat": str(Decimal(c) / 100), "period": p}
                    for n, (c, p) in enumerate(zip(cents, periods, strict=True))
                },
            }
        )
        has, seats, people = chance.randrange(3), chance.randint(1, 400), chance.randint(1, 400)
        paid = Decimal(chance.randint(0, 10_000_00)) / 100
        found = expansion_of([plan(f"p{has}", seats, str(paid))], people, pricing, ())
        wanted = [n for n in range(3) if n > has or (n == has and people > seats)]
        assert [one.plan for one in found.options] == [f"p{n}" for n in wanted]
        for n, option in zip(wanted, found.options, strict=True):
            exact = Fraction(cents[n], 100) * max(seats, people) * (12 if periods[n] == "month" else 1)
            assert Fraction(option.per_year) == exact
            assert option.more_per_year is not None
            assert Fraction(option.more_per_year) == exact - 12 * Fraction(paid)


def test_prices_need_a_currency_and_sense() -> None:
    for wrong in (
        {"plans": {"team": {"per_seat": 12}}},
        {"currency": "euro", "plans": {}},
        {"currency": "EUR", "plans": {"team": {"per_seat": -1}}},
        {"currency": "EUR", "plans": {"team": {"per_seat": "1.234"}}},
        {"currency": "EUR", "plans": {"team": {"per_seat": "NaN"}}},
    ):
        with pytest.raises(ValidationError):
            Pricing.model_validate(wrong)
    assert money(Decimal("1250.00"), "EUR") == "1,250 EUR"
    assert money(Decimal("12.5"), "EUR") == "12.50 EUR"
