"""Plan, expansion value and forecasts of a brief in words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from handraise.faces.report.brief_words import WORDS
from handraise.faces.report.document import Block, Grid, Pairs, Part, Words
from handraise.faces.report.texts import long_day, number
from handraise.records.brief import Brief, Expansion, Forecast, Option

_FORECASTS_SHOWN = 8


def money_part(brief: Brief) -> Part:
    """What they have, what there is to gain, and what is unknown of it."""
    return Part(title=WORDS[brief.language]["money"], blocks=tuple(_blocks(brief)))


def _blocks(brief: Brief) -> Iterator[Block]:
    t, expansion = WORDS[brief.language], brief.expansion
    yield Pairs(rows=tuple(_plans(brief)))
    if expansion.options:
        columns = (t["option"], t["formula"], t["more"])
        rows = tuple((one.plan, one.formula, _more(one, expansion, t["unknown"])) for one in expansion.options)
        yield Grid(caption=t["options"], columns=columns, rows=rows, figures=frozenset({2}))
    if expansion.forecasts:
        rows = tuple(_forecast(one, brief.language) for one in expansion.forecasts[:_FORECASTS_SHOWN])
        yield Grid(caption=t["limits"], columns=(t["metric"], t["used"], t["runs_out"]), rows=rows)
    for code in expansion.unknown:
        yield Words(text=t[f"unknown_{code}"], kind="note")


def _plans(brief: Brief) -> Iterator[tuple[str, str]]:
    t, expansion = WORDS[brief.language], brief.expansion
    if not expansion.plans:
        yield t["plan_now"], t["unknown"] if "paid_unknown" in expansion.unknown else t["no_plan"]
    for one in expansion.plans:
        paid = t["unknown"] if one.per_month is None else _money(one.per_month, expansion.currency)
        seats = t["unknown"] if one.seats is None else number(one.seats)
        since = long_day(one.since, brief.language)
        yield t["plan_now"], t["plan_said"].format(plan=one.plan, seats=seats, money=paid, since=since)


def _more(option: Option, expansion: Expansion, unknown: str) -> str:
    return unknown if option.more_per_year is None else _money(option.more_per_year, expansion.currency)


def _money(amount: Decimal, currency: str | None) -> str:
    return f"{number(float(amount))} {currency or ''}".rstrip()


def _forecast(one: Forecast, language: str) -> tuple[str, str, str]:
    t = WORDS[language]
    metric = f"{one.metric} ({one.workspace_id})" if one.workspace_id else one.metric
    used = f"{number(one.used)} / {number(one.quota)}"
    if one.per_week is not None:
        used += f" ({t['per_week'].format(n=_risen(one.per_week))})"
    if one.runs_out:
        return metric, used, long_day(one.runs_out, language)
    return metric, used, t[f"cannot_{one.cannot_say}"].format(day=long_day(one.measured_at.date(), language))


def _risen(per_week: float) -> str:
    rounded = number(round(per_week, 1))
    return rounded if per_week < 0 else f"+{rounded}"
