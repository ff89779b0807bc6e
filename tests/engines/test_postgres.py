"""Postgres gives the bytes that DuckDB gives, also from tables that stay where they are."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

psycopg = pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")

from pyarrow import csv  # noqa: E402

from engines.company import PLAYBOOK, arrow, company, edges_of  # noqa: E402
from handraise.errors import BusyError, InputError, PlaybookError, ProjectError  # noqa: E402
from handraise.playbook.load import parse_playbook  # noqa: E402
from handraise.service import project as projects  # noqa: E402
from handraise.service.aside import quarantined  # noqa: E402
from handraise.service.doctor import examine  # noqa: E402
from handraise.service.explain import explain  # noqa: E402
from support import DAY, NOW, T, Tables, ev, export_bytes, load_folder, memory_project, write  # noqa: E402

EARLIER = T - 20 * DAY


@pytest.fixture
def schema(request: pytest.FixtureRequest, postgres: str) -> Iterator[str]:
    """A schema of the company's own for each test."""
    name = f"own_{abs(hash(request.node.name))}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        yield name
        connection.execute(f"DROP SCHEMA {name} CASCADE")
        connection.execute(f"DROP SCHEMA IF EXISTS {name}_hr CASCADE")


def put(address: str, schema: str, tables: Tables) -> None:
    """Tables of the company: times as timestamptz and properties as jsonb, as products store them."""
    kinds = {"timestamp": "timestamptz", "created_at": "timestamptz", "properties": "jsonb"}
    with psycopg.connect(address, autocommit=True) as connection:
        for name, rows in tables.items():
            data = arrow(rows)
            columns = ", ".join(f'"{c}" {kinds.get(c, "text")}' for c in data.column_names)
            connection.execute(f"DROP TABLE IF EXISTS {schema}.{name}")
            connection.execute(f"CREATE TABLE {schema}.{name} ({columns})")
            lines = io.BytesIO()
            csv.write_csv(data, lines, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
            with connection.cursor().copy(f"COPY {schema}.{name} FROM STDIN (FORMAT csv)") as copy:
                copy.write(lines.getvalue())


def section(schema: str, tables: Tables) -> str:
    sources = "".join(f"    {name}: {{table: {schema}.{name}}}\n" for name in tables)
    return f"{PLAYBOOK}\nwarehouse:\n  engine: postgres\n  connection: OUR_DB\n  schema: {schema}_hr\n  sources:\n{sources}"


def project_of(folder: Path, schema: str, tables: Tables) -> Path:
    folder.mkdir()
    (folder / "handraise.yaml").write_text(section(schema, tables), encoding="utf-8")
    return folder


def refreshed(folder: Path, address: str) -> tuple[dict[str, bytes], int]:
    """The exports after a refresh, and how many days it rolled up."""
    with projects.open_project(folder, environment={"OUR_DB": address}) as project:
        projects.read_sources(project)
        done = projects.refresh(project, [EARLIER, T], now=NOW)
        return {**export_bytes(project), "history": history(project)}, done.days_rolled_up


def history(project: projects.Project) -> bytes:
    rows = project.warehouse.table("account_history").order_by("as_of", "account_id")
    return str(project.warehouse.rows(rows).to_pylist()).encode()


def by_file(folder: Path, tables: Tables) -> dict[str, bytes]:
    """The exports of the same company loaded from files into DuckDB."""
    with memory_project(PLAYBOOK) as project:
        load_folder(project, write(folder, tables))
        projects.refresh(project, [EARLIER, T], now=NOW)
        return {**export_bytes(project), "history": history(project)}


def test_the_same_triggers_fire(postgres: str, schema: str, tmp_path: Path) -> None:
    tables = company()
    put(postgres, schema, tables)
    folder = project_of(tmp_path / "p", schema, tables)
    with projects.open_project(folder, environment={"OUR_DB": postgres}) as project:
        projects.read_sources(project)
        projects.refresh(project, [EARLIER, T], now=NOW)
        found = edges_of(project)
    with memory_project(PLAYBOOK) as project:
        load_folder(project, write(tmp_path / "files", tables))
        projects.refresh(project, [EARLIER, T], now=NOW)
        assert edges_of(project) == found
    assert {row["trigger"] for row in found["fired"]} >= {"became_warm", "team_growing", "marketing_lead"}
    assert {row["is_recent"] for row in found["acting_leads"]} == {True, False}
    candidates = {row["account_id"] for row in found["acting_accounts"]}
    assert {row["account_id"] in candidates for row in found["acting_touches"]} == {True, False}
    assert {row["has_usage"] for row in found["acting_accounts"]} == {True, False}
    assert found["ended"] == [{"trigger": "became_hot", "account_id": "gone", "person_id": ""}]


def fingerprint(address: str, schema: str) -> object:
    """Everything that another program could see of the company's own schema."""
    with psycopg.connect(address) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY 1", [schema]
        ).fetchall()
        return [
            (
                name,
                connection.execute(
                    f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {schema}.{name} t"  # noqa: S608
                ).fetchall(),
            )
            for (name,) in tables
        ]


