"""Work that is done in its own time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, Field

from handraise.errors import NotFoundError
from handraise.faces.api.asked import HostOf, Name, Number
from handraise.faces.api.auth import Reader, Writer
from handraise.faces.api.pages import Page, Paged, Whole, cut, place_in
from handraise.faces.api.problems import ProblemError, documented
from handraise.ledger import jobs
from handraise.ledger.audit import record, take_turn
from handraise.ledger.columns import canonical
from handraise.ledger.jobs import Job, JobRequest
from handraise.service.job_kinds import JobWanted

router = APIRouter(prefix="/api/v1", tags=["jobs"], responses=documented())
Wanted = Annotated[JobWanted, Body(discriminator="kind", examples=[{"kind": "refresh"}])]


class JobsAsked(Paged):
    """Which jobs."""

    status: Annotated[
        Literal["queued", "running", "done", "failed", "cancelled"] | None, Field(description="In this state only.")
    ] = None
    kind: Annotated[Name | None, Field(description="Of this kind only.")] = None


class JobShown(BaseModel):
    """A job as it stands."""

    id: int
    kind: str
    arguments: Mapping[str, Any]
    status: str = Field(description="queued, running, done, failed or cancelled.")
    attempts: int = Field(description="How often it was started.")
    max_attempts: int = Field(description="How often it is tried before it is given up.")
    run_at: datetime = Field(description="Not before.")
    created_at: datetime
    started_at: datetime | None = Field(description="When its latest attempt began.")
    finished_at: datetime | None = Field(description="When it ended for good.")
    error: str | None = Field(description="What went wrong in its latest attempt.")
    result: Any = Field(description="What it gave.")
    progress: float | None = Field(description="How far it has come, from 0 to 1.")


@router.get("/jobs", operation_id="list_jobs", summary="List jobs")
def list_jobs(host: HostOf, _: Reader, asked: Annotated[JobsAsked, Query()]) -> Page[JobShown]:
    """Jobs, the latest first. Needs the scope `read`."""
    after = place_in("jobs", asked, tuple[Whole])
    with host.ledger.reading() as connection:
        found = jobs.list_jobs(
            connection,
            status=asked.status,
            kind=asked.kind,
            before=after[0] if after else None,
            limit=asked.limit + 1,
        )
    rows, following = cut("jobs", asked, found, lambda row: (row.id,))
    return Page[JobShown](rows=[_shown(job) for job in rows], next=following)


@router.post("/jobs", operation_id="enqueue_job", summary="Ask for work", status_code=202)
def enqueue_job(host: HostOf, caller: Writer, wanted: Wanted) -> JobShown:
    """Add a job; while the same work waits or runs, that job is the answer. Needs the scope `write`."""
    arguments = wanted.model_dump(mode="json", exclude={"kind"})
    request = JobRequest(kind=wanted.kind, arguments=arguments, dedupe_key=f"{wanted.kind} {canonical(arguments)}")
    with host.ledger.transaction() as connection:
        take_turn(connection)
        number = jobs.enqueue(connection, request, now=host.now())
        record(
            connection,
            actor=caller.actor,
            action="job.enqueue",
            object=f"job {number}",
            details={"kind": wanted.kind},
            now=host.now(),
        )
        found = jobs.find_job(connection, number)
    assert found is not None  # noqa: S101 - it was just added
    return _shown(found)


@router.get(
    "/jobs/{job_id}",
    operation_id="get_job",
    summary="One job",
    responses=documented("not-found", always=False),
)
def get_job(host: HostOf, _: Reader, job_id: Number) -> JobShown:
    """How a job stands. Needs the scope `read`."""
    with host.ledger.reading() as connection:
        return _known(jobs.find_job(connection, job_id), job_id)


@router.post(
    "/jobs/{job_id}/cancel",
    operation_id="cancel_job",
    summary="Cancel a job",
    responses=documented("not-found", "conflict", always=False),
)
def cancel_job(host: HostOf, caller: Writer, job_id: Number) -> JobShown:
    """End a job that waits or runs. Needs the scope `write`."""
    with host.ledger.transaction() as connection:
        before = _known(jobs.find_job(connection, job_id), job_id)
        if not jobs.cancel(connection, job_id, actor=caller.actor, now=host.now()):
            raise ProblemError("conflict", f"job {job_id} had ended already: it is {before.status}.")
        return _known(jobs.find_job(connection, job_id), job_id)


def _known(job: Job | None, job_id: int) -> JobShown:
    if job is None:
        raise NotFoundError(f"there is no job {job_id}.", todo="`/api/v1/jobs` lists them.")
    return _shown(job)


def _shown(job: Job) -> JobShown:
    return JobShown(**{name: getattr(job, name) for name in JobShown.model_fields})
