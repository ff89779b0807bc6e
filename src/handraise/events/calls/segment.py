"""Segment's calls, and RudderStack's, which are the same but for where traits stand."""

from __future__ import annotations

from typing import Any

from handraise.events.calls.attributes import alias_rows, group_rows, member_rows, people_rows, workspace_in
from handraise.events.calls.call import Call, Rows
from handraise.events.calls.values import BadCallError, as_id, plain_text

_VIEWS = {"page": "page_view", "screen": "screen_view"}
_GROUP_IN_TRAITS = ("groupId", "group_id")
_NO_USE = frozenset({"merge", "metrics"})


def translate_segment(call: Call) -> Rows:
    """Rows of one call."""
    said = call.said
    action = call.action or said.get("type")
    user, anonymous = call.identity("userId", "user_id"), call.identity("anonymousId", "anonymous_id")
    if not isinstance(action, str) or not action:
        raise BadCallError("the call has no type")
    if action in _NO_USE:
        return []
    if user is None and anonymous is None:
        raise BadCallError("neither userId nor anonymousId")
    sent = said.get("sentAt") or call.shared.get("sentAt")
    time = said.get("timestamp") or said.get("originalTimestamp")
    at = call.at(time, sent)
    if action == "track" or action in _VIEWS:
        properties = call.part("properties")
        name: object = said.get("event")
        if action != "track":
            name, properties = _view(_VIEWS[action], said, properties)
        return call.event(
            event_id=call.event_id(said.get("messageId"), dated=bool(time)),
            who=(user, anonymous),
            name=name,
            at=at,
            workspace=_workspace(_context(call), properties),
            properties=properties,
        )
    aliases = alias_rows(anonymous, user, at)
    match action:
        case "identify":
            traits = _context(call).get("traits")
            return [*people_rows(user, call.part("traits"), traits if isinstance(traits, dict) else {}), *aliases]
        case "group":
            group = call.identity("groupId", "group_id")
            if group is None:
                raise BadCallError("the call has no groupId")
            return [*group_rows(group, call.part("traits")), *member_rows(user, group), *aliases]
        case "alias":
            return [*alias_rows(call.identity("previousId", "previous_id"), user, at), *aliases]
    raise BadCallError(f"no such type of call: {action[:60]}")


def _view(kind: str, said: dict[str, Any], properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name and properties of a page or a screen; its name is one of them, as in Segment's tables."""
    named = {key: value for key in ("name", "category") if plain_text(value := said.get(key)) is not None}
    properties = {**properties, **named}
    name = properties.get("name")
    return (f"{kind}: {name}" if isinstance(name, str) and name else kind), properties


def _context(call: Call) -> dict[str, Any]:
    own, shared = call.said.get("context"), call.shared.get("context")
    own = own if isinstance(own, dict) else {}
    return {**shared, **own} if isinstance(shared, dict) else own


def _workspace(context: dict[str, Any], properties: dict[str, Any]) -> str | None:
    found = as_id(context.get("groupId") or context.get("group_id"), "context.groupId")
    traits = context.get("traits")
    if found is None and isinstance(traits, dict):
        found = next((text for name in _GROUP_IN_TRAITS if (text := as_id(traits.get(name), "the group"))), None)
    return found or workspace_in(properties)
