"""The reference scorer: account signals, scores, tiers (section 5 of the domain rules).

`score` answers for one T from a folder of canonical CSV files, with the default template.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from fractions import Fraction
from pathlib import Path
from typing import Any

from .facts import Event, Pair, World, world_before
from .person_signals import (
    BLIND,
    FIRMOGRAPHIC,
    PERSON_SIGNALS,
    UNKNOWN,
    Measured,
    Value,
    flag,
    ladder,
    of_role,
    recent,
)

SENIOR = frozenset({"founder", "owner", "c level", "executive", "president", "vp", "director", "head"})
TITLE_WORDS = frozenset(
    ("chief", "ceo", "cto", "cfo", "coo", "cio", "ciso", "cmo", "cpo", "cro", "founder", "president", "vp", "director")
)
TITLE_PHRASES = ("vice president", "head of")


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Rows as exported, and the raw value by (entity, id, account_id, signal)."""

    people: list[dict[str, Any]]
    accounts: list[dict[str, Any]]
    values: dict[tuple[str, str, str, str], Value]


def active_people(world: World, account: str) -> Measured:
    """People active in 30 days."""
    value = len(world.active_30[account])
    return Measured(value, ladder(value, (3, 10), (7, 25), (15, 40)))


def departments(world: World, account: str) -> Measured:
    """Distinct departments of the people active in 30 days."""
    if not world.has("people", "department"):
        return BLIND
    rows = [world.people[p] for p in world.active_30[account] if p in world.people]
    value = len({row.department for row in rows} - {""})
    return Measured(value, ladder(value, (2, 20), (3, 30)))


def people_growth(world: World, account: str) -> Measured:
    """Growth of active people over the 30 days before; says nothing from fewer than 3."""
    earlier = [e for e in recent(world, world.by_account[account], 60) if e.at < world.ago(30)]
    before = len({event.person for event in earlier if event.active})
    if before < 3:
        return UNKNOWN
    growth = Fraction(len(world.active_30[account]), before) - 1
    points = ladder(growth, (Fraction(1, 4), 15), (Fraction(1, 2), 25))
    return Measured(float(growth), points)


def is_executive(title: str, seniority: str) -> bool:
    """Apply the executive rule: a senior level, or a telling word or phrase in the title."""
    level = " ".join(re.sub(r"[-_]", " ", seniority.lower()).split())
    words = re.findall(r"[^\W_]+", title.lower())
    spaced = f" {' '.join(words)} "
    telling = any(f" {phrase} " in spaced for phrase in TITLE_PHRASES)
    return level in SENIOR or bool(TITLE_WORDS & set(words)) or telling


def executive_present(world: World, account: str) -> Measured:
    """Whether somebody active in 30 days is an executive."""
    if not world.has("people", "title") and not world.has("people", "seniority"):
        return BLIND
    rows = [world.people[p] for p in world.active_30[account] if p in world.people]
    found = any(is_executive(row.title, row.seniority) for row in rows)
    return flag(holds=found, points=10)


def workspaces(world: World, account: str) -> Measured:
    """Workspaces created, or with any event, in 90 days."""
    if not world.has("workspaces") and not world.has("events", "workspace_id"):
        return BLIND
    events = recent(world, world.by_account[account], 90)
    found = {event.workspace for event in events if event.workspace}
    for row in world.workspaces.values():
        here = world.account_of_workspace[row.workspace_id] == account
        if here and row.created_at and world.ago(90) <= row.created_at < world.now:
            found.add(row.workspace_id)
    return Measured(len(found), ladder(len(found), (2, 15)))


def first_events(world: World, account: str) -> list[datetime]:
    """Give for each person of the account the time of their first event there."""
    first: dict[str, datetime] = {}
    for event in world.by_account[account]:
        first[event.person] = min(event.at, first.get(event.person, event.at))
    return list(first.values())


def velocity_jump(world: World, account: str) -> Measured:
    """At least 5 newcomers in week 0, and 3 times the weekly mean of weeks 1 to 4."""
    firsts = first_events(world, account)
    new = len([at for at in firsts if at >= world.ago(7)])
    usual = len([at for at in firsts if world.ago(35) <= at < world.ago(7)])
    mean = max(Fraction(1), Fraction(usual, 4))
    return flag(holds=new >= 5 and new >= 3 * mean, points=25)


def volume(world: World, account: str) -> Measured:
    """Events of the model's value metric in 30 days against its threshold."""
    if world.volume is None:
        return BLIND
    name, threshold = world.volume
    value = len(of_role(recent(world, world.by_account[account]), name))
    return Measured(value, ladder(value, (threshold, 15)))


def admin_change(world: World, account: str) -> Measured:
    """Administrative changes in 30 days."""
    value = len(of_role(recent(world, world.by_account[account]), "admin_change"))
    return Measured(value, ladder(value, (1, 20)))


def legal_view(world: World, account: str) -> Measured:
    """Identified people who viewed a legal page in 30 days."""
    views: list[Event] = of_role(recent(world, world.by_account[account]), "legal_view")
    value = len({event.person for event in views if event.identified})
    return Measured(value, ladder(value, (1, 20)))


