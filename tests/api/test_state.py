"""How the server says that it lives, that it is ready, and what it has done."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.served import Served, serving, wait_until
from handraise.faces.api.state import why_not_ready
from handraise.log.frame import Damage
from handraise.log.store import Opened
from live.sending import track


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("state") / "p") as server:
        server.send([track(n, "p1", "open", server.clock().isoformat()) for n in range(3)])
        yield server


def numbers(served: Served) -> dict[str, float]:
    lines = served.ask("GET", "/metrics", key=None).body.decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def test_metrics_say_what_happened(served: Served) -> None:
    before = numbers(served)
    assert before["handraise_calls_accepted_total"] == 3
    assert before["handraise_calls_taken_in_total"] == 3
    assert before["handraise_log_durable_bytes"] > 0
    assert before["handraise_log_behind_bytes"] == before["handraise_log_waiting_bytes"] == 0
    assert before["handraise_log_writable"] == 1
    assert before["handraise_scored_timestamp_seconds"] == pytest.approx(served.clock().timestamp(), abs=60)
    assert served.ask("POST", "/v1/track", b"{}", Authorization="Basic eDo=").status == 401
    assert numbers(served)['handraise_calls_refused_total{reason="wrong key"}'] == 1


def test_requests_are_timed_by_route_and_not_by_id(served: Served) -> None:
    for path in ("people/p1", "people/p2", "people/a/b", "nothing/at/all"):
        served.ask("GET", f"/api/v1/{path}")
    served.ask("BREW", "/health")
    found = numbers(served)
    shown = [name for name in found if name.startswith("handraise_request_seconds_count")]
    assert (
        found['handraise_request_seconds_count{method="GET",route="/api/v1/people/{person_id:path}",status="404"}'] == 2
    )
    assert found['handraise_request_seconds_count{method="GET",route="other",status="404"}'] == 1
    assert not any("p1" in name or "BREW" in name for name in shown)


def test_two_hosts_share_no_number(served: Served, tmp_path: Path) -> None:
    with serving(tmp_path / "other") as other:
        assert numbers(other)["handraise_calls_accepted_total"] == 0
    assert numbers(served)["handraise_calls_accepted_total"] >= 3


def test_readiness_says_why_not(served: Served) -> None:
    host = served.host
    assert served.ask("GET", "/ready", key=None).json == {"ready": True, "reasons": []}
    progress = host.follower.progress
    progress.damaged = 5
    assert served.ask("GET", "/ready", key=None).status == 503
    assert served.ask("GET", "/ready", key=None).json["reasons"] == ["the log is damaged"]
    assert served.ask("GET", "/health", key=None).status == 200
    progress.damaged = 0
    opened = host.log.opened
    host.log.opened = Opened(cut=0, damaged=(Damage(position=0, end=9),))
    assert why_not_ready(host) == ["the log is damaged"]
    host.log.opened, reserve = opened, host.log._reserve
    host.log._reserve = 1 << 60
    assert why_not_ready(host) == ["the disk is full"]
    host.log._reserve = reserve
    assert why_not_ready(host) == []


def test_a_follower_that_fails_is_seen_and_mends_itself(tmp_path: Path) -> None:
    with serving(tmp_path / "p") as server:
        server.send([track(1, "p1", "open", server.clock().isoformat())])
        follower = server.host.follower
        follower.ask(lambda project: project.warehouse.close())
        wait_until(lambda: follower.progress.failures > 0)
        wait_until(lambda: not follower.progress.failure)
        server.send([track(2, "p2", "open", server.clock().isoformat())])
        assert server.get("people/p2")["rows"]
        assert numbers(server)["handraise_follower_failures_total"] >= 1


def test_whoever_waits_too_long_is_told_and_nothing_is_done(served: Served) -> None:
    import threading

    from handraise.errors import BusyError

    go, done = threading.Event(), []
    blocker = threading.Thread(target=lambda: served.host.follower.ask(lambda _: go.wait(10)))
    blocker.start()
    with pytest.raises(BusyError):
        served.host.follower.ask(lambda _: done.append(1), patience=0.2)
    go.set()
    blocker.join()
    served.settle()
    assert done == []
