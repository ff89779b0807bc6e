"""Snowplow's tracker protocol: short parameters, and JSON inside them that may be in base64."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from handraise.events.calls.attributes import workspace_in
from handraise.events.calls.call import Call, Rows
from handraise.events.calls.json_text import has_nul, is_too_deep, read_json
from handraise.events.calls.limits import DEPTH
from handraise.events.calls.values import BadCallError, plain_text
from handraise.events.formats.batches import NUL
from handraise.events.formats.snowplow import NO_USE

_NAMES = {"pv": "page_view", "pp": "page_ping", "tr": "transaction", "ti": "transaction_item"}
# Parameters by the names of their columns, in the order in which those are kept.
_PLAIN = {"page_url": "url", "page_title": "page", "se_category": "se_ca", "se_action": "se_ac"}
_PLAIN |= {"se_label": "se_la", "se_property": "se_pr", "se_value": "se_va"}


def translate_snowplow(call: Call) -> Rows:
    """Row of one event."""
    said = call.said
    schema, own = _own(said)
    name = _name(said, schema)
    if name in NO_USE:
        return []
    person, anonymous = call.identity("uid"), call.identity("duid", "nuid", "tnuid")
    if person is None and anonymous is None:
        raise BadCallError("neither uid nor duid nor nuid")
    true, created = said.get("ttm"), said.get("dtm")
    properties = _properties(said, own)
    return call.event(
        event_id=call.event_id(said.get("eid"), dated=bool(true or created)),
        who=(person, anonymous),
        name=name,
        # `ttm` is the true time by definition; only `dtm` follows the clock of the device.
        at=call.at(true, None, name="ttm") if true else call.at(created, said.get("stm"), name="dtm"),
        workspace=workspace_in(properties),
        properties=properties,
    )


def _name(said: dict[str, Any], schema: str) -> object:
    kind = said.get("e")
    if kind == "se":
        return plain_text(said.get("se_ac")) or said.get("se_ca")
    if kind == "ue":
        steps = schema.removeprefix("iglu:").split("/")
        if len(steps) < 2:  # noqa: PLR2004 - vendor and name
            raise BadCallError("the self-describing event has no schema")
        return steps[1]
    if not isinstance(kind, str) or not kind:
        raise BadCallError("the event has no type (e)")
    return _NAMES.get(kind, kind)


def _own(said: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Schema and data of a self-describing event."""
    outer = _document(said, "ue_px", "ue_pr")
    inner = outer.get("data")
    if not isinstance(inner, dict):
        return "", {}
    schema, data = inner.get("schema"), inner.get("data")
    return (schema if isinstance(schema, str) else ""), (data if isinstance(data, dict) else {})


def _properties(said: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The event's own data, then its contexts, then page and structured fields; of two of one name, the first."""
    found = dict(own)
    for context in _contexts(said):
        for name, value in context.items():
            found.setdefault(name, value)
    for name, parameter in _PLAIN.items():
        text = plain_text(said.get(parameter))
        if text is not None:
            found.setdefault(name, text)
    path = _path(said.get("url"))
    if path:
        found.setdefault("page_urlpath", path)
    return found


def _contexts(said: dict[str, Any]) -> Iterator[dict[str, Any]]:
    listed = _document(said, "cx", "co").get("data")
    for context in listed if isinstance(listed, list) else []:
        data = context.get("data") if isinstance(context, dict) else None
        if isinstance(data, dict):
            yield data


def _path(url: object) -> str:
    try:
        return urlsplit(url).path if isinstance(url, str) else ""
    except ValueError:
        return ""


def _document(said: dict[str, Any], packed: str, plain: str) -> dict[str, Any]:
    """The JSON object of a parameter, in base64 or not."""
    name = packed if said.get(packed) else plain
    value = said.get(name)
    if value is None or value == "" or isinstance(value, dict):
        return value or {}
    if not isinstance(value, str):
        raise BadCallError(f"{name} is not a text")
    try:
        text = _unpacked(value) if name == packed else value.encode()
        if is_too_deep(text):
            raise BadCallError(f"{name} is nested more than {DEPTH} deep")
        if has_nul(text):
            raise BadCallError(NUL)
        found = read_json(text)
    except (binascii.Error, ValueError) as error:
        raise BadCallError(f"{name} cannot be read ({error})") from None
    if not isinstance(found, dict):
        raise BadCallError(f"{name} is not a JSON object")
    return found


def _unpacked(text: str) -> bytes:
    packed = text.strip().rstrip("=").replace("+", "-").replace("/", "_").replace(" ", "-").encode()
    return base64.b64decode(packed + b"=" * (-len(packed) % 4), altchars=b"-_", validate=True)
