"""What a host promises inside its process: readers see what is stored, and nobody waits for an answer for ever."""

import asyncio
import os
import secrets
import threading
from base64 import b64encode
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handraise.errors import BusyError, EngineError
from handraise.events.received import Received
from handraise.faces.ingest.app import Ingest
from handraise.ledger.keys import key_hash
from handraise.log.disk import Disk
from handraise.log.store import EventLog
from handraise.log.writer import GroupWriter
from handraise.service.door import Door, KeyRing
from handraise.service.folder import create_project
from handraise.service.host import Host

SQL = "SELECT count(*) FROM duckdb_tables() WHERE temporary AND table_name = 'dirty_people'"


def opened(folder: Path, disk: Disk | None = None) -> Host:
    if not (folder / "handraise.yaml").exists():
        create_project(folder)
    return Host(folder, environment=os.environ, now=lambda: datetime.now(UTC), random=secrets.token_bytes, disk=disk)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with opened(tmp_path / "project") as made:
        yield made


def test_what_a_reader_made_for_itself_hides_nothing_from_the_next(host: Host) -> None:
    with host.reading() as project:
        project.warehouse.empty("dirty_people")  # as when it scores by itself: it works on a copy
        assert project.warehouse.connection.execute(SQL).fetchall() == [(1,)]
    for _ in range(5):
        with host.reading() as project:
            assert project.warehouse.connection.execute(SQL).fetchall() == [(0,)]


def test_the_steps_of_a_server_are_not_kept_for_ever(host: Host) -> None:
    for _ in range(3):
        with host.reading() as project:
            project.warehouse.rows(project.warehouse.table("events"))
    with host.reading() as project:
        assert len(project.warehouse.steps) == 0


def test_data_are_opened_again_without_whoever_read_them_before(host: Host) -> None:
    with host.reading() as project:
        before = project
    host.follower.ask(lambda project: project.warehouse.close())  # as an engine that gives up
    for _ in range(100):
        try:
            with host.reading() as project:
                project.warehouse.count(project.warehouse.table("events"))
                assert project is not before
                return
        except (BusyError, EngineError):
            threading.Event().wait(0.1)
    pytest.fail("the data were not opened again")


def test_a_reader_that_was_closed_meanwhile_says_so_in_our_words_and_the_next_one_reads(host: Host) -> None:
    with host.reading() as project:
        pass
    project.warehouse.close()  # as an engine that gives up, with the reader at rest
    with pytest.raises(EngineError, match="closed"), host.reading():
        pytest.fail("nothing can be read here")
    with host.reading() as again:
        again.warehouse.count(again.warehouse.table("events"))


def test_nobody_waits_for_a_server_that_has_stopped(tmp_path: Path) -> None:
    with opened(tmp_path / "project") as host:
        follower = host.follower
    with pytest.raises(BusyError, match="stopping"):
        follower.ask(lambda _: None)


def test_a_long_piece_of_work_is_broken_off_when_the_server_stops(tmp_path: Path) -> None:
    started, refused = threading.Event(), threading.Event()

    def work(host: Host) -> None:
        def long(project: object) -> None:
            started.set()
            project.warehouse.connection.execute(
                "SELECT sum(a.i * b.i) FROM range(3_000_000) a(i), range(3_000_000) b(i)"
            )  # type: ignore[attr-defined]

        try:
            host.follower.ask(long)
        except Exception:  # noqa: BLE001 - whatever it is told, it is told
            refused.set()

    with opened(tmp_path / "project") as host:
        thread = threading.Thread(target=work, args=(host,))
        thread.start()
        assert started.wait(10)
    thread.join(10)
    assert refused.is_set()


def test_an_answer_that_nobody_waits_for_any_more_keeps_nothing_from_being_stored(host: Host) -> None:
    stored = threading.Event()

    def gone(_: object) -> None:
        message = "Event loop is closed"
        raise RuntimeError(message)

    event = (b'{"type":"track","userId":"u","event":"open"}',)
    received = Received("web", "segment", b"{}", event)
    assert host.door.submit(received, datetime.now(UTC), gone)
    assert host.door.submit(received, datetime.now(UTC), lambda _: stored.set())
    assert stored.wait(10)


async def tracked(ingest: Ingest, key: str) -> int:
    """Send an event; the status of the answer."""
    basic = b64encode(f"{key}:".encode())
    body, answers = b'{"userId": "ann", "event": "open"}', []
    headers = [(b"authorization", b"Basic " + basic), (b"content-length", str(len(body)).encode())]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        answers.append(message)

    scope = {"method": "POST", "path": "/v1/track", "query_string": b"", "headers": headers}
    await ingest(scope, receive, send)
    return int(answers[0]["status"])


def test_a_strange_key_keeps_nobody_else_waiting_while_the_ledger_is_busy(tmp_path: Path) -> None:
    asked, free, versions = threading.Event(), threading.Event(), iter([1])

    def version() -> int:
        if next(versions, None) is None:
            asked.set()
            free.wait(10)
        return 1

    writer = GroupWriter(EventLog(tmp_path, random=secrets.token_bytes, segment_size=1 << 20, reserve=0))
    ingest = Ingest(
        Door(writer, KeyRing(lambda: {key_hash("hrw_good"): "web"}, version)), now=lambda: datetime.now(UTC)
    )

    async def both() -> tuple[int, int]:
        strange = asyncio.create_task(tracked(ingest, "hrw_strange"))
        assert await asyncio.to_thread(asked.wait, 10)
        good = await tracked(ingest, "hrw_good")
        assert not strange.done()
        free.set()
        return good, await strange

    assert asyncio.run(both()) == (200, 401)
    writer.close()
