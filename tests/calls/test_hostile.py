"""Whatever bytes come: a parcel or one of two reasons, and for each event rows or a reason."""

import base64
import gzip
import json
import random
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.door import rows_of
from handraise.events.calls import endpoints
from handraise.events.calls.bodies import Parcel, TooLargeError, UnreadableError, inflate, read_parcel
from handraise.events.calls.configuration import configuration_of
from handraise.events.calls.endpoints import Endpoint, endpoint_of
from handraise.events.calls.limits import BATCH_EVENTS, BODY_BYTES, EVENT_BYTES, SHARED_BYTES
from handraise.events.calls.translate import BadCallError, translate
from handraise.warehouse.tables import INPUTS

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PLACES = list(endpoints._ENDPOINTS.items())
GOOD: dict[str, Any] = {
    "/v1/batch": {"writeKey": "hrw_k", "sentAt": "2026-11-24T12:00:00Z", "context": {"groupId": "g"}, "batch": [
        {"type": "track", "messageId": "m", "userId": "u", "anonymousId": "a", "event": "E", "timestamp": "2026-11-24",
         "properties": {"a": 1, "team_id": ["t"]}, "context": {"groupId": "g", "traits": {"groupId": "g"}}},
        {"type": "page", "userId": "u", "name": "N", "category": "C", "properties": {"name": "x"}},
        {"type": "identify", "userId": "u", "traits": {"email": "e", "created_at": 5}},
        {"type": "group", "userId": "u", "groupId": "g", "traits": {"name": "n", "employees": 3, "account_id": "x"}},
        {"type": "alias", "userId": "u", "previousId": "p"}]},
    "/batch/": {"api_key": "hrw_k", "sent_at": "2026-11-24T12:00:00Z", "historical_migration": False, "batch": [
        {"event": "E", "distinct_id": "u", "uuid": "1", "timestamp": "2026-11-24", "offset": 3, "$set": {"email": "e"},
         "properties": {"$groups": {"org": "o"}, "$device_id": "d", "token": "t", "$is_identified": True,
                        "$set_once": {"name": "n"}, "$group_0": "x"}},
        {"event": "$groupidentify", "distinct_id": "u", "properties": {"$group_key": "k", "$group_set": {"name": "n"}}},
        {"event": "$identify", "distinct_id": "u", "properties": {"$anon_distinct_id": "d"}}]},
    "/2/httpapi": {"api_key": "hrw_k", "options": {}, "client_upload_time": "2026-11-24T12:00:00Z", "events": [
        {"event_type": "E", "user_id": "u", "device_id": "d", "time": 1795521600000, "insert_id": "i", "event_id": 1,
         "groups": {"org": ["o"]}, "event_properties": {"a": 1}, "user_properties": {"$set": {"email": "e"}}},
        {"event_type": "$groupidentify", "groups": {"org": "o"}, "group_properties": {"$set": {"name": "n"}}}]},
    "/identify": {"user_id": "u", "user_properties": {"$setOnce": {"email": "e"}}},
    "/groupidentify": {"group_type": "org", "group_value": "o", "group_properties": {"name": "n"}},
    "/track": [
        {"event": "E", "properties": {"token": "hrw_k", "distinct_id": "u", "time": 1795521600, "$insert_id": "i",
                                      "$device_id": "d", "$user_id": "u", "$groups": {"org": "o"}}},
        {"event": "$merge", "properties": {"$distinct_ids": ["a", "b"]}},
        {"event": "$identify", "properties": {"$anon_id": "a", "$identified_id": "b"}}],
    "/engage": {"$token": "hrw_k", "$distinct_id": "u", "$set": {"email": "e"}, "$set_once": {"name": "n"}},
    "/groups": {"$token": "hrw_k", "$group_key": "company", "$group_id": "g", "$set": {"name": "n"}},
    "/com.snowplowanalytics.snowplow/tp2": {"schema": "s", "data": [
        {"e": "ue", "eid": "1", "uid": "u", "duid": "d", "dtm": "1795521600000", "stm": "1795521600000", "aid": "hrw_k",
         "ue_pr": '{"data":{"schema":"iglu:a/b/c/1-0-0","data":{"a":1}}}', "co": '{"data":[{"data":{"team_id":"t"}}]}'},
        {"e": "pv", "duid": "d", "url": "https://a.example/b", "page": "P", "ttm": "1795521600000"},
        {"e": "se", "uid": "u", "se_ca": "c", "se_ac": "a", "se_va": "1"}]},
}  # fmt: skip
WRONG: list[Any] = [
    None, True, 0, -1, 1.5, 2**70, 10**400, "", " ", "x" * 2000, "\0", "\ud800", "[", "[1]", [], [[]], [None], {}, {"a": {}},
    float("nan"), float("inf"), -1e308, "2026-13-45", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", 9e99,
    "1e999", "nan", {"$set": 1}, ["a", {"b": 1}],
]  # fmt: skip


