"""A project on disk with everything that serves it, in this process, and calls handed to its door."""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from handraise.events.received import Received
from handraise.records import PersonScore
from handraise.service import questions
from handraise.service.folder import create_project
from handraise.service.host import Host
from handraise.service.live import Live
from live.sending import Call

NOW = datetime(2026, 8, 31, 22, tzinfo=UTC)


def clock() -> datetime:
    return NOW


@contextmanager
def hosted(folder: Path) -> Iterator[Host]:
    """A project and what serves it."""
    if not (folder / "handraise.yaml").exists():
        create_project(folder)
    with Host(folder, environment={}, now=clock, random=random.Random().randbytes) as host:
        yield host


def send(host: Host, *calls: Call, source: str = "web") -> None:
    """Hand calls to the door and wait until they are scored."""
    events = tuple(json.dumps({"type": kind, **said}).encode() for kind, said in calls)
    written = threading.Event()
    host.door.submit(Received(source, "segment", b"{}", events), NOW, lambda _: written.set())
    assert written.wait(10)
    settle(host)


def settle(host: Host) -> None:
    """Wait until the log is taken in and scored: what is asked comes after a whole round."""
    while host.follower.ask(lambda project: not list(host.log.read(Live(project, host.log).position))) is False:
        pass
    for _ in range(2):
        host.follower.ask(lambda _: None)


def scored(host: Host) -> dict[str, PersonScore]:
    """Everybody's score, as it is stored."""
    with host.reading() as project:
        found = questions.people(project, choice=questions.Choice(limit=10_000), as_of=None, now=NOW)
    return {row.person_id: row for row in found.rows}
