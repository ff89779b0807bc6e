"""Who acts in the live stream: the teams of a simulated company that lie in its files, as they were lately."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from handraise.errors import InputError
from handraise.simulate.vocabulary import FREE_MAIL

ACTIVE_DAYS: Final = 14
DONE_DAYS: Final = 30
_MARK: Final = " (simulated)"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who uses the product.

    Attributes:
        person_id: As in people.csv.
        name: Empty when not known.
        title: Empty when not known.
        executive: Whether the seniority is director or above.
        done: Names of the events of the last 30 days: what a story needs not repeat.
    """

    person_id: str
    name: str
    title: str
    executive: bool
    done: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Team:
    """A workspace and who was active in it in the last 14 days.

    Attributes:
        workspace_id: As in workspaces.csv.
        company: The account's name, or the workspace's where the account has none.
        known: Whether the accounts file has the company.
        domain: Work domain of its people; empty without one.
        people: At least one, by id.
    """

    workspace_id: str
    company: str
    known: bool
    domain: str
    people: tuple[Person, ...]


def read_cast(data: Path) -> tuple[Team, ...]:
    """The teams of a simulated company, by workspace id.

    Args:
        data: The folder that `simulate` wrote.

    Raises:
        InputError: It holds no simulated company, or nobody was active.
    """
    # Only a company that has a truth is made up; a real one must never get made-up activity.
    if not all((data / name).is_file() for name in ("truth.parquet", "events.parquet", "people.csv")):
        raise InputError(
            "there is no simulated company.",
            where=str(data),
            todo="`handraise demo FOLDER` makes a project with one; name it with --project.",
        )
    people = {row["person_id"]: row for row in _rows(data / "people.csv")}
    workspaces = {row["workspace_id"]: row for row in _rows(data / "workspaces.csv")}
    accounts = {row["account_id"]: row["name"] for row in _rows(data / "accounts.csv")}
    members, done = _lately(data / "events.parquet")

    def person(person_id: str) -> Person:
        row = people[person_id]
        return Person(
            person_id=person_id,
            name=row["name"],
            title=row["title"],
            executive=row["seniority"] in {"director", "head", "vp", "c_level", "founder"},
            done=frozenset(done[person_id]),
        )

    teams = [
        _team(workspaces[workspace], accounts, [people[one] for one in ids], person)
        for workspace, ids in sorted(members.items())
        if workspace in workspaces
    ]
    if not teams:
        raise InputError("nobody was active in the simulated company.", where=str(data))
    return tuple(teams)


def _team(
    row: dict[str, str], accounts: dict[str, str], people: list[dict[str, str]], person: Callable[[str], Person]
) -> Team:
    name = accounts.get(row["account_id"]) or row["name"] or row["workspace_id"]
    domains = [domain for one in people if (domain := one["email"].partition("@")[2]) and domain not in FREE_MAIL]
    return Team(
        workspace_id=row["workspace_id"],
        company=name.removesuffix(_MARK),
        known=row["account_id"] in accounts,
        domain=max(sorted(set(domains)), key=domains.count, default=""),
        people=tuple(person(one["person_id"]) for one in people),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _lately(path: Path) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Workspace → people active of late, and person → names of the events of the last 30 days."""
    events = pq.read_table(path, columns=["person_id", "workspace_id", "name", "timestamp"])
    if not events.num_rows:
        return {}, {}
    last = pc.max(events["timestamp"]).as_py()
    known = events.filter(pc.is_valid(events["person_id"]))
    recent = known.filter(pc.greater(known["timestamp"], last - timedelta(days=ACTIVE_DAYS)))
    members: dict[str, list[str]] = defaultdict(list)
    for workspace, person in sorted(_distinct(recent.filter(pc.is_valid(recent["workspace_id"])), "workspace_id")):
        members[workspace].append(person)
    done: dict[str, set[str]] = defaultdict(set)
    for name, person in _distinct(
        known.filter(pc.greater(known["timestamp"], last - timedelta(days=DONE_DAYS))), "name"
    ):
        done[person].add(name)
    return members, done


def _distinct(rows: pa.Table, column: str) -> list[tuple[Any, Any]]:
    """Pairs of a column and a person."""
    pairs = rows.group_by([column, "person_id"]).aggregate([])
    return list(zip(pairs[column].to_pylist(), pairs["person_id"].to_pylist(), strict=True))
