"""What a disk holds when the power goes: a file system's image, copied without sync while the server writes to it."""

import asyncio
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.serve.client import Load, event_id
from benchmarks.serve.server import Server, new_project, serving, stored_ids
from serve.mounts import made_image, mounted

CUTS = 3


def test_what_the_disk_holds_at_any_moment_has_all_that_was_acknowledged(tmp_path: Path) -> None:
    image = made_image(tmp_path / "disk.img")
    with mounted(image, tmp_path / "disk") as disk:
        folder = disk / "project"
        key = new_project(folder)
        cuts = []
        with (
            serving(Server(folder)) as server,
            sending(Load(port=server.port, key=key, run="p", lines=8, size=5)) as load,
        ):
            for number in range(CUTS):
                ends = time.monotonic() + 60
                while len(load.sent.acked) <= 120 * (number + 1):
                    assert time.monotonic() < ends
                    time.sleep(0.05)
                copy = tmp_path / f"cut-{number}.img"
                cuts.append((copy, acked_then(load, server, image, copy)))
    for copy, acked in cuts:
        assert len(acked) > 500
        with mounted(copy, tmp_path / "after") as disk:
            with serving(Server(disk / "project")) as server:
                counts = server.settled(stored=len(acked))
                server.stop()
            stored = stored_ids(disk / "project")
        assert acked - stored.keys() == set()
        assert set(stored.values()) == {1}
        assert counts.received == counts.accepted + counts.duplicate + counts.quarantined + counts.refused
        copy.unlink()


def acked_then(load: Load, server: Server, image: Path, copy: Path) -> set[str]:
    """Copy the disk as it is this moment; returns what was acknowledged before."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        time.sleep(0.1)  # whatever was sent before is read by now
        acked = {event_id(load.run, n) for first in list(load.sent.acked) for n in range(first, first + load.size)}
        cp = shutil.which("cp") or "cp"
        subprocess.run([cp, "--sparse=always", str(image), str(copy)], check=True)  # noqa: S603
    finally:
        os.kill(server.pid, signal.SIGCONT)
    return acked


@contextmanager
def sending(load: Load) -> Iterator[Load]:
    """Send in a thread of its own."""
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(load.go(240, until=over.is_set)))
    thread.start()
    try:
        yield load
    finally:
        over.set()
        thread.join()


@pytest.fixture(autouse=True)
def _space(tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free < 6 << 30:
        pytest.skip("less than 6 GB of room for images")
