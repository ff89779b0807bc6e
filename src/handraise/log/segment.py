"""One file of the log: made full of zeros, written from the front, cut to its content and sealed when it is done.

A sealed segment `N.log` has beside it `N.seal`, with its size and SHA-256. `N` is the log position of its first byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import msgspec

from handraise.log.disk import Disk, sha256_of
from handraise.log.frame import MAGIC, Damage, Frame, Stretch

_MAGIC = b"HRLOG001"
_HEADER = struct.Struct("<8sQ8sI4x")
HEADER_SIZE = _HEADER.size
SALT_SIZE = 8
_DIGITS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A segment on disk.

    Attributes:
        path: Its file.
        start: The log position of its first byte.
        salt: What its checksums begin with.
    """

    path: Path
    start: int
    salt: bytes

    @property
    def seal_path(self) -> Path:
        """Where its seal is, once it has one."""
        return self.path.with_suffix(".seal")

    def stretch(self, data: bytes, at: int = 0) -> Stretch:
        """Bytes of it that start at a place of the file."""
        return Stretch(data=data, base=self.start + at, salt=self.salt)


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What a sealed segment was when it was sealed.

    Attributes:
        size: Bytes of the file.
        sha256: Of all of them.
    """

    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """What was found in a segment that was not sealed.

    Attributes:
        end: Log position after its last record.
        damaged: Ranges that were promised to somebody and cannot be read.
        cut: Bytes at the end that were begun and never acknowledged.
    """

    end: int
    damaged: tuple[Damage, ...]
    cut: bytes


def name_of(folder: Path, start: int) -> Path:
    """The file of the segment that starts at a log position."""
    return folder / f"{start:0{_DIGITS}d}.log"


def header_of(start: int, salt: bytes) -> bytes:
    """The first bytes of a segment."""
    crc = int(google_crc32c.value(_MAGIC + start.to_bytes(8, "little") + salt))
    return _HEADER.pack(_MAGIC, start, salt, crc)


def segments_in(folder: Path) -> tuple[list[Segment], list[Path]]:
    """The segments of a folder in the order of the log, and files whose header cannot be read."""
    found, unreadable = [], []
    for path in sorted(folder.glob(f"{'[0-9]' * _DIGITS}.log")):
        with path.open("rb") as file:
            header = file.read(HEADER_SIZE)
        segment = _read_header(path, header)
        if segment is None:
            unreadable.append(path)
        else:
            found.append(segment)
    return found, unreadable


def is_unused(path: Path) -> bool:
    """Whether a file without a header never was a segment: the header is synced before any record is written."""
    content = path.read_bytes()
    return not any(content[:HEADER_SIZE]) and MAGIC not in content


def _read_header(path: Path, header: bytes) -> Segment | None:
    if len(header) < HEADER_SIZE:
        return None
    _, start, salt, _ = _HEADER.unpack(header)
    sound = header == header_of(start, salt) and path.stem == f"{start:0{_DIGITS}d}"
    return Segment(path=path, start=start, salt=salt) if sound else None


def recover(segment: Segment) -> Recovered:
    """Find where an unsealed segment really ends.

    Bad bytes are damage when a later record says that they were synced before it was written; otherwise they, and
    whatever comes after them, were never acknowledged and are cut.
    """
    stretch = segment.stretch(segment.path.read_bytes())
    at, damaged = HEADER_SIZE, []
    for found in stretch.records(HEADER_SIZE):
        place = found.position - segment.start
        if isinstance(found, Damage):
            if not stretch.was_promised(place):
                break
            damaged.append(found)
        at = found.end - segment.start
    return Recovered(end=segment.start + at, damaged=tuple(damaged), cut=stretch.data[at:].rstrip(b"\0"))


def seal(segment: Segment, disk: Disk) -> Seal:
    """Write the seal of a segment whose file has been cut to its content."""
    made = Seal(size=segment.path.stat().st_size, sha256=sha256_of(segment.path))
    disk.write_whole(segment.seal_path, msgspec.json.encode(made))
    return made


def read_seal(segment: Segment) -> Seal | None:
    """The seal; None when there is none that can be read."""
    try:
        return msgspec.json.decode(segment.seal_path.read_bytes(), type=Seal)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def is_as_sealed(segment: Segment) -> bool:
    """Whether a sealed segment still has the bytes that it was sealed with."""
    made = read_seal(segment)
    return made is not None and made == Seal(size=segment.path.stat().st_size, sha256=sha256_of(segment.path))


def read_records(segment: Segment, position: int, until: int, at_once: int) -> Iterator[Frame | Damage]:
    """The records of one segment between two log positions; both must be where a record starts or ends.

    Args:
        segment: Where to read.
        position: From where.
        until: Up to where.
        at_once: How many bytes are held in memory, about.
    """
    with segment.path.open("rb") as file:
        while position < until:
            file.seek(position - segment.start)
            wanted = min(at_once, until - position)
            data = file.read(wanted)
            whole = len(data) < wanted or position + len(data) >= until
            last = position
            for found in segment.stretch(data, position - segment.start).records(0):
                if isinstance(found, Damage) and found.end == position + len(data) and not whole:
                    break  # cut off by the size of this read
                yield found
                last = found.end
            if whole:
                if last < until:  # the file is shorter than it should be
                    yield Damage(position=last, end=until)
                return
            if last == position:
                at_once *= 2
            position = last
