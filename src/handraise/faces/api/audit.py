"""Who changed what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from handraise.faces.api.asked import HostOf
from handraise.faces.api.auth import Admin
from handraise.faces.api.pages import Page, Paged, Whole, cut, place_in
from handraise.faces.api.problems import documented
from handraise.ledger.audit import list_audit

router = APIRouter(prefix="/api/v1", tags=["audit"], responses=documented())


class AuditAsked(Paged):
    """A part of the trail."""


class Change(BaseModel):
    """One change."""

    seq: int = Field(description="Place in the chain, from 1.")
    at: datetime
    actor: str = Field(description="Who, such as `local`, `cli:ann` or `api_key 3`.")
    action: str = Field(description="What was done, such as `write_key.revoke`.")
    object: str = Field(description="To what.")
    details: Mapping[str, Any] = Field(description="More about it.")
    previous_hash: str = Field(description="Hash of the row before.")
    hash: str = Field(description="SHA-256 over everything above.")


@router.get("/audit", operation_id="list_audit", summary="List changes")
def audit(host: HostOf, _: Admin, asked: Annotated[AuditAsked, Query()]) -> Page[Change]:
    """The audit trail, the latest first. Needs the scope `admin`."""
    after = place_in("audit", asked, tuple[Whole])
    with host.ledger.reading() as connection:
        found = list_audit(connection, before=after[0] if after else None, limit=asked.limit + 1)
    rows, following = cut("audit", asked, found, lambda row: (row.seq,))
    shown = [Change(**{name: getattr(row, name) for name in Change.model_fields}) for row in rows]
    return Page[Change](rows=shown, next=following)
