"""Every odd row: typed as meant, or set aside with its line and reason; the counts always add up."""

import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.loading import BAD, GOOD, HEAD, load_text, reasons, stored
from handraise.events.formats.csv_file import read_csv
from handraise.service.project import Project
from support import load_folder


@pytest.mark.parametrize("title", BAD)
def test_a_bad_row_is_set_aside_with_its_line_and_reason_and_the_rest_loads(
    title: str, project: Project, tmp_path: Path
) -> None:
    row, reason = BAD[title]
    count = load_text(project, tmp_path, f"{HEAD}\n{GOOD}\n{row}\n2,q,open,2026-10-02\n")
    assert (count.read, count.loaded, count.quarantined) == (3, 2, 1)
    [(line, said)] = reasons(project)
    assert line == 3
    assert said.startswith(reason)
    [kept] = project.warehouse.rows(project.warehouse.table("quarantine")).to_pylist()
    assert (kept["input"], kept["file"]) == ("events", str(tmp_path / "events.csv"))
    assert json.loads(kept["raw"])


@pytest.mark.parametrize(
    ("file", "head", "row", "reason"),
    [
        ("events", HEAD + ",properties", "1,p,open,2026-10-01,{broken", "properties is not a JSON object"),
        ("events", HEAD + ",properties", "1,p,open,2026-10-01,[1]", "properties is not a JSON object"),
        ("events", HEAD + ",properties", "1,p,open,2026-10-01,7", "properties is not a JSON object"),
        ("events", HEAD + ",received_at", "1,p,open,2026-10-01,soon", "received_at is not an ISO-8601 time"),
        ("people", "person_id,created_at", "p,soon", "created_at is not an ISO-8601 time"),
        ("accounts", "account_id,employees", "a,many", "employees is not a whole number of 0 or more: many"),
        ("accounts", "account_id,employees", "a,-5", "employees is not a whole number"),
        ("accounts", "account_id,employees", "a,nan", "employees is not a whole number"),
        ("accounts", "account_id,icp", "a,maybe", "icp is neither true nor false: maybe"),
        ("limits", "account_id,metric,used,quota,measured_at", "a,seats,x,5,2026-10-01", "used is not a number: x"),
        ("limits", "account_id,metric,used,quota,measured_at", "a,seats,1,inf,2026-10-01", "quota is not a number"),
        (
            "limits",
            "account_id,metric,used,quota,measured_at",
            ",seats,1,5,2026-10-01",
            "account_id or workspace_id is missing",
        ),
    ],
)
def test_a_bad_cell_names_its_column(
    file: str, head: str, row: str, reason: str, project: Project, tmp_path: Path
) -> None:
    assert load_text(project, tmp_path, f"{head}\n{row}\n", f"{file}.csv").quarantined == 1
    [(line, said)] = reasons(project)
    assert (line, said[: len(reason)]) == (2, reason)
    assert stored(project, file) == []


TIMES = {
    "2026-10-01T10:00:00Z": (10, 0, 0, 0),
    "2026-10-01T10:00:00": (10, 0, 0, 0),
    "2026-10-01 10:00:00": (10, 0, 0, 0),
    "2026-10-01T10:00:00+02:00": (8, 0, 0, 0),
    "2026-10-01T10:00:00+0200": (8, 0, 0, 0),
    "2026-10-01T10:00:00+02": (8, 0, 0, 0),
    "2026-10-01T10:00:00-05:30": (15, 30, 0, 0),
    "2026-10-01T10:00:00 UTC": (10, 0, 0, 0),
    "2026-10-01T10:00": (10, 0, 0, 0),
    "2026-10-01": (0, 0, 0, 0),
    "2026-10-01T10:00:00.5Z": (10, 0, 0, 500_000),
    "2026-10-01T10:00:00.123456Z": (10, 0, 0, 123_456),
    "2026-10-01T23:59:59.999999999Z": (23, 59, 59, 999_999),
    "2026-10-01T23:59:59.999999999+00:00": (23, 59, 59, 999_999),
    " 2026-10-01T10:00:00Z ": (10, 0, 0, 0),
}


