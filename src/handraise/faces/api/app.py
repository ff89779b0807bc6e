"""Put the API together."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from handraise.errors import HandraiseError
from handraise.faces.api import (
    accounts,
    alerts,
    audit,
    enrichment,
    explain,
    handoffs,
    internal,
    jobs,
    people,
    playbook,
    privacy,
    quarantine,
    rewriting,
    roster,
    selling,
    sources,
    state,
)
from handraise.faces.api.auth import Keys
from handraise.faces.api.guard import Guard
from handraise.faces.api.metrics import Metrics
from handraise.faces.api.problems import (
    Problem,
    ProblemError,
    answer_error,
    answer_http,
    answer_invalid,
    answer_problem,
)
from handraise.service.host import Host

OPENAPI = "/api/v1/openapi.json"
# Of an account's addresses, the longer ones come first: an id may hold slashes.
RESOURCES = (
    selling,
    accounts,
    people,
    explain,
    handoffs,
    alerts,
    roster,
    rewriting,
    enrichment,
    sources,
    quarantine,
    jobs,
    playbook,
    privacy,
    audit,
    state,
    internal,
)
_DESCRIPTION = """\
Which people and accounts deserve a salesperson's time, and why.

Every request needs a key, sent as `Authorization: Bearer hra_…`; `handraise api-keys add NAME` makes one. Refusals are
`application/problem+json` (RFC 9457): what happened, where, and what to do.
"""


def make_api(host: Host, token: str, *, hosts: Iterable[str] = ()) -> FastAPI:
    """The application.

    Args:
        host: What is served.
        token: Of commands on this machine.
        hosts: Names by which the server may be called, beside localhost.
    """
    api = _Api(
        title="handraise",
        version=version("handraise"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    api.state.host, api.state.metrics = host, Metrics(host)
    api.add_middleware(Guard, keys=Keys(host.ledger, token, now=host.now), metrics=api.state.metrics, hosts=hosts)
    for kind, answer in (
        (ProblemError, answer_problem),
        (HandraiseError, answer_error),
        (RequestValidationError, answer_invalid),
        (HTTPException, answer_http),
    ):
        api.add_exception_handler(kind, answer)
    for resource in RESOURCES:
        api.include_router(resource.router)
    api.add_api_route(OPENAPI, _describe, include_in_schema=False)
    return api


async def _describe(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


class _Api(FastAPI):
    """Describes problems once, for all addresses."""

    def openapi(self) -> dict[str, Any]:
        """The description of the API."""
        if not self.openapi_schema:
            found = super().openapi()
            schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            inner: dict[str, Any] = schema.pop("$defs", {})
            found["components"]["schemas"] |= {"Problem": schema, **inner}
        assert self.openapi_schema is not None  # noqa: S101 - just made
        return self.openapi_schema
