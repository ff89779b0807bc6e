"""Briefs, drafts and stories."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from handraise.faces.api.asked import NO_NUL, Asked, HostOf, Id, Language, Number
from handraise.faces.api.auth import Reader, Writer
from handraise.faces.api.problems import documented
from handraise.faces.report.brief_document import brief_document
from handraise.faces.report.document import Document, to_markdown
from handraise.faces.report.document_page import to_page
from handraise.faces.report.story_document import story_document
from handraise.records.brief import Brief
from handraise.records.drafts import Approval, Draft
from handraise.service import selling_questions as questions
from handraise.service.drafting import Approving, Story

router = APIRouter(prefix="/api/v1", tags=["handoffs"], responses=documented())
_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/markdown": {"schema": {"type": "string"}},
            "text/html": {"schema": {"type": "string"}},
        },
        "description": "As JSON, or in the form that was asked for.",
    }
}
Line = Annotated[str, Field(min_length=1, max_length=300, pattern=NO_NUL)]


class DocumentAsked(Asked):
    """How a document is written."""

    form: Annotated[
        Literal["json", "md", "html"],
        Field(alias="format", description="`md` is Markdown; `html` is a page that can be printed."),
    ] = "json"
    lang: Language = None


class DraftAsked(Asked):
    """In which language a draft is written."""

    lang: Annotated[Literal["en", "zh"] | None, Field(description="Of the draft; without it, the playbook's.")] = None


class DraftRead(BaseModel):
    """A draft, the hash of its exact text, and what was approved for the handoff before."""

    draft: Draft
    sha256: str = Field(description="Of subject, an empty line and body.")
    approvals: list[Approval]


class ApprovalWanted(BaseModel):
    """Which text somebody approves."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"by": "kim", "sha256": "3f9a12bc"}]})

    by: Annotated[Line | None, Field(description="Whose approval it is; without it, the key's.")] = None
    sha256: Annotated[
        str | None, Field(pattern=r"^[0-9a-f]{8,64}$", description="Of the text that they read, or its beginning.")
    ] = None
    subject: Annotated[Line | None, Field(description="With `body`: their own words instead of the draft's.")] = None
    body: Annotated[str | None, Field(min_length=1, max_length=10_000, pattern=NO_NUL)] = None
    lang: Language = None


@router.get(
    "/handoffs/{number}/brief",
    operation_id="get_handoff_brief",
    summary="The brief of a handoff",
    response_model=Brief,
    responses={**documented("not-found", always=False), **_FORMS},
)
def handoff_brief(
    host: HostOf, _: Reader, number: Number, asked: Annotated[DocumentAsked, Query()]
) -> Brief | Response:
    """Why now, usage, people, plan and value, what to talk about. Needs the scope `read`."""
    with host.reading() as project:
        found = questions.brief(project, number=number, account_id=None, language=asked.lang, now=host.now())
    return found if asked.form == "json" else _written(brief_document(found), asked.form)


@router.get(
    "/accounts/{account_id:path}/brief",
    operation_id="get_account_brief",
    summary="The brief of an account",
    response_model=Brief,
    responses={**documented("not-found", always=False), **_FORMS},
)
def account_brief(
    host: HostOf, _: Reader, account_id: Id, asked: Annotated[DocumentAsked, Query()]
) -> Brief | Response:
    """As of a handoff; its handoff is in it, where one is under way. Needs the scope `read`."""
    with host.reading() as project:
        found = questions.brief(project, number=None, account_id=account_id, language=asked.lang, now=host.now())
    return found if asked.form == "json" else _written(brief_document(found), asked.form)


@router.get(
    "/accounts/{account_id:path}/story",
    operation_id="get_story",
    summary="The story of an account",
    response_model=Story,
    responses={**documented("not-found", "draft-refused", always=False), **_FORMS},
)
def story(host: HostOf, _: Reader, account_id: Id, asked: Annotated[DocumentAsked, Query()]) -> Story | Response:
    """From one person's use to the whole company's, for whoever decides there. Needs the scope `read`."""
    with host.reading() as project:
        found = questions.story(project, account_id=account_id, language=asked.lang, now=host.now())
    return found if asked.form == "json" else _written(story_document(found), asked.form)


@router.get(
    "/handoffs/{number}/draft",
    operation_id="get_draft",
    summary="The draft of a handoff",
    responses=documented("not-found", "draft-refused", always=False),
)
def get_draft(host: HostOf, _: Reader, number: Number, asked: Annotated[DraftAsked, Query()]) -> DraftRead:
    """The draft, with the usage that it rests on, or with why it may not be used. Needs the scope `read`."""
    with host.reading() as project:
        found = questions.draft(project, number=number, language=asked.lang, now=host.now())
        approved = questions.draft_approvals(project, number=number)
    return DraftRead(draft=found, sha256=found.sha256, approvals=approved)


@router.post(
    "/handoffs/{number}/draft/approve",
    operation_id="approve_draft",
    summary="Approve the exact text of a draft",
    responses=documented("not-found", "conflict", "draft-refused", "invalid-input", always=False),
)
def approve_draft(host: HostOf, caller: Writer, number: Number, wanted: ApprovalWanted) -> Approval:
    """Keep who approved which exact text. Nothing is sent. Needs the scope `write`."""
    wording = (wanted.subject or "", wanted.body or "") if wanted.subject or wanted.body else None
    said = Approving(by=wanted.by or caller.actor, wording=wording, sha256=wanted.sha256)
    with host.reading() as project:
        return questions.approve_draft(project, number=number, said=said, language=wanted.lang, now=host.now())


def _written(document: Document, form: str) -> Response:
    if form == "md":
        return Response(to_markdown(document), media_type="text/markdown; charset=utf-8")
    return Response(to_page(document), media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _CSP})
