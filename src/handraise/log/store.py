"""The log as a whole: segments one after the other, an open one that is written, and what was found at the start."""

from __future__ import annotations

import contextlib
import errno
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from handraise.errors import LogError
from handraise.log.disk import Disk
from handraise.log.frame import HEADER_SIZE as FRAME_HEADER
from handraise.log.frame import Damage, Frame, encode
from handraise.log.rewrite import Change, rewrite
from handraise.log.segment import (
    HEADER_SIZE,
    SALT_SIZE,
    Segment,
    header_of,
    is_unused,
    name_of,
    read_records,
    read_seal,
    recover,
    seal,
    segments_in,
)

SEGMENT_SIZE = 64 * 1024 * 1024
# Below this much free room nothing more is taken in: reading, erasing and scoring need some too.
RESERVE = 512 * 1024 * 1024
_AT_ONCE = 8 * 1024 * 1024
_SPARE, _HALF_MADE = "spare", "spare.tmp"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """What was found when the log was opened.

    Attributes:
        cut: Bytes at the end that were begun and never acknowledged; they are kept in a file beside the log.
        damaged: Ranges that cannot be read although somebody was told that they are stored.
    """

    cut: int
    damaged: tuple[Damage, ...]


@dataclass(kw_only=True)
class _Written:
    """The segment that is written to."""

    segment: Segment
    descriptor: int
    size: int
    end: int


