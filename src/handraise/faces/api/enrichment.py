"""What others know of companies and people: how much, and where they disagree."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from handraise.faces.api.asked import HostOf
from handraise.faces.api.auth import Reader
from handraise.faces.api.problems import documented
from handraise.records.enrichment import EnrichmentConflict
from handraise.service import questions
from handraise.service.known_values import Enriched

router = APIRouter(prefix="/api/v1", tags=["enrichment"], responses=documented())


@router.get("/enrichment", operation_id="get_enrichment", summary="How much is known, from whom")
def get_enrichment(host: HostOf, _: Reader) -> Enriched:
    """Of how many accounts and people each source knows something, and what is left of the providers' budgets.

    Needs the scope `read`.
    """
    with host.reading() as project:
        return questions.enrichment(project, now=host.now())


@router.get(
    "/enrichment/conflicts", operation_id="list_enrichment_conflicts", summary="Where sources contradict each other"
)
def list_conflicts(
    host: HostOf,
    _: Reader,
    about: Annotated[Literal["company", "person"] | None, Query(description="Of these only.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Rows at most.")] = 50,
) -> list[EnrichmentConflict]:
    """What is believed beside what another source says. Needs the scope `read`."""
    with host.reading() as project:
        return questions.enrichment_conflicts(project, about=about, limit=limit, now=host.now())
