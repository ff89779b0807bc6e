"""Mixpanel's events, and the profiles of people and groups."""

from __future__ import annotations

from typing import Any

from handraise.events.calls.attributes import (
    alias_rows,
    group_rows,
    people_rows,
    workspace_in,
    workspace_in_groups,
)
from handraise.events.calls.call import Call, Rows
from handraise.events.calls.values import BadCallError, as_id, plain_text
from handraise.events.formats.mixpanel import NO_USE, OF_A_DEVICE, WHO

_SILENT = frozenset((*WHO, *NO_USE))


def translate_mixpanel_event(call: Call) -> Rows:
    """Rows of one event."""
    name, properties = call.said.get("event"), call.part("properties")
    if plain_text(name) is None:
        raise BadCallError("the event has no name")
    at = call.at(properties.get("time"), None, name="time")
    if isinstance(name, str) and name in WHO:
        return alias_rows(*_merged(name, properties), at)
    if isinstance(name, str) and name in _SILENT:
        return []
    person, anonymous = _who(properties)
    if person is None and anonymous is None:
        raise BadCallError("neither distinct_id nor $user_id nor $device_id")
    groups = properties.get("$groups")
    return call.event(
        event_id=call.event_id(properties.get("$insert_id"), dated="time" in properties),
        who=(person, anonymous),
        name=name,
        at=at,
        workspace=(workspace_in_groups(groups) if isinstance(groups, dict) else None) or workspace_in(properties),
        properties=properties,
    )


def translate_mixpanel_person(call: Call) -> Rows:
    """Row of a profile that says something known; counting and collecting say nothing."""
    person = call.identity("$distinct_id")
    if person is None:
        raise BadCallError("the profile has no $distinct_id")
    if person.startswith(OF_A_DEVICE):
        return []
    return people_rows(person, call.part("$set"), call.part("$set_once"))


def translate_mixpanel_group(call: Call) -> Rows:
    """Rows of a group's profile."""
    group = call.identity("$group_id")
    if group is None:
        raise BadCallError("the profile has no $group_id")
    said = {**call.part("$set_once"), **call.part("$set")}
    return group_rows(group, said) if said else []


def _who(properties: dict[str, Any]) -> tuple[str | None, str | None]:
    """Person and anonymous id; some ids are made up for somebody who has not signed in."""
    distinct = as_id(properties.get("distinct_id"), "distinct_id")
    device = as_id(properties.get("$device_id"), "$device_id")
    user = as_id(properties.get("$user_id"), "$user_id")
    made_up = distinct is not None and (distinct.startswith(OF_A_DEVICE) or distinct == device)
    if not made_up or distinct is None:
        return user or distinct, device
    return user, device or distinct.removeprefix(OF_A_DEVICE)


def _merged(name: str, properties: dict[str, Any]) -> tuple[str | None, str | None]:
    """Which id is to be taken for which."""
    former: object = None
    person: object = None
    if name == "$identify":
        former, person = properties.get("$anon_id"), properties.get("$identified_id")
    elif name == "$create_alias":
        former, person = properties.get("distinct_id"), properties.get("alias")
    else:
        listed = properties.get("$distinct_ids")
        if isinstance(listed, list) and len(listed) > 1:
            former, person = listed[0], listed[1]
    alias = as_id(former, "the alias")
    return (alias.removeprefix(OF_A_DEVICE) if alias else None), as_id(person, "the person")
