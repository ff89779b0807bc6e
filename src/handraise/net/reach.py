"""From a name to addresses that may be called, and to a connection with exactly one of them."""

from __future__ import annotations

import socket
import threading
import time

from handraise.errors import RemoteError
from handraise.net.guard import Address, check_addresses, check_url
from handraise.net.limits import Limits


def checked_addresses(host: str, port: int, within: Limits) -> tuple[Address, ...]:
    """Addresses of a name, all of which may be called.

    Raises:
        AddressError: One may not be called.
        RemoteError: The name cannot be looked up in time.
    """
    return check_addresses(host, _looked_up(host, port, within), within.allow)


def connect(host: str, port: int, within: Limits) -> socket.socket:
    """A connection to a server that somebody named, for protocols other than HTTP.

    Raises:
        AddressError: The name is not written plainly, or leads to an address that may not be called.
        RemoteError: The server is not reached; nothing was sent.
    """
    target, until = (
        check_url(f"http://{f'[{host}]' if ':' in host else host}:{port}/"),
        time.monotonic() + within.seconds,
    )
    last: OSError | None = None
    for address in checked_addresses(target.host, port, within):
        left = until - time.monotonic()  # one deadline for all addresses, as many as the name may have
        if left <= 0:
            last = last or TimeoutError("timed out")
            break
        try:
            return socket.create_connection((str(address), port), timeout=left)
        except OSError as error:
            last = error
    raise RemoteError(
        f"the server is not reached ({last}).", where=f"{host}:{port}", todo="Is it running?", unsent=True
    ) from last


def _looked_up(host: str, port: int, within: Limits) -> list[str]:
    """The name's addresses; the system's own looking up knows no deadline, so it is left behind when it takes too long."""
    found: list[str] = []
    failed: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            found.extend(within.resolve(host, port))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    looking = threading.Thread(target=look_up, name="name lookup", daemon=True)
    looking.start()
    looking.join(within.seconds)
    if failed or looking.is_alive():
        raise RemoteError(
            "the name of the server cannot be looked up.",
            where=host,
            todo="Check the spelling, and that this machine reaches its name server.",
            unsent=True,
        )
    return found
