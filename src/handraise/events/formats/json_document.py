"""Take a JSON document apart that lists objects, or whose objects run over lines, without holding it whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from handraise.errors import InputError
from handraise.events.formats.batches import LONGEST_ROW

_CHUNK = 1024 * 1024
# A text, whose closing quote is missing where the bytes end inside it; or a bracket.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:(")|\\?\Z)|[\[\]{}]', re.DOTALL)
_SEPARATORS = b" \t\r\n,"


def is_document(first: bytes) -> bool:
    """Whether the first line with something on it starts a list, or an object that goes on over the next lines."""
    start = first.strip()
    return start.startswith(b"[") or start == b"{"


def elements(stream: IO[bytes], first: bytes, name: str) -> Iterator[bytes]:
    """The bytes of each object of the document, and of whatever else stands between its commas.

    Args:
        stream: What follows the first line.
        first: The first line that has something on it.
        name: What errors call the file.

    Raises:
        InputError: An object is longer than any row may be; most likely a bracket is missing.
    """
    rest = first.partition(b"[")[2] if first.strip().startswith(b"[") else first
    whole, count = False, 0
    while not whole:
        # As much again each time keeps a long object from being looked through over and over.
        more = stream.read(max(_CHUNK, len(rest)))
        whole = not more
        rest += more
        used = 0
        for start, end in _parts(rest, whole=whole):
            yield rest[start:end]
            used, count = end, count + 1
        rest = rest[used:]
        if len(rest) > LONGEST_ROW:
            raise InputError(
                f"object {count + 1} of the file does not end within {LONGEST_ROW // 1024**2} MiB.",
                where=name,
                todo="What stands before it is stored; mend the missing bracket and load the file again.",
            )


def _parts(text: bytes, *, whole: bool) -> Iterator[tuple[int, int]]:
    """Start and end of each part; what is not over when the bytes end is only given when they are the `whole` rest."""
    depth = start = 0
    for token in _TOKEN.finditer(text):
        bracket = token[0]
        if bracket in {b"{", b"["}:
            if depth == 0:
                yield from _something(text, start, token.start())
                start = token.start()
            depth += 1
        elif bracket in {b"}", b"]"}:
            if depth == 0:  # the end of the list
                yield from _something(text, start, token.start())
                start = token.end()
                continue
            depth -= 1
            if depth == 0:
                yield start, token.end()
                start = token.end()
        elif token[1] is None:
            break
    if whole:
        yield from _something(text, start, len(text))


def _something(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The part between two places, if there is more than separators."""
    length = len(text[start:end].lstrip(_SEPARATORS))
    if length:
        yield end - length, end - length + len(text[start:end].strip(_SEPARATORS))
