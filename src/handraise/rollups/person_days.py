"""Roll events up to one row per person, workspace and day; only days that received events are made again.

Tables kept (the key `who` = actor, identified, workspace_id):
    person_days: who × day, counts and first/last instants of the day.
    person_feature_days: who × day × role × feature.
    person_firsts: who, the first instants of all history. `first_x < T` answers "ever x before T" for any as-of T,
        so lifetime facts never need the history again.
    identity_links: anonymous_id → person_id with the first instant an event carried both.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from handraise.playbook.plan import RollupPlan
from handraise.rollups.roles import carries_role, feature_key
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import FALSE, TRUE, property_text
from handraise.warehouse.tables import read_fact, write_fact

WHO = ("actor", "identified", "workspace_id")
NUMBER = "decimal(18, 6)"
# More separate stretches of dirty days than this are rolled up in one go over the whole span.
_MAX_STRETCHES = 31


def refresh_rollups(warehouse: Warehouse, plan: RollupPlan, progress: Callable[[float], None] | None = None) -> int:
    """Bring the roll-ups up to date; returns how many days were made anew.

    All of it happens in one transaction: a kill leaves the roll-ups and the list of dirty days as they were.
    """
    with warehouse.transaction():
        if read_fact(warehouse, "rollup_plan") != plan.content_hash:
            days = _rebuild_all(warehouse, plan)
        else:
            days = _rebuild_dirty(warehouse, plan, progress)
        warehouse.empty("dirty_days")
    return days


def _rebuild_all(warehouse: Warehouse, plan: RollupPlan) -> int:
    events = _with_keys(warehouse.table("events"))
    warehouse.create("person_days", person_days(events, plan))
    warehouse.create("person_feature_days", person_feature_days(events, plan))
    _rebuild_firsts(warehouse)
    write_fact(warehouse, "rollup_plan", plan.content_hash)
    days = warehouse.table("person_days").select("day").distinct()
    return warehouse.count(days)


def _rebuild_firsts(warehouse: Warehouse) -> None:
    warehouse.create("person_firsts", person_firsts(warehouse.table("person_days")))
    warehouse.create("identity_links", identity_links(warehouse.table("events")))


def _rebuild_dirty(warehouse: Warehouse, plan: RollupPlan, progress: Callable[[float], None] | None) -> int:
    dirty = [row["day"] for row in warehouse.rows(warehouse.table("dirty_days").distinct()).to_pylist()]
    spans = _stretches(sorted(dirty))
    warehouse.delete("person_days", warehouse.table("dirty_days"))
    warehouse.delete("person_feature_days", warehouse.table("dirty_days"))
    for done, (first, last) in enumerate(spans, start=1):
        _rebuild_span(warehouse, plan, first, last)
        if progress:
            progress(done / len(spans))
    if read_fact(warehouse, "rebuild_firsts") == "yes":
        _rebuild_firsts(warehouse)
        write_fact(warehouse, "rebuild_firsts", "no")
    return len(dirty)


def _rebuild_span(warehouse: Warehouse, plan: RollupPlan, first: date, last: date) -> None:
    events = warehouse.table("events")
    inside = (events.timestamp >= ibis.timestamp(first.isoformat())) & (
        events.timestamp < ibis.timestamp((last + timedelta(days=1)).isoformat())
    )
    keyed = _with_keys(events.filter(inside))
    keyed = keyed.semi_join(warehouse.table("dirty_days"), "day")
    fresh = warehouse.create("fresh_days", person_days(keyed, plan), temporary=True)
    warehouse.insert("person_days", fresh)
    warehouse.insert("person_feature_days", person_feature_days(keyed, plan))
    _merge_minimum(warehouse, "person_firsts", person_firsts(fresh), WHO)
    _merge_minimum(warehouse, "identity_links", identity_links(keyed), ("anonymous_id", "person_id"))


def _stretches(days: list[date]) -> list[tuple[date, date]]:
    """Runs of days without a gap, so that each is one range over time-ordered storage."""
    spans: list[tuple[date, date]] = []
    for day in days:
        if spans and day - spans[-1][1] == timedelta(days=1):
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans if len(spans) <= _MAX_STRETCHES else [(days[0], days[-1])]


def _merge_minimum(warehouse: Warehouse, name: str, fresh: ir.Table, key: tuple[str, ...]) -> None:
    """Lower the stored instants where the fresh ones are earlier, and add keys that are new."""
    stored = warehouse.table(name)
    concerned = stored.semi_join(fresh, list(key))
    both = concerned.union(fresh.select(*stored.columns), distinct=False)
    instants = [column for column in stored.columns if column not in key]
    merged = both.group_by(list(key)).agg(**{column: both[column].min() for column in instants})
    held = warehouse.create("merged_firsts", merged, temporary=True)
    warehouse.delete(name, held.select(*key))
    warehouse.insert(name, held)


def _with_keys(events: ir.Table) -> ir.Table:
    return events.mutate(
        actor=ibis.coalesce(events.person_id, events.anonymous_id),
        identified=events.person_id.notnull(),
        workspace_id=ibis.coalesce(events.workspace_id, ""),
        day=events.timestamp.date(),
    )


def person_days(events: ir.Table, plan: RollupPlan) -> ir.Table:
    """One row per who and day. `events` carries the key columns."""
    active = ~events.name.isin(plan.passive) if plan.passive else TRUE
    has = {role: carries_role(events, patterns) for role, patterns in plan.roles.items()}
    at = events.timestamp
    return events.group_by([*WHO, "day"]).agg(
        n_events=events.count(),
        n_active=events.count(where=active),
        first_at=at.min(),
        first_active_at=at.min(where=active),
        **{f"n_{role}": events.count(where=has[role]) for role in plan.counts},
        **{f"first_{role}": at.min(where=has[role]) for role in plan.firsts},
        **{f"last_{role}": at.max(where=has[role]) for role in plan.lasts},
        **{column: _summed(events, has[role], name, default) for column, (role, name, default) in plan.sums.items()},
    )


def _summed(events: ir.Table, has_role: ir.BooleanValue, name: str, default: float) -> ir.DecimalValue:
    """Exact decimals, so that no order of adding changes a digit; what is not a number counts as the default."""
    number = property_text(events.properties, name).try_cast(NUMBER)
    value = ibis.coalesce(number, ibis.literal(default).cast(NUMBER))
    total: ir.DecimalValue = has_role.ifelse(value, ibis.null(NUMBER)).sum()
    return total


def person_feature_days(events: ir.Table, plan: RollupPlan) -> ir.Table:
    """One row per who, day, role and feature used."""
    parts = []
    for role in plan.features:
        used = events.filter(carries_role(events, plan.roles[role]))
        key = feature_key(used, plan.roles[role])
        parts.append(used.select(*WHO, "day", role=ibis.literal(role), feature=key).distinct())
    if not parts:
        nothing = events.filter(FALSE)
        return nothing.select(*WHO, "day", role=ibis.literal(""), feature=nothing.name)
    return parts[0] if len(parts) == 1 else ibis.union(*parts, distinct=False)


def person_firsts(days: ir.Table) -> ir.Table:
    """First instants of all history, per who."""
    instants = [column for column in days.columns if column.startswith("first_")]
    return days.group_by(list(WHO)).agg(**{column: days[column].min() for column in instants})


def identity_links(events: ir.Table) -> ir.Table:
    """The first instant that an event carried both an anonymous id and a person's id."""
    both = events.filter(events.person_id.notnull() & events.anonymous_id.notnull())
    return both.group_by(["anonymous_id", "person_id"]).agg(linked_at=both.timestamp.min())