class EventLog:
    """An append-only log in a folder. One thread writes, any thread reads what is durable.

    Args:
        folder: Made if it is not there.
        random: Gives so many random bytes.
        disk: The file system.
        segment_size: Bytes of a segment.
        reserve: Free bytes below which nothing is written.

    Raises:
        LogError: The folder cannot be read or written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        random: Callable[[int], bytes],
        disk: Disk | None = None,
        segment_size: int = SEGMENT_SIZE,
        reserve: int = RESERVE,
    ) -> None:
        self.folder, self.disk = folder, disk or Disk()
        self._random, self._segment_size, self._reserve = random, segment_size, reserve
        self._lock, self._sealing = threading.Lock(), threading.Lock()
        self._segments: list[Segment] = []
        self._ends: dict[int, int] = {}
        self._unsealed: list[Segment] = []
        self._open: _Written | None = None
        self.durable = 0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.opened = self._recover()
        except OSError as error:
            raise _cannot(f"the event log cannot be opened ({error.strerror})", folder) from error

    @property
    def start(self) -> int:
        """The log position of the first record that is still there."""
        with self._lock:
            return self._segments[0].start if self._segments else self.durable

    @property
    def room(self) -> int:
        """Bytes that may still be taken in before the reserve is touched; never below 0."""
        try:
            return max(0, self.disk.free(self.folder) - self._reserve)
        except OSError:
            return 0

    def append(self, payloads: Sequence[tuple[int, bytes]]) -> int:
        """Write records (received_at in microseconds, payload) together; returns when they are durable.

        Returns:
            The log position after them.

        Raises:
            LogError: They were not stored; `reopen` before the next call.
        """
        try:
            written = self._room_for(sum(FRAME_HEADER + len(payload) for _, payload in payloads))
            salt, durable = written.segment.salt, self.durable
            content = b"".join(
                encode(payload, salt=salt, durable=durable, received_at=received_at)
                for received_at, payload in payloads
            )
            self.disk.write(written.descriptor, written.end - written.segment.start, content)
            self.disk.sync(written.descriptor)
        except OSError as error:
            raise _cannot(f"the event log cannot be written ({error.strerror})", self.folder) from error
        written.end += len(content)
        with self._lock:
            self._ends[written.segment.start] = self.durable = written.end
        return written.end

    def reopen(self) -> None:
        """Go on after a failure: what was not acknowledged is cut off, and a new segment begins.

        A sync that failed is never tried again on the same file: the system may have dropped what it could not write.

        Raises:
            LogError: It still cannot be written.
        """
        try:
            self._close_written()
            self._begin_segment()
        except OSError as error:
            raise _cannot(f"the event log cannot be written ({error.strerror})", self.folder) from error

    def prepare(self) -> None:
        """Do ahead of time what would make a writer wait: the next segment's zeros, and seals. For another thread."""
        with contextlib.suppress(OSError):  # there is no hurry: it is tried again
            self._seal_all()
        written = self._open
        if written and written.end - written.segment.start > written.size // 2 and not self._spare.exists():
            self._make_spare()

    def read(self, position: int, until: int | None = None) -> Iterator[Frame | Damage]:
        """Durable records from a log position on, in order, with what is damaged between them.

        Args:
            position: 0, or the `end` of a record.
            until: A log position to stop at; None = what is durable now.
        """
        with self._lock:
            segments, ends = list(self._segments), dict(self._ends)
            until = self.durable if until is None else min(until, self.durable)
        for segment in segments:
            end = min(ends[segment.start], until)
            if position >= end:
                continue
            if position < segment.start:
                if position or self.opened.damaged:
                    yield Damage(position=position, end=segment.start)
                position = segment.start
            first = max(position, segment.start + HEADER_SIZE)
            if first < end:  # one without records may be removed this moment
                yield from read_records(segment, first, end, _AT_ONCE)
            position = end

    def close_segment(self) -> None:
        """Let the next record begin a new segment, so that everything before it can be rewritten. For the writer alone.

        Raises:
            LogError: The file cannot be cut.
        """
        try:
            self._close_written()
        except OSError as error:
            raise _cannot(f"the event log cannot be written ({error.strerror})", self.folder) from error

    def rewrite(self, change: Change) -> int:
        """Change records of all closed segments (see `log.rewrite`); returns how many. Nobody may read meanwhile."""
        with self._lock:
            closed = [s for s in self._segments if not self._is_open(s)]
            ends = dict(self._ends)
        self._seal_all()
        return sum(rewrite(one, ends[one.start] - one.start, change, self.disk) for one in closed)

    def drop_before(self, position: int) -> int:
        """Remove closed segments that end at or before a log position; returns how many."""
        self._seal_all()
        with self._lock:
            gone = [s for s in self._segments if self._ends[s.start] <= position and not self._is_open(s)]
            self._segments = [s for s in self._segments if s not in gone]
            for segment in gone:
                del self._ends[segment.start]
        for segment in gone:
            segment.path.unlink()
            segment.seal_path.unlink(missing_ok=True)
        return len(gone)

    def _is_open(self, segment: Segment) -> bool:
        return self._open is not None and segment is self._open.segment

    def close(self) -> None:
        """Cut and seal what was written.

        Raises:
            LogError: It cannot be; nothing is lost, the next start finds out where the log ends.
        """
        try:
            self._close_written()
            self._seal_all()
            self._spare.unlink(missing_ok=True)
        except OSError as error:
            if self._open:
                self.disk.close(self._open.descriptor)
                self._open = None
            raise _cannot(f"the event log cannot be closed ({error.strerror})", self.folder) from error

    @property
    def _spare(self) -> Path:
        return self.folder / _SPARE

    def _recover(self) -> Opened:
        for half_made in self.folder.glob("*.tmp"):  # holds what may be erased from the segment meanwhile
            half_made.unlink()
        segments, unreadable = segments_in(self.folder)
        cut, damaged = 0, []
        for path in unreadable:
            if is_unused(path):
                path.unlink()
            else:
                damaged.append(Damage(position=int(path.stem), end=int(path.stem) + path.stat().st_size))
                self._set_aside(path)
        for segment in segments:
            sealed = read_seal(segment)
            if sealed:
                size = segment.path.stat().st_size
                end = segment.start + sealed.size
                if size < sealed.size:
                    damaged.append(Damage(position=segment.start + size, end=end))
            else:
                found = recover(segment)
                end = found.end
                damaged += found.damaged
                cut += len(found.cut)
                self._keep_cut(end, found.cut)
                self._cut(segment, end)
            self._add(segment, end)
        return Opened(cut=cut, damaged=tuple(damaged))

    def _add(self, segment: Segment, end: int) -> None:
        """Take a segment into the log; one without records goes."""
        if end <= segment.start + HEADER_SIZE:
            segment.path.unlink()
            segment.seal_path.unlink(missing_ok=True)
            return
        with self._lock:
            self._segments.append(segment)
            self._ends[segment.start] = end
            self.durable = max(self.durable, end)

    def _set_aside(self, path: Path) -> None:
        path.rename(path.with_suffix(".damaged"))
        self.disk.sync_folder(self.folder)

    def _keep_cut(self, position: int, content: bytes) -> None:
        if content:
            self.disk.write_whole(self.folder / f"{position:020d}.cut", content)

    def _cut(self, segment: Segment, end: int) -> None:
        descriptor = self.disk.open(segment.path)
        try:
            self.disk.cut(descriptor, end - segment.start)
        finally:
            self.disk.close(descriptor)
        seal(segment, self.disk)

    def _room_for(self, size: int) -> _Written:
        if not self.room:
            raise OSError(errno.ENOSPC, "less than the reserve of free room is left")
        if self._open is None or self._open.end + size > self._open.segment.start + self._open.size:
            self._close_written()
            self._begin_segment(size)
        assert self._open is not None  # noqa: S101 - begun above
        return self._open

    def _begin_segment(self, least: int = 0) -> None:
        start, salt = self.durable, self._random(SALT_SIZE)
        size = max(self._segment_size, least + HEADER_SIZE)
        if self.room < size and not self._spare.exists():
            raise OSError(errno.ENOSPC, "less than the reserve of free room is left")
        path = name_of(self.folder, start)
        descriptor = self._take_spare(path) if size == self._segment_size else None
        if descriptor is None:
            descriptor = self.disk.create(path, size)
        try:
            self.disk.write(descriptor, 0, header_of(start, salt))
            self.disk.sync(descriptor)
            self.disk.sync_folder(self.folder)
        except BaseException:
            self.disk.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        segment = Segment(path=path, start=start, salt=salt)
        end = start + HEADER_SIZE
        with self._lock:
            self._segments.append(segment)
            self._ends[start] = self.durable = end
        self._open = _Written(segment=segment, descriptor=descriptor, size=size, end=end)

    def _take_spare(self, path: Path) -> int | None:
        try:
            self._spare.rename(path)
        except FileNotFoundError:
            return None
        return self.disk.open(path)

    def _make_spare(self) -> None:
        half_made = self.folder / _HALF_MADE
        with contextlib.suppress(OSError):  # the writer will meet the same error, and say it
            if self.room >= self._segment_size:
                self.disk.close(self.disk.create(half_made, self._segment_size))
                half_made.rename(self._spare)

    def _close_written(self) -> None:
        """Cut the open segment behind what is durable; whatever else was written was acknowledged to nobody."""
        written = self._open
        if written is None:
            return
        self.disk.cut(written.descriptor, written.end - written.segment.start)
        self.disk.close(written.descriptor)
        self._open = None
        if written.end > written.segment.start + HEADER_SIZE:
            self._unsealed.append(written.segment)
            return
        with self._lock:
            self._segments.remove(written.segment)
            self.durable = written.segment.start
        written.segment.path.unlink()

    def _seal_all(self) -> None:
        with self._sealing:
            while self._unsealed:
                seal(self._unsealed[0], self.disk)
                del self._unsealed[0]


def _cannot(what: str, folder: Path) -> LogError:
    return LogError(
        f"{what}.",
        where=str(folder),
        todo="Nothing that was acknowledged is lost. Make room on the disk, or mend it; taking in goes on by itself.",
    )
