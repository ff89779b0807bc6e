"""An erased person is gone from every place, stays away, and takes nobody else along."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from handraise.errors import InputError
from handraise.events.call_intake import UNREADABLE, Counts
from handraise.events.received import Received, decode
from handraise.log.frame import Frame
from handraise.log.rewrite import Change
from handraise.service import questions
from handraise.service.aside import place_of_row, rows_aside
from handraise.service.erase import erase, erase_returned, finish_running, has_returned
from handraise.service.host import Host
from handraise.service.orders import finish_erasures, forget_loaded, mend
from handraise.service.project import Project, load
from handraise.service.rebuild import note_loads
from live.hosting import NOW, clock, hosted, scored, send, settle
from live.sending import Call, track
from support import write

SECRETS = ("erasmus-4711", "anon-erasmus", "old-erasmus", "erasmus@gone.example", "Rotterdam")


THEIRS: list[Call] = [
    (
        "track",
        {
            "messageId": "e0",
            "anonymousId": "anon-erasmus",
            "event": "pricing_view",
            "timestamp": "2026-08-30T09:00:00Z",
            "properties": {"city": "Rotterdam"},
        },
    ),
    (
        "identify",
        {
            "messageId": "e1",
            "userId": "erasmus-4711",
            "anonymousId": "anon-erasmus",
            "traits": {"email": "Erasmus@Gone.example", "name": "Erasmus of Rotterdam"},
        },
    ),
    ("alias", {"messageId": "e2", "userId": "erasmus-4711", "previousId": "old-erasmus"}),
    ("group", {"messageId": "e3", "userId": "erasmus-4711", "groupId": "ws"}),
    track("e4", "erasmus-4711", "open", "2026-08-31T10:00:00Z", workspace="ws", note="from Rotterdam"),
    (
        "track",
        {
            "messageId": "e5",
            "userId": "erasmus-4711",
            "anonymousId": "anon-erasmus",
            "event": "open",
            "timestamp": "2026-08-31T10:00:00Z",
        },
    ),
    ("track", {"messageId": "e6", "userId": "erasmus-4711", "properties": {"city": "Rotterdam"}}),
]
OTHERS: list[Call] = [
    track("o1", "ann", "open", "2026-08-31T11:00:00Z", workspace="ws"),
    track("o2", "ann", "invite_sent", "2026-08-31T11:00:00Z", workspace="ws", invitee="erasmus@gone.example", size=3),
    ("track", {"messageId": "o3", "userId": "ann"}),
    ("identify", {"messageId": "o4", "userId": "ann", "traits": {"email": "ann@stays.example"}}),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two people from the log and one of them from files too."""
    with hosted(tmp_path / "project") as host:
        files = write(
            tmp_path / "files",
            {
                "events": [
                    {"event_id": "f1", "person_id": "erasmus-4711", "name": "open", "timestamp": "2026-08-01T10:00:00Z"}
                ],
                "nps": [
                    {"person_id": "erasmus-4711", "score": "9", "at": "2026-08-02"},
                    {"person_id": "ann", "score": "8", "at": "2026-08-02"},
                ],
                "leads": [{"email": "erasmus@gone.example", "at": "2026-08-02", "source": "fair"}],
            },
        )
        host.follower.ask(lambda project: load(project, [files]))
        send(host, *THEIRS[:3], *OTHERS[:2])
        send(host, *THEIRS[3:], *OTHERS[2:])
    return tmp_path / "project"


def traces(folder: Path) -> list[str]:
    """Files of the data folder in which something of the person stands, and what."""
    found = []
    for file in sorted(path for path in (folder / ".handraise").rglob("*") if path.is_file()):
        content = file.read_bytes().lower()
        found += [f"{file.name}: {text}" for text in SECRETS if text.lower().encode() in content]
    return found


def test_nothing_of_an_erased_person_is_left_in_any_file(project: Path) -> None:
    assert len({text.split(": ")[1] for text in traces(project)}) == len(SECRETS)
    with hosted(project) as host:
        settle(host)
        before = scored(host)
        counted = host.follower.ask(questions.ingest_counts)
        receipt = erase(host, "erasmus-4711", requested_by="self", now=clock)
        assert receipt.erased["events"] == 4
        assert receipt.erased["log"] == 2
        after = scored(host)
        assert {"erasmus-4711", "anon-erasmus", "old-erasmus"} & after.keys() == set()
        assert "erasmus-4711" in before
        assert "ann" in after
        assert host.follower.ask(questions.ingest_counts) == counted
    assert traces(project) == []


