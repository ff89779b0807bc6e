"""Files that are broken as files: each is read as far as it makes sense, or refused in words."""

import gzip
import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from events.loading import GOOD, HEAD
from handraise.errors import InputError
from handraise.events.formats import batches, csv_file, json_document, ndjson_file
from handraise.service import project as projects
from handraise.service.project import Project
from hostile.attack import Outcome, emptied, take_in

ROW = {"event_id": "1", "person_id": "p", "name": "open", "timestamp": "2026-10-01"}
ROWS = [{**ROW, "event_id": str(n), "properties": {"feature": '[{"\\', "n": n}} for n in range(5)]
LIST = json.dumps(ROWS, indent=1)


def parquet(columns: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({**{name: [value, value] for name, value in ROW.items()}, **columns}), out)
    return out.getvalue()


def parquet_of(names: list[str], values: list[str]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table([pa.array([value]) for value in values], names=names), out)
    return out.getvalue()


def no_text() -> pa.Array:
    return pa.Array.from_buffers(
        pa.string(), 2, [None, pa.array(["ab", "cd"]).buffers()[1], pa.py_buffer(b"\xff\xfecd")]
    )


PACKED = f"{HEAD}\n{GOOD}\n".encode()
# Name and content of a file, and (loaded, quarantined) or what the refusal says.
FILES: dict[str, tuple[str, str | bytes, tuple[int, int] | str]] = {
    "a list": ("events.json", LIST, (5, 0)),
    "a list on one line, after a mark": ("events.json.gz", gzip.compress(b"\xef\xbb\xbf\n\n" + json.dumps(ROWS).encode()), (5, 0)),
    "objects over several lines": ("events.json", "\n".join(json.dumps(row, indent=2) for row in ROWS), (5, 0)),
    "a list that breaks off": ("events.json", LIST[:-60], (4, 1)),
    "a list with other things in it": ("events.json", f'[{json.dumps(ROW)}, 1, null, "x{{[", [], {{"a":1}}] and more', (1, 4)),
    "a list of nothing": ("events.json", "[]", (0, 0)),
    "UTF-16 as NDJSON": ("events.ndjson", json.dumps(ROW).encode("utf-16"), "UTF-16"),
    "UTF-16 as CSV": ("events.csv", f"{HEAD}\n{GOOD}\n".encode("utf-16"), "Save the file as UTF-8"),
    "zstandard cut off": ("events.csv.zst", zstandard.compress(PACKED * 50)[:-9], "cut off"),
    "zstandard and then something else": ("events.csv.zst", zstandard.compress(PACKED) + b"xx", "cannot be read to its end"),
    "nothing, packed": ("events.csv.zst", b"", "empty"),
    "gzip and then something else": ("events.csv.gz", gzip.compress(PACKED) + b"xx", "cannot be read to its end"),
    "semicolons": ("events.csv", PACKED.replace(b",", b";"), "separated by ';'"),
    "tabs": ("events.csv", PACKED.replace(b",", b"\t"), "separated by"),
    "no header": ("events.csv", f"{GOOD}\n", "no column 'event_id'"),
    "a header of other columns only": ("events.csv", "a,b\n", "no column 'event_id'"),
    "a NUL in the header": ("events.csv", f"{HEAD}\0\n{GOOD}\n", "header line cannot be read"),
    "columns without a name": ("events.csv", f"{HEAD},,\n{GOOD},,\n", (1, 0)),
    "our own names": ("events.csv", f"{HEAD},_line,_line_,_LINE\n{GOOD},a,b,c\n", (1, 0)),
    "a column in capitals too": ("events.csv", f"NAME,{HEAD}\nx,{GOOD}\n", (1, 0)),
    "a key that is no text": ("events.ndjson", json.dumps({**ROW, "\ud800": 1}) + "\n", (1, 0)),
    "our own keys": ("events.ndjson", json.dumps({**ROW, "_line": 1, "_line_": 2, "": 3, "by": 4}) + "\n", (1, 0)),
    "a NUL in a value": ("events.ndjson", json.dumps({**ROW, "person_id": "\0"}) + "\n" + json.dumps(ROW), (1, 1)),
    "a NUL in properties": ("events.ndjson", json.dumps({**ROW, "properties": {"feature": "a\0b"}}), (1, 0)),
    "nested 100,000 deep": ("events.ndjson", '{"properties":' + "[" * 100_000 + "\n" + json.dumps(ROW), (1, 1)),
    "nested 50,000 deep in CSV": ("events.csv", f"{HEAD},properties\n{GOOD}," + "[" * 50_000 + "\n", (0, 1)),
    "a Parquet column twice": ("events.parquet", parquet_of([*ROW, "name"], [*ROW.values(), "x"]), "two columns 'name'"),
    "a Parquet column in capitals too": ("events.parquet", parquet_of(["NAME", *ROW], ["x", *ROW.values()]), (1, 0)),
    "Parquet without a row, of other columns": ("events.parquet", parquet_of(["a"], ["x"]), "no column 'event_id'"),
    "Parquet with bytes that are no text": ("events.parquet", parquet({"event_id": ["1", "2"], "person_id": no_text()}), (1, 1)),
    "Parquet with binary that is no text": ("events.parquet", parquet({"event_id": [b"1", b"\xff"]}), (1, 1)),
    "Parquet with a NUL": ("events.parquet", parquet({"event_id": ["1", "\0"]}), (1, 1)),
    "Parquet with odd values in properties": (
        "events.parquet", parquet({"event_id": ["1", "2"], "properties": [{"a": b"\xff", "n": float("nan"), "t": date(2026, 1, 1)}, None]}), (2, 0)),
    "Parquet of instants beyond all years": (
        "events.parquet", parquet({"event_id": ["1", "2"], "timestamp": pa.array([2**62, -(2**62)], pa.timestamp("ms"))}), (0, 2)),
    "Parquet of days beyond all years": (
        "events.parquet", parquet({"event_id": ["1", "2"], "timestamp": pa.array([2**31 - 1, 20_700], pa.date32())}), (1, 1)),
    "Parquet of nanoseconds in another zone": (
        "events.parquet", parquet({"event_id": ["1", "2"], "timestamp": pa.array([datetime(2026, 10, 1)] * 2, pa.timestamp("ns", "Asia/Tokyo"))}), (2, 0)),  # noqa: DTZ001
}  # fmt: skip


