"""Amplitude's events, and what its two calls for identities say."""

from __future__ import annotations

from typing import Any

from handraise.events.calls.attributes import (
    group_rows,
    member_rows,
    people_rows,
    workspace_in,
    workspace_in_groups,
)
from handraise.events.calls.call import Call, Rows
from handraise.events.calls.values import BadCallError, plain_text
from handraise.events.formats.amplitude import NO_USE, WHO

_SILENT = frozenset((*WHO, *NO_USE))
# What an operation on a property sets, and of two the one that weighs more; the others count, collect or remove.
_SETS = ("$set", "$setOnce")


def translate_amplitude(call: Call) -> Rows:
    """Rows of one event."""
    said = call.said
    name = {"identify": "$identify", "groupidentify": "$groupidentify"}.get(call.action) or said.get("event_type")
    if plain_text(name) is None:
        raise BadCallError("the event has no event_type")
    user, device = call.identity("user_id"), call.identity("device_id")
    workspace = workspace_in_groups(_groups(call))
    rows = people_rows(user, *_set(call.part("user_properties")))
    if name == "$groupidentify":
        return rows + group_rows(workspace, _merged(call.part("group_properties")))
    if user is None and device is None:
        raise BadCallError("neither user_id nor device_id")
    if name == "$identify":
        return rows + member_rows(user, workspace)
    if (isinstance(name, str) and name in _SILENT) or plain_text(said.get("is_attribution_event")) == "true":
        return rows
    properties = call.part("event_properties")
    return rows + call.event(
        event_id=call.event_id(said.get("insert_id"), said.get("$insert_id"), said.get("uuid"), dated="time" in said),
        who=(user, device),
        name=name,
        at=call.at(said.get("time"), call.shared.get("client_upload_time"), name="time"),
        workspace=workspace or workspace_in(properties),
        properties=properties,
    )


def _groups(call: Call) -> dict[str, Any]:
    kind, value = call.said.get("group_type"), call.said.get("group_value")
    return {kind: value} if isinstance(kind, str) else call.part("groups")


def _set(said: dict[str, Any]) -> list[dict[str, Any]]:
    """Properties that are set, the strongest first; without operations, all of them."""
    objects = [found for name in _SETS if isinstance(found := said.get(name), dict)]
    return [*objects, {name: value for name, value in said.items() if not name.startswith("$")}]


def _merged(said: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for found in reversed(_set(said)):
        merged |= found
    return merged
