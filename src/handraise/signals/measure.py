"""Measure every signal of the playbook for everybody, in a handful of set steps.

Reads `as_ofs`, `calendar`, `pairs`, `pair_places`, `workspace_accounts`, `person_traits`, `enriched_companies`,
`enriched_people` and the roll-ups; leaves the temporary tables `person_values` and `account_values`, one row per as_of and pair or account, with a column
`v_<signal>` for each signal (NULL = blind or unknown).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.playbook.measures import Abandoned, Distinct, Measure, PeopleGrowth, SameDomainPeople, Trend, Workspaces
from handraise.playbook.schema import Playbook

# Importing a category's module makes its kinds known.
from handraise.signals import absence as _absence  # noqa: F401
from handraise.signals.account import account_columns
from handraise.signals.collaboration import same_domain_counts
from handraise.signals.facts import ACCOUNT, make_account_facts
from handraise.signals.fit import FIT_KINDS
from handraise.signals.intent import completed_starts
from handraise.signals.kinds import LIFETIME, Ask, ask, day_columns, role_columns, value
from handraise.signals.persona import make_enriched_traits
from handraise.signals.usage import distinct_features, horizon
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import FALSE, TRUE, join_on

TEAM_WINDOW = 30  # days of the people count that tiers and segments are cut by


def measure_signals(warehouse: Warehouse, playbook: Playbook, blind: frozenset[str]) -> None:
    """Make `person_values` and `account_values` for the days of `as_ofs`."""
    _make_windows(warehouse, playbook)
    facts = make_account_facts(warehouse, playbook)
    make_enriched_traits(warehouse, playbook)
    rows = _pair_rows(warehouse)
    wide = _with_colleagues_and_facts(warehouse, playbook, rows, facts)
    people = _with_values(wide, playbook, blind, {n: s.measure for n, s in playbook.signals.person.items()})
    warehouse.create("person_values", people.select(*_KEPT, *_values_of(people)), temporary=True)
    warehouse.create("account_values", _account_rows(warehouse, playbook, blind, rows), temporary=True)


# What scores and lists read of a person besides the values.
_KEPT = ("as_of", "person_id", "account_id", "known", "department", "is_buyer")


def _values_of(rows: ir.Table) -> list[str]:
    return [column for column in rows.columns if column.startswith("v_")]


def _asks(playbook: Playbook) -> dict[str, Ask]:
    return {name: ask(name, s, playbook) for name, s in {**playbook.signals.person, **playbook.signals.account}.items()}


def _asked(playbook: Playbook) -> list[tuple[Measure, Ask]]:
    signals = {**playbook.signals.person, **playbook.signals.account}
    return [(signals[name].measure, wanted) for name, wanted in _asks(playbook).items()]


def _days_needed(measure: Measure, wanted: Ask) -> int:
    match measure:
        case PeopleGrowth():
            return 2 * wanted.window
        case Trend(weeks=weeks):
            return 7 * weeks
        case _:
            return horizon(wanted)


def hold_calendar(warehouse: Warehouse, playbook: Playbook, as_ofs: list[date]) -> None:
    """as_of, day, age (0 = the day before as-of) for every day that some window reaches."""
    acting = (trigger.when.days for trigger in playbook.handoffs.triggers.values())
    days = max([TEAM_WINDOW, *acting, *(_days_needed(measure, wanted) for measure, wanted in _asked(playbook))])
    if days >= LIFETIME:
        found = warehouse.rows(warehouse.table("person_days").agg(first=lambda t: t.day.min()))
        first = found[0][0].as_py() or min(as_ofs)
        days = max((max(as_ofs) - first).days, 1)
    rows = [(as_of, as_of - timedelta(days=age + 1), age) for as_of in as_ofs for age in range(days)]
    columns = list(zip(*rows, strict=True))
    schema = pa.schema([("as_of", pa.date32()), ("day", pa.date32()), ("age", pa.int64())])
    warehouse.hold(
        "calendar", pa.table([pa.array(c, type=f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
    )


def _placed_days(warehouse: Warehouse, name: str, reach: int) -> ir.Table:
    """Roll-up rows of the last `reach` days before as-of, with `age` and the pair they count for."""
    days, calendar, places = warehouse.table(name), warehouse.table("calendar"), warehouse.table("pair_places")
    inside = calendar.filter(calendar.age < reach)
    return days.inner_join(inside, "day").inner_join(places, ["as_of", "who"])


def _reach(asked: list[tuple[Measure, Ask]], columns: Callable[[Measure, Ask, ir.Table], Any], rows: ir.Table) -> int:
    """Days that the signals which ask for columns of these rows look back."""
    reaching = [_days_needed(measure, wanted) for measure, wanted in asked if columns(measure, wanted, rows)]
    return max(reaching, default=0)


def _make_windows(warehouse: Warehouse, playbook: Playbook) -> None:
    """The temporary tables `role_days` and `windows`: every aggregate over time that some signal needs, per pair."""
    asked = _asked(playbook)
    days = _used_days(warehouse, LIFETIME)
    days = _used_days(warehouse, max(TEAM_WINDOW, _reach(asked, day_columns, days)))
    roles = _role_days(warehouse, LIFETIME)
    roles = warehouse.create("role_days", _role_days(warehouse, _reach(asked, role_columns, roles)), temporary=True)
    of_days: dict[str, ir.Value] = {"team__active": days.n_active.sum(where=days.age < TEAM_WINDOW)}
    of_roles: dict[str, ir.Value] = {}
    for measure, wanted in asked:
        of_days.update(day_columns(measure, wanted, days))
        of_roles.update(role_columns(measure, wanted, roles))
    windows = join_on(warehouse.table("pairs").select("pair"), days.group_by("pair").agg(**of_days), ["pair"])
    if of_roles:
        windows = join_on(windows, roles.group_by("pair").agg(**of_roles), ["pair"])
    distinct = {wanted.name: (measure, wanted) for measure, wanted in asked if isinstance(measure, Distinct)}
    if distinct:
        reach = max(_days_needed(*one) for one in distinct.values())
        features = _placed_days(warehouse, "person_feature_days", reach)
        windows = join_on(windows, distinct_features(features, distinct), ["pair"])
    warehouse.create("windows", windows, temporary=True)


def _used_days(warehouse: Warehouse, reach: int) -> ir.Table:
    """Somebody's ids and workspaces are one here: a day is active once, however many of them were used."""
    placed = _placed_days(warehouse, "person_days", reach)
    # Most have one id in one place; their days are added up already.
    places = warehouse.table("pair_places")
    several = places.group_by("pair").having(places.count() > 1).agg()
    many = placed.semi_join(several, "pair")
    one = placed.anti_join(several, "pair").select("pair", "age", "n_active")
    return one.union(many.group_by(["pair", "age"]).agg(n_active=many.n_active.sum()), distinct=False)


