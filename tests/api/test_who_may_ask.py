"""Keys, scopes, names of the server, and other sites' pages: who may ask, and who is told what."""

import http.client
import socket
from datetime import timedelta
from typing import Any

import pytest

from api.served import EVERYTHING, TOKEN, Served
from handraise.faces.api.app import make_api
from handraise.ledger import api_keys

OPEN = ("/health", "/ready", "/metrics")
NEEDS = {
    ("GET", "/accounts"): "read",
    ("GET", "/accounts/{id}"): "read",
    ("GET", "/people"): "read",
    ("GET", "/people/{id}"): "read",
    ("GET", "/explain/{id}"): "read",
    ("GET", "/history/accounts/{id}"): "read",
    ("GET", "/history/people/{id}"): "read",
    ("GET", "/handoffs"): "read",
    ("GET", "/handoffs/{id}"): "read",
    ("POST", "/handoffs/{id}/calls"): "write",
    ("POST", "/handoffs/{id}/undo"): "write",
    ("GET", "/handoffs/{id}/brief"): "read",
    ("GET", "/handoffs/{id}/draft"): "read",
    ("POST", "/handoffs/{id}/draft/approve"): "write",
    ("GET", "/accounts/{id}/brief"): "read",
    ("GET", "/accounts/{id}/story"): "read",
    ("GET", "/decisions/{id}"): "read",
    ("GET", "/alerts"): "read",
    ("GET", "/alerts/dead"): "read",
    ("POST", "/alerts/replay"): "write",
    ("POST", "/alerts/{id}/resume"): "write",
    ("POST", "/alerts/{id}/test"): "write",
    ("GET", "/roster"): "read",
    ("PUT", "/roster/reps/{id}"): "admin",
    ("PUT", "/roster/teams/{id}"): "admin",
    ("PUT", "/roster/territories/{id}"): "admin",
    ("DELETE", "/roster/{id}/{id}"): "admin",
    ("POST", "/privacy/suppressions"): "privacy",
    ("POST", "/privacy/suppressions/remove"): "privacy",
    ("POST", "/handoffs/{id}/draft/rewrite"): "write",
    ("GET", "/enrichment"): "read",
    ("GET", "/enrichment/conflicts"): "read",
    ("GET", "/sources"): "read",
    ("POST", "/sources"): "admin",
    ("POST", "/sources/{id}/disable"): "admin",
    ("GET", "/sources/{id}/keys"): "read",
    ("POST", "/sources/{id}/keys"): "admin",
    ("DELETE", "/sources/{id}/keys/{id}"): "admin",
    ("GET", "/ingest"): "read",
    ("GET", "/quarantine"): "read",
    ("POST", "/quarantine/replay"): "write",
    ("GET", "/quarantine/{id}"): "read",
    ("POST", "/quarantine/{id}/fix"): "write",
    ("GET", "/jobs"): "read",
    ("POST", "/jobs"): "write",
    ("GET", "/jobs/{id}"): "read",
    ("POST", "/jobs/{id}/cancel"): "write",
    ("GET", "/playbook"): "read",
    ("PUT", "/playbook"): "playbook",
    ("POST", "/playbook/check"): "read",
    ("POST", "/playbook/diff"): "read",
    ("GET", "/privacy/people/{id}"): "privacy",
    ("POST", "/privacy/erasures"): "privacy",
    ("GET", "/privacy/erasures"): "privacy",
    ("GET", "/audit"): "admin",
}


def _path(route: str) -> str:
    return "/api/v1" + route.replace("{id}", "1")


def test_the_table_above_has_every_address(served: Served) -> None:
    described = served.get("openapi.json")["paths"]
    there = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in described.items()
        if path not in OPEN
        for method in methods
    }
    named = {
        (method, "/".join("{id}" if part.startswith("{") else part for part in path.split("/")))
        for method, path in there
    }
    assert named == set(NEEDS)


@pytest.mark.parametrize(("method", "route"), NEEDS)
def test_without_a_key_nothing_is_answered(served: Served, method: str, route: str) -> None:
    reply = served.ask(method, _path(route), key=None)
    assert (reply.status, reply.kind) == (401, "no-key")
    assert reply.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "route"), NEEDS)
def test_a_key_with_every_other_scope_is_not_enough(served: Served, method: str, route: str) -> None:
    scope = NEEDS[method, route]
    key = served.keys.setdefault(scope, served.key(*(s for s in EVERYTHING if s != scope)))
    reply = served.ask(method, _path(route), {}, key=key)
    assert (reply.status, reply.kind) == (403, "missing-scope")
    assert repr(scope) in reply.json["detail"]
    assert f'scope="{scope}"' in reply.headers["www-authenticate"]


@pytest.mark.parametrize("path", sorted(OPEN))
def test_how_the_server_does_is_told_to_everybody(served: Served, path: str) -> None:
    assert served.ask("GET", path, key=None).status == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic aHJhXzE6", "hra_x", "Bearer hra_wrong", "Bearer \xe9"]
)
def test_what_is_no_key_is_refused(served: Served, header: str) -> None:
    assert served.ask("GET", "/api/v1/sources", key=None, Authorization=header).kind == "no-key"


