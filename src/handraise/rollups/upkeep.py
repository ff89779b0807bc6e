"""Keep the roll-ups up to date: only stretches of days that received events are made again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.playbook.plan import RollupPlan
from handraise.rollups.person_days import (
    WHO,
    identity_links,
    person_days,
    person_feature_days,
    person_firsts,
    person_role_days,
    schemas,
    with_keys,
)
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import any_of
from handraise.warehouse.tables import UNROLLED, read_fact, write_fact

_BY_DAY = ("person_days", "person_role_days", "person_feature_days")
# A stretch is rolled up in one go: long enough to be quick, short enough for memory, and its rows lie together.
_MOST_DAYS = 31
# Days between two changed ones that are cheaper to make again than to step over.
_SHORT_GAP = 3


def refresh_rollups(warehouse: Warehouse, plan: RollupPlan, progress: Callable[[float], None] | None = None) -> int:
    """Bring the roll-ups up to date; returns how many days had to be made anew.

    All of it happens in one transaction: a kill leaves the roll-ups and the list of dirty days as they were.
    """
    with warehouse.transaction():
        fresh = read_fact(warehouse, "rollup_plan") != plan.content_hash
        dirty = _start_anew(warehouse, plan) if fresh else _dirty_days(warehouse)
        spans = _stretches(dirty)
        for done, (first, last) in enumerate(spans, start=1):
            _roll_up(warehouse, plan, first, last, known=not fresh)
            if progress:
                progress(done / len(spans))
        added = 0 if fresh else _add_unrolled(warehouse, plan, spans)
        if not fresh and read_fact(warehouse, "rebuild_firsts") == "yes":
            _rebuild_firsts(warehouse, plan)
        if read_fact(warehouse, UNROLLED) == "yes":
            warehouse.empty("unrolled_events")
            write_fact(warehouse, UNROLLED, "no")
        if dirty or added:
            write_fact(warehouse, "rebuild_firsts", "no")
            warehouse.empty("dirty_days")
    return len(dirty) + added


def _add_unrolled(warehouse: Warehouse, plan: RollupPlan, spans: list[tuple[date, date]]) -> int:
    """Add events that came in live to the roll-ups of their days; returns of how many days.

    The days of `spans` were made again just now, those between two changed ones too: they have them already.
    """
    if read_fact(warehouse, UNROLLED) != "yes":
        return 0
    made = [day for first, last in spans for day in _days(first, last)]
    warehouse.hold("days_made", pa.table({"day": pa.array(made, pa.date32())}))
    warehouse.once_built("events to add", lambda: _show_unrolled(warehouse))
    days = warehouse.rows_in("days_to_add")
    if days:
        _hold_role_names(warehouse, plan)
        warehouse.once_built(f"added {plan.content_hash}", lambda: _add_steps(warehouse, plan))
    return days


def _show_unrolled(warehouse: Warehouse) -> None:
    """`span_events`: those of no day that was made just now; `days_to_add`: their days."""
    events = with_keys(warehouse.table("unrolled_events")).anti_join(warehouse.table("days_made"), "day")
    events = warehouse.show("span_events", events)
    warehouse.show("days_to_add", events.select("day").distinct())


def _add_steps(warehouse: Warehouse, plan: RollupPlan) -> None:
    """From the events of `span_events`, none of which is in the roll-ups, to the stored roll-ups."""
    events = warehouse.table("span_events")
    days, roles = _fresh(warehouse, plan)
    numbers = warehouse.table("person_firsts").select("who", *WHO)
    _add_to(warehouse, "person_days", days.inner_join(numbers, list(WHO)), ("who", "day"))
    _add_to(warehouse, "person_role_days", roles.inner_join(numbers, list(WHO)), ("who", "day", "role"))
    stored = warehouse.table("person_feature_days")
    used = person_feature_days(events, plan).inner_join(numbers, list(WHO)).select(*stored.columns).distinct()
    fresh = warehouse.create("fresh_features", used.anti_join(stored, list(stored.columns)), temporary=True)
    warehouse.insert("person_feature_days", fresh)
    _merge_links(warehouse, identity_links(events))


def _fresh(warehouse: Warehouse, plan: RollupPlan) -> tuple[ir.Table, ir.Table]:
    """Days and role days of `span_events`, by who; the firsts in them are taken into the stored ones."""
    events = warehouse.table("span_events")
    days = warehouse.create("fresh_days", person_days(events, plan), temporary=True)
    roles = person_role_days(events, warehouse.table("role_names"), plan)
    roles = warehouse.create("fresh_roles", roles, temporary=True)
    firsts = warehouse.create("fresh_firsts", person_firsts(days, roles, plan, WHO), temporary=True)
    _merge_firsts(warehouse, firsts)
    return days, roles


def _add_to(warehouse: Warehouse, name: str, fresh: ir.Table, key: tuple[str, ...]) -> None:
    """Put sums of what is stored and what is fresh in the place of stored rows; counts add up, instants are the outer ones."""
    stored = warehouse.table(name)
    fresh = fresh.select(*stored.columns)
    held = warehouse.create(f"fresh_{name}", fresh, temporary=True)
    old = stored.rename({f"old_{column}": column for column in stored.columns if column not in key})
    both = held.left_join(old, list(key))
    merged = {
        column: _both(column, both[column], both[f"old_{column}"]) for column in stored.columns if column not in key
    }
    rows = warehouse.create(f"merged_{name}", both.select(*key, **merged), temporary=True)
    warehouse.replace(name, rows, key)


def _both(column: str, fresh: ir.Value, stored: ir.Value) -> ir.Value:
    """One value of two, either of which may be missing."""
    here, there = ibis.coalesce(fresh, stored), ibis.coalesce(stored, fresh)
    if not fresh.type().is_timestamp():
        return ibis.coalesce(fresh + stored, here)
    return ibis.greatest(here, there) if column.endswith("last_at") else ibis.least(here, there)


def _dirty_days(warehouse: Warehouse) -> list[date]:
    return sorted(set(warehouse.whole("dirty_days")["day"].to_pylist()))


def _start_anew(warehouse: Warehouse, plan: RollupPlan) -> list[date]:
    """Empty roll-ups of the plan's shape; every day with events is to be made."""
    for name, schema in schemas(plan).items():
        warehouse.create(name, schema)
    write_fact(warehouse, "rollup_plan", plan.content_hash)
    # Whos get other numbers; what was kept with the old ones no longer fits.
    write_fact(warehouse, "rollups_made", str(int(read_fact(warehouse, "rollups_made") or 0) + 1))
    days = warehouse.table("events").select(day=lambda t: t.timestamp.date()).distinct()
    return sorted(warehouse.rows(days)["day"].to_pylist())


