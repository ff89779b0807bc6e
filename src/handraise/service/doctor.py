"""What is there, what is missing, and what to do about it: the newcomer's check of a project."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.metadata import version

import ibis

from handraise.playbook.plan import patterns_of, plan_rollups
from handraise.records import Check
from handraise.rollups.roles import carries_role
from handraise.service.project import Project, blind_now, is_current, newest_day, scored_as_of, show_kept
from handraise.signals.blind import input_columns
from handraise.warehouse.tables import INPUTS

STALE_AFTER = timedelta(days=3)


def examine(project: Project, now: datetime) -> list[Check]:
    """All findings, in the order of the path."""
    return [
        *_versions(project),
        *_inputs(project),
        *_freshness(project, now),
        *_joins(project),
        *_roles(project),
        *_signals(project),
        *_scores(project),
    ]


def _versions(project: Project) -> Iterator[Check]:
    engine = project.warehouse.version()
    yield Check(state="good", what="version", found=f"handraise {version('handraise')}, engine {engine}")
    yield Check(state="good", what="playbook", found=f"{project.loaded.content_hash} ({project.loaded.path})")


def _inputs(project: Project) -> Iterator[Check]:
    columns, absent = input_columns(project.warehouse), []
    for name in INPUTS:
        rows = project.warehouse.count(project.warehouse.table(name))
        if rows:
            yield Check(
                state="good", what=f"input {name}", found=f"{rows:,} rows, columns: {', '.join(sorted(columns[name]))}"
            )
        elif name == "events":
            yield Check(state="problem", what="input events", found="none loaded", todo="Run `handraise load PATH…`.")
        else:
            absent.append(name)
    if absent:
        yield Check(
            state="missing",
            what="inputs not loaded",
            found=", ".join(absent),
            todo="Optional; each opens up more signals.",
        )
    aside = project.warehouse.count(project.warehouse.table("quarantine"))
    if aside:
        yield Check(
            state="problem", what="quarantine", found=f"{aside:,} rows", todo="Run `handraise quarantine` to see why."
        )


_NEWEST = {
    "people": "created_at",
    "workspaces": "created_at",
    "accounts": "created_at",
    "subscriptions": "started_at",
    "limits": "measured_at",
    "opportunities": "stage_at",
    **dict.fromkeys(("aliases", "touches", "leads", "nps", "prompts", "outcomes"), "at"),
}


def _freshness(project: Project, now: datetime) -> Iterator[Check]:
    for name, column in _NEWEST.items():
        rows = project.warehouse.table(name)
        latest = project.warehouse.rows(rows.agg(at=rows[column].max()))[0][0].as_py()
        if latest:
            yield Check(state="good", what=f"freshness of {name}", found=f"newest {column} on {latest.date()}")
    newest = newest_day(project)
    if newest is None:
        return
    old = now.date() - newest > STALE_AFTER
    todo = (
        f"Newer events are missing, or this is history: scores are made as of {newest + timedelta(days=1)}."
        if old
        else ""
    )
    yield Check(
        state="missing" if old else "good", what="freshness of events", found=f"newest event on {newest}", todo=todo
    )


def _joins(project: Project) -> Iterator[Check]:
    warehouse = project.warehouse
    events, people = warehouse.table("events"), warehouse.table("people")
    total = warehouse.count(events)
    if not total:
        return
    shares = {
        "events with a person": (events.filter(events.person_id.notnull()), "Send person_id once somebody signs in."),
        "events of people in the people file": (
            events.semi_join(people, "person_id"),
            "Load a people file whose person_id equals that of the events.",
        ),
        "events with a workspace": (
            events.filter(events.workspace_id.notnull()),
            "Without workspace_id, accounts come from e-mail domains only.",
        ),
    }
    for what, (rows, todo) in shares.items():
        share = warehouse.count(rows) / total
        low = share < 0.5  # noqa: PLR2004 - less than half joined is worth a word
        yield Check(state="missing" if low else "good", what=what, found=f"{share:.0%}", todo=todo if low else "")


def _roles(project: Project) -> Iterator[Check]:
    """Roles that signals use but no event carries: not an error, but often a mapping that is missing."""
    plan = plan_rollups(project.loaded.playbook)
    events = project.warehouse.table("events")
    counted = events.agg(**{role: events.count(where=carries_role(events, p)) for role, p in plan.roles.items()})
    found = project.warehouse.rows(counted).to_pylist()[0]
    never = sorted(role for role, count in found.items() if not count)
    if never:
        yield Check(
            state="missing",
            what="roles never seen",
            found=", ".join(never),
            todo="Map your event names to them under `roles` in the playbook, if the product has such events.",
        )
    # A role that is mapped and that no signal reads is no mistake, but its events give no points.
    playbook = project.loaded.playbook
    idle = {role: patterns_of(playbook, role) for role in playbook.roles if role not in plan.roles}
    if idle:
        counted = events.agg(**{role: events.count(where=carries_role(events, p)) for role, p in idle.items()})
        unread = {role: count for role, count in project.warehouse.rows(counted).to_pylist()[0].items() if count}
        if unread:
            yield Check(
                state="good",
                what="roles that no signal reads",
                found=", ".join(f"{role} ({count:,})" for role, count in sorted(unread.items())),
                todo="Their events give no points until a signal reads them.",
            )
    known = ibis.cases(*((carries_role(events, p), 1) for p in (*plan.roles.values(), *idle.values())), else_=0)
    others = events.filter(known == 0).group_by("name").agg(n=lambda t: t.count())
    top = project.warehouse.rows(others.order_by(others.n.desc(), others.name).limit(8)).to_pylist()
    if top:
        names = ", ".join(f"{row['name']} ({row['n']:,})" for row in top)
        yield Check(state="good", what="most frequent events without a role", found=names)


def _signals(project: Project) -> Iterator[Check]:
    playbook = project.loaded.playbook
    blind = blind_now(project)
    total = len(playbook.signals.person) + len(playbook.signals.account)
    yield Check(state="good", what="signals that can be seen", found=f"{total - len(blind)} of {total}")
    yield from _coverage(project, frozenset(blind))
    for name, reason in blind.items():
        yield Check(state="missing", what=f"blind signal {name}", found=reason, todo="It gives no points until then.")


def _coverage(project: Project, blind: frozenset[str]) -> Iterator[Check]:
    """How many people or accounts each signal gave points to, in the scores stored last if they are still true."""
    as_of = scored_as_of(project)
    if as_of is None or not is_current(project, as_of):
        return
    show_kept(project)
    signals = project.loaded.playbook.signals
    reads_roles = {n for n, s in {**signals.person, **signals.account}.items() if s.measure.roles_used()}
    for what, names in (("people", list(signals.person)), ("accounts", list(signals.account))):
        scored = project.warehouse.table(f"scored_{what}")
        seen = [name for name in names if name not in blind]
        counts = scored.agg(
            _all=scored.count(), **{name: scored.count(where=scored[f"p_{name}"] != 0) for name in seen}
        )
        found = project.warehouse.rows(counts).to_pylist()[0]
        for name in seen:
            share = f"{found[name] / found['_all']:.1%}" if found["_all"] else "none"
            lacking = not found[name] and name in reads_roles
            todo = "Is an event of yours mapped to the role it reads?" if lacking else ""
            state = "missing" if lacking else "good"
            yield Check(state=state, what=f"signal {name}", found=f"{share} of {what} have points", todo=todo)


def _scores(project: Project) -> Iterator[Check]:
    as_of = scored_as_of(project)
    if as_of is None:
        yield Check(state="problem", what="scores", found="none yet", todo="Run `handraise refresh`.")
    elif is_current(project, as_of):
        yield Check(state="good", what="scores", found=f"as of {as_of}, of all loaded data and this playbook")
    else:
        yield Check(
            state="problem",
            what="scores",
            found=f"as of {as_of}, but the data or the playbook changed since",
            todo="Run `handraise refresh`.",
        )
