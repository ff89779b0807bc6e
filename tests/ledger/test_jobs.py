"""The queue: each job is done by one worker, none is lost, and who lost a job cannot say how it ended."""

import contextlib
import functools
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from handraise.errors import LedgerError
from handraise.ledger.audit import list_audit
from handraise.ledger.jobs import (
    Job,
    JobRequest,
    cancel,
    drop_ended,
    enqueue,
    fail,
    find_job,
    finish,
    heartbeat,
    lease,
    list_jobs,
    wait_after,
)
from handraise.ledger.store import Ledger
from ledger import worker
from ledger.clock import NOW, at_once, later
from ledger.conftest import Place

REFRESH = JobRequest(kind="refresh")
TESTS = Path(__file__).parents[1]


def add(ledger: Ledger, wanted: JobRequest = REFRESH) -> int:
    with ledger.transaction() as connection:
        return enqueue(connection, wanted, now=NOW)


def take(ledger: Ledger, who: str = "w1", *, minute: float = 0, kind: str = "refresh") -> Job | None:
    with ledger.transaction() as connection:
        return lease(connection, who, [kind], now=later(minutes=minute), seconds=60)


def taken(ledger: Ledger, who: str = "w1", *, minute: float = 0) -> Job:
    job = take(ledger, who, minute=minute)
    assert job
    return job


def now_is(ledger: Ledger, job_id: int) -> Job:
    with ledger.reading() as connection:
        job = find_job(connection, job_id)
    assert job
    return job


def test_a_job_goes_from_the_queue_to_its_end(ledger: Ledger) -> None:
    arguments = {"as_of": "2026-09-01", "text": "é\0\ud800", "numbers": [1, 2.5, None]}
    job_id = add(ledger, JobRequest(kind="refresh", arguments=arguments, max_attempts=3))
    expected = {
        "id": job_id,
        "kind": "refresh",
        "arguments": arguments,
        "status": "queued",
        "attempts": 0,
        "max_attempts": 3,
        "run_at": NOW,
        "dedupe_key": None,
        "lease_until": None,
        "leased_by": None,
        "heartbeat_at": None,
        "created_at": NOW,
        "started_at": None,
        "finished_at": None,
        "error": None,
        "result": None,
        "progress": None,
    }
    assert now_is(ledger, job_id) == Job(**expected)  # type: ignore[arg-type]
    job = taken(ledger, minute=1)
    expected |= {
        "status": "running",
        "attempts": 1,
        "leased_by": "w1",
        "lease_until": later(minutes=2),
        "heartbeat_at": later(minutes=1),
        "started_at": later(minutes=1),
    }
    assert job == now_is(ledger, job_id) == Job(**expected)  # type: ignore[arg-type]
    with ledger.transaction() as connection:
        finish(connection, job, result={"rows": 7}, now=later(minutes=1.5))
    expected |= {"status": "done", "lease_until": None, "finished_at": later(minutes=1.5), "result": {"rows": 7}}
    assert now_is(ledger, job_id) == Job(**expected)  # type: ignore[arg-type]
    assert take(ledger, minute=60) is None


def test_jobs_are_taken_in_the_order_of_the_times_they_are_wanted_for(ledger: Ledger) -> None:
    added = [add(ledger, JobRequest(kind="refresh", run_at=later(minutes=minute))) for minute in (-1, -3, -2, -3)]
    assert [taken(ledger).id for _ in added] == [added[1], added[3], added[2], added[0]]
    assert take(ledger) is None


def test_no_job_is_taken_before_its_time(ledger: Ledger) -> None:
    job_id = add(ledger, JobRequest(kind="refresh", run_at=later(minutes=10)))
    assert [take(ledger, minute=minute) for minute in (0, 9.99)] == [None, None]
    assert taken(ledger, minute=10).id == job_id


def test_a_worker_takes_only_kinds_that_it_can_do(ledger: Ledger) -> None:
    add(ledger)
    assert take(ledger, kind="erase") is None
    with ledger.transaction() as connection:
        assert lease(connection, "w1", [], now=NOW, seconds=60) is None
        assert lease(connection, "w1", ["erase", "refresh"], now=NOW, seconds=60)