def _stretches(days: list[date]) -> list[tuple[date, date]]:
    """Runs of days with short gaps at most, cut to a bounded length, so that each is one range of stored events."""
    spans: list[tuple[date, date]] = []
    for day in days:
        near = spans and day - spans[-1][1] <= timedelta(days=_SHORT_GAP)
        if near and day - spans[-1][0] < timedelta(days=_MOST_DAYS):
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _roll_up(warehouse: Warehouse, plan: RollupPlan, first: date, last: date, *, known: bool) -> None:
    """Make the days of one stretch; rows they had before give way when there may be any (`known`)."""
    events = warehouse.table("events")
    inside = (events.timestamp >= ibis.timestamp(first.isoformat())) & (
        events.timestamp < ibis.timestamp((last + timedelta(days=1)).isoformat())
    )
    if "day" in events.columns:  # kept by day: an engine opens the files of these days only
        inside &= (events.day >= ibis.date(first.isoformat())) & (events.day <= ibis.date(last.isoformat()))
    warehouse.show("span_events", with_keys(events.filter(inside)))
    if known:
        span = warehouse.hold("span_days", pa.table({"day": pa.array(_days(first, last), pa.date32())}))
        for name in _BY_DAY:
            warehouse.delete(name, span)
    _hold_role_names(warehouse, plan)
    warehouse.once_built(f"roll-up {plan.content_hash}", lambda: _steps(warehouse, plan))