def test_the_same_company_in_postgres_tables_and_in_files(postgres: str, schema: str, tmp_path: Path) -> None:
    tables = company()
    put(postgres, schema, tables)
    untouched = fingerprint(postgres, schema)
    folder = project_of(tmp_path / "p", schema, tables)
    found, days = refreshed(folder, postgres)
    assert days > 50
    assert found == by_file(tmp_path / "files", tables)
    assert fingerprint(postgres, schema) == untouched
    # Nothing changed: nothing is rolled up, and the same comes out.
    again, days = refreshed(folder, postgres)
    assert (again, days) == (found, 0)
    # A correction, a late event, a deletion of a copy that stood, and a new day: only these days are made anew.
    late = {**ev("export", 33 * DAY, "p1", "w1"), "event_id": "late"}
    new = {**ev("invite_sent", DAY / 4, "p2", "w2"), "event_id": "new"}
    gone = tables["events"][0]["event_id"]
    kept = [row for row in tables["events"] if row["event_id"] != gone]
    rest = [row for row in tables["events"] if row["event_id"] == gone][1:]
    corrected = [{**kept[0], "name": "limit_reached"}, *kept[1:]]
    changed = {**tables, "events": [*corrected, *rest, late, new]}
    put(postgres, schema, changed)
    found, days = refreshed(folder, postgres)
    assert 0 < days < 30
    assert found == by_file(tmp_path / "files_now", changed)


KILLED = """
import os, signal, sys
from pathlib import Path
from handraise.service import project as projects
from support import NOW, T
steps = int(sys.argv[3])
with projects.open_project(Path(sys.argv[1]), environment={"OUR_DB": sys.argv[2]}) as project:
    def count(step):
        global steps
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    project.warehouse.on_step = count
    projects.read_sources(project)
    projects.refresh(project, [T], now=NOW)
"""


@pytest.mark.parametrize("steps", [30, 75])
def test_a_kill_leaves_a_state_from_which_the_next_run_is_right(
    postgres: str, schema: str, tmp_path: Path, steps: int
) -> None:
    tables = company(count=60)
    put(postgres, schema, tables)
    folder = project_of(tmp_path / "p", schema, tables)
    paths = os.pathsep.join([str(Path(projects.__file__).parents[2]), str(Path(__file__).parents[1])])
    run = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", KILLED, str(folder), postgres, str(steps)],
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    assert run.returncode == -signal.SIGKILL
    found, _ = refreshed(folder, postgres)
    assert found == by_file(tmp_path / "files", tables)


def test_what_is_said_when_something_is_wrong(postgres: str, schema: str, tmp_path: Path) -> None:
    tables = company(count=20)
    bad = [{**ev("open"), "event_id": f"bad{n}", "person_id": ""} for n in range(30)]
    put(postgres, schema, {**tables, "events": [*tables["events"], *bad]})
    folder = project_of(tmp_path / "p", schema, tables)
    with pytest.raises(ProjectError, match="'OUR_DB' is not set"), projects.open_project(folder):
        pass
    with projects.open_project(folder, environment={"OUR_DB": postgres}) as project:
        with (
            pytest.raises(BusyError, match="another process works in the schema"),
            projects.open_project(folder, environment={"OUR_DB": postgres}),
        ):
            pass
        with pytest.raises(ProjectError, match="reads its data from your warehouse"):
            projects.load(project, [tmp_path])
        (events, *_) = projects.read_sources(project)
        assert events.quarantined == 30
        assert events.read == events.loaded + events.duplicate + 30
        shown, kept = quarantined(project, 3)
        assert (kept, shown[0]["reason"]) == (20, "person_id or anonymous_id is missing")
        projects.refresh(project, [T], now=NOW)
        assert any("Postgres 1" in check.found for check in examine(project, NOW))
        assert explain(project, "p1", as_of=T, against=EARLIER, now=NOW, language="en")
    ours = fingerprint(postgres, f"{schema}_hr")
    with projects.open_project(folder, environment={"OUR_DB": postgres}, read_only=True) as project:
        assert projects.refresh(project, [EARLIER], now=NOW).people
    assert fingerprint(postgres, f"{schema}_hr") == ours
    put(postgres, schema, {"events": [{"event_id": "1", "name": "x", "person_id": "p"}]})
    with (
        projects.open_project(folder, environment={"OUR_DB": postgres}) as project,
        pytest.raises(InputError, match="'timestamp'"),
    ):
        projects.read_sources(project)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            "{engine: postgres, connection: 'postgresql://me:secret@host', sources: {events: e}}",
            "name of an environment",
        ),
        ("{engine: postgres, connection: X, sources: {people: p}}", "needs `events`"),
        ("{engine: postgres, connection: X, sources: {event: e}}", "Did you mean .events"),
        ("{engine: postgres, connection: X, sources: {events: {tabel: e}}}", "Did you mean 'table'"),
        ("{engine: postgres, conection: X, sources: {events: e}}", "Did you mean 'connection'"),
        ("{engine: mysql, connection: X, sources: {events: e}}", "engine"),
        ("{engine: spark, connection: X, sources: {events: {table: a, query: b}}}", "either `table` or `query`"),
    ],
)
def test_the_section_is_checked(wrong: str, said: str) -> None:
    with pytest.raises(PlaybookError, match=said):
        parse_playbook(f"warehouse: {wrong}", name="handraise.yaml", path=None)


def test_where_scores_are_made_is_no_part_of_the_playbooks_name(schema: str) -> None:
    with_it = parse_playbook(section(schema, {"events": []}), name="handraise.yaml", path=None)
    without = parse_playbook(PLAYBOOK, name="handraise.yaml", path=None)
    assert with_it.content_hash == without.content_hash