def _role_days(warehouse: Warehouse, reach: int) -> ir.Table:
    return _placed_days(warehouse, "person_role_days", reach).drop("day", "as_of", "who")


def _pair_rows(warehouse: Warehouse) -> ir.Table:
    """One row per pair: its first instants, what is known of the person, and its windows."""
    rows = warehouse.table("pairs").inner_join(warehouse.table("as_ofs"), "as_of")
    rows = join_on(rows, warehouse.table("person_traits"), ["person_id"])
    rows = _with_enriched_traits(rows, warehouse.table("enriched_traits"))
    return join_on(rows, warehouse.table("windows"), ["pair"])


def _with_enriched_traits(rows: ir.Table, enriched: ir.Table) -> ir.Table:
    """Traits as they were known at as-of, of those of whom others said something by then."""
    traits = ("department", "is_executive", "is_buyer")
    theirs = enriched.select(
        "as_of", "person_id", known_then=TRUE, **{f"then_{name}": enriched[name] for name in traits}
    )
    joined = join_on(rows, theirs, ["as_of", "person_id"])
    said = joined.known_then.fill_null(FALSE)
    values = {name: said.ifelse(joined[f"then_{name}"], joined[name]) for name in traits}
    return joined.mutate(**values).select(*rows.columns)


def _with_colleagues_and_facts(warehouse: Warehouse, playbook: Playbook, rows: ir.Table, facts: ir.Table) -> ir.Table:
    """Everything a person signal can read, one row per pair."""
    asks = _asks(playbook)
    wide = join_on(rows, facts.select(*ACCOUNT, *(c for c in facts.columns if c not in rows.columns)), ACCOUNT)
    for name, signal in playbook.signals.person.items():
        match signal.measure:
            case SameDomainPeople():
                wide = join_on(wide, same_domain_counts(rows, asks[name]), [*ACCOUNT, "domain"])
            case Abandoned() as measure:
                done = completed_starts(rows, warehouse.table("role_days"), measure, asks[name])
                wide = join_on(wide, done, ["pair"])
            case _:
                pass
    return wide


