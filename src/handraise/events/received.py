"""What one record of the log says: the calls of one request, as they came, or how many were refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from handraise.events.call_intake import Counts, ReceivedCall

_REFUSED = "refused"
# The source of what came without a key that works, or cannot be read at all.
UNKNOWN_SOURCE = "unknown"
# A call of an earlier record as somebody put it right; `shared` says which.
MENDED = "mended"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Received(msgspec.Struct, frozen=True, array_like=True):
    """One record.

    Attributes:
        source: Who sent it.
        kind: Which vendor's calls they are, or `refused`.
        shared: What the envelope said for all of them, as JSON; of refusals, reason → how many.
        events: Each call as it came, as JSON.
    """

    source: str
    kind: str
    shared: bytes
    events: tuple[bytes, ...]

    def encoded(self) -> bytes:
        """For the log."""
        return msgspec.msgpack.encode(self)

    def calls(self, position: int, received_at: int) -> Iterator[ReceivedCall]:
        """Its calls; `position` and `received_at` as the log has them."""
        if self.kind in {_REFUSED, MENDED}:
            return
        at = instant_of(received_at)
        for number, event in enumerate(self.events):
            yield ReceivedCall(
                source=self.source,
                kind=self.kind,
                shared=self.shared,
                event=event,
                received_at=at,
                place=(position, number),
            )

    @property
    def refused(self) -> Counts | None:
        """How many calls were refused, where that is what the record is about."""
        if self.kind != _REFUSED:
            return None
        total = sum(msgspec.json.decode(self.shared, type=dict[str, int]).values())
        return Counts(received=total, refused=total)


def mended(source: str, *, file: str, line: int, raw: str) -> Received:
    """A record of what somebody made of a call in quarantine; `file` and `line` are its place there."""
    return Received(source, MENDED, msgspec.json.encode({"file": file, "line": line}), (raw.encode(),))


def refusals(source: str, reasons: dict[str, int]) -> Received:
    """A record of how many calls of a source were refused, by reason."""
    return Received(source, _REFUSED, msgspec.json.encode(reasons), ())


def decode(payload: bytes) -> Received:
    """A record of the log.

    Raises:
        msgspec.DecodeError: It is none.
    """
    return msgspec.msgpack.decode(payload, type=Received)


def micros_of(at: datetime) -> int:
    """Microseconds since 1970, UTC."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant_of(micros: int) -> datetime:
    """The instant so many microseconds after 1970, UTC."""
    return _EPOCH + timedelta(microseconds=micros)
