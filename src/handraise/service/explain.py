"""Why does somebody have this score: the receipt, its evidence, what changed, and what would change it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from handraise.errors import NotFoundError
from handraise.playbook.measures import Abandoned, Count, Distinct, PeopleWith, Sum, TimeToActivation
from handraise.playbook.plan import RollupPlan, count_role, plan_rollups
from handraise.playbook.schema import Playbook, Signal
from handraise.playbook.section import Language
from handraise.records import Change, Evidence, Explanation, Link, ReceiptLine, Step
from handraise.rollups.person_days import WHO, with_keys
from handraise.rollups.roles import carries_role
from handraise.scores import history
from handraise.scores.pql import firmographic_signals
from handraise.service.known_values import values_of
from handraise.service.lists import Choice, list_people, receipt_line
from handraise.service.project import Project, check_as_of, ensure_scored
from handraise.service.receipts import receipt_of
from handraise.service.refresh import score_as_of
from handraise.warehouse.functions import join_on

EVIDENCE_PER_SIGNAL = 3
# Nobody is asked to give up an upgrade, and a first activation does not happen again.
_NOT_A_GOAL = (Abandoned, TimeToActivation)
STEPS_SHOWN = 4


def explain(
    project: Project, entity_id: str, *, as_of: date | None, against: date | None, now: datetime, language: Language
) -> list[Explanation]:
    """Every receipt of an id: an account's, or a person's in each account.

    Raises:
        NotFoundError: No person or account has this id at as-of; names the nearest ids.
        AsOfError: A day lies in the future.
    """
    if against:
        check_as_of(against, now)
    then = _points_then(project, entity_id, against, now) if against else {}
    day = ensure_scored(project, as_of, now)
    rows = _scored_rows(project, entity_id)
    lines = _lines(project, rows, language)
    found = [_explanation(project, row, lines, day, against, then) for row in rows]
    if not found:
        raise NotFoundError(
            f"no person or account has the id {entity_id!r} as of {day}.", todo=nearest_ids(project, entity_id)
        )
    return found


def explain_person(
    project: Project, person_id: str, account_id: str, *, day: date, language: Language
) -> tuple[list[ReceiptLine], tuple[Evidence, ...]]:
    """Receipt and evidence of one person in one account; nothing if they are not there. Call `ensure_scored` first."""
    people = project.warehouse.table("scored_people")
    theirs = people.filter((people.person_id == person_id) & (people.account_id == account_id))
    rows = project.warehouse.rows(project.warehouse.create("explained_people", theirs, temporary=True)).to_pylist()
    if not rows:
        return [], ()
    lines = [receipt_line(row) for row in receipt_of(project, "person", "explained_people", language)]
    return lines, _evidence(project, rows[0], day)


def _scored_rows(project: Project, entity_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Rows of an id, which stay in `explained_people` and `explained_accounts`."""
    warehouse = project.warehouse
    people, accounts = warehouse.table("scored_people"), warehouse.table("scored_accounts")
    people = warehouse.create("explained_people", people.filter(people.person_id == entity_id), temporary=True)
    named = join_on(people, warehouse.table("people").select("person_id", "name"), ["person_id"])
    own = warehouse.rows(named.order_by("account_id")).to_pylist()
    found = accounts.filter(accounts.account_id == entity_id)
    theirs = warehouse.rows(warehouse.create("explained_accounts", found, temporary=True)).to_pylist()
    return [("account", row) for row in theirs] + [("person", row) for row in own]


def nearest_ids(project: Project, entity_id: str) -> str:
    """Which ids somebody may have meant, in words; call `ensure_scored` first."""
    people, accounts = project.warehouse.table("scored_people"), project.warehouse.table("scored_accounts")
    ids = people.select(id=people.person_id).union(accounts.select(id=accounts.account_id), distinct=True)
    alike = ids.filter(ids.id.lower().contains(entity_id.lower()[:4])).limit(2000)
    close = difflib.get_close_matches(entity_id, project.warehouse.rows(alike)[0].to_pylist(), n=3, cutoff=0.5)
    return f"Did you mean {', '.join(close)}?" if close else "`handraise accounts` and `handraise people` list ids."


def _lines(
    project: Project, scored: list[tuple[str, dict[str, Any]]], language: Language
) -> dict[tuple[str, str], list[ReceiptLine]]:
    found: dict[tuple[str, str], list[ReceiptLine]] = {}
    entities = {entity for entity, _ in scored}
    rows = receipt_of(project, "person", "explained_people", language) if "person" in entities else []
    if "account" in entities:
        rows += receipt_of(project, "account", "explained_accounts", language)
    for row in rows:
        found.setdefault((row["entity"], row["account_id"]), []).append(receipt_line(row))
    return found


