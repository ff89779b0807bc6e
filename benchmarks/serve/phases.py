"""The phases of the benchmark, each on a project of its own; each gives lines of the table."""

from __future__ import annotations

import contextlib
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import GIB, Figure, Limit, plain
from benchmarks.serve import attacks
from benchmarks.serve.client import Line, Sent, request
from benchmarks.serve.sender import Told, begin, end, in_own_process
from benchmarks.serve.server import Server, new_project, serving
from handraise.errors import HandraiseError
from handraise.faces.cli.ask import ask
from handraise.faces.cli.days import right_now
from handraise.service import questions
from handraise.service.folder import DATA_FOLDER
from handraise.service.lists import Choice

MIB = attacks.MIB
MILLION = 1_000_000
# Looking takes a tenth of a processor-second itself, so it is not done all the time.
_LOOK_EVERY = 0.25
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is done.

    Attributes:
        seconds: Of sustained load.
        rate: Events a second of it.
        kills: How often the server is killed.
        overload: Seconds of far too much.
        events: Of the log that is opened again, and read again.
    """

    seconds: float
    rate: int
    kills: int
    overload: float
    events: int


def sustained(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """A steady load in batches of 100, and meanwhile how long an event takes to its score and to its handoff."""
    key = new_project(folder)
    with serving(Server(folder)) as server:
        cpu, started = server.cpu_seconds(), time.monotonic()
        sender = begin(
            port=server.port, key=key, run="s", seconds=sizes.seconds, lines=16, per_second=sizes.rate / 100, size=100
        )
        seen = list(_until_seen(server, key, started + sizes.seconds - 5))
        told = end(sender)
        share = (server.cpu_seconds() - cpu) / (time.monotonic() - started)
        behind = server.behind()
        memory = server.peak_memory()
    yield Figure(
        name=f"sustained, {sizes.rate:,} events/s asked for {plain(sizes.seconds)} s",
        measured=[told.rate],
        unit="events/s",
        limit=Limit(shown=f"≥ {plain(0.98 * sizes.rate)} events/s", least=0.98 * sizes.rate),
        note=f"processors: server {plain(share)}, sender {plain(told.cpu)}; {_said(told)}; {behind:,} bytes behind at the end",
    )
    yield Figure(name="… acknowledged, median", seconds=[told.p50])
    yield Figure(
        name="… acknowledged, p99",
        seconds=[told.p99],
        limit=Limit(shown="≤ 0.25 s", most=0.25),
        note=f"slowest {plain(told.slowest)} s",
    )
    yield Figure(
        name="… event to new score visible, p95",
        seconds=[_quantile([one.score for one in seen], 0.95)],
        limit=Limit(shown="≤ 3 s (aim 1.5 s)", most=3),
        note=_spread([one.score for one in seen]),
    )
    yield Figure(
        name="… event to handoff in the inbox, p95",
        seconds=[_quantile([one.handoff for one in seen], 0.95)],
        limit=Limit(shown="≤ 5 s (aim 2 s)", most=5),
        note=_spread([one.handoff for one in seen]),
    )
    yield _memory("… most memory of the server", memory)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Seconds from sending one person's first event, with which they ask for sales.

    Attributes:
        score: Until the person has a score.
        handoff: Until somebody is asked to act.
    """

    score: float
    handoff: float


def _spread(seconds: list[float]) -> str:
    return f"{len(seconds)} events, median {plain(statistics.median(seconds))} s, slowest {plain(max(seconds))} s"


def _until_seen(server: Server, key: str, ends: float) -> Iterator[Seen]:
    """One person after another asks for sales."""
    import asyncio

    async def send(body: bytes) -> int:
        line = Line(server.port)
        status = (await line.send(request(key, body))).status
        line.close()
        return status

    number = 0
    while time.monotonic() < ends:
        number += 1
        who = f"marked-{number}"
        said = {"type": "track", "messageId": who, "userId": who, "event": "contact_sales", "context": {"groupId": who}}
        started = time.monotonic()
        if asyncio.run(send(json.dumps({"batch": [said]}).encode())) != 200:  # noqa: PLR2004
            continue
        score, handoff = (_seconds_until(look, server.folder, who, started) for look in (_has_score, _has_handoff))
        yield Seen(score=score, handoff=handoff)
        time.sleep(1)


def _seconds_until(look: Callable[[Path, str], bool], folder: Path, who: str, started: float) -> float:
    while not look(folder, who) and time.monotonic() - started < 60:  # noqa: PLR2004
        time.sleep(_LOOK_EVERY)
    return time.monotonic() - started


def _has_score(folder: Path, who: str) -> bool:
    choice = Choice(account_id=f"workspace:{who}", limit=1)
    with contextlib.suppress(HandraiseError):
        return bool(ask(folder, questions.people, choice=choice, as_of=None, now=right_now()).rows)
    return False


def _has_handoff(folder: Path, who: str) -> bool:
    now, account = right_now(), f"workspace:{who}"
    with contextlib.suppress(HandraiseError):
        return ask(folder, questions.why_not, account_id=account, limit=1, language=None, now=now).handoff is not None
    return False


