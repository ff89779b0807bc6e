"""Erasures: the person is known while the work is done, and nowhere in the ledger afterwards."""

import random
from pathlib import Path

import pytest

from handraise.errors import LedgerError
from handraise.ledger.audit import list_audit, verify
from handraise.ledger.erasures import Erasure, ErasureRequest, begin_erasure, finish_erasure, list_erasures
from handraise.ledger.jobs import JobRequest, enqueue, fail, find_job, finish, lease
from handraise.ledger.schema import metadata
from handraise.ledger.store import Ledger
from handraise.ledger.suppression import count_suppressed, is_suppressed
from ledger.clock import NOW, chance, later
from ledger.conftest import Place

ADA = ErasureRequest(person_id="person-4711-ada", others=["Ada.Byron@example.com"], requested_by="self")
RECEIPT = {"events": 1204, "scores": 12}


def begin(ledger: Ledger, wanted: ErasureRequest = ADA) -> Erasure:
    with ledger.transaction() as connection:
        return begin_erasure(connection, wanted, now=NOW, random=chance())


def close(ledger: Ledger, erasure: Erasure, receipt: dict[str, object] | None = None) -> Erasure:
    with ledger.transaction() as connection:
        return finish_erasure(connection, erasure.id, receipt=receipt or RECEIPT, actor="worker", now=later(hours=1))


def everything(ledger: Ledger) -> str:
    with ledger.reading() as connection:
        return "\n".join(str(connection.execute(table.select()).all()) for table in metadata.sorted_tables)


def test_a_request_names_the_person_until_it_is_finished(ledger: Ledger) -> None:
    begun = begin(ledger)
    expected = {
        "id": begun.id,
        "subject": ("person-4711-ada", "Ada.Byron@example.com"),
        "subject_hash": begun.subject_hash,
        "requested_at": NOW,
        "requested_by": "self",
        "status": "running",
        "receipt": None,
        "finished_at": None,
    }
    assert begun == Erasure(**expected)  # type: ignore[arg-type]
    with ledger.reading() as connection:
        assert list_erasures(connection) == list_erasures(connection, status="running") == (begun,)
    finished = close(ledger, begun)
    expected |= {"subject": (), "status": "finished", "receipt": RECEIPT, "finished_at": later(hours=1)}
    assert finished == Erasure(**expected)  # type: ignore[arg-type]
    with ledger.reading() as connection:
        assert list_erasures(connection) == list_erasures(connection, status="finished") == (finished,)
        assert list_erasures(connection, status="running") == ()
        assert finished.requested_at == NOW


def test_the_person_is_suppressed_from_the_beginning_and_stays_so(ledger: Ledger) -> None:
    begun = begin(ledger)
    for _ in range(2):
        with ledger.reading() as connection:
            assert is_suppressed(connection, ["person-4711-ada", "ada.byron@EXAMPLE.com", "p2"]) == {
                "person-4711-ada",
                "ada.byron@EXAMPLE.com",
            }
            assert count_suppressed(connection) == {"erasure": 2}
        if begun.status == "running":
            begun = close(ledger, begun)


def test_texts_of_ended_jobs_that_name_the_person_are_emptied(ledger: Ledger) -> None:
    names = {"person": "person-4711-ada"}
    with ledger.transaction() as connection:
        for wanted in (
            JobRequest(kind="a", arguments=names, dedupe_key="rescore person-4711-ada"),
            JobRequest(kind="b", arguments={"kept": True}),
            JobRequest(kind="c", arguments={"kept": True}),
        ):
            enqueue(connection, wanted, now=NOW)
        for kind in "abc":
            job = lease(connection, "w1", [kind], now=NOW, seconds=60)
            assert job
            if kind == "b":
                fail(connection, job, error="no mail to Ada.Byron@example.com", now=NOW, retry=False)
            else:
                finish(connection, job, result={"rows": 1}, now=NOW)
    close(ledger, begin(ledger))
    with ledger.reading() as connection:
        jobs = [find_job(connection, number) for number in (1, 2, 3)]
    assert [(job.arguments, job.result, job.error, job.dedupe_key) for job in jobs if job] == [
        ({}, None, None, None),
        ({}, None, None, None),
        ({"kept": True}, {"rows": 1}, None, None),
    ]


