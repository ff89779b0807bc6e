"""Canonical files in every packing hold the same events; a file that cannot be read is refused as a whole."""

import csv
import gzip
import io
import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from events.loading import GOOD, HEAD, load_text, stored
from handraise.errors import InputError
from handraise.service.project import Project
from support import load_folder

LINES = [{"event_id": f"e{n}", "person_id": "p", "name": "open", "timestamp": f"2026-10-0{n}T00:00:00Z",
          "properties": {"feature": "ü, \"x\"\ny"}} for n in range(1, 4)]  # fmt: skip


def as_csv() -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(LINES[0]))
    writer.writeheader()
    writer.writerows({**row, "properties": json.dumps(row["properties"], ensure_ascii=False)} for row in LINES)
    return out.getvalue().encode()


def as_ndjson() -> bytes:
    return "".join(json.dumps(row) + "\n" for row in LINES).encode()


def as_parquet() -> bytes:
    rows = [{**row, "timestamp": datetime.fromisoformat(row["timestamp"])} for row in LINES]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


PACKED = {
    "events.csv": as_csv(),
    "events.CSV": as_csv(),
    "events-2026-10.csv": as_csv(),
    "events.csv.gz": gzip.compress(as_csv()),
    "events.csv.zst": zstandard.compress(as_csv()),
    "two frames.events/events.csv.zst": zstandard.compress(as_csv()[:40]) + zstandard.compress(as_csv()[40:]),
    "with a mark/events.csv": b"\xef\xbb\xbf" + as_csv(),
    "windows/events.csv": b"\r\n".join(HEAD.encode().split(b"\n")) + b"\r\n" + GOOD.encode() + b"\r\n",
    "events.ndjson": as_ndjson(),
    "events.jsonl": as_ndjson(),
    "no last newline/events.ndjson": as_ndjson().rstrip(),
    "blank lines/events.ndjson": as_ndjson().replace(b"\n", b"\n\n"),
    "events.ndjson.gz": gzip.compress(as_ndjson()),
    "events.ndjson.zst": zstandard.compress(as_ndjson()),
    "events.parquet": as_parquet(),
    "events/part-0.parquet": as_parquet(),
}


@pytest.mark.parametrize("name", PACKED)
def test_every_packing_holds_the_same_events(name: str, project: Project, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PACKED[name])
    [count] = load_folder(project, tmp_path)
    expected = 1 if name.startswith("windows") else 3
    assert (count.read, count.loaded, count.quarantined) == (expected, expected, 0)
    if expected == 3:
        rows = stored(project)
        assert [row["timestamp"] for row in rows] == [datetime(2026, 10, n) for n in (1, 2, 3)]  # noqa: DTZ001
        assert [json.loads(row["properties"]) for row in rows] == [LINES[0]["properties"]] * 3


def test_other_files_of_a_folder_are_passed_over_and_refused_when_named(project: Project, tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(f"{HEAD}\n{GOOD}\n")
    (tmp_path / "truth.parquet").write_bytes(b"not even parquet")
    (tmp_path / "notes.txt").write_text("people.csv")
    assert [count.input for count in load_folder(project, tmp_path)] == ["events"]
    with pytest.raises(InputError, match="cannot tell which input"):
        load_folder(project, tmp_path / "notes.txt")
    with pytest.raises(InputError, match="no such file"):
        load_folder(project, tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file that can be loaded"):
        load_folder(project, tmp_path / "empty")


UNREADABLE = {
    "nothing": ("events.csv", b"", "empty"),
    "blank lines": ("events.csv", b"\n\n", "empty"),
    "a column twice": ("events.csv", f"{HEAD},name\n{GOOD},x\n".encode(), "'name' stands in the header twice"),
    "no actor": (
        "events.csv",
        b"event_id,user,name,timestamp\n1,p,x,2026-10-01\n",
        "no column 'person_id' or 'anonymous_id'",
    ),
    "another spelling": (
        "events.csv",
        b"event_id,person_id,name,time_stamp\n1,p,x,2026-10-01\n",
        "It has 'time_stamp': rename",
    ),
    "a header that is no text": ("events.csv", HEAD.encode() + b",\xff\n" + GOOD.encode() + b",\n", "UTF-8"),
    "no key": ("people.csv", b"id,email\n1,a@b.c\n", "no column 'person_id'"),
    "no gzip": ("events.csv.gz", b"no gzip at all", "cannot be read to its end"),
    "gzip cut off": ("events.csv.gz", gzip.compress(as_csv())[:60], "cannot be read to its end"),
    "no zstandard": ("events.csv.zst", b"no zstandard", "cannot be read to its end"),
    "no Parquet": ("events.parquet", b"PAR1 but no more", "not a readable Parquet file"),
    "Parquet cut off": ("events.parquet", as_parquet()[:-20], "not a readable Parquet file"),
    "packed Parquet": ("events.parquet.gz", gzip.compress(as_parquet()), "Parquet packs itself"),
}


@pytest.mark.parametrize("title", UNREADABLE)
def test_a_file_that_cannot_be_read_is_refused_with_its_name(title: str, project: Project, tmp_path: Path) -> None:
    name, content, said = UNREADABLE[title]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said) as refusal:
        load_folder(project, tmp_path / name)
    assert name in refusal.value.where
    assert stored(project) == []


def test_a_file_of_a_header_only_holds_nothing(project: Project, tmp_path: Path) -> None:
    assert load_text(project, tmp_path, f"{HEAD}\n").read == 0
    assert load_text(project, tmp_path, b"", "people.ndjson").read == 0
