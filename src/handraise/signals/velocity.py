"""How often, how fast, and in which direction: days of use, trends, time to activation."""

from __future__ import annotations

import itertools

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import ActiveDays, ActiveShare, TimeToActivation, Trend
from handraise.signals.kinds import Ask, day_columns, flag, value
from handraise.warehouse.functions import all_of

_MICROSECONDS_PER_HOUR = 3_600_000_000


@day_columns.register(ActiveDays)
@day_columns.register(ActiveShare)
def _(measure: ActiveDays | ActiveShare, wanted: Ask, days: ir.Table) -> dict[str, ir.Value]:
    del measure
    return {wanted.column: days.count(where=(days.n_active > 0) & (days.age < wanted.window))}


@value.register
def _(measure: ActiveDays, wanted: Ask, row: ir.Table) -> ir.Value:
    del measure
    return row[wanted.column].fill_null(0)


@value.register
def _(measure: ActiveShare, wanted: Ask, row: ir.Table) -> ir.Value:
    del measure
    return row[wanted.column].fill_null(0) / wanted.window


@day_columns.register
def _(measure: Trend, wanted: Ask, days: ir.Table) -> dict[str, ir.Value]:
    return {
        f"{wanted.name}__week_{week}": days.n_active.sum(where=days.age.between(7 * week, 7 * week + 6))
        for week in range(measure.weeks)
    }


@value.register
def _(measure: Trend, wanted: Ask, row: ir.Table) -> ir.Value:
    weeks = [row[f"{wanted.name}__week_{week}"].fill_null(0) for week in range(measure.weeks)]
    steps = [
        newer > older if measure.direction == "rising" else newer < older for newer, older in itertools.pairwise(weeks)
    ]
    return flag(all_of(*steps))


@value.register
def _(measure: TimeToActivation, wanted: Ask, row: ir.Table) -> ir.Value:
    """Hours, while the activation lies in the window; unknown without a sign-up or an activation before as-of."""
    signed_up = sign_up_at(row, measure.sign_up)
    activated = row[f"first_{measure.activation}"]
    hours = activated.delta(signed_up, unit="microsecond") / _MICROSECONDS_PER_HOUR
    fresh = (activated >= row.cutoff - ibis.interval(days=wanted.window)) & (activated < row.cutoff)
    return fresh.ifelse(hours, ibis.null("float64"))


def sign_up_at(row: ir.Table, role: str) -> ir.TimestampValue:
    """When the person signed up: their row's `created_at`, else their first sign-up event in the account."""
    by_row = (row.created_at < row.cutoff).ifelse(row.created_at, ibis.null("timestamp(6)"))
    by_event = row[f"first_{role}"]
    known = (by_event < row.cutoff).ifelse(by_event, ibis.null("timestamp(6)"))
    found: ir.TimestampValue = ibis.coalesce(by_row, known)
    return found
