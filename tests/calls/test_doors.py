"""Which path is whose, where the key is found, what each library is answered, and what it asks before it sends."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from calls.door import parcel_of
from handraise.events.calls.bodies import UnreadableError, read_parcel
from handraise.events.calls.configuration import configuration_of
from handraise.events.calls.endpoints import endpoint_of

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PATHS = {
    "/v1/track": "segment/track",
    "/v1/i": "segment/identify",
    "/v1/b/": "segment/batch",
    "/v1/import": "segment/batch",
    "/v1/m": "segment/metrics",
    "/in/front/hrw_k/v1/identify/": "segment/identify",
    "/i/v0/e/": "posthog/capture",
    "/e/": "posthog/capture",
    "/batch/": "posthog/batch",
    "/2/httpapi": "amplitude/httpapi",
    "/identify": "amplitude/identify",
    "/groupidentify": "amplitude/groupidentify",
    "/track/": "mixpanel/track",
    "/import": "mixpanel/import",
    "/com.snowplowanalytics.snowplow/tp2": "snowplow/tp2",
    "/com.acme/tp2": "snowplow/tp2",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_known_by_its_end(path: str) -> None:
    endpoint = endpoint_of("POST", path)
    assert endpoint
    assert endpoint.name == PATHS[path]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("POST", "/v1"), ("GET", "/v1/track"), ("POST", "/i"), ("GET", "/login")]
)
def test_other_paths_are_not_taken(method: str, path: str) -> None:
    assert endpoint_of(method, path) is None


MIXPANEL = {"event": "E", "properties": {"token": "hrw_k", "distinct_id": "u"}}
POSTHOG = {"event": "E", "distinct_id": "u", "api_key": "hrw_k"}
SHARED = {
    "PostHog on /batch": ("/batch/", {"api_key": "k", "batch": [POSTHOG]}, "posthog"),
    "a list on /batch": ("/batch/", [POSTHOG], "posthog"),
    "Amplitude on /batch": ("/batch", {"api_key": "k", "events": [{"event_type": "E"}]}, "amplitude"),
    "Mixpanel on /track": ("/track", MIXPANEL, "mixpanel_event"),
    "a list of Mixpanel's": ("/track", [MIXPANEL], "mixpanel_event"),
    "PostHog on /track": ("/track/", POSTHOG, "posthog"),
    "PostHog's batch on /track": ("/track/", {"api_key": "k", "batch": [POSTHOG]}, "posthog"),
    "Mixpanel on /engage": ("/engage", {"$token": "k", "$distinct_id": "u", "$set": {}}, "mixpanel_person"),
    "PostHog on /engage": ("/engage/", {"event": "$set", "distinct_id": "u", "$set": {}}, "posthog"),
    "Mixpanel's groups": ("/groups", {"$token": "k", "$group_id": "g"}, "mixpanel_group"),
    "Segment": ("/v1/batch", {"batch": []}, "segment"),
    "one call of Segment's": ("/v1/t", {"event": "E"}, "segment/track"),
}


@pytest.mark.parametrize("case", SHARED)
def test_the_body_tells_vendors_apart_that_share_a_path(case: str) -> None:
    path, body, kind = SHARED[case]
    assert parcel_of("POST", path, json.dumps(body).encode())[0].kind == kind


def test_the_envelope_stays_without_the_key() -> None:
    body = {"writeKey": "hrw_k", "sentAt": "x", "context": {"a": 1}, "batch": [{"type": "track"}, 3, None]}
    parcel, _ = parcel_of("POST", "/v1/batch", json.dumps(body).encode())
    assert json.loads(parcel.shared) == {"sentAt": "x", "context": {"a": 1}}
    assert parcel.events == (b'{"type": "track"}', b"3", b"null")
    alone, _ = parcel_of("POST", "/v1/track", b' {"writeKey":"hrw_k","event":"E"} ')
    assert (alone.shared, alone.events) == (b"{}", (b'{"writeKey":"hrw_k","event":"E"}',))


BASIC = "Basic " + base64.b64encode(b"hrw_k:").decode()
SERVICE = "Basic " + base64.b64encode(b"robot.1.mp-service-account:secret").decode()
KEYS: dict[str, tuple[str, Any, dict[str, str], str | None]] = {
    "basic": ("/v1/batch", {"batch": []}, {"Authorization": BASIC}, "hrw_k"),
    "bearer": ("/v1/batch", {"batch": []}, {"Authorization": "Bearer hrw_k"}, "hrw_k"),
    "header": ("/v1/batch", {"batch": []}, {"X-Write-Key": "hrw_k"}, "hrw_k"),
    "body": ("/v1/batch", {"batch": [], "writeKey": "hrw_k"}, {}, "hrw_k"),
    "query": ("/v1/batch?write_key=hrw_k", {"batch": []}, {}, "hrw_k"),
    "path": ("/hrw_k/v1/batch", {"batch": []}, {}, "hrw_k"),
    "token": ("/track", MIXPANEL, {}, "hrw_k"),
    "token of a profile": ("/engage", [{"$token": "hrw_k", "$distinct_id": "u"}], {}, "hrw_k"),
    "application": ("/com.snowplowanalytics.snowplow/tp2", {"data": [{"e": "pv", "aid": "hrw_k"}]}, {}, "hrw_k"),
    "a token beside a service account": ("/import", [MIXPANEL], {"Authorization": SERVICE}, "hrw_k"),
    "the path beside an application": ("/hrw_k/x/tp2", {"data": [{"e": "pv", "aid": "shop"}]}, {}, "hrw_k"),
    "a foreign key": ("/v1/batch", {"batch": [], "writeKey": "abc"}, {}, "abc"),
    "a version is no key": ("/e/?ver=1.2.3", [{"event": "E"}], {}, None),
    "broken credentials": ("/v1/batch", {"batch": []}, {"Authorization": "Basic %%%"}, None),
    "a key that is no text": ("/v1/batch", {"batch": [], "writeKey": {"a": 1}}, {}, None),
}


@pytest.mark.parametrize("case", KEYS)
def test_the_key_is_found(case: str) -> None:
    target, body, headers, key = KEYS[case]
    assert parcel_of("POST", target, json.dumps(body).encode(), headers)[0].key == key


def test_every_library_is_answered_as_it_wants() -> None:
    done = {"success": True, "status": 1, "code": 200}
    for path, body in (("/v1/batch", {"batch": []}), ("/batch/", {"batch": []}), ("/v1/m", {"series": []})):
        status, kind, answer = parcel_of("POST", path, json.dumps(body).encode())[1]
        assert (status, kind, json.loads(answer)) == (200, "application/json", done)
    _, _, answer = parcel_of("POST", "/batch", b'{"api_key":"k","events":[{"a":1},{"a":2}]}')[1]
    told = json.loads(answer)
    assert (told["code"], told["events_ingested"], told["payload_size_bytes"]) == (200, 2, 14)
    packed = base64.b64encode(json.dumps(MIXPANEL).encode())
    for path in ("/track", "/import"):
        assert parcel_of("POST", path, b"data=" + packed)[1] == (200, "text/plain", b"1")
        told = json.loads(parcel_of("POST", path, b"verbose=1&data=" + packed)[1][2])
        assert told == {"status": 1, "error": None}
    told = json.loads(parcel_of("POST", "/import?strict=1", json.dumps([MIXPANEL] * 3).encode())[1][2])
    assert told == {"code": 200, "status": "OK", "num_records_imported": 3}
    status, kind, answer = parcel_of("GET", "/i?e=pv&duid=d&url=https%3A%2F%2Fa.example")[1]
    assert (status, kind, answer[:6]) == (200, "image/gif", b"GIF89a")


def test_forms_hold_json_in_many_ways() -> None:
    event = json.dumps(MIXPANEL).encode()
    plain, _ = parcel_of("GET", "/track?data=" + base64.urlsafe_b64encode(event).decode())
    assert plain.events == (event,)
    url = "%7B%22event%22%3A%22a%20b%22%7D"
    assert parcel_of("POST", "/track", f"data={url}".encode())[0].events == (b'{"event":"a b"}',)
    old = f"api_key=hrw_k&event={url}".encode()
    parcel, _ = parcel_of("POST", "/httpapi", old)
    assert (parcel.kind, parcel.key, parcel.events) == ("amplitude", "hrw_k", (b'{"event":"a b"}',))
    parcel, _ = parcel_of("POST", "/identify", b'api_key=hrw_k&identification=[{"user_id":"u"}]')
    assert (parcel.kind, parcel.key, parcel.events) == ("amplitude/identify", "hrw_k", (b'{"user_id":"u"}',))
    browser, _ = parcel_of("POST", "/e/?compression=gzip-js&_=1795521600000", json.dumps([POSTHOG]).encode())
    assert json.loads(browser.shared) == {"sent_at": "1795521600000"}


UNREADABLE = {
    b"": "the body is empty",
    b"  ": "the body is empty",
    b"hello": "neither a JSON object nor a list",
    b"3": "neither a JSON object nor a list",
    b'{"a":1': "the body is not JSON",
    b"\xff\xfe{\0}\0": "UTF-16",
    b'{"a":1}': "has no list `batch`",
    b'{"batch":3}': "`batch` is not a list",
    b'\xef\xbb\xbf {"a":"="}': "has no list `batch`",
    b"a=1": "the form has no field",
    b"data=%%%": "neither JSON nor base64",
}


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_wrong_is_said(body: bytes) -> None:
    endpoint = endpoint_of("POST", "/v1/batch")
    assert endpoint
    with pytest.raises(UnreadableError, match=UNREADABLE[body]):
        read_parcel(endpoint, method="POST", path="/v1/batch", query=b"", headers={}, body=body)


def test_what_libraries_get_wrong_is_mended() -> None:
    body = b'{"batch":[{"a":NaN,"b":-Infinity,"c":1e999,"d":"x\\ud800y","e":%d,"f":"\xff"}]}' % 2**70
    [event] = parcel_of("POST", "/v1/batch", body)[0].events
    assert json.loads(event) == {"a": None, "b": None, "c": None, "d": "x\ufffdy", "e": 2**70, "f": "\ufffd"}


def test_browsers_are_told_that_there_is_nothing_to_set() -> None:
    def asked(path: str, method: str = "GET", query: bytes = b"") -> Any:
        found = configuration_of(method, path, query, b"{}")
        assert found
        assert found[0] == 200
        return json.loads(found[2]) if found[1] == "application/json" else found[2].decode()

    assert asked("/x/v1/projects/hrw_k/settings")["integrations"]["Segment.io"]["apiKey"] == "hrw_k"
    assert asked("/array/hrw_k/config")["hasFeatureFlags"] is False
    assert '_POSTHOG_REMOTE_CONFIG["hrw_k"]={config:{' in asked("/array/hrw_k/config.js")
    flags = asked("/flags/", "POST")
    assert (flags["flags"], flags["featureFlags"], flags["errorsWhileComputingFlags"]) == ({}, {}, False)
    source = asked("/sourceConfig/", query=b"p=npm&writeKey=hrw_k&v=3")["source"]
    assert (source["writeKey"], source["enabled"], source["destinations"]) == ("hrw_k", True, [])
    for strange in (b"", b"writeKey=", b"writeKey=%3Cscript%3E", b"writeKey=%ff&writeKey=a%22b"):
        assert asked("/x/sourceConfig", query=strange)["source"]["writeKey"] == ""
    assert asked("/decide/", "POST")["sessionRecording"] is False
    for path in ("/static/array.js", '/array/a"b/config.js', "/v1/projects/settings", "/"):
        assert configuration_of("GET", path, b"", b"") is None
