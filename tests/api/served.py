"""A small served project over loopback, and requests to it byte by byte as a program would send them."""

import contextlib
import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from handraise.events.received import Received
from handraise.faces.api.app import make_api
from handraise.faces.ingest.app import Ingest
from handraise.faces.server.run import Both, server_of
from handraise.ledger import api_keys, keys
from handraise.log.store import EventLog
from handraise.service.folder import create_project
from handraise.service.host import Host
from handraise.service.live import Live
from handraise.service.project import Project
from live.sending import Call

TOKEN = "a-token-of-this-machine"  # noqa: S105 - of no real machine
EVERYTHING = tuple(api_keys.SCOPES)


@dataclass
class Clock:
    """Goes on by itself, from where it is set."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        """The slug of a problem."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.json["status"] == self.status
        assert self.json["detail"]
        return str(self.json["type"]).removeprefix("/problems/")


@dataclass
class Served:
    """The server, and keys for it."""

    host: Host
    port: int
    clock: Clock
    write_key: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    def key(self, *scopes: str, days: float | None = None) -> str:
        """A key of the API."""
        now = self.clock()
        ends = now + timedelta(days=days) if days else None
        wanted = api_keys.ApiKeyRequest(name="test", scopes=scopes, expires_at=ends)
        with self.host.ledger.transaction() as connection:
            made = api_keys.create_api_key(connection, wanted, actor="test", now=now, random=random.randbytes)
        return made.plain

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = TOKEN,
        **headers: str,
    ) -> Reply:
        """One request; `path` goes out as it is, a body that is no bytes goes as JSON, and `_` in headers is `-`."""
        sent = {"Host": f"localhost:{self.port}"} | ({"Authorization": f"Bearer {key}"} if key else {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in (sent | ({"Content-Length": str(len(body))} if body is not None else {})).items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Reply(
                status=response.status,
                headers={name.lower(): value for name, value in response.getheaders()},
                body=response.read(),
            )

    def get(self, path: str, **more: Any) -> Any:
        """JSON of what is there."""
        reply = self.ask("GET", f"/api/v1/{path}", **more)
        assert reply.status == 200, reply
        return reply.json

    def pages(self, path: str, limit: int, between: Callable[[], object] = lambda: None) -> list[Any]:
        """All rows of a list, page by page."""
        rows, cursor = [], ""
        while True:
            page = self.get(f"{path}{'&' if '?' in path else '?'}limit={limit}{cursor}")
            rows += page["rows"]
            assert len(page["rows"]) <= limit
            if page["next"] is None:
                return rows
            cursor = f"&cursor={page['next']}"
            between()

    def send(self, calls: list[Call], *, source: str = "web") -> None:
        """Let calls come in, and wait until they are taken in and scored."""
        events = tuple(json.dumps({"type": kind, **said}).encode() for kind, said in calls)
        done = threading.Event()
        self.host.door.submit(Received(source, "segment", b"{}", events), self.clock(), lambda _: done.set())
        assert done.wait(10)
        self.settle()

    def settle(self) -> None:
        """Wait until everything that was sent is taken in and scored."""
        wait_until(lambda: self.host.follower.ask(partial(_is_settled, log=self.host.log)))


def _is_settled(project: Project, *, log: EventLog) -> bool:
    waiting = project.warehouse.count(project.warehouse.table("dirty_people"))
    return Live(project, log).position == log.durable and not waiting


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that comes by itself."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


@contextlib.contextmanager
def serving(
    folder: Path,
    playbook: str | None = None,
    *,
    hosts: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
) -> Iterator[Served]:
    """Serve a folder at a port of loopback until the end of the block."""
    clock = Clock()
    if not (folder / "handraise.yaml").exists():
        create_project(folder, playbook)
    with (
        Host(folder, environment=environment or {}, now=clock, random=random.randbytes) as host,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        with host.ledger.transaction() as connection:
            if not keys.list_sources(connection):
                keys.create_source(connection, source_id="web", name="Web", actor="test", now=clock())
            made = keys.create_write_key(connection, "web", actor="test", now=clock(), random=random.randbytes)
        server = server_of(Both(make_api(host, TOKEN, hosts=hosts), Ingest(host.door, now=clock)))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield Served(host, listening.getsockname()[1], clock, write_key=made.plain)
        finally:
            server.should_exit = True
            thread.join()
