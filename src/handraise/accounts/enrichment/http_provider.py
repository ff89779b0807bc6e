"""A provider that is asked over HTTP: one GET for each domain or address, through the guarded way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from handraise.accounts.enrichment.values import at_pointer, plain_value
from handraise.errors import AddressError, RemoteError
from handraise.net.client import request
from handraise.net.guard import read_networks
from handraise.net.limits import Answer, Limits
from handraise.playbook.enrichment import HttpProvider
from handraise.records.enrichment import Reply, Value

Call = Callable[..., Answer]
_MOST_BYTES = 256 * 1024
_KNOWS_NOTHING = frozenset([204, 400, 404, 410, 422])
_REFUSES = frozenset([401, 402, 403, 407, 429, 451])
_OK, _UNAVAILABLE = 200, 503


class AskedOverHttp:
    """One provider of the playbook.

    Args:
        settings: What the playbook says of it.
        secrets: Header → value out of the environment.
        call: Sends one request; another one than the guarded client is for tests that count.
    """

    def __init__(self, settings: HttpProvider, secrets: Mapping[str, str], *, call: Call = request) -> None:
        self._settings, self._call = settings, call
        self._headers = {"Accept": "application/json", **settings.headers, **secrets}
        allow = read_networks(settings.allow_private)
        self._within = Limits(allow=allow, seconds=settings.seconds, most_bytes=_MOST_BYTES)

    def ask(self, subject: str, *, now: datetime) -> Reply:
        """What it knows of a domain, or of an e-mail address."""
        place = "{domain}" if self._settings.about == "company" else "{email}"
        url = self._settings.url.replace(place, quote(subject, safe=""))
        try:
            answer = self._call("GET", url, headers=self._headers, within=self._within)
        except AddressError as error:
            return Reply(outcome="refused", values={}, because=error.what.rstrip("."), wait_until=now)
        except RemoteError as error:
            return Reply(outcome="failed", values={}, because=error.what.rstrip("."))
        return self._read(answer, now)

    def _read(self, answer: Answer, now: datetime) -> Reply:
        status, until = answer.status, answer.retry_after(now)
        if status in _KNOWS_NOTHING:
            return Reply(outcome="missed", values={})
        if status in _REFUSES or (status == _UNAVAILABLE and until):
            return Reply(outcome="refused", values={}, because=f"it answers {status}", wait_until=until)
        if status != _OK:
            return Reply(outcome="failed", values={}, because=f"it answers {status}", wait_until=until)
        try:
            said = msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, RecursionError):
            return Reply(outcome="failed", values={}, because="its answer is no JSON")
        values = self._values(said)
        return Reply(outcome="found" if values else "missed", values=values)

    def _values(self, said: Any) -> dict[str, Value]:
        found = {name: plain_value(name, at_pointer(said, at)) for name, at in self._settings.fields.items()}
        return {name: value for name, value in found.items() if value is not None}
