"""Take something out of what the log holds: a record keeps its place and its room, and loses content."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from handraise.log.disk import Disk
from handraise.log.frame import Damage, Frame, encode
from handraise.log.segment import HEADER_SIZE, Segment, seal

# (payload, received_at in microseconds) → what is to be kept of the payload; None = all of it
Change = Callable[[bytes, int], bytes | None]
_ZEROS = bytes(1024 * 1024)


def rewrite(segment: Segment, size: int, change: Change, disk: Disk) -> int:
    """Put changed records in the place of a closed segment's; returns how many were changed.

    The new file is complete and synced before it takes the old one's name; then the old records are overwritten where
    they were. Ranges that cannot be read are emptied when anything is changed: nobody can say what they hold.

    Args:
        segment: Closed; nobody may read it meanwhile.
        size: Bytes of it that count.
        change: A payload to what is to be kept of it, no longer than it was; None = it stays as it is.
        disk: The file system.
    """
    data = bytearray(segment.path.read_bytes()[:size])
    changed, gone = 0, []
    for found in segment.stretch(bytes(data)).records(HEADER_SIZE):
        start, end = found.position - segment.start, found.end - segment.start
        if isinstance(found, Damage):
            gone.append((start, end))
            continue
        kept = change(found.payload, found.received_at)
        if kept is not None:
            data[start:end] = _in_same_room(found, kept, segment.salt)
            gone.append((start, end))
            changed += 1
    if changed:
        _replace(segment, bytes(data), gone, disk)
    return changed


def _in_same_room(frame: Frame, payload: bytes, salt: bytes) -> bytes:
    room = frame.end - frame.position - len(encode(b"", salt=salt, durable=0, received_at=0))
    return encode(payload, salt=salt, durable=frame.durable, received_at=frame.received_at, room=room)


def _replace(segment: Segment, content: bytes, gone: Iterable[tuple[int, int]], disk: Disk) -> None:
    fresh = segment.path.with_suffix(".tmp")
    old = disk.open(segment.path)
    try:
        disk.write_whole(fresh, content)
        # Without a seal, what is found after a power cut is read as it stands.
        segment.seal_path.unlink(missing_ok=True)
        fresh.replace(segment.path)
        disk.sync_folder(segment.path.parent)
        seal(segment, disk)
        for start, end in gone:
            for at in range(start, end, len(_ZEROS)):
                disk.write(old, at, _ZEROS[: end - at])
        disk.sync(old)
    finally:
        disk.close(old)


def remove_leftovers(folder: Path) -> int:
    """Remove what was kept beside the log and cannot be read record by record: cut ends and damaged segments."""
    found = [*folder.glob("*.cut"), *folder.glob("*.damaged")]
    for path in found:
        path.unlink()
    return len(found)
