"""Let a language model reword the draft of a handoff."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from handraise.faces.api.asked import HostOf, Language, Number
from handraise.faces.api.auth import Writer
from handraise.faces.api.problems import documented
from handraise.records.rewriting import Rewrite
from handraise.service import orders

router = APIRouter(prefix="/api/v1", tags=["handoffs"], responses=documented())


class RewriteWanted(BaseModel):
    """In which language."""

    model_config = ConfigDict(extra="forbid")

    lang: Language = None


@router.post(
    "/handoffs/{number}/draft/rewrite",
    operation_id="rewrite_draft",
    summary="Reword a draft",
    responses=documented("not-found", "draft-refused", "invalid-playbook", "conflict", always=False),
)
def rewrite(host: HostOf, caller: Writer, number: Number, wanted: RewriteWanted) -> Rewrite:
    """The template's text, and beside it the one of the playbook's language model, or why there is none. Nothing is sent.

    Needs the scope `write`.
    """
    return orders.reword_draft(host, number=number, language=wanted.lang, actor=caller.actor)
