"""Which triggers' conditions hold for whom: set work in the engine, whose result is compared with what held before.

Reads what the path leaves (of several days, the last): `as_ofs`, `calendar`, `pairs`, `pair_places`, `scored_people`, `scored_accounts`
and the roll-ups. Leaves the temporary table `conditions`: trigger, account_id, person_id (empty for a whole account),
value (what the reason says), at (when it was asked for last, where each time counts anew).
"""

from __future__ import annotations

from functools import singledispatch

import ibis
import ibis.expr.types as ir

from handraise.handoffs.latest import latest
from handraise.playbook.handoffs import Handoffs
from handraise.playbook.triggers import (
    Asked,
    Condition,
    Growth,
    IcpTeam,
    InBand,
    Lead,
    LonePerson,
    NewPeople,
    OfSignal,
    Qualified,
    Without,
)
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import FALSE, all_of

SCHEMA = ibis.schema(
    {"trigger": "string", "account_id": "string", "person_id": "string", "value": "float64", "at": "timestamp(6)"}
)
_NEVER = ibis.null("timestamp(6)")
_WHOLE_ACCOUNT = ibis.literal("")
_ACTIVE_WINDOW = 30


def make_conditions(warehouse: Warehouse, handoffs: Handoffs, bands: tuple[tuple[str, int | None], ...]) -> ir.Table:
    """The table `conditions`; `bands` are names and lower bounds, best first."""
    parts = []
    for name, trigger in handoffs.triggers.items():
        rows = holds(trigger.when, warehouse, bands)
        parts.append(
            rows.select(trigger=ibis.literal(name), **{c: rows[c].cast(SCHEMA[c]) for c in SCHEMA if c != "trigger"})
        )
    if not parts:
        return warehouse.create("conditions", SCHEMA, temporary=True)
    return warehouse.create("conditions", ibis.union(*parts) if len(parts) > 1 else parts[0], temporary=True)


@singledispatch
def holds(condition: Condition, warehouse: Warehouse, bands: tuple[tuple[str, int | None], ...]) -> ir.Table:
    """account_id, person_id, value and at of everybody for whom a condition holds."""
    raise NotImplementedError(type(condition).__name__)


@holds.register
def _(condition: Asked, warehouse: Warehouse, bands: object) -> ir.Table:
    del bands
    rows = _role_rows(warehouse, condition.role, condition.within)
    known = rows.filter(rows.known)
    return known.group_by(["account_id", "person_id"]).agg(value=known.n.sum(), at=known.role_last_at.max())


@holds.register
def _(condition: InBand, warehouse: Warehouse, bands: tuple[tuple[str, int | None], ...]) -> ir.Table:
    people, bound = latest(warehouse, "scored_people"), dict(bands)[condition.band]
    rows = people.filter(people.known if bound is None else people.known & (people.score >= bound))
    return rows.select("account_id", "person_id", value=rows.score, at=_NEVER)


@holds.register
def _(condition: OfSignal, warehouse: Warehouse, bands: object) -> ir.Table:
    del bands
    accounts = latest(warehouse, "scored_accounts")
    value = accounts[f"v_{condition.signal}"]
    return _accounts(accounts.mutate(value=value), value >= condition.at_least)


@holds.register
def _(condition: NewPeople, warehouse: Warehouse, bands: object) -> ir.Table:
    del bands
    pairs = latest(warehouse, "pairs").inner_join(warehouse.table("as_ofs"), "as_of")
    came = ibis.least(pairs.first_at.fill_null(pairs.placed_at), pairs.placed_at.fill_null(pairs.first_at))
    fresh = pairs.filter(pairs.known & (came >= pairs.cutoff - ibis.interval(days=condition.within)))
    counted = fresh.group_by("account_id").agg(value=fresh.person_id.nunique())
    return _accounts(counted, counted.value >= condition.people)


