"""What a tracking library would have sent: a simulated company's events as Segment calls in a log."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from handraise.events.received import Received, micros_of
from handraise.log.store import EventLog

Call = tuple[str, dict[str, Any]]


def track(number: object, who: str, name: str, at: str, *, workspace: str | None = None, **properties: Any) -> Call:
    """One `track` call."""
    context = {"context": {"groupId": workspace}} if workspace else {}
    said = {"messageId": f"m{number}", "userId": who, "event": name, "timestamp": at, "properties": properties}
    return "track", {**said, **context}


def tracked(events: Path) -> list[Call]:
    """Every event of a canonical Parquet file as a call."""
    return [_call(row) for row in pq.read_table(events).to_pylist()]


def _call(row: dict[str, Any]) -> Call:
    said = {
        "messageId": row["event_id"],
        "event": row["name"],
        "timestamp": row["timestamp"].replace(tzinfo=UTC).isoformat().replace("+00:00", "Z"),
        "properties": json.loads(row["properties"] or "{}"),
        "context": {"groupId": row["workspace_id"]} if row["workspace_id"] else {},
    }
    ids = {"userId": row["person_id"], "anonymousId": row["anonymous_id"]}
    return "track", said | {name: value for name, value in ids.items() if value}


def send(log: EventLog, calls: Iterable[Call], at: datetime, *, source: str = "web", batch: int = 100) -> None:
    """Write calls to a log as the server would, some together."""
    waiting = list(calls)
    for start in range(0, len(waiting), batch):
        part = waiting[start : start + batch]
        events = tuple(json.dumps({"type": kind, **said}).encode() for kind, said in part)
        log.append([(micros_of(at), Received(source, "segment", b"{}", events).encoded())])
