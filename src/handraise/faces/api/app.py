"""Put the API together."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from handraise.errors import HandraiseError
from handraise.service.answers import answer
from handraise.service.host import Host
from handraise.service.lists import Choice, list_accounts
from handraise.service.project import ensure_scored
from handraise.service.wire import encode_error


def make_api(host: Host, token: str) -> FastAPI:
    """The application.

    Args:
        host: What is served.
        token: Of commands on this machine.
    """
    api = FastAPI(title="handraise", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json")

    @api.post("/internal/{name}", include_in_schema=False)
    async def internal(name: str, request: Request) -> Response:
        """A command asks what it would ask the project; only whoever can read the server's file has the token."""
        given = request.headers.get("authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return Response(status_code=401)
        return await run_in_threadpool(_answer, host, name, await request.body())

    @api.get("/api/v1/accounts")
    def accounts(limit: int = 20) -> Any:
        with host.reading() as project:
            from datetime import UTC, datetime

            ensure_scored(project, None, datetime.now(UTC))
            return list_accounts(project, Choice(tier=None, segment=None, sort="score", limit=limit), "en")

    @api.get("/health")
    def health() -> Any:
        return vars(host.follower.progress) | {"durable": host.log.durable, "accepted": host.door.accepted}

    return api


def _answer(host: Host, name: str, body: bytes) -> Response:
    try:
        return Response(answer(host, name, body))
    except HandraiseError as error:
        return Response(encode_error(error), 409)
