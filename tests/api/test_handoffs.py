"""Handoffs and decisions as a program reads them."""

import pytest

from api.served import Reply, Served
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
    assert first["handoff"]["person_id"] == "p04", "whoever asked last"
    assert first["person_name"] is None
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


def test_what_becomes_of_a_handoff_is_said_and_taken_back(asked: Served) -> None:
    number = asked.get("handoffs")["rows"][3]["handoff"]["id"]

    def say(**wanted: object) -> Reply:
        return asked.ask("POST", f"/api/v1/handoffs/{number}/calls", wanted)

    assert say(kind="claim", by="kim").json["handoff"]["owner"] == "kim"
    assert say(kind="accept", by="lee").kind == "conflict"
    assert say(kind="reject", by="kim").kind == "invalid-input"
    assert say(kind="sing", by="kim").kind == "invalid-request"
    done = say(kind="reject", by="kim", reason="not_icp").json
    assert (done["handoff"]["status"], done["state"]) == ("closed", "rejected")
    assert number not in [row["handoff"]["id"] for row in asked.get("handoffs")["rows"]]
    back = asked.ask("POST", f"/api/v1/handoffs/{number}/undo", {"by": "kim"})
    assert (back.status, back.json["handoff"]["status"]) == (200, "working")
    found = asked.get(f"handoffs/{number}")
    assert [one["kind"] for one in found["calls"]] == ["claim", "reject"]
    assert found["because"] == ["asked to talk to sales"]
    assert asked.get(f"handoffs/{number}?lang=zh")["because"] == ["要求联系销售"]
    assert asked.ask("GET", "/api/v1/handoffs/999999").kind == "not-found"
    key = asked.key("read")
    assert asked.ask("POST", f"/api/v1/handoffs/{number}/undo", {}, key=key).kind == "missing-scope"


def test_only_who_may_read_is_told(asked: Served) -> None:
    key = asked.key("admin")
    for path in ("handoffs", "decisions/workspace:w0"):
        assert asked.ask("GET", f"/api/v1/{path}", key=key).kind == "missing-scope"


def test_the_roster_is_told_and_forgotten(asked: Served) -> None:
    def put(path: str, body: dict[str, object]) -> Reply:
        return asked.ask("PUT", f"/api/v1/roster/{path}", body)

    assert asked.get("roster")["reps"] == []
    told = put("reps/kim", {"email": "kim@example.com", "capacity": 2, "hours": {"timezone": "Asia/Tokyo"}})
    assert told.json["reps"][0]["rep"] == "kim"
    assert put("teams/inside_sales", {"members": ["kim", "zed"]}).kind == "invalid-input"
    assert put("teams/inside_sales", {"members": ["kim"]}).json["teams"]["inside_sales"]["members"] == ["kim"]
    assert put("territories/dach", {"owner": "kim", "countries": ["DE"]}).status == 200
    for path, body in (("reps/kim", {"capacity": -1}), ("reps/k m", {}), ("teams/Kim", {}), ("reps/kim", {"wage": 1})):
        assert put(path.replace(" ", "%20"), body).kind == "invalid-request"
    now = asked.clock().isoformat()
    asked.send([track("ask-kim", "p05", "contact_sales", now, workspace="w9")])
    rows = asked.get("handoffs?queue=inside_sales&owner=kim")["rows"]
    assert [row["handoff"]["owner"] for row in rows if row["handoff"]["account_id"] == "workspace:w9"] == ["kim"]
    [made] = asked.get("decisions/workspace:w9")["rows"]
    assert (made["owner"], made["queue"], made["routed"]) == ("kim", "inside_sales", "team")
    assert asked.get("roster")["reps"][0]["under_way"] >= 1
    assert asked.ask("DELETE", "/api/v1/roster/reps/kim").kind == "conflict"
    for path in ("teams/inside_sales", "territories/dach", "reps/kim"):
        assert asked.ask("DELETE", f"/api/v1/roster/{path}").status == 200
    assert asked.ask("DELETE", "/api/v1/roster/reps/kim").kind == "not-found"
    assert asked.get("roster")["told"] == {}
    assert asked.get("roster")["stale"] == []


def test_whoever_is_suppressed_is_not_handed_over(asked: Served) -> None:
    wanted = {"ids": ["p01", "Someone@Example.com"], "reason": "unsubscribed"}
    path = "/api/v1/privacy/suppressions"
    assert asked.ask("POST", path, wanted).json == {"changed": 2}
    assert asked.ask("POST", path, wanted).json == {"changed": 0}
    assert asked.ask("POST", f"{path}/remove", {**wanted, "ids": ["someone@example.com"]}).json == {"changed": 1}
    assert asked.ask("POST", path, {**wanted, "reason": "erasure"}).kind == "invalid-request"
    assert asked.ask("POST", path, {**wanted, "ids": []}).kind == "invalid-request"
