"""Whose key a request carries, and what that key may do."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from handraise.errors import LedgerError
from handraise.faces.api.problems import ProblemError
from handraise.ledger.api_keys import SCOPES, ApiKey, api_key_of, note_api_key_use
from handraise.ledger.keys import key_hash, keys_version
from handraise.ledger.store import Ledger

CALLER = "handraise.caller"
_USE_IS_NOTED_EVERY = timedelta(hours=1)
_MOST_KNOWN = 1000
_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        actor: For the audit trail.
        scopes: What they may do.
    """

    actor: str
    scopes: frozenset[str]


class Keys:
    """Keys of the API, and the token of whoever may read the server's file.

    Args:
        ledger: Where keys are.
        token: Of commands on this machine.
        now: The clock.
    """

    def __init__(self, ledger: Ledger, token: str, *, now: Callable[[], datetime]) -> None:
        self._ledger, self._token, self._now = ledger, token, now
        self._lock = threading.Lock()
        self._known: dict[str, ApiKey] = {}
        self._version = -1
        self._noted: dict[int, datetime] = {}

    def is_token(self, header: str) -> bool:
        """Whether a header `Authorization` carries the token of commands on this machine."""
        return secrets.compare_digest(header.encode(), f"Bearer {self._token}".encode())

    def caller_of(self, header: str) -> Caller:
        """Who is behind a header `Authorization`. Blocks: the ledger is asked whether a key was made or revoked.

        Raises:
            ProblemError: No key, or none that works.
            LedgerError: The ledger cannot be read.
        """
        if self.is_token(header):
            return Caller(actor="local", scopes=frozenset(SCOPES))
        scheme, _, plain = header.partition(" ")
        if scheme.lower() != "bearer" or not plain.strip():
            raise _no_key("there is no key in the request.", "")
        key = self._key_of(plain.strip())
        if key is None:
            raise _no_key("the key is wrong, revoked or has ended.", ', error="invalid_token"')
        self._note_use(key)
        return Caller(actor=f"api_key {key.id}", scopes=frozenset(key.scopes))

    def _key_of(self, plain: str) -> ApiKey | None:
        hashed, now = key_hash(plain), self._now()
        with self._ledger.reading() as connection:
            version = keys_version(connection)
            with self._lock:
                if version != self._version:
                    self._known, self._version = {}, version
                key = self._known.get(hashed)
            if key is None:
                key = api_key_of(connection, plain, now)
                if key:
                    self._remember(version, hashed, key)
        return key if key and (key.expires_at is None or key.expires_at > now) else None

    def _remember(self, version: int, hashed: str, key: ApiKey) -> None:
        with self._lock:
            if version == self._version and len(self._known) < _MOST_KNOWN:
                self._known[hashed] = key

    def _note_use(self, key: ApiKey) -> None:
        now = self._now()
        last = self._noted.get(key.id, key.last_used_at)
        if last and now - last < _USE_IS_NOTED_EVERY:
            return
        self._noted[key.id] = now
        try:
            with self._ledger.transaction() as connection:
                note_api_key_use(connection, key.id, now=now)
        except LedgerError as error:  # that a key was used is worth less than what it is used for
            _log.warning("the use of a key was not noted", key=key.id, error=error.what)


def _no_key(said: str, more: str) -> ProblemError:
    return ProblemError(
        "no-key",
        said,
        todo="Send `Authorization: Bearer hra_…`; `handraise api-keys add NAME` makes a key.",
        headers={"WWW-Authenticate": f'Bearer realm="handraise"{more}'},
    )


_BEARER = HTTPBearer(
    auto_error=False, scheme_name="api_key", description="A key that `handraise api-keys add NAME` made: `hra_…`."
)


def _needs(scope: str) -> Any:
    async def caller(
        request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)] = None
    ) -> Caller:
        found: Caller = request.scope[CALLER]
        if scope not in found.scopes:
            raise ProblemError(
                "missing-scope",
                f"the key lacks the scope {scope!r}.",
                todo=f"Use a key made with `--scope {scope}`.",
                headers={"WWW-Authenticate": f'Bearer realm="handraise", error="insufficient_scope", scope="{scope}"'},
            )
        return found

    return Depends(caller)


# What a request needs; each gives who asks.
Reader = Annotated[Caller, _needs("read")]
Writer = Annotated[Caller, _needs("write")]
Publisher = Annotated[Caller, _needs("playbook")]
Privacy = Annotated[Caller, _needs("privacy")]
Admin = Annotated[Caller, _needs("admin")]
