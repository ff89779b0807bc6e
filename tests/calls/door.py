"""A small server that keeps what libraries send, and answers each request as its endpoint does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

from handraise.events.calls.bodies import Parcel, inflate, read_parcel
from handraise.events.calls.configuration import configuration_of
from handraise.events.calls.endpoints import endpoint_of
from handraise.events.calls.limits import BODY_BYTES
from handraise.events.calls.translate import translate

KEY = "hrw_test"
Rows = list[tuple[str, dict[str, str]]]


@dataclass
class Door:
    """What came in, in order."""

    url: str
    parcels: list[Parcel] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def rows(self) -> Rows:
        return [row for parcel in self.parcels for row in rows_of(parcel, self.received_at)]

    def of(self, table: str) -> list[dict[str, str]]:
        return [row for name, row in self.rows() if name == table]


def rows_of(parcel: Parcel, received_at: datetime) -> Rows:
    found: Rows = []
    for event in parcel.events:
        found += translate(parcel.kind, parcel.shared, event, source="test", received_at=received_at)
    return found


def parcel_of(
    method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[Parcel, tuple[int, str, bytes]]:
    """What a request holds, and what it is answered."""
    url = urlsplit(target)
    endpoint = endpoint_of(method, url.path)
    assert endpoint, f"nobody sends {method} {url.path}"
    headers = {name.lower(): value for name, value in (headers or {}).items()}
    if headers.get("content-encoding"):
        body = inflate(body, most=BODY_BYTES)
    parcel = read_parcel(endpoint, method=method, path=url.path, query=url.query.encode(), headers=headers, body=body)
    return parcel, endpoint.answer(parcel, received_at=datetime.now(UTC))


@contextmanager
def open_door() -> Iterator[Door]:
    """A server on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            url = urlsplit(self.path)
            answer = configuration_of(self.command, url.path, url.query.encode(), body)
            if answer is None and endpoint_of(self.command, url.path) is None:
                door.strangers.append(self.path)
                answer = (404, "text/plain", b"")
            if answer is None:
                parcel, answer = parcel_of(self.command, self.path, body, dict(self.headers.items()))
                door.parcels.append(parcel)
            status, kind, content = answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_any  # noqa: N815 - http.server calls them so

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    door = Door(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