def told(error: BadCallError | UnreadableError | TooLargeError) -> None:
    """A refusal has words."""
    assert error.reason
    assert error.reason == str(error)


def refused_or_read(endpoint: Endpoint, body: bytes, **more: Any) -> Parcel | None:
    """Reads a body and all its events; anything but the three errors fails the test."""
    asked = {"method": "POST", "path": "/", "query": b"", "headers": {}, **more}
    try:
        parcel = read_parcel(endpoint, body=body, **asked)
    except (UnreadableError, TooLargeError) as error:
        return told(error)
    status, _, answer = endpoint.answer(parcel, received_at=NOW)
    assert (status, type(answer)) == (200, bytes)
    assert isinstance(json.loads(parcel.shared), dict)
    for event in parcel.events:
        assert isinstance(event, bytes)
        try:
            rows = translate(parcel.kind, parcel.shared, event, source="s", received_at=NOW)
        except BadCallError as error:
            told(error)
            continue
        for name, row in rows:
            assert set(row) <= set(INPUTS[name].columns)
            for value in row.values():
                assert value
                assert "\0" not in value
                assert value.encode()
            if "properties" in row:
                assert isinstance(json.loads(row["properties"], parse_constant=pytest.fail), dict)
    return parcel


def bodies_of(seed: int) -> Iterator[bytes]:
    """Bodies that no library should send."""
    chance = random.Random(seed)
    good = json.dumps(chance.choice(list(GOOD.values()))).encode()
    packed = gzip.compress(good)
    yield packed[: chance.randrange(len(packed))]
    yield packed[:10] + bytes(chance.randrange(256) for _ in range(50))
    yield zlib.compress(good)[: chance.randrange(5, 40)]
    yield chance.randbytes(chance.randrange(200))
    yield good[: chance.randrange(len(good))]
    at = chance.randrange(len(good))
    yield good[:at] + chance.randbytes(1) + good[at + 1 :]
    yield good[:at] + b"\xff\xfe\x00" + good[at:]
    yield good.decode().encode(chance.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32"]))
    yield b"\xef\xbb\xbf" + good
    yield b"data=" + base64.b64encode(packed)[: chance.randrange(60)]
    yield b"data=" + chance.randbytes(20) + b"&verbose=1&" + b"a=1&" * chance.choice([1, 200])
    depth = chance.choice([60, 70, 500, 5000, 100_000])
    yield b'{"batch":[' + b"[" * depth + b"]" * depth + b"]}"
    yield b'{"events":' * depth
    yield b'[{"event":"x","properties":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}]"
    yield b'{"batch":[{"type":"track","type":"page","userId":1,"userId":"u"}],"batch":[' + good + b'],"batch":3}'


@pytest.mark.parametrize("seed", range(40))
def test_bytes_of_all_kinds_are_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    for body in bodies_of(seed):
        _, endpoint = chance.choice(PLACES)
        refused_or_read(endpoint, body)
        refused_or_read(endpoint, b"", method="GET", query=body[:2000])
        configuration_of("GET", "/" + body.decode("latin-1"), body, body)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container inside a document with every key of it."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


@pytest.mark.parametrize("path", GOOD)
def test_a_wrong_value_at_every_place(path: str) -> None:
    endpoint = endpoint_of("POST", path)
    assert endpoint
    assert refused_or_read(endpoint, json.dumps(GOOD[path]).encode())
    for number in range(len(list(places(GOOD[path])))):
        for wrong in WRONG:
            document = json.loads(json.dumps(GOOD[path]))
            container, key = list(places(document))[number]
            container[key] = wrong
            try:
                body = json.dumps(document).encode()
            except ValueError:  # Python writes no number of more than 4,300 digits
                continue
            refused_or_read(endpoint, body)


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=300), place=st.sampled_from(PLACES), query=st.binary(max_size=50))
def test_any_bytes(body: bytes, place: tuple[tuple[str, ...], Endpoint], query: bytes) -> None:
    refused_or_read(place[1], body, query=query)
    refused_or_read(place[1], body, method="GET", query=query)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "batch",
                    "events",
                    "data",
                    "event",
                    "properties",
                    "type",
                    "userId",
                    "timestamp",
                    "distinct_id",
                    "traits",
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(document=JSON, place=st.sampled_from(PLACES))
def test_any_json(document: Any, place: tuple[tuple[str, ...], Endpoint]) -> None:
    refused_or_read(place[1], json.dumps(document).encode("utf-8", "surrogatepass"))


