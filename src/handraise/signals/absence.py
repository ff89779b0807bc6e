"""Warning signs: silence, being alone, never going beyond the free features."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import FreeOnly, Inactive, Lonely
from handraise.signals.kinds import Ask, day_columns, flag, value
from handraise.signals.velocity import sign_up_at
from handraise.warehouse.functions import FALSE


@day_columns.register
def _(measure: Inactive, wanted: Ask, days: ir.Table) -> dict[str, ir.Value]:
    del measure
    return {wanted.column: days.n_active.sum(where=days.age < wanted.window)}


@value.register
def _(measure: Inactive, wanted: Ask, row: ir.Table) -> ir.Value:
    del measure
    was_active = row.first_active_at < row.cutoff
    return flag((row[wanted.column].fill_null(0) == 0) & was_active)


@value.register
def _(measure: Lonely, wanted: Ask, row: ir.Table) -> ir.Value:
    """`people_ever_active`, `account_<invite role>_at` and `account_since` come from the account's facts."""
    del wanted
    alone = (row.people_ever_active == 1) & (row.first_active_at < row.cutoff)
    invited = (row[f"account_{measure.invite}_at"] < row.cutoff).fill_null(FALSE)
    old = row.account_since < row.cutoff - ibis.interval(days=measure.after_days)
    return flag(alone & ~invited & old)


@value.register
def _(measure: FreeOnly, wanted: Ask, row: ir.Table) -> ir.Value:
    del wanted
    since = ibis.coalesce(sign_up_at(row, measure.sign_up), row.first_at)
    old = since < row.cutoff - ibis.interval(days=measure.after_days)
    premium = (row[f"first_{measure.premium}"] < row.cutoff).fill_null(FALSE)
    return flag(old & ~premium & ~row.paying)
