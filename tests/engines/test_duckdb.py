"""Warehouse mode on a DuckDB file of the company, which is only read."""

from pathlib import Path

import duckdb

from engines.company import PLAYBOOK, arrow, company
from handraise.service import project as projects
from support import DAY, NOW, T, Tables, ev, export_bytes, load_folder, memory_project, write


def put(file: Path, tables: Tables) -> None:
    """Tables of the company; those of its events may be read through a query."""
    with duckdb.connect(str(file)) as connection:
        for name, rows in tables.items():
            connection.register("given", arrow(rows))
            connection.execute(f"CREATE OR REPLACE TABLE {name}_of_ours AS FROM given")
            connection.unregister("given")


def test_the_same_company_in_another_duckdb_file_and_in_files(tmp_path: Path) -> None:
    tables = company(count=60)
    theirs = tmp_path / "theirs.duckdb"
    put(theirs, tables)
    folder = tmp_path / "p"
    folder.mkdir()
    listed = "".join(f"    {name}: {name}_of_ours\n" for name in tables if name != "events")
    (folder / "handraise.yaml").write_text(
        f"{PLAYBOOK}\nwarehouse:\n  engine: duckdb\n  connection: OUR_FILE\n  sources:\n"
        f"    events: {{query: from events_of_ours}}\n{listed}",
        encoding="utf-8",
    )
    late = {**ev("export", 33 * DAY, "p1", "w1"), "event_id": "late"}
    for number, now in enumerate((tables, {**tables, "events": [*tables["events"][1:], late]})):
        put(theirs, now)
        untouched = theirs.read_bytes()
        with projects.open_project(folder, environment={"OUR_FILE": str(theirs)}) as project:
            projects.read_sources(project)
            days = projects.refresh(project, [T], now=NOW).days_rolled_up
            found = export_bytes(project)
        assert (days > 30) == (number == 0)
        assert theirs.read_bytes() == untouched
        with memory_project(PLAYBOOK) as project:
            load_folder(project, write(tmp_path / f"files{number}", now))
            projects.refresh(project, [T], now=NOW)
            assert found == export_bytes(project)
