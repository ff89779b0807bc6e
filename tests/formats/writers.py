"""A canonical company written out in each vendor's layout, as its export would have it.

Only events change their shape; people, accounts and what sales did come along as canonical files.
"""

import csv
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]


def write_as(name: str, canonical: Path, folder: Path) -> Path:
    """Write the events of a canonical folder in a vendor's layout, and copy the other inputs beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in canonical.iterdir():
        if file.suffix == ".csv":
            shutil.copy(file, folder / file.name)
    WRITERS[name](pq.read_table(canonical / "events.parquet").to_pylist(), folder)
    return folder


def _csv(path: Path, rows: list[Row]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def _ndjson(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _properties(event: Row) -> Row:
    found: Row = json.loads(event["properties"] or "{}")
    return found


def _filled(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def _epoch(at: datetime, unit: int) -> int:
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * unit + delta.microseconds * unit // 1_000_000


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")


def segment(events: list[Row], folder: Path) -> None:
    """`tracks`, and a table for each event with its properties as columns."""
    calls = [_call(event) for event in events]
    _csv(folder / "tracks.csv", calls)
    for name in sorted({event["name"] for event in events}):
        rows = [
            {**call, **_properties(event)} for call, event in zip(calls, events, strict=True) if event["name"] == name
        ]
        _csv(folder / f"{name}.csv", rows)


def rudderstack(events: list[Row], folder: Path) -> None:
    """The same plan with a column more, as Parquet with typed columns."""
    calls = [{**_call(event), "channel": "web"} for event in events]
    pq.write_table(pa.Table.from_pylist(calls), folder / "tracks.parquet")
    for name in sorted({event["name"] for event in events}):
        rows = [
            {**call, **_properties(event)} for call, event in zip(calls, events, strict=True) if event["name"] == name
        ]
        columns = list(dict.fromkeys(column for row in rows for column in row))
        pq.write_table(
            pa.table({column: [row.get(column) for row in rows] for column in columns}), folder / f"{name}.parquet"
        )


def _call(event: Row) -> Row:
    return {
        "id": event["event_id"],
        "received_at": event["received_at"],
        "sent_at": event["timestamp"],
        "timestamp": event["timestamp"],
        "user_id": event["person_id"],
        "anonymous_id": event["anonymous_id"],
        "event": event["name"],
        "event_text": event["name"],
        "context_library_name": "analytics.js",
        "context_group_id": event["workspace_id"],
    }


def posthog(events: list[Row], folder: Path) -> None:
    """Batch export: the group in `$groups`, the device of those who have signed in in `$device_id`."""
    rows = []
    for event in events:
        anonymous, person = event["anonymous_id"], event["person_id"]
        more = {"$device_id": anonymous, "$groups": _filled({"company": event["workspace_id"]})}
        rows.append(
            {
                "uuid": event["event_id"],
                "event": event["name"],
                "distinct_id": person or anonymous,
                "timestamp": event["timestamp"].isoformat(),
                "properties": {**_properties(event), **_filled(more)},
                "elements_chain": "",
            }
        )
    _ndjson(folder / "posthog-export.jsonl", rows)


def amplitude(events: list[Row], folder: Path) -> None:
    """Files of the export."""
    rows = [
        {
            "uuid": event["event_id"],
            "event_type": event["name"],
            "event_time": _text(event["timestamp"]),
            "server_received_time": _text(event["received_at"] or event["timestamp"]),
            "user_id": event["person_id"],
            "device_id": event["anonymous_id"],
            "event_properties": _properties(event),
            "user_properties": {},
            "groups": _filled({"org": [event["workspace_id"]] if event["workspace_id"] else None}),
            "group_properties": {},
        }
        for event in events
    ]
    _ndjson(folder / "12345_2026-10-01_0#0.json", rows)


def mixpanel(events: list[Row], folder: Path) -> None:
    """Raw export: `time` in milliseconds, ids among the properties."""
    rows = []
    for event in events:
        person, anonymous = event["person_id"], event["anonymous_id"]
        ids = {"$user_id": person, "$device_id": anonymous, "$insert_id": event["event_id"]}
        more = {**ids, "distinct_id": person or f"$device:{anonymous}", "time": _epoch(event["timestamp"], 1000)}
        group = {"company_id": [event["workspace_id"]] if event["workspace_id"] else None}
        rows.append({"event": event["name"], "properties": {**_properties(event), **_filled({**more, **group})}})
    _ndjson(folder / "mixpanel.ndjson", rows)


def snowplow(events: list[Row], folder: Path) -> None:
    """`atomic.events` with one column for the event's own data and one for its contexts."""
    rows = []
    for event in events:
        own = {"schema": "iglu:com.example/x/jsonschema/1-0-0", "data": _properties(event)}
        context = {"schema": "iglu:com.example/team/jsonschema/1-0-0", "data": {"team_id": event["workspace_id"]}}
        rows.append(
            {
                "event_id": event["event_id"],
                "event": "unstruct",
                "event_name": event["name"],
                "user_id": event["person_id"],
                "domain_userid": event["anonymous_id"],
                "collector_tstamp": _text(event["received_at"] or event["timestamp"]),
                "derived_tstamp": _text(event["timestamp"]),
                "unstruct_event": json.dumps({"schema": "iglu:com.snowplowanalytics", "data": own}),
                "contexts": json.dumps({"schema": "iglu:contexts", "data": [{"data": {"n": 1}}, context]})
                if event["workspace_id"]
                else "",
            }
        )
    _csv(folder / "atomic_events.csv", rows)


def ga4(events: list[Row], folder: Path) -> None:
    """A daily table: microseconds, parameters as keys and values, no id of an event."""
    unique = {event["event_id"]: event for event in events}
    rows = []
    for number, event in enumerate(unique.values()):
        said = {**_properties(event), **_filled({"org_id": event["workspace_id"]})}
        rows.append(
            {
                "event_date": event["timestamp"].strftime("%Y%m%d"),
                "event_timestamp": str(_epoch(event["timestamp"], 1_000_000)),
                "event_name": event["name"],
                "event_bundle_sequence_id": str(number),
                "user_id": event["person_id"],
                "user_pseudo_id": event["anonymous_id"],
                "event_params": [{"key": name, "value": _value(value)} for name, value in said.items()],
            }
        )
    _ndjson(folder / "events_20261001.json", rows)


def _value(value: object) -> Row:
    if isinstance(value, int) and not isinstance(value, bool):
        return {"string_value": None, "int_value": str(value)}
    return {"string_value": str(value)}


WRITERS: dict[str, Callable[[list[Row], Path], None]] = {
    writer.__name__: writer for writer in (segment, rudderstack, posthog, amplitude, mixpanel, snowplow, ga4)
}
