"""What is known before T: who did what, and in which account.

Transcribes sections 1 and 2 of the domain rules and the identity rules of the input contract.
Every function is a plain loop over rows; nothing is rolled up and nothing is approximated.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .rows import (
    AccountRow,
    AliasRow,
    Limit,
    PersonRow,
    RawEvent,
    Subscription,
    WorkspaceRow,
    one_per_event_id,
    read_account,
    read_alias,
    read_event,
    read_limit,
    read_person,
    read_rows,
    read_subscription,
    read_workspace,
    work_domain_of_email,
)

PASSIVE = frozenset({"email_delivered", "email_opened", "invite_received"})

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event before T with its actor and account decided."""

    person: str
    identified: bool
    account: str
    workspace: str
    name: str
    at: datetime
    feature: str
    count: float

    @property
    def active(self) -> bool:
        """Whether the event is not on the passive list (domain rules, section 1)."""
        return self.name not in PASSIVE


@dataclass(kw_only=True)
class World:
    """Everything the signals read. `columns` holds the header of each file that is there."""

    now: datetime
    columns: dict[str, frozenset[str]]
    people: dict[str, PersonRow]
    accounts: dict[str, AccountRow]
    workspaces: dict[str, WorkspaceRow]
    subscriptions: list[Subscription]
    limits: list[Limit]
    industries: frozenset[str] = frozenset()
    volume: tuple[str, int] | None = None
    account_of_workspace: dict[str, str] = field(default_factory=dict)
    pairs: set[Pair] = field(default_factory=set)
    by_pair: dict[Pair, list[Event]] = field(default_factory=lambda: defaultdict(list))
    by_account: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    by_person: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    subscriptions_of: dict[str, list[Subscription]] = field(default_factory=lambda: defaultdict(list))
    limits_of: dict[str, list[Limit]] = field(default_factory=lambda: defaultdict(list))
    ever_active: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    active_30: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def has(self, file: str, column: str = "") -> bool:
        """Whether the file, and the column when one is named, was given at all."""
        return file in self.columns and (not column or column in self.columns[file])

    def ago(self, days: int) -> datetime:
        """Give the instant that many times 24 h before T, where a window of so many days starts."""
        return self.now - timedelta(days=days)

    def domain_of(self, person: str) -> str:
        """Give the registrable work domain of the person's e-mail, or empty text."""
        row = self.people.get(person)
        return work_domain_of_email(row.email) if row else ""

    def account_of(self, row: Subscription | Limit) -> str:
        """Give the account a subscription or limit belongs to; its own account_id wins."""
        return row.account_id or self.account_of_workspace[row.workspace_id]


@dataclass(frozen=True, kw_only=True)
class Links:
    """Whose an id is: one step for anonymous ids, and then from person to person as the aliases say."""

    anonymous: dict[str, str]
    aliases: dict[str, str]

    def end(self, person: str) -> str:
        """Follow the aliases to the end; a circle is one person, under its smallest id."""
        way = [person]
        while way[-1] in self.aliases:
            following = self.aliases[way[-1]]
            if following in way:
                return min(way[way.index(following) :])
            way.append(following)
        return way[-1]


def links_before(events: Iterable[RawEvent], aliases: Iterable[AliasRow]) -> Links:
    """Link each id to the person it was first linked to; ties: smallest id."""
    said = [(row.at, row.person_id, row.alias_id) for row in aliases if row.alias_id != row.person_id]
    both = [(event.at, event.person_id, event.anonymous_id) for event in events]
    links = Links(anonymous={}, aliases={})
    for _, person, alias in sorted(said):
        links.aliases.setdefault(alias, person)
    for _, person, anonymous in sorted(said + both):
        if person and anonymous:
            links.anonymous.setdefault(anonymous, person)
    return links


def actor(event: RawEvent, links: Links) -> str:
    """Name the person who did the event; an unlinked anonymous_id stands for itself."""
    if not event.person_id and event.anonymous_id not in links.anonymous:
        return event.anonymous_id
    return links.end(event.person_id or links.anonymous[event.anonymous_id])


def placed_before(world: World, row: PersonRow) -> datetime | None:
    """Give the row's created_at when it lies before T, else nothing."""
    return row.created_at if row.created_at and row.created_at < world.now else None


def people_seen(world: World, events: list[RawEvent], links: Links) -> dict[str, dict[str, datetime]]:
    """Say for each workspace who is in it, and when each was first seen there."""
    seen: dict[str, dict[str, datetime]] = defaultdict(dict)
    sightings = [(e.workspace_id, actor(e, links), e.at) for e in events if e.workspace_id]
    for row in world.people.values():
        created = placed_before(world, row)
        if row.workspace_id and created:
            sightings.append((row.workspace_id, links.end(row.person_id), created))
    for workspace, person, at in sightings:
        seen[workspace][person] = min(at, seen[workspace].get(person, at))
    return seen


def account_of_domain(world: World, domain: str) -> str:
    """Give the accounts row owning the domain (smallest id), else the domain itself."""
    owners = [row.account_id for row in world.accounts.values() if domain in row.domains]
    return min(owners) if owners else f"domain:{domain}"


def majority_domain(world: World, seen: dict[str, datetime]) -> str:
    """Give the work domain of at least half of the people with work e-mails, or empty."""
    people_with: Counter[str] = Counter()
    first: dict[str, datetime] = {}
    for person, at in seen.items():
        domain = world.domain_of(person)
        if domain:
            people_with[domain] += 1
            first[domain] = min(at, first.get(domain, at))
    if not people_with:
        return ""
    best = min(people_with, key=lambda domain: (-people_with[domain], first[domain], domain))
    return best if 2 * people_with[best] >= people_with.total() else ""


