"""ClickHouse inside the process: its own MergeTree table, ordered by time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from chdb import session

from benchmarks.rivals.rival import COUNTED, PASSIVE, Asked, Place

_WHO = (
    "if(person_id = '', anonymous_id, person_id) AS actor, person_id <> '' AS identified, workspace_id AS workspace_id"
)
_BY = "GROUP BY actor, identified, workspace_id"
_ACTIVE = f"name NOT IN {PASSIVE}"


def _sql(as_of: date) -> str:
    cutoff = f"toDateTime64('{as_of} 00:00:00', 6, 'UTC')"
    month = f"timestamp < {cutoff} AND timestamp >= {cutoff} - INTERVAL 30 DAY"
    weeks = ", ".join(
        f"countIf({_ACTIVE} AND timestamp < {cutoff} - INTERVAL {7 * k} DAY"
        f" AND timestamp >= {cutoff} - INTERVAL {7 * k + 7} DAY) AS week_{k}"
        for k in range(4)
    )
    counts = ", ".join(f"countIf(name = '{name}') AS {name}" for name in COUNTED)
    firsts = ", ".join(
        f"minOrNullIf(timestamp, name = '{name}') AS first_{name}"
        for name in ("signed_up", "activation", "invite_sent", "premium_feature")
    )
    feature = "if(JSONExtractString(properties, 'feature') = '', name, JSONExtractString(properties, 'feature'))"
    count = "toDecimal64OrNull(trim(BOTH '\"' FROM JSONExtractRaw(properties, 'count')), 6)"
    using = "USING (actor, identified, workspace_id)"
    return f"""
        WITH lifetime AS (
            SELECT {_WHO}, min(timestamp) AS first_at, minOrNullIf(timestamp, {_ACTIVE}) AS first_active_at, {firsts}
            FROM bench.events WHERE timestamp < {cutoff} {_BY}
        ),
        month AS (
            SELECT {_WHO}, {counts}, maxOrNullIf(timestamp, name = 'upgrade_started') AS last_upgrade_started,
                uniqExactIf(toDate(timestamp), {_ACTIVE}) AS active_days_30,
                uniqExactIf(toDate(timestamp), {_ACTIVE} AND timestamp >= {cutoff} - INTERVAL 7 DAY) AS active_days_7,
                {weeks}
            FROM bench.events WHERE {month} {_BY}
        ),
        inviting AS (
            SELECT {_WHO}, sum(ifNull({count}, toDecimal64(1, 6))) AS invited
            FROM bench.events WHERE {month} AND name = 'invite_sent' {_BY}
        ),
        breadth AS (
            SELECT {_WHO}, uniqExact({feature}) AS features, uniqExactIf({feature}, name = 'premium_feature') AS premium_features
            FROM bench.events WHERE {month} AND name IN ('feature', 'premium_feature') {_BY}
        )
        SELECT * FROM lifetime
        LEFT JOIN month {using} LEFT JOIN inviting {using} LEFT JOIN breadth {using}
        SETTINGS join_use_nulls = 1
    """  # noqa: S608 - a date and names written above


class _ClickHouse:
    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def ask(self, as_of: date) -> None:
        self._engine.query("DROP TABLE IF EXISTS bench.answer")
        self._engine.query(f"CREATE TABLE bench.answer ENGINE = Memory AS {_sql(as_of)}")

    def write(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._engine.query(f"SELECT * FROM bench.answer INTO OUTFILE '{path}' FORMAT Parquet")  # noqa: S608


# Without type information, as the package is where it is installed.
_session: Any = session.Session


@contextmanager
def opened(place: Place) -> Iterator[Asked]:
    """Open the table and add the files that are not in it yet, which is not timed."""
    engine = _session(str(place.scratch / "data"))
    try:
        _fill(engine, place)
        yield _ClickHouse(engine)
    finally:
        engine.close()


def _fill(engine: Any, place: Place) -> None:
    engine.query("CREATE DATABASE IF NOT EXISTS bench")
    engine.query(
        "CREATE TABLE IF NOT EXISTS bench.events (person_id String, anonymous_id String, workspace_id String,"
        " name LowCardinality(String), timestamp DateTime64(6, 'UTC'), properties String)"
        " ENGINE = MergeTree ORDER BY timestamp"
    )
    done = place.scratch / "loaded"
    loaded = done.read_text(encoding="utf-8").splitlines() if done.exists() else []
    for path in place.parquet:
        if path.name in loaded:
            continue
        engine.query(
            "INSERT INTO bench.events SELECT ifNull(person_id, ''), ifNull(anonymous_id, ''), ifNull(workspace_id, ''),"  # noqa: S608
            f" assumeNotNull(name), assumeNotNull(timestamp), ifNull(properties, '') FROM file('{path}', Parquet)"
        )
        loaded.append(path.name)
    done.write_text("\n".join(loaded), encoding="utf-8")
