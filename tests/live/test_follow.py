"""Following the log leaves the scores that a refresh of everything would leave, counts everything, and loses nothing."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from handraise.errors import EngineError, LogError
from handraise.events.call_intake import Counts, read_counts
from handraise.events.received import Received, micros_of, refusals
from handraise.log.segment import segments_in
from handraise.log.store import EventLog
from handraise.service import questions
from handraise.service.aside import place_of_row, rows_aside
from handraise.service.folder import create_project
from handraise.service.live import MOST_BYTES, Live
from handraise.service.orders import mend
from handraise.service.project import Project, ensure_scored, is_current, open_project, refresh
from handraise.simulate import simulate
from live.hosting import hosted, scored, settle
from live.hosting import send as send_to
from live.sending import Call, send, track, tracked
from support import export_bytes, load_folder, write

END = date(2026, 9, 1)
NOW = datetime(2026, 8, 31, 22, tzinfo=UTC)


@contextmanager
def followed(folder: Path) -> Iterator[tuple[Project, EventLog, Live]]:
    """A project on disk, its log, and the follower of both."""
    if not (folder / "handraise.yaml").exists():
        create_project(folder)
    with open_project(folder, threads=2) as project:
        log = EventLog(folder / "log", random=random.Random().randbytes, segment_size=1 << 20, reserve=0)
        yield project, log, Live(project, log)
        log.close()


def stored(project: Project) -> dict[str, bytes]:
    """The exports of the scores as they are stored: nothing is scored here."""
    assert is_current(project, END)
    ensure_scored(project, END, NOW)
    return export_bytes(project)


def follow(live: Live, now: datetime = NOW, *, most: int = 20_000) -> int:
    """Take everything in, scoring after each step."""
    taken = 0
    while True:
        step = live.take(most)
        live.settle(now)
        taken += step.calls
        if not step.behind:
            return taken


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Call]]:
    """A simulated company up to its last two days, and what was sent in these."""
    whole = tmp_path_factory.mktemp("company")
    simulate(whole, accounts=50, days=50, seed=13, end=END)
    source, late = f"'{whole / 'all.parquet'}'", whole.parent / "late.parquet"
    (whole / "events.parquet").rename(whole / "all.parquet")
    duckdb.sql(f"COPY (FROM {source} WHERE timestamp < '2026-08-30') TO '{whole / 'events.parquet'}' (FORMAT parquet)")
    duckdb.sql(f"COPY (FROM {source} WHERE timestamp >= '2026-08-30' ORDER BY event_id) TO '{late}' (FORMAT parquet)")
    (whole / "all.parquet").unlink()
    return whole, tracked(late)


@pytest.mark.parametrize("crowd", [2_000, 0], ids=["few at a time", "a crowd at a time"])
def test_live_scores_equal_those_of_a_refresh_to_the_byte(
    company: tuple[Path, list[Call]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crowd: int
) -> None:
    monkeypatch.setattr("handraise.service.live._MOST_PEOPLE", crowd)
    first, calls = company
    newcomers: list[Call] = [
        (
            "identify",
            {"messageId": "i1", "userId": "new-1", "traits": {"email": "ann@brand-new.example", "title": "CEO"}},
        ),
        ("group", {"messageId": "g1", "userId": "new-1", "groupId": "ws-new", "traits": {"name": "Brand new"}}),
        track("t1", "new-1", "upgrade_started", "2026-08-31T10:00:00Z", workspace="ws-new"),
        ("alias", {"messageId": "a1", "userId": "new-1", "previousId": "before-1"}),
        ("group", {"messageId": "g2", "userId": "new-1", "groupId": "ws-new", "traits": {"employees": 700}}),
        ("identify", {"messageId": "i2", "userId": "new-1", "traits": {"department": "it", "seniority": "vp"}}),
    ]
    random.Random(1).shuffle(calls)
    with followed(tmp_path / "live") as (project, log, live):
        load_folder(project, first)
        refresh(project, [END], now=NOW)
        before = stored(project)
        for start in range(0, 1200, 300):
            send(log, calls[start : start + 300], NOW)
            follow(live)
        for call in newcomers:
            send(log, [call], NOW)
            follow(live)
        send(log, calls[1200:], NOW)
        follow(live, most=1000)
        seen = stored(project)
        assert seen != before
        refresh(project, [END], now=NOW, full=True)
        assert stored(project) == seen
    with followed(tmp_path / "batch") as (project, log, live):
        load_folder(project, first)
        send(log, [*calls, *newcomers], NOW)
        follow(live)
        assert stored(project) == seen


def test_without_its_data_file_a_project_is_made_again_from_the_log(
    company: tuple[Path, list[Call]], tmp_path: Path
) -> None:
    with followed(tmp_path) as (project, log, live):
        send(log, [*company[1], ("track", {"userId": "nobody"}), company[1][0]], NOW)
        follow(live, most=700)
        seen, counted = stored(project), read_counts(project.warehouse)
    for file in (tmp_path / ".handraise").glob("warehouse.duckdb*"):
        file.unlink()
    with followed(tmp_path) as (project, _, live):
        assert follow(live) == len(company[1]) + 2
        assert stored(project) == seen
        assert read_counts(project.warehouse) == counted


def test_everything_that_was_received_is_counted_once(tmp_path: Path) -> None:
    good = [track(n, f"p{n}", "open", "2026-08-31T10:00:00Z") for n in range(10)]
    who: Call = ("identify", {"messageId": "i1", "userId": "p1", "traits": {"email": "p1@acme.example"}})
    start: Call = ("page", {"messageId": "s1", "userId": "p1", "timestamp": "2026-08-31T10:00:00Z"})
    with followed(tmp_path) as (project, log, live):
        send(log, [*good, good[3], who, who, ("track", {"userId": "p1"}), track("x", "p1", "open", "yesterday")], NOW)
        follow(live)
        send(log, [good[0], good[9], who, start], NOW)
        send(log, good[:5], NOW, source="app")
        log.append([(micros_of(NOW), refusals("web", {"too large": 3, "overload": 4}).encoded())])
        follow(live)
        counted = read_counts(project.warehouse)
        aside = project.warehouse.rows(project.warehouse.table("quarantine").order_by("line")).to_pylist()
    assert counted["web"] == Counts(received=26, accepted=12, duplicate=5, quarantined=2, refused=7)
    assert counted["app"] == Counts(received=5, duplicate=5)
    assert all(one.received == one.accepted + one.duplicate + one.quarantined + one.refused for one in counted.values())
    assert [row["reason"].partition(" is not ")[0] for row in aside] == ["the event has no name", "timestamp"]
    assert '\\"userId\\": \\"p1\\"' in aside[0]["raw"]


def test_a_step_that_breaks_off_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [track(n, f"p{n % 7}", "open", "2026-08-31T10:00:00Z") for n in range(300)]
    with followed(tmp_path) as (project, log, live):
        send(log, calls, NOW)
        for after in (3, 9, 17):
            with monkeypatch.context() as patched:
                patched.setattr(project.warehouse, "insert", failing(project.warehouse.insert, after))
                with pytest.raises(EngineError):
                    follow(live, most=100)
        follow(live, most=100)
        assert read_counts(project.warehouse)["web"] == Counts(received=300, accepted=300)
        assert project.warehouse.count(project.warehouse.table("events")) == 300


def failing(work: Callable[..., int], after: int) -> Callable[..., int]:
    """The same, until it was called so often."""
    left = after

    def insert(*given: object) -> int:
        nonlocal left
        left -= 1
        if left <= 0:
            raise EngineError("the machine stops here")
        return work(*given)

    return insert


def test_an_upgrade_that_is_given_up_is_noticed_when_its_day_is_over(tmp_path: Path) -> None:
    start = datetime(2026, 8, 30, 21, 30, tzinfo=UTC)
    with followed(tmp_path) as (project, log, live):
        send(log, [track("s", "p1", "upgrade_started", "2026-08-30T21:30:00Z", workspace="w")], start)
        send(log, [track(n, f"p{n}", "open", "2026-08-30T21:00:00Z", workspace=f"w{n}") for n in range(9)], start)
        follow(live, start + timedelta(hours=3))
        assert not live.settle(start + timedelta(hours=23))
        assert points(project, "p1") == 0
        assert live.settle(start + timedelta(hours=24, minutes=1))
        assert points(project, "p1") == 25
        seen = stored(project)
        refresh(project, [END], now=start + timedelta(hours=24, minutes=1), full=True)
        assert stored(project) == seen


def points(project: Project, person: str) -> int:
    """What somebody has for an upgrade that was not completed."""
    ensure_scored(project, END, NOW)
    scored = project.warehouse.table("scored_people")
    rows = scored.filter((scored.person_id == person) & (scored.account_id == "workspace:w"))
    [row] = project.warehouse.rows(rows.select("p_upgrade_abandoned")).to_pylist()
    return int(row["p_upgrade_abandoned"] or 0)


def test_files_that_are_loaded_beside_the_log_are_scored_too(tmp_path: Path) -> None:
    event = {"event_id": "f1", "person_id": "filed", "name": "open", "timestamp": "2026-08-31T09:00:00Z"}
    with followed(tmp_path / "p") as (project, log, live):
        send(log, [track(1, "sent", "open", "2026-08-31T10:00:00Z")], NOW)
        follow(live)
        load_folder(project, write(tmp_path / "files", {"events": [event]}))
        send(log, [track(2, "sent", "open", "2026-08-31T11:00:00Z")], NOW)
        follow(live)
        assert b"filed" in stored(project)["people"]


def test_what_cannot_be_taken_in_again_and_again_is_set_aside_whole(tmp_path: Path) -> None:
    with followed(tmp_path) as (project, log, live):
        for n in range(3):
            send(log, [track(n, "p", "open", "2026-08-31T10:00:00Z")], NOW)
        live.take(1)
        live.set_next_aside("it fails")
        follow(live)
        assert read_counts(project.warehouse)["web"] == Counts(received=3, accepted=2, quarantined=1)


def test_damage_of_the_log_is_counted_and_the_rest_is_taken_in(tmp_path: Path) -> None:
    with followed(tmp_path) as (_, log, _):
        for n in range(5):
            send(log, [track(n, "p", "open", "2026-08-31T10:00:00Z")], NOW)
    path = segments_in(tmp_path / "log")[0][0].path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    with followed(tmp_path) as (project, _, live):
        follow(live)
        assert live.damaged > 0
        assert read_counts(project.warehouse)["web"].accepted == 4


def test_what_somebody_made_of_a_call_in_quarantine_holds_when_the_data_are_made_again(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        send_to(host, ("track", {"messageId": "b1", "userId": "ann", "timestamp": "2026-08-31T10:00:00Z"}))
        [row] = host.follower.ask(lambda project: rows_aside(project, limit=9))
        good = json.loads(row["raw"])
        good["event"] = json.dumps({**json.loads(good["event"]), "event": "open"})
        done = mend(host, place=place_of_row(row), raw=json.dumps(good))
        assert done.outcome == "accepted"
        settle(host)
        counted = host.follower.ask(questions.ingest_counts)
        assert counted["web"] == Counts(received=1, accepted=1)
    for file in (tmp_path / ".handraise").glob("warehouse.duckdb*"):
        file.unlink()
    with hosted(tmp_path) as host:
        settle(host)
        assert scored(host).keys() == {"ann"}
        assert host.follower.ask(questions.ingest_counts) == counted
        assert host.follower.ask(lambda project: rows_aside(project, limit=9)) == []


def test_what_the_log_does_not_take_is_not_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise LogError("the disk is full.")

    with hosted(tmp_path) as host:
        send_to(host, ("track", {"messageId": "b1", "userId": "ann", "timestamp": "2026-08-31T10:00:00Z"}))
        [row] = host.follower.ask(lambda project: rows_aside(project, limit=9))
        good = json.loads(row["raw"])
        good["event"] = json.dumps({**json.loads(good["event"]), "event": "open"})
        with monkeypatch.context() as patched:
            patched.setattr(host, "store", refuse)
            with pytest.raises(LogError):
                mend(host, place=place_of_row(row), raw=json.dumps(good))
        assert host.follower.ask(lambda project: rows_aside(project, limit=9)) == [row]
        assert mend(host, place=place_of_row(row), raw=json.dumps(good)).outcome == "accepted"


def test_few_long_calls_are_taken_in_at_a_time(tmp_path: Path) -> None:
    with followed(tmp_path) as (_, log, live):
        long = [track(n, f"p{n}", "open", "2026-08-31T10:00:00Z", note="x" * 30_000) for n in range(12)]
        send(log, long * 60, NOW, batch=12)
        taken = live.take()
        assert MOST_BYTES / 31_000 < taken.calls < MOST_BYTES / 30_000 + 12
        assert taken.behind > 0


def test_refusals_before_a_record_that_fails_are_counted(tmp_path: Path) -> None:
    with followed(tmp_path) as (project, log, live):
        log.append([(micros_of(NOW), refusals("web", {"overload": 7}).encoded())])
        send(log, [track(1, "p1", "open", "2026-08-31T10:00:00Z")], NOW)
        for _ in range(2):
            live.set_next_aside("it fails")
        assert read_counts(project.warehouse)["web"] == Counts(received=8, refused=7, quarantined=1)
        assert live.position == log.durable


def test_where_one_is_wanted_one_record_is_taken_in(tmp_path: Path) -> None:
    with followed(tmp_path) as (_, log, live):
        log.append([(micros_of(NOW), refusals("web", {"overload": 7}).encoded())])
        send(log, [track(1, "p1", "open", "2026-08-31T10:00:00Z")], NOW)
        assert [live.take(1).calls, live.take(1).calls] == [0, 1]


def test_large_calls_are_taken_in_fewer_at_once(tmp_path: Path) -> None:
    """Each is small enough by itself; 20,000 of them, or of what stands around them, would not fit into memory."""
    with followed(tmp_path) as (project, log, live):
        large = [track(n, f"p{n}", "open", "2026-08-31T10:00:00Z", note="x" * 30_000) for n in range(1200)]
        send(log, large, NOW, batch=16)
        around = json.dumps({"context": {"note": "x" * 30_000}}).encode()
        for _ in range(3):
            log.append([(micros_of(NOW), Received("web", "segment", around, (b"1",) * 400).encoded())])
        steps = []
        while not steps or steps[-1].behind:
            steps.append(live.take())
        assert sum(step.calls for step in steps) == 2400
        assert max(step.calls for step in steps) < 1_000
        counts = read_counts(project.warehouse)["web"]
        assert (counts.accepted, counts.quarantined) == (1200, 1200)
