"""What in a call that cannot be used may be somebody's id or address: its sender's words are kept, whoever they are about."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote_plus

from handraise.events.calls.json_text import read_json
from handraise.events.calls.limits import ID_BYTES

# Shorter words, and numbers of fewer digits, stand in many texts that mean nobody.
TELLING = 6
_APART = r"\s\"'`<>()\[\]{},;:=&?|/\\"
_WORD = re.compile(rf"[^{_APART}]+")
_QUOTED = re.compile(r'"([^"\\]+)"')


def names_in(text: bytes) -> set[str]:
    """Every text in it that may be an id or an address: texts of JSON, also of JSON inside texts, and single words.

    Args:
        text: Whatever was sent; rather JSON, but anything goes.
    """
    found: set[str] = set()
    try:
        waiting = [read_json(text)]
    except ValueError:
        plain = text.decode("utf-8", "replace")
        waiting = [*_QUOTED.findall(plain)]
        found.update(_words(plain), _words(unquote_plus(plain)))
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            waiting += _inside(value)
            found.update(_words(value))
            found.add(value)
        elif isinstance(value, int | float) and len(str(value)) >= TELLING:
            found.add(str(value))
    short_enough = (one for one in found if 0 < len(one) <= ID_BYTES)
    return {form for one in short_enough for form in (one, unicodedata.normalize("NFC", one))}


def _inside(text: str) -> list[object]:
    """What a text says that is JSON itself."""
    if text[:1] not in {"{", "["}:
        return []
    try:
        return [read_json(text.encode("utf-8", "replace"))]
    except ValueError:
        return [*_QUOTED.findall(text)]


def _words(text: str) -> Iterator[str]:
    return (word for word in _WORD.findall(text) if len(word) >= TELLING or "@" in word)
