"""Which role an event carries, and which feature it used."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.schema import EventPattern
from handraise.warehouse.functions import FALSE, all_of, any_of, property_text


def carries_role(events: ir.Table, patterns: tuple[EventPattern, ...]) -> ir.BooleanValue:
    """Whether an event carries a role."""
    plain = sorted({p.event for p in patterns if p.event is not None and not p.where})
    tests = [events.name.isin(plain)] if plain else []
    return any_of(*tests, *(_matches(events, pattern) for pattern in patterns if pattern.where))


def _matches(events: ir.Table, pattern: EventPattern) -> ir.BooleanValue:
    tests = [property_text(events.properties, name).isin(wanted) for name, wanted in sorted(pattern.where.items())]
    if pattern.event is not None:
        tests.insert(0, events.name == pattern.event)
    return all_of(*tests).fill_null(FALSE)


def feature_key(events: ir.Table, patterns: tuple[EventPattern, ...]) -> ir.StringValue:
    """The feature that an event used; an event without the property counts under its own name."""
    keyed = {p.feature for p in patterns} - {"feature"}
    if not keyed:
        key = property_text(events.properties, "feature")
    else:
        branches = [(_one_pattern(events, p), property_text(events.properties, p.feature)) for p in patterns]
        key = ibis.cases(*branches, else_=ibis.null("string"))
    named: ir.StringValue = ibis.coalesce(key.nullif(""), events.name)
    return named


def _one_pattern(events: ir.Table, pattern: EventPattern) -> ir.BooleanValue:
    return carries_role(events, (pattern,))
