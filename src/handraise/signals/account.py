"""The team as a whole: how many, from where, how fast it grows, and signs that a purchase is near."""

from __future__ import annotations

from functools import singledispatch

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import (
    ActivePeople,
    Count,
    Departments,
    ExecutivePresent,
    Measure,
    NearLimit,
    PeopleGrowth,
    PeopleWith,
    Sum,
    VelocityJump,
    Volume,
    Workspaces,
)
from handraise.playbook.plan import sum_column
from handraise.signals.kinds import Ask, day_columns, flag, role_columns, value
from handraise.signals.usage import windowed_total

_ActivityKind = ActivePeople | Departments | ExecutivePresent | NearLimit


@singledispatch
def account_columns(measure: Measure, wanted: Ask, pairs: ir.Table) -> dict[str, ir.Value]:
    """Aggregates over an account's people that the signal needs; none unless the kind says so."""
    del measure, wanted, pairs
    return {}


@day_columns.register(ActivePeople)
@day_columns.register(Departments)
@day_columns.register(ExecutivePresent)
@day_columns.register(NearLimit)
def _(measure: _ActivityKind, wanted: Ask, days: ir.Table) -> dict[str, ir.Value]:
    del measure
    return {wanted.column: days.n_active.sum(where=days.age < wanted.window)}


@account_columns.register(ActivePeople)
@account_columns.register(NearLimit)
def _(measure: ActivePeople | NearLimit, wanted: Ask, pairs: ir.Table) -> dict[str, ir.Value]:
    del measure
    return {wanted.column: pairs.count(where=pairs[wanted.column] > 0)}


@value.register(ActivePeople)
@value.register(Departments)
@value.register(PeopleWith)
@value.register(Workspaces)
def _(measure: ActivePeople | Departments | PeopleWith | Workspaces, wanted: Ask, row: ir.Table) -> ir.Value:
    del measure
    return row[wanted.column].fill_null(0)


@account_columns.register
def _(measure: Departments, wanted: Ask, pairs: ir.Table) -> dict[str, ir.Value]:
    del measure
    return {wanted.column: pairs.department.nunique(where=pairs[wanted.column] > 0)}


@account_columns.register
def _(measure: ExecutivePresent, wanted: Ask, pairs: ir.Table) -> dict[str, ir.Value]:
    del measure
    return {wanted.column: pairs.count(where=(pairs[wanted.column] > 0) & pairs.is_executive)}


@value.register
def _(measure: ExecutivePresent, wanted: Ask, row: ir.Table) -> ir.Value:
    del measure
    return flag(row[wanted.column] > 0)


@value.register
def _(measure: NearLimit, wanted: Ask, row: ir.Table) -> ir.Value:
    return flag((row[wanted.column] >= measure.people) & (row.limit_share >= measure.share))


@day_columns.register
def _(measure: PeopleGrowth, wanted: Ask, days: ir.Table) -> dict[str, ir.Value]:
    del measure
    return {
        f"{wanted.name}__now": days.n_active.sum(where=days.age < wanted.window),
        f"{wanted.name}__before": days.n_active.sum(where=days.age.between(wanted.window, 2 * wanted.window - 1)),
    }


@account_columns.register
def _(measure: PeopleGrowth, wanted: Ask, pairs: ir.Table) -> dict[str, ir.Value]:
    del measure
    return {
        column: pairs.count(where=pairs[column] > 0) for column in (f"{wanted.name}__now", f"{wanted.name}__before")
    }


@value.register
def _(measure: PeopleGrowth, wanted: Ask, row: ir.Table) -> ir.Value:
    now, before = row[f"{wanted.name}__now"].fill_null(0), row[f"{wanted.name}__before"].fill_null(0)
    return (before >= measure.at_least).ifelse((now - before) / before.nullif(0), ibis.null("float64"))


@account_columns.register
def _(measure: VelocityJump, wanted: Ask, pairs: ir.Table) -> dict[str, ir.Value]:
    start = pairs.cutoff - ibis.interval(days=wanted.window)
    earlier = start - ibis.interval(days=7 * measure.weeks)
    return {
        f"{wanted.name}__now": pairs.count(where=pairs.first_at >= start),
        f"{wanted.name}__before": pairs.count(where=(pairs.first_at >= earlier) & (pairs.first_at < start)),
    }


@value.register
def _(measure: VelocityJump, wanted: Ask, row: ir.Table) -> ir.Value:
    now, before = row[f"{wanted.name}__now"].fill_null(0), row[f"{wanted.name}__before"].fill_null(0)
    usual = ibis.greatest(before / measure.weeks, 1.0)
    return flag((now >= measure.at_least) & (now >= usual * measure.times))


@role_columns.register
def _(measure: Volume, wanted: Ask, roles: ir.Table) -> dict[str, ir.Value]:
    if measure.role is None:
        return {}
    column = sum_column(measure.role, measure.property, 0) if measure.property else "n"
    return {wanted.column: windowed_total(roles, measure.role, column, wanted)}


@account_columns.register(Volume)
@account_columns.register(Count)
@account_columns.register(Sum)
def _(measure: Volume | Count | Sum, wanted: Ask, pairs: ir.Table) -> dict[str, ir.Value]:
    if isinstance(measure, Volume) and measure.role is None:
        return {}
    return {wanted.column: pairs[wanted.column].sum()}


@value.register
def _(measure: Volume, wanted: Ask, row: ir.Table) -> ir.Value:
    return flag(row[wanted.column] >= (measure.threshold or 0))


@role_columns.register
def _(measure: PeopleWith, wanted: Ask, roles: ir.Table) -> dict[str, ir.Value]:
    return {wanted.column: windowed_total(roles, measure.role, "n", wanted)}


@account_columns.register
def _(measure: PeopleWith, wanted: Ask, pairs: ir.Table) -> dict[str, ir.Value]:
    del measure
    return {wanted.column: pairs.count(where=(pairs[wanted.column] > 0) & pairs.known)}
