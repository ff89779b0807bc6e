"""A person sees what is stored of them and has it erased, over the API."""

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest

from api.served import Served, serving
from live.sending import track


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("privacy") / "p") as server:
        now = server.clock().isoformat()
        people = ("ann", "team/bob", "erasmus-4711")
        server.send([track(who, who, "open", now, workspace="w") for who in people])
        yield server


def test_everything_about_a_person_is_shown(served: Served) -> None:
    tables = served.get("privacy/people/team%2Fbob")["tables"]
    assert [row["event_id"] for row in tables["events"]] == ["mteam/bob"]
    assert "measured" in tables
    assert served.ask("GET", "/api/v1/privacy/people/nobody").kind == "not-found"


def test_a_person_is_erased_and_a_receipt_says_so(served: Served) -> None:
    assert served.ask("GET", "/api/v1/people/erasmus-4711").status == 200
    key = served.key("privacy")
    receipt = served.ask("POST", "/api/v1/privacy/erasures", {"person_id": "erasmus-4711"}, key=key)
    assert receipt.status == 201
    assert receipt.json["receipt"]["events"] == 1
    assert "erasmus" not in receipt.body.decode()
    assert served.ask("GET", "/api/v1/people/erasmus-4711").kind == "not-found"
    assert served.ask("GET", "/api/v1/people/ann").status == 200
    listed = served.get("privacy/erasures", key=key)["rows"]
    assert [one["status"] for one in listed] == ["finished"]
    folder = served.host.folder / ".handraise"
    assert [p.name for p in folder.rglob("*") if p.is_file() and b"erasmus-4711" in p.read_bytes()] == []


def test_it_takes_the_scope(served: Served) -> None:
    key = served.key("read", "write", "playbook", "admin")
    assert served.ask("GET", "/api/v1/privacy/people/ann", key=key).kind == "missing-scope"
    assert served.ask("POST", "/api/v1/privacy/erasures", {"person_id": "ann"}, key=key).kind == "missing-scope"


def test_work_that_is_asked_for_is_done_by_a_worker(served: Served) -> None:
    from handraise.service.orders import duties_of
    from handraise.service.worker import Worker

    wanted = [{"kind": "refresh", "full": True}, {"kind": "replay"}, {"kind": "backup", "keep": 1}, {"kind": "verify"}]
    for one in [*wanted, {"kind": "finish_erasures"}]:
        assert served.ask("POST", "/api/v1/jobs", one).status == 202
    worker = Worker(served.host.ledger, duties_of(served.host), name="test", now=served.clock)
    while worker.run_next():
        pass
    assert {job["status"] for job in served.get("jobs")["rows"]} == {"done"}


def test_a_worker_survives_whatever_happens_to_the_queue(served: Served) -> None:
    from handraise.service.worker import Worker

    asked = threading.Event()

    def now() -> datetime:
        if asked.is_set():
            worker.stop()
        asked.set()
        raise ValueError("no clock")

    worker = Worker(served.host.ledger, {}, name="test", now=now)
    worker.run()
