"""One HTTP request to an address that somebody typed, within limits of time and size, to the very address that was checked.

No redirect is followed, no proxy of the environment is used, nothing is unpacked, and no connection is kept.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from handraise.errors import RemoteError
from handraise.net.guard import check_url
from handraise.net.limits import Answer, Limits
from handraise.net.reach import checked_addresses

REDIRECTS = frozenset({301, 302, 303, 307, 308})


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    within: Limits | None = None,
) -> Answer:
    """Send one request and read its whole answer, whatever its status; only a redirect is an error.

    Raises:
        AddressError: The address may not be called; nothing was sent.
        RemoteError: The server was not reached, was too slow, answered too much, or sends elsewhere.
    """
    within = within or Limits()
    target, until = check_url(url), time.monotonic() + within.seconds
    addresses = checked_addresses(target.host, target.port, within)
    sent = {"Accept-Encoding": "identity", "User-Agent": "handraise", **(headers or {})}
    from handraise.net.exchange import Way, exchange  # not at the top: its library takes a moment to import

    answer = exchange(method, target, (sent, body), Way([str(one) for one in addresses], until), within)
    if answer.status in REDIRECTS:
        raise RemoteError(
            "the server sends to another address, which is not followed.",
            where=target.shown,
            todo="Write the address that it sends to, if it is the right one.",
            retry=False,
        )
    return answer
