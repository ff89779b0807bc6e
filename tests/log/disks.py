"""File systems that fail: at the n-th call, or by a power cut that forgets what was not synced."""

import errno
import os
import random
from pathlib import Path

from handraise.log.disk import Disk

PAGE = 4096


class FailingDisk(Disk):
    """Lets one call fail, counted from 1 over all writes and syncs, and everything after it until `mend`."""

    def __init__(self, fails_at: int, code: int = errno.EIO) -> None:
        self.fails_at, self.code, self.calls, self.broken = fails_at, code, 0, False

    def mend(self) -> None:
        self.fails_at, self.broken = 0, False

    def _count(self) -> None:
        self.calls += 1
        if self.broken or self.calls == self.fails_at:
            self.broken = True
            raise OSError(self.code, os.strerror(self.code))

    def write(self, descriptor: int, at: int, content: bytes) -> None:
        self._count()
        super().write(descriptor, at, content)

    def sync(self, descriptor: int) -> None:
        self._count()
        super().sync(descriptor)

    def cut(self, descriptor: int, size: int) -> None:
        self._count()
        super().cut(descriptor, size)


class PowerCutError(Exception):
    """The power is gone."""


class ForgetfulDisk(Disk):
    """Knows what a power cut would leave: every synced page, and any of the pages that were only written.

    Names are made durable at once; what this is about is content.
    """

    def __init__(self, dies_at: int) -> None:
        self._left = dies_at
        self._paths: dict[int, Path] = {}
        self._durable: dict[Path, bytes] = {}

    def create(self, path: Path, size: int) -> int:
        descriptor = super().create(path, size)
        self._paths[descriptor] = path
        self._durable[path] = bytes(size)
        return descriptor

    def open(self, path: Path) -> int:
        descriptor = super().open(path)
        self._paths[descriptor] = path
        self._durable.setdefault(path, path.read_bytes())
        return descriptor

    def _count(self) -> None:
        self._left -= 1
        if self._left <= 0:
            raise PowerCutError

    def sync(self, descriptor: int) -> None:
        self._count()
        super().sync(descriptor)
        if descriptor in self._paths:  # else it is being made
            path = self._paths[descriptor]
            self._durable[path] = path.read_bytes()

    def close(self, descriptor: int) -> None:
        self._paths.pop(descriptor, None)
        super().close(descriptor)

    def cut(self, descriptor: int, size: int) -> None:
        self._count()
        super().cut(descriptor, size)
        path = self._paths[descriptor]
        self._durable[path] = path.read_bytes()

    def power_cut(self, chance: random.Random) -> None:
        """Put every file back to what the disk would hold: page by page either what was written or what was synced."""
        for path, durable in self._durable.items():
            if path.exists():
                written = path.read_bytes()
                pages = range(0, max(len(written), len(durable)), PAGE)
                path.write_bytes(
                    b"".join((written if chance.random() < 0.5 else durable)[at : at + PAGE] for at in pages)
                )
