"""Amounts as people write them: in the playbook's currency, or not at all."""

import pytest

from handraise.errors import InputError
from handraise.service.amounts import amount_in
from handraise.service.sheets import Cell


@pytest.mark.parametrize(
    ("written", "currency"),
    [
        ("€1,000", "EUR"),
        ("1.000 €", "EUR"),
        ("EUR 1000", "EUR"),
        ("1000 eur", "EUR"),
        ("$1,000", "USD"),
        ("$1,000", "CAD"),
        ("US$ 1,000", "USD"),
        ("\uff041,000", "USD"),
        ("￥1000", "CNY"),
        ("1000元", "CNY"),
        ("1 000 kr", "SEK"),
        ("$1,000", None),
        ("₦1,000", None),
        ("1,000", "EUR"),
        ("1E+03", "EUR"),
        (1000.0, "EUR"),
    ],
)  # fmt: skip
def test_the_currency_of_the_playbook_may_be_written_and_nothing_has_to_be(written: Cell, currency: str | None) -> None:
    assert amount_in(written, "won amount", currency) == 1000


@pytest.mark.parametrize(
    ("written", "currency"),
    [
        ("$1,000", "EUR"),
        ("1000 USD", "EUR"),
        ("usd 1000", "EUR"),
        ("€1,000", "USD"),
        ("A$1,000", "USD"),
        ("US$1,000", "CAD"),
        ("¥1000", "EUR"),
        ("1000元", "JPY"),
        ("£1,000", "EUR"),
        ("₦1,000", "EUR"),
        ("$1,000 EUR", "EUR"),
    ],
)  # fmt: skip
def test_another_currency_is_refused_and_said(written: str, currency: str) -> None:
    with pytest.raises(InputError, match=f"is not in {currency}, the currency of the playbook") as refused:
        amount_in(written, "won amount", currency)
    assert refused.value.where == "won amount"
    assert refused.value.todo


@pytest.mark.parametrize("written", ["a lot", "", "nan", "inf", "1000 thalers", "12k", "$", "5 - 6", "1000 USD"])
def test_what_is_no_amount_is_refused(written: str) -> None:
    with pytest.raises(InputError, match="is no amount"):
        amount_in(written, "won amount", None)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("4.500,00", 4500.0),
        ("12.000", 12000.0),
        ("12.000,50", 12000.5),
        ("12,000", 12000.0),
        ("12,000.50", 12000.5),
        ("1.234.567,00", 1234567.0),
        ("1,234,567", 1234567.0),
        ("12,5", 12.5),
        ("€ 99.90", 99.9),
        (12000, 12000.0),
    ],
)
def test_amounts_mean_the_same_wherever_they_are_written(written: Cell, meant: float) -> None:
    assert amount_in(written, "won amount", None) == meant


@pytest.mark.parametrize("written", ["1.2.3", "1,23,456", "12.34.567"])
def test_an_amount_that_could_mean_anything_is_refused(written: str) -> None:
    with pytest.raises(InputError, match="is no amount"):
        amount_in(written, "won amount", None)