def test_nothing_in_any_table_names_the_person_afterwards(ledger: Ledger) -> None:
    begun = begin(ledger)
    assert "4711" in everything(ledger)
    close(ledger, begun)
    for trace in ("4711", "Ada", "ada.byron"):
        assert trace not in everything(ledger)
    with ledger.reading() as connection:
        assert [row.action for row in list_audit(connection)] == ["erasure.finish", "erasure.begin", "suppression.add"]
    assert verify(ledger).rows == 3


def traces(path: Path, *names: str) -> set[str]:
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"erasure" in content
    return {name for name in names if name.encode() in content}


def test_nothing_in_the_files_of_sqlite_names_the_person_afterwards(in_file: Place) -> None:
    ledger = in_file.open()
    begun = begin(ledger)
    path = Path(in_file.address)
    assert traces(path, "person-4711-ada", "Ada.Byron@example.com") == {"person-4711-ada", "Ada.Byron@example.com"}
    close(ledger, begun)
    ledger.checkpoint()
    assert traces(path, "person-4711-ada", "Ada.Byron", "ada.byron") == set()


def test_no_page_of_the_file_keeps_any_of_many_people_who_come_and_go(in_file: Place) -> None:
    ledger = in_file.open()
    chosen = random.Random(7)
    people = [f"person-{number:04}-" + "x" * chosen.randrange(200) + f"-end{number:04}" for number in range(300)]
    waiting = []
    for person in people:
        waiting.append(begin(ledger, ErasureRequest(person_id=person, requested_by="self")))
        with ledger.transaction() as connection:
            job_id = enqueue(connection, JobRequest(kind="erase", arguments={"who": person}), now=NOW)
            job = lease(connection, "w1", ["erase"], now=NOW, seconds=60)
            assert job
            assert job.id == job_id
            finish(connection, job, now=NOW)
        while len(waiting) > 20:
            close(ledger, waiting.pop(chosen.randrange(len(waiting))))
    for erasure in waiting:
        close(ledger, erasure)
    ledger.checkpoint()
    left = traces(Path(in_file.address), *people, *(f"-end{number:04}" for number in range(300)))
    assert left == set()


@pytest.mark.parametrize(
    "receipt",
    [
        {"who": "person-4711-ada"},
        {"person-4711-ada": 1},
        {"deep": [{"mails": ["to Ada.Byron@example.com"]}]},
    ],
)
def test_a_receipt_that_names_the_person_is_refused(ledger: Ledger, receipt: dict[str, object]) -> None:
    begun = begin(ledger)
    with pytest.raises(LedgerError, match="the receipt names the person"):
        close(ledger, begun, receipt)
    with ledger.reading() as connection:
        assert list_erasures(connection) == (begun,)


def test_a_request_that_names_the_person_as_who_asked_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="Say in another way who asked"):
        begin(ledger, ErasureRequest(person_id="p1", others=["a@b.example"], requested_by="user a@b.example"))


def test_an_erasure_is_finished_once(ledger: Ledger) -> None:
    begun = begin(ledger)
    close(ledger, begun)
    with pytest.raises(LedgerError, match=f"no erasure {begun.id} that waits"):
        close(ledger, begun)
    with pytest.raises(LedgerError, match="no erasure 99"), ledger.transaction() as connection:
        finish_erasure(connection, 99, receipt={}, actor="worker", now=NOW)


def test_a_short_id_does_not_stand_for_every_number_of_a_receipt(ledger: Ledger) -> None:
    begun = begin(ledger, ErasureRequest(person_id="7", requested_by="self"))
    assert close(ledger, begun, {"events": 17, "tables": ["day 7"]}).status == "finished"


def test_a_wild_card_in_an_id_stands_for_itself(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        enqueue(connection, JobRequest(kind="a", arguments={"kept": True}), now=NOW)
        job = lease(connection, "w1", ["a"], now=NOW, seconds=60)
        assert job
        finish(connection, job, now=NOW)
    close(ledger, begin(ledger, ErasureRequest(person_id="%", requested_by="self")))
    with ledger.reading() as connection:
        kept = find_job(connection, job.id)
    assert kept
    assert kept.arguments == {"kept": True}
