"""Lists page by page: nothing twice, nothing left out, also among equals and while scores change."""

import base64
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest

from api.served import Served
from live.sending import track

LISTS = {
    "accounts": "account_id",
    "accounts?sort=score": "account_id",
    "accounts?sort=active_people": "account_id",
    "accounts?sort=people_points": "account_id",
    "people": "person_id",
    "people?sort=behaviour_points": "person_id",
    "people?account_id=workspace:w1": "person_id",
    "audit": "seq",
    "sources": "id",
    "sources/web/keys": "id",
    "jobs": "id",
    "quarantine": "id",
    "history/people/p00": "as_of",
}
_numbers = count()


@pytest.fixture(scope="module", autouse=True)
def plenty(served: Served) -> None:
    for name in ("app", "site", "zoo"):
        served.ask("POST", "/api/v1/sources", {"id": name, "name": name})
    for _ in range(3):
        served.ask("POST", "/api/v1/sources/web/keys")
    for full in (True, False):
        served.ask("POST", "/api/v1/jobs", {"kind": "refresh", "full": full})
    served.send([track(f"bad{n}", "p00", "open", "yesterday") for n in range(4)])


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_pages_are_the_whole_list(served: Served, path: str, limit: int) -> None:
    whole = served.get(f"{path}{'&' if '?' in path else '?'}limit=500")
    assert whole["next"] is None
    assert whole["rows"]
    assert served.pages(path, limit) == whole["rows"]


def test_equal_scores_have_an_order(served: Served) -> None:
    people = served.pages("people", 1)
    assert len({row["score"] for row in people}) < len(people)
    assert people == sorted(people, key=lambda row: (-row["score"], row["person_id"], row["account_id"]))


def test_whoever_does_not_move_is_seen_once_while_others_do(served: Served) -> None:
    before = {(row["person_id"], row["account_id"]) for row in served.pages("people", 500)}

    def somebody_comes() -> None:
        n = next(_numbers)
        served.send([track(f"new{n}", f"new{n}", "open", served.clock().isoformat(), workspace=f"new{n}")])

    seen = [(row["person_id"], row["account_id"]) for row in served.pages("people", 5, between=somebody_comes)]
    assert before <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_list_can_be_narrowed(served: Served) -> None:
    assert {row["account_id"] for row in served.get("people?account_id=workspace:w1")["rows"]} == {"workspace:w1"}
    assert {row["tier"] for row in served.get("accounts?tier=3")["rows"]} <= {3}
    assert all(row["is_pql"] for row in served.get("people?pql=true")["rows"])
    assert {row["band"] for row in served.get("people?band=none")["rows"]} == {"none"}
    assert [row["status"] for row in served.get("jobs?status=queued&kind=refresh")["rows"]] == ["queued", "queued"]
    assert served.get("jobs?kind=nothing")["rows"] == []
    assert served.get("quarantine?source=app")["rows"] == []
    assert {row["format"] for row in served.get("quarantine?source=web&format=call&input=events")["rows"]} == {"call"}


@pytest.mark.parametrize(
    "path",
    [
        "people?sort=behaviour_points",
        "people?band=none",
        "people?pql=true",
        "accounts",
        "jobs",
        "audit",
        "history/people/p00",
        "people?as_of=2026-01-01",
    ],
)
def test_a_cursor_of_another_list_is_refused(served: Served, path: str) -> None:
    cursor = served.get("people?limit=1")["next"]
    reply = served.ask("GET", f"/api/v1/{path}{'&' if '?' in path else '?'}cursor={cursor}")
    assert (reply.status, reply.kind) == (400, "wrong-cursor")


def test_a_cursor_of_another_history_is_refused(served: Served) -> None:
    cursor = served.get("sources/web/keys?limit=1")["next"]
    assert served.ask("GET", f"/api/v1/sources/app/keys?cursor={cursor}").kind == "wrong-cursor"


@pytest.mark.parametrize(
    "cursor", ["x", "", "%00", "AAAA", "é", base64.urlsafe_b64encode(b"[1,2]").decode(), "A" * 19_999]
)
@pytest.mark.parametrize("path", ["people", "audit", "quarantine"])
def test_what_is_no_cursor_is_refused(served: Served, path: str, cursor: str) -> None:
    reply = served.ask("GET", f"/api/v1/{path}?cursor={quote(cursor, safe='%')}")
    assert (reply.status, reply.kind) == (400, "wrong-cursor")


def test_a_page_may_be_smaller_than_the_one_before(served: Served) -> None:
    first: Any = served.get("people?limit=3")
    second: Any = served.get(f"people?limit=2&cursor={first['next']}")
    assert [*first["rows"], *second["rows"]] == served.get("people?limit=5")["rows"]


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1e3", "99999999999999999999999"])
def test_a_page_has_between_1_and_500_rows(served: Served, limit: str) -> None:
    assert served.ask("GET", f"/api/v1/people?limit={limit}").kind == "invalid-request"


def test_a_day_of_the_past_is_scored_and_the_present_stays(served: Served) -> None:
    now = served.get("people?limit=500")
    assert served.get("people?as_of=2020-01-01")["rows"] == []
    assert served.get("people?limit=500") == now
    served.send([track("later", "later", "open", served.clock().isoformat(), workspace="later")])
    assert "later" in {row["person_id"] for row in served.get("people?limit=500")["rows"]}
