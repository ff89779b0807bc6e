"""Times, ids and refusals, one call at a time."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handraise.events.calls.translate import BadCallError, translate

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TRACK = {"type": "track", "event": "E", "userId": "u", "messageId": "m"}


def rows(kind: str, said: Any, shared: Any = None, at: datetime = NOW) -> list[tuple[str, dict[str, str]]]:
    return translate(kind, json.dumps(shared or {}).encode(), json.dumps(said).encode(), source="s", received_at=at)


def event(said: dict[str, Any], shared: Any = None, kind: str = "segment", at: datetime = NOW) -> dict[str, str]:
    [row] = [row for name, row in rows(kind, said, shared, at) if name == "events"]
    return row


MINUTES = timedelta(minutes=1)
SECONDS = timedelta(seconds=1)
# What the event and the sending say, and what it becomes; all relative to the coming.
CLOCKS = {
    "a right clock": (-10 * MINUTES, -1 * SECONDS, -10 * MINUTES),
    "within a minute": (-10 * MINUTES, -60 * SECONDS, -10 * MINUTES),
    "an hour behind": (-70 * MINUTES, -60 * MINUTES, -10 * MINUTES),
    "an hour ahead": (50 * MINUTES, 60 * MINUTES, -10 * MINUTES),
    "nothing said of the sending": (-10 * MINUTES, None, -10 * MINUTES),
    "a future by five minutes": (5 * MINUTES, None, 5 * MINUTES),
    "a future beyond": (10 * MINUTES, None, 5 * MINUTES),
    "just new enough": (-timedelta(days=730), None, -timedelta(days=730)),
    "nothing said": (None, None, timedelta()),
}


@pytest.mark.parametrize("case", CLOCKS)
def test_wrong_clocks_are_put_right(case: str) -> None:
    at, sent, wanted = CLOCKS[case]
    said = {"timestamp": (NOW + at).isoformat()} if at is not None else {}
    shared = {"sentAt": (NOW + sent).isoformat()} if sent is not None else {}
    right = (NOW + wanted).replace(tzinfo=None).isoformat() + "Z"
    assert event({**TRACK, **said}, shared)["timestamp"] == right
    assert event({**TRACK, **said, **shared})["timestamp"] == right


def test_each_vendor_tells_its_time_of_sending() -> None:
    behind = NOW - timedelta(hours=1)
    early = (behind - 10 * MINUTES).timestamp()
    right = "2026-11-24T11:50:00Z"
    posthog = {"event": "E", "distinct_id": "u", "timestamp": (behind - 10 * MINUTES).isoformat()}
    assert event(posthog, {"sent_at": behind.isoformat()}, "posthog")["timestamp"] == right
    ago = {"event": "E", "distinct_id": "u", "offset": 600_000}
    assert event(ago, {"sent_at": behind.isoformat()}, "posthog")["timestamp"] == right
    amplitude = {"event_type": "E", "user_id": "u", "time": int(early * 1000)}
    assert event(amplitude, {"client_upload_time": behind.isoformat()}, "amplitude")["timestamp"] == right
    snowplow = {"e": "pv", "uid": "u", "dtm": str(int(early * 1000)), "stm": str(int(behind.timestamp() * 1000))}
    assert event(snowplow, None, "snowplow")["timestamp"] == right
    true = {**snowplow, "ttm": str(int(NOW.timestamp() * 1000))}
    assert event(true, None, "snowplow")["timestamp"] == "2026-11-24T12:00:00Z"
    assert event(TRACK, at=NOW.astimezone(tz=None))["timestamp"] == "2026-11-24T12:00:00Z"


REFUSED: dict[str, tuple[str, Any, str]] = {
    "no name": ("segment", {**TRACK, "event": " "}, "the event has no name"),
    "a name that is none": ("segment", {**TRACK, "event": {}}, "the event's name is not a text"),
    "a long name": ("segment", {**TRACK, "event": "x" * 1025}, "the event's name is longer than 1024 characters"),
    "nobody": ("segment", {**TRACK, "userId": ""}, "neither userId nor anonymousId"),
    "no type": ("segment", {"event": "E", "userId": "u"}, "the call has no type"),
    "an unknown type": ("segment", {**TRACK, "type": "dance"}, "no such type of call: dance"),
    "no group": ("segment/group", {"userId": "u"}, "the call has no groupId"),
    "an id that is none": ("segment", {**TRACK, "userId": ["u"]}, "userId is neither a text nor a number"),
    "a long id": ("segment", {**TRACK, "userId": "ü" * 513}, "userId is longer than 1024 bytes"),
    "properties that are none": ("segment", {**TRACK, "properties": "x"}, "properties is not a JSON object"),
    "no time": ("segment", {**TRACK, "timestamp": "soon"}, "timestamp is not an ISO-8601 time"),
    "no such day": ("segment", {**TRACK, "timestamp": "2026-02-30"}, "timestamp is not an ISO-8601 time"),
    "too old": ("segment", {**TRACK, "timestamp": "2024-11-24T11:59:59Z"}, "too old: timestamp is more than 730 days"),
    "a NUL": ("segment", {**TRACK, "properties": {"a": "x\0y"}}, "NUL"),
    "no object": ("segment", [1], "the event is not a JSON object"),
    "no distinct_id": ("posthog", {"event": "E"}, "the event has no distinct_id"),
    "no event_type": ("amplitude", {"user_id": "u"}, "the event has no event_type"),
    "no user": ("amplitude", {"event_type": "E"}, "neither user_id nor device_id"),
    "no properties": ("mixpanel_event", {"event": "E"}, "neither distinct_id nor"),
    "no profile": ("mixpanel_person", {"$set": {}}, "the profile has no"),
    "no profile of a group": ("mixpanel_group", {"$set": {}}, "the profile has no"),
    "no tracker's type": ("snowplow", {"uid": "u"}, "the event has no type"),
    "no schema": ("snowplow", {"uid": "u", "e": "ue"}, "has no schema"),
    "no base64": ("snowplow", {"uid": "u", "e": "pv", "cx": "%%"}, "cx cannot be read"),
    "an unknown kind": ("fax", {}, "no such kind of call: fax"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_why(case: str) -> None:
    kind, said, reason = REFUSED[case]
    with pytest.raises(BadCallError) as refused:
        rows(kind, said)
    assert reason in refused.value.reason


SILENT: dict[str, tuple[str, Any]] = {
    "an identify without a user": ("segment", {"type": "identify", "anonymousId": "a", "traits": {"email": "e"}}),
    "a session": ("amplitude", {"event_type": "session_start", "user_id": "u"}),
    "a page left": ("posthog", {"event": "$pageleave", "distinct_id": "u"}),
    "a session of Mixpanel's": ("mixpanel_event", {"event": "$session_end", "properties": {"distinct_id": "u"}}),
    "a profile of a device": ("mixpanel_person", {"$distinct_id": "$device:d", "$set": {"email": "e"}}),
    "counting": ("mixpanel_person", {"$distinct_id": "u", "$add": {"email": 1}}),
    "a ping": ("snowplow", {"e": "pp", "duid": "d"}),
    "a merge": ("rudderstack", {"type": "merge", "userId": "u"}),
}


@pytest.mark.parametrize("case", SILENT)
def test_what_is_no_product_use_gives_no_row(case: str) -> None:
    assert rows(*SILENT[case]) == []


def test_an_id_is_made_of_the_content_where_there_is_none() -> None:
    said = {"type": "track", "event": "E", "userId": "u", "timestamp": "2026-11-24T11:00:00Z"}
    first = event({**said, "sentAt": "2026-11-24T12:00:00Z", "writeKey": "hrw_a"})["event_id"]
    turned = dict(reversed(said.items()))
    again = event({**turned, "sentAt": "2026-11-24T12:00:09Z"}, at=NOW + timedelta(hours=1))["event_id"]
    assert first == again
    assert first != event({**said, "event": "F"})["event_id"]
    assert (
        first != translate("segment", b"{}", json.dumps(said).encode(), source="t", received_at=NOW)[0][1]["event_id"]
    )

    undated = {"event": "E", "properties": {"distinct_id": "u"}}
    made = [event(undated, kind="mixpanel_event", at=NOW + n * SECONDS)["event_id"] for n in (0, 59, 60)]
    assert made[0] == made[1] != made[2]


def test_one_spelling_of_an_id() -> None:
    assert event({**TRACK, "userId": "Zu\u0308rich"})["person_id"] == "Z\u00fcrich"
    assert event({**TRACK, "userId": 12})["person_id"] == "12"
    assert event({**TRACK, "userId": 2**70})["person_id"] == str(2**70)


def test_where_an_event_happened() -> None:
    assert event({**TRACK, "context": {"traits": {"groupId": "t"}}})["workspace_id"] == "t"
    assert event({**TRACK, "properties": {"companyId": ["t", "x"]}})["workspace_id"] == "t"
    assert event(TRACK, {"context": {"groupId": "t"}})["workspace_id"] == "t"
    assert "workspace_id" not in event({**TRACK, "properties": {"team_id": []}})


def test_tokens_are_no_properties() -> None:
    said = {"event": "E", "properties": {"token": "hrw_k", "distinct_id": "u", "$insert_id": "i", "a": 1}}
    kept = event(said, kind="mixpanel_event")["properties"]
    assert json.loads(kept) == {"distinct_id": "u", "$insert_id": "i", "a": 1}


def test_what_only_one_of_two_says_is_kept() -> None:
    said = {"user_id": "u", "user_properties": {"$set": {"email": "a"}, "$setOnce": {"email": "b", "title": "c"}}}
    assert rows("amplitude/identify", said) == [("people", {"person_id": "u", "email": "a", "title": "c"})]
    group = {"group_type": "org", "group_value": "o", "group_properties": {"name": "n", "employees": "many"}}
    assert rows("amplitude/groupidentify", group)[0] == ("workspaces", {"workspace_id": "o", "name": "n"})
