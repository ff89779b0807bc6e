"""Values out of somebody else's answer: found by a JSON pointer, and made plain, short and harmless before they are kept."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from handraise.records.enrichment import Value

LONGEST_TEXT = 200  # characters
_MOST_TAGS = 30
_MOST_EMPLOYEES = 10_000_000
# 1,200 · 51-200 · 51 – 200 · 10,001+ : of a range, the lower end is what is sure.
_SIZE = re.compile(r"(\d{1,3}(?:[,. ]\d{3})+|\d+)\s*(?:[-–].*|to .*|\+)?", re.IGNORECASE)
# Controls, invisible signs, halves of pairs, signs of one's own, and signs that nothing is assigned to.
_NOT_SHOWN = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])


def at_pointer(document: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) leads to; None where there is nothing."""
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isascii() and name.isdecimal() and int(name[:9]) < len(found):
            found = found[int(name[:9])]
        else:
            return None
    return found


def plain_value(field: str, found: Any) -> Value | None:
    """A value as it may be kept; None where it is not of the field's kind."""
    if field == "employees":
        return _size(found)
    if field == "tags" and isinstance(found, list):
        texts = [text for text in (_text(one) for one in found[:_MOST_TAGS]) if text]
        return _text("; ".join(texts)) if texts else None
    return _text(found)


def _text(found: Any) -> str | None:
    if not isinstance(found, str):
        return None
    text = unicodedata.normalize("NFC", found[: LONGEST_TEXT * 4])
    shown = "".join(" " if sign.isspace() else sign for sign in text if sign.isspace() or _is_shown(sign))
    return " ".join(shown.split())[:LONGEST_TEXT].strip() or None


def _is_shown(sign: str) -> bool:
    return unicodedata.category(sign) not in _NOT_SHOWN


def _size(found: Any) -> int | None:
    if isinstance(found, str):
        said = _SIZE.fullmatch(found.strip()[:40])
        found = int(re.sub(r"\D", "", said[1])) if said else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    if not 1 <= found <= _MOST_EMPLOYEES:
        return None
    return round(found)
