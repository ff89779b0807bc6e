"""A sender of events: keeps connections open, tries again as tracking libraries do, and knows what was acknowledged."""

from __future__ import annotations

import asyncio
import base64
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.serve.server import HOST

_NAMES = (
    "feature",
    "premium_feature",
    "invite_sent",
    "pricing_view",
    "export",
    "open",
    "limit_reached",
    "report_viewed",
)
PEOPLE, WORKSPACES = 5_000, 500
_OK = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a request was answered with.

    Attributes:
        status: 0 where no answer came.
        headers: By name in small letters.
        body: The content.
        seconds: From the first byte sent to the last received.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


def event_id(run: str, number: int) -> str:
    """The id of an event."""
    return f"{run}-{number:08d}"


def batch(run: str, first: int, size: int) -> bytes:
    """A Segment batch of `track` calls; who does what depends on the number alone."""
    events = ",".join(
        f'{{"type":"track","messageId":"{event_id(run, n)}","userId":"user-{n * 7919 % PEOPLE}",'
        f'"event":"{_NAMES[n % len(_NAMES)]}","properties":{{"feature":"f{n % 9}","plan":"pro"}},'
        f'"context":{{"groupId":"ws-{n * 7919 % PEOPLE % WORKSPACES}"}}}}'
        for n in range(first, first + size)
    )
    return f'{{"batch":[{events}]}}'.encode()


def request(key: str, body: bytes, *, path: str = "/v1/batch", more: str = "") -> bytes:
    """The bytes of a request as Segment's libraries send it."""
    user = base64.b64encode(f"{key}:".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Basic {user}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    )
    return head.encode() + body


class Line:
    """One connection that is opened again when it broke."""

    def __init__(self, port: int, *, patience: float = 60) -> None:
        self.port, self.patience = port, patience
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, content: bytes) -> Answer:
        """Send a request and wait for its answer."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.patience):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(HOST, self.port)
                reader, writer = self._streams
                writer.write(content)
                await writer.drain()
                status, headers, body = await read_answer(reader)
        except (OSError, EOFError, ValueError):  # a timeout is an OSError too
            self.close()
            return Answer(status=0, seconds=time.perf_counter() - started)
        if headers.get("connection") == "close":
            self.close()
        return Answer(status=status, headers=headers, body=body, seconds=time.perf_counter() - started)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._streams:
            self._streams[1].close()
            self._streams = None


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one answer.

    Raises:
        EOFError: The connection ended before it was complete.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return int(first.split()[1]), headers, body


@dataclass(kw_only=True)
class Sent:
    """What became of a load.

    Attributes:
        acked: Numbers of the first events of batches that were acknowledged.
        tried: Of batches that were sent, acknowledged or not.
        statuses: Status → how many answers; 0 = none came.
        seconds: Of each acknowledged request.
        strange: Answers that no sender should get.
    """

    acked: list[int] = field(default_factory=list)
    tried: set[int] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    strange: list[Answer] = field(default_factory=list)

    def note(self, first: int, answer: Answer) -> None:
        """Remember an answer."""
        self.statuses[answer.status] += 1
        if answer.status == _OK:
            self.acked.append(first)
            self.seconds.append(answer.seconds)
        elif answer.status not in {0, 429, 503} or (answer.status and "retry-after" not in answer.headers):
            self.strange.append(answer)

    def quantile(self, share: float) -> float:
        """Seconds within which this share of the acknowledged requests were answered."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


@dataclass(kw_only=True)
class Load:
    """Batches sent over some connections for a while.

    Attributes:
        port: Where to.
        key: Write key.
        run: Begins every event's id.
        size: Events of a batch.
        lines: Connections.
        per_second: Batches begun each second, over all connections; None = as fast as answers come.
        again: Whether what was not acknowledged is sent again.
        first: Number of the first event.
    """

    port: int
    key: str
    run: str
    size: int = 100
    lines: int = 8
    per_second: float | None = None
    again: bool = False
    first: int = 0
    sent: Sent = field(default_factory=Sent)

    async def go(self, seconds: float, *, until: Callable[[], bool] = lambda: False) -> Sent:
        """Send for so long, or until something holds."""
        started, ends = time.perf_counter(), time.perf_counter() + seconds
        taken = 0

        async def one_line() -> None:
            nonlocal taken
            line = Line(self.port)
            while time.perf_counter() < ends and not until():
                number, taken = taken, taken + 1
                if self.per_second:
                    await asyncio.sleep(max(0.0, started + number / self.per_second - time.perf_counter()))
                    if time.perf_counter() >= ends:
                        break
                await self._one(line, self.first + number * self.size, ends)
            line.close()

        await asyncio.gather(*(one_line() for _ in range(self.lines)))
        self.first += taken * self.size
        return self.sent

    async def _one(self, line: Line, first: int, ends: float) -> None:
        content = request(self.key, batch(self.run, first, self.size))
        self.sent.tried.add(first)
        while True:
            answer = await line.send(content)
            self.sent.note(first, answer)
            if answer.status == _OK or not self.again or time.perf_counter() >= ends:
                return
            await asyncio.sleep(0.05)

    def acked_ids(self) -> set[str]:
        """Ids of every event that was acknowledged."""
        return {event_id(self.run, n) for first in self.sent.acked for n in range(first, first + self.size)}

    def tried_ids(self) -> set[str]:
        """Ids of every event that was sent."""
        return {event_id(self.run, n) for first in self.sent.tried for n in range(first, first + self.size)}
