"""Whom a call names that gives no rows: the values under the names that libraries have for ids and addresses."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from handraise.events.calls.json_text import read_json
from handraise.events.calls.limits import ID_BYTES
from handraise.events.calls.values import plain_text

# In small letters, without `$` and underscores.
_NAMES = frozenset(
    {"userid", "anonymousid", "previousid", "distinctid", "deviceid", "anondistinctid", "anonid", "identifiedid"}
    | {"alias", "uid", "duid", "nuid", "tnuid", "personid", "aliasid", "email"}
)
_MOST = 100


def who_in(event: bytes) -> set[str]:
    """Ids and addresses of a call, a hundred at most; none where it is no JSON."""
    try:
        said = read_json(event)
    except ValueError:
        return set()
    found: set[str] = set()
    for text in _texts(said):
        found.add(unicodedata.normalize("NFC", text))
        if len(found) >= _MOST:
            break
    return found


def _texts(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            for name, said in part.items():
                text = None if isinstance(said, dict | list) else plain_text(said)
                if text and len(text) <= ID_BYTES and name.lower().replace("_", "").strip("$") in _NAMES:
                    yield text
