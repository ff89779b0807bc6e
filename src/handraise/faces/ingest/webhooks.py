"""Messages of other systems: believed by their signature over the raw body, once, and not when they are old."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from handraise.events.call_intake import UNREADABLE
from handraise.events.calls.limits import EVENT_BYTES
from handraise.events.received import Received
from handraise.faces.http.body import BodyLateError, BodyTooLargeError, Receive, read_body
from handraise.faces.ingest.answers import Answer, declared_of, problem, refused, written
from handraise.service.door import Door

_FOLDER = "webhooks"
_DONE = b'{"success":true}'
_TODO = "Sign the raw body as Standard Webhooks says, with the secret of the source and the present time."


def source_of_path(method: str, path: str) -> str | None:
    """The source that a webhook is said to come from; None = the address is no webhook's."""
    steps = [step for step in path.split("/") if step]
    is_webhook = method == "POST" and len(steps) > 1 and steps[-2] == _FOLDER
    return steps[-1] if is_webhook else None


async def take_webhook(
    door: Door, source: str, headers: dict[str, str], receive: Receive, *, now: Callable[[], datetime]
) -> Answer:
    """Store a message whose signature is right; what it says is looked at later.

    Args:
        door: Where it goes.
        source: Whose secret it has to be signed with.
        headers: By their names in small letters.
        receive: Gives the body.
        now: The clock.
    """
    try:
        body = await read_body(receive, declared=declared_of(headers), most=EVENT_BYTES)
    except BodyTooLargeError:
        return refused(door, None, 413, "too large", f"the message is over {EVENT_BYTES:,} bytes.", close=True)
    except BodyLateError:
        return refused(door, None, 408, "too slow", "the body did not come in time.", close=True)
    secret = await asyncio.to_thread(door.webhook_secret, source)
    wrong = "no such source sends webhooks" if secret is None else _wrong(secret, headers, body)
    if wrong:
        door.refuse(source if secret else None, "wrong signature")
        return problem(401, f"{wrong}.", _TODO)
    said = _message(source, headers["webhook-id"], body)
    failure = await written(door, said, now())
    if failure:
        return refused(door, source, 503, "overload", failure)
    if said.kind == UNREADABLE:
        return problem(400, "the body is not JSON.", "It was set aside: `handraise quarantine` shows it.")
    return Answer(status=200, kind="application/json", body=_DONE)


def _wrong(secret: bytes, headers: dict[str, str], body: bytes) -> str:
    """Why a message is not believed; empty = it is."""
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        return f"the signature is not accepted ({error})"
    return ""


def _message(source: str, number: str, body: bytes) -> Received:
    """The record of a message: its id is part of it, so that a repeated delivery is known."""
    try:
        said = msgspec.json.encode({"id": number, "body": msgspec.json.decode(body)})
    except (msgspec.MsgspecError, RecursionError) as error:  # the second: nested too deeply
        shared = json.dumps({"reason": f"the message is not JSON: {error}"}).encode()
        return Received(source, UNREADABLE, shared, (body,))
    return Received(source, "webhook", b"{}", (said,))
