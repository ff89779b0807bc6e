"""What every request passes before it is answered: by which name the server was called, whose key it is, how long its body is."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable
from urllib.parse import urlsplit

import structlog
from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handraise.errors import HandraiseError
from handraise.faces.api.auth import CALLER, Keys
from handraise.faces.api.metrics import Metrics
from handraise.faces.api.problems import ProblemError, failure, problem_of
from handraise.faces.http.body import BodyLateError, BodyTooLargeError, ClientGoneError, read_body

BODY_BYTES = 1024 * 1024
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_API, _INTERNAL = "/api/", "/internal/"
_log = structlog.get_logger()


class Guard:
    """An ASGI application around the API.

    Args:
        app: The API.
        keys: Who may ask.
        metrics: Where each request is counted.
        hosts: Names by which the server may be called, beside those of this machine.
    """

    def __init__(self, app: ASGIApp, *, keys: Keys, metrics: Metrics, hosts: Iterable[str] = ()) -> None:
        self._app, self._keys, self._metrics = app, keys, metrics
        self._hosts = LOOPBACK | {host.lower().strip("[]") for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, answer = time.perf_counter(), _Answer(send)
        try:
            await self._answer(scope, receive, answer)
        except ClientGoneError:
            return
        finally:
            self._metrics.answered(_route(scope), scope["method"], answer.status, time.perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        headers = _headers(scope)
        try:
            await self._let_in(scope, headers)
            body = await _body(receive, headers)
            await self._app(scope, _Again(body, receive), answer.send)
        except ClientGoneError:
            raise
        except ProblemError as problem:
            await answer.problem(problem, close=_has_body(headers))
        except HandraiseError as error:
            await answer.problem(problem_of(error), close=_has_body(headers))
        except Exception:  # noqa: BLE001 - whatever it is, it is answered in our words
            # As text: what a request holds, such as its key, is not to be in the output.
            _log.error("a request failed", route=_route(scope), failure=traceback.format_exc())
            await answer.problem(failure(), close=True)

    async def _let_in(self, scope: Scope, headers: dict[str, list[str]]) -> None:
        """Refuse who may not come in, before anything of the body is read.

        Raises:
            ProblemError: The request is refused.
        """
        path: str = scope["path"]
        if not path.startswith((_API, _INTERNAL)):
            return
        self._check_names(headers)
        given = headers.get("authorization", [""])[0]
        if path.startswith(_API):
            scope[CALLER] = await run_in_threadpool(self._keys.caller_of, given)
        elif not self._keys.is_token(given):
            raise ProblemError("no-key", "only commands on this machine may ask this.")

    def _check_names(self, headers: dict[str, list[str]]) -> None:
        """A page of another site could make its own name mean this machine; it then calls us by that name."""
        hosts = headers.get("host", [])
        if len(hosts) != 1 or _name_of(hosts[0]) not in self._hosts:
            raise ProblemError(
                "wrong-host",
                "requests for this name are not answered here.",
                where="Host",
                todo="Call the server as localhost, or start it with `handraise serve --allow-host NAME`.",
            )
        for origin in headers.get("origin", []):
            if _authority(origin) != _authority(f"{origin.partition('://')[0]}://{hosts[0]}"):
                raise ProblemError(
                    "wrong-origin",
                    "pages of other sites may not ask this server.",
                    where="Origin",
                    todo="Ask from a program, or from a page at the server's own address.",
                )


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "other")


class _Answer:
    """Sends an answer and remembers how it went."""

    def __init__(self, send: Send) -> None:
        self._send, self.status = send, 0

    async def send(self, message: Message) -> None:
        """Pass on what the API sends."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [
                *message.get("headers", []),
                (b"cache-control", b"no-store"),
                (b"x-content-type-options", b"nosniff"),
            ]
        await self._send(message)

    async def problem(self, problem: ProblemError, *, close: bool) -> None:
        """Answer with a problem, unless an answer has begun; `close` where the body was not read."""
        if self.status:
            return
        response = problem.response()
        headers = [*response.raw_headers, *([(b"connection", b"close")] if close else [])]
        await self.send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await self.send({"type": "http.response.body", "body": response.body})


class _Again:
    """Gives a body that was read already, and then whatever comes."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _body(receive: Receive, headers: dict[str, list[str]]) -> bytes:
    length = headers.get("content-length", [""])[0]
    try:
        return await read_body(receive, declared=int(length) if length.isdecimal() else None, most=BODY_BYTES)
    except BodyTooLargeError as error:
        raise ProblemError("too-large", f"the body is over {BODY_BYTES:,} bytes.", todo="Send less.") from error
    except BodyLateError as error:
        raise ProblemError("too-slow", "the body did not come in time.", todo="Send it again.") from error


def _has_body(headers: dict[str, list[str]]) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", ["0"]) != ["0"]


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _name_of(host: str) -> str | None:
    """The name in a header `Host`, without its port."""
    found = _authority(f"http://{host}")
    return found[0] if found else None


def _authority(url: str) -> tuple[str, int | None] | None:
    """Name and port that a URL goes to; None = it goes nowhere."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    plain = parts.netloc == url.partition("://")[2] and "@" not in parts.netloc
    return (parts.hostname.lower(), port) if parts.hostname and plain and port else None
