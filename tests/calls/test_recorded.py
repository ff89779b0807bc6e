"""Requests of the Node libraries, recorded once (see samples/README.md)."""

import base64
import json
from datetime import UTC, datetime
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


def sent(vendor: str) -> Rows:
    rows: Rows = []
    for request in json.loads((SAMPLES / f"{vendor}.json").read_text()):
        body = base64.b64decode(request["base64"]) if "base64" in request else request["body"].encode()
        parcel, (status, _, _) = parcel_of(request["method"], request["target"], body, request["headers"])
        assert status == 200
        assert parcel.key == "hrw_sample"
        rows += rows_of(parcel, LATER)
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
