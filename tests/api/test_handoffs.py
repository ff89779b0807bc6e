"""Handoffs and decisions as a program reads them."""

import pytest

from api.served import Served
from live.sending import track


@pytest.fixture(scope="module")
def asked(served: Served) -> Served:
    """Somebody asks for sales in each of four workspaces, in one of them twice."""
    now = served.clock().isoformat()
    for number in range(4):
        served.send([track(f"ask-{number}", f"p{number:02d}", "contact_sales", now, workspace=f"w{number}")])
    served.send([track("ask-more", "p04", "enterprise_request", now, workspace="w0")])
    return served


def test_the_most_urgent_stand_first_page_by_page(asked: Served) -> None:
    rows = asked.get("handoffs")["rows"]
    assert [row["handoff"]["account_id"] for row in rows] == [f"workspace:w{n}" for n in range(4)]
    first = rows[0]
    assert first["handoff"]["priority"] == "high"
    assert first["handoff"]["person_id"] == "p00"
    assert first["person_name"] == "Ann"
    assert first["because"] == ["asked to talk to sales", "asked for enterprise features"]
    for limit in (1, 3, 500):
        assert asked.pages("handoffs", limit) == rows
    assert asked.get("handoffs?lane=find_buyer")["rows"] == []
    assert len(asked.get("handoffs?lane=sales&priority=high")["rows"]) == 4
    assert asked.get("handoffs?lang=zh")["rows"][0]["because"][0] == "要求联系销售"
    assert asked.ask("GET", "/api/v1/handoffs?lane=nowhere").kind == "invalid-request"


def test_every_decision_about_an_account_is_told(asked: Served) -> None:
    rows = asked.get("decisions/workspace:w0")["rows"]
    assert [(row["outcome"], row["because"]) for row in rows[:2]] == [
        ("joined", "hand_raise"),
        ("handoff", "hand_raise"),
    ]
    assert rows[0]["reasons"][0]["trigger"] == "enterprise_request"
    assert asked.pages("decisions/workspace:w0", 1) == rows
    assert asked.get("decisions/nobody")["rows"] == []


def test_only_who_may_read_is_told(asked: Served) -> None:
    key = asked.key("admin")
    for path in ("handoffs", "decisions/workspace:w0"):
        assert asked.ask("GET", f"/api/v1/{path}", key=key).kind == "missing-scope"
