"""The tables of a warehouse: the canonical inputs column by column, and what the path keeps between runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import ibis
import pyarrow as pa

from handraise.warehouse.engine import Warehouse

Kind = Literal["text", "instant", "whole", "number", "flag", "object"]
_TYPES: dict[Kind, str] = {
    "text": "string",
    "instant": "timestamp(6)",
    "whole": "int64",
    "number": "float64",
    "flag": "boolean",
    "object": "string",
}


@dataclass(frozen=True, kw_only=True)
class Input:
    """One canonical input.

    Attributes:
        name: File stem and table name.
        columns: Column → kind of its values.
        required: Columns that must have a value; a tuple inside means one of these.
        key: Columns that say that two rows are about the same thing.
    """

    name: str
    columns: dict[str, Kind]
    required: tuple[str | tuple[str, ...], ...]
    key: tuple[str, ...]

    @property
    def schema(self) -> ibis.Schema:
        """Column types as stored; instants are UTC without zone, to the microsecond."""
        return ibis.schema({name: _TYPES[kind] for name, kind in self.columns.items()})


def _input(name: str, columns: str, *, required: tuple[str | tuple[str, ...], ...], key: tuple[str, ...]) -> Input:
    """`columns` is `name:kind name:kind …`; text when no kind is given."""
    parsed = [column.partition(":") for column in columns.split()]
    kinds: dict[str, Kind] = {column: (kind or "text") for column, _, kind in parsed}  # type: ignore[misc]
    return Input(name=name, columns=kinds, required=required, key=key)


_OWNER = ("account_id", "workspace_id")
INPUTS: dict[str, Input] = {
    item.name: item
    for item in (
        _input(
            "events",
            "event_id person_id anonymous_id name timestamp:instant workspace_id received_at:instant properties:object",
            required=("event_id", ("person_id", "anonymous_id"), "name", "timestamp"),
            key=("event_id",),
        ),
        _input(
            "people",
            "person_id email name title department seniority created_at:instant workspace_id",
            required=("person_id",),
            key=("person_id",),
        ),
        _input(
            "aliases",
            "alias_id person_id at:instant",
            required=("alias_id", "person_id", "at"),
            key=("alias_id", "person_id", "at"),
        ),
        _input(
            "workspaces",
            "workspace_id account_id name created_at:instant",
            required=("workspace_id",),
            key=("workspace_id",),
        ),
        _input(
            "accounts",
            "account_id name domain domains employees:whole industry icp:flag country owner crm_id target:flag "
            "created_at:instant",
            required=("account_id",),
            key=("account_id",),
        ),
        _input(
            "subscriptions",
            "account_id workspace_id plan started_at:instant ended_at:instant mrr:number seats:whole channel",
            required=(_OWNER, "plan", "started_at"),
            key=("account_id", "workspace_id", "plan", "started_at"),
        ),
        _input(
            "limits",
            "account_id workspace_id metric used:number quota:number measured_at:instant",
            required=(_OWNER, "metric", "used", "quota", "measured_at"),
            key=("account_id", "workspace_id", "metric", "measured_at"),
        ),
        _input(
            "opportunities",
            "opportunity_id account_id created_at:instant stage stage_at:instant amount:number closed_at:instant "
            "status accepted:flag reject_reason source",
            required=("opportunity_id", "account_id", "created_at"),
            key=("opportunity_id", "stage", "stage_at"),
        ),
        _input(
            "touches",
            "account_id at:instant person_id channel by replied_at:instant meeting_at:instant",
            required=("account_id", "at"),
            key=("account_id", "at", "person_id", "channel", "by"),
        ),
        _input("leads", "email at:instant source", required=("email", "at"), key=("email", "at", "source")),
        _input(
            "nps", "person_id score:number at:instant", required=("person_id", "score", "at"), key=("person_id", "at")
        ),
        _input("prompts", "person_id at:instant offer", required=("person_id", "at"), key=("person_id", "at", "offer")),
        _input(
            "outcomes",
            "account_id person_id outcome at:instant value",
            required=(("account_id", "person_id"), "outcome", "at"),
            key=("account_id", "person_id", "outcome", "at"),
        ),
        _input(
            "enrichment",
            "domain email source known_at:instant name employees:whole industry country tags title department seniority",
            required=(("domain", "email"), "source", "known_at"),
            key=("domain", "email", "source", "known_at"),
        ),
    )
}

_KEPT: dict[str, ibis.Schema] = {
    # Which columns a company's files have: a signal whose column never came is blind, not 0.
    "input_columns": ibis.schema({"input": "string", "column_name": "string"}),
    "quarantine": ibis.schema(
        {
            "input": "string",
            "file": "string",
            "line": "int64",
            "reason": "string",
            "raw": "string",
            # What the file was taken for; `raw` is the row as it stands there.
            "format": "string",
            "format_table": "string",
        }
    ),
    "dirty_days": ibis.schema({"day": "date"}),
    # Events that came in live and are not in the roll-ups yet; they are added to them, and their days not made again.
    "unrolled_events": INPUTS["events"].schema,
    # Calls that were taken in and are no events, by a digest of what they said, so that a repeated one is known.
    "call_keys": ibis.schema({"call_key": "string"}),
    # What became of everything that each source sent.
    "ingest_counts": ibis.schema(
        {
            "source": "string",
            "received": "int64",
            "accepted": "int64",
            "duplicate": "int64",
            "quarantined": "int64",
            "refused": "int64",
            # Accepted, and of no use to scoring, such as a session's start.
            "passed_over": "int64",
        }
    ),
    # Whose scores are behind what has been taken in.
    "dirty_people": ibis.schema({"person_id": "string"}),
    "facts": ibis.schema({"name": "string", "value": "string"}),
    "email_hosts": ibis.schema({"host": "string", "domain": "string", "kind": "string"}),
    # What providers answered that were asked over HTTP, as rows of `enrichment`: made anew from the ledger, which keeps it.
    "provider_said": INPUTS["enrichment"].schema,
    "identity_links": ibis.schema({"anonymous_id": "string", "person_id": "string", "linked_at": "timestamp(6)"}),
}


# The fact that is "yes" while `unrolled_events` holds any.
UNROLLED = "unrolled_events"
Renames = dict[str, dict[str, str]]  # input → canonical column → column in the file


def create_missing(warehouse: Warehouse) -> None:
    """Make every table that is not there yet, and add columns that are new; safe to run again."""
    there = warehouse.table_names()
    for name, schema in {**{item.name: item.schema for item in INPUTS.values()}, **_KEPT}.items():
        if name not in there:
            warehouse.create(name, schema, unlike=("event_id",) if name == "events" else ())
        elif name in _KEPT and (new := [column for column in schema if column not in warehouse.table(name).columns]):
            rows = warehouse.table(name)
            warehouse.create(name, rows.mutate(**{column: ibis.null(schema[column]) for column in new}))


def read_fact(warehouse: Warehouse, name: str) -> str | None:
    """A remembered value, such as the playbook that the roll-ups were made with."""
    return _facts(warehouse).get(name)


def _facts(warehouse: Warehouse) -> dict[str, str]:
    facts = warehouse.whole("facts")
    return dict(zip(facts["name"].to_pylist(), facts["value"].to_pylist(), strict=True))


def remake_when_changed(warehouse: Warehouse, name: str, stamp: str, build: Callable[[], None]) -> None:
    """Make derived tables anew when what they are made of changed; `stamp` names its state."""
    if read_fact(warehouse, name) == stamp:
        return
    with warehouse.transaction():
        build()
        write_fact(warehouse, name, stamp)


def input_version(warehouse: Warehouse, name: str) -> str:
    """Changes whenever rows of an input other than events do."""
    return read_fact(warehouse, f"version of {name}") or "0"


def write_fact(warehouse: Warehouse, name: str, value: str) -> None:
    """Remember a value under a name."""
    write_facts(warehouse, {name: value})


def write_facts(warehouse: Warehouse, facts: dict[str, str]) -> None:
    """Remember values under their names."""
    stored = _facts(warehouse)
    news = {name: value for name, value in facts.items() if stored.get(name) != value}
    if not news:  # most are written at every micro-batch and seldom change
        return
    rows = warehouse.hold("new_facts", pa.table({"name": list(news), "value": list(news.values())}))
    warehouse.once_built("facts", lambda: warehouse.replace("facts", rows, ("name",)))