def _explanation(
    project: Project,
    scored: tuple[str, dict[str, Any]],
    lines: dict[tuple[str, str], list[ReceiptLine]],
    day: date,
    against: date | None,
    then: dict[tuple[str, str], dict[str, int]],
) -> Explanation:
    entity, row = scored
    playbook = project.loaded.playbook
    is_person = entity == "person"
    mine = sorted(
        lines.get((entity, row["account_id"]), []),
        key=lambda line: (line.points is None, -(line.points or 0), line.signal),
    )
    before = then.get((entity, row["account_id"]))
    return Explanation(
        entity=entity,
        id=row["person_id"] if is_person else row["account_id"],
        account_id=row["account_id"],
        name=row["name"],
        as_of=day,
        playbook_hash=row["playbook"],
        score=row["score"],
        label=row["band"] if is_person else str(row["tier"]),
        lines=tuple(mine),
        against=against,
        score_then=sum(before.values()) if before is not None else None,
        changes=changes_between(before or {}, mine) if against else (),
        next_label=_next_band(playbook, row["score"]) if is_person else None,
        steps=_steps(playbook, entity, row),
        evidence=_evidence(project, row, day) if is_person else (),
        links=_person_links(project, row) if is_person else _account_links(project, row["account_id"]),
        people=() if is_person else tuple(list_people(project, Choice(account_id=row["account_id"], limit=8))),
        known=values_of(
            project, "person" if is_person else "company", row["person_id" if is_person else "account_id"], day
        ),
    )


def changes_between(before: dict[str, int], lines: Sequence[ReceiptLine]) -> tuple[Change, ...]:
    """Signals whose points differ from those before."""
    now = {line.signal: line.points or 0 for line in lines}
    names = [*now, *(name for name in before if name not in now)]
    changes = [Change(signal=name, then=before.get(name, 0), now=now.get(name, 0)) for name in names]
    return tuple(c for c in changes if c.then != c.now)


def _points_then(project: Project, entity_id: str, day: date, now: datetime) -> dict[tuple[str, str], dict[str, int]]:
    """(entity, account) → signal → points on an earlier day: from history if it has the day, else scored anew."""
    if not _history_has(project, day):
        score_as_of(project.warehouse, project.loaded, [day], now=now)
        return _points_scored(project, entity_id)
    warehouse = project.warehouse
    people = history.state_at(warehouse.table("person_history"), history.PERSON_KEY, day)
    accounts = history.state_at(warehouse.table("account_history"), history.ACCOUNT_KEY, day)
    found = {}
    for row in warehouse.rows(people.filter(people.person_id == entity_id)).to_pylist():
        found["person", str(row["account_id"])] = history.read_points(row["points"])
    for row in warehouse.rows(accounts.filter(accounts.account_id == entity_id)).to_pylist():
        found["account", str(row["account_id"])] = history.read_points(row["points"])
    return found


def _history_has(project: Project, day: date) -> bool:
    kept = project.warehouse.table("snapshots")
    mine = kept.filter((kept.as_of == ibis.date(day.isoformat())) & (kept.playbook == project.loaded.content_hash))
    return project.warehouse.count(mine) > 0


def _points_scored(project: Project, entity_id: str) -> dict[tuple[str, str], dict[str, int]]:
    found = {}
    for entity, row in _scored_rows(project, entity_id):
        points = {name[2:]: int(value) for name, value in row.items() if name.startswith("p_") and value}
        if entity == "account" and row["people_points"]:
            points["people"] = row["people_points"]
        found[entity, str(row["account_id"])] = points
    return found


def _next_band(playbook: Playbook, score: int) -> tuple[str, int] | None:
    better = [band for band in playbook.bands if band.at_least is not None and band.at_least > score]
    return (better[-1].name, better[-1].at_least or 0) if better else None


def _steps(playbook: Playbook, entity: str, row: dict[str, Any]) -> tuple[Step, ...]:
    fit = firmographic_signals(playbook)
    signals: dict[str, Signal] = {**playbook.signals.person} if entity == "person" else {**playbook.signals.account}
    steps = [
        _next_rung(name, signal, row[f"v_{name}"], row[f"p_{name}"])
        for name, signal in signals.items()
        if name not in fit and row[f"p_{name}"] is not None and not isinstance(signal.measure, _NOT_A_GOAL)
    ]
    gains = sorted((step for step in steps if step), key=lambda step: (-step.gain, step.signal))
    return tuple(gains[:STEPS_SHOWN])


