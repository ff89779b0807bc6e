"""Asking providers and rewording drafts as somebody types it, beside a server and without one."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from faces.typed import answer, done, runner
from handraise.faces.cli.app import app
from handraise.faces.cli.days import right_now
from handraise.ledger import enriching as kept
from handraise.service import orders, questions
from handraise.service.erase import erase
from handraise.service.folder import create_project
from handraise.service.host import Host
from handraise.service.ledgers import open_ledger
from net.loopback import Loopback, Seen, serving
from rewriting.payloads import reply
from support import Row, write

NOW = datetime.now(UTC) - timedelta(seconds=1)


def other_side(seen: Seen) -> tuple[int, dict[str, str], bytes]:
    """Both a provider and a language model: it rewords by leaving out what stands between the facts."""
    if seen.method == "GET":
        known = {"size": 1200, "title": "Chief Operating Officer"}
        return 200, {}, json.dumps(known).encode()
    data = json.loads(json.loads(seen.body)["messages"][1]["content"].split("\n")[1])
    facts = data["facts"]
    body = "Hello [NAME],\n\n" + " ".join(f"You know about {one['text']}." for one in facts) + "\n\nMay we talk?"
    return 200, {}, reply({"subject": "About your question", "body": body, "facts": [one["number"] for one in facts]})


@pytest.fixture(scope="module")
def server() -> Iterator[Loopback]:
    with serving(other_side) as opened:
        yield opened


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, server: Loopback) -> Path:
    """Ann, of acme.com, asks to talk to sales."""
    folder = tmp_path_factory.mktemp("enriched")
    events: list[Row] = [
        {"event_id": f"e{n}", "person_id": "u-ann", "name": "open", "timestamp": (NOW - timedelta(days=n)).isoformat()}
        for n in range(6)
    ]
    events.append({**events[0], "event_id": "ask", "name": "contact_sales"})
    people = [{"person_id": "u-ann", "name": "Ann", "email": "ann.b@acme.com", "created_at": "2026-01-01", "title": ""}]
    write(folder / "files", {"events": events, "people": people})
    create_project(
        folder / "p",
        f"""
selling_bands: [hot, warm, emerging, none]
enrichment:
  providers:
    acme_data:
      url: {server.url}/v1/{{domain}}
      headers_env: {{Authorization: ACME_KEY}}
      fields: {{employees: /size}}
      allow_private: [127.0.0.1/32]
    people_data:
      about: person
      url: {server.url}/people?of={{email}}
      fields: {{title: /title}}
      allow_private: [127.0.0.1/32]
rewriting: {{url: '{server.url}/chat', model: m, allow_private: [127.0.0.1/32]}}
""",
    )
    done(folder / "p", "load", str(folder / "files"))
    done(folder / "p", "refresh")
    return folder / "p"


def test_a_company_is_asked_about_and_its_score_follows(
    project: Path, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = runner.invoke(app, ["enrich", "--project", str(project)])
    assert (refused.exit_code, "ACME_KEY" in refused.output, server.seen) == (1, True, [])
    monkeypatch.setenv("ACME_KEY", "secret")
    said = " ".join(done(project, "enrich", "--dry-run").output.split())
    assert "acme_data: 1 companies are worth asking about, 1 of them are to be asked about, 1 would be now." in said
    assert server.seen == []
    said = " ".join(done(project, "enrich", "--provider", "acme_data").output.split())
    assert "asked about 1 of 1 companies: 1 found, 0 not known, 0 failed. Left: 199 requests today" in said
    assert [seen.path for seen in server.seen] == ["/v1/acme.com"]
    done(project, "refresh")
    [row] = answer(project, "accounts")
    assert row["segment"] == "enterprise"
    explained = " ".join(done(project, "explain", "domain:acme.com").output.split())
    assert f"employees 1200 acme_data {right_now():%Y-%m-%d}" in explained
    assert "employees acme_data 1 100% 1" in " ".join(done(project, "enrichment").output.split())
    assert "No two sources contradict each other" in done(project, "enrichment", "conflicts").output
    assert runner.invoke(app, ["enrichment", "conflicts", "--about", "dog", "--project", str(project)]).exit_code == 2
    nobody = runner.invoke(app, ["enrich", "--provider", "nobody", "--project", str(project)])
    assert (nobody.exit_code, "no provider 'nobody'" in nobody.output) == (1, True)


def test_a_reworded_draft_is_approved_by_its_hash(project: Path, server: Loopback) -> None:
    shown = done(project, "draft", "1", "--rewrite").output
    assert "May we talk?" in shown
    assert "Approve one of the two" in shown
    found = answer(project, "draft", "1", "--rewrite")
    assert found["reworded"]["body"].startswith("Hello Ann,")
    said = done(project, "draft", "1", "--approve", "--sha256", found["sha256"]["reworded"], "--by", "kim").output
    assert "About your question" in said
    assert f"Approved by kim ({found['sha256']['reworded'][:12]})" in said
    other = runner.invoke(app, ["draft", "1", "--approve", "--sha256", "0" * 12, "--project", str(project)])
    assert (other.exit_code, "another one by now" in other.output) == (1, True)
    assert runner.invoke(app, ["draft", "1", "--approve", "--rewrite", "--project", str(project)]).exit_code == 2
    assert not any("Ann" in seen.body.decode() for seen in server.seen if seen.method == "POST")


def test_beside_a_server_scores_follow_by_themselves_and_an_erasure_reaches_everything(
    project: Path, server: Loopback
) -> None:
    with Host(project, environment={"ACME_KEY": "x"}, now=right_now, random=random.randbytes) as host:
        runs = orders.enrich(host, actor="worker")
        assert [(one.provider, one.found) for one in runs] == [("acme_data", 0), ("people_data", 1)]
        assert server.seen[-1].path == "/people?of=ann.b%40acme.com"
        for _ in range(2):
            host.follower.ask(lambda _: None)
        with host.reading() as opened:
            [ann] = questions.people(opened, choice=questions.Choice(), as_of=None, now=right_now()).rows
            found = questions.person_data(opened, person_id="u-ann")
        assert ann.is_buyer
        assert found["enrichment"][0]["title"] == "Chief Operating Officer"
        assert orders.reword_draft(host, number=1, language=None, actor="kim").code in {"", "same"}
        receipt = erase(host, "u-ann", requested_by="privacy", now=right_now)
        assert receipt.erased["provider_said"] == 1
    with open_ledger(project, {}) as ledger, ledger.reading() as connection:
        assert kept.names_kept(connection) == set()
    files = [path for path in (project / ".handraise").rglob("*") if path.is_file() and "backups" not in path.parts]
    for secret in (b"ann.b@acme.com", b"u-ann", b"Chief Operating", b"Hello Ann"):
        assert [path.name for path in files if secret in path.read_bytes()] == [], secret
