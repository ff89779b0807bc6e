"""The playbook over HTTP: nobody's change is lost, mistakes change nothing, and what was written is used."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.served import Reply, Served, serving, wait_until
from live.sending import track

SIGNAL = """\
roles: {opened: [open]}
signals:
  person:
    bespoke:
      category: usage
      measure: {kind: count, role: opened}
      window: 30
      points: {">=1": 7}
      because: {en: used it, zh: 用过}
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "p", "# the first\nextends: template\n") as server:
        server.send([track(1, "p1", "open", server.clock().isoformat(), workspace="w1")])
        yield server


def put(served: Served, text: str, tag: str | None, **more: Any) -> Reply:
    headers = {"If_Match": tag} if tag is not None else {}
    return served.ask("PUT", "/api/v1/playbook", text.encode(), Content_Type="application/yaml", **headers, **more)


def tag(served: Served) -> str:
    return served.ask("GET", "/api/v1/playbook").headers["etag"]


def in_use(served: Served, content_hash: str) -> None:
    wait_until(lambda: served.ask("GET", "/health", key=None).json["playbook"] == content_hash)


def other(points: int) -> str:
    return f"signals: {{person: {{pricing_views: {{points: {{'>=1': {points}}}}}}}}}\n"


def test_what_is_published_is_the_file_and_decides_from_then_on(served: Served) -> None:
    assert served.ask("GET", "/api/v1/playbook").body == b"# the first\nextends: template\n"
    file = served.host.folder / "handraise.yaml"
    file.chmod(0o640)
    reply = put(served, other(3), tag(served))
    assert reply.status == 200
    assert file.read_text() == other(3)
    assert file.stat().st_mode & 0o777 == 0o640
    assert reply.headers["etag"] == tag(served)
    in_use(served, reply.json["content_hash"])
    [receipt] = served.get("explain/p1")["rows"]
    assert receipt["playbook_hash"] == reply.json["content_hash"]
    assert served.get("audit?limit=1")["rows"][0]["action"] == "playbook.publish"


def test_of_two_who_publish_at_once_one_is_told_to_look_again(served: Served) -> None:
    before, replies = tag(served), []
    threads = [threading.Thread(target=lambda n=n: replies.append(put(served, other(n), before))) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status for reply in replies) == [200, *[412] * 7]
    assert {reply.kind for reply in replies if reply.status == 412} == {"changed-meanwhile"}
    [won] = (reply for reply in replies if reply.status == 200)
    assert tag(served) == won.headers["etag"]
    published = [row for row in served.get("audit")["rows"] if row["action"] == "playbook.publish"]
    assert len(published) == 1


def test_an_edit_by_hand_since_is_not_lost(served: Served) -> None:
    before, file = tag(served), served.host.folder / "handraise.yaml"
    file.write_text("# by hand\n" + other(4))
    assert put(served, other(5), before).kind == "changed-meanwhile"
    assert file.read_text().startswith("# by hand")


def test_without_a_version_nothing_is_published(served: Served) -> None:
    assert put(served, other(1), None).status == 428
    assert put(served, other(1), "").kind == "changed-meanwhile"
    assert put(served, other(1), "*").kind == "changed-meanwhile"


@pytest.mark.parametrize("text", ["bands: 7\n", "nothing: true\n", "a: &a [*a]\n", "[" * 5000, "\t- x"])
def test_a_mistake_is_refused_and_nothing_is_written(served: Served, text: str) -> None:
    before = tag(served)
    reply = put(served, text, before)
    assert (reply.status, reply.kind) == (422, "invalid-playbook")
    assert reply.json["mistakes"]
    assert tag(served) == before


def test_bytes_that_are_no_text_are_refused(served: Served) -> None:
    reply = served.ask("PUT", "/api/v1/playbook", b"\xff\xfe", If_Match=tag(served))
    assert reply.kind == "invalid-playbook"


def test_a_playbook_that_reads_a_warehouse_cannot_be_served(served: Served) -> None:
    text = "warehouse: {engine: duckdb, connection: {env: X}, sources: {events: {table: e}}}\n"
    assert put(served, text, tag(served)).kind == "invalid-playbook"
    assert served.ask("GET", "/health", key=None).status == 200


def test_an_edit_by_hand_is_taken_up_and_a_mistake_leaves_the_old_one_in_use(served: Served) -> None:
    file = served.host.folder / "handraise.yaml"
    first = served.ask("GET", "/health", key=None).json
    file.write_text(SIGNAL)
    wait_until(lambda: served.ask("GET", "/health", key=None).json["playbook"] != first["playbook"])
    second = served.ask("GET", "/health", key=None).json
    [receipt] = served.get("explain/p1")["rows"]
    assert {"signal": "bespoke", "points": 7} in [
        {name: line[name] for name in ("signal", "points")} for line in receipt["lines"]
    ]
    file.write_text("bands: [")
    wait_until(lambda: served.ask("GET", "/health", key=None).json["playbook_refused"])
    third = served.ask("GET", "/health", key=None).json
    assert third["playbook"] == second["playbook"]
    assert "handraise.yaml" in third["playbook_refused"]
    assert b"handraise_playbook_refused 1.0" in served.ask("GET", "/metrics", key=None).body
    served.send([track(2, "p2", "open", served.clock().isoformat(), workspace="w1")])
    assert served.get("people/p2")["rows"][0]["score"] == receipt["score"]
    file.unlink()
    served.send([track(3, "p3", "open", served.clock().isoformat(), workspace="w1")])
    assert served.ask("GET", "/api/v1/playbook").status == 500
    file.write_text("# the first\nextends: template\n")
    wait_until(lambda: served.ask("GET", "/health", key=None).json["playbook"] == first["playbook"])
    assert served.ask("GET", "/health", key=None).json["playbook_refused"] == ""


def test_reading_never_sees_half_a_change(served: Served) -> None:
    """Scores of the old playbook have no column for the new one's signal, and the other way round."""
    stop, bad = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            reply = served.ask("GET", "/api/v1/explain/p1")
            if reply.status != 200:
                bad.append(reply)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for text in (SIGNAL, other(2), SIGNAL.replace("bespoke", "another")):
            reply = put(served, text, tag(served))
            in_use(served, reply.json["content_hash"])
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert bad == []


def test_a_text_is_checked_and_compared_without_being_used(served: Served) -> None:
    before = tag(served)
    good = served.ask("POST", "/api/v1/playbook/check", SIGNAL.encode()).json
    assert good["valid"]
    bad = served.ask("POST", "/api/v1/playbook/check", b"bands: 7\nnothing: 1\n").json
    assert (bad["valid"], bad["content_hash"]) == (False, None)
    assert bad["mistakes"][0]["where"].startswith("handraise.yaml:")
    diff = served.ask("POST", "/api/v1/playbook/diff?limit=5", SIGNAL.encode())
    assert diff.status == 200
    assert diff.json["new"] == good["content_hash"]
    assert "signals.person.bespoke" in {setting["key"] for setting in diff.json["settings"]}
    assert served.ask("POST", "/api/v1/playbook/diff", b"bands: 7").kind == "invalid-playbook"
    assert tag(served) == before
    served.send([track(9, "p9", "open", served.clock().isoformat(), workspace="w1")])
    assert served.get("people/p9")["rows"]
