"""What commands on the same machine ask the server that has the project; the guard has seen their token."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from handraise.errors import HandraiseError, NotFoundError
from handraise.faces.api.asked import HostOf
from handraise.service.answers import answer
from handraise.service.host import Host
from handraise.service.wire import encode_error

router = APIRouter(include_in_schema=False)


@router.post("/internal/{name}")
async def internal(host: HostOf, name: str, request: Request) -> Response:
    """A command asks what it would ask the project."""
    return await run_in_threadpool(_answer, host, name, await request.body())


def _answer(host: Host, name: str, body: bytes) -> Response:
    try:
        return Response(answer(host, name, body))
    except HandraiseError as error:
        return Response(encode_error(error), 404 if isinstance(error, NotFoundError) else 409)
