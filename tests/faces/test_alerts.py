"""Alerts from the command line and the API: from an event to the team, in a project without a server and in a served one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.served import Served
from api.served import serving as serving_api
from faces.typed import answer, done, runner
from handraise.faces.cli.app import app
from handraise.faces.server.run import _working
from live.sending import track
from net.loopback import Loopback, Seen, serving
from support import write

SECRET = "whsec_c2VjcmV0IG9mIGEgdGVzdCBvbmx5"  # noqa: S105 - of no real receiver
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


def alerts_of(url: str) -> str:
    said = {
        "destinations": {
            "crm": {"kind": "webhook", "url": url, "secret_env": "CRM_SECRET", "allow_private": ["127.0.0.1"]},
            "team": {"kind": "slack", "url_env": "SLACK_URL", "allow_private": ["127.0.0.1"]},
        }
    }
    return f"\nalerts: {json.dumps(said)}\n"


@pytest.fixture
def receiver() -> Iterator[Loopback]:
    def reply(seen: Seen) -> tuple[int, dict[str, str], bytes]:
        poison = b"Byte" in seen.body or seen.path == "/poison"
        return (422 if poison else 200), {}, b"ok"

    with serving(reply) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, receiver: Loopback, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ann of Acme and Bob of Byte ask to talk to sales; nothing is scored yet."""
    monkeypatch.setenv("CRM_SECRET", SECRET)
    monkeypatch.setenv("SLACK_URL", receiver.url)
    events = [
        {"event_id": who, "person_id": who, "name": "contact_sales", "timestamp": NOON.isoformat(), "workspace_id": ws}
        for who, ws in (("ann", "acme"), ("bob", "byte"))
    ]
    people = [{"person_id": one, "name": one.title(), "title": "Head of IT"} for one in ("ann", "bob")]
    accounts = [{"account_id": one, "name": one.title(), "owner": ""} for one in ("acme", "byte")]
    spaces = [{"workspace_id": one, "account_id": one} for one in ("acme", "byte")]
    write(tmp_path / "files", {"events": events, "people": people, "accounts": accounts, "workspaces": spaces})
    folder = tmp_path / "p"
    assert runner.invoke(app, ["init", str(folder)]).exit_code == 0
    with (folder / "handraise.yaml").open("a") as file:
        file.write(alerts_of(receiver.url))
    done(folder, "load", str(tmp_path / "files"))
    return folder


def test_a_rep_hears_of_a_handoff_without_a_server(project: Path, receiver: Loopback) -> None:
    assert "New handoffs: 2." in done(project, "refresh").output
    assert [(one["name"], one["standing"]["waiting"]) for one in answer(project, "alerts")] == [("crm", 2), ("team", 2)]
    said = done(project, "alerts", "send").output
    assert "Sent 2 messages." in said
    assert "Not sent: 2 refused." in said
    hooked = next(seen for seen in receiver.seen if "webhook-id" in seen.headers)
    data = json.loads(hooked.body)["data"]
    assert (data["account_name"], data["person_name"], data["person_title"]) == ("Acme", "Ann", "Head of IT")
    assert data["because"] == ["asked to talk to sales"]
    assert f"handraise handoff {data['number']} claim" in receiver.seen[-1].body.decode() or any(
        f"handraise handoff {data['number']} claim" in seen.body.decode() for seen in receiver.seen
    )
    shown = done(project, "alerts", "dead").output
    assert "will not be taken" in shown
    assert "the answer was 422." in shown
    number = str(answer(project, "alerts", "dead")[0]["id"])
    assert "1 messages wait" in done(project, "alerts", "replay", number).output
    assert "1 messages wait" in done(project, "alerts", "replay", "--all").output
    assert runner.invoke(app, ["alerts", "replay", "--project", str(project)]).exit_code == 2
    done(project, "handoff", str(data["number"]), "claim", "--by", "kim")
    assert answer(project, "alerts", "send") == {"sent": 2, "refused": 2}
    assigned = [json.loads(seen.body) for seen in receiver.seen if "webhook-id" in seen.headers][-1]
    assert (assigned["type"], assigned["data"]["owner"]) in {("handoff.assigned", "kim"), ("handoff.created", None)}
    done(project, "handoff", str(data["number"]), "undo", "--by", "kim")
    assert [one["standing"]["waiting"] for one in answer(project, "alerts")] == [1, 1]


