"""What a rival has to be able to do, which there are, and whether their answers are the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Protocol

import duckdb


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a rival finds the events, each once, and where it may keep its own form of them.

    Attributes:
        parquet: The events as Parquet files, sorted by time.
        warehouse: handraise's DuckDB file, whose table `events` holds the same.
        scratch: A folder of the rival's own, kept between its processes.
    """

    parquet: tuple[Path, ...]
    warehouse: Path
    scratch: Path


class Asked(Protocol):
    """An engine that has the events at hand."""

    def ask(self, as_of: date) -> None:
        """Compute the answer into memory; this is what is timed."""

    def write(self, path: Path) -> None:
        """Write the answer to a Parquet file."""


Opening = Callable[[Place], AbstractContextManager[Asked]]
# Name → package it needs, and its module here with a function `opened`.
RIVALS: Final = {
    "chDB": ("chdb", "benchmarks.rivals.chdb_mergetree"),
    "Polars": ("polars", "benchmarks.rivals.polars_streaming"),
    "DuckDB, one query": ("duckdb", "benchmarks.rivals.duckdb_query"),
}
KEY: Final = ("actor", "identified", "workspace_id")
COLUMNS: Final = [
    "first_at",
    "first_active_at",
    "first_signed_up",
    "first_activation",
    "first_invite_sent",
    "first_premium_feature",
    "limit_reached",
    "api_or_integration",
    "external_share",
    "pricing_view",
    "enterprise_request",
    "billing_question",
    "invited",
    "last_upgrade_started",
    "active_days_30",
    "active_days_7",
    "week_0",
    "week_1",
    "week_2",
    "week_3",
    "premium_features",
    "features",
]
PASSIVE: Final = ("email_delivered", "email_opened", "invite_received")
COUNTED: Final = (
    "limit_reached",
    "api_or_integration",
    "external_share",
    "pricing_view",
    "enterprise_request",
    "billing_question",
)


def installed(name: str) -> bool:
    """Whether the package that a rival needs is there."""
    return find_spec(RIVALS[name][0]) is not None


def opening(name: str) -> Opening:
    """How to start a rival."""
    found: Opening = import_module(RIVALS[name][1]).opened
    return found


def differing_rows(one: Path, other: Path) -> int:
    """How many rows of two written answers differ; missing counts are 0, instants are UTC."""
    same = " AND ".join(f"a.{c} IS NOT DISTINCT FROM b.{c}" for c in COLUMNS)
    keys = ", ".join(KEY)
    sql = f"""
        SELECT count(*) FROM ({_plain(one)}) a FULL JOIN ({_plain(other)}) b USING ({keys})
        WHERE a.present IS NULL OR b.present IS NULL OR NOT ({same})
    """  # noqa: S608 - names are those above
    connection = duckdb.connect()
    ((count,),) = connection.execute(sql).fetchall()
    connection.close()
    return int(count)


def _plain(path: Path) -> str:
    """An answer with the same types whoever wrote it."""
    instants = [c for c in COLUMNS if c.startswith(("first_", "last_"))]
    columns = [f"epoch_us({c}) AS {c}" if c in instants else f"coalesce({c}, 0)::DOUBLE AS {c}" for c in COLUMNS]
    keys = "actor::VARCHAR AS actor, identified::BOOLEAN AS identified, workspace_id::VARCHAR AS workspace_id"
    return f"SELECT true AS present, {keys}, {', '.join(columns)} FROM read_parquet('{path}')"  # noqa: S608
