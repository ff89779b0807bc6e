"""A vendor's tables in Postgres give the bytes that the same tables give as files in DuckDB."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

psycopg = pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")

from pyarrow import csv  # noqa: E402

from engines.company import PLAYBOOK, arrow  # noqa: E402
from engines.vendors import SAMPLES, a_company, section, stored, vendor_tables  # noqa: E402
from handraise.service import project as projects  # noqa: E402
from support import NOW, T, export_bytes, load_folder, memory_project  # noqa: E402

KINDS = {
    **dict.fromkeys(("timestamp", "derived_tstamp"), "timestamptz"),
    **dict.fromkeys(("received_at", "collector_tstamp"), "timestamp"),
    **dict.fromkeys(("unstruct_event", "event_params", "user_properties", "group_properties", "groups"), "jsonb"),
    **dict.fromkeys(("contexts", "event_properties", "$properties"), "json"),
    "event_timestamp": "bigint",
}


@pytest.fixture
def app(postgres: str) -> Iterator[tuple[str, str]]:
    """The address of the server, with the schemas `app` and `own` on it."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA app")
        connection.execute("CREATE SCHEMA own")
        yield postgres, "app"
        wait_until_alone(connection)
        for schema in ("app", "own", "handraise"):
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def wait_until_alone(connection: psycopg.Connection) -> None:
    """A server process takes its temporary tables down after its client has left, and holds locks meanwhile."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    for _ in range(200):
        found = connection.execute(others).fetchone()
        if found == (0,):
            return
        time.sleep(0.05)
    raise TimeoutError("another connection is still open")


def put(address: str, schema: str, tables: dict[str, pa.Table]) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for name, data in tables.items():
            columns = ", ".join(f'"{c}" {KINDS.get(c, "text")}' for c in data.column_names)
            connection.execute(f'CREATE TABLE {schema}."{name}" ({columns})')
            texts = [column.cast("string") for column in data.columns]
            filled = [pc.if_else(pc.equal(column, ""), None, column) for column in texts]
            lines = io.BytesIO()
            csv.write_csv(
                pa.table(filled, names=data.column_names),
                lines,
                csv.WriteOptions(include_header=False, quoting_style="all_valid"),
            )
            with connection.cursor().copy(f'COPY {schema}."{name}" FROM STDIN (FORMAT csv)') as copy:
                copy.write(lines.getvalue())


def project_in(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "handraise.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir()))
def test_every_format_gives_the_inputs_that_its_files_give(name: str, app: tuple[str, str], tmp_path: Path) -> None:
    put(*app, vendor_tables(name, SAMPLES / name))
    folder = project_in(tmp_path / "p", section(name, "postgres", "app", {}))
    with projects.open_project(folder, environment={"OURS": app[0]}) as project:
        counts = projects.read_sources(project)
        found = stored(project)
        assert not any(count.quarantined for count in counts)
    with memory_project() as project:
        load_folder(project, SAMPLES / name)
        assert found == stored(project)


@pytest.mark.parametrize("name", ["segment", "snowplow"])
def test_scores_are_those_of_the_files(name: str, app: tuple[str, str], tmp_path: Path) -> None:
    address, _ = app
    files, canonical = a_company(name, tmp_path / "files")
    put(*app, vendor_tables(name, files))
    put(address, "own", {table: arrow(rows) for table, rows in canonical.items()})
    folder = project_in(tmp_path / "p", PLAYBOOK + section(name, "postgres", "app", canonical, own="own."))
    with projects.open_project(folder, environment={"OURS": address}) as project:
        projects.read_sources(project)
        projects.refresh(project, [T], now=NOW)
        found = export_bytes(project)
        # Nothing changed: nothing is read again.
        assert not any(count.read for count in projects.read_sources(project))
    with memory_project(PLAYBOOK) as project:
        load_folder(project, files)
        projects.refresh(project, [T], now=NOW)
        assert found == export_bytes(project)
    if name == "segment":
        _one_day_changes(address, folder)


def _one_day_changes(address: str, folder: Path) -> None:
    """A late row in one of the tables of events is found, and only its day is made anew."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO app.export (id, user_id, event, event_text, timestamp, received_at) "
            "SELECT 'late', 'p1', 'export', 'export', '2026-09-20T10:00Z', '2026-10-27T10:00Z'"
        )
    with projects.open_project(folder, environment={"OURS": address}) as project:
        events = next(count for count in projects.read_sources(project) if count.input == "events")
        assert 0 < events.read < 30
        assert projects.refresh(project, [T], now=NOW).days_rolled_up < 10
        rows = project.warehouse.table("events")
        assert project.warehouse.count(rows.filter(rows.event_id == "late")) == 1
