"""Commands that need more than the data work beside a running server, and say what they say without one."""

import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.serve.server import Server, handraise


def test_backup_erasure_and_work_that_comes_due_go_through_the_server(
    project: tuple[Path, str], launch: Callable[..., Server], tmp_path: Path
) -> None:
    folder, _ = project
    of = ("--project", folder)
    server = launch(folder)
    server.start()
    events = tmp_path / "events.ndjson"
    people = ("ann", "erasmus-4711")
    rows = [
        f'{{"event_id": "{who}", "person_id": "{who}", "name": "open", "timestamp": "2026-08-01"}}' for who in people
    ]
    events.write_text("\n".join(rows))
    handraise("load", events, *of)
    handraise("refresh", *of)
    assert "Backed up" in handraise("backup", "--to", tmp_path / "copy", *of).stdout
    assert "erasmus-4711" in handraise("person-data", "erasmus-4711", *of).stdout
    assert "Receipt" in handraise("erase", "erasmus-4711", "--yes", *of).stdout
    assert handraise("person-data", "erasmus-4711", *of, check=False).returncode == 1
    assert "people who were erased" in handraise("load", events, *of).stderr
    handraise("jobs", "add", "verify", *of)
    handraise("jobs", "add", "refresh", *of)
    handraise("worker", "--once", *of)
    ends = time.monotonic() + 30
    while handraise("jobs", *of).stdout.count("done") < 2:
        assert time.monotonic() < ends
    assert handraise("restore", tmp_path / "copy", *of, check=False).returncode == 1
    assert handraise("rebuild", *of, check=False).returncode == 1
    assert server.stop() == 0
    assert "erased again" in handraise("restore", tmp_path / "copy", *of).stdout
    assert handraise("person-data", "erasmus-4711", *of, check=False).returncode == 1
