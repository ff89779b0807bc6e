"""Too much, too slow, too large: refused in words that make senders come back, at no cost to anybody else."""

import contextlib
import socket
import time
from pathlib import Path

import pytest

from benchmarks.serve.attacks import MIB, allow_open_files, half_open, large_bodies, overload
from benchmarks.serve.client import batch, request
from benchmarks.serve.server import HOST, Server


def test_under_far_too_much_load_senders_are_told_to_come_back_and_memory_stays(served: tuple[Server, str]) -> None:
    server, key = served
    found = overload(server, key, 5)
    assert set(found.sent.statuses) <= {200, 429, 503}
    assert found.sent.strange == []  # each refusal says when to try again
    assert found.peak <= 1024 * MIB
    assert set(found.calm.statuses) == {200}
    assert found.calm.quantile(0.99) <= 1.0  # the benchmark has the real limit; tests share their machine


def test_a_thousand_connections_that_hang_are_closed_and_hinder_nobody(served: tuple[Server, str]) -> None:
    server, key = served
    before = server.open_files()
    found = half_open(server, key)
    assert found.never_closed == 0
    assert max(found.open_for) <= 30
    assert set(found.normal.statuses) == {200}
    assert found.normal.quantile(0.99) <= 1.0
    assert server.open_files() <= before + 10


@pytest.mark.parametrize(
    ("connections", "says"),
    [(60, b"Transfer-Encoding: chunked"), (60, b"Content-Length: 1048576"), (1100, b"Content-Length: 100")],
)
def test_bodies_that_are_announced_and_do_not_come_keep_nobody_out(
    served: tuple[Server, str], connections: int, says: bytes
) -> None:
    server, key = served
    allow_open_files()
    with contextlib.ExitStack() as opened:
        for _ in range(connections):
            one = opened.enter_context(socket.create_connection((HOST, server.port)))
            one.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\n" + says + b"\r\n\r\n")
        time.sleep(0.5)  # until all of them are read
        with socket.create_connection((HOST, server.port), timeout=10) as sender:
            sender.sendall(request(key, batch("beside", 0, 5)))
            assert sender.recv(100).startswith(b"HTTP/1.1 200")


def test_bodies_without_end_and_bombs_are_refused_without_being_held(served: tuple[Server, str]) -> None:
    server, key = served
    found = large_bodies(server, key)
    closed = {"a trailer without end", "headers without end"}
    assert {name: status for name, status in found.answers.items() if name not in closed} == {
        "200 MB": 413,
        "200 MB in chunks": 413,
        "one chunk of 200 MB": 413,
        "gzip of 1 GB": 413,
        "gzip of gzip of 1 GB": 400,  # unpacked once it is no JSON, and is never unpacked again
        "two gzip members of 1 GB": 413,
        "50,000 empty gzip members": 413,
    }
    assert {found.answers[name] for name in closed} <= {0, 400, 408, 413, 431}
    assert found.grown <= 50 * MIB


def test_the_server_takes_as_many_descriptors_as_it_may_have(served: tuple[Server, str]) -> None:
    limits = Path(f"/proc/{served[0].pid}/limits").read_text(encoding="utf-8")
    (soft, hard) = next(line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files"))
    assert soft == "unlimited" or int(soft) == min(int(hard), 65_536)
