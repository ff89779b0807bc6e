"""Briefs, drafts and stories as a program asks for them."""

import pytest

from api.served import Served
from live.sending import track


@pytest.fixture(scope="module")
def asked(served: Served) -> Served:
    """Ann asks for sales; three of her workspace used a feature."""
    now = served.clock().isoformat()
    used = [
        track(f"use-{who}", f"p{who:02d}", "feature", now, workspace="w0", feature="guest_portal") for who in (0, 4, 8)
    ]
    served.send([*used, track("ask-0", "p00", "contact_sales", now, workspace="w0")])
    served.send([track("ask-1", "p01", "contact_sales", now, workspace="w1")])
    return served


def number_of(served: Served, account: str) -> int:
    rows = served.get("handoffs")["rows"]
    return next(int(row["handoff"]["id"]) for row in rows if row["handoff"]["account_id"] == account)


def test_a_brief_comes_in_three_forms_and_two_languages(asked: Served) -> None:
    number = number_of(asked, "workspace:w0")
    found = asked.get(f"handoffs/{number}/brief")
    assert found["why"]["handoff"]["id"] == number
    assert found["usage"]["features"] == [{"feature": "guest_portal", "premium": False, "people": 3, "days": 1}]
    assert [one["person_id"] for one in found["people"] if "executive" in one["roles"]] == ["p00"]
    of_account = asked.get("accounts/workspace:w0/brief")
    assert {**of_account, "made_at": ""} == {**found, "made_at": ""}
    page = asked.ask("GET", f"/api/v1/handoffs/{number}/brief?format=html&lang=zh")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "人员地图" in page.body.decode()
    text = asked.ask("GET", "/api/v1/accounts/workspace:w0/brief?format=md")
    assert text.headers["content-type"] == "text/markdown; charset=utf-8"
    assert "## People map" in text.body.decode()
    assert asked.ask("GET", f"/api/v1/handoffs/{number}/brief?format=pdf").kind == "invalid-request"
    assert asked.ask("GET", "/api/v1/handoffs/999999/brief").kind == "not-found"
    assert asked.ask("GET", "/api/v1/accounts/nobody/brief").kind == "not-found"
    assert asked.get("accounts/workspace:w0")["account"]["account_id"] == "workspace:w0"


def test_the_exact_text_of_a_draft_is_approved(asked: Served) -> None:
    address = f"handoffs/{number_of(asked, 'workspace:w0')}/draft"
    found = asked.get(address)
    assert found["draft"]["blocked"] is None
    assert found["draft"]["person_id"] == "p00"
    assert "guest portal" in found["draft"]["body"]

    wrong = asked.ask("POST", f"/api/v1/{address}/approve", {"sha256": "0" * 64})
    assert wrong.kind == "conflict"
    assert asked.ask("POST", f"/api/v1/{address}/approve", {"sha256": "xyz"}).kind == "invalid-request"
    refused = asked.ask("POST", f"/api/v1/{address}/approve", {"subject": "Hi", "body": "Shall we talk?"})
    assert refused.kind == "draft-refused"
    assert "generic" in refused.json["detail"]
    assert asked.ask("POST", f"/api/v1/{address}/approve", {"body": "3 people: evil.example"}).kind == "draft-refused"
    kept = asked.ask("POST", f"/api/v1/{address}/approve", {"by": "kim", "sha256": found["sha256"][:16]})
    assert kept.status == 200
    assert (kept.json["by"], kept.json["body"]) == ("kim", found["draft"]["body"])
    assert [one["sha256"] for one in asked.get(address)["approvals"]] == [found["sha256"]]
    actions = [row["action"] for row in asked.get("audit")["rows"]]
    assert actions.count("draft.approve") == 1
    reader = asked.key("read")
    assert asked.ask("POST", f"/api/v1/{address}/approve", {}, key=reader).kind == "missing-scope"


def test_a_draft_without_anything_to_rest_on_is_told_as_such(asked: Served) -> None:
    found = asked.get(f"handoffs/{number_of(asked, 'workspace:w1')}/draft")["draft"]
    assert [cite["name"] for cite in found["cites"]] == ["ask.day", "use.people"]


def test_a_story_is_told_or_refused(asked: Served) -> None:
    found = asked.get("accounts/workspace:w0/story")
    assert [part["level"] for part in found["parts"]] == ["individual", "team", "company"]
    assert "guest portal" in " ".join(found["parts"][0]["paragraphs"])
    page = asked.ask("GET", "/api/v1/accounts/workspace:w0/story?format=html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert asked.ask("GET", "/api/v1/accounts/nobody/story").kind == "not-found"
