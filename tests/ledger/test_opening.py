"""Opening a ledger: what is there afterwards, what is refused, and what a failure leaves."""

import contextlib
import resource
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from handraise.errors import LedgerError
from handraise.ledger.audit import verify
from handraise.ledger.jobs import JobRequest, enqueue, find_job, list_jobs
from handraise.ledger.keys import create_source, create_write_key, list_sources, source_of_key
from handraise.ledger.loads import LoadedFile, note_load
from handraise.ledger.schema import REVISIONS, metadata
from handraise.ledger.store import Ledger
from handraise.ledger.upgrade import bring_up_to_date
from ledger.clock import NOW, at_once, chance
from ledger.conftest import Place


def differences(ledger: Ledger) -> list[object]:
    with ledger.reading() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def versions(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def test_a_new_ledger_has_the_schema_that_the_code_names(ledger: Ledger) -> None:
    assert differences(ledger) == []


def test_a_schema_that_differs_would_be_noticed(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        connection.execute(text("ALTER TABLE jobs ADD COLUMN mood TEXT"))
        connection.execute(text("DROP INDEX jobs_by_turn"))
    assert len(differences(ledger)) == 2


def test_the_code_knows_every_revision_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", "handraise.ledger:migrations")
    scripts = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(scripts)) == REVISIONS


def test_an_older_ledger_is_brought_up_to_date_with_what_is_in_it(place: Place) -> None:
    old = place.open(Ledger.connect)
    with old.transaction() as connection:
        bring_up_to_date(connection, "", to=REVISIONS[0])
    with old.transaction() as connection:
        create_source(connection, source_id="web", name="Web", actor="cli", now=NOW)
        plain = create_write_key(connection, "web", actor="cli", now=NOW, random=chance()).plain
        connection.execute(
            text(
                "INSERT INTO jobs (kind, arguments, status, attempts, max_attempts, run_at, created_at) "
                "VALUES ('refresh', '{}', 'queued', 0, 5, :now, :now)"
            ),
            {"now": NOW.isoformat(sep=" ", timespec="microseconds")[:26]},
        )
    old.close()

    ledger = place.open()
    assert differences(ledger) == []
    assert verify(ledger).rows == 2
    with ledger.transaction() as connection:
        assert source_of_key(connection, plain) == "web"
        [job] = list_jobs(connection)
        assert (job.kind, job.run_at, job.progress) == ("refresh", NOW, None)
        assert note_load(connection, LoadedFile(path="a", format="csv", size=1, sha256="0"), now=NOW).sequence == 1


def test_an_upgrade_that_breaks_off_leaves_the_older_ledger(place: Place) -> None:
    old = place.open(Ledger.connect)
    with old.transaction() as connection:
        bring_up_to_date(connection, "", to=REVISIONS[0])
        connection.execute(text("CREATE TABLE loads (id INTEGER)"))  # in the way of the last thing 0002 makes
    old.close()
    with pytest.raises(LedgerError, match="loads"):
        place.open()
    with old.reading() as connection:
        assert versions(connection) == [REVISIONS[0]]
        assert "progress" not in connection.execute(text("SELECT * FROM jobs")).keys()  # noqa: SIM118


def test_of_many_who_open_a_new_ledger_at_once_one_makes_it(place: Place) -> None:
    ledgers = at_once([place.open] * 8)
    with ledgers[0].reading() as connection:
        assert versions(connection) == [REVISIONS[-1]]
        assert connection.execute(text("SELECT count(*) FROM audit_head")).scalar() == 1


def test_a_ledger_of_a_newer_version_is_refused_and_left_as_it_is(place: Place) -> None:
    ledger = place.open()
    with ledger.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(LedgerError, match=r"newer version of handraise \(schema 0999") as refused:
        place.open()
    assert not refused.value.retry
    with ledger.reading() as connection:
        assert versions(connection) == ["0999"]


def test_tables_of_something_else_are_refused(place: Place) -> None:
    with place.open(Ledger.connect).transaction() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    with pytest.raises(LedgerError, match="tables of something else"):
        place.open()


def test_what_was_written_is_there_after_opening_again(place: Place) -> None:
    first = place.open()
    with first.transaction() as connection:
        create_source(connection, source_id="web", name="Web", actor="cli", now=NOW)
    first.close()
    with place.open().reading() as connection:
        assert [source.created_at for source in list_sources(connection)] == [NOW]


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.transaction() as connection:
            create_source(connection, source_id="web", name="Web", actor="cli", now=NOW)
            raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        fail()
    with ledger.reading() as connection:
        assert list_sources(connection) == ()
    assert verify(ledger).rows == 0


def test_a_reader_cannot_change_anything(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match=r"read-?only") as refused, ledger.reading() as connection:
        enqueue(connection, JobRequest(kind="refresh"), now=NOW)
    assert not refused.value.retry
    with ledger.transaction() as connection:
        enqueue(connection, JobRequest(kind="refresh"), now=NOW)


def test_a_transaction_inside_another_is_refused_instead_of_waiting_for_itself(ledger: Ledger) -> None:
    with ledger.transaction(), pytest.raises(RuntimeError, match="hand its connection on"), ledger.reading():
        pass
    with ledger.transaction() as connection:
        enqueue(connection, JobRequest(kind="refresh"), now=NOW)


def test_a_time_without_zone_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Exception, match="has no time zone"), ledger.transaction() as connection:
        enqueue(connection, JobRequest(kind="refresh"), now=NOW.replace(tzinfo=None))


