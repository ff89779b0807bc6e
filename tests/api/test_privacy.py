"""A person sees what is stored of them and has it erased, over the API."""

import threading
from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import insert

from api.served import Served, serving
from handraise.ledger.enriching import keep_answer
from handraise.ledger.schema import draft_approvals, draft_rewrites
from handraise.records.enrichment import Subject
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


def test_what_the_ledger_holds_of_a_person_is_shown_too(served: Served) -> None:
    now = served.clock().isoformat()
    served.send(
        [track("ask", "carol", "contact_sales", now, workspace="w2"), track("use", "dan", "open", now, workspace="w2")]
    )
    (number,) = (
        row["handoff"]["id"] for row in served.get("handoffs")["rows"] if row["handoff"]["person_id"] == "carol"
    )
    said = {"kind": "note", "note": "Carol wants 20 seats"}
    assert served.ask("POST", f"/api/v1/handoffs/{number}/calls", said).status == 200
    with served.host.ledger.transaction() as connection:
        fresh = {"now": served.clock(), "fresh_until": served.clock()}
        for one, title in (("carol@acme.example", "CEO"), ("dan@acme.example", "CTO")):
            asked = Subject(about="person", name=one, person_id=one.partition("@")[0])
            keep_answer(connection, "p", asked, {"title": title}, **fresh)
        handed = {"handoff_id": number, "account_id": "workspace:w2", "person_id": "carol", "by": "kim"}
        text = {"template": "t", "language": "en", "subject": "s", "body": "Hello Carol", "sha256": "0" * 64}
        connection.execute(insert(draft_approvals).values(**handed, **text, at=served.clock()))
        more = {"to_name": "Carol", "persona": "user", "origin": "shipped", "cites": [], "model": "m"}
        connection.execute(insert(draft_rewrites).values(**handed, **text, **more, at=served.clock()))
    tables = served.get("privacy/people/carol")["tables"]
    assert [(row["id"], row["status"]) for row in tables["handoffs"]] == [(number, "open")]
    assert [row["trigger"] for row in tables["handoff_reasons"]] == ["contact_sales"]
    assert [row["note"] for row in tables["handoff_calls"]] == ["Carol wants 20 seats"]
    assert {one["person_id"] for row in tables["decisions"] for one in row["reasons"]} == {"carol"}
    assert [row["answers"] for row in tables["enrichment_answers"]] == [{"title": "CEO"}]
    assert [row["body"] for row in tables["draft_approvals"]] == ["Hello Carol"]
    assert [row["body"] for row in tables["draft_rewrites"]] == ["Hello Carol"]
    others = served.get("privacy/people/dan")["tables"]
    assert "carol" not in str(others).lower()
    assert others.keys() & {"handoffs", "handoff_calls", "draft_approvals", "draft_rewrites"} == set()


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
