"""Read a request's body: counted while it comes in, within a time, and never more of it in memory than is allowed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Seconds for a whole body.
BODY_DEADLINE = 25.0
# Of a body that is too large, so much is still read and thrown away, so that the sender can read the answer.
_DRAINED = 8 * 1024 * 1024
_MEMBER, _MOST_MEMBERS = b"\x1f\x8b\x08", 256


class BodyTooLargeError(Exception):
    """The body is longer than allowed; nothing of it was kept."""


class BodyLateError(Exception):
    """The body did not come in time."""


class ClientGoneError(Exception):
    """The sender closed the connection before the body was complete."""


class NoRoomError(Exception):
    """As many bytes of bodies are in memory as may be."""


class Room:
    """Memory for bodies while they come in. Bytes count once they are here: to announce many costs nothing.

    Args:
        most: Bytes at the same time.
        each: Bytes of one body that are kept at most; what comes beyond is thrown away.
    """

    def __init__(self, most: int, *, each: int) -> None:
        self._most, self._each, self._held = most, each, 0

    @contextlib.contextmanager
    def taken_by(self, receive: Receive) -> Iterator[Receive]:
        """Inside, each part of a body takes room.

        Raises:
            NoRoomError: There is none for a part.
        """
        held = 0

        async def metered() -> Message:
            nonlocal held
            message = await receive()
            size = min(len(message.get("body", b"")), self._each - held)
            held, self._held = held + size, self._held + size
            if self._held > self._most:
                raise NoRoomError
            return message

        try:
            yield metered
        finally:
            self._held -= held


def check_members(body: bytes) -> None:
    """Refuse a body of very many gzip members: unpacking each copies all that follow.

    Raises:
        BodyTooLargeError: There are more than any sender makes.
    """
    if body.startswith(_MEMBER) and body.count(_MEMBER) > _MOST_MEMBERS:
        raise BodyTooLargeError


async def read_body(receive: Receive, *, declared: int | None, most: int) -> bytes:
    """The whole body.

    Args:
        receive: The server's.
        declared: What Content-Length says.
        most: Bytes.

    Raises:
        BodyTooLargeError: It is longer than `most`.
        BodyLateError: It took too long.
        ClientGoneError: The sender is gone.
    """
    try:
        async with asyncio.timeout(BODY_DEADLINE):
            return await _read(receive, declared, most)
    except TimeoutError as error:
        raise BodyLateError from error


async def _read(receive: Receive, declared: int | None, most: int) -> bytes:
    parts: list[bytes] = []
    size, too_large = 0, declared is not None and declared > most
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        part = message.get("body", b"")
        size += len(part)
        too_large = too_large or size > most
        if too_large:
            parts.clear()
            if size > _DRAINED or (declared is not None and declared > _DRAINED):
                raise BodyTooLargeError
        else:
            parts.append(part)
        if not message.get("more_body", False):
            if too_large:
                raise BodyTooLargeError
            return b"".join(parts)
