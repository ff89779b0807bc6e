"""The write key of a request: where each library puts it, and which counts where there are several."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

PREFIX = "hrw_"  # how every write key of ours starts
IN_ENVELOPE = ("writeKey", "write_key", "api_key", "apiKey", "token", "$token")
_IN_QUERY = ("write_key", "writeKey", "api_key", "token")
_ONLY_OURS_IN_QUERY = ("ver", "aid")  # elsewhere a version and an application


def key_of(
    *,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    envelope: Mapping[str, Any],
    first: Callable[[], object],
) -> str | None:
    """The first key that is one of ours, else the first that is there at all.

    Libraries have places for credentials of their own: beside a token of ours they may send a user name.

    Args:
        path: Path of the URL.
        query: Parameters of the URL.
        headers: Under their names in small letters.
        envelope: What stands around the events.
        first: Gives the first event, whatever it is; it is read only where nothing before has a key of ours.
    """
    other = None
    for key in _candidates(path, query, headers, envelope, first):
        if key.startswith(PREFIX):
            return key
        other = other or key
    return other


def _candidates(
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    envelope: Mapping[str, Any],
    first: Callable[[], object],
) -> Iterator[str]:
    yield from _in_authorization(headers.get("authorization", ""))
    yield from _texts(headers, ("x-write-key",))
    yield from _texts(envelope, IN_ENVELOPE)
    yield from _texts(query, _IN_QUERY)
    yield from (unquote(step) for step in path.split("/") if step.startswith(PREFIX))
    yield from (text for text in _texts(query, _ONLY_OURS_IN_QUERY) if text.startswith(PREFIX))
    event = first()
    if isinstance(event, dict):
        yield from _texts(event, (*IN_ENVELOPE, "aid"))
        properties = event.get("properties")
        if isinstance(properties, dict):
            yield from _texts(properties, ("token", "$token"))


def _in_authorization(header: str) -> Iterator[str]:
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        yield value.strip()
    if scheme.lower() != "basic":
        return
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return
    yield from (part for part in pair.split(":", 1) if part)


def _texts(where: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        value = where.get(name)
        if isinstance(value, str) and value:
            yield value