def near_limit(world: World, account: str) -> Measured:
    """At least 10 active people, and some metric's latest use at 80 % of its quota."""
    if not world.has("limits"):
        return BLIND
    latest: dict[tuple[str, str], tuple[datetime, float]] = {}
    for row in world.limits_of[account]:
        if row.measured_at >= world.now:
            continue
        key = (row.workspace_id, row.metric)
        reading = (row.measured_at, row.used / row.quota if row.quota > 0 else 0.0)
        latest[key] = max(reading, latest.get(key, reading))
    close = any(ratio >= 0.8 for _, ratio in latest.values())
    return flag(holds=close and len(world.active_30[account]) >= 10, points=20)


ACCOUNT_SIGNALS: tuple[Callable[[World, str], Measured], ...] = (
    active_people,
    departments,
    people_growth,
    executive_present,
    workspaces,
    velocity_jump,
    volume,
    admin_change,
    legal_view,
    near_limit,
)


def band(points: int) -> str:
    """Name the band of a person's score."""
    if points >= 80:
        return "hot"
    if points >= 50:
        return "warm"
    return "emerging" if points >= 30 else "none"


def segment(world: World, account: str) -> str:
    """Name the segment by employees; unknown goes by active people as a proxy."""
    row = world.accounts.get(account)
    size = row.employees if row and row.employees else len(world.active_30[account])
    if size >= 500:
        return "enterprise"
    return "mid_market" if size >= 50 else "smb"


def tier(points: int, people: int, teams: int, *, icp: bool) -> int:
    """Test the tiers from the top; 4 is everything else."""
    if people >= 10 and teams >= 2 and icp and points > 150:
        return 1
    if people >= 5 and points >= 80:
        return 2
    return 3 if people >= 2 and points >= 40 else 4


def points_of(measured: dict[str, Measured], *names: str) -> int:
    """Sum the points of the named signals (all when none is named); blind counts 0."""
    return sum(measured[name].points or 0 for name in names or measured)


def score_person(world: World, pair: Pair, measured: dict[str, Measured]) -> dict[str, Any]:
    """Give the exported row of one person in one account."""
    total = points_of(measured)
    return {
        "person_id": pair[0],
        "account_id": pair[1],
        "as_of": world.now.date().isoformat(),
        "score": total,
        "band": band(total),
        "behaviour_points": total - points_of(measured, *FIRMOGRAPHIC),
        **{name: result.points for name, result in measured.items()},
    }


def firmographics_of(world: World, account: str) -> dict[str, Measured]:
    """Measure the three firmographic signals for the account itself."""
    signals = {signal.__name__: signal for signal in PERSON_SIGNALS}
    return {name: signals[name](world, ("", account)) for name in FIRMOGRAPHIC}


def score_account(world: World, account: str, measured: dict[str, Measured], people: int, fit: int) -> dict[str, Any]:
    """Give the exported row of one account from its people's points and its own."""
    total = people + points_of(measured) + fit
    active = len(world.active_30[account])
    row = world.accounts.get(account)
    icp = world.has("accounts", "icp") and row is not None and bool(row.icp)
    level = tier(total, active, int(measured["departments"].value or 0), icp=icp)
    points = {name: result.points for name, result in measured.items()}
    # The export names the head count like the signal; the signal's points get their own name.
    points["active_people_points"] = points.pop("active_people")
    return {
        "account_id": account,
        "as_of": world.now.date().isoformat(),
        "score": total,
        "tier": level,
        "segment": segment(world, account),
        "is_pqa": level <= 2,
        "active_people": active,
        "people_points": people,
        "firmographic_points": fit,
        **points,
    }


def people_points(people: list[dict[str, Any]], counted: str, floor: int | None) -> dict[str, int]:
    """Sum the counted column of the people of each account, nobody counting below the floor."""
    sums: dict[str, int] = {}
    for row in people:
        points = row[counted] if floor is None else max(floor, row[counted])
        sums[row["account_id"]] = sums.get(row["account_id"], 0) + points
    return sums


def existing_accounts(world: World) -> list[str]:
    """Name the accounts that exist at T: with a pair, or a row created before T or undated."""
    rows = world.accounts.values()
    known = {r.account_id for r in rows if not r.created_at or r.created_at < world.now}
    return sorted(known | {account for _, account in world.pairs})


def score(
    folder: Path,
    as_of: date,
    *,
    firmographics: str = "once",
    floor: int | None = 0,
    industries: frozenset[str] = frozenset(),
    volume: tuple[str, int] | None = None,
) -> Scored:
    """Score every person-account pair and every account as of the start of a UTC day."""
    world = world_before(folder, datetime.combine(as_of, time(), UTC))
    world.industries, world.volume = industries, volume
    values: dict[tuple[str, str, str, str], Value] = {}
    people: list[dict[str, Any]] = []
    for pair in sorted(world.pairs):
        measured = {signal.__name__: signal(world, pair) for signal in PERSON_SIGNALS}
        people.append(score_person(world, pair, measured))
        values |= {("person", *pair, name): m.value for name, m in measured.items()}
    once = firmographics == "once"
    sums = people_points(people, "behaviour_points" if once else "score", floor)
    accounts: list[dict[str, Any]] = []
    for account in existing_accounts(world):
        fits = firmographics_of(world, account)
        # The source's formula names the account's own fit as a term of its own, whatever the people bring.
        fit = points_of(fits)
        own = {signal.__name__: signal(world, account) for signal in ACCOUNT_SIGNALS}
        accounts.append(score_account(world, account, own, sums.get(account, 0), fit))
        values |= {("account", account, account, name): m.value for name, m in own.items()}
    return Scored(people=people, accounts=accounts, values=values)
