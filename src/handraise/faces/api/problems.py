"""Every refusal in one shape, RFC 9457: what happened, where, and what to do. docs/api.md has a heading for each type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from handraise import errors
from handraise.errors import HandraiseError, LedgerError, PlaybookError

CONTENT_TYPE = "application/problem+json"
_RETRY_AFTER = "2"  # seconds
_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One type of problem.

    Attributes:
        status: Of HTTP.
        title: The same words each time.
    """

    status: int
    title: str


KINDS = {
    "refused": Kind(status=400, title="This cannot be asked for"),
    "unreadable": Kind(status=400, title="The request cannot be read"),
    "wrong-cursor": Kind(status=400, title="The cursor belongs to another list"),
    "no-such-day": Kind(status=400, title="There are no scores of this day"),
    "no-key": Kind(status=401, title="There is no key that works"),
    "missing-scope": Kind(status=403, title="The key may not do this"),
    "wrong-host": Kind(status=403, title="The server is not known by this name"),
    "wrong-origin": Kind(status=403, title="Pages of other sites may not ask"),
    "not-found": Kind(status=404, title="There is no such thing"),
    "no-such-address": Kind(status=404, title="There is no such address"),
    "wrong-method": Kind(status=405, title="The address does not do this"),
    "too-slow": Kind(status=408, title="The body did not come in time"),
    "conflict": Kind(status=409, title="It is no longer, or already, so"),
    "draft-refused": Kind(status=409, title="The draft may not be used"),
    "changed-meanwhile": Kind(status=412, title="It was changed by somebody else"),
    "too-large": Kind(status=413, title="The body is too large"),
    "invalid-request": Kind(status=422, title="The request is not as it has to be"),
    "invalid-input": Kind(status=422, title="The data cannot be used"),
    "invalid-playbook": Kind(status=422, title="The playbook has a mistake"),
    "if-match-missing": Kind(status=428, title="Say which version you change"),
    "failed": Kind(status=500, title="The server failed"),
    "remote-failed": Kind(status=502, title="Another server did not do its part"),
    "busy": Kind(status=503, title="Not now"),
}
_KIND_OF: dict[type[HandraiseError], str] = {
    errors.HandraiseError: "refused",
    errors.PlaybookError: "invalid-playbook",
    errors.InputError: "invalid-input",
    errors.AsOfError: "no-such-day",
    errors.ProjectError: "failed",
    errors.BusyError: "busy",
    errors.LogError: "busy",
    errors.EngineError: "failed",
    errors.NoRoomError: "busy",
    errors.ConflictError: "conflict",
    errors.DraftError: "draft-refused",
    errors.NotFoundError: "not-found",
    errors.LedgerError: "conflict",
    errors.AddressError: "invalid-input",
    errors.RemoteError: "remote-failed",
}


class Mistake(BaseModel):
    """One of several mistakes."""

    where: str = Field(description="Where it is: a line, a parameter, or a field of the body.")
    what: str = Field(description="What is wrong there.")
    todo: str = Field(default="", description="What to do about it.")


class Problem(BaseModel):
    """What every refusal looks like."""

    type: str = Field(description="Which kind of problem it is; docs/api.md has a heading for each.")
    title: str = Field(description="The kind in words, the same each time.")
    status: int = Field(description="The status of the response.")
    detail: str = Field(description="What happened this time.")
    todo: str = Field(default="", description="What to do next; empty when nothing can be done.")
    where: str = Field(default="", description="What it is about: a line, a parameter, a file.")
    mistakes: list[Mistake] = Field(default=[], description="Each by itself, where there are several.")


