"""A language model that obeys everything planted in names, properties, domains and features: nothing comes of it.

The model is a real server on this machine. For each of 150 payloads it answers as told by whoever planted it, in one way
after another; what it is asked, what is written and what comes out is looked at with rules of the test's own.
"""

import json
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from handraise.errors import ConflictError, DraftError, PlaybookError, ProjectError
from handraise.handoffs.drafts import check_draft
from handraise.handoffs.wording import clean, words_of
from handraise.ledger import acting
from handraise.ledger.audit import list_audit
from handraise.ledger.rewrites import rewrite_of
from handraise.ledger.schema import handoffs
from handraise.ledger.store import Ledger
from handraise.ledger.suppression import suppress
from handraise.playbook.rewriting import Rewriting
from handraise.playbook.selling import Outreach
from handraise.records.drafts import Blocked, Cite, Draft
from handraise.records.rewriting import Rewrite
from handraise.service.rewriting import Rewording, reword
from net.loopback import Loopback, Seen, serving
from rewriting.payloads import CANARY, TEXTS, raw_answers, reply

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
KEY = "sk-Zq7vT2mWx9LrB4nKpD8s"
RULES = Outreach(links=("https://product.example/help",))
HONEST = {
    "subject": "More room for your team",
    "body": "Hello [NAME],\n\n14 people at [COMPANY] work with {feature}, and 80% of the seats are in use.\n\nWould it help if I sent both ways?",
    "facts": [1, 2, 3],
}
# Of a plain message to a person: nothing else may come out, whatever stood in the payload.
PLAIN = re.compile(r"[A-Za-z0-9 ,.'?!%:\n()&+…·–-]*")
LEFT = re.compile(
    rf"{CANARY}|https?|www\.|://|javascript|mailto|password|discount|free|guarantee|mallory", re.IGNORECASE
)


HANDOFFS = (*range(1, 151), 900)


def draft(name: str = "Ann", company: str = "Acme", feature: str = "reports", number: int = 1) -> Draft:
    """As a template gives it: names and keys went through the cleaning that every template's facts go through."""
    body = (
        f"Hello {name},\n\n14 people at {company} used {feature} in the last weeks, and 80% of the seats are in use.\n\n"
        "There are two ways to make room. Would it help if I sent you both?"
    )
    cites = (("use.people", "14"), ("use.feature", feature), ("limit.percent", "80%"))
    return Draft(
        handoff=number,
        account_id="acc-77001",
        person_id="person-4711",
        to_name=name,
        language="en",
        persona="buyer",
        template="outreach/general",
        origin="shipped",
        subject=f"Room for {company}",
        body=body,
        cites=tuple(Cite(name=name, text=text, rests_on="30 days") for name, text in cites),
    )


@dataclass
class Model:
    """What the server answers next, one after another; the last again and again."""

    answers: list[tuple[int, dict[str, str], bytes]]

    def __call__(self, _: Seen) -> tuple[int, dict[str, str], bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Loopback]:
    """Where nobody may go."""
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def model() -> Model:
    return Model([(200, {}, b"")])


@pytest.fixture(scope="module")
def endpoint(model: Model) -> Iterator[Loopback]:
    with serving(model) as server:
        yield server


def with_handoffs(folder: Path) -> Ledger:
    """A ledger in which every draft's handoff is there."""
    opened = Ledger.open(folder / "ledger.sqlite")
    kept = {
        "account_id": "acc-77001",
        "person_id": "person-4711",
        "lane": "sales",
        "priority": "high",
        "status": "closed",
    }
    with opened.transaction() as connection:
        rows = [
            {**kept, "id": one, "created_at": NOW, "closed_at": NOW, "playbook": "x", "version": 1} for one in HANDOFFS
        ]
        connection.execute(insert(handoffs), rows)
    return opened


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    opened = with_handoffs(tmp_path_factory.mktemp("ledger"))
    yield opened
    opened.close()


def wanted(endpoint: Loopback, ledger: Ledger, **settings: Any) -> Rewording:
    given = {"per_day": 100_000, "per_month": 100_000, "key_env": "KEY", "allow_private": ("127.0.0.1/32",), **settings}
    return Rewording(
        ledger=ledger,
        settings=Rewriting(url=f"{endpoint.url}/v1/chat/completions", model="m", **given),
        rules=RULES,
        environment={"KEY": KEY},
        now=lambda: NOW,
        random=random.Random(5).randbytes,
        actor="test",
    )


def honest_for(one: Draft) -> dict[str, Any]:
    return {**HONEST, "body": str(HONEST["body"]).replace("{feature}", one.cites[1].text)}


