"""Facts that other systems send: believed by their signature, counted once, refused when old or forged."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from handraise.events.call_intake import Counts
from handraise.faces.http.body import Room
from handraise.faces.ingest.app import Ingest
from handraise.service import questions
from handraise.service.host import Host
from handraise.service.ledgers import new_webhook
from live.hosting import NOW, clock, hosted, send, settle
from live.sending import track


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with hosted(tmp_path) as served:
        send(served, track(1, "ann", "open", "2026-08-31T10:00:00Z", workspace="w"))
        yield served


@dataclass
class Answer:
    status_code: int
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """Calls the application as the server does."""

    def __init__(self, host: Host) -> None:
        self._app = Ingest(host.door, now=clock)

    def post(self, path: str, *, content: bytes, headers: dict[str, str]) -> Answer:
        return asyncio.run(self._post(path, content, headers))

    async def _post(self, path: str, content: bytes, headers: dict[str, str]) -> Answer:
        given = {**headers, "content-length": str(len(content))}
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(said: Any) -> None:
            sent.append(said)

        await self._app(scope, receive, send)
        return Answer(sent[0]["status"], sent[1]["body"])


@pytest.fixture
def client(host: Host) -> Client:
    return Client(host)


def signed(secret: str, body: bytes, number: str = "msg_1", at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    signature = Webhook(secret).sign(number, at, body.decode())
    return {"webhook-id": number, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}


def message(name: str, *rows: dict[str, Any]) -> bytes:
    return json.dumps({"type": name, "data": list(rows)}).encode()


def counted(host: Host) -> dict[str, Counts]:
    """What became of everything; refusals may be on their way, as the host notes them every second too."""
    ends = time.monotonic() + 30
    while True:
        host.door.note_refusals(NOW)
        settle(host)
        found = host.follower.ask(questions.ingest_counts)
        noted = sum(one.refused for one in found.values())
        if noted == sum(host.door.refused_ever().values()) or time.monotonic() > ends:
            return found


def stored(host: Host, name: str) -> list[dict[str, Any]]:
    return host.follower.ask(lambda project: project.warehouse.rows(project.warehouse.table(name)).to_pylist())


def test_a_signed_message_changes_facts_and_scores(host: Host, client: Client) -> None:
    secret = new_webhook(host.ledger, "crm", actor="me", now=NOW, random=host.random)
    mapped = message("workspaces.updated", {"workspace_id": "w", "account_id": "acme"})
    firm = message("accounts", {"account_id": "acme", "employees": 900, "icp": True, "domain": "acme.example"})
    paid = message("subscriptions", {"account_id": "acme", "plan": "team", "started_at": "2026-08-01", "mrr": 400})
    for number, body in enumerate((mapped, firm, paid)):
        answer = client.post("/some/prefix/webhooks/crm", content=body, headers=signed(secret, body, f"m{number}"))
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert counted(host)["crm"] == Counts(received=3, accepted=3)
    assert stored(host, "subscriptions")[0]["mrr"] == 400
    with host.reading() as project:
        [row] = questions.accounts(project, choice=questions.Choice(), as_of=None, language=None, now=NOW).rows
    assert (row.account_id, row.segment) == ("acme", "enterprise")


def test_a_repeated_delivery_has_no_second_effect(host: Host, client: Client) -> None:
    secret = new_webhook(host.ledger, "crm", actor="me", now=NOW, random=host.random)
    body = message(
        "limits", {"account_id": "acme", "metric": "seats", "used": 9, "quota": 10, "measured_at": "2026-08-30"}
    )
    headers = signed(secret, body)
    assert [client.post("/webhooks/crm", content=body, headers=headers).status_code for _ in range(3)] == [200] * 3
    assert counted(host)["crm"] == Counts(received=3, accepted=1, duplicate=2)


@pytest.mark.parametrize("fault", ["body", "secret", "old", "early", "source", "none", "id"])
def test_what_is_not_signed_now_with_the_right_secret_is_refused(host: Host, client: Client, fault: str) -> None:
    secret = new_webhook(host.ledger, "crm", actor="me", now=NOW, random=host.random)
    other = new_webhook(host.ledger, "other", actor="me", now=NOW, random=host.random)
    body = message("leads", {"email": "a@b.example", "at": "2026-08-30", "source": "fair"})
    far = {"old": -timedelta(minutes=6), "early": timedelta(minutes=6)}
    at = datetime.now(UTC) + far.get(fault, timedelta())
    headers = signed(other if fault == "secret" else secret, body, at=at)
    if fault == "none":
        headers = {}
    if fault == "id":
        headers["webhook-id"] = "another"
    sent = body.replace(b"fair", b"unfair") if fault == "body" else body
    answer = client.post(f"/webhooks/{'nobody' if fault == 'source' else 'crm'}", content=sent, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["todo"]
    assert stored(host, "leads") == []
    assert sum(one.refused for one in counted(host).values()) == 1


def test_a_new_secret_ends_the_old_one(host: Host, client: Client) -> None:
    old = new_webhook(host.ledger, "crm", actor="me", now=NOW, random=host.random)
    new = new_webhook(host.ledger, "crm", actor="me", now=NOW, random=host.random)
    body = message("leads", {"email": "a@b.example", "at": "2026-08-30", "source": "fair"})
    assert client.post("/webhooks/crm", content=body, headers=signed(old, body)).status_code == 401
    assert client.post("/webhooks/crm", content=body, headers=signed(new, body)).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"no json", 400, "not JSON"),
        (b"[" * 15_000 + b"]" * 15_000, 400, "not JSON"),
        (b"[1]", 200, "not a JSON object"),
        (message("sausages", {"a": 1}), 200, "not the name of an input"),
        (message("leads", {"email": "a@b.example", "colour": "red"}), 200, "no column colour"),
        (message("leads", {"email": "a@b.example"}), 200, "at is missing"),
        (message("opportunities", {"opportunity_id": "x" * 1025, "account_id": "a"}), 200, "opportunity_id is longer"),
        (b'{"type": "leads", "data": 7}', 200, "neither a JSON object nor a list"),
    ],
)
def test_a_signed_message_that_makes_no_sense_is_set_aside(
    host: Host, client: Client, body: bytes, status: int, reason: str
) -> None:
    secret = new_webhook(host.ledger, "crm", actor="me", now=NOW, random=host.random)
    assert client.post("/webhooks/crm", content=body, headers=signed(secret, body)).status_code == status
    assert counted(host)["crm"] == Counts(received=1, quarantined=1)
    [row] = stored(host, "quarantine")
    assert reason in row["reason"]


def test_a_message_that_is_too_long_is_refused(host: Host, client: Client) -> None:
    secret = new_webhook(host.ledger, "crm", actor="me", now=NOW, random=host.random)
    body = message("leads", *({"email": "a@b.example", "at": "2026-08-30", "source": "x" * 400} for _ in range(100)))
    assert client.post("/webhooks/crm", content=body, headers=signed(secret, body)).status_code == 413


def test_where_there_is_no_room_a_message_is_to_be_sent_again(
    host: Host, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = new_webhook(host.ledger, "crm", actor="me", now=NOW, random=host.random)
    body = message("leads", {"email": "a@b.example", "at": "2026-08-30", "source": "fair"})
    with monkeypatch.context() as patched:
        patched.setattr(client._app, "_room", Room(len(body) - 1, each=len(body)))
        refused = client.post("/webhooks/crm", content=body, headers=signed(secret, body))
    assert (refused.status_code, refused.json()["error"]) == (503, "too much is being sent at once.")
    assert client.post("/webhooks/crm", content=body, headers=signed(secret, body)).status_code == 200