@holds.register
def _(condition: Without, warehouse: Warehouse, bands: object) -> ir.Table:
    del bands
    rows = _role_rows(warehouse, condition.role, condition.within)
    counted = rows.filter(rows.known).group_by(["account_id", "person_id"]).agg(value=lambda t: t.n.sum())
    done = _role_rows(warehouse, condition.completed, condition.within).select("account_id").distinct()
    left = counted.filter(counted.value >= condition.times).anti_join(done, "account_id")
    return left.select("account_id", "person_id", "value", at=_NEVER)


@holds.register
def _(condition: IcpTeam, warehouse: Warehouse, bands: object) -> ir.Table:
    del bands
    accounts = latest(warehouse, "scored_accounts")
    enough = accounts.team_departments >= condition.departments
    return _accounts(accounts.mutate(value=accounts.team_departments), accounts.icp_match.fill_null(FALSE) & enough)


@holds.register
def _(condition: LonePerson, warehouse: Warehouse, bands: object) -> ir.Table:
    del bands
    days = _day_rows(warehouse, _ACTIVE_WINDOW).filter(lambda t: t.known & (t.n_active > 0))
    shares = days.group_by(["account_id", "person_id"]).agg(value=days.age.nunique() / _ACTIVE_WINDOW)
    accounts = latest(warehouse, "scored_accounts")
    alone = accounts.filter(accounts.target.fill_null(FALSE) & (accounts.team_people == 1)).select("account_id")
    found = shares.filter(shares.value > condition.share).semi_join(alone, "account_id")
    return found.select("account_id", "person_id", "value", at=_NEVER)


@holds.register
def _(condition: Growth, warehouse: Warehouse, bands: object) -> ir.Table:
    del bands
    days = _day_rows(warehouse, condition.days)
    weeks = {f"week_{n}": days.n_active.sum(where=days.age // 7 == n) for n in range(condition.weeks + 1)}
    counted = days.group_by("account_id").agg(**weeks)
    rising = [counted[f"week_{n}"].fill_null(0) > counted[f"week_{n + 1}"].fill_null(0) for n in range(condition.weeks)]
    return _accounts(counted.mutate(value=ibis.literal(condition.weeks)), all_of(*rising))


@holds.register
def _(condition: Qualified, warehouse: Warehouse, bands: object) -> ir.Table:
    del condition, bands
    accounts = latest(warehouse, "scored_accounts")
    return _accounts(accounts.mutate(value=accounts.score), accounts.is_pqa)


@holds.register
def _(condition: Lead, warehouse: Warehouse, bands: object) -> ir.Table:
    del bands
    leads = warehouse.table("lead_accounts").cross_join(latest(warehouse, "as_ofs"))
    recent = leads.filter(
        (leads["at"] < leads.known_until) & (leads["at"] >= leads.cutoff - ibis.interval(days=condition.within))
    )
    counted = recent.group_by("account_id").agg(value=recent.count(), at=recent["at"].max())
    return counted.select("account_id", "value", "at", person_id=_WHOLE_ACCOUNT)


def _accounts(rows: ir.Table, wanted: ir.BooleanValue) -> ir.Table:
    return rows.filter(wanted).select("account_id", "value", person_id=_WHOLE_ACCOUNT, at=_NEVER)


def _day_rows(warehouse: Warehouse, days: int) -> ir.Table:
    return _placed(warehouse, warehouse.table("person_days"), days)


def _role_rows(warehouse: Warehouse, role: str, days: int) -> ir.Table:
    rows = warehouse.table("person_role_days")
    return _placed(warehouse, rows.filter(rows.role == role), days)


def _placed(warehouse: Warehouse, rows: ir.Table, days: int) -> ir.Table:
    """Roll-up rows of so many days before as-of, with the person and account that they count for, and their age."""
    calendar, places, pairs = (latest(warehouse, name) for name in ("calendar", "pair_places", "pairs"))
    inside = calendar.filter(calendar.age < days)
    counted = pairs.select("pair", "person_id", "account_id", "known")
    return rows.inner_join(inside, "day").inner_join(places, ["as_of", "who"]).inner_join(counted, "pair")
