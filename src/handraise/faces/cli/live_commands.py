"""`handraise simulate --live`: a simulated company's activity, sent by a tracking library as a product would send it."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from rich.text import Text

from handraise.errors import BusyError, ProjectError
from handraise.events.call_intake import Counts
from handraise.faces.cli import show
from handraise.faces.cli.ask import ask
from handraise.faces.cli.days import right_now
from handraise.faces.cli.served import address_of
from handraise.faces.cli.stopping import until_stopped
from handraise.ledger import keys
from handraise.service import questions
from handraise.service.folder import check_is_project
from handraise.service.ledgers import new_write_key, open_ledger
from handraise.simulate.cast import read_cast
from handraise.simulate.live import LiveCall, live_calls

SOURCE: Final = "simulated"
_ACTOR: Final = "cli:simulate"
# Seconds: the longest sleep between calls, and how long the server may take to count what was sent.
_NAP, _COUNTED_WITHIN = 0.05, 20.0
_COUNTS: Final = ("received", "accepted", "duplicate", "quarantined", "refused")


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How the stream is sent.

    Attributes:
        rate: Calls a second.
        seconds: How long; None = until Ctrl-C.
        seed: Same company and seed, same calls; None = one of the moment.
    """

    rate: float
    seconds: float | None
    seed: int | None


def simulate_live(folder: Path, pace: Pace, *, url: str | None, key: str | None) -> None:
    """`handraise simulate --live`; ends with Ctrl-C.

    Raises:
        InputError: The project has no simulated company.
        ProjectError: No server has the project, or the tracking library is not installed.
        BusyError: What was sent is not taken in.
    """
    library = _library()
    check_is_project(folder)
    seed = right_now().microsecond if pace.seed is None else pace.seed
    calls = live_calls(read_cast(folder / "data"), seed)
    with until_stopped() as stopped, _door(folder, url, key) as (address, write_key, counted):
        show.say(f"Sending about {pace.rate:g} calls a second to {address}, seed {seed}.")
        show.say("All of it is simulated. Ctrl-C ends it.")
        before = counted()
        sender = Sender(library, address, write_key)
        _send(calls, sender, pace, stopped)
        sender.finish()
        show.say(f"Sent {sender.sent:,} calls.")
        if before is not None:
            show.say(_told(before, counted, sender.sent))


def _library() -> Any:
    """Segment's library: the one whose calls most products know.

    Raises:
        ProjectError: It is not installed.
    """
    try:
        from segment.analytics.client import Client
    except ImportError as error:
        raise ProjectError(
            "the tracking library that sends the simulated activity is not installed.",
            todo="Install it beside handraise: `pip install segment-analytics-python`.",
        ) from error
    return Client


@contextmanager
def _door(folder: Path, url: str | None, key: str | None) -> Iterator[tuple[str, str, Callable[[], Counts | None]]]:
    """Where to send to, a write key, and what was counted for its source, if that can be asked.

    Without a key, one is made for the project's own server, and revoked in the end.
    """
    if key:
        yield url or address_of(folder), key, lambda: None
        return
    address = address_of(folder)
    with open_ledger(folder, os.environ) as ledger:
        made = new_write_key(ledger, SOURCE, actor=_ACTOR, now=right_now(), random=secrets.token_bytes)
        try:
            yield address, made.plain, lambda: ask(folder, questions.ingest_counts).get(SOURCE, Counts())
        finally:
            with ledger.transaction() as connection:
                keys.revoke_write_key(connection, made.id, actor=_ACTOR, now=right_now())


class Sender:
    """Sends calls through a tracking library, which batches them and tries again by itself.

    Args:
        library: Its class of clients.
        address: Of the server.
        write_key: Of the source.
    """

    def __init__(self, library: Any, address: str, write_key: str) -> None:
        # Without a handler of its own the library writes to standard error what we say ourselves.
        logging.getLogger("segment").addHandler(logging.NullHandler())
        self.sent = 0
        self.failure: Exception | None = None
        self._address = address
        self._run, self._client = (
            uuid4().hex,
            library(
                write_key,
                host=address,
                on_error=self._failed,
                max_retries=3,
                timeout=10,
                # A server on this machine is not reached through a proxy.
                proxies={"http": "", "https": ""} if "//127." in address or "//localhost" in address else None,
            ),
        )

    def send(self, call: LiveCall) -> None:
        """Hand one call to the library, as of now."""
        ids = {"user_id": call.person_id or None, "anonymous_id": call.anonymous_id or None}
        said: dict[str, Any] = {**ids, "timestamp": right_now(), "message_id": f"live-{self._run}-{self.sent}"}
        match call.kind:
            case "track":
                context = {"groupId": call.workspace_id} if call.workspace_id else {}
                taken, _ = self._client.track(event=call.event, properties=dict(call.content), context=context, **said)
            case "identify":
                taken, _ = self._client.identify(traits=dict(call.content), **said)
            case "group":
                taken, _ = self._client.group(group_id=call.workspace_id, traits=dict(call.content), **said)
        self.sent += bool(taken)

    def finish(self) -> None:
        """Wait until everything is sent.

        Raises:
            BusyError: Something was not taken in.
        """
        self._client.shutdown()
        if self.failure:
            status = getattr(self.failure, "status", None)
            why = f"it answered {status}" if status else "it cannot be reached"
            raise BusyError(
                f"the server did not take in what was sent: {why}.",
                where=self._address,
                todo="Look whether it runs, and whether the write key is one of its own: `handraise sources`.",
            )

    def _failed(self, error: Exception, _: object) -> None:
        self.failure = error


def _send(calls: Iterator[LiveCall], sender: Sender, pace: Pace, stopped: threading.Event) -> None:
    """Send calls as they come due, until it is time to stop, or nothing gets through."""
    started = time.monotonic()
    with _said(sender) as say:
        while not (stopped.is_set() or sender.failure):
            elapsed = time.monotonic() - started
            over = pace.seconds is not None and elapsed >= pace.seconds
            due = pace.rate * min(elapsed, pace.seconds or elapsed)
            while sender.sent < due and not stopped.is_set():
                call = next(calls)
                say(call.begins)
                sender.send(call)
            if over:
                return
            stopped.wait(min(_NAP, 1 / pace.rate))


@contextmanager
def _said(sender: Sender) -> Iterator[Callable[[str], None]]:
    """Takes the story that begins, if one does: stories run down a terminal, and below them stands how far it is."""
    if not show.out.is_terminal:
        yield lambda story: show.say(f"simulated: {story} ({sender.sent:,} sent)") if story else None
        return
    with show.out.status("") as status:
        latest = ""

        def say(story: str) -> None:
            nonlocal latest
            if story:
                if latest:
                    show.out.print(Text(latest))
                latest = f"simulated: {story}"
            status.update(Text(f"{sender.sent:,} sent · {latest}", no_wrap=True, overflow="ellipsis"))

        yield say


def _told(before: Counts, counted: Callable[[], Counts | None], sent: int) -> str:
    """What the server counted for the source since we began, once it has counted everything, or has had its time."""
    until = time.monotonic() + _COUNTED_WITHIN
    while True:
        now = counted() or Counts()
        since = {name: getattr(now, name) - getattr(before, name) for name in _COUNTS}
        if since["received"] >= sent or time.monotonic() > until:
            break
        time.sleep(0.3)
    so_far = "" if since["received"] >= sent else " so far"
    said = ", ".join(f"{count:,} {name}" for name, count in since.items())
    return f"The server counted for the source {SOURCE!r} since then{so_far}: {said}."
