"""PostHog's events, as its libraries send them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from handraise.events.calls.attributes import (
    alias_rows,
    group_rows,
    people_rows,
    workspace_in,
    workspace_in_groups,
)
from handraise.events.calls.call import Call, Rows
from handraise.events.calls.values import BadCallError, as_id, first_element, iso, plain_text
from handraise.events.formats.posthog import NO_USE, WHO

_SILENT = frozenset((*WHO, *NO_USE))
_DISTINCT = ("distinct_id", "$distinct_id")
_FORMER = {"$identify": "$anon_distinct_id", "$create_alias": "alias", "$merge_dangerously": "alias"}


def translate_posthog(call: Call) -> Rows:
    """Rows of one event."""
    said, properties = call.said, call.part("properties")
    name = said.get("event")
    if plain_text(name) is None:
        raise BadCallError("the event has no name")
    distinct = call.identity(*_DISTINCT) or as_id(properties.get("distinct_id"), "distinct_id")
    if distinct is None:
        raise BadCallError("the event has no distinct_id")
    device = as_id(properties.get("$device_id"), "$device_id")
    is_anonymous = distinct == device or plain_text(properties.get("$is_identified")) == "false"
    person, anonymous = (None, distinct) if is_anonymous else (distinct, device)
    at = _at(call)
    rows = people_rows(person, *(_attributes(call, properties, place) for place in ("$set", "$set_once")))
    if isinstance(name, str) and name in _FORMER:
        rows += alias_rows(as_id(properties.get(_FORMER[name]), _FORMER[name]), distinct, at)
    if name == "$groupidentify":
        group = properties.get("$group_set")
        rows += group_rows(as_id(properties.get("$group_key"), "$group_key"), group if isinstance(group, dict) else {})
    if isinstance(name, str) and name in _SILENT:
        return rows
    return rows + call.event(
        event_id=call.event_id(said.get("uuid"), properties.get("$insert_id"), dated="timestamp" in said),
        who=(person, anonymous),
        name=name,
        at=at,
        workspace=_workspace(properties),
        properties=properties,
    )


def _at(call: Call) -> datetime:
    """Browsers send how long ago it was (`offset`, in milliseconds) instead of when, since their clocks are wrong."""
    value, offset = call.said.get("timestamp"), call.said.get("offset")
    sent = call.said.get("sent_at") or call.shared.get("sent_at")
    if value is None and isinstance(offset, int | float) and not isinstance(offset, bool):
        try:
            value, sent = iso(call.received_at - timedelta(milliseconds=abs(offset))), None
        except OverflowError:
            raise BadCallError(f"offset is beyond all years: {offset}") from None
    return call.at(value, sent)


def _attributes(call: Call, properties: dict[str, Any], place: str) -> dict[str, Any]:
    found = call.said.get(place) or properties.get(place)
    return found if isinstance(found, dict) else {}


def _workspace(properties: dict[str, Any]) -> str | None:
    groups = properties.get("$groups")
    found = workspace_in_groups(groups) if isinstance(groups, dict) else None
    return found or as_id(first_element(properties.get("$group_0")), "$group_0") or workspace_in(properties)
