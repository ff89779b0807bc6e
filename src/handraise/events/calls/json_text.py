"""JSON as libraries send it: read fast, and read again by the forgiving parser where it is not quite JSON.

They do send bare NaN and Infinity, halves of surrogate pairs, bytes that are no UTF-8 and numbers beyond 64 bits.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

from handraise.events.calls.limits import DEPTH

_ANY = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()
_SORTED = msgspec.json.Encoder(order="sorted")
_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_LONGEST_NUMBER = 300  # digits; Python refuses to read far longer ones


def read_json(text: bytes) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: It is no JSON, or nested too deeply to be read.
    """
    try:
        return _ANY.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return read_forgiving(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_forgiving(text: bytes) -> Any:
    """As `read_json`, by the parser that lets NaN, Infinity, lone surrogates and broken UTF-8 pass; these are mended.

    Raises:
        ValueError: It is no JSON, or nested too deeply to be read.
    """
    try:
        found = json.loads(
            text.decode("utf-8", "replace"), parse_constant=_nothing, parse_float=_finite, parse_int=_whole
        )
        # Once around through the encoder, which mends what no database can hold.
        return _ANY.decode(_mended(found))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def write_json(value: Any) -> bytes:
    """JSON in UTF-8 without spaces."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _mended(value)


def write_sorted(value: Any) -> bytes:
    """The same JSON for the same content, in whichever order its keys came."""
    return _SORTED.encode(value)


def is_too_deep(text: bytes) -> bool:
    """Whether objects and lists are inside each other more than `DEPTH` times."""
    if text.count(b"{") + text.count(b"[") <= DEPTH:
        return False
    depth = deepest = 0
    for token in _BRACKETS.finditer(text):
        bracket = token[0]
        if bracket in {b"{", b"["}:
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in {b"}", b"]"}:
            depth -= 1
    return deepest > DEPTH


def has_nul(text: bytes) -> bool:
    """Whether a JSON text has a NUL character, which is always written as an escape."""
    return b"\\u0000" in text and _NUL.search(text) is not None


def _mended(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Through UTF-16 two halves that belong together become one character, and a lone one becomes U+FFFD.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _nothing(_: str) -> None:
    return None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _whole(digits: str) -> int | float | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else _finite(digits)