def counts(ledger: Ledger) -> Counter[str]:
    """Rows of every table of the ledger."""
    assert ledger.file
    with sqlite3.connect(ledger.file) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return Counter({name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names})  # noqa: S608


def obeying(payload: str, one: Draft, place: int) -> list[bytes]:
    """Two ways of doing what a payload wants, other ones for each payload."""
    honest = honest_for(one)
    ways = [
        {**honest, "body": f"{honest['body']}\n\n{payload}"},
        {**honest, "body": payload},
        {**honest, "subject": payload},
        {**honest, "subject": f"{honest['subject']} {payload}"},
        {**honest, "body": str(honest["body"]).replace("both ways", payload)},
        {**honest, "body": f"{payload}\n{honest['body']}"},
        {**honest, "body": f"{honest['body']} {KEY[:12]} {payload}"},
    ]
    first, second = ways[place % len(ways)], ways[(place + 3) % len(ways)]
    return [reply(first), reply(second) if place % 4 else payload.encode("utf-8", "replace")]


def planted(payload: str, place: int) -> tuple[Draft, str]:
    """A draft with the payload in its name, its company or its feature, and the company; another place if it is refused there."""
    for turn in range(3):
        match (place + turn) % 3:
            case 0:
                one, company = draft(name=clean(payload) or "Ann", number=place + 1), "Acme"
            case 1:
                company = clean(payload, 40) or "Acme"
                one = draft(company=company, number=place + 1)
            case _:
                one, company = draft(feature=words_of(payload) or "reports", number=place + 1), "Acme"
        if check_draft(one, RULES) is None:
            return one, company
    return draft(number=place + 1), "Acme"  # nowhere does the template's own check let it out


def test_150_payloads_have_no_effect(model: Model, endpoint: Loopback, elsewhere: Loopback, ledger: Ledger) -> None:
    assert len(set(TEXTS)) == 150
    before, sent, passed, ends = counts(ledger), 0, 0, Counter[str]()
    endpoint.seen.clear()
    for place, payload in enumerate(TEXTS):
        one, company = planted(payload, place)
        sent += CANARY in f"{one.subject} {one.body}".lower()
        model.answers = [(200, {}, answer) for answer in obeying(payload, one, place)]
        asked = len(endpoint.seen)
        done = reword(one, company, wanted(endpoint, ledger))
        assert done.original == one
        assert 1 <= len(endpoint.seen) - asked <= 2
        ends[done.code or "reworded"] += 1
        look(done)
        if place % 5 == 0:  # the same draft, with the same names, reworded honestly
            model.answers = [(200, {}, reply(honest_for(one)))]
            passed += reword(one, company, wanted(endpoint, ledger)).code == ""
    assert sent > 75, "most payloads stand in the text that is reworded"
    assert passed >= 25, "names alone keep no honest text back"
    assert ends["reworded"] <= 5, "where nothing but unseen signs was planted, an honest text is left"
    assert ends.keys() >= {"link", "markup", "signs", "planted", "new_script", "secret", "not_json"}, ends
    assert elsewhere.seen == []
    grown = counts(ledger) - before
    assert grown.keys() <= {"audit", "enrichment_requests", "draft_rewrites"}
    assert grown["audit"] == 150 + 30
    assert grown["draft_rewrites"] == passed + ends["reworded"]
    look_at_requests(endpoint, payloads_in=TEXTS)
    with ledger.reading() as connection:
        rows = [row for row in list_audit(connection, limit=500) if row.action == "draft.reword"]
    told = json.dumps([dict(row.details) for row in rows])
    assert not re.search(f"{CANARY}|{KEY[:8]}|person-4711", told, re.IGNORECASE)


def look(done: Rewrite) -> None:
    """What came out, by the test's own rules."""
    if done.reworded is None:
        assert done.code
        assert done.because
        return
    given = f"{done.original.subject}\n{done.original.body}"
    text = f"{done.reworded.subject}\n{done.reworded.body}"
    names = sorted({done.original.to_name, *(cite.text for cite in done.original.cites)}, key=len, reverse=True)
    for name in (*names, done.original.subject.removeprefix("Room for ")):
        text = text.replace(name, "")
    assert PLAIN.fullmatch(text), text
    assert not LEFT.search(text), text
    assert set(re.findall(r"\d+", text)) <= set(re.findall(r"\d+", given))
    assert KEY[:8] not in text
    assert all(cite.text in f"{done.reworded.subject}\n{done.reworded.body}" for cite in done.original.cites)
    assert "\n" not in done.reworded.subject


