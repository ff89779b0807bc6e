"""Amounts of money as people write them into a spreadsheet."""

from __future__ import annotations

import re
import unicodedata

from handraise.errors import InputError
from handraise.handoffs.calls import MOST_MONEY
from handraise.service.sheets import Cell

_THOUSANDS = 3
_WRITTEN = re.compile(r"(?P<before>[^\d.,+-]*)(?P<number>-?[\d.,]+(?:[eE][+-]?\d+)?)(?P<after>[^\d.,+-]*)")
_CODE = re.compile(r"[A-Za-z]{3}")
# Whose sign it is; several share some. A code (ISO 4217) is its own.
_SIGNS = {
    "$": ("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP"),
    "US$": ("USD",),
    "A$": ("AUD",),
    "C$": ("CAD",),
    "NZ$": ("NZD",),
    "S$": ("SGD",),
    "HK$": ("HKD",),
    "NT$": ("TWD",),
    "R$": ("BRL",),
    "€": ("EUR",),
    "£": ("GBP",),
    "¥": ("JPY", "CNY"),
    "元": ("CNY",),
    "円": ("JPY",),
    "₹": ("INR",),
    "₩": ("KRW",),
    "₽": ("RUB",),
    "₺": ("TRY",),
    "₴": ("UAH",),
    "₪": ("ILS",),
    "ZŁ": ("PLN",),
    "KR": ("SEK", "NOK", "DKK", "ISK"),
}


def amount_in(cell: Cell, where: str, currency: str | None) -> float:
    """The amount that a cell says.

    Args:
        cell: As it was read.
        where: Its column.
        currency: Of the playbook; None = it does not say, and signs of money say nothing.

    Raises:
        InputError: It is none, is none that can be, or is in another currency.
    """
    try:
        amount = float(cell if isinstance(cell, int | float) else _number(str(cell), where, currency))
    except ValueError:
        raise InputError(f"{cell!r} is no amount.", where=where, todo="Write it as 12500.") from None
    if not 0 <= amount <= MOST_MONEY:
        raise InputError(f"{cell!r} is no amount that can be.", where=where)
    return amount


def _number(text: str, where: str, currency: str | None) -> str:
    # Keyboards for Chinese and Japanese type the same signs in full width.
    found = _WRITTEN.fullmatch(re.sub(r"\s", "", unicodedata.normalize("NFKC", text)))
    if not found:
        raise ValueError(text)
    for mark in (found["before"], found["after"]):
        if mark:
            _check_currency(mark, text, where, currency)
    return _with_point(found["number"])


def _check_currency(mark: str, text: str, where: str, currency: str | None) -> None:
    """Refuse money of somebody else's: a thousand dollars are not a thousand euros."""
    known = _SIGNS.get(mark.upper(), ())
    is_sign = bool(known) or all(unicodedata.category(one) == "Sc" for one in mark)
    if currency is None and is_sign:
        return
    if currency is None or not (is_sign or _CODE.fullmatch(mark)):
        raise ValueError(text)
    if mark.upper() != currency and currency not in known:
        raise InputError(
            f"{text!r} is not in {currency}, the currency of the playbook.",
            where=where,
            todo=f"Write what it is in {currency}, such as 12500.",
        )


def _with_point(text: str) -> str:
    """1,234.50 and 1.234,50 mean the same; three digits after a single sign are thousands: no money has tenths of cents."""
    signs = [one for one in text if one in ",."]
    if not signs:
        return text
    whole, _, rest = text.rpartition(signs[-1])
    one_kind, is_thousands = len(set(signs)) == 1, len(rest) == _THOUSANDS
    if one_kind and (len(signs) > 1 or is_thousands):
        parts = text.split(signs[-1])
        if not all(len(part) == _THOUSANDS for part in parts[1:]):
            raise ValueError(text)
        return "".join(parts)
    return f"{whole.replace(',', '').replace('.', '')}.{rest}"
