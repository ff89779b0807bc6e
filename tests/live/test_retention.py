"""What is older than a company keeps goes: events, what they are known by, and the part of the log that holds nothing younger."""

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path

from handraise.events.received import Received
from handraise.service.host import Host
from handraise.service.orders import retain
from live.hosting import NOW, hosted, scored, settle


def sent(host: Host, who: str, at: datetime) -> None:
    """One event that came when it happened, and a call that cannot be used."""
    said = {"type": "track", "messageId": who, "userId": who, "event": "open", "timestamp": at.isoformat()}
    events = tuple(json.dumps(one).encode() for one in (said, {"type": "track", "userId": who}))
    written = threading.Event()
    host.door.submit(Received("web", "segment", b"{}", events), at, lambda _: written.set())
    assert written.wait(10)
    settle(host)


def test_what_is_old_goes_from_data_and_log(tmp_path: Path) -> None:
    with hosted(tmp_path) as host:
        sent(host, "old", NOW - timedelta(days=100))
        host.begin_segment()
        sent(host, "new", NOW)
        assert retain(host, days=30) == {"events": 1, "quarantine": 1, "segments": 1}
        kept = host.follower.ask(lambda project: project.warehouse.count(project.warehouse.table("event_keys")))
        assert kept == 1
        assert retain(host, days=30) == {"events": 0, "quarantine": 0, "segments": 0}
    with hosted(tmp_path) as host:
        settle(host)
        assert host.door.accepted == 0
        sent(host, "newer", NOW)
        assert host.door.accepted == 2
        assert scored(host).keys() >= {"new", "newer"}
        assert b"old" not in b"".join(path.read_bytes() for path in host.log.folder.glob("*.log"))