def test_an_erased_person_does_not_come_back(project: Path) -> None:
    with hosted(project) as host:
        settle(host)
        erase(host, "erasmus-4711", requested_by="self", now=clock)
        send(
            host,
            track("e9", "erasmus-4711", "open", "2026-08-31T12:00:00Z"),
            track("o9", "ann", "open", "2026-08-31T12:00:00Z"),
        )
        assert "erasmus-4711" not in scored(host)
        assert erase_returned(host, now=clock) == 1
        send(host, track("o10", "ann", "open", "2026-08-31T12:00:00Z"))
    assert traces(project) == []
    for file in (project / ".handraise").glob("warehouse.duckdb*"):
        file.unlink()
    with hosted(project) as host:
        settle(host)
        assert scored(host).keys() == {"ann"}
        counted = host.follower.ask(questions.ingest_counts)["web"]
        assert counted == Counts(received=14, accepted=13, quarantined=1, passed_over=counted.passed_over)


def test_a_request_that_was_cut_off_is_finished_at_the_next_start(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hosted(project) as host:
        settle(host)
        with monkeypatch.context() as patched:
            patched.setattr(host.log, "rewrite", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                erase(host, "erasmus-4711", requested_by="self", now=clock)
    with hosted(project) as host:
        assert finish_running(host, now=clock) == 1
        assert finish_running(host, now=clock) == 0
    assert traces(project) == []


def test_somebody_who_shares_a_browser_stays(tmp_path: Path) -> None:
    def seen(number: int, who: str | None, when: str) -> Call:
        ids = {"userId": who} if who else {}
        return "track", {"messageId": f"s{number}", **ids, "anonymousId": "browser", "event": "open", "timestamp": when}

    with hosted(tmp_path) as host:
        send(
            host,
            seen(1, None, "2026-08-31T09:00:00Z"),
            seen(2, "ann", "2026-08-31T10:00:00Z"),
            seen(3, "bob", "2026-08-31T11:00:00Z"),
        )
        erase(host, "ann", requested_by="self", now=clock)
        assert host.follower.ask(lambda p: p.warehouse.count(p.warehouse.table("events"))) == 2
        assert "bob" in scored(host)


def test_the_only_person_of_a_project_can_be_erased(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        send(host, *THEIRS)
        erase(host, "erasmus-4711", requested_by="self", now=clock)
        send(host, OTHERS[0])
        assert scored(host).keys() == {"ann"}
    assert traces(tmp_path) == []


def bad(number: int, who: str = "erasmus-4711", **said: object) -> Call:
    """A call that cannot be used, as it says no event."""
    return "track", {"messageId": f"b{number}", "userId": who, "properties": {"city": "Rotterdam"}, **said}


def aside(host: Host) -> list[str]:
    """What quarantine keeps."""
    return host.follower.ask(lambda project: project.warehouse.whole("quarantine")["raw"].to_pylist())


NAMED: list[Call] = [
    bad(1),
    bad(3, "somebody", context={"traits": {"refersTo": ["x", "erasmus-4711"]}}),
    bad(4, "somebody", properties={"note": "write to Erasmus@gone.example, please"}),
    bad(5, "somebody", properties=json.dumps({"id": "erasmus-4711"})),
]


def test_a_bad_call_that_names_an_erased_person_is_kept_nowhere(project: Path) -> None:
    with hosted(project) as host:
        settle(host)
        erase(host, "erasmus-4711", requested_by="self", now=clock)
        before = host.follower.ask(questions.ingest_counts)["web"]
        send(host, *NAMED, ("track", {"messageId": "b2", "userId": "ann"}))
        assert all("ann" in raw for raw in aside(host))
        assert len(aside(host)) == 2  # one of Ann's was there before
        after = host.follower.ask(questions.ingest_counts)["web"]
        assert after.received - before.received == len(NAMED) + 1
        assert after.accepted - before.accepted == len(NAMED)
        assert after.quarantined - before.quarantined == 1
        assert finish_erasures(host) > 0
        assert finish_erasures(host) == 0
        assert len(aside(host)) == 2
    assert traces(project) == []


def test_bodies_that_are_no_requests_are_looked_through_too(project: Path) -> None:
    with hosted(project) as host:
        settle(host)
        erase(host, "erasmus-4711", requested_by="self", now=clock)
        for body in (b'{"userId": "erasmus-4711", "type', b"e=pv&uid=erasmus-4711", b"u=erasmus%40gone.example", b"{"):
            written = threading.Event()
            shared = b'{"reason": "the body is no JSON"}'
            host.door.submit(Received("web", UNREADABLE, shared, (body,)), NOW, lambda _, w=written: w.set())
            assert written.wait(10)
        settle(host)
        assert "{" in {json.loads(raw)["event"] for raw in aside(host)}
        assert len(aside(host)) == 2  # one of Ann's was there before
        assert finish_erasures(host) > 0
    assert traces(project) == []


def test_bad_rows_of_an_erased_person_in_files_are_found_after_loading(project: Path, tmp_path: Path) -> None:
    rows = [{"event_id": n, "person_id": who, "name": "open", "timestamp": "no day"} for n, who in enumerate("ab", 1)]
    rows[0]["person_id"] = "erasmus-4711"
    with hosted(project) as host:
        settle(host)
        erase(host, "erasmus-4711", requested_by="self", now=clock)
        files = write(tmp_path / "more", {"events": rows})
        host.follower.ask(lambda project: load(project, [files]))
        assert forget_loaded(host) == 1
        assert len(aside(host)) == 2
    assert traces(project) == []


def test_what_came_back_is_not_forgotten_when_somebody_else_is_erased(project: Path) -> None:
    with hosted(project) as host:
        settle(host)
        erase(host, "erasmus-4711", requested_by="self", now=clock)
        send(host, track("e9", "erasmus-4711", "open", "2026-08-31T12:00:00Z"))
        erase(host, "ann", requested_by="self", now=clock)
        assert finish_erasures(host) == 1
        assert finish_erasures(host) == 0
    assert traces(project) == []


def test_an_address_that_is_an_id_of_the_person_is_erased_as_one(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        send(
            host,
            track(1, "erasmus@gone.example", "open", "2026-08-31T09:00:00Z"),
            ("alias", {"messageId": "a", "userId": "erasmus-4711", "previousId": "erasmus@gone.example"}),
            track(2, "erasmus-4711", "open", "2026-08-31T10:00:00Z"),
            OTHERS[0],
        )
        assert erase(host, "erasmus-4711", requested_by="self", now=clock).erased["events"] == 2
        assert scored(host).keys() == {"ann"}
    assert traces(tmp_path) == []


def test_nobody_comes_back_out_of_quarantine(project: Path) -> None:
    with hosted(project) as host:
        settle(host)
        erase(host, "erasmus-4711", requested_by="self", now=clock)
        send(host, bad(1, "ann"))
        row = host.follower.ask(lambda project: rows_aside(project, limit=10))[-1]
        raw = json.loads(row["raw"])
        event = json.dumps({"type": "track", "userId": "erasmus-4711", "event": "open"})
        with pytest.raises(InputError, match="erased"):
            mend(host, place=place_of_row(row), raw=json.dumps(raw | {"event": event}))
        assert len(aside(host)) == 2
        assert {row["person_id"] for row in people_of_events(host)} == {"ann"}


def people_of_events(host: Host) -> list[dict[str, str]]:
    def found(project: Project) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = project.warehouse.whole("events").to_pylist()
        return rows

    return host.follower.ask(found)


@pytest.mark.parametrize("who", ["u1", "müller-4711"])
def test_what_was_put_right_is_erased_from_the_log_too(tmp_path: Path, who: str) -> None:
    with hosted(tmp_path) as host:
        send(host, OTHERS[0], ("track", {"messageId": "q", "userId": who, "properties": {"city": "Rotterdam"}}))
        [row] = host.follower.ask(lambda project: rows_aside(project, limit=10))
        raw = json.loads(row["raw"])
        mend(
            host,
            place=place_of_row(row),
            raw=json.dumps(raw | {"event": json.dumps(json.loads(raw["event"]) | {"event": "open"})}),
        )
        settle(host)
        assert who in scored(host)
        erase(host, who, requested_by="self", now=clock)
        assert who not in scored(host)
    assert traces(tmp_path) == []


@pytest.mark.parametrize("who", ["u1", "müller-4711"])
def test_what_is_aside_is_erased_however_its_letters_are_written(tmp_path: Path, who: str) -> None:
    with hosted(tmp_path) as host:
        send(host, OTHERS[0], ("track", {"messageId": "q", "userId": who, "properties": {"city": "Rotterdam"}}))
        erase(host, who, requested_by="self", now=clock)
        assert aside(host) == []
    assert traces(tmp_path) == []


def test_what_is_looked_for_after_a_rebuild_is_looked_for_once(project: Path, tmp_path: Path) -> None:
    with hosted(project) as host:
        settle(host)
        nps = [{"person_id": "erasmus-4711", "score": "9", "at": "2026-08-02"}]
        leads = [{"email": "Erasmus@Gone.example", "at": "2026-08-02", "source": "fair"}]
        files = write(tmp_path / "more", {"nps": nps, "leads": leads})
        note_loads(host.ledger, host.follower.ask(lambda project: load(project, [files])), now=NOW)
        erase(host, "erasmus-4711", requested_by="self", now=clock)
    for file in (project / ".handraise").glob("warehouse.duckdb*"):
        file.unlink()
    with hosted(project) as host:
        settle(host)
        for name in ("nps", "leads"):
            assert host.follower.ask(lambda p, name=name: p.warehouse.count(p.warehouse.table(name))) == 0
        assert has_returned(host)
        finish_erasures(host)
        assert not has_returned(host)
    assert traces(project) == []


def test_an_erasure_that_goes_on_is_taken_up_by_nobody_else(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go_on = threading.Event(), threading.Event()
    with hosted(project) as host, ThreadPoolExecutor(2) as threads:
        settle(host)
        real = host.log.rewrite

        def slow(change: Change) -> int:
            inside.set()
            assert go_on.wait(30)
            return real(change)

        monkeypatch.setattr(host.log, "rewrite", slow)
        erasing = threads.submit(erase, host, "erasmus-4711", requested_by="self", now=clock)
        assert inside.wait(30)
        nightly = threads.submit(finish_running, host, now=clock)
        with pytest.raises(TimeoutError):
            nightly.result(0.5)  # by then it has found the other's request, if it looks at all
        go_on.set()
        assert erasing.result(60).erased["events"] == 4
        assert nightly.result(60) == 0
    assert traces(project) == []


AT = "2026-08-31T10:00:00Z"
WRITTEN = {
    "slashes as PHP writes them": rb'{"type":"track","event":"open","userId":"org\/erasmus-4711"}',
    "letters escaped": rb'{"type":"track","event":"open","userId":"org/er\u0061smus-4711"}',
    "in a name": b'{"type":"track","event":"open","userId":"org/erasmus-4711","properties":3}',
}


def sent(host: Host, *events: bytes, shared: bytes = b"{}", kind: str = "segment") -> None:
    written = threading.Event()
    host.door.submit(Received("web", kind, shared, events), clock(), lambda _: written.set())
    assert written.wait(10)
    settle(host)


def left(folder: Path, *texts: str) -> list[str]:
    """Files of a project that hold one of some texts, whatever their capitals."""
    files = [path for path in (folder / ".handraise").rglob("*") if path.is_file()]
    wanted = [form.encode(code) for text in texts for form in (text, text.upper()) for code in ("utf-8", "utf-16-le")]
    return [path.name for path in files if any(one in path.read_bytes() for one in wanted)]


@pytest.mark.parametrize("event", WRITTEN.values(), ids=WRITTEN)
def test_an_id_goes_however_a_sender_wrote_it(tmp_path: Path, event: bytes) -> None:
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "open", AT))
        sent(host, event)
        erase(host, "org/erasmus-4711", requested_by="me", now=clock)
    assert left(tmp_path, "smus-4711") == []


def test_letters_beyond_ascii_go_in_either_case_and_however_they_are_put_together(tmp_path: Path) -> None:
    theirs = json.dumps(
        {"type": "identify", "userId": "\u212bs\u1eb9\u0302-4711", "traits": {"email": "\u00c4rasmus@gone.example"}}
    )
    of_ann = {
        "type": "track",
        "event": "open",
        "userId": "ann",
        "properties": {"to": "\u00c4RASMUS@gone.example", "n": 1},
    }
    bad = {"type": "track", "event": "open", "userId": "A\u030ase\u0323\u0302-4711", "properties": 3}
    with hosted(tmp_path) as host:
        sent(host, json.dumps(of_ann).encode(), json.dumps(of_ann | {"messageId": "2"}, ensure_ascii=False).encode())
        sent(
            host,
            theirs.encode(),
            theirs.encode().decode("unicode_escape").encode(),
            json.dumps(bad, ensure_ascii=False).encode(),
            json.dumps(bad).encode(),
        )
        erase(host, "\u00c5s\u1ec7-4711", requested_by="me", now=clock)
        assert set(scored(host)) == {"ann"}
    assert left(tmp_path, "-4711", "rasmus@gone") == []


def test_what_a_request_said_for_all_of_its_calls_goes_too(tmp_path: Path) -> None:
    shared = b'{"context":{"groupId":"ws","traits":{"email":"erasmus@gone.example","name":"Desiderius"}}}'
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "open", AT))
        sent(host, b'{"type":"identify","userId":"erasmus-4711"}', shared=shared)
        sent(host, b'{"type":"track","event":"open","userId":"ann"}', shared=shared)
        erase(host, "erasmus-4711", requested_by="me", now=clock)
        records = [decode(one.payload) for one in host.log.read(0) if isinstance(one, Frame)]
        assert [record.shared for record in records[1:]] == [b"{}", b'{"context":{"groupId":"ws","traits":{}}}']
    assert left(tmp_path, "erasmus", "Desiderius") == []


def test_bodies_of_which_nobody_can_say_what_they_hold_go_too(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        send(host, track(1, "erasmus-4711", "open", AT), track(2, "ann", "open", AT))
        sent(host, '{"userId":"erasmus-4711"'.encode("utf-16-le"), shared=b'{"reason":"x"}', kind="unreadable")
        erase(host, "erasmus-4711", requested_by="me", now=clock)
        with host.reading() as project:
            assert rows_aside(project, limit=5) == []
    assert left(tmp_path, "erasmus-4711") == []


def mended_as(host: Host, **more: object) -> str:
    """Put the only row of quarantine right; what became of it."""
    with host.reading() as project:
        [row] = rows_aside(project, limit=5)
    raw = json.loads(row["raw"])
    raw["event"] = json.dumps(json.loads(raw["event"]) | more)
    return mend(host, place=place_of_row(row), raw=json.dumps(raw)).outcome


def test_what_somebody_made_of_a_call_goes_too(tmp_path: Path) -> None:
    """A short id inside the text of a text, and nothing else that gives the person away."""
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "open", AT))
        sent(host, b'{"type":"track","event":"open","userId":"x","properties":3}')
        assert mended_as(host, userId="u-1", properties={"city": "Rotterdam"}) == "accepted"
        erase(host, "u-1", requested_by="me", now=clock)
    assert left(tmp_path, "Rotterdam") == []


