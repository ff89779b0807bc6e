"""Answer what tracking libraries send. A 200 means: synced to the log. Everything else says what to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime

import structlog

from handraise.events.call_intake import UNREADABLE
from handraise.events.calls.bodies import Parcel, TooLargeError, UnreadableError, read_parcel
from handraise.events.calls.configuration import configuration_of
from handraise.events.calls.endpoints import Endpoint, endpoint_of
from handraise.events.calls.keys import key_of
from handraise.events.calls.limits import BODY_BYTES, EVENT_BYTES
from handraise.events.calls.packing import form_fields
from handraise.events.received import Received
from handraise.faces.http.body import (
    BodyLateError,
    BodyTooLargeError,
    ClientGoneError,
    NoRoomError,
    Receive,
    Room,
    Scope,
    Send,
    check_members,
    read_body,
)
from handraise.faces.ingest.answers import (
    Answer,
    declared_of,
    for_browsers,
    headers_of,
    problem,
    refused,
    send_answer,
    written,
)
from handraise.faces.ingest.webhooks import source_of_path, take_webhook
from handraise.service.door import Door

# Bytes of bodies that may be in memory at the same time.
MOST_IN_FLIGHT = 48 * 1024 * 1024
# Requests that wait for the disk at the same time. Who has not sent all of a body yet is not counted: a thousand who
# never do would keep everybody out.
MOST_REQUESTS = 1024
_ADDRESSES = "docs/sdks.md lists the addresses of each vendor; programs ask /api/v1, and /health says how it is."
_TOO_MUCH = "too much is being sent at once."
_log = structlog.get_logger()


class Ingest:
    """An ASGI application.

    Args:
        door: Where calls go.
        now: The clock.
    """

    def __init__(self, door: Door, *, now: Callable[[], datetime]) -> None:
        self._door, self._now = door, now
        self._room, self._requests = Room(MOST_IN_FLIGHT, each=BODY_BYTES), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = headers_of(scope)
        try:
            answer = await self._answer(scope, headers, receive)
        except ClientGoneError:
            return
        except NoRoomError:
            answer = refused(self._door, None, 503, "overload", _TOO_MUCH, close=True)
        except Exception as error:  # noqa: BLE001 - no request may take the door down; whoever sent it tries again
            _log.exception("a request failed", path=scope["path"][:200], error=str(error))
            answer = refused(
                self._door, None, 503, "failed", "the request cannot be taken in at the moment.", close=True
            )
        await send_answer(send, answer, for_browsers(headers))

    async def _answer(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Answer:
        method, path = scope["method"], scope["path"]
        if method == "OPTIONS":
            return Answer(status=204, kind="text/plain", body=b"")
        sender = source_of_path(method, path)
        if sender is not None:
            with self._room.taken_by(receive) as metered:
                return await take_webhook(self._door, sender, headers, metered, now=self._now)
        endpoint = endpoint_of(method, path)
        if endpoint is None:
            known = configuration_of(method, path, scope["query_string"], b"")
            if known is None:
                return problem(404, "there is no such address.", _ADDRESSES)
            status, kind, body = known
            return Answer(status=status, kind=kind, body=body)
        return await self._take(endpoint, scope, headers, receive)

    async def _take(self, endpoint: Endpoint, scope: Scope, headers: dict[str, str], receive: Receive) -> Answer:
        try:
            with self._room.taken_by(receive) as metered:
                body = await read_body(metered, declared=declared_of(headers), most=BODY_BYTES)
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
            return refused(self._door, None, 413, "too large", f"the body is over {BODY_BYTES:,} bytes.", close=True)
        except BodyLateError:
            return refused(self._door, None, 408, "too slow", "the body did not come in time.", close=True)
        except TooLargeError as error:
            return refused(self._door, None, 413, "too large", f"{error.reason}.")
        except UnreadableError as error:
            return await self._set_aside(endpoint, body, error.reason, _key_beside(scope, headers))
        del body  # it may be much larger than its events, which are all that waits for the disk
        return await self._store(endpoint, parcel)

    async def _written(self, received: Received, at: datetime) -> str | None:
        """Wait until calls are durable; why they are not, if they are not."""
        if self._requests >= MOST_REQUESTS:
            return _TOO_MUCH
        self._requests += 1
        try:
            return await written(self._door, received, at)
        finally:
            self._requests -= 1

    async def _store(self, endpoint: Endpoint, parcel: Parcel) -> Answer:
        count, at = len(parcel.events), self._now()
        source = await self._source_of(parcel.key)
        if source is None:
            said = "the write key is wrong or revoked." if parcel.key else "there is no write key."
            return refused(self._door, None, 401, "wrong key", said, count=count)
        if parcel.events:
            failure = await self._written(Received(source, parcel.kind, parcel.shared, parcel.events), at)
            if failure:
                return refused(self._door, source, 503, "overload", failure, count=count)
        status, kind, content = endpoint.answer(parcel, received_at=at)
        return Answer(status=status, kind=kind, body=content)

    async def _source_of(self, key: str | None) -> str | None:
        """Whose key it is; the ledger, which may be busy for long, is asked where it keeps no other request waiting."""
        if not key:
            return None
        return self._door.keys.known(key) or await asyncio.to_thread(self._door.keys.source_of, key)

    async def _set_aside(self, endpoint: Endpoint, body: bytes, reason: str, key: str | None) -> Answer:
        """A body that is no request of its vendor: its beginning is set aside where it is known whose it is.

        Nobody can put it right; all of it would only fill the disk, and in quarantine a byte may take six.
        """
        source = await self._source_of(key)
        if source is None:
            return refused(self._door, None, 400, "unreadable", f"{reason}.")
        shared = json.dumps({"reason": reason, "endpoint": endpoint.name}).encode()
        failure = await self._written(Received(source, UNREADABLE, shared, (body[:EVENT_BYTES],)), self._now())
        if failure:
            return refused(self._door, source, 503, "overload", failure)
        return problem(400, f"{reason}.", "It was set aside: `handraise quarantine` shows it.")


def _key_beside(scope: Scope, headers: dict[str, str]) -> str | None:
    """The write key of a request whose body cannot be read."""
    try:
        query = form_fields(scope["query_string"])
    except UnreadableError:
        query = {}
    return key_of(path=scope["path"], query=query, headers=headers, envelope={}, first=dict)
