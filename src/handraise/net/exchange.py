"""The exchange itself: connects to the addresses that were checked and to no other, with one deadline for every step."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from typing import Any, TypeVar

import httpcore2

from handraise.errors import AddressError, RemoteError
from handraise.net.guard import Target
from handraise.net.limits import Answer, Limits

_READ_AT_ONCE = 16 * 1024
T = TypeVar("T")


class Way:
    """How a server is reached.

    Args:
        addresses: IP addresses to try, in turn.
        until: When all has to be over, of the monotonic clock.
    """

    def __init__(self, addresses: Iterable[str], until: float) -> None:
        self._addresses, self._until = tuple(addresses), until

    def left(self, late: type[Exception]) -> float:
        """Seconds until it has to be over.

        Raises:
            Exception: `late`, where there are none.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise late("too slow")
        return left

    def connect(self, port: int) -> socket.socket:
        """A connection to the first address that takes one.

        Raises:
            ConnectError: None does.
            ConnectTimeout: None does in time.
        """
        last: OSError | None = None
        for address in self._addresses:
            try:
                found = socket.create_connection((address, port), timeout=self.left(httpcore2.ConnectTimeout))
            except OSError as error:
                last = error
                continue
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return found
        raise (httpcore2.ConnectTimeout if isinstance(last, TimeoutError) else httpcore2.ConnectError)(str(last))


def exchange(method: str, target: Target, sent: tuple[Mapping[str, str], bytes], way: Way, within: Limits) -> Answer:
    """Send headers and body, and read the whole answer; the body of a redirect is not read.

    Raises:
        AddressError: A header holds what none may.
        RemoteError: The server was not reached, was too slow, answered too much, or broke off.
    """
    headers, body = sent
    for name, value in headers.items():
        if not (value.isprintable() and value.isascii() and name.isascii()):
            raise AddressError(f"the header {name!r} holds what no header may.", where=target.shown)
    url = httpcore2.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    pool = httpcore2.ConnectionPool(
        ssl_context=within.tls or (_trusted() if target.scheme == "https" else None),
        max_connections=1,
        max_keepalive_connections=0,
        network_backend=_Backend(way),
    )
    with (
        _failures_told(target, within.seconds),
        pool,
        pool.stream(method, url, headers=list(headers.items()), content=body) as response,
    ):
        known = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        got = bytearray()
        for part in () if 300 <= response.status < 400 else response.iter_stream():  # noqa: PLR2004 - of HTTP
            got += part
            if len(got) > within.most_bytes:
                raise RemoteError(f"the answer is longer than {within.most_bytes:,} bytes.", where=target.shown)
        return Answer(status=response.status, headers=known, body=bytes(got))


@cache
def _trusted() -> ssl.SSLContext:
    """Whom the system trusts; reading its list takes longer than a request."""
    return httpcore2.default_ssl_context()


@contextlib.contextmanager
def _failures_told(target: Target, seconds: float) -> Iterator[None]:
    try:
        yield
    except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
        raise RemoteError(
            f"the server is not reached ({error}).", where=target.shown, todo="Is it running?", unsent=True
        ) from error
    except httpcore2.TimeoutException as error:
        raise RemoteError(f"the server did not answer within {seconds:g} s.", where=target.shown) from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise RemoteError(f"the connection broke off ({error}).", where=target.shown) from error


class _Stream(httpcore2.NetworkStream):
    """A connection whose steps share one deadline, whatever the library would allow each."""

    def __init__(self, connection: socket.socket, way: Way) -> None:
        self._connection, self._way = connection, way

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come."""
        del timeout
        return self._do(lambda: self._connection.recv(min(max_bytes, _READ_AT_ONCE)), httpcore2.ReadError)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it."""
        del timeout
        rest = memoryview(buffer)
        while rest:
            rest = rest[self._do(partial(self._connection.send, rest), httpcore2.WriteError) :]

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """The same, encrypted, if the server proves that it has the URL's name."""
        del timeout
        try:
            made = self._do(
                lambda: ssl_context.wrap_socket(self._connection, server_hostname=server_hostname),
                httpcore2.ConnectError,
                httpcore2.ConnectTimeout,
            )
        except BaseException:
            self.close()
            raise
        return _Stream(made, self._way)

    def get_extra_info(self, info: str) -> Any:
        """Nothing: only connections that are kept are asked."""
        del info

    def _do(self, step: Callable[[], T], failed: type[Exception], late: type[Exception] = httpcore2.ReadTimeout) -> T:
        self._connection.settimeout(self._way.left(late))
        try:
            return step()
        except TimeoutError as error:
            raise late("too slow") from error
        except OSError as error:
            raise failed(str(error)) from error


class _Backend(httpcore2.NetworkBackend):
    """Connects for the library."""

    def __init__(self, way: Way) -> None:
        self._way = way

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        """To the addresses that were checked for the host, which is not looked up again."""
        del host
        return _Stream(self._way.connect(port), self._way)
