"""Whatever goes wrong is said in one shape, and nothing that somebody sends makes the server fail."""

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from api.served import Served
from handraise import errors
from handraise.errors import EngineError, HandraiseError, LedgerError, PlaybookError
from handraise.faces.api.problems import KINDS, problem_of

ERRORS = [thing for _, thing in inspect.getmembers(errors, inspect.isclass) if issubclass(thing, HandraiseError)]
HOSTILE = {
    "unicode": quote("Zoë 李 🦄"),
    "an encoded slash": "a%2Fb%2F..%2F..",
    "a slash": "a/b/c",
    "dots": "..%2f..%2f..%2fetc%2fpasswd",
    "a quote": "%27%3B%20DROP%20TABLE%20events%3B--",
    "NUL": "a%00b",
    "a line end": "a%0d%0aX-Header:%201",
    "no UTF-8": "%ff%fe",
    "a lone surrogate": "%ed%a0%80",
    "a percent sign": "%25",
    "ten kilobytes": "x" * 10_000,
    "a space": "%20",
    "a pattern": "%25_%25",
    "a number": str(2**70),
    "a right-to-left mark": quote("\u202eabc"),
}
BY_ID = [
    "accounts/{}",
    "people/{}",
    "explain/{}",
    "history/accounts/{}",
    "history/people/{}",
    "sources/{}/keys",
    "quarantine/{}",
    "jobs/{}",
    "people?account_id={}",
    "people?band={}",
    "accounts?segment={}",
    "quarantine?file={}",
    "quarantine?source={}",
    "jobs?kind={}",
    "accounts?as_of={}",
    "accounts?tier={}",
    "explain/p00?against={}",
    "accounts?{}=1",
]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_a_problem(error: type[HandraiseError]) -> None:
    made = problem_of(error("it went wrong.", where="here", todo="Mend it."))
    content = made.content
    assert made.kind in KINDS
    assert (content.status, content.title) == (KINDS[made.kind].status, KINDS[made.kind].title)
    if issubclass(error, EngineError) and not error.retry:
        assert "it went wrong" not in content.detail
    else:
        assert (content.detail, content.where, content.todo) == ("it went wrong.", "here", "Mend it.")
    assert ("Retry-After" in made.headers) == (content.status == 503)


def test_what_can_work_later_says_so() -> None:
    assert problem_of(LedgerError("x", retry=True)).content.status == 503
    assert problem_of(LedgerError("x")).content.status == 409


def test_all_mistakes_of_a_playbook_are_listed() -> None:
    mistakes = (PlaybookError("a", where="f:1"), PlaybookError("b", where="f:2", todo="c"))
    made = problem_of(PlaybookError("a b", mistakes=mistakes)).content
    assert [(one.where, one.what, one.todo) for one in made.mistakes] == [("f:1", "a", ""), ("f:2", "b", "c")]


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("path", BY_ID)
def test_a_hostile_id_is_answered_in_our_words(served: Served, path: str, title: str) -> None:
    reply = served.ask("GET", f"/api/v1/{path.format(HOSTILE[title])}")
    if reply.status != 200:
        assert reply.status in {400, 404, 422}
        assert reply.kind in KINDS
    assert "x-header" not in reply.headers


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "HEAD", "TRACE", "BREW"])
def test_a_wrong_method_says_which_are_right(served: Served, method: str) -> None:
    reply = served.ask(method, "/api/v1/accounts")
    assert reply.status in {400, 405}
    if reply.status == 405:
        assert reply.headers["allow"] == "GET"
        assert method == "HEAD" or reply.kind == "wrong-method"


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1", "/api/v1/", "/api/v2/accounts", "/api/v1/nothing", "/api/v1/sources/"]
)
def test_an_unknown_address_is_a_problem(served: Served, path: str) -> None:
    reply = served.ask("GET", path)
    assert (reply.status, reply.kind) == (404, "no-such-address")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id":NaN,"name":1e999}',
        b'{"id": ' + b"9" * 5000 + b"}",
    ],
)
@pytest.mark.parametrize("path", ["sources", "jobs", "quarantine/x/fix"])
def test_a_hostile_body_is_refused(served: Served, path: str, body: bytes) -> None:
    reply = served.ask("POST", f"/api/v1/{path}", body, Content_Type="application/json")
    assert reply.status in {400, 404, 422}
    assert reply.kind in KINDS