def burst(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """As much as is taken, for ten seconds."""
    key = new_project(folder)
    with serving(Server(folder)) as server:
        told = in_own_process(port=server.port, key=key, run="b", seconds=min(10.0, sizes.seconds), lines=32, size=100)
        memory = server.peak_memory()
    yield Figure(
        name="burst of ten seconds",
        measured=[told.rate],
        unit="events/s",
        limit=Limit(shown="≥ 40,000 events/s", least=40_000),
        note=f"p99 {plain(told.p99)} s; sender took {plain(told.cpu)} of a processor; {_said(told)}",
    )
    yield _memory("… most memory of the server", memory)


def again(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Killed with a long log behind it, started again; then without its data file."""
    key = new_project(folder)
    server = Server(folder)
    with serving(server):
        sent = 0
        while sent < sizes.events:
            batches = (sizes.events - sent + 99) // 100
            told = in_own_process(
                port=server.port,
                key=key,
                run=f"a{sent}",
                lines=16,
                size=100,
                per_second=300,
                seconds=batches / 300 + 0.5,
            )
            sent += told.events
        server.settled(stored=sent, within=600)
        _accounts(server)
        server.kill()
        started = time.monotonic()
        health = server.start()
        _accounts(server)
        restart = time.monotonic() - started
        server.stop()
        for file in (folder / DATA_FOLDER).glob("warehouse.duckdb*"):
            file.unlink()
        started = time.monotonic()
        server.start()
        while server.counts().get("web") is None or server.counts()["web"].accepted < sent:
            time.sleep(0.5)
        rebuilt = time.monotonic() - started
        memory = server.peak_memory()
    yield Figure(
        name=f"start after a kill, {sent:,} events",
        seconds=[restart],
        limit=Limit(shown="≤ 5 s", most=5),
        note=f"accounts shown; /health after {plain(health)} s",
    )
    yield Figure(
        name="made again from the log without the data file",
        seconds=[rebuilt],
        measured=[sent / rebuilt],
        unit="events/s",
        limit=Limit(shown="≥ 1,000,000 in 60 s", least=MILLION / 60),
    )
    yield _memory("… most memory of the server", memory)


def _accounts(server: Server) -> None:
    choice = Choice(limit=5)
    for _ in range(100):
        with contextlib.suppress(HandraiseError):
            ask(server.folder, questions.accounts, choice=choice, as_of=None, language=None, now=right_now())
            return
        time.sleep(0.05)


def killed(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Killed again and again under load."""
    found = attacks.kills(folder, sizes.kills)
    wrong = found.lost + found.doubled + found.unasked + found.uncounted
    yield Figure(
        name=f"{found.rounds} kills under load",
        measured=[wrong],
        unit="lost, doubled or miscounted",
        limit=Limit(shown="0", most=0),
        note=f"{found.acked:,} events acknowledged; slowest start {plain(found.slowest_start)} s",
    )


def too_much(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """From 1,500 connections, each as fast as it is answered."""
    key = new_project(folder)
    with serving(Server(folder)) as server:
        found = attacks.overload(server, key, sizes.overload)
    kinds = ", ".join(f"{count:,} × {status}" for status, count in sorted(found.sent.statuses.items()))
    strange = len(found.sent.strange) + found.sent.statuses[0]
    yield Figure(
        name=f"overload, {plain(sizes.overload)} s: other answers than 200, 429, 503",
        measured=[strange],
        limit=Limit(shown="0", most=0),
        note=f"{kinds}; {found.rate:,.0f} events/s acknowledged",
    )
    yield _memory("… most memory of the server", found.peak)
    yield _calm("… p99 of a normal load, ten seconds later", found.calm)


def hanging(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """A thousand connections that never get to the point."""
    del sizes
    key = new_project(folder)
    with serving(Server(folder)) as server:
        found = attacks.half_open(server, key)
    yield Figure(
        name="1,000 half-open connections closed within",
        seconds=[max(found.open_for, default=0.0)],
        limit=Limit(shown="≤ 30 s, all", most=30 if not found.never_closed else 0),
        note=f"{found.never_closed} never",
    )
    yield _calm("… p99 of a normal load meanwhile", found.normal)


def large(folder: Path, sizes: Sizes) -> Iterator[Figure]:
    """Bodies of 200 MB, and gzip bombs."""
    del sizes
    key = new_project(folder)
    with serving(Server(folder)) as server:
        found = attacks.large_bodies(server, key)
    yield Figure(
        name="200 MB bodies, gzip bombs: memory grows by",
        measured=[found.grown / MIB],
        unit="MiB",
        limit=Limit(shown="≤ 50 MiB", most=50),
        note=", ".join(f"{name}: {status or 'closed'}" for name, status in found.answers.items()),
    )


def _memory(name: str, peak: int) -> Figure:
    return Figure(name=name, measured=[peak / GIB], unit="GiB", limit=Limit(shown="≤ 1 GiB", most=1))


def _calm(name: str, sent: Sent) -> Figure:
    others = sum(sent.statuses.values()) - sent.statuses[200]
    limit = Limit(shown="≤ 0.5 s", most=0.5)
    return Figure(name=name, seconds=[sent.quantile(0.99)], limit=limit, note=f"{others} not acknowledged")


def _said(told: Told) -> str:
    return ", ".join(f"{count:,} × {status}" for status, count in sorted(told.statuses.items()))


def _quantile(numbers: list[float], share: float) -> float:
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


PHASES: dict[str, Callable[[Path, Sizes], Iterator[Figure]]] = {
    "sustained": sustained,
    "burst": burst,
    "again": again,
    "kills": killed,
    "overload": too_much,
    "half-open": hanging,
    "large": large,
}
