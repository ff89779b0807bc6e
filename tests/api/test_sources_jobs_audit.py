"""Sources and their keys, jobs, and the trail of who changed what."""

from collections.abc import Iterator

import pytest

from api.served import EVERYTHING, Served, serving
from handraise.ledger import jobs


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("ledger") / "p") as server:
        yield server


def track_with(served: Served, key: str) -> int:
    body = {"userId": "p1", "event": "open", "messageId": f"with {key}"}
    return served.ask("POST", "/v1/track", body | {"writeKey": key}, key=None).status


def test_a_source_gets_a_key_that_is_shown_once_and_can_be_revoked(served: Served) -> None:
    made = served.ask("POST", "/api/v1/sources", {"id": "app", "name": "The app"})
    assert (made.status, made.json["id"], made.json["disabled_at"]) == (201, "app", None)
    again = served.ask("POST", "/api/v1/sources", {"id": "app", "name": "Another"})
    assert (again.status, again.kind) == (409, "conflict")
    key = served.ask("POST", "/api/v1/sources/app/keys").json
    assert key["write_key"].startswith("hrw_")
    assert track_with(served, key["write_key"]) == 200
    listed = served.get("sources/app/keys")["rows"]
    assert [one["id"] for one in listed] == [key["id"]]
    assert key["write_key"] not in str(listed)
    assert served.ask("DELETE", f"/api/v1/sources/web/keys/{key['id']}").kind == "not-found"
    assert served.ask("DELETE", f"/api/v1/sources/app/keys/{key['id']}").status == 204
    assert track_with(served, key["write_key"]) == 401
    assert served.ask("DELETE", f"/api/v1/sources/app/keys/{key['id']}").kind == "not-found"


def test_a_disabled_source_lets_nothing_in(served: Served) -> None:
    served.ask("POST", "/api/v1/sources", {"id": "old", "name": "Old"})
    key = served.ask("POST", "/api/v1/sources/old/keys").json["write_key"]
    assert track_with(served, key) == 200
    assert served.ask("POST", "/api/v1/sources/old/disable").json["disabled_at"]
    assert track_with(served, key) == 401
    assert served.ask("POST", "/api/v1/sources/old/disable").kind == "conflict"
    assert served.ask("POST", "/api/v1/sources/old/keys").kind == "conflict"
    assert served.ask("POST", "/api/v1/sources/none/disable").kind == "not-found"
    assert served.ask("POST", "/api/v1/sources/none/keys").kind == "not-found"


def test_a_job_is_asked_for_once(served: Served) -> None:
    first = served.ask("POST", "/api/v1/jobs", {"kind": "refresh", "as_of": "2026-10-28"})
    assert first.status == 202
    assert first.json["arguments"] == {"as_of": "2026-10-28", "full": False}
    again = served.ask("POST", "/api/v1/jobs", {"kind": "refresh", "as_of": "2026-10-28"})
    other = served.ask("POST", "/api/v1/jobs", {"kind": "refresh", "full": True})
    assert first.json["id"] == again.json["id"] != other.json["id"]
    assert served.get(f"jobs/{first.json['id']}") == first.json


@pytest.mark.parametrize(
    "wanted", [{"kind": "erase"}, {"kind": "refresh", "as_of": "soon"}, {"kind": "replay", "x": 1}, {}]
)
def test_a_job_that_nobody_knows_is_refused(served: Served, wanted: dict[str, object]) -> None:
    assert served.ask("POST", "/api/v1/jobs", wanted).kind == "invalid-request"


def test_a_job_can_be_cancelled_until_it_ends(served: Served) -> None:
    number = served.ask("POST", "/api/v1/jobs", {"kind": "replay"}).json["id"]
    assert served.ask("POST", f"/api/v1/jobs/{number}/cancel").json["status"] == "cancelled"
    assert served.ask("POST", f"/api/v1/jobs/{number}/cancel").kind == "conflict"
    assert served.ask("POST", "/api/v1/jobs/999999/cancel").kind == "not-found"
    assert served.ask("GET", "/api/v1/jobs/999999").kind == "not-found"
    with served.host.ledger.reading() as connection:
        assert jobs.list_jobs(connection, status="cancelled")[0].id == number


def test_the_trail_says_who_did_what(served: Served) -> None:
    key = served.key(*EVERYTHING)
    served.ask("POST", "/api/v1/sources", {"id": "traced", "name": "x"}, key=key)
    [row] = served.get("audit?limit=1", key=key)["rows"]
    assert (row["action"], row["object"]) == ("source.create", "source traced")
    assert row["actor"].startswith("api_key ")