@pytest.mark.parametrize(
    "given",
    [
        {"id": "UPPER", "name": "x"},
        {"id": "x" * 64, "name": "x"},
        {"id": "ok\n", "name": "x"},
        {"id": "ok", "name": ""},
        {"id": "ok", "name": "a\0b"},
        {"id": "ok", "name": "x", "more": 1},
        {"id": ["ok"], "name": "x"},
    ],
)
def test_what_the_description_does_not_allow_is_refused_with_its_place(served: Served, given: dict[str, Any]) -> None:
    reply = served.ask("POST", "/api/v1/sources", given)
    assert (reply.status, reply.kind) == (422, "invalid-request")
    assert reply.json["mistakes"][0]["where"].startswith("body.")


def test_a_wrong_parameter_is_refused_in_our_words(served: Served) -> None:
    assert (
        served.ask("GET", "/api/v1/accounts?teir=1").json["detail"] == "query.teir: there is no such parameter or field"
    )
    assert served.ask("GET", "/api/v1/accounts?as_of=today").json["detail"].startswith("query.as_of: write the day as")


def test_a_lone_surrogate_is_refused(served: Served) -> None:
    body = b'{"id": "ok", "name": "\\ud800"}'
    assert served.ask("POST", "/api/v1/sources", body, Content_Type="application/json").status == 422


def test_a_form_is_no_json(served: Served) -> None:
    reply = served.ask("POST", "/api/v1/sources", b'{"id": "ok", "name": "x"}', Content_Type="text/plain")
    assert reply.status == 422


@pytest.mark.parametrize("day", ["2199-01-01", "9999-12-31"])
def test_a_day_to_come_is_refused(served: Served, day: str) -> None:
    for path in (
        f"accounts?as_of={day}",
        f"people?as_of={day}",
        f"explain/p00?as_of={day}",
        f"explain/p00?against={day}",
    ):
        assert served.ask("GET", f"/api/v1/{path}").kind == "no-such-day"


@pytest.mark.parametrize("day", ["1969-12-31", "0001-01-01", "20261028", "1793145600", "2026-13-01", "today", ""])
def test_what_is_no_day_is_refused(served: Served, day: str) -> None:
    assert served.ask("GET", f"/api/v1/accounts?as_of={day}").kind == "invalid-request"


def test_a_name_that_does_not_exist_is_refused_with_those_that_do(served: Served) -> None:
    reply = served.ask("GET", "/api/v1/people?band=lukewarm")
    assert (reply.status, reply.kind) == (400, "refused")
    assert "hot" in reply.json["todo"]
    reply = served.ask("GET", "/api/v1/accounts?tier=99")
    assert (reply.status, reply.kind) == (400, "refused")
    assert "1, 2" in reply.json["todo"]


def test_nobody_of_this_id_names_who_was_meant(served: Served) -> None:
    reply = served.ask("GET", "/api/v1/people/P00")
    assert reply.kind == "not-found"
    assert "p00" in reply.json["todo"]


def test_a_failure_is_told_without_its_inside(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    with breaking(served):
        reply = served.ask("GET", "/api/v1/accounts")
    assert (reply.status, reply.kind) == (500, "failed")
    assert b"secret" not in reply.body
    said = capsys.readouterr().out
    assert "the secret inside" in said
    assert "a-token-of-this-machine" not in said


@contextlib.contextmanager
def breaking(served: Served) -> Iterator[None]:
    """A host that cannot be read."""

    def broken() -> Any:
        raise RuntimeError("the secret inside")

    served.host.reading = broken  # type: ignore[method-assign]
    try:
        yield
    finally:
        del served.host.reading
