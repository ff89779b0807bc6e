"""What stands between a request and the log: whose key it is, whether there is room, and how many were refused."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from functools import partial

from handraise.errors import LedgerError, LogError
from handraise.events.received import UNKNOWN_SOURCE, Received, micros_of, refusals
from handraise.ledger.keys import key_hash
from handraise.log.writer import Done, GroupWriter

# Seconds between two looks for a key that is not known, so that wrong ones cost no query each.
_LOOK_EVERY = 0.005


class KeyRing:
    """Write keys by hash, in memory, so that a request needs no query.

    Args:
        read: Gives hash → source of every valid key.
        version: Gives a number that changes whenever `read` would give something else.
    """

    def __init__(self, read: Callable[[], dict[str, str]], version: Callable[[], int]) -> None:
        self._read, self._version = read, version
        self._known = version()
        self._sources = read()
        self._looked = 0.0
        self._looking = threading.Lock()

    def known(self, key: str) -> str | None:
        """The source that a plain key belongs to; None for one that is wrong, revoked or not known yet. Never waits."""
        return self._sources.get(key_hash(key))

    def source_of(self, key: str) -> str | None:
        """The source that a plain key belongs to; None for a wrong or revoked one. May wait for the ledger."""
        found = self.known(key)
        if found is None:
            with self._looking:
                if time.monotonic() - self._looked > _LOOK_EVERY:
                    # It may have been made this moment, by another process.
                    self._looked = time.monotonic()
                    self.look_again()
            found = self.known(key)
        return found

    def look_again(self) -> None:
        """Read the keys anew if one was made or revoked."""
        with contextlib.suppress(LedgerError):  # then what is known stands until the next time
            now = self._version()
            if now != self._known:
                self._sources, self._known = self._read(), now


class Door:
    """Hands what is received to the log, and counts what is refused.

    Args:
        writer: Of the log.
        keys: Whose calls they are.
        webhook_secret: Gives what a source signs its webhooks with; None = it sends none.
    """

    def __init__(
        self, writer: GroupWriter, keys: KeyRing, *, webhook_secret: Callable[[str], bytes | None] = lambda _: None
    ) -> None:
        self.webhook_secret = webhook_secret
        self._writer, self.keys = writer, keys
        self._lock = threading.Lock()
        self._refused: dict[str, Counter[str]] = defaultdict(Counter)
        self._refused_ever: Counter[str] = Counter()
        self.accepted = 0

    @property
    def failing(self) -> bool:
        """Whether nothing can be stored at the moment."""
        return self._writer.failure is not None

    @property
    def waiting(self) -> int:
        """Bytes that wait to be written to the log."""
        return self._writer.waiting

    def submit(self, received: Received, at: datetime, done: Done) -> bool:
        """Hand calls over; see `GroupWriter.submit`."""

        def told(error: LogError | None) -> None:
            if error is None:
                self.accepted += len(received.events)  # in the writer's thread alone
            done(error)

        return self._writer.submit(micros_of(at), received.encoded(), told)

    def refuse(self, source: str | None, reason: str, count: int = 1) -> None:
        """Count calls that the sender is told are not stored."""
        with self._lock:
            self._refused[source or UNKNOWN_SOURCE][reason] += count
            self._refused_ever[reason] += count

    def refused(self) -> dict[str, int]:
        """Reason → how many calls were refused and are not in the log yet."""
        with self._lock:
            return dict(sum(self._refused.values(), Counter()))

    def refused_ever(self) -> dict[str, int]:
        """Reason → how many calls were refused since the start."""
        with self._lock:
            return dict(self._refused_ever)

    def note_refusals(self, at: datetime) -> None:
        """Write what was refused since the last call to the log, where it is counted with the rest."""
        with self._lock:
            waiting, self._refused = self._refused, defaultdict(Counter)
        for source, reasons in waiting.items():
            again = partial(self._keep, source, reasons)
            if not self._writer.submit(micros_of(at), refusals(source, dict(reasons)).encoded(), again):
                self._keep(source, reasons, None, taken=False)

    def _keep(self, source: str, reasons: Counter[str], error: LogError | None, *, taken: bool = True) -> None:
        """Let refusals that could not be written wait for the next time."""
        if error or not taken:
            with self._lock:
                self._refused[source].update(reasons)
