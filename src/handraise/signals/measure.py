"""Measure every signal of the playbook for everybody, in a handful of set steps.

Reads `as_ofs`, `calendar`, `places`, `pairs`, `workspace_accounts`, `person_domains` and the roll-ups; leaves the temporary
tables `person_values` and `account_values`, one row per as_of and pair or account, with a column `v_<signal>` for
each signal (NULL = blind or unknown).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

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
from handraise.signals.kinds import LIFETIME, Ask, ask, value, window_columns
from handraise.signals.persona import is_buyer, is_executive
from handraise.signals.usage import distinct_features, horizon
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import join_on

PAIR = ["as_of", "person_id", "account_id"]
TEAM_WINDOW = 30  # days of the people count that tiers and segments are cut by


def measure_signals(warehouse: Warehouse, playbook: Playbook, blind: frozenset[str]) -> None:
    """Make `person_values` and `account_values` for the days of `as_ofs`."""
    usage = warehouse.create("usage", _usage(warehouse), temporary=True)
    facts = make_account_facts(warehouse, playbook)
    wide = _pair_rows(warehouse, playbook, usage, facts)
    people = _with_values(wide, playbook, blind, {n: s.measure for n, s in playbook.signals.person.items()})
    warehouse.create("person_values", people.select(*_needed_later(people, playbook)), temporary=True)
    warehouse.create("account_values", _account_rows(warehouse, playbook, blind), temporary=True)


def _needed_later(people: ir.Table, playbook: Playbook) -> list[str]:
    """Columns that account signals, scores and lists read; helpers of person signals have done their work."""
    helpers = tuple(f"{name}__" for name in playbook.signals.person)
    return [c for c in people.columns if not c.startswith(helpers) and (c == "first_at" or not c.startswith("first_"))]


def _asks(playbook: Playbook) -> dict[str, Ask]:
    return {name: ask(name, s, playbook) for name, s in {**playbook.signals.person, **playbook.signals.account}.items()}


def _days_needed(playbook: Playbook) -> int:
    needed = [TEAM_WINDOW]
    for name, wanted in _asks(playbook).items():
        measure = {**playbook.signals.person, **playbook.signals.account}[name].measure
        match measure:
            case PeopleGrowth():
                needed.append(2 * wanted.window)
            case Trend(weeks=weeks):
                needed.append(7 * weeks)
            case _:
                needed.append(horizon(wanted))
    return max(needed)


def hold_calendar(warehouse: Warehouse, playbook: Playbook, as_ofs: list[date]) -> None:
    """as_of, day, age (0 = the day before as-of) for every day that some window reaches."""
    days = _days_needed(playbook)
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


def _placed_days(warehouse: Warehouse, name: str) -> ir.Table:
    """Roll-up rows inside some window, with the person and account they count for."""
    days, calendar, places = warehouse.table(name), warehouse.table("calendar"), warehouse.table("places")
    where = places.select("as_of", "actor", "identified", "workspace_id", "person_id", "account_id")
    dated = days.inner_join(calendar, "day")
    return dated.inner_join(where, ["as_of", "actor", "identified", "workspace_id"])


def _usage(warehouse: Warehouse) -> ir.Table:
    """One row per as_of, person, account and age: a person's actors and workspaces are one here."""
    rows = _placed_days(warehouse, "person_days")
    totals = {c: rows[c].sum() for c in rows.columns if c.startswith(("n_", "sum_"))}
    firsts = {c: rows[c].min() for c in rows.columns if c.startswith("first_")}
    lasts = {c: rows[c].max() for c in rows.columns if c.startswith("last_")}
    return rows.group_by([*PAIR, "age"]).agg(**totals, **firsts, **lasts)


def _pair_rows(warehouse: Warehouse, playbook: Playbook, usage: ir.Table, facts: ir.Table) -> ir.Table:
    """Everything a person signal can read, one row per pair."""
    asks = _asks(playbook)
    signals = {**playbook.signals.person, **playbook.signals.account}
    totals: dict[str, ir.Value] = {"team__active": usage.n_active.sum(where=usage.age < TEAM_WINDOW)}
    for name, signal in signals.items():
        totals.update(window_columns(signal.measure, asks[name], usage))
    windows = usage.group_by(PAIR).agg(
        **totals,
    )
    rows = join_on(warehouse.table("pairs"), windows, PAIR)
    rows = join_on(rows, _features(warehouse, playbook, asks), PAIR)
    rows = join_on(rows, _people(warehouse, playbook), ["person_id"])
    rows = join_on(rows, facts.drop("created_at", "name", "domain", "first_event_at", "people"), ACCOUNT)
    rows = warehouse.create("pair_rows", rows, temporary=True)
    for name, signal in playbook.signals.person.items():
        match signal.measure:
            case SameDomainPeople():
                rows = join_on(rows, same_domain_counts(rows, asks[name]), [*ACCOUNT, "domain"])
            case Abandoned() as measure:
                rows = join_on(rows, completed_starts(rows, usage, measure, asks[name]), PAIR)
            case _:
                pass
    return rows


def _features(warehouse: Warehouse, playbook: Playbook, asks: dict[str, Ask]) -> ir.Table:
    signals = playbook.signals.person.items()
    wanted = {name: (s.measure, asks[name]) for name, s in signals if isinstance(s.measure, Distinct)}
    rows = _placed_days(warehouse, "person_feature_days")
    if not wanted:
        return rows.select(*PAIR).distinct()
    return distinct_features(rows, wanted)


def _people(warehouse: Warehouse, playbook: Playbook) -> ir.Table:
    people = warehouse.table("people")
    named = people.select(
        "person_id",
        "email",
        "name",
        "title",
        "seniority",
        "created_at",
        department=people.department.strip().nullif(""),
        is_executive=is_executive(people, playbook),
        is_buyer=is_buyer(people, playbook),
    )
    return join_on(named, warehouse.table("person_domains"), ["person_id"])


def _with_values(
    rows: ir.Table, playbook: Playbook, blind: frozenset[str], measures: Mapping[str, Measure]
) -> ir.Table:
    asks = _asks(playbook)
    values = {
        f"v_{name}": ibis.null("float64") if name in blind else value(measure, asks[name], rows).cast("float64")
        for name, measure in measures.items()
    }
    return rows.mutate(**values)


def _account_rows(warehouse: Warehouse, playbook: Playbook, blind: frozenset[str]) -> ir.Table:
    """Everything an account signal can read, one row per account, and the values."""
    asks, signals = _asks(playbook), playbook.signals.account
    pairs = warehouse.table("person_values")
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
    days, calendar = warehouse.table("person_days"), warehouse.table("calendar")
    inside = calendar.filter(calendar.age < wanted.window)
    used = days.filter(days.workspace_id != "").select("day", "workspace_id").inner_join(inside, "day")
    rows = warehouse.table("workspaces").cross_join(warehouse.table("as_ofs"))
    start = rows.cutoff - ibis.interval(days=wanted.window)
    created = rows.filter((rows.created_at >= start) & (rows.created_at < rows.cutoff))
    both = used.select("as_of", "workspace_id").union(created.select("as_of", "workspace_id"), distinct=True)
    placed = both.inner_join(warehouse.table("workspace_accounts"), ["as_of", "workspace_id"])
    counted = placed.group_by(ACCOUNT).agg(n=placed.workspace_id.nunique())
    return counted.rename({wanted.column: "n"})
