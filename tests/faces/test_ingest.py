"""The door for events stays open to those whose key is known, whatever the ledger is busy with."""

import asyncio
import fcntl
import json
import threading
from pathlib import Path
from typing import Any

from handraise.errors import LedgerError
from handraise.faces.ingest.app import Ingest
from handraise.service.ledgers import new_write_key
from live.hosting import NOW, clock, hosted


async def post(app: Ingest, key: str) -> int:
    """Send an event as a library does; returns the status."""
    event = {"type": "track", "userId": "ann", "event": "open", "messageId": "1"}
    body = json.dumps({"writeKey": key, "batch": [event]}).encode()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(said: Any) -> None:
        sent.append(said)

    headers = [(b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "path": "/v1/batch", "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    return int(sent[0]["status"])


def test_a_wrong_key_holds_nobody_up_while_another_process_writes_to_the_ledger(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        key = new_write_key(host.ledger, "web", actor="me", now=NOW, random=host.random).plain
        app, locked = Ingest(host.door, now=clock), threading.Event()

        def write() -> None:
            """Wait for one's turn, while no other thread gets to the ledger."""
            locked.set()
            try:
                with host.ledger.transaction():
                    pass
            except LedgerError:
                pass

        async def ask() -> tuple[list[int], bool]:
            statuses = [await post(app, key), await post(app, "hrw_wrong")]
            with (tmp_path / ".handraise" / "ledger.sqlite.lock").open("ab") as other:
                fcntl.flock(other, fcntl.LOCK_EX)
                writer = threading.Thread(target=write)
                writer.start()
                locked.wait()
                await asyncio.sleep(0.2)
                wrong = asyncio.create_task(post(app, "hrw_another"))
                await asyncio.sleep(0.1)
                async with asyncio.timeout(5):
                    statuses.append(await post(app, key))
                is_waiting = not wrong.done()
            statuses.append(await wrong)
            writer.join()
            return statuses, is_waiting

        assert asyncio.run(ask()) == ([200, 401, 200, 401], True)