def _hold_role_names(warehouse: Warehouse, plan: RollupPlan) -> None:
    """`role_names`: event_name, role, of names that carry a role whatever their properties."""
    names = sorted({(p.event, role) for role in plan.dated for p in plan.roles[role] if p.event and not p.where})
    schema = pa.schema([("event_name", pa.string()), ("role", pa.string())])
    columns = [[name for name, _ in names], [role for _, role in names]]
    warehouse.hold("role_names", pa.table([pa.array(c, pa.string()) for c in columns], schema=schema))


def _steps(warehouse: Warehouse, plan: RollupPlan) -> None:
    """From the events of `span_events` to the stored roll-ups."""
    events = warehouse.table("span_events")
    days, roles = _fresh(warehouse, plan)
    numbers = warehouse.table("person_firsts").select("who", *WHO)
    for name, rows in zip(_BY_DAY, (days, roles, person_feature_days(events, plan)), strict=True):
        numbered = rows.inner_join(numbers, list(WHO))
        warehouse.insert(name, numbered.select(*warehouse.table(name).columns))
    _merge_links(warehouse, identity_links(events))


def _merge_firsts(warehouse: Warehouse, fresh: ir.Table) -> None:
    """Number whos that are new; lower the stored instants where the fresh ones are earlier."""
    stored = warehouse.table("person_firsts")
    used = stored.agg(base=stored.who.max() + 1)
    new = fresh.anti_join(stored, list(WHO)).cross_join(used)
    place = ibis.row_number().over(ibis.window(order_by=[new[column] for column in WHO]))
    new = new.mutate(who=new.base.fill_null(0) + place)
    instants = [column for column in stored.columns if column.startswith("first_")]
    lower = fresh.rename({f"new_{column}": column for column in instants}).inner_join(stored, list(WHO))
    earlier = any_of(
        *(lower[f"new_{c}"].notnull() & (lower[c].isnull() | (lower[f"new_{c}"] < lower[c])) for c in instants)
    )
    merged = {
        c: ibis.least(ibis.coalesce(lower[f"new_{c}"], lower[c]), ibis.coalesce(lower[c], lower[f"new_{c}"]))
        for c in instants
    }
    changed = warehouse.create("earlier_firsts", lower.filter(earlier).select("who", *WHO, **merged), temporary=True)
    warehouse.create("new_firsts", new.select(*stored.columns), temporary=True)
    warehouse.replace("person_firsts", changed, ("who",))
    warehouse.insert("person_firsts", warehouse.table("new_firsts"))


def _merge_links(warehouse: Warehouse, fresh: ir.Table) -> None:
    """Add links that are new, and date the known ones earlier where an earlier event came."""
    stored = warehouse.table("identity_links")
    key = ["anonymous_id", "person_id"]
    both = fresh.left_join(stored.rename(stored_at="linked_at"), key)
    changed = both.filter(both.stored_at.isnull() | (both.linked_at < both.stored_at)).select(*key, "linked_at")
    held = warehouse.create("changed_links", changed, temporary=True)
    warehouse.replace("identity_links", held, tuple(key))


def _rebuild_firsts(warehouse: Warehouse, plan: RollupPlan) -> None:
    """First instants may have moved later (an event gave way to another copy), which merging cannot express."""
    days, roles, old = (warehouse.table(name) for name in ("person_days", "person_role_days", "person_firsts"))
    firsts = person_firsts(days, roles, plan, ("who",))
    anew = firsts.inner_join(old.select("who", *WHO), "who").select(*old.columns)
    warehouse.create("new_firsts", anew, temporary=True)
    warehouse.empty("person_firsts")
    warehouse.insert("person_firsts", warehouse.table("new_firsts"))
    links = warehouse.create("changed_links", identity_links(warehouse.table("events")), temporary=True)
    warehouse.empty("identity_links")
    warehouse.insert("identity_links", links)
