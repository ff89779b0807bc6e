"""Files loaded again, mended, renamed by the playbook, and rows taken out of quarantine."""

from pathlib import Path

import pyarrow as pa
import pytest

from events.loading import BAD, GOOD, HEAD, aside, load_text, reasons, stored
from handraise.errors import InputError
from handraise.service.aside import replay
from handraise.service.project import Project
from support import load_folder, memory_project


def test_the_same_file_twice_brings_nothing_new(project: Project, tmp_path: Path) -> None:
    text = f"{HEAD}\n{GOOD}\n{GOOD}\n2,p,open,bad\n"
    first, second = load_text(project, tmp_path, text), load_text(project, tmp_path, text)
    assert (first.loaded, first.duplicate, first.quarantined) == (1, 1, 1)
    assert (second.loaded, second.duplicate, second.quarantined) == (0, 2, 1)


def test_the_same_id_in_another_file_is_a_duplicate(project: Project, tmp_path: Path) -> None:
    load_text(project, tmp_path, f"{HEAD}\n{GOOD}\n", "events-1.csv")
    again = load_text(project, tmp_path, f"{HEAD}\n{GOOD}\n2,p,open,2026-10-01\n", "events-2.csv")
    assert (again.loaded, again.duplicate) == (1, 1)


def test_loading_a_mended_file_clears_its_quarantine_and_no_other(project: Project, tmp_path: Path) -> None:
    load_text(project, tmp_path, f"{HEAD}\n1,p,open,bad\n", "events-1.csv")
    load_text(project, tmp_path, f"{HEAD}\n2,p,open,bad\n", "events-2.csv")
    load_text(project, tmp_path, f"{HEAD}\n{GOOD}\n", "events-1.csv")
    assert (aside(project, tmp_path / "events-1.csv"), aside(project, tmp_path / "events-2.csv")) == (0, 1)


def test_a_later_row_fills_and_replaces_and_an_empty_cell_wipes_nothing(project: Project, tmp_path: Path) -> None:
    load_text(project, tmp_path, "person_id,email,title\np,a@x.com,\nq,,\np,,CEO\n", "people.csv")
    again = load_text(project, tmp_path, "person_id,email,title\np,b@x.com,\nq,,\n", "people-2.csv")
    assert (again.read, again.loaded, again.duplicate) == (2, 1, 1)
    found = {row["person_id"]: (row["email"], row["title"]) for row in stored(project, "people")}
    assert found == {"p": ("b@x.com", "CEO"), "q": (None, None)}


def test_limits_of_one_meter_and_moment_are_one_row_whoever_owns_them(project: Project, tmp_path: Path) -> None:
    head = "account_id,workspace_id,metric,used,quota,measured_at\n"
    count = load_text(
        project,
        tmp_path,
        head + ",w,seats,1,5,2026-10-01\n,w,seats,2,5,2026-10-01T00:00Z\na,w,seats,3,5,2026-10-01\n",
        "limits.csv",
    )
    assert (count.read, count.loaded) == (3, 2)
    assert sorted((row["account_id"] or "", row["used"]) for row in stored(project, "limits")) == [("", 2), ("a", 3)]


@pytest.mark.parametrize("title", BAD)
def test_replay_keeps_what_is_still_bad(title: str, project: Project, tmp_path: Path) -> None:
    load_text(project, tmp_path, f"{HEAD}\n{BAD[title][0]}\n")
    before = project.warehouse.rows(project.warehouse.table("quarantine")).to_pylist()
    [count] = replay(project)
    assert (count.read, count.loaded, count.quarantined) == (1, 0, 1)
    assert project.warehouse.rows(project.warehouse.table("quarantine")).to_pylist() == before


def test_replay_loads_what_is_good_by_now(project: Project, tmp_path: Path) -> None:
    """The rule that refused the row is gone: here, the row was put aside by hand."""
    load_text(project, tmp_path, f"{HEAD}\n1,p,open,bad\n2,p,open,2026-13-01\n")
    aside_rows = project.warehouse.rows(project.warehouse.table("quarantine")).to_pylist()
    aside_rows[0]["raw"] = aside_rows[0]["raw"].replace("bad", "2026-10-01").replace("2026-13-01", "2026-10-01")
    schema = project.warehouse.table("quarantine").schema().to_pyarrow()
    project.warehouse.empty("quarantine")
    project.warehouse.insert("quarantine", project.warehouse.hold("x", pa.Table.from_pylist(aside_rows, schema=schema)))
    [count] = replay(project)
    assert (count.read, count.loaded, count.quarantined) == (2, 1, 1)
    assert len(stored(project)) == 1


def test_attributes_rename_columns_also_when_replayed(tmp_path: Path) -> None:
    playbook = "attributes: {people: {email: mail, created_at: joined}, accounts: {employees: headcount}}"
    with memory_project(playbook) as project:
        load_text(project, tmp_path, "person_id,mail,joined\np,p@x.com,2026-10-01\nq,q@x.com,bad\n", "people.csv")
        load_text(project, tmp_path, "account_id,headcount\na,70\n", "accounts.csv")
        [row] = stored(project, "people")
        assert (row["email"], f"{row['created_at']:%Y-%m-%d %H:%M}") == ("p@x.com", "2026-10-01 00:00")
        assert stored(project, "accounts")[0]["employees"] == 70
        assert reasons(project)[0][1].startswith("created_at is not")
        assert [c.quarantined for c in replay(project)] == [1]
        (tmp_path / "people-2.csv").write_text("person_id,mail,email\np,a@x.com,b@x.com\n")
        with pytest.raises(InputError, match="which the file has already"):
            load_folder(project, tmp_path / "people-2.csv")
