"""Jobs: a row is the queue. A worker leases a row, and whoever holds the lease may say how it ended.

The arguments of a job name rows of the ledger, never people: an erasure has to leave nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, or_, select, update

from handraise.errors import LedgerError
from handraise.ledger.audit import record, take_turn
from handraise.ledger.conflicts import insert_new
from handraise.ledger.schema import jobs

STATUSES = ("queued", "running", "done", "failed", "cancelled")
_ENDED = STATUSES[2:]
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(hours=1)
_LONGEST_ERROR = 4000  # characters


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRequest:
    """Work that is wanted.

    Attributes:
        kind: What kind of work.
        arguments: What the work needs to know, as JSON; no names, addresses or ids of people.
        run_at: Not before; None = at once.
        max_attempts: How often to try before giving up, from 1.
        dedupe_key: While a job of the same key waits or runs, no other is added.
    """

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    run_at: datetime | None = None
    max_attempts: int = 5
    dedupe_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A job as it stands in the queue.

    Attributes:
        id: Number of the job; later jobs have higher ones.
        kind: What kind of work.
        arguments: What the work needs to know.
        status: queued, running, done, failed or cancelled.
        attempts: How often it was started.
        max_attempts: How often to try before giving up.
        run_at: Not before.
        dedupe_key: While it waits or runs, no other job of this key is added.
        lease_until: Until when its worker holds it; another may take it over then.
        leased_by: The worker that holds it, or held it last.
        heartbeat_at: When its worker last said that it is at it.
        created_at: When it was added.
        started_at: When its latest attempt began.
        finished_at: When it ended for good.
        error: What went wrong in its latest attempt.
        result: What it gave, as JSON.
        progress: How far it has come, from 0 to 1; None = not told.
    """

    id: int
    kind: str
    arguments: Mapping[str, Any]
    status: str
    attempts: int
    max_attempts: int
    run_at: datetime
    dedupe_key: str | None
    lease_until: datetime | None
    leased_by: str | None
    heartbeat_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    result: Any
    progress: float | None


def enqueue(connection: Connection, wanted: JobRequest, *, now: datetime) -> int:
    """Add a job.

    Returns:
        Its id, or that of the job with the same dedupe key that waits or runs.
    """
    values = {
        "kind": wanted.kind,
        "arguments": dict(wanted.arguments),
        "status": "queued",
        "attempts": 0,
        "max_attempts": wanted.max_attempts,
        "run_at": wanted.run_at or now,
        "dedupe_key": wanted.dedupe_key,
        "created_at": now,
    }
    new = insert_new(connection, jobs, [values])
    if new:
        return int(new[0].id)
    alive = jobs.c.status.in_(("queued", "running"))
    there = connection.execute(select(jobs.c.id).where(jobs.c.dedupe_key == wanted.dedupe_key, alive)).scalar()
    # Where the other job ends between the two statements, this one is added after all.
    return int(there) if there is not None else enqueue(connection, wanted, now=now)


def lease(connection: Connection, worker: str, kinds: Iterable[str], *, now: datetime, seconds: float) -> Job | None:
    """Take the job whose turn it is; exactly one worker gets it.

    A job whose worker has not been heard of until its lease ended is taken over, which counts as an attempt.

    Args:
        connection: The transaction; the lease holds once it is committed.
        worker: Who takes it; no two workers share a name.
        kinds: Kinds of jobs that the worker can do.
        now: When.
        seconds: How long the lease lasts without a heartbeat.

    Returns:
        The job, or None = there is nothing to do.
    """
    wanted = jobs.c.kind.in_(list(kinds))
    lost = and_(jobs.c.status == "running", jobs.c.lease_until <= now)
    _give_up(connection, and_(wanted, lost), now)
    due = or_(and_(jobs.c.status == "queued", jobs.c.run_at <= now), lost)
    next_one = select(jobs.c.id).where(wanted, due).order_by(jobs.c.run_at, jobs.c.id).limit(1)
    taken = (
        update(jobs)
        .where(jobs.c.id == next_one.with_for_update(skip_locked=True).scalar_subquery())
        .values(
            status="running",
            attempts=jobs.c.attempts + 1,
            leased_by=worker,
            lease_until=now + timedelta(seconds=seconds),
            heartbeat_at=now,
            started_at=now,
            progress=None,
        )
        .returning(*jobs.columns)
    )
    row = connection.execute(taken).one_or_none()
    return _job(row) if row else None


