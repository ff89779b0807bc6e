"""One DuckDB query over the raw events that handraise stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.rivals.rival import COUNTED, PASSIVE, Asked, Place

_WHO = "coalesce(person_id, anonymous_id) AS actor, person_id IS NOT NULL AS identified, coalesce(workspace_id, '') AS workspace_id"
_ACTIVE = f"name NOT IN {PASSIVE}"


def _sql(as_of: date) -> str:
    cutoff = f"TIMESTAMP '{as_of}'"
    month = f"timestamp < {cutoff} AND timestamp >= {cutoff} - INTERVAL 30 DAY"
    weeks = ", ".join(
        f"count(*) FILTER ({_ACTIVE} AND timestamp < {cutoff} - INTERVAL {7 * k} DAY"
        f" AND timestamp >= {cutoff} - INTERVAL {7 * k + 7} DAY) AS week_{k}"
        for k in range(4)
    )
    counts = ", ".join(f"count(*) FILTER (name = '{name}') AS {name}" for name in COUNTED)
    firsts = ", ".join(
        f"min(timestamp) FILTER (name = '{name}') AS first_{name}"
        for name in ("signed_up", "activation", "invite_sent", "premium_feature")
    )
    return f"""
        CREATE OR REPLACE TEMP TABLE answer AS
        WITH lifetime AS (
            SELECT {_WHO}, min(timestamp) AS first_at, min(timestamp) FILTER ({_ACTIVE}) AS first_active_at, {firsts}
            FROM events WHERE timestamp < {cutoff} GROUP BY ALL
        ),
        month AS (
            SELECT {_WHO}, {counts}, max(timestamp) FILTER (name = 'upgrade_started') AS last_upgrade_started,
                count(DISTINCT timestamp::DATE) FILTER ({_ACTIVE}) AS active_days_30,
                count(DISTINCT timestamp::DATE) FILTER ({_ACTIVE} AND timestamp >= {cutoff} - INTERVAL 7 DAY) AS active_days_7,
                {weeks}
            FROM events WHERE {month} GROUP BY ALL
        ),
        inviting AS (
            SELECT {_WHO}, sum(coalesce(try_cast(properties ->> '$.count' AS DECIMAL(18, 6)), 1)) AS invited
            FROM events WHERE {month} AND name = 'invite_sent' GROUP BY ALL
        ),
        used AS (
            SELECT DISTINCT {_WHO}, name, coalesce(nullif(properties ->> '$.feature', ''), name) AS feature
            FROM events WHERE {month} AND name IN ('feature', 'premium_feature')
        ),
        breadth AS (
            SELECT actor, identified, workspace_id, count(DISTINCT feature) AS features,
                count(*) FILTER (name = 'premium_feature') AS premium_features
            FROM used GROUP BY ALL
        )
        SELECT * FROM lifetime
        LEFT JOIN month USING (actor, identified, workspace_id)
        LEFT JOIN inviting USING (actor, identified, workspace_id)
        LEFT JOIN breadth USING (actor, identified, workspace_id)
    """  # noqa: S608 - a date and names written above


class _DuckDB:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def ask(self, as_of: date) -> None:
        self._connection.execute(_sql(as_of))

    def write(self, path: Path) -> None:
        self._connection.execute(f"COPY answer TO '{path}' (FORMAT parquet)")


@contextmanager
def opened(place: Place) -> Iterator[Asked]:
    """Open handraise's file for reading only; its columns are DuckDB's own storage."""
    connection = duckdb.connect(str(place.warehouse), read_only=True)
    try:
        yield _DuckDB(connection)
    finally:
        connection.close()
