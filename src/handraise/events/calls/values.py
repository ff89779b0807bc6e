"""Single values of a call: texts, ids and instants, with the words for what is wrong with them."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime, timedelta

from handraise.events.calls.json_text import read_json, write_json
from handraise.events.calls.limits import ID_BYTES

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all instants in here are UTC without a zone
_LAST_MICROSECOND = 7.26e15  # the year 2200
_SHOWN = 60


class BadCallError(Exception):
    """A call cannot be used; it is set aside with this reason.

    Args:
        reason: What is wrong, for a person.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason for quarantine."""
        self.reason = reason
        super().__init__(reason)


def plain_text(value: object) -> str | None:
    """A value as text, whatever its JSON type; None where it is missing, null or blank."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return write_json(value).decode()


def first_element(value: object) -> object:
    """The first element of a list, also of one that is written as JSON in a text; else the value."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = read_json(value.encode())
        except ValueError:
            return value
    if isinstance(value, list):
        return value[0] if value else None
    return value


def as_id(value: object, name: str) -> str | None:
    """An id as text in the one spelling of its characters; None where there is none.

    Args:
        value: What stands there.
        name: What an error calls it.

    Raises:
        BadCallError: It is no text and no number, or too long.
    """
    if isinstance(value, dict | list):
        raise BadCallError(f"{name} is neither a text nor a number")
    text = plain_text(value)
    if text is None:
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if len(text) > ID_BYTES or (not text.isascii() and len(text.encode()) > ID_BYTES):
        raise BadCallError(f"{name} is longer than {ID_BYTES} bytes")
    return text


def as_instant(value: object, name: str) -> datetime | None:
    """An instant, UTC without a zone: of ISO text, or of a number since 1970 whose size tells its unit.

    Raises:
        BadCallError: It is neither.
    """
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if text[4:5] == "-":
            return _of_iso(text, name)
        try:
            value = float(text)
        except ValueError:
            raise _no_time(text, name) from None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _no_time(value, name)
    return _of_epoch(value, name)


def iso(at: datetime) -> str:
    """ISO text with a Z."""
    return f"{at.isoformat()}Z"


def _of_iso(text: str, name: str) -> datetime:
    try:
        at = datetime.fromisoformat(text.removesuffix("UTC").rstrip())
        return at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise _no_time(text, name) from None


def _of_epoch(value: float, name: str) -> datetime:
    # The same borders as for files; see `instant_of_epoch`.
    try:
        number = float(value)
    except OverflowError:
        raise _no_time(value, name) from None
    if number < 1e11:  # noqa: PLR2004
        micros = number * 1e6
    elif number < 1e14:  # noqa: PLR2004
        micros = number * 1e3
    else:
        micros = number if number < 1e17 else number / 1e3  # noqa: PLR2004
    if not math.isfinite(micros) or number < 0 or micros >= _LAST_MICROSECOND:
        raise _no_time(value, name)
    return _EPOCH + timedelta(microseconds=round(micros))


def _no_time(value: object, name: str) -> BadCallError:
    shown = (plain_text(value) or "")[:_SHOWN]
    return BadCallError(f"{name} is not an ISO-8601 time and no number since 1970: {shown}")