def heartbeat(
    connection: Connection, job: Job, *, now: datetime, seconds: float, progress: float | None = None
) -> bool:
    """Say that the worker is still at it, and how far it has come.

    Returns:
        False = the job is no longer this worker's (taken over or cancelled): stop.
    """
    values: dict[str, Any] = {"heartbeat_at": now, "lease_until": now + timedelta(seconds=seconds)}
    if progress is not None:
        values["progress"] = progress
    return connection.execute(update(jobs).where(_held(job)).values(values)).rowcount == 1


def finish(connection: Connection, job: Job, *, result: object = None, now: datetime) -> None:
    """Say that the job is done; in the transaction of what it did, so that both are kept or neither is.

    Raises:
        LedgerError: The job is no longer this worker's; what it did must not be kept.
    """
    _end_attempt(connection, job, {"status": "done", "finished_at": now, "result": result, "error": None})


def fail(connection: Connection, job: Job, *, error: str, now: datetime, retry: bool = True) -> None:
    """Say that an attempt failed: the job waits, longer each time, and is tried again until it has had all attempts.

    Args:
        connection: The transaction.
        job: As it was leased.
        error: What went wrong, in words.
        now: When.
        retry: Trying again can help.

    Raises:
        LedgerError: The job is no longer this worker's.
    """
    told = error[:_LONGEST_ERROR]
    if retry and job.attempts < job.max_attempts:
        values = {"status": "queued", "run_at": now + wait_after(job.attempts), "error": told}
    else:
        values = {"status": "failed", "finished_at": now, "error": told}
    _end_attempt(connection, job, values)


def wait_after(attempts: int) -> timedelta:
    """How long a job waits after so many attempts: 30 s, twice as long each time, at most an hour."""
    return min(_FIRST_WAIT * int(2 ** min(attempts - 1, 20)), _LONGEST_WAIT)


def cancel(connection: Connection, job_id: int, *, actor: str, now: datetime) -> bool:
    """End a job that waits or runs; its worker learns of it at its next heartbeat. False = it had ended already."""
    take_turn(connection)
    alive = jobs.c.status.in_(("queued", "running"))
    ended = update(jobs).where(jobs.c.id == job_id, alive).values(status="cancelled", finished_at=now, lease_until=None)
    kind = connection.execute(ended.returning(jobs.c.kind)).scalar()
    if kind is None:
        return False
    record(connection, actor=actor, action="job.cancel", object=f"job {job_id}", details={"kind": kind}, now=now)
    return True


def find_job(connection: Connection, job_id: int) -> Job | None:
    """One job; None = there is none of this id."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).one_or_none()
    return _job(row) if row else None


def list_jobs(
    connection: Connection,
    *,
    status: str | None = None,
    kind: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[Job, ...]:
    """Jobs, latest first.

    Args:
        connection: To read with.
        status: Only those of this status.
        kind: Only those of this kind.
        before: Only jobs with a lower id; the last id of a page gives the next page.
        limit: At most so many.
    """
    wanted = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
    if status is not None:
        wanted = wanted.where(jobs.c.status == status)
    if kind is not None:
        wanted = wanted.where(jobs.c.kind == kind)
    if before is not None:
        wanted = wanted.where(jobs.c.id < before)
    return tuple(_job(row) for row in connection.execute(wanted))


def drop_ended(connection: Connection, *, ended_before: datetime) -> int:
    """Remove jobs that ended long ago, so that the queue stays short; returns how many."""
    gone = delete(jobs).where(jobs.c.status.in_(_ENDED), jobs.c.finished_at < ended_before)
    return connection.execute(gone).rowcount


def _give_up(connection: Connection, lost: ColumnElement[bool], now: datetime) -> None:
    """Jobs whose worker was lost in their last attempt are not tried again: they may be what kills the workers."""
    ended = update(jobs).where(lost, jobs.c.attempts >= jobs.c.max_attempts)
    told = "the worker was lost in the last attempt"
    connection.execute(ended.values(status="failed", finished_at=now, lease_until=None, error=told))


def _end_attempt(connection: Connection, job: Job, values: dict[str, Any]) -> None:
    if connection.execute(update(jobs).where(_held(job)).values(lease_until=None, **values)).rowcount != 1:
        raise LedgerError(
            f"job {job.id} is no longer held by {job.leased_by!r}: it was taken over or cancelled.",
            todo="Keep nothing of what this attempt did.",
        )


def _held(job: Job) -> ColumnElement[bool]:
    """Each lease is another attempt, also where the same worker lost a job and got it again."""
    return and_(jobs.c.id == job.id, jobs.c.status == "running", jobs.c.attempts == job.attempts)


def _job(row: Row[Any]) -> Job:
    return Job(**row._asdict())
