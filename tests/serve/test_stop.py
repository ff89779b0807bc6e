"""Stopping, starting again, two at once, and data files that are damaged or gone."""

import asyncio
import json
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.serve.client import Load
from benchmarks.serve.server import Server, handraise, stored_ids
from handraise.service.folder import DATA_FOLDER, DATABASE

Launch = Callable[..., Server]


@contextmanager
def loaded(load: Load) -> Iterator[None]:
    """Inside, the server is sent to from another thread."""
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(load.go(60, until=over.is_set)))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_told_to_stop_under_load_it_ends_soon_in_order_and_loses_nothing(
    project: tuple[Path, str], launch: Launch
) -> None:
    folder, key = project
    server = launch(folder)
    server.start()
    load = Load(port=server.port, key=key, run="s", lines=16, per_second=80)
    with loaded(load):
        assert wait_for(lambda: len(load.sent.acked) >= 50, within=60)
        started = time.monotonic()
        assert server.stop(within=10) == 0
        assert time.monotonic() - started <= 10
    assert "Traceback" not in server.said()
    assert not (folder / DATA_FOLDER / "server.json").exists()
    again = launch(folder)
    again.start()
    counts = again.settled(stored=len(load.acked_ids()))
    again.stop()
    stored = stored_ids(folder)
    assert load.acked_ids() - stored.keys() == set()
    assert set(stored.values()) == {1}
    assert counts.accepted == len(stored)


def test_hanging_connections_do_not_keep_it_from_stopping(project: tuple[Path, str], launch: Launch) -> None:
    server = launch(project[0])
    server.start()

    async def hang() -> int:
        lines = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(30)]
        for number, (_, writer) in enumerate(lines):
            writer.write(
                (b"", b"POST /v1/b", b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")[number % 3]
            )
        await asyncio.sleep(0.5)
        status = await asyncio.to_thread(server.stop, 10)
        for _, writer in lines:
            writer.close()
        return status

    assert asyncio.run(hang()) == 0


def test_a_second_server_is_refused_at_once_and_told_who_is_first(project: tuple[Path, str], launch: Launch) -> None:
    folder, _ = project
    server = launch(folder)
    server.start()
    started = time.monotonic()
    done = handraise("serve", "--project", folder, "--port", "0", check=False)
    taken = time.monotonic() - started
    assert done.returncode != 0
    assert f"process {server.pid}" in " ".join((done.stdout + done.stderr).split())
    assert f"127.0.0.1:{server.port}" in (done.stdout + done.stderr)
    assert taken <= 2
    at_the_same_address = handraise("serve", "--project", folder, "--port", server.port, check=False)
    assert "another server has this project" in " ".join(at_the_same_address.stderr.split())
    assert server.status("/health") == 200


def test_what_a_killed_server_leaves_keeps_nobody_out(project: tuple[Path, str], launch: Launch) -> None:
    folder, key = project
    server = launch(folder)
    server.start()
    asyncio.run(Load(port=server.port, key=key, run="k").go(0.5))
    server.kill()
    assert server.process.returncode == -signal.SIGKILL
    assert "web" in handraise("sources", "--project", folder).stdout  # a command works on the project by itself
    again = launch(folder)
    again.start()
    assert again.stop() == 0


@contextmanager
def filled(project: tuple[Path, str], launch: Launch) -> Iterator[tuple[Path, Load]]:
    """A project with a few thousand events, not served; afterwards it has to have them all again."""
    folder, key = project
    server = launch(folder)
    server.start()
    load = Load(port=server.port, key=key, run="f", lines=4, size=50, per_second=30)
    asyncio.run(load.go(60, until=lambda: len(load.sent.acked) >= 20))
    assert len(load.sent.acked) >= 20
    before = server.settled(stored=len(load.acked_ids()))
    accounts = handraise("accounts", "--project", folder, "--json").stdout
    server.stop()
    yield folder, load
    again = launch(folder)
    again.start()
    assert again.settled(stored=len(load.acked_ids())) == before
    assert wait_for(lambda: handraise("accounts", "--project", folder, "--json", check=False).stdout == accounts)
    assert again.stop() == 0
    assert stored_ids(folder).keys() == load.acked_ids()


def wait_for(holds: Callable[[], bool], within: float = 20) -> bool:
    ends = time.monotonic() + within
    while not (found := holds()) and time.monotonic() < ends:
        time.sleep(0.5)
    return found


def test_a_data_file_that_is_gone_is_made_again_from_the_log(project: tuple[Path, str], launch: Launch) -> None:
    with filled(project, launch) as (folder, _):
        for file in (folder / DATA_FOLDER).glob(f"{DATABASE}*"):
            file.unlink()


@pytest.mark.parametrize("how", ["beginning", "cut", "flipped"])
def test_a_damaged_data_file_is_moved_aside_and_made_again_from_the_log(
    project: tuple[Path, str], launch: Launch, how: str
) -> None:
    with filled(project, launch) as (folder, _):
        file = folder / DATA_FOLDER / DATABASE
        content = bytearray(file.read_bytes())
        chance = random.Random(5)
        if how == "beginning":
            content[:20_000] = chance.randbytes(20_000)
        elif how == "cut":
            del content[len(content) // 2 :]
        else:
            for _ in range(300):
                content[chance.randrange(len(content))] ^= 8
        file.write_bytes(content)
    [aside] = (folder / DATA_FOLDER).glob(f"{DATABASE}.damaged-*")
    assert aside.read_bytes()[-4096:] == bytes(content[-4096:])


def test_damage_in_the_middle_of_the_log_is_told_and_the_rest_is_kept(
    project: tuple[Path, str], launch: Launch
) -> None:
    folder, key = project
    server = launch(folder)
    server.start()
    load = Load(port=server.port, key=key, run="m", lines=1, size=10)
    asyncio.run(load.go(20, until=lambda: len(load.sent.acked) >= 40))
    server.stop()
    [segment] = sorted((folder / DATA_FOLDER / "log").glob("*.log"))
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    for file in (folder / DATA_FOLDER).glob(f"{DATABASE}*"):
        file.unlink()
    again = launch(folder)
    again.start()
    counts = again.settled(stored=len(load.acked_ids()) - 10)
    assert counts.accepted == len(load.acked_ids()) - 10
    assert "log damaged" in again.said()
    again.stop()
    assert len(load.acked_ids() - stored_ids(folder).keys()) == 10


def test_commands_find_the_server_and_nobody_else_may_read_where(project: tuple[Path, str], launch: Launch) -> None:
    server = launch(project[0])
    server.start()
    file = project[0] / DATA_FOLDER / "server.json"
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text(encoding="utf-8"))["address"].endswith(f":{server.port}")
