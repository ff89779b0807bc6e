"""Seen from the kernel: the bytes of a request are written and synced before its 200 goes out."""

import asyncio
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.serve.client import Load, event_id
from benchmarks.serve.server import Server

CALLS = "read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,fdatasync,fsync"
READS = {"read", "readv", "recvfrom", "recvmsg"}
_LINE = re.compile(r"^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\((\d+))(.*)$", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A system call.

    Attributes:
        name: Its name.
        descriptor: Of which file.
        text: Its arguments and what it returned.
        begun: Number of the trace's line at which it began.
        ended: Of the line at which it had returned.
        returned: What.
    """

    name: str
    descriptor: int
    text: str
    begun: int
    ended: int
    returned: int


def calls_of(trace: str) -> list[Call]:
    """The calls of a trace of several threads, in which each may be broken into its beginning and its end."""
    open_calls: dict[str, tuple[str, int, str, int]] = {}
    found = []
    for number, line in enumerate(trace.splitlines()):
        parts = _LINE.match(line)
        if not parts:
            continue
        thread, resumed, name, descriptor, rest = parts.groups()
        if resumed:
            name, at, before, begun = open_calls.pop(thread)
            assert name == resumed
            text = before + rest
        else:
            at, text, begun = int(descriptor), rest, number
        if text.endswith("<unfinished ...>"):
            open_calls[thread] = (name, at, text.removesuffix("<unfinished ...>"), begun)
            continue
        said = re.search(r"\) += (-?\d+)", text)
        assert said, line
        found.append(Call(name=name, descriptor=at, text=text, begun=begun, ended=number, returned=int(said[1])))
    return found


def test_the_calls_of_several_threads_are_told_apart() -> None:
    trace = (
        '7  read(5, "POST m1" <unfinished ...>\n'
        '8  pwrite64(9, "m1", 2, 0 <unfinished ...>\n'
        "7  <... read resumed>, 65536) = 7\n"
        "8  <... pwrite64 resumed>)           = 2\n"
        "8  fdatasync(9)                      = 0\n"
        '7  write(5, "HTTP/1.1 200", 12)      = 12\n'
        "7  +++ exited with 0 +++\n"
    )
    assert [(c.name, c.descriptor, c.begun, c.ended, c.returned) for c in calls_of(trace)] == [
        ("read", 5, 0, 2, 7),
        ("pwrite64", 9, 1, 3, 2),
        ("fdatasync", 9, 4, 4, 0),
        ("write", 5, 5, 5, 12),
    ]


def test_the_log_is_written_and_synced_before_the_answer_of_each_request(
    project: tuple[Path, str], launch: Callable[..., Server], tmp_path: Path
) -> None:
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed")
    folder, key = project
    trace = tmp_path / "trace"
    server = launch(folder, before=(strace, "-f", "-qq", "-s", "262144", "-e", f"trace={CALLS}", "-o", str(trace)))
    try:
        server.start()
    except RuntimeError:
        if "ptrace" in server.said() or "PTRACE" in server.said():
            pytest.skip("processes may not be traced here")
        raise
    load = Load(port=server.port, key=key, run="order", size=1, lines=6)
    asyncio.run(load.go(60, until=lambda: len(load.sent.acked) >= 300))
    server.stop()
    calls = calls_of(trace.read_text(encoding="latin-1"))
    by_beginning = sorted(calls, key=lambda c: c.begun)
    assert len(load.sent.acked) >= 300
    for first in load.sent.acked:
        marker = event_id(load.run, first)
        asked = next(c for c in calls if c.name in READS and "POST /v1/batch" in c.text and marker in c.text)
        # The data file is written with it too, later.
        written = min((c for c in calls if c.name == "pwrite64" and marker in c.text), key=lambda c: c.begun)
        synced = next(
            c for c in calls if c.name == "fdatasync" and c.descriptor == written.descriptor and c.begun > written.ended
        )
        answered = next(
            c
            for c in by_beginning
            if c.begun > asked.ended and c.descriptor == asked.descriptor and "HTTP/1.1 200" in c.text
        )
        assert synced.returned == 0
        assert asked.ended < written.begun
        assert synced.ended < answered.begun, f"{marker} was acknowledged before it was durable"
