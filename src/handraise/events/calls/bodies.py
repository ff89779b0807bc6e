"""A request's body, taken apart into its events; what an event says is looked at later.

Which vendor a shared path is used by: `/batch` is Amplitude's where the body has `events`, else PostHog's. `/track` is
PostHog's where its first event has `api_key`, `distinct_id` or `uuid` beside its properties, else Mixpanel's. `/engage`
is PostHog's where that has `event` or `api_key`, else Mixpanel's. All other shared names differ in the step before.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import msgspec

from handraise.events.calls.endpoints import Endpoint
from handraise.events.calls.json_text import read_forgiving, read_json, write_json
from handraise.events.calls.keys import IN_ENVELOPE, key_of
from handraise.events.calls.limits import BATCH_BYTES, BATCH_EVENTS, BODY_BYTES, SHARED_BYTES
from handraise.events.calls.packing import form_fields, inflate, is_form, json_of_field, plain_text
from handraise.events.calls.parcel import Parcel, TooLargeError, UnreadableError

__all__ = ["Parcel", "TooLargeError", "UnreadableError", "inflate", "read_parcel"]

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_DATA_FIELDS = ("data", "identification", "event")  # where a form holds JSON
_POSTHOG_TRACK = frozenset({"api_key", "distinct_id", "uuid"})
_POSTHOG_ENGAGE = frozenset({"api_key", "event"})
_LISTS = {
    "segment": ("batch",),
    "posthog": ("batch", "data"),
    "amplitude": ("events",),
    "snowplow": ("data",),
    "mixpanel": (),
}
# Where one event alone is no request.
_NEEDS_LIST = frozenset({"segment/batch", "posthog/batch", "amplitude/httpapi", "snowplow/tp2"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Content:
    """JSON of a body, and the fields that stood around it in a form; None = it was no form."""

    text: bytes
    form: Mapping[str, str] | None = None

    @property
    def is_list(self) -> bool:
        return self.text.startswith(b"[")


def read_parcel(
    endpoint: Endpoint, *, method: str, path: str, query: bytes, headers: Mapping[str, str], body: bytes
) -> Parcel:
    """The events of a request.

    Args:
        endpoint: What `endpoint_of` said.
        method: HTTP method; with GET, the query is the body.
        path: Path of the URL.
        query: Query of the URL, without its question mark.
        headers: Under their names in small letters.
        body: Bytes, unpacked where a header said that they are packed; where none said so, they may still be.

    Raises:
        UnreadableError: The body is not what such a request holds.
        TooLargeError: It holds more than one request may.
    """
    if len(query) > BODY_BYTES:
        raise TooLargeError(f"the query is larger than {BODY_BYTES // 1024} KB", limit="body_bytes")
    asked = form_fields(query)
    if endpoint.call == "metrics":
        key = key_of(path=path, query=asked, headers=headers, envelope={}, first=dict)
        return Parcel(kind="segment/metrics", key=key)
    content = _content(endpoint, asked if method == "GET" else None, body)
    kind, envelope, events = _apart(endpoint, content)
    _check_size(events)
    form = content.form or {}
    known = {**form, **{name: _text(envelope[name]) for name in IN_ENVELOPE if name in envelope}}

    # An event that comes alone says by itself what would stand around several.
    around = {} if events and events[0] is content.text else envelope

    def first() -> object:
        return _value(events[0]) if events else None

    return Parcel(
        kind=kind,
        key=key_of(path=path, query=asked, headers=headers, envelope=known, first=first),
        shared=_shared(kind, around, {**asked, **form}, is_form=content.form is not None),
        events=events,
    )


def _content(endpoint: Endpoint, asked: Mapping[str, str] | None, body: bytes) -> _Content:
    if asked is not None:
        return _Content(text=write_json(asked)) if endpoint.vendor == "snowplow" else _of_form(asked)
    text = plain_text(inflate(body, most=BODY_BYTES))
    return _of_form(form_fields(text)) if is_form(text) else _Content(text=_checked(text))


def _of_form(fields: Mapping[str, str]) -> _Content:
    for name in _DATA_FIELDS:
        if name in fields:
            text = _checked(plain_text(json_of_field(fields[name], most=BODY_BYTES)))
            return _Content(text=text, form={k: v for k, v in fields.items() if k != name})
    raise UnreadableError(f"the form has no field {' or '.join(f'`{name}`' for name in _DATA_FIELDS)}")


def _checked(text: bytes) -> bytes:
    """JSON of an object or a list in clean UTF-8; what libraries get wrong is mended."""
    if text[:1] not in {b"{", b"["}:
        raise UnreadableError("the body is neither a JSON object nor a list")
    try:
        text.decode()
        (_LIST if text.startswith(b"[") else _OBJECT).decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        try:
            return write_json(read_forgiving(text))
        except ValueError as error:
            raise UnreadableError(f"the body is not JSON: {error}") from None
    except RecursionError:
        raise UnreadableError("the body is nested too deeply") from None
    return text


def _apart(endpoint: Endpoint, content: _Content) -> tuple[str, dict[str, msgspec.Raw], tuple[bytes, ...]]:
    """Kind, envelope and events."""
    if content.is_list:
        events = _elements(content.text)
        return _kind(endpoint, _keys(events)), {}, events
    envelope = _OBJECT.decode(content.text)
    vendor = "amplitude" if endpoint.name == "posthog/batch" and "events" in envelope else endpoint.vendor
    for name in (*_LISTS[vendor], *(("batch",) if vendor == "mixpanel" else ())):
        if name not in envelope:
            continue
        found = bytes(envelope.pop(name)).strip()
        if not found.startswith(b"["):
            raise UnreadableError(f"`{name}` is not a list")
        return "posthog" if vendor == "mixpanel" else vendor, envelope, _elements(found)
    if not endpoint.call and endpoint.name in _NEEDS_LIST and content.form is None:
        raise UnreadableError(f"the body has no list `{_LISTS[vendor][0]}`")
    return _kind(endpoint, envelope.keys()), envelope, (content.text,)


def _kind(endpoint: Endpoint, keys: Set[str]) -> str:
    match endpoint.name:
        case "mixpanel/track":
            return "posthog" if not _POSTHOG_TRACK.isdisjoint(keys) else "mixpanel_event"
        case "mixpanel/engage":
            return "posthog" if not _POSTHOG_ENGAGE.isdisjoint(keys) else "mixpanel_person"
        case "mixpanel/groups":
            return "mixpanel_group"
        case "mixpanel/import":
            return "mixpanel_event"
    return f"{endpoint.vendor}/{endpoint.call}" if endpoint.call else endpoint.vendor


def _elements(text: bytes) -> tuple[bytes, ...]:
    return tuple(map(bytes, _LIST.decode(text)))


def _keys(events: tuple[bytes, ...]) -> frozenset[str]:
    first = _value(events[0]) if events else None
    return frozenset(first if isinstance(first, dict) else ())


def _value(text: bytes) -> object:
    try:
        return read_json(text)
    except ValueError:
        return None


def _text(raw: msgspec.Raw) -> object:
    return _value(bytes(raw))


def _check_size(events: tuple[bytes, ...]) -> None:
    if len(events) > BATCH_EVENTS:
        raise TooLargeError(f"{len(events)} events; a request may hold {BATCH_EVENTS}", limit="batch_events")
    if sum(map(len, events)) > BATCH_BYTES:
        raise TooLargeError(f"the events are larger than {BATCH_BYTES // 1024} KB together", limit="batch_bytes")


def _shared(kind: str, envelope: dict[str, msgspec.Raw], said: Mapping[str, str], *, is_form: bool) -> bytes:
    """What stands around the events, and what the query or the form says that is of use later.

    Raises:
        TooLargeError: It would be kept with each of five hundred events, and make one request into hundreds of megabytes.
    """
    found: dict[str, Any] = {name: raw for name, raw in envelope.items() if name not in IN_ENVELOPE}
    if kind == "posthog" and "sent_at" not in found and said.get("_", "").isdecimal():
        found["sent_at"] = said["_"][:20]  # the browser's clock, which it adds so that no cache answers
    if kind.startswith("mixpanel"):
        found = {"form": True} if is_form else {}
        if said.get("verbose", "0") not in {"0", ""}:
            found["verbose"] = True
    shared = msgspec.json.encode(found)
    if len(shared) > SHARED_BYTES:
        raise TooLargeError(
            f"what stands around the events is larger than {SHARED_BYTES // 1024} KB", limit="shared_bytes"
        )
    return shared
