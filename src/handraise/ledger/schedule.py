"""What has to be done again and again: schedules in cron's notation, in UTC, that put jobs into the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cronsim import CronSim, CronSimError
from sqlalchemy import Connection, delete, insert, select, update

from handraise.errors import LedgerError
from handraise.ledger.audit import record, take_turn
from handraise.ledger.jobs import JobRequest, enqueue
from handraise.ledger.schema import schedules


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A job that comes due again and again.

    Attributes:
        name: Its name.
        cron: When, in cron's notation and UTC: minute, hour, day of month, month, day of week.
        kind: Kind of the job.
        arguments: What the job needs to know.
        enabled: Whether it puts jobs into the queue.
        last_due_at: When it last did, or was set.
    """

    name: str
    cron: str
    kind: str
    last_due_at: datetime
    arguments: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True


def set_schedule(connection: Connection, schedule: Schedule, *, actor: str, now: datetime) -> None:
    """Add a schedule, or put it in the place of the one with its name; what was due before its `last_due_at` is not done.

    Raises:
        LedgerError: The notation cannot be read, or names a day that does not exist.
    """
    _check(schedule.cron, now)
    take_turn(connection)
    values = {
        "name": schedule.name,
        "cron": schedule.cron,
        "kind": schedule.kind,
        "arguments": dict(schedule.arguments),
        "enabled": schedule.enabled,
        "last_due_at": schedule.last_due_at,
    }
    connection.execute(delete(schedules).where(schedules.c.name == schedule.name))
    connection.execute(insert(schedules).values(values))
    details = {"cron": schedule.cron, "kind": schedule.kind, "enabled": schedule.enabled}
    record(connection, actor=actor, action="schedule.set", object=f"schedule {schedule.name}", details=details, now=now)


def drop_schedule(connection: Connection, name: str, *, actor: str, now: datetime) -> bool:
    """Remove a schedule; False = there was none of this name. Jobs that it put into the queue stay there."""
    take_turn(connection)
    if not connection.execute(delete(schedules).where(schedules.c.name == name)).rowcount:
        return False
    record(connection, actor=actor, action="schedule.drop", object=f"schedule {name}", details={}, now=now)
    return True


def list_schedules(connection: Connection) -> tuple[Schedule, ...]:
    """All schedules, by name."""
    found = (Schedule(**row._asdict()) for row in connection.execute(select(schedules)))
    return tuple(sorted(found, key=lambda schedule: schedule.name))


def plan_due(connection: Connection, *, now: datetime) -> tuple[int, ...]:
    """Put a job into the queue for every schedule that has come due, once, whoever else plans at the same time.

    Runs that were missed become one. While the last job of a schedule waits or runs, no other is added.

    Returns:
        Ids of the jobs.
    """
    planned = []
    for schedule in list_schedules(connection):
        due = last_due(schedule.cron, now) if schedule.enabled else None
        if due is None or due <= schedule.last_due_at:
            continue
        mine = update(schedules).where(
            schedules.c.name == schedule.name, schedules.c.enabled, schedules.c.last_due_at == schedule.last_due_at
        )
        if connection.execute(mine.values(last_due_at=due)).rowcount == 1:
            key = f"schedule {schedule.name}"
            wanted = JobRequest(kind=schedule.kind, arguments=schedule.arguments, run_at=due, dedupe_key=key)
            planned.append(enqueue(connection, wanted, now=now))
    return tuple(planned)


def last_due(cron: str, now: datetime) -> datetime | None:
    """The latest time that a notation names, up to and including now; None = not in decades."""
    # The search backwards leaves out where it begins, and knows whole seconds.
    begin = now.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    return next(CronSim(cron, begin, reverse=True), None)


def _check(cron: str, now: datetime) -> None:
    try:
        CronSim(cron, now.astimezone(UTC))
    except CronSimError as error:
        raise LedgerError(
            f"{cron!r} is not cron's notation ({error}).", todo="Write it as `0 6 * * 1-5`: at 6:00 UTC on weekdays."
        ) from error
