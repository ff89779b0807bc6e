"""Let go of what is older than a company keeps."""

from __future__ import annotations

from datetime import UTC, datetime

import ibis

from handraise.events.call_intake import FORMAT
from handraise.events.store import count_up, refresh_event_keys
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import property_of


def delete_before(warehouse: Warehouse, instant: datetime) -> int:
    """Delete events that happened before an instant; returns how many. What was made of them has to be made anew.

    What they are known by goes with them, day by day: it would grow for ever.
    """
    refresh_event_keys(warehouse)
    events = warehouse.table("events")
    old = events.filter(events.timestamp < ibis.timestamp(instant.astimezone(UTC).replace(tzinfo=None)))
    gone = warehouse.delete("events", warehouse.create("old_events", old.select("event_id"), temporary=True))
    if gone:
        keys = warehouse.table("event_keys")
        days = keys.filter(keys.day < ibis.date(instant.astimezone(UTC).date())).select("day").distinct()
        warehouse.delete("event_keys", warehouse.create("old_days", days, temporary=True))
        count_up(warehouse, "data_version")
    return gone


def delete_aside_before(warehouse: Warehouse, instant: datetime) -> int:
    """Delete calls in quarantine that came before an instant; returns how many. They stay counted as set aside."""
    rows = warehouse.table("quarantine")
    came = property_of(rows.raw, "received_at")
    old = rows.filter((rows.format == FORMAT) & (came < instant.astimezone(UTC).isoformat()))
    keys = warehouse.create("old_aside", old.select("input", "file", "line").distinct(), temporary=True)
    return warehouse.delete("quarantine", keys)
