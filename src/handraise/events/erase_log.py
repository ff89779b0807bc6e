"""Take a person out of records of the log: however a sender wrote them, what is about the person goes."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import msgspec

from handraise.events.call_intake import ERASED, OF_PEOPLE, UNREADABLE
from handraise.events.calls.json_text import read_json, write_json
from handraise.events.calls.names import names_in
from handraise.events.calls.translate import BadCallError, translate
from handraise.events.calls.values import plain_text
from handraise.events.erase import GONE, Subject
from handraise.events.received import MENDED, Received, decode, instant_of
from handraise.events.spelling import spelled

_NOTHING = b"{}"
# Where JSON may write an id in another way than we do: letters and slashes with a backslash, numbers with an exponent.
_OTHERWISE = re.compile(rb"\\[u/]|[:\[,]\s*-?\d[\d.]*[eE]")


def without(subject: Subject, payload: bytes, received_at: int) -> bytes | None:
    """A record of the log without what is about a person; None = it holds nothing of theirs.

    A call that goes leaves its place, so that what was received stays counted.

    Args:
        subject: Who.
        payload: The record.
        received_at: When it came, as the log has it.
    """
    if not _may_name(subject, payload):
        return None
    record = decode(payload)
    kept = tuple(_kept(subject, record, event, received_at) for event in record.events)
    shared = _kept_shared(subject, record, kept)
    if kept == record.events and shared == record.shared:
        return None
    return Received(record.source, record.kind, shared, kept).encoded()


def ids_of(payload: bytes, received_at: int) -> set[str]:
    """Every id and address of people in a record of the log; of calls that cannot be used, whatever may be one."""
    record, found = decode(payload), set()
    for event in record.events:
        if event == ERASED:
            continue
        try:
            rows = translate(
                record.kind, record.shared, event, source=record.source, received_at=instant_of(received_at)
            )
        except BadCallError:
            found |= names_in(event)
            continue
        found |= {row[column] for _, row in rows for column in OF_PEOPLE if row.get(column)}
    return found


def _may_name(subject: Subject, payload: bytes) -> bool:
    """A quick look: false only for a record in which the ids and addresses stand in no way that JSON can write them."""
    if UNREADABLE.encode() in payload or _OTHERWISE.search(payload):
        return True
    text = _plain(payload.decode("utf-8", "replace"))
    return any(_plain(msgspec.json.encode(one)[1:-1].decode()) in text for one in (*subject.ids, *subject.emails))


def _plain(text: str) -> str:
    """The same for the same letters, whether large or small, and however they are put together."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _kept(subject: Subject, record: Received, event: bytes, received_at: int) -> bytes:
    # A body that was no request may be packed, or cut off: nobody can say what it holds.
    if event == ERASED or record.kind == UNREADABLE:
        return ERASED
    at = instant_of(received_at)
    try:
        rows = translate(record.kind, record.shared, event, source=record.source, received_at=at)
    except BadCallError:
        return ERASED if _is_named(subject, record, event) else event
    values = [(column, value) for _, row in rows for column, value in row.items()]
    if any(value in subject.ids for column, value in values if column in {"person_id", "anonymous_id", "alias_id"}):
        return ERASED
    if any(value.lower() in subject.emails for column, value in values if column == "email"):
        return ERASED
    return _without_mentions(subject, event)


def _is_named(subject: Subject, record: Received, event: bytes) -> bool:
    """Whether a call that gives no rows names the person; what somebody made of a call holds the call as a text."""
    try:
        said = read_json(event)
        if record.kind == MENDED:
            said = [_inside(said, name) for name in ("event", "shared")]
    except ValueError:
        plain = _plain(event.decode("utf-8", "replace"))
        if any(_plain(one) in plain for one in subject.texts):
            return True
        return any(one in subject.ids or one.lower() in subject.emails for one in names_in(event))
    return _names(subject, said)


def _inside(said: Any, name: str) -> object:
    text = said.get(name) if isinstance(said, dict) else None
    try:
        return read_json(text.encode("utf-8", "surrogateescape")) if isinstance(text, str) else None
    except ValueError:
        return text


def _names(subject: Subject, value: object) -> bool:
    """Whether an id stands in a JSON value as a text of its own, or a telling one inside a text."""
    if isinstance(value, dict):
        return any(_names(subject, part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(_names(subject, part) for part in value)
    text = unicodedata.normalize("NFC", plain_text(value) or "")
    return text in subject.ids or any(_plain(one) in _plain(text) for one in subject.texts)


def _kept_shared(subject: Subject, record: Received, kept: tuple[bytes, ...]) -> bytes:
    """What the request said for all of its calls: nothing where none is left, else without objects that name the person."""
    if record.kind == MENDED or not kept:
        return record.shared
    if all(event == ERASED for event in kept):
        return _NOTHING
    try:
        said = read_json(record.shared)
    except ValueError:
        return record.shared
    if not _names(subject, said):
        return record.shared
    cleared = write_json(_cleared(subject, said))
    return cleared if len(cleared) <= len(record.shared) else _NOTHING  # a record has no more room than it had


def _cleared(subject: Subject, value: Any) -> Any:
    """A JSON value in which the innermost object, or the list, that names the person is empty."""
    if isinstance(value, dict):
        parts = {name: _cleared(subject, part) for name, part in value.items() if isinstance(part, dict | list)}
        plain = {name: part for name, part in value.items() if name not in parts}
        return {} if _names(subject, plain) else {**plain, **parts}
    if isinstance(value, list):
        return [] if _names(subject, value) else value
    return value


def _without_mentions(subject: Subject, event: bytes) -> bytes:
    """Addresses of the person in somebody else's event give way to as many or fewer letters."""
    text = event.decode("utf-8", "surrogateescape")
    for email in sorted(subject.emails):
        text = re.sub(spelled(email), GONE[: len(email)], text, flags=re.IGNORECASE)
    return text.encode("utf-8", "surrogateescape")