def test_who_was_erased_does_not_come_back_by_way_of_quarantine(tmp_path: Path) -> None:
    bad = b'{"type":"track","event":"open","userId":"%s","properties":3}'
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "open", AT), track(2, "erasmus-4711", "open", AT))
        erase(host, "erasmus-4711", requested_by="me", now=clock)
        sent(host, bad % b"erasmus-4711")
        with host.reading() as project:
            assert rows_aside(project, limit=5) == []
        sent(host, bad % b"nobody")
        with pytest.raises(InputError, match="names somebody who was erased"):
            mended_as(host, userId="erasmus-4711", properties={})
        settle(host)
        assert set(scored(host)) == {"ann"}
        assert finish_erasures(host) > 0  # what came since lies in the log until the night
    assert left(tmp_path, "erasmus-4711") == []


def test_what_comes_in_while_somebody_is_erased_goes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the person was noted as erased, and before the thread that owns the data comes to it."""
    with hosted(tmp_path) as host:
        send(host, track(1, "ann", "open", AT), track(2, "erasmus-4711", "open", AT))
        asked = host.follower.ask_and_reopen

        def later(*work: Any) -> Any:
            sent(host, b'{"type":"track","event":"open","userId":"erasmus-4711","messageId":"late"}')
            return asked(*work)

        monkeypatch.setattr(host.follower, "ask_and_reopen", later)
        erase(host, "erasmus-4711", requested_by="me", now=clock)
    assert left(tmp_path, "erasmus-4711") == []
