"""Others came along: colleagues of one domain in the account."""

from __future__ import annotations

import ibis.expr.types as ir

from handraise.playbook.measures import SameDomainPeople
from handraise.signals.kinds import Ask, day_columns, value


@day_columns.register
def _(measure: SameDomainPeople, wanted: Ask, days: ir.Table) -> dict[str, ir.Value]:
    del measure
    return {f"{wanted.name}__active": days.n_active.sum(where=days.age < wanted.window)}


@value.register
def _(measure: SameDomainPeople, wanted: Ask, row: ir.Table) -> ir.Value:
    del measure
    return row[wanted.column].fill_null(0)


def same_domain_counts(row: ir.Table, wanted: Ask) -> ir.Table:
    """as_of, account, domain → active people of the account with that work domain.

    Args:
        row: One row per pair with `domain` and the signal's `__active` helper.
        wanted: The signal.
    """
    active = row.filter((row[f"{wanted.name}__active"] > 0) & row.domain.notnull())
    counted = active.group_by(["as_of", "account_id", "domain"]).agg(n=active.count())
    return counted.rename({wanted.column: "n"})
