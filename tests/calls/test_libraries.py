"""The vendors' own libraries send here: every call arrives once, they believe so, and the rows are right."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import amplitude
import mixpanel
import posthog
import pytest
import requests
import rudderstack.analytics.client
import rudderstack.analytics.request
import segment.analytics.client
import segment.analytics.request
import snowplow_tracker

from calls.door import KEY, Door, open_door

AT = datetime.now(UTC).replace(microsecond=250_000) - timedelta(days=2)
WHEN = AT.isoformat().replace("+00:00", "Z")
ODD = {"size": math.nan, "city": "Zürich 😀", "n": 2**60, "plan": "pro"}
CLEAN = {"size": None, "city": "Zürich 😀", "n": 2**60, "plan": "pro"}
TRAITS = {"email": "ada@acme.example", "title": "Head of IT"}
COMPANY = {"name": "Acme", "employees": 1200}
PERSON = ("people", {"person_id": "u-1", **TRAITS})
MEMBER = ("people", {"person_id": "u-1", "workspace_id": "team-1"})
WORKSPACE = ("workspaces", {"workspace_id": "team-1", "account_id": "team-1", "name": "Acme"})
ACCOUNT = ("accounts", {"account_id": "team-1", "name": "Acme", "employees": "1200"})


@pytest.fixture
def door() -> Iterator[Door]:
    with open_door() as opened:
        yield opened


def properties(row: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["properties"])
    return found


def keys(door: Door) -> set[str | None]:
    return {parcel.key for parcel in door.parcels}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("vendor", ["segment", "rudderstack"])
def test_segment_and_rudderstack(door: Door, vendor: str, packed: bool) -> None:
    module: Any = segment.analytics if vendor == "segment" else rudderstack.analytics
    failures: list[Any] = []
    client = module.client.Client(
        KEY, host=door.url, gzip=packed, on_error=lambda *what: failures.append(what), max_retries=1
    )
    client.track("u-1", "Report Exported", ODD, context={"groupId": "team-1"}, timestamp=AT, anonymous_id="a-1")
    client.identify("u-1", TRAITS, timestamp=AT, anonymous_id="a-1")
    client.group("u-1", "team-1", COMPANY, timestamp=AT)
    client.alias("u-0", "u-1", timestamp=AT)
    client.page("u-1", None, "Pricing", {"path": "/pricing"}, timestamp=AT)
    client.screen("u-1", None, "Settings", timestamp=AT)
    client.flush()
    client.join()
    module.request._session.close()
    assert failures == []
    assert keys(door) == {KEY}
    assert sum(len(parcel.events) for parcel in door.parcels) == 6
    tracked, page, screen = door.of("events")
    assert (tracked["person_id"], tracked["anonymous_id"], tracked["workspace_id"]) == ("u-1", "a-1", "team-1")
    assert (tracked["name"], tracked["timestamp"]) == ("Report Exported", WHEN)
    assert properties(tracked) == CLEAN
    assert (page["name"], properties(page)) == ("page_view: Pricing", {"path": "/pricing", "name": "Pricing"})
    assert screen["name"] == "screen_view: Settings"
    alias = [("aliases", {"alias_id": alias, "person_id": "u-1", "at": WHEN}) for alias in ("a-1", "u-0")]
    others = [row for row in door.rows() if row[0] != "events"]
    assert others == [PERSON, alias[0], WORKSPACE, ACCOUNT, MEMBER, alias[1]]


@pytest.mark.parametrize("packed", [False, True])
def test_posthog(door: Door, packed: bool) -> None:
    failures: list[Any] = []
    client = posthog.Posthog(
        KEY, host=door.url, gzip=packed, on_error=lambda *what: failures.append(what), max_retries=0
    )
    groups = {"company": "team-1"}
    client.capture("Report Exported", distinct_id="u-1", properties=ODD, groups=groups, timestamp=AT)
    client.set(distinct_id="u-1", properties=TRAITS)
    client.group_identify("company", "team-1", COMPANY)
    client.alias("a-1", "u-1", timestamp=AT)
    client.shutdown()
    assert failures == []
    assert door.strangers == []
    assert keys(door) == {KEY}
    [event] = door.of("events")
    assert (event["person_id"], event["name"], event["workspace_id"]) == ("u-1", "Report Exported", "team-1")
    assert event["timestamp"] == WHEN
    said = properties(event)
    assert {name: said[name] for name in CLEAN} == CLEAN
    others = [row for row in door.rows() if row[0] != "events"]
    assert others == [PERSON, WORKSPACE, ACCOUNT, ("aliases", {"alias_id": "u-1", "person_id": "a-1", "at": WHEN})]


@pytest.mark.parametrize("path", ["/2/httpapi", "/batch"])
def test_amplitude(door: Door, path: str) -> None:
    told: list[tuple[int, str | None]] = []
    configuration = amplitude.Config(
        server_url=door.url + path, callback=lambda _, code, message: told.append((code, message)), flush_max_retries=1
    )
    client = amplitude.Amplitude(KEY, configuration)
    milliseconds = int(AT.timestamp() * 1000)
    options = amplitude.EventOptions(user_id="u-1", device_id="dev-1", time=milliseconds)
    plain = {name: value for name, value in ODD.items() if name != "size"}
    client.track(
        amplitude.BaseEvent(
            "Report Exported", user_id="u-1", device_id="dev-1", time=milliseconds, event_properties=plain,
            groups={"org": "team-1"}, insert_id="i-1",
        )
    )  # fmt: skip
    who, group = amplitude.Identify(), amplitude.Identify()
    for name, value in TRAITS.items():
        who.set(name, value)
    for name, value in COMPANY.items():
        group.set(name, value)
    client.identify(who, options)
    client.group_identify("org", "team-1", group)
    client.set_group("org", "team-1", options)
    client.shutdown()
    assert told == [(200, "Event sent successfully.")] * 4
    assert sum(len(parcel.events) for parcel in door.parcels) == 4
    assert keys(door) == {KEY}
    [event] = door.of("events")
    assert properties(event) == {name: value for name, value in CLEAN.items() if name != "size"}
    assert event == {
        "event_id": "i-1", "person_id": "u-1", "anonymous_id": "dev-1", "name": "Report Exported", "timestamp": WHEN,
        "workspace_id": "team-1", "received_at": event["received_at"], "properties": event["properties"],
    }  # fmt: skip
    others = [row for row in door.rows() if row[0] != "events"]
    assert others == [PERSON, WORKSPACE, ACCOUNT, MEMBER]


@pytest.mark.parametrize("buffered", [False, True])
def test_mixpanel(door: Door, buffered: bool) -> None:
    urls = {"events_url": "/track", "people_url": "/engage", "groups_url": "/groups", "import_url": "/import"}
    make = mixpanel.BufferedConsumer if buffered else mixpanel.Consumer
    consumer = make(**{name: door.url + path for name, path in urls.items()}, retry_limit=0)
    client = mixpanel.Mixpanel(KEY, consumer=consumer)
    client.track("u-1", "Report Exported", {**ODD, "company_id": "team-1", "$insert_id": "i-1"})
    client.people_set("u-1", TRAITS)
    client.people_increment("u-1", {"exports": 1})
    client.group_set("company", "team-1", COMPANY)
    client.import_data(None, "u-1", "Old", AT.timestamp(), {"$insert_id": "i-2"}, api_secret=KEY)
    client.merge(None, "u-0", "u-1", api_secret=KEY)
    if isinstance(consumer, mixpanel.BufferedConsumer):
        consumer.flush()
        consumer._consumer._session.close()
    else:
        consumer._session.close()
    assert keys(door) == {KEY}
    assert sum(len(parcel.events) for parcel in door.parcels) == 6
    new, old = door.of("events")
    assert (new["event_id"], new["person_id"], new["workspace_id"]) == ("i-1", "u-1", "team-1")
    assert {name: properties(new)[name] for name in CLEAN} == CLEAN
    assert "token" not in properties(new)
    assert (old["event_id"], old["name"], old["timestamp"]) == ("i-2", "Old", WHEN)
    others = sorted(row for name, row in door.rows() if name not in {"events", "aliases"} for row in [(name, row)])
    assert others == sorted([PERSON, WORKSPACE, ACCOUNT], key=lambda row: row[0])
    [alias] = door.of("aliases")
    assert (alias["alias_id"], alias["person_id"]) == ("u-0", "u-1")


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("method", ["post", "get"])
def test_snowplow(door: Door, method: Any, packed: bool) -> None:
    sent: list[Any] = []
    failures: list[Any] = []
    with requests.Session() as session:
        emitter = snowplow_tracker.Emitter(
            door.url, protocol="http", method=method, batch_size=3 if method == "post" else 1, session=session,
            on_success=sent.extend, on_failure=lambda *what: failures.append(what),
        )  # fmt: skip
        subject = snowplow_tracker.Subject().set_user_id("u-1").set_domain_user_id("duid-1")
        tracker = snowplow_tracker.Tracker("snow", [emitter], subject, app_id=KEY, encode_base64=packed)
        own = snowplow_tracker.SelfDescribingJson(
            "iglu:com.acme/report_shared/jsonschema/1-0-0", {"city": "Zürich 😀", "n": 2}
        )
        team = snowplow_tracker.SelfDescribingJson("iglu:com.acme/team/jsonschema/1-0-0", {"workspace_id": "team-1"})
        tracker.track(snowplow_tracker.SelfDescribing(own, context=[team]))
        tracker.track(snowplow_tracker.StructuredEvent("media", "play", label="intro"))
        tracker.track(snowplow_tracker.PageView("https://acme.example/pricing", page_title="Pricing"))
        tracker.flush()
    assert failures == []
    assert len(sent) == 3
    assert keys(door) == {KEY}
    own_row, struct, page = door.of("events")
    assert (own_row["name"], own_row["person_id"], own_row["anonymous_id"]) == ("report_shared", "u-1", "duid-1")
    assert own_row["workspace_id"] == "team-1"
    assert properties(own_row) == {"city": "Zürich 😀", "n": 2, "workspace_id": "team-1"}
    assert (struct["name"], properties(struct)) == (
        "play", {"se_category": "media", "se_action": "play", "se_label": "intro"},
    )  # fmt: skip
    assert page["name"] == "page_view"
    assert properties(page) == {
        "page_url": "https://acme.example/pricing", "page_title": "Pricing", "page_urlpath": "/pricing",
    }  # fmt: skip
    assert len({row["event_id"] for row in door.of("events")}) == 3