@pytest.mark.parametrize("text", TIMES)
def test_times_become_utc_to_the_microsecond(text: str, project: Project, tmp_path: Path) -> None:
    assert load_text(project, tmp_path, f"{HEAD}\n1,p,open,{text}\n").loaded == 1
    [row] = stored(project)
    assert row["timestamp"] == datetime(2026, 10, 1, *TIMES[text])  # noqa: DTZ001 - stored as UTC without zone


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([datetime(2026, 10, 1, 10, tzinfo=UTC)], pa.timestamp("us", "UTC"), datetime(2026, 10, 1, 10)),  # noqa: DTZ001
        ([datetime(2026, 10, 1, 10, tzinfo=timezone(timedelta(hours=2)))], pa.timestamp("ms", "Europe/Paris"),
         datetime(2026, 10, 1, 8)),  # noqa: DTZ001
        ([datetime(2026, 10, 1, 10)], pa.timestamp("s"), datetime(2026, 10, 1, 10)),  # noqa: DTZ001
        ([1_790_812_799_999_999_999], pa.timestamp("ns"), datetime(2026, 9, 30, 23, 59, 59, 999_999)),  # noqa: DTZ001
        ([date(2026, 10, 1)], pa.date32(), datetime(2026, 10, 1)),  # noqa: DTZ001
        (["2026-10-01T10:00:00+02:00"], pa.string(), datetime(2026, 10, 1, 8)),  # noqa: DTZ001
        (["2026-10-01"], pa.dictionary(pa.int8(), pa.string()), datetime(2026, 10, 1)),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_times_of_parquet(
    values: list[Any], kind: pa.DataType, expected: datetime, project: Project, tmp_path: Path
) -> None:
    columns = {"event_id": pa.array(["1"]), "anonymous_id": pa.array(["a"]), "name": pa.array(["open"])}
    pq.write_table(pa.table({**columns, "timestamp": pa.array(values, kind)}), tmp_path / "events.parquet")
    assert load_folder(project, tmp_path)[0].loaded == 1
    assert stored(project)[0]["timestamp"] == expected


