"""The load as a process of its own, so that what it costs is known and is not the server's: `in_own_process`."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.child import ROOT
from benchmarks.serve.client import Load


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a sender found.

    Attributes:
        events: Acknowledged.
        seconds: For so long it sent.
        p50: Seconds within which half of the requests were acknowledged.
        p99: … and 99 of 100.
        slowest: The slowest one.
        statuses: Status → how many.
        strange: Answers that no sender should get.
        cpu: Share of one processor that the sender took.
    """

    events: int
    seconds: float
    p50: float
    p99: float
    slowest: float
    statuses: dict[str, int]
    strange: int
    cpu: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


def begin(**load: Any) -> subprocess.Popen[bytes]:
    """Begin to send; `seconds`, and what `Load` takes."""
    call = [sys.executable, "-m", "benchmarks.serve.sender", json.dumps(load)]
    return subprocess.Popen(call, cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603 - fixed arguments


def end(process: subprocess.Popen[bytes]) -> Told:
    """Wait for a sender; what it found.

    Raises:
        RuntimeError: It failed.
    """
    said, _ = process.communicate()
    if process.returncode:
        message = "the sender failed; its own message stands above"
        raise RuntimeError(message)
    return Told(**json.loads(said))


def in_own_process(**load: Any) -> Told:
    """Send, and wait for the end."""
    return end(begin(**load))


def _main(call: str) -> None:
    asked = json.loads(call)
    seconds = asked.pop("seconds")
    load = Load(**asked)
    cpu, started = time.process_time(), time.perf_counter()
    sent = asyncio.run(load.go(seconds))
    taken = time.perf_counter() - started
    told = Told(
        events=len(sent.acked) * load.size,
        seconds=taken,
        p50=sent.quantile(0.5),
        p99=sent.quantile(0.99),
        slowest=max(sent.seconds, default=float("inf")),
        statuses={str(status): count for status, count in sent.statuses.items()},
        strange=len(sent.strange),
        cpu=(time.process_time() - cpu) / taken,
    )
    sys.stdout.write(json.dumps(asdict(told)))


if __name__ == "__main__":
    _main(sys.argv[1])
