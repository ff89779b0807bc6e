"""Requests go to the address that was checked, end in time, stay small, and follow nothing."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handraise.errors import AddressError, RemoteError
from handraise.net.client import request
from handraise.net.guard import read_networks
from handraise.net.limits import Answer, Limits
from handraise.net.reach import connect
from net.loopback import serving, talking

HERE = read_networks(["127.0.0.1/32"])
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


def _here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def test_a_request_arrives_as_it_was_asked_for() -> None:
    with serving(lambda _: (201, {"X-Kind": "new"}, b"made")) as server:
        answer = request(
            "POST",
            f"http://Crm.example:{server.port}/in?x=1",
            headers={"Content-Type": "text/plain"},
            body="grün".encode(),
            within=Limits(allow=HERE, resolve=_here),
        )
    assert (answer.status, answer.headers["x-kind"], answer.body) == (201, "new", b"made")
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.body) == ("POST", "/in?x=1", "grün".encode())
    assert seen.headers["host"] == f"crm.example:{server.port}"
    assert seen.headers["content-type"] == "text/plain"


def test_this_machine_is_not_called_unless_it_is_allowed() -> None:
    with serving() as server, pytest.raises(AddressError, match="not a public address"):
        request("GET", server.url)
    assert server.seen == []


def test_a_name_that_leads_elsewhere_the_second_time_is_not_looked_up_again() -> None:
    asked = []

    def rebind(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.2"] if len(asked) == 1 else ["127.0.0.1"]

    with serving(host="127.0.0.2") as checked, serving() as other:
        url = f"http://rebind.example:{checked.port}/"
        request("GET", url, within=Limits(allow=read_networks(["127.0.0.2"]), resolve=rebind))
        assert (len(asked), len(checked.seen), len(other.seen)) == (1, 1, 0)
        with pytest.raises(AddressError):  # and the next request is checked anew
            request("GET", url, within=Limits(allow=read_networks(["127.0.0.2"]), resolve=rebind))
    assert (len(checked.seen), len(other.seen)) == (1, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_nothing_is_sent_on(status: int) -> None:
    with serving() as inner, serving(lambda _: (status, {"Location": inner.url}, b"")) as server:
        with pytest.raises(RemoteError, match="not followed") as caught:
            request("POST", server.url, headers={"Authorization": "secret"}, within=Limits(allow=HERE))
        assert not caught.value.retry
    assert inner.seen == []


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as proxy, serving() as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        request("GET", server.url, within=Limits(allow=HERE))
    assert (len(proxy.seen), len(server.seen)) == (0, 1)


def _drip(first: bytes, then: bytes) -> Callable[[socket.socket], None]:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(first)
        for _ in range(200):
            time.sleep(0.02)
            connection.sendall(then)

    return say


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
)
def test_an_answer_that_drips_in_ends_at_the_deadline(first: bytes, then: bytes) -> None:
    with talking(_drip(first, then)) as port:
        began = time.monotonic()
        with pytest.raises(RemoteError) as caught:
            request("GET", f"http://127.0.0.1:{port}/", within=Limits(allow=HERE, seconds=0.4))
        assert time.monotonic() - began < 1.5
    assert caught.value.retry
    assert not caught.value.unsent


def test_a_server_that_reads_nothing_ends_at_the_deadline() -> None:
    with talking(lambda _: time.sleep(1.0)) as port:
        began = time.monotonic()
        with pytest.raises(RemoteError):
            request("POST", f"http://127.0.0.1:{port}/", body=b"x" * 20_000_000, within=Limits(allow=HERE, seconds=0.4))
        assert time.monotonic() - began < 1.5


def test_a_name_that_is_looked_up_for_ever_ends_at_the_deadline() -> None:
    def slow(_host: str, _port: int) -> list[str]:
        time.sleep(1.0)
        return ["127.0.0.1"]

    began = time.monotonic()
    with pytest.raises(RemoteError, match="cannot be looked up") as caught:
        request("GET", "http://slow.example/", within=Limits(allow=HERE, seconds=0.2, resolve=slow))
    assert caught.value.unsent
    assert time.monotonic() - began < 0.8


def test_all_addresses_of_a_name_share_one_deadline() -> None:
    with contextlib.ExitStack() as opened:
        full = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = full.getsockname()[1]
        for _ in range(4):  # whoever comes after these hears nothing
            waiting = opened.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(("127.0.0.1", port))
        within = Limits(allow=HERE, seconds=0.4, resolve=lambda *_: ["127.0.0.1"] * 8)
        began = time.monotonic()
        with pytest.raises(RemoteError, match="not reached") as caught:
            connect("mail.example", port, within)
        assert time.monotonic() - began < 1.5
    assert caught.value.unsent


def test_a_name_that_cannot_be_looked_up_says_so() -> None:
    def failing(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(RemoteError, match="cannot be looked up"):
        request("GET", "http://nowhere.example/", within=Limits(resolve=failing))


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "5000"}])
def test_an_answer_that_is_too_long_is_not_read_to_its_end(headers: dict[str, str]) -> None:
    with (
        serving(lambda _: (200, headers, b"x" * 5000)) as server,
        pytest.raises(RemoteError, match="longer than 4,999 bytes"),
    ):
        request("GET", server.url, within=Limits(allow=HERE, most_bytes=4999))


def test_a_header_that_never_ends_is_given_up() -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000)

    with talking(say) as port, pytest.raises(RemoteError, match="broke off"):
        request("GET", f"http://127.0.0.1:{port}/", within=Limits(allow=HERE, seconds=5))


def test_what_is_packed_stays_packed() -> None:
    bomb = b"\x1f\x8b\x08\x00\x00\x00\x00\x00"
    with serving(lambda _: (200, {"Content-Encoding": "gzip"}, bomb)) as server:
        assert request("GET", server.url, within=Limits(allow=HERE)).body == bomb
    assert server.seen[0].headers["accept-encoding"] == "identity"


def test_what_certainly_did_not_arrive_is_told_from_what_may_have() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(RemoteError, match="not reached") as caught:
        request("POST", f"http://127.0.0.1:{port}/", body=b"x", within=Limits(allow=HERE))
    assert caught.value.unsent
    with (
        talking(lambda connection: connection.recv(1)) as port,
        pytest.raises(RemoteError, match="broke off") as caught,
    ):
        request("POST", f"http://127.0.0.1:{port}/", body=b"x", within=Limits(allow=HERE))
    assert not caught.value.unsent


@pytest.mark.parametrize("value", ["a\r\nX-More: b", "a\nb", "a\0b", "grün"])
def test_a_header_cannot_bring_another_along(value: str) -> None:
    with serving() as server, pytest.raises(AddressError, match="header"):
        request("GET", server.url, headers={"X-Name": value}, within=Limits(allow=HERE))
    assert server.seen == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("30", NOW + timedelta(seconds=30)),
        ("0", NOW),
        ("999999999999999999999", NOW + timedelta(days=1)),
        ("Wed, 25 Nov 2026 09:05:00 GMT", NOW + timedelta(minutes=5)),
        ("Wed, 25 Nov 2020 09:05:00 GMT", NOW),
        ("Wed, 25 Nov 2099 09:05:00 GMT", NOW + timedelta(days=1)),
        ("1 Jan 99999999999 1:1:1", None),
        ("1 Jan 2026 1:1:1 +99999999999999", None),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("٣", None),
    ],
)
def test_when_to_ask_again_is_read(said: str, expected: datetime | None) -> None:
    assert Answer(status=429, headers={"retry-after": said}).retry_after(NOW) == expected


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of crm.example in one file."""
    made = tmp_path_factory.mktemp("tls") / "both.pem"
    openssl = shutil.which("openssl")
    assert openssl
    wanted = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=crm.example"
    names = "subjectAltName=DNS:crm.example"
    parts = [*wanted.split(), "-addext", names, "-keyout", str(made), "-out", str(made.with_suffix(".crt"))]
    subprocess.run([openssl, "req", *parts], check=True, capture_output=True)  # noqa: S603 - fixed arguments
    made.write_text(made.read_text() + made.with_suffix(".crt").read_text())
    return made


def test_an_encrypted_server_has_to_have_the_name_of_the_url(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    def say(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inner:
            inner.recv(65536)
            inner.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")

    trusting = ssl.create_default_context(cafile=str(certificate.with_suffix(".crt")))
    within = Limits(allow=HERE, resolve=_here, tls=trusting, seconds=5)
    with talking(say) as port:
        assert request("GET", f"https://crm.example:{port}/", within=within).body == b"fine"
        assert names == ["crm.example"]
        with pytest.raises(RemoteError, match="not reached") as caught:
            request("GET", f"https://other.example:{port}/", within=within)
        assert caught.value.unsent
        with pytest.raises(RemoteError, match="not reached"):  # trusted by nobody else
            request("GET", f"https://crm.example:{port}/", within=Limits(allow=HERE, resolve=_here, seconds=5))