def test_texts_that_no_database_holds_are_stored_with_what_they_have_of_letters(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        create_source(connection, source_id="web", name="a\0b\ud800c é", actor="\0", now=NOW)
        assert list_sources(connection)[0].name == "a�b?c é"
    assert verify(ledger).broken_at is None


def test_an_error_quotes_no_values_of_the_statement(ledger: Ledger) -> None:
    with pytest.raises(LedgerError) as refused, ledger.transaction() as connection:
        connection.execute(
            text("INSERT INTO audit_head (id, length, hash) VALUES (1, 1, :secret)"), {"secret": "hrw_x"}
        )
    told: BaseException | None = refused.value
    while told:
        assert "hrw_x" not in str(told)
        told = told.__cause__


def test_who_waits_too_long_for_a_writer_is_told_to_try_again(place: Place) -> None:
    writing, done = threading.Event(), threading.Event()
    ledgers = [place.open(), place.open(patience=0.05)]

    def write() -> None:
        with ledgers[0].transaction() as connection:
            create_source(connection, source_id="web", name="Web", actor="cli", now=NOW)
            writing.set()
            done.wait(60)

    def wait() -> None:
        writing.wait(60)
        try:
            with pytest.raises(LedgerError) as refused, ledgers[1].transaction() as connection:
                create_source(connection, source_id="app", name="App", actor="cli", now=NOW)
            assert refused.value.retry
        finally:
            done.set()

    at_once([write, wait])
    with ledgers[1].reading() as connection:
        assert [source.id for source in list_sources(connection)] == ["web"]


def test_a_thread_that_waits_too_long_for_another_is_told_to_try_again(in_file: Place) -> None:
    ledger = in_file.open(patience=0.05)
    with ledger.transaction():

        def read() -> None:
            with pytest.raises(LedgerError) as refused, ledger.reading():
                pass
            assert refused.value.retry

        at_once([read])


def test_who_finds_all_connections_in_use_is_told_to_try_again(in_postgres: Place) -> None:
    ledger = in_postgres.open(patience=0.05)
    done = threading.Event()

    def hold() -> bool:
        try:
            with ledger.reading():
                return done.wait(60)
        except LedgerError as refused:
            done.set()
            return not refused.retry

    assert at_once([hold] * 16).count(False) == 1


def test_a_checkpoint_waits_for_nobody_for_ever(in_file: Place) -> None:
    ledger, other = in_file.open(patience=0.05), in_file.open()
    with other.reading() as connection:
        list_jobs(connection)
        with ledger.transaction() as writing:
            enqueue(writing, JobRequest(kind="refresh"), now=NOW)
        with pytest.raises(LedgerError, match="being read") as refused:
            ledger.checkpoint()
        assert list_jobs(connection) == ()
    assert refused.value.retry
    ledger.checkpoint()


def test_postgres_needs_no_checkpoint_of_ours(in_postgres: Place) -> None:
    in_postgres.open().checkpoint()


def test_a_lock_that_cannot_be_written_is_said_in_words(in_file: Place) -> None:
    path = Path(in_file.address)
    path.with_name(path.name + ".lock").mkdir(parents=True)
    with pytest.raises(LedgerError, match=r"ledger.sqlite.lock: the file cannot be written"):
        in_file.open(Ledger.connect).transaction().__enter__()


def test_the_file_is_synced_and_can_be_read_by_its_owner_alone(in_file: Place) -> None:
    ledger = in_file.open()
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 30000}
    with ledger.transaction() as connection:
        assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted} == wanted
        enqueue(connection, JobRequest(kind="refresh"), now=NOW)
    assert ledger.file
    for file in ledger.file.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_file_that_others_could_read_is_closed_to_them(in_file: Place) -> None:
    in_file.open().close()
    path = Path(in_file.address)
    path.chmod(0o644)
    in_file.open()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"no database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_ledger_is_refused_and_left_as_it_is(in_file: Place, content: bytes) -> None:
    path = Path(in_file.address)
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="damaged, or is no ledger") as refused:
        in_file.open()
    assert (path.read_bytes(), refused.value.retry) == (content, False)


