"""What commands on the same machine ask the server that has the project; the guard has seen their token."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from handraise.errors import HandraiseError
from handraise.faces.api.asked import HostOf
from handraise.service.host import Host
from handraise.service.wire import encode, encode_error, keywords_of, question_of

router = APIRouter(include_in_schema=False)


@router.post("/internal/{name}")
async def internal(host: HostOf, name: str, request: Request) -> Response:
    """A command asks what it would ask the project."""
    return await run_in_threadpool(_answer, host, name, await request.body())


def _answer(host: Host, name: str, body: bytes) -> Response:
    question = question_of(name)
    if question is None:
        return Response(encode_error(HandraiseError(f"the server knows no question {name!r}.")), 404)
    try:
        given = keywords_of(question, body)
        if question.changes:
            return Response(encode(host.follower.ask(lambda project: question.answer(project, **given))))
        with host.reading() as project:
            return Response(encode(question.answer(project, **given)))
    except HandraiseError as error:
        return Response(encode_error(error), 409)
