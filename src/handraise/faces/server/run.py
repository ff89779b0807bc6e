"""Run the server until it is told to stop."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from handraise.alerts.protocol import Reach
from handraise.errors import ProjectError
from handraise.faces.api.app import make_api
from handraise.faces.ingest.app import Ingest
from handraise.faces.ingest.connection import Connection
from handraise.faces.server.logs import set_up
from handraise.ledger.outbox import Holder
from handraise.log.disk import Disk
from handraise.records.alerting import Outcome
from handraise.service.delivering import Deliverer, World
from handraise.service.host import MEMORY, Host
from handraise.service.orders import duties_of, take_up_restore
from handraise.service.ownership import Owner
from handraise.service.worker import Worker, set_defaults

# Paths of the API, and what they begin with; every other one is an address of a tracking library, which may have any
# prefix, such as /healthcheck.
_OURS = ("/health", "/ready", "/metrics")
_BELOW = ("/api/", "/internal/")
_STOP_WITHIN = 3
_log = structlog.get_logger()
_OPEN_FILES = 65_536
_BACKLOG = 2048
# Batches make many objects that die together and are no circles; looking for circles among them stops all answers.
_COLLECT = (20_000, 20, 20)


def serve(  # noqa: PLR0913 - one for each option
    folder: Path,
    *,
    host: str,
    port: int,
    said: Callable[[str], None],
    allowed_hosts: Iterable[str] = (),
    memory: str = MEMORY,
    disk: Disk | None = None,
) -> None:
    """Serve a project until SIGTERM or SIGINT.

    Args:
        folder: The project's.
        host: The address to listen at.
        port: 0 = any that is free.
        said: Gets the address once requests are answered.
        allowed_hosts: Further names by which the API may be called.
        memory: What the data's engine may use, such as `2GB`.
        disk: The file system of the event log.

    Raises:
        BusyError: Another process has the project.
        ProjectError: The address cannot be used.
    """
    set_up()
    _allow_open_files()
    gc.set_threshold(*_COLLECT)
    listening = _listen(host, port)
    with (
        listening,
        Host(
            folder, environment=os.environ, now=right_now, random=secrets.token_bytes, disk=disk, memory=memory
        ) as served,
    ):
        take_up_restore(served)
        listening.listen(_BACKLOG)  # from here on, whoever connects is answered, if a moment later
        address = f"http://{'[' + host + ']' if ':' in host else host}:{listening.getsockname()[1]}"
        token = secrets.token_urlsafe(32)
        owner = Owner(pid=os.getpid(), address=address, token=token, since=right_now().isoformat(timespec="seconds"))
        served.announce(owner)
        said(address)
        api = make_api(served, token, hosts=(host, *allowed_hosts))
        with _working(served):
            _run(Both(api, Ingest(served.door, now=right_now)), listening)


@contextlib.contextmanager
def _working(host: Host) -> Iterator[None]:
    """Inside, a worker does what comes due, and the team is told what it wants to know."""
    set_defaults(host.ledger, now=right_now())
    worker = Worker(host.ledger, duties_of(host), name=f"server {os.getpid()}", now=right_now)
    deliverer = Deliverer(host.ledger, _world_of(host))
    threads = [threading.Thread(target=one.run, name=type(one).__name__.lower()) for one in (worker, deliverer)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        worker.stop()
        deliverer.stop()
        for thread in threads:
            thread.join(_STOP_WITHIN)  # a job that takes longer fails when the data are closed, and is tried again


def _world_of(host: Host) -> World:
    return World(
        playbook=lambda: host.playbook.loaded.playbook,
        look_up=host.alert_items,
        reach=Reach(environment=host.environment),
        now=right_now,
        chance=secrets.SystemRandom().random,
        holder=Holder(name=f"server {os.getpid()} {secrets.token_hex(4)}"),
        failed=_not_sent,
    )


def _not_sent(destination: str, outcome: Outcome) -> None:
    _log.warning(
        "an alert was not sent" if outcome.kind != "sent" else "an alert was not sent to all",
        destination=destination,
        outcome=outcome.kind,
        reason=outcome.said,
    )


def right_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def _allow_open_files() -> None:
    """Take as many descriptors as this user may have: each connection needs one, and the usual 1,024 are soon gone."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    with contextlib.suppress(ValueError, OSError):  # then it stays as it is
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Both:
    """The API and the door for events behind one address."""

    def __init__(self, api: ASGIApp, ingest: Ingest) -> None:
        self._api, self._ingest = api, ingest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request to the one that it is for."""
        if scope["type"] != "http":
            return
        ours = scope["path"] in _OURS or scope["path"].startswith(_BELOW)
        await (self._api if ours else self._ingest)(scope, receive, send)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ProjectError(
            f"the address {host}:{port} cannot be used ({error.strerror}).",
            todo="Choose another port with --port, or stop what uses this one.",
        ) from error
    return listening


def _run(app: Both, listening: socket.socket) -> None:
    # The server gives signals back after it has stopped; then nothing more is to happen by them.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server_of(app).run(sockets=[listening])


def server_of(app: Both) -> uvicorn.Server:
    """The server that answers for an application."""
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        loop="uvloop",
        lifespan="off",
        log_config=None,
        log_level="error",  # else every stranger's broken request is a line of output
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_STOP_WITHIN,
    )
    return uvicorn.Server(config)
