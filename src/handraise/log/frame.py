"""One record of the log: a header that can be found again in damaged bytes, and what was received.

    magic 4 · length 4 · used 4 · crc32c 4 · durable 8 · received_at 8 · payload

`length` is the room of the payload, `used` how much of it counts: an erasure leaves the room and takes the content. The
checksum covers the segment's salt, the header without itself, and the used payload: bytes inside a payload that look like a
record are none, as whoever sent them does not know the salt. `durable` is up to where the log was known to be synced
when the record was written. That tells two kinds of bad bytes apart: those before some later record's `durable` were
promised to somebody and are damage; others were never acknowledged.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import google_crc32c

MAGIC = b"HRf1"
_HEADER = struct.Struct("<4sIIIQq")
HEADER_SIZE = _HEADER.size
_CHECKED = struct.Struct("<IIQq")
LONGEST = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A record that was read.

    Attributes:
        position: Where it starts in the log, in bytes from the log's beginning.
        end: Where the next one starts.
        durable: Up to where the log was synced when it was written.
        received_at: Microseconds since 1970, UTC.
        payload: What was stored.
    """

    position: int
    end: int
    durable: int
    received_at: int
    payload: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """A range of the log that holds no readable record although it once did.

    Attributes:
        position: Where it starts.
        end: Where the next readable record starts, or the end of what should be there.
    """

    position: int
    end: int


def encode(payload: bytes, *, salt: bytes, durable: int, received_at: int, room: int | None = None) -> bytes:
    """The bytes of one record; `room` = bytes to take for the payload, where more than it needs."""
    used = len(payload)
    length = used if room is None else room
    if not used <= length <= LONGEST:
        raise ValueError(f"a record of {length} bytes cannot hold {used}, or is longer than {LONGEST}")
    crc = _checksum(salt, (length, used, durable, received_at), payload)
    header = _HEADER.pack(MAGIC, length, used, crc, durable, received_at)
    return header + payload + bytes(length - used)


def _checksum(salt: bytes, header: tuple[int, int, int, int], payload: bytes) -> int:
    head = google_crc32c.value(salt + _CHECKED.pack(*header))
    return int(google_crc32c.extend(head, payload))


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Bytes of one segment.

    Attributes:
        data: The bytes.
        base: The log position of the first of them.
        salt: The segment's.
    """

    data: bytes
    base: int
    salt: bytes

    def decode(self, at: int) -> Frame | None:
        """The record that starts at a place of `data`; None where there is no whole, sound one."""
        if at + HEADER_SIZE > len(self.data):
            return None
        magic, length, used, crc, durable, received_at = _HEADER.unpack_from(self.data, at)
        start = at + HEADER_SIZE
        if magic != MAGIC or used > length or length > LONGEST or start + length > len(self.data):
            return None
        payload = self.data[start : start + used]
        if _checksum(self.salt, (length, used, durable, received_at), payload) != crc:
            return None
        position, end = self.base + at, self.base + start + length
        return Frame(position=position, end=end, durable=durable, received_at=received_at, payload=payload)

    def sound(self, at: int) -> Iterator[Frame]:
        """Every sound record from a place on, whatever lies between them."""
        while (at := self.data.find(MAGIC, at)) >= 0:
            frame = self.decode(at)
            if frame is None:
                at += 1
            else:
                yield frame
                at = frame.end - self.base

    def records(self, at: int) -> Iterator[Frame | Damage]:
        """The records from a place to the end of the bytes, and what is damaged between or after them."""
        while at < len(self.data):
            found: Frame | Damage | None = self.decode(at)
            if found is None:
                following = next(self.sound(at), None)
                end = following.position if following else self.base + len(self.data)
                found = Damage(position=self.base + at, end=end)
            yield found
            at = found.end - self.base

    def was_promised(self, at: int) -> bool:
        """Whether some later record says that the bytes at a place were synced before it was written."""
        return any(frame.durable > self.base + at for frame in self.sound(at))
