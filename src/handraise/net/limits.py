"""What a request to somebody else's server may take, and what came back."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from handraise.net.guard import Network

if TYPE_CHECKING:
    import ssl

Resolve = Callable[[str, int], Iterable[str]]

_LONGEST_WAIT = timedelta(days=1)


def resolve_name(host: str, port: int) -> list[str]:
    """IP addresses of a name, as the system looks them up.

    Raises:
        OSError: It cannot be looked up.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a request may take, and where it may go.

    Attributes:
        allow: Networks that are not public and may be called all the same.
        seconds: For everything: looking up the name, connecting, sending, and the last byte of the answer.
        most_bytes: Of the answer's body.
        resolve: Looks up a name.
        tls: Whom to trust; None = whom the system trusts.
    """

    allow: tuple[Network, ...] = ()
    seconds: float = 10.0
    most_bytes: int = 64 * 1024
    resolve: Resolve = resolve_name
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: Of HTTP.
        headers: Names in small letters; of several with one name, the last.
        body: As it came, never unpacked.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def retry_after(self, now: datetime) -> datetime | None:
        """Before when the server does not want to be asked again, at most a day from now; None = it does not say."""
        said = self.headers.get("retry-after", "").strip()
        if said.isascii() and said.isdecimal():
            return now + min(timedelta(seconds=int(said[:9])), _LONGEST_WAIT)
        try:
            at = parsedate_to_datetime(said)
        except (ValueError, OverflowError):  # a year or a zone that no clock has
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return min(max(at, now), now + _LONGEST_WAIT)