def _with_values(
    rows: ir.Table, playbook: Playbook, blind: frozenset[str], measures: Mapping[str, Measure]
) -> ir.Table:
    asks = _asks(playbook)
    values = {
        f"v_{name}": ibis.null("float64") if name in blind else value(measure, asks[name], rows).cast("float64")
        for name, measure in measures.items()
    }
    return rows.mutate(**values)


def _account_rows(warehouse: Warehouse, playbook: Playbook, blind: frozenset[str], pairs: ir.Table) -> ir.Table:
    """Everything an account signal can read, one row per account, and the values."""
    asks, signals = _asks(playbook), playbook.signals.account
    totals: dict[str, ir.Value] = {
        "team_people": pairs.count(where=pairs.team__active > 0),
        "team_departments": pairs.department.nunique(where=pairs.team__active > 0),
        "people": pairs.count(),
    }
    for name, signal in signals.items():
        totals.update(account_columns(signal.measure, asks[name], pairs))
    facts = warehouse.table("account_facts").drop("people")
    rows = join_on(facts, pairs.group_by(ACCOUNT).agg(**totals), ACCOUNT)
    for name, signal in signals.items():
        if isinstance(signal.measure, Workspaces):
            rows = join_on(rows, _workspaces(warehouse, asks[name]), ACCOUNT)
    fit = {n: s.measure for n, s in playbook.signals.person.items() if isinstance(s.measure, FIT_KINDS)}
    return _with_values(rows, playbook, blind, {**{n: s.measure for n, s in signals.items()}, **fit})


def _workspaces(warehouse: Warehouse, wanted: Ask) -> ir.Table:
    """as_of, account → workspaces created, or with an event, in the window."""
    days, calendar, places = (warehouse.table(name) for name in ("person_days", "calendar", "person_firsts"))
    inside = calendar.filter(calendar.age < wanted.window)
    seen = days.inner_join(inside, "day").select("as_of", "who").distinct()
    used = seen.inner_join(places.filter(places.workspace_id != "").select("who", "workspace_id"), "who")
    rows = warehouse.table("workspaces").cross_join(warehouse.table("as_ofs"))
    start = rows.cutoff - ibis.interval(days=wanted.window)
    created = rows.filter((rows.created_at >= start) & (rows.created_at < rows.cutoff))
    both = used.select("as_of", "workspace_id").union(created.select("as_of", "workspace_id"), distinct=True)
    placed = both.inner_join(warehouse.table("workspace_accounts"), ["as_of", "workspace_id"])
    counted = placed.group_by(ACCOUNT).agg(n=placed.workspace_id.nunique())
    return counted.rename({wanted.column: "n"})