def account_of_workspace(world: World, workspace: str, seen: dict[str, datetime]) -> str:
    """Decide the account: the explicit mapping, else the majority domain, else itself."""
    row = world.workspaces.get(workspace)
    if row and row.account_id:
        return row.account_id
    domain = majority_domain(world, seen)
    return account_of_domain(world, domain) if domain else f"workspace:{workspace}"


def home_account(world: World, person: str) -> str:
    """Give the account of a person outside any workspace: the work domain's, else their own."""
    domain = world.domain_of(person)
    return account_of_domain(world, domain) if domain else f"person:{person}"


def feature_and_count(properties: str) -> tuple[str, float]:
    """Read the two properties that matter: `feature` (or empty) and `count` (default 1)."""
    found: dict[str, Any] = json.loads(properties) if properties else {}
    feature, count = found.get("feature"), found.get("count")
    key = feature if isinstance(feature, str) else json.dumps(feature)
    return ("" if feature is None else key), number_or_one(count)


def number_or_one(count: object) -> float:
    """Read a count: a finite number, or text that says one; anything else is 1."""
    if isinstance(count, bool) or not isinstance(count, int | float | str):
        return 1
    try:
        number = float(count)
    except (ValueError, OverflowError):
        return 1
    return number if math.isfinite(number) else 1


# --- the world before T ----------------------------------------------------------------------


def read_world(folder: Path, now: datetime) -> tuple[World, list[RawEvent]]:
    """Read every file; of several rows with one key the last wins; events lie before T."""
    columns: dict[str, frozenset[str]] = {}
    events = read_rows(folder, "events", read_event, columns)
    people = read_rows(folder, "people", read_person, columns)
    workspaces = read_rows(folder, "workspaces", read_workspace, columns)
    accounts = read_rows(folder, "accounts", read_account, columns)
    world = World(
        now=now,
        columns=columns,
        people={row.person_id: row for row in people},
        workspaces={row.workspace_id: row for row in workspaces},
        accounts={row.account_id: row for row in accounts},
        subscriptions=read_rows(folder, "subscriptions", read_subscription, columns),
        limits=read_rows(folder, "limits", read_limit, columns),
    )
    return world, [event for event in one_per_event_id(events) if event.at < now]


def settle_workspaces(world: World, events: list[RawEvent], links: Links) -> None:
    """Decide the account of every workspace any file names."""
    seen = people_seen(world, events, links)
    named = set(seen) | set(world.workspaces)
    named |= {row.workspace_id for row in world.people.values() if row.workspace_id}
    named |= {row.workspace_id for row in world.subscriptions if row.workspace_id}
    named |= {row.workspace_id for row in world.limits if row.workspace_id}
    for workspace in named:
        account = account_of_workspace(world, workspace, seen.get(workspace, {}))
        world.account_of_workspace[workspace] = account


def settle_events(world: World, events: list[RawEvent], links: Links) -> None:
    """Give each event its actor and account, and put the person-account pair on record."""
    homes: dict[str, str] = {}
    for raw in sorted(events, key=lambda event: (event.at, event.event_id)):
        person = actor(raw, links)
        if person not in homes:
            homes[person] = home_account(world, person)
        here = world.account_of_workspace.get(raw.workspace_id, homes[person])
        feature, count = feature_and_count(raw.properties)
        event = Event(
            person=person,
            identified=bool(raw.person_id) or raw.anonymous_id in links.anonymous,
            account=here,
            workspace=raw.workspace_id,
            name=raw.name,
            at=raw.at,
            feature=feature or raw.name,
            count=count,
        )
        world.pairs.add((person, here))
        world.by_pair[person, here].append(event)
        world.by_account[here].append(event)
        world.by_person[person].append(event)


def settle_placements(world: World, links: Links) -> None:
    """Add the pairs that people rows place: section 1 of the domain rules."""
    for row in world.people.values():
        if not placed_before(world, row):
            continue
        person = links.end(row.person_id)
        if row.workspace_id:
            world.pairs.add((person, world.account_of_workspace[row.workspace_id]))
        elif person not in world.by_person:
            world.pairs.add((person, home_account(world, person)))


def settle_money_and_limits(world: World) -> None:
    """File each subscription and limit under its account."""
    for subscription in world.subscriptions:
        world.subscriptions_of[world.account_of(subscription)].append(subscription)
    for limit in world.limits:
        world.limits_of[world.account_of(limit)].append(limit)


def settle_activity(world: World) -> None:
    """Note who was active in each account, ever and in the 30 days before T."""
    for account, events in world.by_account.items():
        active = [event for event in events if event.active]
        world.ever_active[account] = {event.person for event in active}
        recent = [event for event in active if event.at >= world.ago(30)]
        world.active_30[account] = {event.person for event in recent}


def world_before(folder: Path, now: datetime) -> World:
    """Give everything that is known before T, with identity settled."""
    world, events = read_world(folder, now)
    aliases = read_rows(folder, "aliases", read_alias, {})
    links = links_before(events, (row for row in aliases if row.at < now))
    settle_workspaces(world, events, links)
    settle_events(world, events, links)
    settle_placements(world, links)
    settle_money_and_limits(world)
    settle_activity(world)
    return world
