"""What a request for storing events is answered with, and how: 200 only for what is durable."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from dataclasses import dataclass
from datetime import datetime

from handraise.errors import LogError
from handraise.events.received import Received
from handraise.faces.http.body import Scope, Send
from handraise.service.door import Door

_RETRY = "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a request is answered with.

    Attributes:
        status: Of HTTP.
        kind: Content-Type.
        body: The content.
        retry_after: Seconds to wait before another try; None = no word about it.
        close: End the connection, as the rest of the request was not read.
    """

    status: int
    kind: str
    body: bytes
    retry_after: str | None = None
    close: bool = False


async def written(door: Door, received: Received, at: datetime) -> str | None:
    """Wait until calls are durable; why they are not, if they are not."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[LogError | None] = loop.create_future()

    def tell(error: LogError | None) -> None:
        if not told.done():
            told.set_result(error)

    def done(error: LogError | None) -> None:
        with contextlib.suppress(RuntimeError):  # the server stopped meanwhile: nobody waits any more
            loop.call_soon_threadsafe(tell, error)

    if not door.submit(received, at, done):
        return "events cannot be stored at the moment."
    error = await told
    return error.what if error else None


def refused(  # noqa: PLR0913 - what is counted, and what is said
    door: Door, source: str | None, status: int, reason: str, said: str, *, count: int = 1, close: bool = False
) -> Answer:
    """Count calls that are not stored, and say so."""
    door.refuse(source, reason, max(count, 1))
    retry = _RETRY if status in {408, 429, 503} else None
    return problem(status, said, _TODO.get(status, ""), retry_after=retry, close=close)


_TODO = {
    401: "Check the key that the library is set up with: `handraise sources` lists them, `handraise sources key NAME` makes one.",
    408: "Send it again.",
    413: "Send smaller batches; docs/sdks.md has the limits.",
    503: "Send it again after the time in Retry-After.",
}


def problem(status: int, said: str, todo: str, *, retry_after: str | None = None, close: bool = False) -> Answer:
    """An error as JSON: what happened, and what to do; under each name that a vendor's library looks for."""
    message = f"{said} {todo}".strip()
    content = {"success": False, "status": status, "code": status, "error": said, "message": message, "todo": todo}
    body = json.dumps(content).encode()
    return Answer(status=status, kind="application/json", body=body, retry_after=retry_after, close=close)


def declared_of(headers: dict[str, str]) -> int | None:
    """What Content-Length says; None for a body in chunks, and 0 where there is none."""
    length = headers.get("content-length", "")
    if length.isdecimal():
        return int(length)
    return None if "transfer-encoding" in headers else 0


def headers_of(scope: Scope) -> dict[str, str]:
    """Headers by their names in small letters."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def for_browsers(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """What lets a page of any site send events with its write key, which is public; cookies are never read here.

    Beacons, and Snowplow's library, send with credentials: then browsers take no `*`, neither for the page nor for the
    headers, and want to be named what they asked for.
    """
    origin = headers.get("origin")
    if not origin:
        return []
    asked = headers.get("access-control-request-headers", "")
    return [
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"Retry-After"),
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", asked.encode("latin-1") if _NAMES.fullmatch(asked) else _HEADERS),
        (b"access-control-max-age", b"86400"),
        (b"vary", b"Origin, Access-Control-Request-Headers"),
    ]


_HEADERS = b"Authorization, Content-Type"
_NAMES = re.compile(r"[A-Za-z0-9_, -]{1,1000}")


async def send_answer(send: Send, answer: Answer, cors: list[tuple[bytes, bytes]]) -> None:
    """Send an answer; `cors` as `for_browsers` gives them."""
    headers = [
        (b"content-type", answer.kind.encode()),
        (b"content-length", str(len(answer.body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    headers += cors
    if answer.retry_after:
        headers.append((b"retry-after", answer.retry_after.encode()))
    if answer.close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
