"""A command asks the server that has the project, during load too, and gets what it would get by itself."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path

from benchmarks.serve.client import Load
from benchmarks.serve.server import Server, handraise
from support import write

EVENT = {"event_id": "f1", "person_id": "filed", "name": "premium_feature", "timestamp": "2026-01-31T09:00:00Z"}


def test_commands_work_beside_a_load_and_say_what_they_say_without_a_server(
    project: tuple[Path, str], launch: Callable[..., Server], tmp_path: Path
) -> None:
    folder, key = project
    of = ("--project", folder)
    server = launch(folder)
    server.start()
    calm = Load(port=server.port, key=key, run="c", size=20, lines=2, per_second=20)
    asyncio.run(calm.go(2))
    server.settled(stored=len(calm.acked_ids()))
    busy = Load(port=server.port, key=key, run="b", size=20, lines=4, per_second=50)
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(busy.go(60, until=over.is_set)))
    thread.start()
    try:
        asyncio.run(_bad_one(server.port, key))
        assert "loaded" in handraise("load", write(tmp_path / "files", {"events": [EVENT]}), *of).stdout.lower()
        handraise("refresh", *of)
        assert json.loads(handraise("accounts", *of, "--json").stdout)
        assert "user-1" in handraise("explain", "user-1", *of).stdout
        assert handraise("explain", "nobody-at-all", *of, check=False).returncode != 0
        assert "filed" in handraise("people", *of, "--json", "--limit", "20000").stdout
        handraise("export", "people", "--out", tmp_path / "busy.csv", *of)
    finally:
        over.set()
        thread.join()
    assert set(busy.sent.statuses) == {200}
    server.settled(stored=len(calm.acked_ids()) + len(busy.acked_ids()))
    handraise("refresh", *of)
    served = shown(folder, tmp_path / "served.csv")
    assert server.stop() == 0
    assert shown(folder, tmp_path / "alone.csv") == served
    assert "the event has no name" in served[-1]


async def _bad_one(port: int, key: str) -> None:
    from benchmarks.serve.client import Line, request

    line = Line(port)
    body = b'{"batch":[{"type":"track","userId":"u","messageId":"bad"}]}'
    assert (await line.send(request(key, body))).status == 200
    line.close()


def shown(folder: Path, out: Path) -> list[str]:
    """What commands print and write about a project."""
    of = ("--project", folder)
    handraise("export", "people", "--out", out, *of)
    return [
        out.read_text(encoding="utf-8"),
        handraise("accounts", *of, "--json").stdout,
        handraise("explain", "user-1", *of, "--json").stdout,
        handraise("sources", *of, "--json").stdout,
        handraise("quarantine", *of, "--json").stdout,
    ]