def test_of_eight_threads_that_do_two_hundred_jobs_each_job_is_done_by_one(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        added = [enqueue(connection, REFRESH, now=NOW) for _ in range(200)]
    done = at_once([functools.partial(worker.work, ledger, f"w{number}") for number in range(8)])
    assert sorted(job for jobs in done for job in jobs) == added
    with ledger.reading() as connection:
        assert {(job.status, job.attempts) for job in list_jobs(connection, limit=1000)} == {("done", 1)}


def test_four_processes_on_one_file_do_each_job_once_and_leave_the_file_whole(in_file: Place) -> None:
    ledger = in_file.open()
    with ledger.transaction() as connection:
        added = [enqueue(connection, REFRESH, now=NOW) for _ in range(200)]
    command = [sys.executable, "-m", "ledger.worker", str(in_file.address)]
    running = [
        subprocess.Popen([*command, f"w{number}"], stdout=subprocess.PIPE, text=True, cwd=TESTS)  # noqa: S603
        for number in range(4)
    ]
    done = [process.communicate(timeout=60)[0].split() for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert sorted(int(job) for jobs in done for job in jobs) == added
    ledger.close()
    with contextlib.closing(sqlite3.connect(in_file.address)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_job_of_a_worker_that_is_gone_is_taken_over_and_counts_as_tried(ledger: Ledger) -> None:
    add(ledger)
    lost = taken(ledger, "gone", minute=0)
    assert take(ledger, "w2", minute=0.5) is None
    again = taken(ledger, "w2", minute=1)
    assert (again.id, again.attempts, again.leased_by) == (lost.id, 2, "w2")


def test_a_worker_that_lost_its_job_cannot_say_how_it_ended(ledger: Ledger) -> None:
    add(ledger)
    late = taken(ledger, "late")
    again = taken(ledger, "w2", minute=2)

    def end_late() -> None:
        with ledger.transaction() as connection:
            enqueue(connection, JobRequest(kind="what it did"), now=NOW)
            finish(connection, late, result="late", now=later(minutes=2))

    with pytest.raises(LedgerError, match="no longer held by 'late'"):
        end_late()
    with pytest.raises(LedgerError, match="no longer held"), ledger.transaction() as connection:
        fail(connection, late, error="late", now=later(minutes=2))
    with ledger.transaction() as connection:
        assert not heartbeat(connection, late, now=later(minutes=2), seconds=60)
        finish(connection, again, result="good", now=later(minutes=2))
    assert now_is(ledger, again.id).result == "good"
    assert take(ledger, kind="what it did") is None


def test_a_worker_that_lost_its_job_and_got_it_again_holds_the_second_lease_only(ledger: Ledger) -> None:
    add(ledger)
    first = taken(ledger, "w1")
    second = taken(ledger, "w1", minute=2)
    with ledger.transaction() as connection:
        assert not heartbeat(connection, first, now=later(minutes=2), seconds=60)
        assert heartbeat(connection, second, now=later(minutes=2), seconds=60)


def test_a_late_finish_counts_while_nobody_took_the_job_over(ledger: Ledger) -> None:
    job_id = add(ledger)
    job = taken(ledger)
    with ledger.transaction() as connection:
        finish(connection, job, now=later(minutes=5))
    assert now_is(ledger, job_id).status == "done"


def test_a_heartbeat_keeps_the_job_and_tells_how_far_it_is(ledger: Ledger) -> None:
    job_id = add(ledger)
    job = taken(ledger)
    with ledger.transaction() as connection:
        assert heartbeat(connection, job, now=later(minutes=0.9), seconds=60, progress=0.25)
        assert heartbeat(connection, job, now=later(minutes=0.95), seconds=60)
    seen = now_is(ledger, job_id)
    assert (seen.progress, seen.heartbeat_at) == (0.25, later(minutes=0.95))
    assert take(ledger, "w2", minute=1.5) is None
    assert taken(ledger, "w2", minute=2).progress is None


def test_a_job_that_fails_waits_longer_each_time_and_is_given_up_after_its_attempts(ledger: Ledger) -> None:
    job_id = add(ledger, JobRequest(kind="refresh", max_attempts=3))
    waits = []
    for minute in (0, 100, 200):
        job = taken(ledger, minute=minute)
        with ledger.transaction() as connection:
            fail(connection, job, error=f"at {minute}\0", now=later(minutes=minute))
        waits.append((now_is(ledger, job_id).run_at - later(minutes=minute)).total_seconds())
    assert waits[:2] == [30, 60]
    given_up = now_is(ledger, job_id)
    assert (given_up.status, given_up.error, given_up.finished_at) == ("failed", "at 200�", later(minutes=200))
    assert take(ledger, minute=1000) is None


def test_a_job_that_cannot_get_better_is_given_up_at_once(ledger: Ledger) -> None:
    job_id = add(ledger)
    job = taken(ledger)
    with ledger.transaction() as connection:
        fail(connection, job, error="no", now=NOW, retry=False)
    assert now_is(ledger, job_id).status == "failed"


def test_no_wait_is_longer_than_an_hour() -> None:
    assert [wait_after(attempts).total_seconds() for attempts in (1, 2, 3, 7, 8, 1_000_000)] == [
        30, 60, 120, 1920, 3600, 3600
    ]  # fmt: skip


def test_a_job_that_kills_its_workers_is_given_up_after_its_attempts(ledger: Ledger) -> None:
    job_id = add(ledger, JobRequest(kind="refresh", max_attempts=2))
    for minute in (0, 2):
        taken(ledger, minute=minute)
    assert take(ledger, minute=4) is None
    given_up = now_is(ledger, job_id)
    assert (given_up.status, given_up.attempts, given_up.finished_at) == ("failed", 2, later(minutes=4))
    assert given_up.error == "the worker was lost in the last attempt"


def test_a_cancelled_job_is_not_begun_and_a_running_one_learns_of_it(ledger: Ledger) -> None:
    running, waiting = add(ledger), add(ledger)
    job = taken(ledger)
    with ledger.transaction() as connection:
        assert cancel(connection, waiting, actor="user 3", now=later(minutes=1))
        assert cancel(connection, running, actor="user 3", now=later(minutes=1))
        assert not cancel(connection, running, actor="user 3", now=later(minutes=1))
        assert not cancel(connection, 999, actor="user 3", now=later(minutes=1))
        assert not heartbeat(connection, job, now=later(minutes=1), seconds=60)
        audited = [(row.action, row.object, row.details["kind"]) for row in list_audit(connection)]
    assert audited == [("job.cancel", f"job {running}", "refresh"), ("job.cancel", f"job {waiting}", "refresh")]
    assert [now_is(ledger, one).status for one in (running, waiting)] == ["cancelled"] * 2
    assert take(ledger, minute=60) is None
    with pytest.raises(LedgerError, match="cancelled"), ledger.transaction() as connection:
        finish(connection, job, now=later(minutes=2))


def test_a_job_with_a_key_is_added_once_while_it_waits_or_runs(ledger: Ledger) -> None:
    once = JobRequest(kind="refresh", dedupe_key="refresh web")
    first = add(ledger, once)
    assert add(ledger, once) == first
    job = taken(ledger)
    assert (add(ledger, once), job.dedupe_key) == (first, "refresh web")
    assert add(ledger, JobRequest(kind="refresh", dedupe_key="other")) != first
    with ledger.transaction() as connection:
        finish(connection, job, now=NOW)
    assert add(ledger, once) > first


def test_of_threads_that_add_the_same_job_at_once_one_does(ledger: Ledger) -> None:
    once = JobRequest(kind="refresh", dedupe_key="refresh web")
    assert len(set(at_once([lambda: add(ledger, once)] * 8))) == 1


def test_jobs_are_listed_page_by_page_while_others_are_added(ledger: Ledger) -> None:
    added = [add(ledger, JobRequest(kind=kind)) for kind in ("refresh", "erase", "refresh", "refresh")]
    taken(ledger)
    with ledger.transaction() as connection:
        first = list_jobs(connection, limit=2)
        enqueue(connection, REFRESH, now=NOW)
        rest = list_jobs(connection, limit=10, before=first[-1].id)
        assert [job.id for job in (*first, *rest)] == added[::-1]
        assert [job.id for job in list_jobs(connection, kind="erase")] == [added[1]]
        assert [job.id for job in list_jobs(connection, status="running")] == [added[0]]


def test_jobs_that_ended_long_ago_are_removed_and_their_ids_are_not_given_again(ledger: Ledger) -> None:
    old, waiting = add(ledger), add(ledger)
    job = taken(ledger)
    with ledger.transaction() as connection:
        finish(connection, job, now=NOW)
        cancel(connection, waiting, actor="cli", now=later(days=1))
        assert drop_ended(connection, ended_before=NOW) == 0
        assert drop_ended(connection, ended_before=later(days=1)) == 1
        assert find_job(connection, old) is None
        assert drop_ended(connection, ended_before=later(days=2)) == 1
        assert enqueue(connection, REFRESH, now=NOW) > waiting


@pytest.mark.parametrize("arguments", [{"value": float("nan")}, {"value": object()}])
def test_arguments_that_are_no_json_are_refused_when_they_are_given(
    ledger: Ledger, arguments: dict[str, object]
) -> None:
    with pytest.raises(Exception, match=r"JSON"), ledger.transaction() as connection:
        enqueue(connection, JobRequest(kind="refresh", arguments=arguments), now=NOW)
