"""One event of a parcel to canonical rows; the same rows that the vendor's export of it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from handraise.events.calls.amplitude import translate_amplitude
from handraise.events.calls.call import Call, Rows, call_of
from handraise.events.calls.json_text import has_nul, is_too_deep, read_json
from handraise.events.calls.limits import DEPTH, EVENT_BYTES
from handraise.events.calls.mixpanel import (
    translate_mixpanel_event,
    translate_mixpanel_group,
    translate_mixpanel_person,
)
from handraise.events.calls.posthog import translate_posthog
from handraise.events.calls.segment import translate_segment
from handraise.events.calls.snowplow import translate_snowplow
from handraise.events.calls.values import BadCallError
from handraise.events.calls.webhook import translate_webhook
from handraise.events.formats.batches import NUL

__all__ = ["BadCallError", "translate"]

_TRANSLATORS: dict[str, Callable[[Call], Rows]] = {
    "segment": translate_segment,
    "rudderstack": translate_segment,
    "posthog": translate_posthog,
    "amplitude": translate_amplitude,
    "mixpanel_event": translate_mixpanel_event,
    "mixpanel_person": translate_mixpanel_person,
    "mixpanel_group": translate_mixpanel_group,
    "snowplow": translate_snowplow,
    "webhook": translate_webhook,
}


def translate(kind: str, shared: bytes, event: bytes, *, source: str, received_at: datetime) -> Rows:
    """Input → canonical columns as text, for every row that one event gives; none = it is no product use.

    Args:
        kind: Whose event it is, as the parcel says.
        shared: What the parcel says for all its events.
        event: JSON of the event.
        source: Where events of this write key come from; an id that has to be made holds it.
        received_at: When the request came, with its zone, or UTC.

    Raises:
        BadCallError: It cannot be used; the reason is for a person.
    """
    vendor, _, action = kind.partition("/")
    translator = _TRANSLATORS.get(vendor)
    if translator is None:
        raise BadCallError(f"no such kind of call: {kind}")
    if len(event) > EVENT_BYTES:
        raise BadCallError(f"the event is larger than {EVENT_BYTES // 1024} KB ({len(event)} bytes)")
    if is_too_deep(event):
        raise BadCallError(f"the event is nested more than {DEPTH} deep")
    if has_nul(event) or has_nul(shared):
        raise BadCallError(NUL)
    said = _read(event)
    if not isinstance(said, dict):
        raise BadCallError("the event is not a JSON object")
    return translator(call_of(action=action, said=said, shared=_shared(shared), source=source, received_at=received_at))


def _read(event: bytes) -> object:
    try:
        found: object = read_json(event)
    except ValueError as error:
        raise BadCallError(f"the event is not JSON: {error}") from None
    return found


@lru_cache(maxsize=64)  # all events of a request share one text
def _shared(text: bytes) -> Mapping[str, Any]:
    try:
        found = read_json(text)
    except ValueError:
        found = None
    return MappingProxyType(found) if isinstance(found, dict) else MappingProxyType({})
