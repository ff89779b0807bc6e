"""Who they are: size, industry, ideal customer profile. The same expressions for people and for accounts."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import Employees, Icp, Industry
from handraise.playbook.schema import IcpRule
from handraise.signals.kinds import Ask, value
from handraise.warehouse.functions import FALSE, all_of

FIT_KINDS = (Employees, Industry, Icp)


@value.register
def _(measure: Employees, wanted: Ask, row: ir.Table) -> ir.Value:
    del measure, wanted
    return row.employees


@value.register
def _(measure: Industry, wanted: Ask, row: ir.Table) -> ir.Value:
    del measure
    return in_list(row.industry, wanted.playbook.industries).cast("int64")


@value.register
def _(measure: Icp, wanted: Ask, row: ir.Table) -> ir.Value:
    del measure, wanted
    return row.icp_match.cast("int64")


def icp_match(accounts: ir.Table, rule: IcpRule) -> ir.BooleanValue:
    """The accounts file's flag, or the playbook's rule; NULL where neither can be told."""
    if not rule.is_set:
        return accounts.icp
    parts = []
    if rule.min_employees is not None:
        parts.append(accounts.employees >= rule.min_employees)
    if rule.max_employees is not None:
        parts.append(accounts.employees <= rule.max_employees)
    if rule.industries:
        parts.append(in_list(accounts.industry, rule.industries))
    if rule.countries:
        parts.append(in_list(accounts.country, rule.countries))
    by_rule = all_of(*parts)
    either: ir.BooleanValue = ibis.coalesce(accounts.icp, FALSE) | by_rule
    return either


def in_list(text: ir.StringValue, names: tuple[str, ...]) -> ir.BooleanValue:
    """Whether a text is one of the names, capitals and outer spaces aside; NULL where there is no text."""
    found: ir.BooleanValue = text.strip().lower().isin([name.strip().lower() for name in names])
    return found