@pytest.mark.parametrize("title", FILES)
def test_a_broken_file_is_read_as_far_as_it_goes_or_refused(title: str, project: Project) -> None:
    name, content, wanted = FILES[title]
    found = take_in(project, {name: content})
    if isinstance(wanted, str):
        assert wanted in found.refused
        assert name in found.refused
    else:
        assert found.refused == ""
        _, loaded, _, quarantined = found.counts["events"]
        assert (loaded, quarantined) == wanted


@pytest.mark.parametrize("name", ["events.csv", "events.ndjson", "events.json"])
def test_a_row_longer_than_any_row_may_be_costs_itself_only(
    name: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (batches, csv_file, ndjson_file, json_document):
        monkeypatch.setattr(module, "LONGEST_ROW", 5_000)
    long = [{**ROW, "event_id": "2", "name": "x" * 20_000}, {**ROW, "event_id": "3"}]
    lines = [json.dumps(row) for row in (ROW, *long)]
    as_csv = "\n".join([HEAD, *(",".join(row.values()) for row in (ROW, *long))])
    content = {"events.csv": as_csv, "events.ndjson": "\n".join(lines), "events.json": f"[{','.join(lines)}]"}[name]
    found = take_in(project, {name: content})
    assert found.counts["events"] == (3, 2, 0, 1)
    [(_, reason)] = found.reasons
    assert reason.startswith("the row is longer than")


def test_ten_megabytes_of_properties_are_kept(project: Project) -> None:
    big = json.dumps({"a": "x" * (10 * 1024 * 1024)}, separators=(",", ":"))
    quoted = big.replace('"', '""')
    csv_text = f'{HEAD},properties\n{GOOD},"{quoted}"\n2,p,open,2026-10-01,\n'
    assert take_in(project, {"events.csv": csv_text}) == Outcome(counts={"events": (2, 2, 0, 0)})
    found = project.warehouse.table("events")
    assert project.warehouse.rows(found.agg(n=found.properties.length().max())).to_pylist() == [{"n": len(big)}]


def test_many_rows_set_aside_are_written_in_portions(project: Project) -> None:
    rows = "".join(f"{n},p,open,yesterday\n" for n in range(45_000))
    found = take_in(project, {"events.csv": f"{HEAD}\n{rows}"})
    assert found.counts["events"] == (45_000, 0, 0, 45_000)
    assert [line for line, _ in found.reasons] == list(range(2, 45_002))


def test_folders_with_links_in_a_circle_and_odd_things_are_walked_once(project: Project, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(f"{HEAD}\n{GOOD}\n")
    (tmp_path / "people.csv").mkdir()
    (tmp_path / "people.csv" / "circle").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "accounts.csv").symlink_to(tmp_path / "accounts.csv")
    (tmp_path / "leads.csv").symlink_to(tmp_path / "gone.csv")
    loaded = projects.load(emptied(project), [tmp_path])
    assert [(count.input, count.loaded) for count in loaded.counts] == [("events", 1)]
    for odd in ("accounts.csv", "leads.csv", "x" * 300):
        with pytest.raises((InputError, OSError)):
            projects.load(project, [tmp_path / odd])


def test_a_file_name_that_is_no_text_is_refused(project: Project, tmp_path: Path) -> None:
    (tmp_path / "events-\udcff.csv").write_text(f"{HEAD}\n{GOOD}\n")
    for path in (tmp_path, tmp_path / "events-\udcff.csv"):
        with pytest.raises(InputError, match="not UTF-8"):
            projects.load(emptied(project), [path])


def test_a_file_name_with_quotes_is_a_file_name(project: Project) -> None:
    found = take_in(project, {"events-'; DROP TABLE events; --.csv": f"{HEAD}\n{GOOD}\n2,p,open,never\n"})
    assert found.counts["events"] == (2, 1, 0, 1)


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_whole_lines_before_a_break_are_stored_and_the_cut_line_is_not(
    packing: str, project: Project, tmp_path: Path
) -> None:
    lines = [f"e{n},p,open,2026-10-01T00:00:00" for n in range(30_000)]
    text = "\n".join([HEAD.strip(), *lines]).encode()
    packed = gzip.compress(text, mtime=0) if packing == "gz" else zstandard.compress(text)
    file = tmp_path / f"events.csv.{packing}"
    file.write_bytes(packed[: len(packed) * 9 // 10])
    emptied(project)
    with pytest.raises(InputError, match="What was read before is stored"):
        projects.load(project, [file])
    rows = project.warehouse.rows(project.warehouse.table("events").select("event_id", "timestamp")).to_pylist()
    assert 10_000 < len(rows) < 30_000
    assert {row["timestamp"] for row in rows} <= {datetime(2026, 10, 1)}  # noqa: DTZ001 - stored without zone
    assert {row["event_id"] for row in rows} == {f"e{n}" for n in range(len(rows))}


@pytest.mark.parametrize("size", ["NaN", "1e400", str(2**70), "9.3e18", "-1e30", "12.5", "many"])
def test_a_group_whose_size_is_no_number_keeps_its_other_values(size: str, project: Project) -> None:
    head = "id,anonymous_id,user_id,group_id,timestamp,received_at,context_library_name,name,employees,industry\n"
    at = "2026-09-01 08:10:00,2026-09-01 08:10:01,analytics.js"
    found = take_in(project, {"groups.csv": f"{head}1,a,u,good,{at},Good,120,x\n2,a,u,odd,{at},Odd,{size},y\n"})
    assert found.refused == ""
    assert found.counts["accounts"][1] == 2


def test_what_is_no_table_is_called_what_it_is(project: Project, tmp_path: Path) -> None:
    said = {}
    for name, content in {"zip": b"PK\x03\x04\x14\0", "mark": b"\xef\xbb\xbf"}.items():
        file = tmp_path / name / "events.csv"
        file.parent.mkdir()
        file.write_bytes(content)
        with pytest.raises(InputError) as error:
            projects.load(project, [file])
        said[name] = error.value.what
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        projects.load(project, [tmp_path / "loop.csv"])
    assert said == {"zip": "this is a zip archive.", "mark": "the first line is empty."}