def test_a_destination_is_tried_out(project: Path, receiver: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "crm took the test message." in done(project, "alerts", "test", "crm").output
    assert json.loads(receiver.seen[0].body)["type"] == "test"
    monkeypatch.setenv("SLACK_URL", f"{receiver.url}/poison")
    refused = runner.invoke(app, ["alerts", "test", "team", "--project", str(project)])
    assert (refused.exit_code, "the answer was 422." in refused.output) == (1, True)
    monkeypatch.delenv("SLACK_URL")
    lacking = runner.invoke(app, ["alerts", "test", "team", "--project", str(project)])
    assert lacking.exit_code == 1
    assert "SLACK_URL is not set here" in " ".join(done(project, "alerts").output.split())
    unknown = runner.invoke(app, ["alerts", "resume", "crn", "--project", str(project)])
    assert unknown.exit_code == 1
    assert "crm" in unknown.output
    assert "Every message arrived" in done(project, "alerts", "dead").output


def test_a_project_without_alerts_says_how_to_have_some(tmp_path: Path) -> None:
    assert runner.invoke(app, ["init", str(tmp_path / "p")]).exit_code == 0
    assert "docs/alerts.md" in done(tmp_path / "p", "alerts").output
    assert "Sent 0 messages." in done(tmp_path / "p", "alerts", "send").output


@pytest.fixture
def served(tmp_path: Path, receiver: Loopback) -> Iterator[Served]:
    environment = {"CRM_SECRET": SECRET, "SLACK_URL": receiver.url}
    with serving_api(tmp_path / "p", "version: 1" + alerts_of(receiver.url), environment=environment) as server:
        yield server


def test_a_server_tells_the_team_within_seconds(served: Served, receiver: Loopback) -> None:
    with _working(served.host):
        now = served.clock().isoformat()
        served.send([track("ask", "p1", "contact_sales", now, workspace="w1")])
        _wait_for(lambda: len(receiver.seen) == 2)
        key = served.key("read", "write")
        number = served.get("handoffs")["rows"][0]["handoff"]["id"]
        claimed = served.ask("POST", f"/api/v1/handoffs/{number}/calls", {"kind": "claim", "by": "kim"}, key=key)
        assert claimed.status == 200
        _wait_for(lambda: len(receiver.seen) == 4)
    kinds = [json.loads(seen.body)["type"] for seen in receiver.seen if "webhook-id" in seen.headers]
    assert kinds == ["handoff.created", "handoff.assigned"]
    metrics = served.ask("GET", "/metrics", key=None).body.decode()
    assert 'handraise_alerts_sent{destination="crm"} 2.0' in metrics
    assert 'handraise_alerts_waiting{destination="team"} 0.0' in metrics


def test_a_program_sees_and_mends_what_did_not_arrive(served: Served, receiver: Loopback) -> None:
    from handraise.ledger import outbox
    from handraise.ledger.outbox import Holder
    from handraise.records.alerting import Notice, Outcome

    now = served.clock()
    with served.host.ledger.transaction() as connection:
        for number in (1, 2, 3):
            notice = Notice(object=f"handoff {number}", kind="created", lane="sales", priority="high")
            outbox.put(connection, "crm", notice, run_at=now, now=now)
            outbox.hold(connection, "crm", Holder(name="x"), now)
            taken = outbox.take(connection, "crm", most=1, urgent_only=False, now=now)
            outbox.settle(
                connection, taken, Outcome(kind="refused", said="the answer was 422."), repeatable=True, now=now
            )
        outbox.settle(connection, taken, Outcome(kind="denied", said="the answer was 401."), repeatable=True, now=now)
    rows = served.get("alerts/dead")["rows"]
    assert [row["object"] for row in rows] == ["handoff 1", "handoff 2", "handoff 3"]
    assert served.pages("alerts/dead", 2) == rows
    (crm, team) = served.get("alerts")
    assert (crm["state"], crm["standing"]["dead"], team["state"]) == ("paused", 3, "ready")
    after = served.ask("POST", "/api/v1/alerts/crm/resume").json
    assert after[0]["state"] == "ready"
    assert served.ask("POST", "/api/v1/alerts/crm/resume").kind == "conflict"
    assert served.ask("POST", "/api/v1/alerts/crn/resume").kind == "not-found"

    def replay(**wanted: Any) -> Any:
        return served.ask("POST", "/api/v1/alerts/replay", wanted)

    assert replay(ids=[rows[0]["id"]]).json == {"waiting": 1}
    assert replay(ids=[rows[0]["id"]]).kind == "not-found"
    assert replay().kind == "invalid-request"
    assert replay(ids=[rows[1]["id"]], everything=True).kind == "invalid-request"
    assert replay(everything=True).json == {"waiting": 2}
    tried = served.ask("POST", "/api/v1/alerts/crm/test")
    assert tried.json["kind"] == "sent"
    assert len(receiver.seen) == 1


def test_a_server_follows_what_the_playbook_says_about_alerts(served: Served, receiver: Loopback) -> None:
    path = served.host.folder / "handraise.yaml"
    path.write_text("version: 1" + alerts_of(receiver.url).replace('"crm"', '"erp"'))
    _wait_for(lambda: [one["name"] for one in served.get("alerts")] == ["erp", "team"])


def test_whoever_publishes_a_playbook_cannot_send_alerts_elsewhere(served: Served, receiver: Loopback) -> None:
    path = "/api/v1/playbook"
    before = served.ask("GET", path)
    tag = before.headers["etag"]
    elsewhere = before.body.replace(receiver.url.encode(), b"http://evil.example")
    for body in (elsewhere, b"version: 1\n", before.body.replace(b"CRM_SECRET", b"HANDRAISE_LEDGER")):
        refused = served.ask("PUT", path, body, If_Match=tag)
        assert (refused.kind, refused.json["where"]) == ("invalid-playbook", "alerts")
    assert served.ask("PUT", path, before.body + b"language: zh\n", If_Match=tag).status == 200


def _wait_for(holds: Any) -> None:
    from api.served import wait_until

    wait_until(holds)