class ProblemError(Exception):
    """Answer a request with a problem.

    Args:
        kind: One of `KINDS`.
        detail: What happened.
        todo: What to do next.
        where: What it is about.
        headers: More of them.
        mistakes: Where there are several.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        todo: str = "",
        where: str = "",
        headers: Mapping[str, str] | None = None,
        mistakes: list[Mistake] | None = None,
    ) -> None:
        """Keep the parts."""
        self.kind, self.headers = kind, dict(headers or {})
        known = KINDS[kind]
        if known.status == 503:  # noqa: PLR2004 - of HTTP
            self.headers.setdefault("Retry-After", _RETRY_AFTER)
        self.content = Problem(
            type=type_of(kind),
            title=known.title,
            status=known.status,
            detail=detail,
            todo=todo,
            where=where,
            mistakes=mistakes or [],
        )
        super().__init__(detail)

    @property
    def body(self) -> bytes:
        """Its JSON; in ASCII, because what somebody sent may hold what is no text."""
        return json.dumps(self.content.model_dump()).encode()

    def response(self) -> Response:
        """The whole answer."""
        return Response(self.body, self.content.status, self.headers, CONTENT_TYPE)


def type_of(kind: str) -> str:
    """What the `type` of a problem says."""
    return f"/problems/{kind}"


def problem_of(error: HandraiseError) -> ProblemError:
    """What an error of ours is to whoever asked over HTTP."""
    kind = next(_KIND_OF[known] for known in type(error).__mro__ if known in _KIND_OF)
    if isinstance(error, LedgerError) and error.retry:
        kind = "busy"
    if kind == "failed":
        _log.error("a request failed", error=str(error))
        if isinstance(error, errors.EngineError):  # its words quote statements, which may hold people's data
            return failure()
    mistakes = [_mistake(one) for one in error.mistakes] if isinstance(error, PlaybookError) else []
    return ProblemError(kind, error.what, todo=error.todo, where=error.where, mistakes=mistakes)


def failure() -> ProblemError:
    """Something that should not happen did; nothing of the inside is told."""
    return ProblemError("failed", "the server could not do this.", todo="Its own output says why.")


def _mistake(error: PlaybookError) -> Mistake:
    return Mistake(where=error.where, what=error.what, todo=error.todo)


async def answer_problem(_: Request, error: Exception) -> Response:
    """For `ProblemError`."""
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for it
    return error.response()


async def answer_error(_: Request, error: Exception) -> Response:
    """For the errors of handraise."""
    assert isinstance(error, HandraiseError)  # noqa: S101 - registered for it
    return problem_of(error).response()


async def answer_invalid(_: Request, error: Exception) -> Response:
    """For requests that the API's description does not allow."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    mistakes = [Mistake(where=".".join(map(str, one["loc"])), what=_in_words(one)) for one in error.errors()]
    first = mistakes[0]
    said = f"{first.where}: {first.what}"
    return ProblemError("invalid-request", said, todo=_SEE, where=first.where, mistakes=mistakes).response()


def _in_words(mistake: dict[str, Any]) -> str:
    """What is wrong, without the words of the library that found it."""
    if mistake["type"] == "extra_forbidden":
        return "there is no such parameter or field"
    return str(mistake["msg"]).removeprefix("Value error, ")


_SEE = "/api/v1/openapi.json says what is expected."
_BY_STATUS = {404: "no-such-address", 405: "wrong-method"}


async def answer_http(_: Request, error: Exception) -> Response:
    """For what the framework refuses."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    kind = _BY_STATUS.get(error.status_code, "unreadable")
    return ProblemError(kind, f"{KINDS[kind].title.lower()}.", todo=_SEE, headers=error.headers).response()


# What any address may answer.
_ALWAYS = (
    "refused",
    "unreadable",
    "wrong-cursor",
    "no-such-day",
    "no-key",
    "missing-scope",
    "wrong-host",
    "wrong-origin",
    "too-slow",
    "too-large",
    "invalid-request",
    "invalid-input",
    "failed",
    "busy",
)


def documented(*kinds: str, always: bool = True) -> dict[int | str, dict[str, Any]]:
    """For the API's description: status → what is answered then.

    Args:
        kinds: Problems that this address can have beside those that every address can have.
        always: Those too.
    """
    found: dict[int | str, dict[str, Any]] = {}
    for kind in (*(_ALWAYS if always else ()), *kinds):
        known = KINDS[kind]
        there = found.setdefault(known.status, {"description": "", "content": {CONTENT_TYPE: _schema()}})
        there["description"] = "; ".join(part for part in (there["description"], f"{known.title} (`{kind}`)") if part)
        there["content"][CONTENT_TYPE]["examples"][kind] = {"value": _example(kind)}
    return found


def _schema() -> dict[str, Any]:
    return {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}


def _example(kind: str) -> dict[str, Any]:
    shown = ProblemError(kind, "what happened, in words.", todo="What to do next.").content
    return shown.model_dump(exclude={"mistakes"})
