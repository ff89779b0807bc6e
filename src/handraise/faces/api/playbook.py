"""The playbook: read, checked, compared, and published without losing what somebody else wrote."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, Field

from handraise.errors import ConflictError, PlaybookError
from handraise.faces.api.asked import Asked, AsOf, HostOf, Language
from handraise.faces.api.auth import Publisher, Reader
from handraise.faces.api.problems import Mistake, ProblemError, documented
from handraise.ledger.audit import record
from handraise.service import questions
from handraise.service.diff import PlaybookDiff
from handraise.service.playbook_file import check_playbook, tag_of

router = APIRouter(prefix="/api/v1", tags=["playbook"], responses=documented())
YAML = "application/yaml"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A playbook.",
        "content": {YAML: {"schema": {"type": "string"}, "example": "bands:\n- {name: hot, at_least: 80}\n"}},
    }
}


class Checked(BaseModel):
    """Whether a text is a playbook."""

    valid: bool
    content_hash: str | None = Field(description="What scores would name it by; null = it has mistakes.")
    mistakes: list[Mistake] = Field(description="Each with its line.")


class Published(BaseModel):
    """The playbook that was written; scores follow it within seconds."""

    content_hash: str = Field(description="What scores will name it by.")
    etag: str = Field(description="What the next change has to name.")


class DiffAsked(Asked):
    """What is compared."""

    as_of: AsOf = None
    limit: Annotated[int, Field(ge=1, le=500, description="Accounts, and people, that are named.")] = 20
    lang: Language = None


async def _text(request: Request) -> str:
    try:
        return (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise ProblemError("invalid-playbook", "the text is not UTF-8.", where="body") from error


Text = Annotated[str, Depends(_text)]
IfMatch = Annotated[
    str | None, Header(description="The `ETag` of the playbook that the change was made from.", max_length=200)
]


@router.get(
    "/playbook",
    operation_id="get_playbook",
    summary="The playbook's file",
    response_class=Response,
    responses={
        200: {
            "description": "The text; `ETag` names its content",
            "content": {YAML: {"schema": {"description": "A playbook; docs/playbook.md has its keys."}}},
            "headers": {"ETag": {"schema": {"type": "string"}, "description": "Names the content of the file."}},
        }
    },
)
def get_playbook(host: HostOf, _: Reader) -> Response:
    """The text of handraise.yaml as it is now. Needs the scope `read`."""
    content = host.playbook.read()
    return Response(content, media_type=YAML, headers={"ETag": f'"{tag_of(content)}"'})


@router.post(
    "/playbook/check",
    operation_id="check_playbook",
    summary="Check a playbook",
    openapi_extra=_BODY,
    responses=documented("invalid-playbook", always=False)
    | {200: {"description": "Checked, with or without mistakes"}},
)
def check(_: Reader, text: Text) -> Checked:
    """Find the mistakes of a text; nothing is changed. Needs the scope `read`."""
    try:
        found = check_playbook(text)
    except PlaybookError as error:
        mistakes = [Mistake(where=one.where, what=one.what, todo=one.todo) for one in error.mistakes]
        return Checked(valid=False, content_hash=None, mistakes=mistakes)
    return Checked(valid=True, content_hash=found.content_hash, mistakes=[])


@router.post(
    "/playbook/diff",
    operation_id="diff_playbook",
    summary="What a playbook would change",
    openapi_extra=_BODY,
)
def diff(host: HostOf, _: Reader, text: Text, asked: Annotated[DiffAsked, Query()]) -> PlaybookDiff:
    """Who would move, and why, if a text were the playbook; nothing is changed. Needs the scope `read`."""
    loaded = check_playbook(text)
    with host.reading() as project:
        return questions.playbook_diff(
            project,
            old=None,
            new=loaded,
            as_of=asked.as_of,
            limit=asked.limit,
            language=asked.lang,
            now=host.now(),
        )


@router.put(
    "/playbook",
    operation_id="publish_playbook",
    summary="Publish a playbook",
    openapi_extra=_BODY,
    responses=documented("changed-meanwhile", "if-match-missing", always=False),
)
def publish(host: HostOf, caller: Publisher, response: Response, text: Text, if_match: IfMatch = None) -> Published:
    """Write handraise.yaml, if it is still what `If-Match` names. Needs the scope `playbook`."""
    if if_match is None:
        raise ProblemError(
            "if-match-missing",
            "without If-Match, what somebody else wrote could be lost.",
            where="If-Match",
            todo="Read the playbook, and send the ETag of what you read as If-Match.",
        )
    loaded = check_playbook(text)
    try:
        # Whatever is written is in the trail; the file comes last, as it cannot be taken back.
        with host.ledger.transaction() as connection:
            record(
                connection,
                actor=caller.actor,
                action="playbook.publish",
                object="handraise.yaml",
                details={"content_hash": loaded.content_hash},
                now=host.now(),
            )
            tag = host.playbook.publish(text, instead_of=if_match.strip().removeprefix("W/").strip('"'))
    except ConflictError as error:
        raise ProblemError("changed-meanwhile", error.what, todo=error.todo, where=error.where) from error
    host.follower.look_at_playbook()
    response.headers["ETag"] = f'"{tag}"'
    return Published(content_hash=loaded.content_hash, etag=tag)
