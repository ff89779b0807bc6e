"""Schedules: what came due is put into the queue once, whoever looks, and missed runs become one."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from handraise.errors import LedgerError
from handraise.ledger.audit import list_audit
from handraise.ledger.jobs import finish, lease, list_jobs
from handraise.ledger.schedule import Schedule, drop_schedule, last_due, list_schedules, plan_due, set_schedule
from handraise.ledger.store import Ledger
from ledger.clock import NOW, at_once, later
from ledger.conftest import Place

HOURLY = Schedule(name="hourly", cron="0 * * * *", kind="refresh", arguments={"days": 1}, last_due_at=NOW)


def put(ledger: Ledger, schedule: Schedule = HOURLY) -> None:
    with ledger.transaction() as connection:
        set_schedule(connection, schedule, actor="cli", now=NOW)


def plan(ledger: Ledger, **passed: float) -> int:
    with ledger.transaction() as connection:
        return len(plan_due(connection, now=later(**passed)))


def do_all(ledger: Ledger) -> int:
    done = 0
    with ledger.transaction() as connection:
        while job := lease(connection, "w1", ["refresh"], now=later(days=900), seconds=60):
            finish(connection, job, now=later(days=900))
            done += 1
    return done


def test_a_schedule_puts_its_job_into_the_queue_when_it_is_due(ledger: Ledger) -> None:
    put(ledger)
    assert [plan(ledger, minutes=minute) for minute in (0, 59, 60, 61)] == [0, 0, 1, 0]
    with ledger.reading() as connection:
        [job] = list_jobs(connection)
        assert (job.kind, job.arguments, job.run_at, job.status) == ("refresh", {"days": 1}, later(hours=1), "queued")
        assert list_schedules(connection)[0].last_due_at == later(hours=1)


def test_runs_that_were_missed_become_one(ledger: Ledger) -> None:
    put(ledger)
    assert (plan(ledger, days=300, minutes=5), do_all(ledger)) == (1, 1)
    assert plan(ledger, days=300, minutes=10) == 0
    assert (plan(ledger, days=300, minutes=60), do_all(ledger)) == (1, 1)


def test_no_second_job_is_added_while_the_first_waits(ledger: Ledger) -> None:
    put(ledger)
    plan(ledger, hours=1)
    plan(ledger, hours=2)
    assert do_all(ledger) == 1


def test_workers_that_plan_at_the_same_time_add_each_job_once(place: Place) -> None:
    ledgers = [place.open() for _ in range(4)]
    for number in range(5):
        put(ledgers[0], Schedule(name=f"s{number}", cron="0 * * * *", kind="refresh", last_due_at=NOW))
    for hour in (1, 2, 3):
        assert sum(at_once([lambda ledger=ledger, hour=hour: plan(ledger, hours=hour) for ledger in ledgers])) == 5
        assert do_all(ledgers[0]) == 5


def test_a_schedule_that_is_switched_off_adds_nothing(ledger: Ledger) -> None:
    put(ledger, Schedule(name="hourly", cron="0 * * * *", kind="refresh", last_due_at=NOW, enabled=False))
    assert plan(ledger, hours=5) == 0
    with ledger.reading() as connection:
        assert [schedule.enabled for schedule in list_schedules(connection)] == [False]


def test_a_schedule_is_put_in_the_place_of_the_one_with_its_name_and_can_be_dropped(ledger: Ledger) -> None:
    put(ledger)
    daily = Schedule(name="hourly", cron="0 6 * * *", kind="refresh", last_due_at=NOW)
    put(ledger, daily)
    with ledger.transaction() as connection:
        assert list_schedules(connection) == (daily,)
        assert drop_schedule(connection, "hourly", actor="cli", now=NOW)
        assert not drop_schedule(connection, "hourly", actor="cli", now=NOW)
        assert list_schedules(connection) == ()
        assert [row.action for row in list_audit(connection)] == ["schedule.drop", "schedule.set", "schedule.set"]


@pytest.mark.parametrize("cron", ["", "hourly", "61 * * * *", "* * *", "0 0 31 2 *"])
def test_a_notation_that_names_no_time_is_refused(ledger: Ledger, cron: str) -> None:
    with pytest.raises(LedgerError, match="not cron's notation"):
        put(ledger, Schedule(name="odd", cron=cron, kind="refresh", last_due_at=NOW))


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-09-01T05:59:59.500000", "2026-08-31T06:00:00"),
        ("2026-09-01T06:00:00", "2026-09-01T06:00:00"),
        ("2026-09-01T06:00:00.000001", "2026-09-01T06:00:00"),
        ("2026-09-01T23:59:59", "2026-09-01T06:00:00"),
    ],
)
def test_the_latest_due_time_is_up_to_now_and_never_after_it(now: str, due: str) -> None:
    instant = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert last_due("0 6 * * *", instant) == datetime.fromisoformat(due).replace(tzinfo=UTC)
    elsewhere = instant.astimezone(timezone(timedelta(hours=8)))
    assert last_due("0 6 * * *", elsewhere) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_each_minute_is_due_in_that_minute() -> None:
    for second in range(0, 300, 7):
        now = later(seconds=second)
        assert last_due("* * * * *", now) == now.replace(second=0)
