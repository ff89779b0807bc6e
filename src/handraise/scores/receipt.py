"""The receipt: one row for each signal that gave points or is blind; the points of an entity's rows are its score."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import Unit
from handraise.playbook.schema import Playbook, Signal
from handraise.playbook.section import Language
from handraise.scores.pql import firmographic_signals

PEOPLE = "people"
COLUMNS = ("entity", "id", "account_id", "as_of", "signal", "category", "value", "points", "because")
_PEOPLE_BECAUSE = {"en": "points of the people in the account", "zh": "账户内用户的得分"}
_BLIND = {"en": "cannot be seen: ", "zh": "无法判断："}
# The reasons of `signals.blind` in Chinese.
BLIND_IN_CHINESE = {
    "no people.email": "缺少 people.email",
    "no people.department": "缺少 people.department",
    "neither people.title nor people.seniority": "people.title 和 people.seniority 都缺少",
    "no accounts.employees": "缺少 accounts.employees",
    "`industries` is empty in the playbook": "playbook 中的 `industries` 为空",
    "no accounts.industry": "缺少 accounts.industry",
    "no accounts.icp, and no `icp` rule that the accounts file can answer": (
        "缺少 accounts.icp，也没有 accounts 文件能够回答的 `icp` 规则"
    ),
    "no subscriptions with mrr": "缺少带 mrr 的 subscriptions",
    "no limits": "缺少 limits",
    "neither workspaces nor events.workspace_id": "workspaces 和 events.workspace_id 都缺少",
    "its role and threshold are not set in the playbook": "playbook 中没有设置它的 role 和 threshold",
}


def person_receipt(people: ir.Table, playbook: Playbook, blind: dict[str, str], language: Language) -> ir.Table:
    """Receipt rows of scored people."""
    rows = [
        _signal_rows(people, "person", people.person_id, name, signal, blind, language)
        for name, signal in playbook.signals.person.items()
    ]
    return ibis.union(*rows, distinct=False) if len(rows) > 1 else rows[0]


def account_receipt(accounts: ir.Table, playbook: Playbook, blind: dict[str, str], language: Language) -> ir.Table:
    """Receipt rows of scored accounts: the people's points as one row, account signals, firmographic fit."""
    fit = {name: playbook.signals.person[name] for name in firmographic_signals(playbook)}
    signals: dict[str, Signal] = {**playbook.signals.account, **fit}
    rows = [
        _signal_rows(accounts, "account", accounts.account_id, name, signal, blind, language)
        for name, signal in signals.items()
    ]
    return ibis.union(_people_row(accounts, language), *rows, distinct=False)


def _people_row(accounts: ir.Table, language: Language) -> ir.Table:
    counted = accounts.filter(accounts.people_points != 0)
    return counted.select(
        entity=ibis.literal("account"),
        id=counted.account_id,
        account_id=counted.account_id,
        as_of=counted.as_of,
        signal=ibis.literal(PEOPLE),
        category=ibis.literal(PEOPLE),
        value=counted.people.cast("float64"),
        points=counted.people_points.cast("int64"),
        because=ibis.literal(_PEOPLE_BECAUSE[language]),
    )


def _signal_rows(  # noqa: PLR0913, PLR0917 - one row shape, spelled out
    scored: ir.Table,
    entity: str,
    own_id: ir.StringValue,
    name: str,
    signal: Signal,
    blind: dict[str, str],
    language: Language,
) -> ir.Table:
    points = scored[f"p_{name}"]
    if name in blind:
        why = BLIND_IN_CHINESE.get(blind[name], blind[name]) if language == "zh" else blind[name]
        shown, because = scored, ibis.literal(_BLIND[language] + why)
    else:
        shown = scored.filter(points != 0)
        because = reason(scored[f"v_{name}"], signal, language)
    return shown.select(
        entity=ibis.literal(entity),
        id=own_id,
        account_id=scored.account_id,
        as_of=scored.as_of,
        signal=ibis.literal(name),
        category=ibis.literal(signal.category),
        value=scored[f"v_{name}"].cast("float64"),
        points=points.cast("int64"),
        because=because,
    )


def reason(value: ir.NumericValue, signal: Signal, language: Language) -> ir.StringValue:
    """The signal's sentence with `{value}` and `{window}` filled in."""
    text = getattr(signal.because, language).replace("{window}", str(signal.window))
    if "{value}" not in text:
        return ibis.literal(text)
    filled: ir.StringValue = ibis.literal(text).replace("{value}", _shown(value, signal.measure.unit))
    return filled


def _shown(value: ir.NumericValue, unit: Unit) -> ir.StringValue:
    whole = value.round().cast("int64").cast("string")
    if unit == "percent":
        return (value * 100).round().cast("int64").cast("string").concat("%")
    digits = 1 if unit == "count" else 2
    shown: ir.StringValue = (value == value.round()).ifelse(whole, value.round(digits).cast("string"))
    return shown
