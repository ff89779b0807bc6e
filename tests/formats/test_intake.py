"""Formats on their way in: which one a file is taken for, bad rows, replay, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handraise.errors import InputError
from handraise.events.formats.protocol import Source
from handraise.events.intake import FileCount
from handraise.events.registry import FORMATS, detect
from handraise.events.sources import find_files, survey
from handraise.service import project as projects
from handraise.service.aside import replay
from handraise.service.project import Project
from support import load_folder, memory_project

POSTHOG = {"uuid": "1", "event": "open", "distinct_id": "p", "timestamp": "2026-09-01T00:00:00Z", "properties": {}}


def ndjson(path: Path, *rows: object) -> Path:
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def by_input(counts: list[FileCount]) -> dict[str, tuple[int, int, int, int]]:
    return {c.input: (c.read, c.loaded, c.duplicate, c.quarantined) for c in counts}


def test_a_bad_row_keeps_what_its_file_said_and_can_be_replayed(tmp_path: Path) -> None:
    bad = {**POSTHOG, "uuid": "2", "timestamp": "soon", "elements_chain": "div.x"}
    identify = {**POSTHOG, "uuid": "3", "event": "$identify", "timestamp": "later",
                "properties": {"$anon_distinct_id": "a", "$set": {"email": "p@x.com", "created_at": "never"}}}  # fmt: skip
    path = ndjson(tmp_path / "export.ndjson", POSTHOG, bad, identify, "{broken")
    with memory_project() as project:
        found = by_input(load_folder(project, path))
        assert found == {
            "events": (3, 1, 0, 2),
            "people": (1, 0, 0, 1),
            "aliases": (1, 0, 0, 1),
            "workspaces": (0, 0, 0, 0),
            "accounts": (0, 0, 0, 0),
        }
        rows = project.warehouse.rows(project.warehouse.table("quarantine").order_by("input", "line")).to_pylist()
        assert [(r["input"], r["line"], r["format"], r["format_table"]) for r in rows] == [
            ("aliases", 3, "posthog", "events"),
            ("events", 2, "posthog", "events"),
            ("events", 4, "posthog", "events"),
            ("people", 3, "posthog", "events"),
        ]
        assert [r["reason"].partition(":")[0].partition(" ")[0] for r in rows] == [
            "at",
            "timestamp",
            "the",
            "created_at",
        ]
        assert json.loads(rows[1]["raw"])["elements_chain"] == "div.x"
        replay(project)
        again = project.warehouse.rows(project.warehouse.table("quarantine").order_by("input", "line")).to_pylist()
        assert again == rows


def test_replay_takes_in_what_is_good_by_now_through_the_same_format(tmp_path: Path) -> None:
    path = ndjson(tmp_path / "export.ndjson", {**POSTHOG, "timestamp": "soon", "properties": {"workspace_id": "w"}})
    with memory_project() as project:
        load_folder(project, path)
        [row] = project.warehouse.rows(project.warehouse.table("quarantine")).to_pylist()
        mended = {**row, "raw": row["raw"].replace("soon", "2026-09-01T00:00:00Z")}
        schema = project.warehouse.table("quarantine").schema().to_pyarrow()
        project.warehouse.empty("quarantine")
        held = project.warehouse.hold("x", pa.Table.from_pylist([mended], schema=schema))
        project.warehouse.insert("quarantine", held)
        [count] = replay(project)
        assert (count.read, count.loaded, count.quarantined) == (1, 1, 0)
        [event] = project.warehouse.rows(project.warehouse.table("events")).to_pylist()
        assert (event["event_id"], event["person_id"], event["workspace_id"]) == ("1", "p", "w")


def test_loading_again_brings_nothing_new(tmp_path: Path) -> None:
    path = ndjson(tmp_path / "export.ndjson", POSTHOG, {**POSTHOG, "uuid": "2"})
    with memory_project() as project:
        load_folder(project, path)
        again = by_input(load_folder(project, path))
    assert again["events"] == (2, 0, 2, 0)


def test_signals_are_blind_without_values_even_where_a_format_could_carry_them(tmp_path: Path) -> None:
    said = {**POSTHOG, "event": "$set", "properties": {"$set": {"email": "p@x.com"}}}
    with memory_project() as project:
        load_folder(project, ndjson(tmp_path / "export.ndjson", POSTHOG, said))
        blind = projects.blind_now(project)
    assert "departments" in blind
    assert "same_domain_people" not in blind


def test_a_file_that_nobody_knows_is_listed_in_a_folder_and_refused_when_named(tmp_path: Path) -> None:
    ndjson(tmp_path / "export.ndjson", POSTHOG)
    odd = tmp_path / "odd.csv"
    odd.write_text("colour,size\nred,7\n")
    assert survey([tmp_path]).passed_over == [odd]
    with pytest.raises(InputError, match=r"its columns \(colour, size\)") as refusal:
        find_files([odd])
    assert "posthog" in refusal.value.todo
    with pytest.raises(InputError, match="are not those of amplitude"):
        find_files([tmp_path / "export.ndjson"], only="amplitude")


def test_a_format_can_be_asked_for(tmp_path: Path) -> None:
    both = {"uuid": "1", "event": "e", "distinct_id": "p", "properties": {}, "timestamp": "2026-09-01",
            "event_type": "e", "event_time": "2026-09-01", "user_id": "p", "event_properties": {}}  # fmt: skip
    path = ndjson(tmp_path / "x.ndjson", both)
    assert [file.format for file in find_files([path])] == ["posthog"]
    assert [file.format for file in find_files([path], only="amplitude")] == ["amplitude"]


def test_canonical_names_and_columns_stay_canonical(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text("event_id,person_id,name,timestamp\n1,p,open,2026-10-01\n")
    (tmp_path / "anything.csv").write_text("event_id,person_id,name,timestamp\n2,p,open,2026-10-01\n")
    (tmp_path / "people.csv").write_text("user,email\np,a@x.com\n")
    files = find_files([tmp_path], renames={"people": {"person_id": "user"}})
    assert {(file.path.name, file.format, file.table) for file in files} == {
        ("events.csv", "canonical", "events"),
        ("anything.csv", "canonical", "events"),
        ("people.csv", "canonical", "people"),
    }


CONNECTOR_LAYOUTS = {
    "amplitude_event_data": "device_id,id,server_upload_time,_fivetran_synced,_insert_id,event_properties,event_time,"
    "event_type,group_properties,groups,user_id,user_properties,uuid",
    "event": "_file,_line,_fivetran_id,event_id,name,time,distinct_id,properties,insert_id,mp_processing_time_ms",
    "example_segment_pages": "id,anonymous_id,user_id,received_at,sent_at,timestamp,url,path,title,search,referrer",
}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("amplitude_event_data", ("amplitude", "events")),
        ("event", ("mixpanel", "event")),
        ("example_segment_pages", ("segment", "pages")),
    ],
)
def test_the_layouts_of_connectors_are_known(name: str, found: tuple[str, str]) -> None:
    columns = tuple(CONNECTOR_LAYOUTS[name].split(","))
    assert detect(Source(name=name, folder="", columns=columns)) == found


TEXTS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(["{", "[]", "{}", '{"a":1}', "null", "1e400", "-1", "9" * 30, "NaN"]),
)
ROWS = {
    "posthog": ("uuid", "event", "distinct_id", "timestamp", "properties", "person_id"),
    "amplitude": (
        "uuid",
        "event_type",
        "event_time",
        "user_id",
        "device_id",
        "event_properties",
        "user_properties",
        "groups",
    ),
    "mixpanel": ("event", "properties"),
    "snowplow": ("event_id", "collector_tstamp", "event", "unstruct_event", "contexts", "contexts_com_x_1", "user_id"),
    "ga4": ("event_name", "event_timestamp", "user_pseudo_id", "event_params", "user_properties", "user_id"),
    "segment": (
        "id",
        "received_at",
        "event",
        "user_id",
        "anonymous_id",
        "context_ip",
        "timestamp",
        "employees",
        "SELECT",
    ),
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Project]:
    """One project for many small files."""
    with memory_project() as project:
        yield project


@pytest.mark.parametrize("name", ROWS)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_the_cells_hold_every_row_is_counted(
    name: str, shared: Project, tmp_path: Path, data: st.DataObject
) -> None:
    columns = ROWS[name]
    rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, TEXTS)), min_size=10, max_size=25))
    # The first row has every column, so that the file is known for what it is.
    path = ndjson(tmp_path / "export.ndjson", dict.fromkeys(columns, "x"), *rows)
    counts = load_folder(shared, path)
    assert {count.format for count in counts} == {name}
    for count in counts:
        assert count.read == count.loaded + count.duplicate + count.quarantined + count.passed_over
    assert sum(count.read for count in counts if count.input in {"events", "none"}) >= len(rows)


def test_formats_are_told_apart_by_columns_and_have_names_of_their_own() -> None:
    assert len({known.name for known in FORMATS}) == len(FORMATS)
    assert detect(Source(name="tracks", folder="", columns=("a", "b"))) is None
