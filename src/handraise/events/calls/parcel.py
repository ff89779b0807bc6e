"""What one request holds, and the two ways in which a request is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """One request's events, each still as JSON bytes.

    Attributes:
        kind: Which translator reads them, with the call where the path says it: `segment`, `segment/track`, `posthog`,
            `amplitude`, `amplitude/identify`, `mixpanel_event`, `mixpanel_person`, `snowplow`, …
        key: The write key, wherever it was found; None = there is none.
        shared: JSON object of what the request says for all its events, never the key.
        events: JSON of each event in the order of the request. A key inside an event stays in it.
    """

    kind: str
    key: str | None
    shared: bytes = b"{}"
    events: tuple[bytes, ...] = ()


class UnreadableError(Exception):
    """The body is no JSON, or not what such a request holds.

    Args:
        reason: What is wrong, for a person.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason for the answer."""
        self.reason = reason
        super().__init__(reason)


class TooLargeError(Exception):
    """The request holds more than one request may.

    Args:
        reason: What is too large, for a person.
        limit: Which limit it is: `body_bytes`, `batch_bytes`, `batch_events` or `shared_bytes`.
    """

    def __init__(self, reason: str, *, limit: str) -> None:
        """Keep the reason for the answer and the limit for counting."""
        self.reason = reason
        self.limit = limit
        super().__init__(reason)