def _next_rung(name: str, signal: Signal, value: float | None, points: int) -> Step | None:
    better = [rung for rung in reversed(signal.ladder) if rung.points > points]
    if better:
        return Step(signal=name, rung=better[0].label, value=value, gain=better[0].points - points)
    if points < 0:
        return Step(signal=name, rung="no longer true", value=value, gain=-points)
    return None


def _evidence(project: Project, row: dict[str, Any], day: date) -> tuple[Evidence, ...]:
    """The latest events in the window of each signal that counts events and gave points."""
    plan = plan_rollups(project.loaded.playbook)
    mine = project.warehouse.create("their_events", _events_of(project, row, day), temporary=True)
    found: list[Evidence] = []
    for name, signal in project.loaded.playbook.signals.person.items():
        roles = _roles(signal)
        if row[f"p_{name}"] and roles:
            found += _latest(project, mine, name, signal, roles, plan, day)
    return tuple(found)


def _roles(signal: Signal) -> tuple[str, ...]:
    match signal.measure:
        case Count() as measure:
            return (count_role(measure),)
        case Sum(role=role) | PeopleWith(role=role):
            return (role,)
        case Distinct(roles=roles):
            return roles
        case Abandoned(started=role) | TimeToActivation(activation=role):
            return (role,)
        case _:
            return ()


def _events_of(project: Project, row: dict[str, Any], day: date) -> ir.Table:
    events, places = project.warehouse.table("events"), project.warehouse.table("places")
    mine = places.filter((places.person_id == row["person_id"]) & (places.account_id == row["account_id"]))
    mine = mine.select("who").inner_join(project.warehouse.table("person_firsts").select("who", *WHO), "who")
    past = with_keys(events.filter(events.timestamp < ibis.timestamp(day.isoformat())))
    return past.semi_join(mine, list(WHO))


def _latest(  # noqa: PLR0913, PLR0917
    project: Project, events: ir.Table, name: str, signal: Signal, roles: tuple[str, ...], plan: RollupPlan, day: date
) -> list[Evidence]:
    patterns = tuple(pattern for role in roles for pattern in plan.roles[role])
    hits = events.filter(carries_role(events, patterns))
    if isinstance(signal.window, int):
        start = day - timedelta(days=signal.window)
        hits = hits.filter(hits.timestamp >= ibis.timestamp(start.isoformat()))
    latest = hits.order_by(hits.timestamp.desc(), hits.event_id).limit(EVIDENCE_PER_SIGNAL)
    rows = project.warehouse.rows(latest.select("name", "timestamp", "event_id")).to_pylist()
    return [
        Evidence(signal=name, name=r["name"], at=f"{r['timestamp']:%Y-%m-%d %H:%M}Z", event_id=r["event_id"])
        for r in rows
    ]


def _person_links(project: Project, row: dict[str, Any]) -> tuple[Link, ...]:
    return (
        *_links_from(project, row, "identity_links", "anonymous_id", "linked_at", "an event carried both ids first at"),
        *_links_from(project, row, "aliases", "alias_id", "at", "an alias said so at"),
    )


def _links_from(project: Project, row: dict[str, Any], table: str, own: str, at: str, said: str) -> tuple[Link, ...]:
    links = project.warehouse.table(table)
    mine = links.filter((links.person_id == row["person_id"]) & (links[own] != row["person_id"]))
    kind = "anonymous" if table == "identity_links" else "id"
    return tuple(
        Link(what=f"{kind} {link[own]}", to=row["person_id"], because=f"{said} {link[at]:%Y-%m-%d %H:%M}Z")
        for link in project.warehouse.rows(mine.order_by(at, own).limit(10)).to_pylist()
    )


def _account_links(project: Project, account_id: str) -> tuple[Link, ...]:
    mapped = project.warehouse.table("workspace_accounts")
    mine = mapped.filter(mapped.account_id == account_id).order_by("workspace_id").limit(50)
    return tuple(
        Link(what=f"workspace {row['workspace_id']}", to=account_id, because=_why(row))
        for row in project.warehouse.rows(mine).to_pylist()
    )


def _why(row: dict[str, Any]) -> str:
    match row["rule"]:
        case "mapping":
            return "the workspaces file says so"
        case "domain":
            return f"{row['people']} of {row['of_people']} people with a work e-mail are @{row['domain']}"
        case _:
            return "no mapping and no common work domain: it stands for itself"