def test_a_write_key_of_a_source_is_no_key_of_the_api(served: Served) -> None:
    assert served.ask("GET", "/api/v1/sources", key=served.write_key).kind == "no-key"


def test_a_key_works_until_it_ends(served: Served) -> None:
    key = served.key("read", days=1)
    assert served.ask("GET", "/api/v1/sources", key=key).status == 200
    served.clock.ahead = timedelta(days=1, seconds=1)
    try:
        assert served.ask("GET", "/api/v1/sources", key=key).kind == "no-key"
    finally:
        served.clock.ahead = timedelta()


def test_a_revoked_key_ends_at_once_and_its_use_was_noted(served: Served) -> None:
    key = served.key("read")
    assert served.ask("GET", "/api/v1/sources", key=key).status == 200
    with served.host.ledger.transaction() as connection:
        known = api_keys.list_api_keys(connection)[-1]
        assert known.last_used_at
        api_keys.revoke_api_key(connection, known.id, actor="test", now=served.clock())
    assert served.ask("GET", "/api/v1/sources", key=key).kind == "no-key"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8321",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "localhost@evil",
        "[::1",
        "localhost:x",
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/sources", "/internal/doctor"])
def test_a_name_that_is_not_ours_is_refused(served: Served, host: str, path: str) -> None:
    reply = served.ask("POST" if "internal" in path else "GET", path, Host=host)
    assert reply.status in {400, 403}
    assert reply.status == 400 or reply.kind == "wrong-host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8321"])
def test_this_machine_has_several_names(served: Served, host: str) -> None:
    assert served.ask("GET", "/api/v1/sources", Host=host).status == 200


def test_two_names_at_once_are_refused(served: Served) -> None:
    sent = "GET /api/v1/sources HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nAuthorization: Bearer x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(sent.encode())
        assert connection.recv(1000).split()[1] in {b"400", b"403"}


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:1", "http://localhost.evil.example", "file://", "x"]
)
@pytest.mark.parametrize("path", ["/api/v1/sources", "/internal/doctor"])
def test_pages_of_other_sites_may_not_ask(served: Served, origin: str, path: str) -> None:
    reply = served.ask("POST" if "internal" in path else "GET", path, Origin=origin)
    assert (reply.status, reply.kind) == (403, "wrong-origin")
    assert "access-control-allow-origin" not in reply.headers


def test_a_page_of_the_server_itself_may_ask(served: Served) -> None:
    reply = served.ask("GET", "/api/v1/sources", Origin=f"http://localhost:{served.port}")
    assert reply.status == 200
    assert "access-control-allow-origin" not in reply.headers


def test_no_page_is_allowed_to_ask_first(served: Served) -> None:
    reply = served.ask("OPTIONS", "/api/v1/sources", key=None, Origin="https://evil.example")
    assert reply.status == 403
    assert not any(name.startswith("access-control") for name in reply.headers)


def test_further_names_can_be_allowed(served: Served) -> None:
    api = make_api(served.host, "x", hosts=["Scores.example", "[fe80::1]"])
    [guard] = [one for one in api.user_middleware if "hosts" in one.kwargs]
    made = guard.cls(api, **guard.kwargs)
    assert {"scores.example", "fe80::1", "localhost"} <= made._hosts


def test_commands_use_the_token_and_nothing_else(served: Served) -> None:
    assert served.ask("POST", "/internal/ingest_counts", b"{}").status == 200
    assert served.ask("POST", "/internal/ingest_counts", b"{}", key=served.key(*EVERYTHING)).status == 401
    assert served.ask("POST", "/internal/nothing", b"{}").status == 404


def test_a_stranger_s_body_is_not_read(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    connection.putrequest("POST", "/api/v1/playbook/check")
    connection.putheader("Content-Length", "1000000000")
    connection.endheaders()
    response = connection.getresponse()
    assert (response.status, response.getheader("connection")) == (401, "close")
    connection.close()


def test_a_body_over_a_megabyte_is_refused(served: Served) -> None:
    reply = served.ask("POST", "/api/v1/playbook/check", b"#" * (1024 * 1024 + 1))
    assert (reply.status, reply.kind) == (413, "too-large")
    assert served.ask("POST", "/api/v1/playbook/check", b"#" * (1024 * 1024)).status == 200


def test_a_body_that_does_not_come_is_not_waited_for(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handraise.faces.http.body.BODY_DEADLINE", 0.3)
    head = (
        f"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(head.encode() + b"{")
        assert connection.recv(1000).split()[1] == b"408"


def test_everything_needs_a_scope(served: Served) -> None:
    described: Any = served.get("openapi.json")
    silent = [
        (path, method)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if path not in OPEN and not operation.get("security")
    ]
    assert silent == []
