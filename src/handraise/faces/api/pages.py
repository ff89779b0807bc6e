"""Lists are read page by page: a cursor says after which row the next page begins, and to which list it belongs."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel, Field

from handraise.faces.api.asked import Asked
from handraise.faces.api.problems import ProblemError

Row = TypeVar("Row")
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]
_CHECK = 8
_LONGEST = 20_000


class Paged(Asked):
    """Parameters of a list."""

    limit: Annotated[int, Field(ge=1, le=500, description="Rows at most.")] = 50
    cursor: Annotated[
        str | None, Field(max_length=_LONGEST, description="`next` of the page before; without it, the first page.")
    ] = None


class Page(BaseModel, Generic[Row]):
    """A part of a list."""

    rows: list[Row]
    next: str | None = Field(description="`cursor` of the next page; null = this was the last.")


class DayPage(Page[Row], Generic[Row]):
    """A part of a list of scores."""

    as_of: date = Field(description="The day that was scored.")
    newer: date | None = Field(description="A later day that could be scored, if no day was asked for.")


def place_in(name: str, asked: Paged, kind: Any) -> Any:
    """The place after which a page begins; None = the first page.

    Args:
        name: Of the list.
        asked: The parameters.
        kind: Of which type places of this list are.

    Raises:
        ProblemError: The cursor is of another list, or none at all.
    """
    if asked.cursor is None:
        return None
    try:
        return _place(name, asked, asked.cursor, kind)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise ProblemError(
            "wrong-cursor",
            "this cursor does not belong to this list.",
            todo="Ask with the same parameters as for the page that gave it, or begin without a cursor.",
            where="query.cursor",
        ) from error


def _place(name: str, asked: Paged, cursor: str, kind: Any) -> Any:
    whole = base64.urlsafe_b64decode(cursor.encode("ascii"))
    check, content = whole[:_CHECK], whole[_CHECK:]
    if check != _check(name, asked, content):
        raise ValueError("of another list")
    return msgspec.json.decode(content, type=kind)


def cut(
    name: str, asked: Paged, found: Sequence[Row], place: Callable[[Row], tuple[Any, ...]]
) -> tuple[list[Row], str | None]:
    """A page and the cursor of the next; `found` has one row more than was asked for, if there is one."""
    rows = list(found[: asked.limit])
    if len(found) <= asked.limit:
        return rows, None
    content = msgspec.json.encode(place(rows[-1]))
    return rows, base64.urlsafe_b64encode(_check(name, asked, content) + content).decode("ascii")


def _check(name: str, asked: Paged, content: bytes) -> bytes:
    """Tells cursors of different lists apart. It is no secret: a cursor only says where in a list to begin."""
    query = asked.model_dump_json(exclude={"limit", "cursor"}).encode()
    return hashlib.blake2b(b"\0".join((name.encode(), query, content)), digest_size=_CHECK).digest()
