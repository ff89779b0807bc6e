"""A disk that fails or is full: nothing is acknowledged that is not stored, and it goes on by itself."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.serve.client import Load
from benchmarks.serve.server import Server, new_project, serving, stored_ids
from serve.mounts import made_image, mounted

LAUNCHER = Path(__file__).with_name("failing_server.py")
RESERVE = 512 << 20


# Making a segment takes 64 writes of zeros and two syncs around its header; after that each group is a write and a sync.
@pytest.mark.parametrize(("fails_at", "code"), [(1, "EIO"), (67, "ENOSPC"), (68, "EIO"), (69, "EIO"), (120, "EIO")])
def test_after_a_failing_write_or_sync_nothing_is_acknowledged_until_the_log_is_opened_again(
    project: tuple[Path, str], launch: Callable[..., Server], fails_at: int, code: str
) -> None:
    folder, key = project
    server = launch(folder, program=(str(LAUNCHER), "--fails-at", str(fails_at), "--code", code))
    server.start()
    load = Load(port=server.port, key=key, run="d", size=3, lines=2)
    asyncio.run(load.go(20, until=lambda: load.sent.statuses[503] > 0))
    assert load.sent.statuses[503] > 0
    before = len(load.sent.acked)
    asyncio.run(load.go(0.7))
    assert len(load.sent.acked) == before, "something was acknowledged although the log cannot be written"
    assert server.status("/health") == 200
    (folder / "mended").touch()
    asyncio.run(load.go(20, until=lambda: len(load.sent.acked) > before + 20))
    assert len(load.sent.acked) > before + 20
    assert load.sent.strange == []
    counts = server.settled(stored=len(load.acked_ids()), refused=3 * load.sent.statuses[503])
    assert server.stop() == 0
    assert load.acked_ids() - stored_ids(folder).keys() == set()
    assert counts.received == counts.accepted + counts.duplicate + counts.quarantined + counts.refused
    assert counts.accepted == len(stored_ids(folder))
    assert counts.refused == 3 * load.sent.statuses[503]


def test_a_server_stops_in_order_while_its_log_cannot_be_written(
    project: tuple[Path, str], launch: Callable[..., Server]
) -> None:
    folder, key = project
    server = launch(folder, program=(str(LAUNCHER), "--fails-at", "75"))
    server.start()
    load = Load(port=server.port, key=key, run="d", size=3, lines=2)
    asyncio.run(load.go(20, until=lambda: load.sent.statuses[503] > 0))
    assert server.stop(within=10) == 0
    again = launch(folder)
    again.start()
    again.settled(stored=len(load.acked_ids()))
    assert again.stop() == 0
    assert load.acked_ids() - stored_ids(folder).keys() == set()


def test_a_full_disk_refuses_events_serves_reads_and_recovers_by_itself(tmp_path: Path) -> None:
    with mounted(made_image(tmp_path / "disk.img"), tmp_path / "disk") as disk:
        folder = disk / "project"
        key = new_project(folder)
        with serving(Server(folder)) as server:
            load = Load(port=server.port, key=key, run="f", size=10, lines=4, per_second=40)
            asyncio.run(load.go(2))
            assert set(load.sent.statuses) == {200}
            server.settled(stored=len(load.acked_ids()))
            filler = disk / "filler"
            free = os.statvfs(disk)
            with filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - RESERVE + (8 << 20))
            time.sleep(0.5)
            before = len(load.sent.acked)
            asyncio.run(load.go(3))
            assert len(load.sent.acked) == before
            assert load.sent.statuses[503] > 20
            assert load.sent.strange == []
            assert server.counts()["web"].accepted == len(load.acked_ids())
            filler.unlink()
            asyncio.run(load.go(15, until=lambda: len(load.sent.acked) > before + 20))
            assert len(load.sent.acked) > before + 20
            counts = server.settled(stored=len(load.acked_ids()), refused=10 * load.sent.statuses[503])
            assert counts.refused == 10 * load.sent.statuses[503]
            assert server.stop() == 0
        assert load.acked_ids() == stored_ids(folder).keys()