def test_a_damaged_ledger_is_refused(in_file: Place) -> None:
    ledger = in_file.open()
    with ledger.transaction() as connection:
        for number in range(200):
            enqueue(connection, JobRequest(kind="refresh", arguments={"number": number}), now=NOW)
    ledger.close()
    path = Path(in_file.address)
    content = bytearray(path.read_bytes())
    content[-4096:] = b"\xa5" * 4096
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="Put it aside and bring back the latest backup"):
        in_file.open()


def test_a_place_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot be written"):
        Ledger.open(tmp_path / "file" / "ledger.sqlite")
    with pytest.raises(LedgerError, match="unable to open"):
        Ledger.open(tmp_path)


@pytest.mark.parametrize("address", ["mysql://user@host/database", "postgresql://host:port:port/database"])
def test_an_address_of_something_else_is_refused(address: str) -> None:
    with pytest.raises(LedgerError):
        Ledger.open(address)


def test_a_schema_with_an_odd_name_is_refused() -> None:
    with pytest.raises(LedgerError, match="cannot be the name of a schema"):
        Ledger.open("postgresql://host/database", schema='a"; DROP TABLE jobs; --')


def test_a_server_that_is_away_may_be_tried_again_and_its_password_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as refused:
        Ledger.open(f"postgresql://user:hunter2@/database?host={tmp_path}")
    assert refused.value.retry
    assert "hunter2" not in str(refused.value)


def end_connections(ledger: Ledger, *processes: int) -> None:
    with ledger.transaction() as connection:
        for process in processes:
            # Waits until it has ended, at most so many milliseconds.
            ended = connection.execute(text("SELECT pg_terminate_backend(:process, 10000)"), {"process": process})
            assert ended.scalar()


def process_of(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_transaction_whose_connection_the_server_ends_may_be_tried_again(in_postgres: Place) -> None:
    ledger, other = in_postgres.open(), in_postgres.open()

    def lose() -> None:
        with ledger.transaction() as connection:
            mine = process_of(connection)
            at_once([lambda: end_connections(other, mine)])
            enqueue(connection, JobRequest(kind="refresh"), now=NOW)

    with pytest.raises(LedgerError) as refused:
        lose()
    assert refused.value.retry
    with ledger.transaction() as connection:
        assert find_job(connection, enqueue(connection, JobRequest(kind="refresh"), now=NOW))


def test_a_connection_that_the_server_ended_between_two_transactions_is_not_noticed(in_postgres: Place) -> None:
    ledger, other = in_postgres.open(), in_postgres.open()
    with ledger.reading() as connection:
        idle = process_of(connection)
    end_connections(other, idle)
    with ledger.transaction() as connection:
        assert process_of(connection) != idle


@contextlib.contextmanager
def files_end_at(room: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def pages_end(ledger: Ledger) -> Iterator[None]:
    """SQLite's own limit, which it reports like a full disk."""

    def limit(pages: str) -> None:
        with ledger.transaction() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    with ledger.reading() as connection:
        now = connection.exec_driver_sql("PRAGMA page_count").scalar()
    limit(str(now))
    yield
    limit("1000000")


@pytest.mark.parametrize("limit", ["file", "pages"])
def test_a_full_disk_is_said_in_words_and_writing_goes_on_once_there_is_room(in_file: Place, limit: str) -> None:
    ledger = in_file.open()
    assert ledger.file
    ledger.checkpoint()
    large = JobRequest(kind="refresh", arguments={"text": "x" * 300_000})
    with (
        files_end_at(ledger.file.stat().st_size) if limit == "file" else pages_end(ledger),
        pytest.raises(LedgerError, match="no room") as refused,
        ledger.transaction() as connection,
    ):
        enqueue(connection, large, now=NOW)
    assert refused.value.retry
    with ledger.transaction() as connection:
        assert list_jobs(connection) == ()
        enqueue(connection, large, now=NOW)
    ledger.close()
    with contextlib.closing(sqlite3.connect(in_file.address)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert raw.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