def test_a_bomb_is_refused_before_it_is_held() -> None:
    bomb = gzip.compress(b"\0" * 300_000_000, 9)
    with pytest.raises(TooLargeError) as refused:
        inflate(bomb, most=BODY_BYTES)
    assert refused.value.limit == "body_bytes"
    inside = gzip.compress(bomb)
    endpoint = endpoint_of("POST", "/v1/batch")
    assert endpoint
    assert refused_or_read(endpoint, inside) is None
    many = gzip.compress(b"a" * 400_000) * 3
    with pytest.raises(TooLargeError):
        inflate(many, most=BODY_BYTES)
    assert inflate(gzip.compress(b"ab") + gzip.compress(b"cd") + b"\0\0", most=4) == b"abcd"
    assert inflate(zlib.compress(b"abcd"), most=4) == b"abcd"
    assert inflate(b"abcd", most=4) == b"abcd"
    with pytest.raises(TooLargeError):
        inflate(b"abcde", most=4)
    with pytest.raises(UnreadableError, match="cut off"):
        inflate(gzip.compress(b"abcd")[:-3], most=4)


def test_what_is_over_the_limits() -> None:
    endpoint = endpoint_of("POST", "/v1/batch")
    assert endpoint

    def read(events: list[Any]) -> Parcel:
        body = json.dumps({"batch": events}).encode()
        return read_parcel(endpoint, method="POST", path="/v1/batch", query=b"", headers={}, body=body)

    one = {"type": "track", "event": "E", "userId": "u"}
    assert len(read([one] * BATCH_EVENTS).events) == BATCH_EVENTS
    with pytest.raises(TooLargeError) as refused:
        read([one] * (BATCH_EVENTS + 1))
    assert refused.value.limit == "batch_events"
    with pytest.raises(TooLargeError) as refused:
        read([{**one, "properties": {"a": "x" * 30_000}}] * 20)
    assert refused.value.limit == "batch_bytes"

    around = {"context": {"ip": "x" * SHARED_BYTES}}
    for one_path, request in (
        ("/v1/batch", {"batch": [one, one]}),
        ("/batch/", {"batch": [one]}),
        ("/2/httpapi", {"events": [1]}),
    ):
        place = endpoint_of("POST", one_path)
        assert place
        body = json.dumps({**request, **around}).encode()
        with pytest.raises(TooLargeError) as refused:
            read_parcel(place, method="POST", path=one_path, query=b"", headers={}, body=body)
        assert refused.value.limit == "shared_bytes"

    # One that is too large goes along with the good ones, and is set aside by itself.
    mixed = read([one, {**one, "properties": {"a": "x" * EVENT_BYTES}}, {**one, "event": "F"}])
    assert len(mixed.events) == 3
    with pytest.raises(BadCallError, match="larger than 32 KB"):
        rows_of(mixed, NOW)
    deep = json.loads("[" * 70 + "]" * 70)
    mixed = read([one, {**one, "properties": {"a": deep}}])
    with pytest.raises(BadCallError, match="nested more than 64 deep"):
        rows_of(mixed, NOW)
    with pytest.raises(UnreadableError, match="nested too deeply"):
        read_parcel(
            endpoint, method="POST", path="/", query=b"", headers={}, body=b'{"batch":[' + b"[" * 90_000
        )  # fmt: skip


def test_bytes_that_no_door_has_seen_are_translated_or_refused() -> None:
    good = b'{"type":"track","event":"E","userId":"u","properties":{"a":NaN,"b":"\\ud800","c":1e999}}'
    for shared in (b"{}", b"", b"[]", b"\xff", b'{"context":', b"[" * 50_000):
        [(_, row)] = translate("segment", shared, good, source="s", received_at=NOW)
        assert json.loads(row["properties"]) == {"a": None, "b": "\ufffd", "c": None}
    for broken in (b"", b"{", b"\xff", b"nul", b"[" * 30_000, b'{"a":' * 64):
        with pytest.raises(BadCallError):
            translate("segment", b"{}", broken, source="s", received_at=NOW)


def test_what_is_inside_a_parameter_is_looked_at_too() -> None:
    for inside in ("[]", "3", '{"data":' * 70, '{"a":"\\u0000"}', "{"):
        for event in ({"co": inside}, {"cx": base64.urlsafe_b64encode(inside.encode()).decode()}, {"co": 3}):
            with pytest.raises(BadCallError):
                translate(
                    "snowplow",
                    b"{}",
                    json.dumps({"e": "pv", "uid": "u", **event}).encode(),
                    source="s",
                    received_at=NOW,
                )
    pixel = endpoint_of("GET", "/i")
    assert pixel
    with pytest.raises(TooLargeError):
        read_parcel(pixel, method="GET", path="/i", query=b"a" * (BODY_BYTES + 1), headers={}, body=b"")
