"""The ways in which JSON may write a text: any letter as an escape, and inside of a text once more."""

from __future__ import annotations

import re
import unicodedata


def spelled(text: str) -> str:
    """A pattern for a text as JSON may write it, to be used without regard to capitals."""
    forms = dict.fromkeys(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    return "(?:" + "|".join("".join(map(_letter, form)) for form in forms) + ")"


def _letter(letter: str) -> str:
    if letter == "/":
        return r"\\*/"
    codes = {ord(one) for one in (letter, letter.lower(), letter.upper()) if len(one) == 1}
    escapes = "|".join(f"{code:04x}" for code in sorted(codes))
    return rf"(?:{re.escape(letter)}|\\+u(?:{escapes}))"
