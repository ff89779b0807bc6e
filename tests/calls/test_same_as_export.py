"""An event is the same row whether the library sent it here or the vendor's export of it is loaded."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from calls.door import parcel_of, rows_of
from handraise.service.project import Project
from handraise.warehouse.tables import INPUTS
from support import load_folder, memory_project

RECEIVED = datetime(2026, 9, 1, 8, 10, 2, tzinfo=UTC)
AT, AT_MS = "2026-09-01T08:10:00.250000Z", 1788250200250
WHOLE = AT_MS // 1000
TABLES = ("events", "people", "aliases", "workspaces", "accounts")
COMPANY = {"name": "Acme", "employees": 1200, "domain": "acme.example"}
TRAITS = {"email": "ada@acme.example", "title": "Head of IT", "createdAt": "2026-08-01T00:00:00Z"}
SAID = {"count": 3, "via": "e-mail", "city": "Zürich", "price": 9.5, "again": True}
Call = tuple[str, dict[str, Any]]


def _segment(key: str) -> list[Call]:
    who = {"userId": f"{key}-u", "anonymousId": f"{key}-a", "timestamp": AT, "sentAt": AT}
    return [
        ("/v1/track", {**who, "messageId": f"{key}-1", "event": "Teammate Invited", "properties": SAID,
                       "context": {"groupId": f"{key}-t"}}),
        ("/v1/page", {**who, "messageId": f"{key}-2", "name": "Pricing", "properties": {"path": "/pricing"}}),
        ("/v1/identify", {**who, "messageId": f"{key}-3", "traits": TRAITS}),
        ("/v1/group", {**who, "messageId": f"{key}-4", "groupId": f"{key}-t", "traits": COMPANY}),
        ("/v1/alias", {**who, "messageId": f"{key}-5", "previousId": f"{key}-0"}),
    ]  # fmt: skip


def _rudderstack(key: str) -> list[Call]:
    return [
        (path, {**{k: v for k, v in body.items() if k != "traits"}, "channel": "web", "context": {"traits": TRAITS}}
         if path == "/v1/identify" else {**body, "channel": "web"})
        for path, body in _segment(key)
    ]  # fmt: skip


def _posthog(key: str) -> list[Call]:
    def event(number: int, name: str, **properties: Any) -> dict[str, Any]:
        shown = {"$device_id": f"{key}-a", **properties}
        return {
            "uuid": f"{key}-{number}",
            "event": name,
            "distinct_id": f"{key}-u",
            "timestamp": AT,
            "properties": shown,
        }

    events = [
        event(1, "member invited", **SAID, **{"$groups": {"company": f"{key}-t"}}),
        {**event(2, "export"), "distinct_id": f"{key}-a"},
        event(3, "$identify", **{"$anon_distinct_id": f"{key}-a", "$set": TRAITS}),
        event(4, "$groupidentify", **{"$group_type": "company", "$group_key": f"{key}-t", "$group_set": COMPANY}),
        event(5, "$pageleave"),
    ]
    return [("/batch/", {"api_key": "k", "batch": events})]


def _amplitude(key: str) -> list[Call]:
    who = {"user_id": f"{key}-u", "device_id": f"{key}-a", "time": AT_MS}
    events = [
        {**who, "event_type": "Share Link", "insert_id": f"{key}-1", "event_properties": SAID,
         "groups": {"org": [f"{key}-t"]}},
        {**who, "event_type": "session_start", "insert_id": f"{key}-2"},
        {**who, "event_type": "$identify", "insert_id": f"{key}-3", "user_properties": {"$set": TRAITS}},
        {**who, "event_type": "$groupidentify", "insert_id": f"{key}-4", "groups": {"org": f"{key}-t"},
         "group_properties": {"$set": COMPANY}},
    ]  # fmt: skip
    return [("/2/httpapi", {"api_key": "k", "events": events})]


def _mixpanel(key: str) -> list[Call]:
    said = {"token": "hrw_k", "distinct_id": f"{key}-u", "$user_id": f"{key}-u", "$device_id": f"{key}-a"}
    more = {**said, "time": WHOLE, "$insert_id": f"{key}-1", "company_id": [f"{key}-t"], **SAID}
    merged = {"$identified_id": f"{key}-u", "$anon_id": f"$device:{key}-b", "time": WHOLE, "token": "hrw_k"}
    return [
        ("/import", {"event": "Invite Teammate", "properties": more}),
        ("/track", {"event": "$identify", "properties": {**merged, "$insert_id": f"{key}-2"}}),
        ("/engage", {"$token": "k", "$distinct_id": f"{key}-u", "$set": TRAITS}),
    ]


def _snowplow(key: str) -> list[Call]:
    who = {"uid": f"{key}-u", "duid": f"{key}-a", "dtm": str(AT_MS), "stm": str(AT_MS + 900)}
    own = {"schema": "iglu:com.acme/report_shared/jsonschema/1-0-0", "data": SAID}
    team = {"schema": "iglu:com.acme/team/jsonschema/1-0-0", "data": {"workspace_id": f"{key}-t"}}
    events = [
        {**who, "e": "ue", "eid": f"{key}-1", "ue_pr": json.dumps({"schema": "iglu:x", "data": own}),
         "co": json.dumps({"schema": "iglu:y", "data": [team]})},
        {**who, "e": "pv", "eid": f"{key}-2", "url": "https://acme.example/pricing", "page": "Pricing"},
        {**who, "e": "se", "eid": f"{key}-3", "se_ca": "media", "se_ac": "play"},
        {**who, "e": "pp", "eid": f"{key}-4"},
    ]  # fmt: skip
    return [("/com.snowplowanalytics.snowplow/tp2", {"schema": "iglu:payload", "data": events})]


CALLS = {
    "segment": _segment, "rudderstack": _rudderstack, "posthog": _posthog, "amplitude": _amplitude,
    "mixpanel": _mixpanel, "snowplow": _snowplow,
}  # fmt: skip


def _export_segment(calls: list[Call], folder: Path) -> None:
    tables: dict[str, list[dict[str, Any]]] = {}
    for path, body in calls:
        name = {"track": "tracks", "page": "pages", "identify": "identifies", "group": "groups", "alias": "aliases"}[
            path.rpartition("/")[2]
        ]
        traits = body.get("traits") or body.get("context", {}).get("traits", {})
        row = {
            "id": body["messageId"], "user_id": body["userId"], "anonymous_id": body["anonymousId"],
            "timestamp": AT, "received_at": RECEIVED.isoformat(), "sent_at": AT, "context_library_name": "x",
            "context_group_id": body.get("context", {}).get("groupId"),
            "group_id": body.get("groupId"), "previous_id": body.get("previousId"), "name": body.get("name"),
            "created_at": traits.get("createdAt"), "channel": body.get("channel"),
            **{name: value for name, value in traits.items() if name != "createdAt"}, **body.get("properties", {}),
        }  # fmt: skip
        row = {name: value for name, value in row.items() if value is not None}
        if name == "tracks":
            row |= {"event": "teammate_invited", "event_text": body["event"]}
        tables.setdefault(name, []).append(row)
    for name, rows in tables.items():
        _csv(folder / f"{name}.csv", rows)


def _export_posthog(calls: list[Call], folder: Path) -> None:
    _ndjson(folder / "events.ndjson", calls[0][1]["batch"])


def _export_amplitude(calls: list[Call], folder: Path) -> None:
    rows = []
    for number, event in enumerate(calls[0][1]["events"]):
        plain = {k: v for k, v in event.items() if k not in {"time", "insert_id", "user_properties"}}
        said = {
            "uuid": f"amplitude-uuid-{number}", "$insert_id": event["insert_id"], "event_time": AT,
            "server_upload_time": RECEIVED.isoformat(), "user_properties": event.get("user_properties", {}).get("$set", {}),
            "group_properties": event.get("group_properties", {}).get("$set", {}),
            "event_properties": event.get("event_properties", {}),
        }  # fmt: skip
        rows.append({**plain, **said})
    _ndjson(folder / "amplitude.json", rows)


def _export_mixpanel(calls: list[Call], folder: Path) -> None:
    events = [body for path, body in calls if path != "/engage"]
    for event in events:
        event["properties"] = {k: v for k, v in event["properties"].items() if k != "token"}
    _ndjson(folder / "export.json", events)
    people = [body for path, body in calls if path == "/engage"]
    _ndjson(
        folder / "people.json", [{"$distinct_id": one["$distinct_id"], "$properties": one["$set"]} for one in people]
    )


def _export_snowplow(calls: list[Call], folder: Path) -> None:
    rows = []
    for event in calls[0][1]["data"]:
        kind = {"ue": "unstruct", "pv": "page_view", "se": "struct", "pp": "page_ping"}[event["e"]]
        name = {"ue": "report_shared", "se": "event"}.get(event["e"], kind)
        rows.append(
            {
                "event_id": event["eid"], "event": kind, "event_name": name, "user_id": event["uid"],
                "domain_userid": event["duid"], "collector_tstamp": RECEIVED.isoformat(), "derived_tstamp": AT,
                "unstruct_event": event.get("ue_pr", ""), "contexts": event.get("co", ""),
                "page_url": event.get("url", ""), "page_urlpath": "/pricing" if "url" in event else "",
                "page_title": event.get("page", ""), "se_category": event.get("se_ca", ""),
                "se_action": event.get("se_ac", ""),
            }
        )  # fmt: skip
    _csv(folder / "atomic.csv", rows)


EXPORTS = {
    "segment": _export_segment, "rudderstack": _export_segment, "posthog": _export_posthog,
    "amplitude": _export_amplitude, "mixpanel": _export_mixpanel, "snowplow": _export_snowplow,
}  # fmt: skip


def _csv(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(column for row in rows for column in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)


def _ndjson(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """What came over HTTP, stored as canonical rows."""
    folder = tmp_path_factory.mktemp("live")
    rows: dict[str, list[dict[str, str]]] = {}
    for vendor, calls in CALLS.items():
        for path, body in calls(vendor):
            parcel, _ = parcel_of("POST", path, json.dumps(body).encode())
            for name, row in rows_of(parcel, RECEIVED):
                assert set(row) <= set(INPUTS[name].columns)
                rows.setdefault(name, []).append(row)
    for name, found in rows.items():
        _ndjson(folder / f"{name}.ndjson", found)
    with memory_project() as project:
        assert sum(count.quarantined for count in load_folder(project, folder)) == 0
        yield project


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """What the exports of the same calls give."""
    folder = tmp_path_factory.mktemp("exports")
    for vendor, calls in CALLS.items():
        (folder / vendor).mkdir()
        EXPORTS[vendor](calls(vendor), folder / vendor)
    with memory_project() as project:
        counts = load_folder(project, folder)
        assert sum(count.quarantined for count in counts) == 0
        assert {count.format for count in counts} == set(CALLS)
        yield project


def _rows(project: Project, table: str, vendor: str) -> list[dict[str, Any]]:
    found = project.warehouse.rows(project.warehouse.table(table)).to_pylist()
    mine = [row for row in found if any(str(value).startswith(f"{vendor}-") for value in row.values())]
    for row in mine:
        row.pop("received_at", None)
        if row.get("properties"):
            told = json.loads(row["properties"])
            row["properties"] = _texts(told) if vendor in {"segment", "rudderstack"} else told
    return sorted(mine, key=str)


def _texts(properties: dict[str, Any]) -> dict[str, str]:
    """As a column of a table holds them."""
    return {name: str(value) for name, value in properties.items()}


# By table, so that nothing is compared with nothing.
COUNTS = {
    "segment": (2, 1, 2, 1, 1), "rudderstack": (2, 1, 2, 1, 1), "posthog": (2, 1, 1, 1, 1),
    "amplitude": (1, 1, 0, 1, 1), "mixpanel": (1, 1, 1, 0, 0), "snowplow": (3, 0, 0, 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("vendor", CALLS)
def test_live_and_exported_are_the_same_rows(vendor: str, table: str, live: Project, exported: Project) -> None:
    found = _rows(live, table, vendor)
    assert found == _rows(exported, table, vendor)
    assert len(found) == COUNTS[vendor][TABLES.index(table)]
