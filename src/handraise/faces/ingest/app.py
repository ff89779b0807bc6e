"""Answer what tracking libraries send. A 200 means: synced to the log. Everything else says what to do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from handraise.errors import LogError
from handraise.events.call_intake import UNREADABLE
from handraise.events.calls.bodies import Parcel, TooLargeError, UnreadableError, read_parcel
from handraise.events.calls.configuration import configuration_of
from handraise.events.calls.endpoints import Endpoint, endpoint_of
from handraise.events.calls.keys import key_of
from handraise.events.calls.limits import BODY_BYTES
from handraise.events.calls.packing import form_fields
from handraise.events.received import Received
from handraise.faces.http.body import (
    BodyLateError,
    BodyTooLargeError,
    ClientGoneError,
    Receive,
    Scope,
    Send,
    check_members,
    read_body,
)
from handraise.service.door import Door

# Bytes of bodies that may be in memory at the same time; more is refused before it is read.
MOST_IN_FLIGHT = 48 * 1024 * 1024
# Requests at the same time.
MOST_REQUESTS = 1024
_RETRY = "1"
_log = structlog.get_logger()


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


class Ingest:
    """An ASGI application.

    Args:
        door: Where calls go.
        now: The clock.
    """

    def __init__(self, door: Door, *, now: Callable[[], datetime]) -> None:
        self._door, self._now = door, now
        self._bytes = self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = _headers(scope)
        try:
            answer = await self._answer(scope, headers, receive)
        except ClientGoneError:
            return
        except Exception as error:  # noqa: BLE001 - no request may take the door down; whoever sent it tries again
            _log.exception("a request failed", path=scope["path"][:200], error=str(error))
            answer = self._refused(None, 503, "failed", "the request cannot be taken in at the moment.", close=True)
        await _send(send, answer, _for_browsers(headers))

    async def _answer(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Answer:
        method, path = scope["method"], scope["path"]
        if method == "OPTIONS":
            return Answer(status=204, kind="text/plain", body=b"")
        endpoint = endpoint_of(method, path)
        if endpoint is None:
            known = configuration_of(method, path, scope["query_string"], b"")
            if known is None:
                return problem(404, "there is no such address.", "docs/sdks.md lists the addresses of each vendor.")
            status, kind, body = known
            return Answer(status=status, kind=kind, body=body)
        if self._requests >= MOST_REQUESTS or self._bytes >= MOST_IN_FLIGHT:
            return self._refused(None, 503, "overload", "too much is being sent at once.", close=True)
        self._requests += 1
        try:
            return await self._take(endpoint, scope, headers, receive)
        finally:
            self._requests -= 1

    async def _take(self, endpoint: Endpoint, scope: Scope, headers: dict[str, str], receive: Receive) -> Answer:
        declared = _declared(headers)
        reserved = BODY_BYTES if declared is None else min(declared, BODY_BYTES)
        self._bytes += reserved
        try:
            body = await read_body(receive, declared=declared, most=BODY_BYTES)
            check_members(body)
            parcel = read_parcel(
                endpoint,
                method=scope["method"],
                path=scope["path"],
                query=scope["query_string"],
                headers=headers,
                body=body,
            )
        except BodyTooLargeError:
            return self._refused(None, 413, "too large", f"the body is over {BODY_BYTES:,} bytes.", close=True)
        except BodyLateError:
            return self._refused(None, 408, "too slow", "the body did not come in time.", close=True)
        except TooLargeError as error:
            return self._refused(None, 413, "too large", f"{error.reason}.")
        except UnreadableError as error:
            return await self._set_aside(endpoint, body, error.reason, _key_beside(scope, headers))
        finally:
            self._bytes -= reserved
        return await self._store(endpoint, parcel)

    async def _store(self, endpoint: Endpoint, parcel: Parcel) -> Answer:
        count, at = len(parcel.events), self._now()
        source = self._door.keys.source_of(parcel.key) if parcel.key else None
        if source is None:
            said = "the write key is wrong or revoked." if parcel.key else "there is no write key."
            return self._refused(None, 401, "wrong key", said, count=count)
        if parcel.events:
            failure = await self._written(Received(source, parcel.kind, parcel.shared, parcel.events), at)
            if failure:
                return self._refused(source, 503, "overload", failure, count=count)
        status, kind, content = endpoint.answer(parcel, received_at=at)
        return Answer(status=status, kind=kind, body=content)

    async def _written(self, received: Received, at: datetime) -> str | None:
        """Wait until calls are durable; why they are not, if they are not."""
        loop = asyncio.get_running_loop()
        written: asyncio.Future[LogError | None] = loop.create_future()

        def tell(error: LogError | None) -> None:
            if not written.done():
                written.set_result(error)

        def done(error: LogError | None) -> None:
            with contextlib.suppress(RuntimeError):  # the server stopped meanwhile: nobody waits any more
                loop.call_soon_threadsafe(tell, error)

        if not self._door.submit(received, at, done):
            return "events cannot be stored at the moment."
        error = await written
        return error.what if error else None

    async def _set_aside(self, endpoint: Endpoint, body: bytes, reason: str, key: str | None) -> Answer:
        """A body that is no request of its vendor: kept in quarantine where it is known whose it is."""
        source = self._door.keys.source_of(key) if key else None
        if source is None:
            return self._refused(None, 400, "unreadable", f"{reason}.")
        shared = json.dumps({"reason": reason, "endpoint": endpoint.name}).encode()
        failure = await self._written(Received(source, UNREADABLE, shared, (body,)), self._now())
        if failure:
            return self._refused(source, 503, "overload", failure)
        return problem(400, f"{reason}.", "It was set aside: `handraise quarantine` shows it.")

    def _refused(
        self, source: str | None, status: int, reason: str, said: str, *, count: int = 1, close: bool = False
    ) -> Answer:
        self._door.refuse(source, reason, max(count, 1))
        retry = _RETRY if status in {408, 429, 503} else None
        return problem(status, said, _TODO.get(status, ""), retry_after=retry, close=close)


_TODO = {
    401: "Check the key that the library is set up with; `handraise sources` lists them.",
    408: "Send it again.",
    413: "Send smaller batches; docs/sdks.md has the limits.",
    503: "Send it again after the time in Retry-After.",
}


def problem(status: int, said: str, todo: str, *, retry_after: str | None = None, close: bool = False) -> Answer:
    """An error as JSON: what happened, and what to do."""
    content = {"success": False, "status": status, "code": status, "error": said, "todo": todo}
    body = json.dumps(content).encode()
    return Answer(status=status, kind="application/json", body=body, retry_after=retry_after, close=close)


def _declared(headers: dict[str, str]) -> int | None:
    """What Content-Length says; None for a body in chunks, and 0 where there is none."""
    length = headers.get("content-length", "")
    if length.isdecimal():
        return int(length)
    return None if "transfer-encoding" in headers else 0


def _key_beside(scope: Scope, headers: dict[str, str]) -> str | None:
    """The write key of a request whose body cannot be read."""
    try:
        query = form_fields(scope["query_string"])
    except UnreadableError:
        query = {}
    return key_of(path=scope["path"], query=query, headers=headers, envelope={}, first=dict)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _for_browsers(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
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


async def _send(send: Send, answer: Answer, cors: list[tuple[bytes, bytes]]) -> None:
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
