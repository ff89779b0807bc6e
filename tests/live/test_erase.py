"""An erased person is gone from every place, stays away, and takes nobody else along."""

from pathlib import Path

import pytest

from handraise.events.call_intake import Counts
from handraise.service import questions
from handraise.service.erase import erase, erase_returned, finish_running
from handraise.service.project import load
from live.hosting import clock, hosted, scored, send, settle
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
