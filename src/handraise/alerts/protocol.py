"""What a destination is to whoever delivers, and what answers over HTTP mean for any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from handraise.errors import AddressError, RemoteError
from handraise.net import client
from handraise.net.limits import Answer, Limits
from handraise.records.alerting import AlertMessage, Outcome

# What says that we, or the address, are wrong: every other message would get the same answer.
_DENYING = frozenset({401, 403, 404, 410})
_ASK_LATER = frozenset({425, 429, 503})
_UNKNOWN = frozenset({408})


class Sender(Protocol):
    """A destination that messages can be sent to."""

    @property
    def repeatable(self) -> bool:
        """Whether sending the same message twice has no second effect there."""
        ...

    def send(self, message: AlertMessage) -> Outcome:
        """Send a message; whatever goes wrong is an outcome."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """What senders need of the world.

    Attributes:
        environment: The process's variables.
        limits: Of each request; a destination's own networks are allowed on top.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


def post(url: str, headers: Mapping[str, str], body: bytes, within: Limits) -> Answer | Outcome:
    """Send JSON; a failure comes back as the outcome that it means."""
    try:
        return client.request(
            "POST", url, headers={"Content-Type": "application/json", **headers}, body=body, within=within
        )
    except AddressError as error:
        return Outcome(kind="denied", said=error.what)
    except RemoteError as error:
        return outcome_of_failure(error)


def outcome_of_failure(error: RemoteError) -> Outcome:
    """What it means that a server was not reached or did not answer."""
    if not error.retry:
        return Outcome(kind="denied", said=error.what)
    return Outcome(kind="unsent" if error.unsent else "unknown", said=error.what)


def wait_of(answer: Answer, sent_at: datetime) -> timedelta | None:
    """How long the server wants to be left alone; None = it does not say."""
    until = answer.retry_after(sent_at)
    return until - sent_at if until else None


def outcome_of(answer: Answer, now: datetime) -> Outcome:
    """What an answer means, as far as its status says it. The body is not kept: it may name people."""
    status = answer.status
    said = f"the answer was {status}."
    if 200 <= status < 300:  # noqa: PLR2004 - of HTTP
        return Outcome(kind="sent")
    wait = wait_of(answer, now)
    if status in _ASK_LATER and (wait is not None or status != 503):  # noqa: PLR2004 - of HTTP
        return Outcome(kind="later", said=said, wait=wait)
    if status in _DENYING:
        return Outcome(kind="denied", said=said)
    if status >= 500 or status in _UNKNOWN or status < 200:  # noqa: PLR2004 - of HTTP
        return Outcome(kind="unknown", said=said)
    return Outcome(kind="refused", said=said)
