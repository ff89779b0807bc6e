"""Counts, sums and different features: what was used, how much of it."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import Count, Distinct, Sum
from handraise.playbook.plan import count_role, sum_column
from handraise.signals.kinds import Ask, role_columns, value

# Weights are rounded to exact decimals, so that no order of adding changes a digit.
WEIGHT = "decimal(18, 9)"
# What one day can add to a fading sum, at most.
MOST_A_DAY = 999_999_999
# After this many half-lives an event weighs less than a millionth and is left out.
HALF_LIVES_KEPT = 20


def horizon(wanted: Ask) -> int:
    """Days of history that a count or sum reads."""
    return int(wanted.half_life * HALF_LIVES_KEPT) + 1 if wanted.half_life else wanted.window


def windowed_total(roles: ir.Table, role: str, column: str, wanted: Ask) -> ir.Value:
    """Sum of a role's column over the window, or over all ages with the weight halving every `half_life` days."""
    inside = (roles.role == role) & (roles.age < horizon(wanted))
    if wanted.half_life is None:
        return roles[column].sum(where=inside)
    weight = (ibis.literal(0.5) ** (roles.age / wanted.half_life)).round(9).cast(WEIGHT)
    return (_narrow(roles[column]) * weight).sum(where=inside)


def _narrow(amount: ir.NumericValue) -> ir.DecimalValue:
    """A day's amount in the weight's type: the product of two such decimals is exact on every engine."""
    least, most = (ibis.literal(bound).cast(WEIGHT) for bound in (-MOST_A_DAY, MOST_A_DAY))
    narrow: ir.DecimalValue = ibis.cases(
        (amount < -MOST_A_DAY, least), (amount > MOST_A_DAY, most), else_=amount.cast(WEIGHT)
    )
    return narrow


@role_columns.register
def _(measure: Count, wanted: Ask, roles: ir.Table) -> dict[str, ir.Value]:
    return {wanted.column: windowed_total(roles, count_role(measure), "n", wanted)}


@role_columns.register
def _(measure: Sum, wanted: Ask, roles: ir.Table) -> dict[str, ir.Value]:
    column = sum_column(measure.role, measure.property, measure.default)
    return {wanted.column: windowed_total(roles, measure.role, column, wanted)}


@value.register(Count)
@value.register(Sum)
@value.register(Distinct)
def _(measure: Count | Sum | Distinct, wanted: Ask, row: ir.Table) -> ir.Value:
    del measure
    return row[wanted.column].fill_null(0)


def distinct_features(features: ir.Table, signals: dict[str, tuple[Distinct, Ask]]) -> ir.Table:
    """Different features per pair for every `distinct` signal; `features` carries `pair` and `age`."""
    # First whether a feature counts, then how many do: counting different texts at once is several times slower.
    hits = {
        wanted.column: (features.role.isin(measure.roles) & (features.age < wanted.window)).cast("int64").max()
        for measure, wanted in signals.values()
    }
    each = features.group_by(["pair", "feature"]).agg(**hits)
    return each.group_by("pair").agg(**{column: each[column].sum() for column in hits})