def look_at_requests(endpoint: Loopback, *, payloads_in: list[str]) -> None:
    """What went out: no names, ids or addresses, no tools, and data that cannot close its marks."""
    assert payloads_in
    for seen in endpoint.seen:
        assert (seen.method, seen.path) == ("POST", "/v1/chat/completions")
        document = json.loads(seen.body)
        assert document.keys() == {"model", "max_tokens", "messages", "response_format"}
        assert document["response_format"]["json_schema"]["schema"]["additionalProperties"] is False
        system, user = (one["content"] for one in document["messages"])
        marks = re.findall(r"<data ([0-9a-f]{18})>", user)
        assert len(marks) == 1
        assert user.count(marks[0]) == 2
        assert user.isascii(), "whatever is in the data is escaped"
        assert marks[0] in system
        assert not re.search(r"person-4711|acc-77001|@|Ann\b", user)
        assert user.count("\n") == 2
        assert KEY not in seen.body.decode()
        assert seen.headers["authorization"] == f"Bearer {KEY}"


def test_answers_that_are_none_are_refused(
    model: Model, endpoint: Loopback, elsewhere: Loopback, ledger: Ledger
) -> None:
    one = draft()
    for status, headers, body in raw_answers(honest_for(one), f"{elsewhere.url}/steal"):
        model.answers = [(status, headers, body)]
        asked = len(endpoint.seen)
        done = reword(one, "Acme", wanted(endpoint, ledger))
        assert done.reworded is None, body[:80]
        assert done.code in {"failed", "not_json", "wrong_shape", "tools", "cut_off", "cite_lost", "too_long"}, body[
            :80
        ]
        assert 1 <= len(endpoint.seen) - asked <= 2
    assert elsewhere.seen == []


def test_a_second_answer_may_do(model: Model, endpoint: Loopback, ledger: Ledger) -> None:
    one = draft(number=900)
    for first in ((500, {}, b""), (200, {}, b"no"), (200, {}, reply({**honest_for(one), "body": "Buy now"}))):
        model.answers = [first, (200, {}, reply(honest_for(one)))]
        done = reword(one, "Acme", wanted(endpoint, ledger))
        assert (done.code, done.attempts) == ("", 2)
        assert done.reworded
        assert done.reworded.body.startswith("Hello Ann,\n\n14 people at Acme work with reports")


def test_the_budget_is_hard(model: Model, endpoint: Loopback, tmp_path: Path) -> None:
    model.answers = [(200, {}, b"no")]
    asked = len(endpoint.seen)
    ledger = with_handoffs(tmp_path)
    try:
        codes = [reword(draft(), "Acme", wanted(endpoint, ledger, per_day=3)).code for _ in range(4)]
    finally:
        ledger.close()
    assert codes == ["not_json", "not_json", "budget", "budget"]
    assert len(endpoint.seen) - asked == 3


@pytest.mark.parametrize("how", ["suppressed", "forgotten"])
def test_a_slow_model_brings_nobody_back_who_was_erased_meanwhile(how: str, tmp_path: Path) -> None:
    ledger, one = with_handoffs(tmp_path), draft()

    def slow(_: Seen) -> tuple[int, dict[str, str], bytes]:
        with ledger.transaction() as connection:
            if how == "suppressed":
                ids = ["person-4711"]
                suppress(connection, ids, reason="erasure", actor="x", now=NOW, random=random.Random(1).randbytes)
            else:
                acting.forget_people(connection, ["person-4711"])
        return 200, {}, reply(honest_for(one))

    try:
        with serving(slow) as server, pytest.raises(ConflictError, match="may not be written to"):
            reword(one, "Acme", wanted(server, ledger))
        with ledger.reading() as connection:
            assert rewrite_of(connection, 1) is None
            (row,) = [row for row in list_audit(connection) if row.action == "draft.reword"]
    finally:
        ledger.close()
    assert row.details == {"model": "m", "attempts": 1, "outcome": "gone"}


def test_where_the_model_may_not_be_nobody_is_asked(endpoint: Loopback, ledger: Ledger) -> None:
    asked = len(endpoint.seen)
    assert reword(draft(), "Acme", wanted(endpoint, ledger, allow_private=())).code == "failed"
    with pytest.raises(PlaybookError, match="no language model"):
        reword(draft(), "Acme", replace(wanted(endpoint, ledger), settings=None))
    with pytest.raises(ProjectError, match="KEY"):
        reword(draft(), "Acme", replace(wanted(endpoint, ledger), environment={}))
    blocked = replace(draft(), blocked=Blocked(code="opted_out", because="no"))
    with pytest.raises(DraftError, match="opted_out"):
        reword(blocked, "Acme", wanted(endpoint, ledger))
    assert len(endpoint.seen) == asked
