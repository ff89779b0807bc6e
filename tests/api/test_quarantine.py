"""What was set aside can be put right; whatever happens, everything that was received stays accounted for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.served import Served, serving
from handraise.events.intake import FileCount
from handraise.service import questions
from live.sending import track
from support import write

BROKEN = {"event_id": "f1", "person_id": "filed", "name": "open", "timestamp": "no day"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "p") as server:
        yield server


def counts(served: Served) -> dict[str, int]:
    """Of the source `web`; they add up."""
    [found] = [row for row in served.get("ingest")["rows"] if row["source"] == "web"]
    parts = (found[name] for name in ("accepted", "duplicate", "quarantined", "refused"))
    assert found["received"] == sum(parts)
    assert found["quarantined"] == len(served.pages("quarantine?source=web", 2))
    return {name: value for name, value in found.items() if name != "source" and value}


def told(served: Served) -> list[dict[str, Any]]:
    """Quarantine; the columns of a row have no order."""
    return [row | {"raw": json.loads(row["raw"])} for row in served.get("quarantine")["rows"]]


def bad(number: object, who: str = "p1") -> Any:
    return track(number, who, "open", "yesterday", workspace="w1")


def mended(served: Served, row: dict[str, Any], **said: Any) -> str:
    kept = json.loads(row["raw"])
    event = json.loads(kept["event"]) | {"timestamp": served.clock().isoformat()} | said
    return json.dumps(kept | {"event": json.dumps(event)})


def load(served: Served, folder: Path, rows: list[dict[str, Any]]) -> list[FileCount]:
    paths = [write(folder, {"events": rows})]
    return served.host.follower.ask(lambda project: questions.load(project, paths=paths, form=None)).counts


def fix(served: Served, row: dict[str, Any], raw: str) -> Any:
    reply = served.ask("POST", f"/api/v1/quarantine/{row['id']}/fix", {"raw": raw})
    assert reply.status == 200, reply
    return reply.json


def test_a_call_that_was_put_right_is_scored(served: Served) -> None:
    served.send([bad(1), bad(2)])
    assert counts(served) == {"received": 2, "quarantined": 2}
    first, second = served.get("quarantine")["rows"]
    assert served.get(f"quarantine/{first['id']}") == first
    assert first["reason"].startswith("timestamp is not")
    done = fix(served, first, mended(served, first))
    assert done == {"outcome": "accepted", "row": None}
    assert counts(served) == {"received": 2, "accepted": 1, "quarantined": 1}
    assert served.get("quarantine")["rows"] == [second]
    served.settle()
    assert served.get("people/p1")["rows"][0]["account_id"] == "workspace:w1"
    assert served.get("audit?limit=1")["rows"][0]["action"] == "quarantine.fix"


def test_a_call_that_is_still_bad_stays_as_it_is_now(served: Served) -> None:
    served.send([bad(1)])
    [row] = served.get("quarantine")["rows"]
    done = fix(served, row, mended(served, row, timestamp="tomorrow"))
    assert done["outcome"] == "quarantined"
    assert "tomorrow" in done["row"]["reason"]
    assert served.get("quarantine")["rows"] == [done["row"]]
    assert counts(served) == {"received": 1, "quarantined": 1}


def test_a_call_that_is_known_by_now_is_a_duplicate(served: Served) -> None:
    served.send([bad(1), track(2, "p1", "open", served.clock().isoformat())])
    [row] = served.get("quarantine")["rows"]
    assert fix(served, row, mended(served, row, messageId="m2"))["outcome"] == "duplicate"
    assert counts(served) == {"received": 2, "accepted": 1, "duplicate": 1}


def test_everything_is_tried_again(served: Served, tmp_path: Path) -> None:
    served.send([bad(n) for n in range(5)])
    load(served, tmp_path / "files", [BROKEN])
    before = told(served)
    done = served.ask("POST", "/api/v1/quarantine/replay")
    assert done.status == 200
    assert {(row["format"], row["read"], row["quarantined"]) for row in done.json["rows"]} == {
        ("call", 5, 5),
        ("canonical", 1, 1),
    }
    assert told(served) == before
    assert counts(served) == {"received": 5, "quarantined": 5}
    good = track("g", "p1", "open", served.clock().isoformat())
    served.host.follower.ask(lambda project: _mend_behind_the_back(project, good))
    done = served.ask("POST", "/api/v1/quarantine/replay").json
    assert {(row["format"], row["read"], row["loaded"], row["duplicate"]) for row in done["rows"]} == {
        ("call", 5, 1, 4),
        ("canonical", 1, 0, 0),
    }
    assert counts(served) == {"received": 5, "accepted": 1, "duplicate": 4}


def _mend_behind_the_back(project: Any, call: Any) -> None:
    """Whatever refused the calls is gone: here they all became the same good one."""
    rows = project.warehouse.rows(project.warehouse.table("quarantine")).to_pylist()
    for row in rows:
        if row["format"] == "call":
            event = json.dumps({"type": call[0], **call[1]})
            row["raw"] = json.dumps(json.loads(row["raw"]) | {"event": event})
    import pyarrow as pa

    schema = project.warehouse.table("quarantine").schema().to_pyarrow()
    project.warehouse.empty("quarantine")
    project.warehouse.insert("quarantine", project.warehouse.hold("x", pa.Table.from_pylist(rows, schema=schema)))


def test_a_row_of_a_file_is_put_right_alone(served: Served, tmp_path: Path) -> None:
    [count] = load(served, tmp_path / "files", [BROKEN, BROKEN | {"event_id": "f2"}])
    assert count.quarantined == 2
    first, second = served.get("quarantine?input=events")["rows"]
    still = fix(served, first, json.dumps(BROKEN | {"timestamp": "nor this"}))
    assert (still["outcome"], still["row"]["line"]) == ("quarantined", first["line"])
    assert len(served.get("quarantine")["rows"]) == 2
    good = json.dumps(BROKEN | {"timestamp": "2026-10-01", "properties": {"plan": "pro"}})
    assert fix(served, still["row"], good)["outcome"] == "accepted"
    assert served.get("quarantine")["rows"] == [second]
    assert fix(served, second, good)["outcome"] == "duplicate"
    assert served.get("quarantine")["rows"] == []
    [properties] = served.host.follower.ask(
        lambda project: project.warehouse.rows(project.warehouse.table("events"))["properties"].to_pylist()
    )
    assert json.loads(properties) == {"plan": "pro"}


@pytest.mark.parametrize(
    "raw",
    [
        "x",
        "[]",
        "{}",
        "null",
        '{"event": 1}',
        "[" * 100_000,
        '{"event": "{}", "shared": "\\ud800", "received_at": "x"}',
    ],
)
def test_what_is_no_row_is_refused_and_nothing_changes(served: Served, tmp_path: Path, raw: str) -> None:
    served.send([bad(1)])
    load(served, tmp_path / "files", [BROKEN])
    before = served.get("quarantine")["rows"]
    assert len(before) == 2
    for row in before:
        reply = served.ask("POST", f"/api/v1/quarantine/{row['id']}/fix", {"raw": raw})
        if row["format"] == "call" or raw not in {'{"event": 1}'}:
            assert (reply.status, reply.kind) == (422, "invalid-input"), raw
    assert len(served.get("quarantine")["rows"]) == 2
    assert counts(served) == {"received": 1, "quarantined": 1}


@pytest.mark.parametrize(
    "more",
    [{"a\0b": "x"}, {"A": "1", "a": "2"}, {"": "x"}, {"_line": 3}, {"name": "a\0b"}, {"x" * 9000: "y"}, {"z": [1, {}]}],
)
def test_hostile_columns_do_no_harm(served: Served, tmp_path: Path, more: dict[str, Any]) -> None:
    load(served, tmp_path / "files", [BROKEN])
    [row] = served.get("quarantine")["rows"]
    reply = served.ask("POST", f"/api/v1/quarantine/{row['id']}/fix", {"raw": json.dumps(BROKEN | more)})
    assert reply.status in {200, 422}
    assert len(served.get("quarantine")["rows"]) == 1
    served.send([track(1, "p1", "open", served.clock().isoformat())])


def test_a_body_that_was_no_request_cannot_be_put_right(served: Served) -> None:
    reply = served.ask("POST", "/v1/batch", b"{", Authorization="Basic " + _basic(served.write_key))
    assert reply.status == 400
    served.settle()
    [row] = served.get("quarantine")["rows"]
    assert row["format_table"] == "unreadable"
    reply = served.ask("POST", f"/api/v1/quarantine/{row['id']}/fix", {"raw": row["raw"]})
    assert reply.kind == "invalid-input"
    assert served.ask("POST", "/api/v1/quarantine/replay").json["rows"] == []
    assert served.get("quarantine")["rows"] == [row]
    assert counts(served) == {"received": 1, "quarantined": 1}


@pytest.mark.parametrize("prefix", ["/healthcheck", "/ready-made", "/metrics-proxy", "/apiary", "/x/api"])
def test_a_prefix_that_begins_like_an_address_of_ours_is_none(served: Served, prefix: str) -> None:
    reply = served.ask("POST", f"{prefix}/v1/batch", b"{", Authorization="Basic " + _basic(served.write_key))
    assert reply.status == 400  # the door for events has seen it
    served.settle()
    assert len(served.get("quarantine")["rows"]) == 1


def test_lists_show_the_beginning_of_what_is_long(served: Served) -> None:
    served.ask("POST", "/v1/batch", b"{" + b"x" * 50_000, Authorization="Basic " + _basic(served.write_key))
    served.settle()
    [row] = served.get("quarantine")["rows"]
    whole = served.get(f"quarantine/{row['id']}")
    assert len(row["raw"]) == 4_000
    assert 32_768 < len(whole["raw"]) < 34_000  # nobody can put it right, so its beginning is enough
    assert whole["raw"].startswith(row["raw"])


def _basic(key: str) -> str:
    import base64

    return base64.b64encode(f"{key}:".encode()).decode()


def test_a_row_that_is_gone_is_not_found(served: Served) -> None:
    served.send([bad(1)])
    [row] = served.get("quarantine")["rows"]
    fix(served, row, mended(served, row))
    assert served.ask("GET", f"/api/v1/quarantine/{row['id']}").kind == "not-found"
    assert served.ask("POST", f"/api/v1/quarantine/{row['id']}/fix", {"raw": row["raw"]}).kind == "not-found"
