"""A vendor's tables in a DuckDB file of the company give what the same tables give as files."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from engines.company import PLAYBOOK, arrow
from engines.vendors import SAMPLES, a_company, section, stored, vendor_tables
from handraise.errors import InputError, PlaybookError
from handraise.events.registry import FORMATS
from handraise.playbook.connection import FORMAT_TABLES
from handraise.playbook.load import parse_playbook
from handraise.service import project as projects
from handraise.service.aside import quarantined
from support import NOW, T, export_bytes, load_folder, memory_project


def put(file: Path, schema: str, tables: dict[str, pa.Table]) -> None:
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for name, rows in tables.items():
            connection.register("given", rows)
            connection.execute(f'CREATE OR REPLACE TABLE {schema}."{name}" AS FROM given')
            connection.unregister("given")


def project_in(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "handraise.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir()))
def test_every_format_gives_the_inputs_that_its_files_give(name: str, tmp_path: Path) -> None:
    put(tmp_path / "theirs.duckdb", "app", vendor_tables(name, SAMPLES / name))
    folder = project_in(tmp_path / "p", section(name, "duckdb", "app", {}))
    with projects.open_project(folder, environment={"OURS": str(tmp_path / "theirs.duckdb")}) as project:
        counts = projects.read_sources(project)
        found = stored(project)
    assert all(c.read == c.loaded + c.duplicate + c.quarantined for c in counts)
    assert {c.format for c in counts} == {name}
    with memory_project() as project:
        load_folder(project, SAMPLES / name)
        assert found == stored(project)
    assert found["events"]


def test_a_vendors_tables_may_be_named_one_by_one(tmp_path: Path) -> None:
    put(tmp_path / "theirs.duckdb", "app", vendor_tables("segment", SAMPLES / "segment"))
    named = "tracks: app.tracks, event: [app.teammate_invited], users: app.users"
    put(tmp_path / "theirs.duckdb", "app", {"orders": pa.table({"id": ["1"], "price": ["2"]})})
    listed = f"sources: {{product: {{format: segment, tables: {{{named}}}}}}}"
    folder = project_in(tmp_path / "p", f"warehouse: {{engine: duckdb, connection: OURS, {listed}}}")
    with projects.open_project(folder, environment={"OURS": str(tmp_path / "theirs.duckdb")}) as project:
        counts = {count.input: count for count in projects.read_sources(project)}
    assert set(counts) == {"events", "people"}
    assert (counts["events"].read, counts["events"].loaded) == (4, 3)
    assert counts["events"].file == "app.tracks and 1 more"
    wrong = project_in(tmp_path / "wrong", (folder / "handraise.yaml").read_text().replace("app.users", "app.orders"))
    with (
        projects.open_project(wrong, environment={"OURS": str(tmp_path / "theirs.duckdb")}) as project,
        pytest.raises(InputError, match="has not the columns of 'users' of segment"),
    ):
        projects.read_sources(project)
    other = project_in(tmp_path / "other", section("snowplow", "duckdb", "app", {}))
    with (
        projects.open_project(other, environment={"OURS": str(tmp_path / "theirs.duckdb")}) as project,
        pytest.raises(InputError, match="the schema 'app' has no table of snowplow"),
    ):
        projects.read_sources(project)


def test_segment_scores_are_those_of_the_files_and_bad_rows_name_their_table(tmp_path: Path) -> None:
    files, canonical = a_company("segment", tmp_path / "files")
    tables = vendor_tables("segment", files)
    theirs = tmp_path / "theirs.duckdb"
    put(theirs, "app", tables)
    put(theirs, "main", {name: arrow(rows) for name, rows in canonical.items()})
    folder = project_in(tmp_path / "p", PLAYBOOK + section("segment", "duckdb", "app", canonical))
    with projects.open_project(folder, environment={"OURS": str(theirs)}) as project:
        projects.read_sources(project)
        projects.refresh(project, [T], now=NOW)
        found = export_bytes(project)
    with memory_project(PLAYBOOK) as project:
        load_folder(project, files)
        projects.refresh(project, [T], now=NOW)
        assert found == export_bytes(project)
    # A row without anybody comes into one of the tables, on a day of its own.
    nobody = {**tables["export"].to_pylist()[0], "id": "nobody", "user_id": "", "anonymous_id": ""}
    nobody["timestamp"] = "2026-01-02 03:04:05+00:00"
    with duckdb.connect(str(theirs)) as connection:
        connection.register("given", pa.Table.from_pylist([nobody], schema=tables["export"].schema))
        connection.execute("INSERT INTO app.export FROM given")
    with projects.open_project(folder, environment={"OURS": str(theirs)}) as project:
        events = next(count for count in projects.read_sources(project) if count.input == "events")
        assert (events.read, events.quarantined) == (1, 1)
        [aside] = quarantined(project, 5)[0]
        assert (aside["file"], aside["reason"]) == ("app.export 2026-01-02", "person_id or anonymous_id is missing")
    with duckdb.connect(str(theirs)) as connection:
        connection.execute("DELETE FROM app.export WHERE id = 'nobody'")
    with projects.open_project(folder, environment={"OURS": str(theirs)}) as project:
        projects.read_sources(project)
        assert quarantined(project, 5)[1] == 0


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ("{product: {format: segment}}", "either `tables` or `schema`"),
        ("{product: {format: segment, schema: a, tables: {tracks: b}}}", "either `tables` or `schema`"),
        ("{product: {format: segment, tables: {trakcs: b}}}", "Did you mean 'tracks'"),
        ("{product: {format: segmnt, schema: a}}", "warehouse.sources.product.format: .*'segment'"),
        ("{product: {format: segment, shcema: a}}", "Did you mean 'schema'"),
        ("{evnts: a.events, product: {format: ga4, schema: a}}", "Did you mean 'events'"),
    ],
)
def test_what_is_written_wrong_is_said(sources: str, said: str) -> None:
    with pytest.raises(PlaybookError, match=said):
        parse_playbook(f"warehouse: {{engine: duckdb, connection: X, sources: {sources}}}", name="h.yaml", path=None)


def test_the_playbook_knows_every_format() -> None:
    assert set(FORMAT_TABLES) == {known.name for known in FORMATS}
