"""The few things the log asks of a file system, in one place, so that tests can let each of them fail."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_ZEROS = bytes(1024 * 1024)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Disk:
    """The real file system."""

    def create(self, path: Path, size: int) -> int:
        """Make a file of zeros, synced; returns its descriptor.

        Zeros that are really written sync faster later than room that is only promised.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            for at in range(0, size, len(_ZEROS)):
                self.write(descriptor, at, _ZEROS[: size - at])
            self.sync(descriptor)
        except BaseException:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        return descriptor

    def open(self, path: Path) -> int:
        """Open a file that is there, to write in it; returns its descriptor."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def write(self, descriptor: int, at: int, content: bytes) -> None:
        """Write all of it at a place of the file."""
        view = memoryview(content)
        while view:
            written = os.pwrite(descriptor, view, at)
            view, at = view[written:], at + written

    def sync(self, descriptor: int) -> None:
        """Return when what was written would survive a power cut."""
        os.fdatasync(descriptor)

    def cut(self, descriptor: int, size: int) -> None:
        """End the file at a size, durably."""
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)

    def sync_folder(self, folder: Path) -> None:
        """Make names durable: files that were made, renamed or removed."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def write_whole(self, path: Path, content: bytes, *, mode: int = 0o600) -> None:
        """Write a small file, durably, whole or not at all; `mode` says who may read and write it."""
        beside = path.with_name(f"{path.name}.tmp")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(descriptor, mode)
            self.write(descriptor, 0, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        beside.replace(path)
        self.sync_folder(path.parent)

    def free(self, folder: Path) -> int:
        """Bytes that may still be written."""
        found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize

    def close(self, descriptor: int) -> None:
        """Give the descriptor back."""
        os.close(descriptor)
