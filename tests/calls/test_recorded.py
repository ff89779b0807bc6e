"""Requests of the libraries for Node and for browsers, recorded once (see samples/README.md)."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calls.door import Rows, parcel_of, rows_of

SAMPLES = Path(__file__).parent / "samples"
LATER = datetime(2026, 11, 24, 19, 45, tzinfo=UTC)
ODD = {"city": "Zürich 😀", "lone": "x\ufffdy", "n": 3, "plan": "pro"}
ACME = [
    ("workspaces", {"workspace_id": "team-1", "account_id": "team-1", "name": "Acme"}),
    ("accounts", {"account_id": "team-1", "name": "Acme", "employees": "1200"}),
]


def sent(vendor: str, at: datetime = LATER) -> Rows:
    rows: Rows = []
    for request in json.loads((SAMPLES / f"{vendor}.json").read_text()):
        body = base64.b64decode(request["base64"]) if "base64" in request else request["body"].encode()
        parcel, (status, _, _) = parcel_of(request["method"], request["target"], body, request["headers"])
        assert status == 200
        assert parcel.key == "hrw_sample"
        rows += rows_of(parcel, at)
    return rows


@pytest.mark.parametrize("vendor", ["segment", "rudderstack", "posthog", "amplitude", "mixpanel", "snowplow"])
def test_the_same_deed_is_read_from_each_library(vendor: str) -> None:
    rows = sent(vendor)
    event = next(row for name, row in rows if name == "events")
    assert event["name"] in {"Report Exported", "report_shared"}
    assert (event["person_id"], event["workspace_id"]) == ("u-1", "team-1")
    properties = json.loads(event["properties"])
    assert {name: properties[name] for name in ODD} == ODD
    if vendor == "snowplow":
        assert [row["name"] for name, row in rows if name == "events"] == ["report_shared", "play", "page_view"]
        return
    people = [row for name, row in rows if name == "people" and "email" in row]
    assert people == [{"person_id": "u-1", "email": "ada@acme.example", "title": "Head of IT"}]
    assert [row for row in rows if row[0] in {"workspaces", "accounts"}] == ACME
    aliases = {(row["alias_id"], row["person_id"]) for name, row in rows if name == "aliases"}
    assert aliases == {
        "segment": {("a-1", "u-1"), ("u-0", "u-1")},
        "rudderstack": {("a-1", "u-1"), ("u-0", "u-1")},
        "posthog": {("u-0", "u-1")},
        "mixpanel": {("u-1", "u-0")},
        "amplitude": set(),
    }.get(vendor)


def test_events_without_an_id_get_one_from_their_content() -> None:
    ids = [row["event_id"] for name, row in sent("mixpanel") if name == "events"]
    assert ids == [row["event_id"] for name, row in sent("mixpanel") if name == "events"]
    assert ids[0] == "i-1"
    assert [len(made) for made in ids[1:]] == [32, 32]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("vendor", ["segment", "posthog", "mixpanel"])
def test_browsers_send_the_same(vendor: str) -> None:
    rows = sent(f"{vendor}_browser", LATER + timedelta(minutes=9))
    events = [row for name, row in rows if name == "events"]
    assert all(row["anonymous_id"] for row in events)
    assert all(row["timestamp"][:16] in {"2026-11-24T19:53", "2026-11-24T19:54"} for row in events)
    assert "Report Exported" in {row["name"] for row in events}
    assert not any("hrw_sample" in row["properties"] for row in events)
    people = [row for name, row in rows if name == "people" and "email" in row]
    assert people == [{"person_id": "u-1", "email": "ada@acme.example", "title": "Head of IT"}]
    assert [row for row in rows if row[0] in {"workspaces", "accounts"}] == ACME
    known = [row for row in events if "person_id" in row]
    if vendor == "segment":
        assert [row["name"] for row in known] == ["page_view: Pricing"]
        return
    assert {row["workspace_id"] for row in known} == {"team-1"}
