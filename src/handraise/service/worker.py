"""Do what is due: jobs out of the ledger's queue, one at a time, each by exactly one worker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from handraise.errors import HandraiseError, LedgerError
from handraise.ledger import jobs, schedule
from handraise.ledger.jobs import Job
from handraise.ledger.schedule import Schedule
from handraise.ledger.store import Ledger

Duty = Callable[[Mapping[str, Any]], object]
# Seconds that a job is held without a sign of life, and between two signs.
_LEASE, _BEAT = 60.0, 15.0
# How long it can be looked up what became of a job.
_KEPT = timedelta(days=90)
# Seconds between two looks at the queue.
_LOOK_EVERY = 1.0
_log = structlog.get_logger()
# Name → (cron in UTC, kind, arguments, enabled), put into a new ledger; whoever runs the project may change them.
DEFAULTS: dict[str, tuple[str, str, dict[str, Any], bool]] = {
    "nightly refresh": ("10 0 * * *", "refresh", {"full": True}, True),
    "erasures": ("40 0 * * *", "finish_erasures", {}, True),
    "verify": ("20 2 * * 0", "verify", {}, True),
    "backup": ("0 1 * * *", "backup", {"keep": 7}, False),
    "enrichment": ("20 0 * * *", "enrich", {}, False),
    "retention": ("30 1 * * *", "retain", {"days": 730}, False),
}


def set_defaults(ledger: Ledger, *, now: datetime) -> None:
    """Give a ledger that has no schedule yet the usual ones."""
    with ledger.reading() as connection:
        if schedule.list_schedules(connection):
            return
    with ledger.transaction() as connection:
        for name, (cron, kind, arguments, enabled) in DEFAULTS.items():
            made = Schedule(name=name, cron=cron, kind=kind, arguments=arguments, enabled=enabled, last_due_at=now)
            schedule.set_schedule(connection, made, actor="handraise", now=now)


class Worker:
    """Takes jobs of the kinds that it knows until it is stopped.

    Args:
        ledger: The queue.
        duties: Kind of job → what to do with its arguments; the result is kept with the job.
        name: No two workers have the same.
        now: The clock.
    """

    def __init__(self, ledger: Ledger, duties: Mapping[str, Duty], *, name: str, now: Callable[[], datetime]) -> None:
        self._ledger, self._duties, self._name, self._now = ledger, duties, name, now
        self._stopping = threading.Event()

    def run(self) -> None:
        """Do what comes due until `stop`."""
        while not self._stopping.is_set():
            try:
                busy = self.run_next()
            except Exception as error:  # noqa: BLE001 - whatever happened, what comes due next is to be done
                _log.error("the queue failed", reason=str(error))
                busy = False
            if not busy:
                self._stopping.wait(_LOOK_EVERY)

    def stop(self) -> None:
        """End after the job that is being done now."""
        self._stopping.set()

    def run_next(self) -> bool:
        """Do the next job that is due; whether there was one."""
        with self._ledger.transaction() as connection:
            schedule.plan_due(connection, now=self._now())
            job = jobs.lease(connection, self._name, self._duties, now=self._now(), seconds=_LEASE)
        if job is None:
            return False
        _log.info("job begins", job=job.id, kind=job.kind, attempt=job.attempts)
        self._do(job)
        return True

    def _do(self, job: Job) -> None:
        over = threading.Event()
        beating = threading.Thread(target=self._beat, args=(job, over), name="heartbeat")
        beating.start()
        try:
            found = self._duties[job.kind](job.arguments)
        except HandraiseError as error:
            self._failed(job, str(error), retry=error.retry)
        except Exception as error:  # noqa: BLE001 - whatever a job raises, the next one is to be done
            self._failed(job, f"{type(error).__name__}: {error}", retry=True)
        else:
            with self._ledger.transaction() as connection:
                jobs.finish(connection, job, result=found, now=self._now())
                jobs.drop_ended(connection, ended_before=self._now() - _KEPT)
            _log.info("job done", job=job.id, kind=job.kind)
        finally:
            over.set()
            beating.join()

    def _failed(self, job: Job, error: str, *, retry: bool) -> None:
        _log.error("job failed", job=job.id, kind=job.kind, error=error)
        with self._ledger.transaction() as connection:
            jobs.fail(connection, job, error=error, now=self._now(), retry=retry)

    def _beat(self, job: Job, over: threading.Event) -> None:
        while not over.wait(_BEAT):
            try:
                with self._ledger.transaction() as connection:
                    jobs.heartbeat(connection, job, now=self._now(), seconds=_LEASE)
            except LedgerError as error:
                _log.error("no sign of life can be given", job=job.id, reason=error.what)
