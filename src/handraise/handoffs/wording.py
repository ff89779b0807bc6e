"""Names that strangers chose, made fit for a text: no link, no markup, no line break and nothing that cannot be seen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST_NAME = 80
# Beside letters, digits and the marks that belong to them. A full stop stays only where no letter follows: mail programs
# make a link of `evil.example`.
_SIGNS = frozenset(" .,'’&+-–!?()·")
_DOT_INSIDE = re.compile(r"\.(?=[^\s.])")
_SCHEME = re.compile(r"\b(?:https?|www)\b", re.IGNORECASE)
# Signs at the beginning say nothing in a name; several in a row make a rule or a picture, and marks a tower.
_LEADING = re.compile(r"^[^\w(]+")
_RUNS = re.compile(r"([-–!?.,'’&+·])[-–!?.,'’&+·]+")
_MOST_MARKS = 4


def clean(name: object, most: int = LONGEST_NAME) -> str:
    """A name of a person, a company or a feature as one line of visible text; empty = nothing of it can be shown.

    Args:
        name: As it was sent; None is nothing.
        most: At most so many characters; what is longer ends in `…`.
    """
    if name is None:
        return ""
    text = unicodedata.normalize("NFKC", str(name)[: most * 20])
    kept = "".join(one if _is_shown(one) else " " for one in _low(text) if not _is_invisible(one))
    kept = _RUNS.sub(r"\1", _SCHEME.sub(" ", _DOT_INSIDE.sub(" ", kept)))
    kept = _LEADING.sub("", " ".join(kept.split()))
    return kept if len(kept) <= most else kept[: most - 1].rstrip() + "…"


def _low(text: str) -> Iterator[str]:
    """Characters with at most so many marks upon each other."""
    marks = 0
    for one in text:
        marks = marks + 1 if unicodedata.category(one)[0] == "M" else 0
        if marks <= _MOST_MARKS:
            yield one


def words_of(key: object, most: int = LONGEST_NAME) -> str:
    """A key such as `guest_portal` as somebody would say it."""
    return clean(str(key or "").replace("_", " ").replace("-", " "), most)


def _is_invisible(one: str) -> bool:
    """Format characters, joiners and tags go without leaving a gap; spaces and line breaks become a space."""
    return unicodedata.category(one) in {"Cf", "Cs", "Co", "Cn"} or one in _FILLERS


# Letters and marks that show nothing: Hangul fillers, combining grapheme joiner, variation selectors, Braille blank.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u034f\u2800\u17b4\u17b5") | {chr(n) for n in range(0xFE00, 0xFE10)}


def _is_shown(one: str) -> bool:
    return one in _SIGNS or unicodedata.category(one)[0] in {"L", "M", "N"}


def invisible_in(text: str) -> bool:
    """Whether a text holds what cannot be seen, beside spaces and line breaks."""
    return any(_is_invisible(one) or (unicodedata.category(one) == "Cc" and one != "\n") for one in text)
