"""One account as the engine has it: its usage, its people, its plans, limits and contacts, read in one go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from handraise.handoffs.account_rows import WEEKS, WINDOW, make_account_rows
from handraise.handoffs.forecast import Measurement
from handraise.playbook.plan import patterns_of
from handraise.records.brief import FeatureUse, PlanNow, RoleUse, Touch, Trend, Usage, WeekOfUse
from handraise.rollups.person_days import WHO, with_keys
from handraise.rollups.roles import carries_role
from handraise.service.project import Project
from handraise.signals.blind import input_columns

# A change of a tenth is as usual.
_STEADY = 0.1
_CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class AccountData:
    """What the engine knows of an account.

    Attributes:
        usage: What it does with the product.
        people: Rows of the people map: who they are, their parts, their score, and when they signed up.
        plans: Subscriptions that run; None = nothing is known about subscriptions.
        measurements: Of its limits.
        touches: Contacts, the latest first.
        touched: Rows of the contacts that caps count: with the account, and in any account with those on the map.
        leads: Sources of marketing's leads, the latest first.
    """

    usage: Usage
    people: list[dict[str, Any]]
    plans: tuple[PlanNow, ...] | None
    measurements: tuple[Measurement, ...]
    touches: tuple[Touch, ...]
    touched: list[dict[str, Any]]
    leads: tuple[str, ...]


def read_account(
    project: Project, account_id: str, *, as_of: date, now: datetime, domain: str | None, named: Iterable[str]
) -> AccountData:
    """Everything about one account; call `ensure_scored` first.

    Args:
        project: An open project.
        account_id: The account.
        as_of: The day that was scored.
        now: What happened later does not count.
        domain: Of the company; None = unknown.
        named: People who are on the map in any case.
    """
    warehouse, playbook = project.warehouse, project.loaded.playbook
    cutoff = min(datetime.combine(as_of, time(), UTC), now.astimezone(UTC)).replace(tzinfo=None)
    _hold(project, account_id, as_of, cutoff, domain)
    warehouse.hold("brief_named", pa.table({"person_id": pa.array(sorted(set(named)), pa.string())}))
    key = f"{project.loaded.handoffs_hash}"
    warehouse.once_built(f"brief admins {key}", lambda: _find_admins(project))
    warehouse.once_built(f"brief {key}", lambda: make_account_rows(warehouse, playbook.handoffs.admins))
    read = {name: warehouse.whole(f"brief_{name}").to_pylist() for name in _READ}
    known = "subscriptions" in input_columns(warehouse)
    return AccountData(
        usage=_usage(read, as_of),
        people=sorted(read["people"], key=lambda row: (not row["champion"], -row["score"], row["person_id"])),
        plans=tuple(map(_plan, sorted(read["plans"], key=_plan_turn))) if known else None,
        measurements=tuple(map(_measurement, sorted(read["limits"], key=_meter_turn))),
        touches=tuple(
            sorted(map(_touch, read["touches"]), key=lambda one: (one.at, one.person_id or ""), reverse=True)
        ),
        touched=read["touched"],
        leads=tuple(row["source"] or "" for row in sorted(read["leads"], key=lambda row: row["at"], reverse=True)),
    )


_READ = (
    "totals",
    "weeks",
    "departments",
    "features",
    "deeds",
    "people",
    "plans",
    "limits",
    "touches",
    "touched",
    "leads",
)


def _hold(project: Project, account_id: str, as_of: date, cutoff: datetime, domain: str | None) -> None:
    schema = pa.schema(
        [
            ("account_id", pa.string()),
            ("as_of", pa.date32()),
            ("cutoff", pa.timestamp("us")),
            ("since", pa.timestamp("us")),
            ("domain", pa.string()),
        ]
    )
    row = {
        "account_id": account_id,
        "as_of": as_of,
        "cutoff": cutoff,
        "since": datetime.combine(as_of, time()) - timedelta(days=WINDOW),
        "domain": domain and domain.lower(),
    }
    project.warehouse.hold("briefed", pa.Table.from_pylist([row], schema=schema))
    days = [as_of - timedelta(days=age + 1) for age in range(7 * WEEKS)]
    ages = list(range(len(days)))
    calendar = {
        "day": pa.array(days, pa.date32()),
        "age": pa.array(ages, pa.int64()),
        "week": pa.array([age // 7 for age in ages], pa.int64()),
    }
    project.warehouse.hold("brief_calendar", pa.table(calendar))


def _find_admins(project: Project) -> None:
    """`brief_admins`: people of the account who ever did something that only admins do."""
    warehouse, playbook = project.warehouse, project.loaded.playbook
    patterns = tuple(pattern for role in playbook.handoffs.admins.roles for pattern in patterns_of(playbook, role))
    events, briefed = warehouse.table("events"), warehouse.table("briefed")
    did = with_keys(events.filter(carries_role(events, patterns)))
    places = warehouse.table("places").semi_join(briefed, ["as_of", "account_id"]).select("who", "person_id", "as_of")
    whos = places.inner_join(warehouse.table("person_firsts").select("who", *WHO), "who")
    found = did.select(*WHO, "day").inner_join(whos, list(WHO))
    theirs = found.filter(found.day < found.as_of).select("person_id").distinct()
    warehouse.create("brief_admins", theirs, temporary=True)


def _usage(read: dict[str, list[dict[str, Any]]], as_of: date) -> Usage:
    [totals] = read["totals"]
    weeks = {row["week"]: row for row in read["weeks"]}
    told = tuple(
        WeekOfUse(
            ends=as_of - timedelta(days=7 * week + 1),
            people=weeks[week]["people"] if week in weeks else 0,
            events=weeks[week]["events"] if week in weeks else 0,
        )
        for week in reversed(range(WEEKS))
    )
    departments = sorted(read["departments"], key=lambda row: (-row["people"], row["department"]))
    features = sorted(read["features"], key=lambda row: (-row["people"], -row["days"], row["feature"]))
    deeds = sorted(read["deeds"], key=lambda row: (-row["times"], row["role"]))
    return Usage(
        window=WINDOW,
        active_people=totals["active_people"],
        people=totals["people"],
        new_people=totals["new_people"] or 0,
        departments=tuple(row["department"] for row in departments),
        last_active=totals["last_active"],
        features=tuple(FeatureUse(**row) for row in features),
        # Events that a signal counts by their own name have a made-up role.
        deeds=tuple(RoleUse(**row) for row in deeds if not row["role"].startswith("event_")),
        weeks=told,
        trend=trend_of([week.people for week in told]),
    )


def trend_of(people: list[int]) -> Trend:
    """Active people of the last two weeks against the two before; unknown while there was nobody before them."""
    now, before = sum(people[-2:]), sum(people[-4:-2])
    if not before:
        return "unknown"
    change = now / before - 1
    if abs(change) < _STEADY:
        return "steady"
    return "rising" if change > 0 else "falling"


def _plan_turn(row: dict[str, Any]) -> tuple[datetime, str]:
    return row["started_at"], row["plan"]


def _plan(row: dict[str, Any]) -> PlanNow:
    return PlanNow(
        plan=row["plan"],
        seats=row["seats"],
        per_month=None if row["mrr"] is None else Decimal(str(row["mrr"])).quantize(_CENT),
        since=row["started_at"].date(),
        channel=row["channel"],
    )


def _meter_turn(row: dict[str, Any]) -> tuple[str, str, datetime]:
    return row["metric"], row["workspace_id"] or "", row["measured_at"]


def _measurement(row: dict[str, Any]) -> Measurement:
    at = row["measured_at"].replace(tzinfo=UTC)
    return Measurement(
        metric=row["metric"], workspace_id=row["workspace_id"], used=row["used"], quota=row["quota"], at=at
    )


def _touch(row: dict[str, Any]) -> Touch:
    return Touch(**{**row, "at": row["at"].replace(tzinfo=UTC)})