def test_numbers_and_flags_of_ndjson_and_parquet_are_read_as_such(project: Project, tmp_path: Path) -> None:
    rows = [{"account_id": 17, "employees": 50, "icp": True}, {"account_id": "18", "employees": 50.0, "icp": "No"},
            {"account_id": "19", "employees": None, "icp": None}]  # fmt: skip
    (tmp_path / "accounts.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    load_folder(project, tmp_path)
    found = [(row["account_id"], row["employees"], row["icp"]) for row in stored(project, "accounts")]
    assert found == [("17", 50, True), ("18", 50, False), ("19", None, None)]
    project.warehouse.empty("accounts")
    table = pa.table({"account_id": [17, 18], "employees": [50.0, None], "icp": [True, False]})
    pq.write_table(table, tmp_path / "accounts.parquet")
    load_folder(project, tmp_path / "accounts.parquet")
    found = [(row["account_id"], row["employees"], row["icp"]) for row in stored(project, "accounts")]
    assert found == [("17", 50, True), ("18", None, False)]


def test_a_fraction_of_an_employee_is_set_aside(project: Project, tmp_path: Path) -> None:
    (tmp_path / "accounts.ndjson").write_text('{"account_id": "18", "employees": 49.6}\n')
    load_folder(project, tmp_path)
    assert reasons(project) == [(1, "employees is not a whole number of 0 or more: 49.6")]
    assert stored(project, "accounts") == []


def test_a_line_of_ndjson_that_is_no_object_is_set_aside(project: Project, tmp_path: Path) -> None:
    good = json.dumps({"event_id": "1", "person_id": "p", "name": "open", "timestamp": "2026-10-01"})
    odd = good.replace('"1"', '"2"')[:-1] + ', "properties": {"n": NaN, "s": "\\ud800"}}'
    lines = [good, "{broken", "[1]", '"text"', "7", "", "null", odd, good.replace('"1"', '"3"')]
    count = load_text(project, tmp_path, "\n".join(lines), "events.ndjson")
    assert (count.read, count.loaded, count.quarantined) == (8, 3, 5)
    assert [line for line, _ in reasons(project)] == [2, 3, 4, 5, 7]


def test_a_quoted_field_may_hold_newlines_and_lines_keep_their_numbers(project: Project, tmp_path: Path) -> None:
    text = f'{HEAD},properties\n1,p,"open\nsaid ""she""\r\n",2026-10-01,"{{""feature"": ""a,b""}}"\n2,p,open,bad,\n'
    count = load_text(project, tmp_path, text)
    assert (count.loaded, count.quarantined) == (1, 1)
    assert reasons(project)[0][0] == 5
    [row] = stored(project)
    assert row["name"] == 'open\nsaid "she"\r\n'
    assert json.loads(row["properties"]) == {"feature": "a,b"}


def test_two_broken_quotes_cost_two_rows_and_not_those_between(project: Project, tmp_path: Path) -> None:
    broken = ['8,p,5" screen,2026-10-01', '9,p,"open,2026-10-01']
    between = [f"{n},p,open,2026-10-01" for n in range(1, 5)]
    count = load_text(project, tmp_path, "\n".join([HEAD, broken[0], *between, broken[1], "7,p,open,2026-10-01", ""]))
    assert [row["event_id"] for row in stored(project) if row["event_id"] in "12347"] == ["1", "2", "3", "4", "7"]
    assert count.read == 7


def test_bytes_that_are_no_text_cost_their_row_only(project: Project, tmp_path: Path) -> None:
    text = f"{HEAD}\n1,p,open,2026-10-01\n2,p,caf\xe9,2026-10-01\n3,p,caf".encode("latin-1") + "é,2026-10-01\n".encode()
    count = load_text(project, tmp_path, text)
    assert (count.loaded, reasons(project)) == (2, [(3, "the row is not valid UTF-8 text")])


def test_a_null_character_is_set_aside_and_a_very_long_field_is_text(project: Project, tmp_path: Path) -> None:
    """Not every engine and not every system behind us can keep a null character."""
    count = load_text(project, tmp_path, f"{HEAD}\n1,p,{'x' * 300_000},2026-10-01\n2,p,a\0b,2026-10-01\n")
    assert (count.loaded, count.quarantined) == (1, 1)
    assert reasons(project) == [(3, "the row has a NUL character")]


@pytest.mark.parametrize("name", ["_line", "_reason", "_given_timestamp", "", 'a "b"', "Name", "it's"])
def test_a_column_of_any_name_does_not_get_in_the_way(name: str, project: Project, tmp_path: Path) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    assert load_text(project, tmp_path, f"{HEAD},{quoted}\n{GOOD},x\n").loaded == 1
    line = json.dumps({"event_id": "2", "person_id": "p", "name": "open", "timestamp": "2026-10-01", name: 5})
    assert load_text(project, tmp_path, line, "events.ndjson").loaded == 1


def test_a_field_that_is_too_long_costs_its_row_only(project: Project, tmp_path: Path) -> None:
    half = "x" * 9_000_000
    text = f'{HEAD}\n1,p,open,2026-10-01\n2,p,"{half}\n{half}",2026-10-01\n3,p,open,2026-10-01\n'
    assert load_text(project, tmp_path, text).loaded >= 2
    assert {row["event_id"] for row in stored(project)} >= {"1", "3"}


def test_a_carriage_return_inside_a_row_costs_that_row_only(project: Project, tmp_path: Path) -> None:
    text = f'{HEAD}\n1,p,open,2026-10-01\n2,p,5"\r",2026-10-01\n3,p,open,2026-10-01\n'
    load_text(project, tmp_path, text)
    assert {row["event_id"] for row in stored(project)} >= {"1", "3"}


def test_columns_nobody_knows_are_left_out_and_missing_ones_are_empty(project: Project, tmp_path: Path) -> None:
    load_text(project, tmp_path, f"colour,{HEAD}\nred,{GOOD}\n")
    [row] = stored(project)
    assert row["workspace_id"] is None
    assert "colour" not in row


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet='",\n\r\0 ab', max_size=60))
def test_no_text_breaks_the_reader_and_no_line_is_read_twice(text: str) -> None:
    found = list(read_csv(io.StringIO(f"a,b\n{text}", newline=""), name="x", share_read=lambda: 1.0))
    lines = [n for batch in found for n in batch.rows["_line"].to_pylist()]
    lines += [b.line for batch in found for b in batch.broken]
    assert len(lines) == len(set(lines))
    assert len(lines) <= text.count("\n") + text.count("\r") + 1


ROWS = st.one_of(
    st.tuples(st.just("good"), st.integers(0, 30)),
    st.tuples(st.sampled_from(sorted(set(BAD) - {"a quote that never closes"})), st.just(0)),
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.lists(ROWS, max_size=12), min_size=1, max_size=3))
def test_read_is_loaded_plus_duplicate_plus_quarantined(
    shared: Project, tmp_path_factory: pytest.TempPathFactory, files: list[list[tuple[str, int]]]
) -> None:
    folder, known = tmp_path_factory.mktemp("counts"), set()
    shared.warehouse.empty("events")
    for number, rows in enumerate(files):
        text = [f"e{n},p,open,2026-10-01" if title == "good" else BAD[title][0] for title, n in rows]
        count = load_text(shared, folder, "\n".join([HEAD, *text, ""]), f"events-{number}.csv")
        new = {n for title, n in rows if title == "good"} - known
        bad = sum(title != "good" for title, _ in rows)
        assert (count.read, count.loaded, count.quarantined) == (len(rows), len(new), bad)
        known |= new
    assert len(stored(shared)) == len(known)
