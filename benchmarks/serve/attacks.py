"""What can go wrong, done to a running server: kills, too much at once, connections that hang, bodies without end."""

from __future__ import annotations

import asyncio
import gzip
import random
import resource
import socket
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.serve.client import Answer, Line, Load, Sent, batch, request
from benchmarks.serve.server import HOST, Server, new_project, stored_ids

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Kills:
    """What was left after many kills.

    Attributes:
        rounds: How many.
        acked: Events that were acknowledged.
        lost: Of those, how many are not stored.
        doubled: Events that are stored more than once.
        unasked: Events that are stored and were never sent.
        uncounted: received - (accepted + duplicate + quarantined + refused), and accepted - stored, added up.
        slowest_start: Seconds of the slowest start.
    """

    rounds: int
    acked: int
    lost: int
    doubled: int
    unasked: int
    uncounted: int
    slowest_start: float


def kills(folder: Path, rounds: int, *, seed: int = 1) -> Kills:
    """Kill a server again and again while it is sent to; what was not acknowledged is sent again by the next."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    server, starts = Server(folder), []
    load = Load(port=0, key=new_project(folder), run="k", size=20, lines=16, per_second=250)
    for number in range(rounds + 1):
        starts.append(server.start())
        load.port = server.port
        asyncio.run(_until_killed(load, server, chance.uniform(0.05, 1.2) if number < rounds else None))
    acked, tried = load.acked_ids(), load.tried_ids()
    counts = server.settled(stored=len(acked))
    server.stop()
    stored = stored_ids(folder)
    balance = counts.received - counts.accepted - counts.duplicate - counts.quarantined - counts.refused
    return Kills(
        rounds=rounds,
        acked=len(acked),
        lost=len(acked - stored.keys()),
        doubled=sum(count > 1 for count in stored.values()),
        unasked=len(stored.keys() - tried),
        uncounted=abs(balance) + abs(counts.accepted - len(stored)),
        slowest_start=max(starts),
    )


async def _until_killed(load: Load, server: Server, after: float | None) -> None:
    """Send what is still open and then more, until the server is killed; without a time, only what is open."""
    if after is not None:
        asyncio.get_running_loop().call_later(after, server.kill)
    line = Line(load.port)
    for first in sorted(load.sent.tried - set(load.sent.acked)):
        load.sent.note(first, await line.send(request(load.key, batch(load.run, first, load.size))))
    line.close()
    if after is not None:
        await load.go(after + 5, until=lambda: not server.is_alive())


@dataclass(frozen=True, kw_only=True)
class Overload:
    """How too much was taken.

    Attributes:
        sent: What became of it.
        rate: Events that were acknowledged each second.
        peak: Most bytes that the server had.
        calm: Answers to a normal load, from ten seconds after it on.
    """

    sent: Sent
    rate: float
    peak: int
    calm: Sent


def overload(server: Server, key: str, seconds: float, *, connections: int = 1500, run: str = "o") -> Overload:
    """Send from very many connections at once, each as fast as it is answered."""
    allow_open_files()
    load = Load(port=server.port, key=key, run=run, lines=connections, size=100)
    started = time.monotonic()
    sent = asyncio.run(load.go(seconds))
    taken = time.monotonic() - started
    time.sleep(max(0.0, seconds + 10 - taken))
    normal = Load(port=server.port, key=key, run=f"{run}-calm", size=10, lines=4, per_second=20)
    calm = asyncio.run(normal.go(5))
    rate = len(sent.acked) * load.size / taken
    return Overload(sent=sent, rate=rate, peak=server.peak_memory(), calm=calm)


@dataclass(kw_only=True)
class HalfOpen:
    """What became of connections that never get to the point.

    Attributes:
        open_for: Seconds until each was closed.
        never_closed: How many were open at the end.
        normal: Answers to a normal load meanwhile.
    """

    open_for: list[float] = field(default_factory=list)
    never_closed: int = 0
    normal: Sent = field(default_factory=Sent)


def half_open(server: Server, key: str, *, connections: int = 1000, within: float = 33) -> HalfOpen:
    """Open many connections that send nothing, a byte each second, half of their headers or half of a body."""
    allow_open_files()
    return asyncio.run(_half_open(server, key, connections, within))


async def _half_open(server: Server, key: str, connections: int, within: float) -> HalfOpen:
    found = HalfOpen()
    whole = request(key, batch("half", 0, 5))
    api = b"POST /internal/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: 900\r\n\r\n{"
    head = whole.index(b"\r\n\r\n") + 4
    starts = [b"", whole[: head // 2], whole[: head + 30], whole[:1], api, whole + whole[:40]]

    async def hang(number: int) -> None:
        await asyncio.sleep(number / connections * 2)
        opened = time.monotonic()
        begin = starts[number % len(starts)]
        rest = whole[len(begin) :] if whole.startswith(begin) else b" " * 900
        reader, writer = await asyncio.open_connection(HOST, server.port)
        try:
            writer.write(begin)
            async with asyncio.timeout(within):
                await asyncio.gather(_to_the_end(reader), _drip(writer, rest if number % 2 else b""))
            found.open_for.append(time.monotonic() - opened)
        except TimeoutError:
            found.never_closed += 1
        except OSError:
            found.open_for.append(time.monotonic() - opened)
        finally:
            writer.close()

    normal = Load(port=server.port, key=key, run="beside", size=10, lines=4, per_second=25)
    hanging = [asyncio.create_task(hang(number)) for number in range(connections)]
    found.normal = await normal.go(min(within, 25.0))
    await asyncio.gather(*hanging)
    return found


async def _to_the_end(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass
    raise ConnectionResetError


async def _drip(writer: asyncio.StreamWriter, content: bytes) -> None:
    for at in range(len(content)):
        writer.write(content[at : at + 1])
        await writer.drain()
        await asyncio.sleep(1)


@dataclass(kw_only=True)
class Large:
    """What became of bodies that are far too large.

    Attributes:
        answers: By name of the body: its status; 0 = the connection was closed.
        grown: Bytes by which the server's peak rose above what it had before.
    """

    answers: dict[str, int] = field(default_factory=dict)
    grown: int = 0


def large_bodies(server: Server, key: str, *, size: int = 200 * MIB) -> Large:
    """Send 200 MB plain, with and without its length, and gzip bombs."""
    found = Large()
    told = request(key, b"").partition(b"Content-Length")[0]
    warm = Load(port=server.port, key=key, run="warm", size=50, lines=2, per_second=10)
    asyncio.run(warm.go(3))
    server.settled()
    before = server.memory()
    server.forget_peak()
    sized = told + b"Content-Length: %d\r\n\r\n" % size
    found.answers["200 MB"] = _stream(server.port, sized, _plain(size))
    chunked = told + b"Transfer-Encoding: chunked\r\n\r\n"
    found.answers["200 MB in chunks"] = _stream(server.port, chunked, _chunks(_plain(size)))
    found.answers["one chunk of 200 MB"] = _stream(server.port, chunked + b"%x\r\n" % size, _plain(size))
    found.answers["a trailer without end"] = _stream(server.port, chunked + b"1\r\n{\r\n0\r\nX: ", _plain(size))
    found.answers["headers without end"] = _stream(server.port, told + b"X: ", _plain(size))
    for name, bomb in bombs():
        found.answers[name] = asyncio.run(
            _one(server.port, request(key, bomb, more="Content-Encoding: gzip\r\n"))
        ).status
    found.grown = max(0, server.peak_memory() - before)
    return found


async def _one(port: int, content: bytes) -> Answer:
    line = Line(port)
    answer = await line.send(content)
    line.close()
    return answer


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small bodies that would be huge when unpacked."""
    inner = _packed(1 << 30)
    yield "gzip of 1 GB", inner
    yield "gzip of gzip of 1 GB", gzip.compress(inner)
    yield "two gzip members of 1 GB", inner[: 500 * 1024] + inner
    yield "50,000 empty gzip members", gzip.compress(b"") * 50_000


def _packed(size: int) -> bytes:
    """Zeros of this size, packed without holding them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(MIB)
    return b"".join(packer.compress(zeros) for _ in range(size // MIB)) + packer.flush()


def _plain(size: int) -> Iterator[bytes]:
    block = b" " * 65536
    for _ in range(size // len(block)):
        yield block


def _chunks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        yield b"%x\r\n%b\r\n" % (len(block), block)
    yield b"0\r\n\r\n"


def _stream(port: int, head: bytes, blocks: Iterator[bytes]) -> int:
    """Send block after block until it is answered; the status, or 0."""
    with socket.create_connection((HOST, port), timeout=30) as line:
        try:
            line.sendall(head)
            for block in blocks:
                line.sendall(block)
        except OSError:
            pass  # it was answered, or closed, in the middle
        try:
            answer = line.recv(65536)
        except OSError:
            return 0
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


def allow_open_files(wanted: int = 20_000) -> None:
    """Let this process open as many connections as attacks need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
