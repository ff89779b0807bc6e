"""What a browser asks before a page may send events, and what it has to be told with every answer."""

import asyncio

from benchmarks.serve.client import Answer, Line, batch, request
from benchmarks.serve.server import Server

PAGE = "https://app.example"


def asked(server: Server, *lines: str, method: str = "OPTIONS", path: str = "/v1/batch") -> Answer:
    head = "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", *lines))
    return sent(server, f"{head}\r\n\r\n".encode())


def sent(server: Server, content: bytes) -> Answer:
    async def once() -> Answer:
        line = Line(server.port)
        answer = await line.send(content)
        line.close()
        return answer

    return asyncio.run(once())


def test_a_page_of_any_site_may_send_with_what_it_says_it_will_send(served: tuple[Server, str]) -> None:
    wanted = "authorization, content-type, sp-anonymous"
    answer = asked(
        served[0],
        f"Origin: {PAGE}",
        "Access-Control-Request-Method: POST",
        f"Access-Control-Request-Headers: {wanted}",
    )
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-credentials"] == "true"  # beacons come with credentials
    assert answer.headers["access-control-allow-headers"] == wanted
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "Origin" in answer.headers["vary"]


def test_every_answer_lets_a_page_read_when_to_try_again(served: tuple[Server, str]) -> None:
    server, key = served
    for given, status in ((key, 200), ("hrw_wrong", 401)):
        answer = sent(server, request(given, batch("cors", 0, 1), more=f"Origin: {PAGE}\r\n"))
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert answer.headers["access-control-expose-headers"] == "Retry-After"
    large = request(key, b" " * (2 << 20), more=f"Origin: {PAGE}\r\n")
    assert sent(server, large).headers["access-control-allow-origin"] == PAGE


def test_names_of_headers_that_are_none_are_not_said_back(served: tuple[Server, str]) -> None:
    answer = asked(served[0], f"Origin: {PAGE}", "Access-Control-Request-Headers: a<b>;c")
    assert answer.headers["access-control-allow-headers"] == "Authorization, Content-Type"


def test_who_is_no_page_is_told_nothing_about_pages(served: tuple[Server, str]) -> None:
    assert not [name for name in asked(served[0]).headers if name.startswith("access-control")]


def test_the_api_is_not_opened_to_pages_by_the_door_for_events(served: tuple[Server, str]) -> None:
    answer = asked(served[0], f"Origin: {PAGE}", method="GET", path="/api/v1/openapi.json")
    assert "access-control-allow-credentials" not in answer.headers
