"""A sheet goes out, is filled in with whatever program, and comes back as outcomes."""

import csv
import io
import re
import tempfile
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import python_calamine
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from handraise.errors import InputError
from handraise.ledger import acting, calls
from handraise.ledger.audit import list_audit
from handraise.ledger.store import Ledger
from handraise.playbook.load import load_template
from handraise.records.acting import Call, Decision, Life, Reason
from handraise.service.calling import say, undo
from handraise.service.inbox import InboxItem
from handraise.service.pilot import Taken, columns_of, rows_of, take_in
from handraise.service.sheets import Column, read_sheet, write_sheet

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PLAYBOOK = load_template().playbook
NASTY = ["=1+1", "+49 30 1234", "-dash", "@import", "\ttab", "ends", '逗号，引号"', "two\nlines", "https://x.example"]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger.open(tmp_path / "ledger.db")


@pytest.fixture
def items(ledger: Ledger) -> list[InboxItem]:
    """Four handoffs, whose names try everything."""
    with ledger.transaction() as connection:
        for n, account in enumerate(["a", "b", "c", "00123"]):
            reasons = tuple(
                Reason(trigger=one, person_id="p", value=1, fired_at=NOW - timedelta(days=9))
                for one in (("became_hot", "contact_sales") if n == 0 else ("became_hot",))
            )
            made = Decision(
                at=NOW - timedelta(days=9),
                as_of=date(2026, 11, 15),
                account_id=account,
                person_id="p",
                outcome="handoff",
                lane="sales",
                priority="medium",
                because="qualified",
                reasons=reasons,
                playbook="x",
            )
            acting.add_decision(connection, made, terms={"due_at": NOW})
            life = Life(state="qualified", since=made.at, qualified_at=made.at)
            acting.keep_life(connection, account, life, look_again=None)
        found = acting.list_handoffs(connection)
    return [
        InboxItem(
            handoff=one,
            account_name=NASTY[place],
            tier=2,
            score=90,
            person_name=NASTY[place + 4],
            person_title=NASTY[-1],
            because=("became hot", NASTY[place]),
        )
        for place, one in enumerate(found)
    ]


def filled(file: Path, answers: dict[int, dict[str, object]]) -> None:
    """Fill a sheet in as a program would: read it, change cells, write it with another library."""
    rows = python_calamine.CalamineWorkbook.from_path(file).get_sheet_by_index(0).to_python()
    heads = [str(one) for one in rows[0]]
    with xlsxwriter.Workbook(str(file)) as book:
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
        for row, cells in enumerate(rows):
            given = answers.get(int(str(cells[0]).partition(".")[0]) if row else 0, {})
            for place, cell in enumerate(cells):
                value = given.get(heads[place], cell)
                if isinstance(value, date):
                    sheet.write_datetime(row, place, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001
                elif isinstance(value, float | int):
                    sheet.write_number(row, place, value)
                else:
                    sheet.write_string(row, place, str(value))


def taken(ledger: Ledger, file: Path, by: str = "kim") -> list[Taken]:
    return take_in(ledger, file, PLAYBOOK, by=by, now=NOW)


def test_texts_stay_texts_in_both_kinds_of_files(items: list[InboxItem], tmp_path: Path) -> None:
    for name in ("out.xlsx", "out.csv"):
        write_sheet(tmp_path / name, columns_of("en"), rows_of(items))
        rows = [row for _, row in read_sheet(tmp_path / name)]
        assert [row["account"] for row in rows] == NASTY[:4]
        assert [str(row["no."]) for row in rows] == ["1", "2", "3", "4"]
        assert rows[3]["whom"] == "two\nlines"
        assert rows[0]["due (UTC)"] == "2026-11-24 12:00"
    raw = list(csv.reader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8-sig"))))
    assert all(not cell.startswith(("=", "+", "-", "@", "\t")) for row in raw for cell in row)
    with pytest.raises(InputError, match=r"\.xlsx or \.csv"):
        write_sheet(tmp_path / "out.pdf", columns_of("en"), [])


def test_what_is_filled_in_comes_back_as_outcomes_once(ledger: Ledger, items: list[InboxItem], tmp_path: Path) -> None:
    file = tmp_path / "kim.xlsx"
    write_sheet(file, columns_of("en"), rows_of(items))
    assert [one.said for one in taken(ledger, file)] == [()] * 4, "an empty sheet says nothing"
    answers: dict[int, dict[str, object]] = {
        1: {
            "contacted on": date(2026, 11, 18),
            "answered on": "2026/11/19",
            "opportunity worth": "12,500",
            "outcome": "won",
            "won amount": 12000.5,
            "useful? 1-5": 5,
            "note": "=cmd|' /C calc'!A0",
        },
        2: {"outcome": "rejected", "reason": "Not ICP", "useful? 1-5": "1"},
        3: {"contacted on": date(2026, 11, 1)},
    }
    filled(file, answers)
    done = taken(ledger, file)
    assert [one.refused for one in done] == [""] * 4
    assert [one.said for one in done] == [
        ("note", "contacted", "replied", "opportunity", "rate", "rate", "won"),
        ("rate", "reject"),
        ("contacted",),
        (),
    ]
    assert [one.said for one in taken(ledger, file)] == [()] * 4, "the same sheet twice says nothing twice"
    with ledger.reading() as connection:
        said = calls.calls_of(connection, 1)
        assert [(one.kind, one.at.day, one.amount) for one in said] == [
            ("note", 24, None),
            ("contacted", 18, None),
            ("replied", 19, None),
            ("opportunity", 19, 12500.0),
            ("rate", 24, None),
            ("rate", 24, None),
            ("won", 24, 12000.5),
        ]
        assert {one.signal for one in said if one.signal} == {"became_hot", "contact_sales"}
        assert said[0].note == "=cmd|' /C calc'!A0"
        lives = acting.lives_of(connection, ["a", "b", "c"])
        assert [lives[one].state for one in "abc"] == ["won", "rejected", "working"]
        assert lives["b"].cool_until == NOW + timedelta(days=90)
        assert calls.calls_of(connection, 2)[-1].reason == "not_icp"
        assert {one.at for one in list_audit(connection)} == {NOW}, "they were told today, about days before"
        assert calls.calls_of(connection, 3)[0].at == items[2].handoff.created_at, (
            "no contact before there was a reason"
        )


def test_a_chinese_sheet_comes_back_too_and_so_does_a_csv_with_semicolons(
    ledger: Ledger, items: list[InboxItem], tmp_path: Path
) -> None:
    file = tmp_path / "kim.csv"
    write_sheet(file, columns_of("zh"), rows_of(items))
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    rows[1]["结果"], rows[1]["理由"] = "输单", "预算"
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    file.write_text(text.getvalue(), encoding="utf-8")
    assert [one.said for one in taken(ledger, file)] == [(), ("lost",), (), ()]


def test_a_row_that_cannot_be_taken_keeps_no_other_from_it(
    ledger: Ledger, items: list[InboxItem], tmp_path: Path
) -> None:
    file = tmp_path / "kim.xlsx"
    write_sheet(file, columns_of("en"), rows_of(items))
    filled(
        file,
        {
            1: {"outcome": "maybe"},
            2: {"contacted on": date(2026, 11, 30), "outcome": "won"},
            3: {"no.": 77, "note": "hm"},
            4: {"outcome": "lost", "contacted on": date(2026, 11, 20)},
        },
    )
    done = taken(ledger, file)
    assert [one.line for one in done] == [2, 3, 4, 5]
    assert [one.said for one in done] == [(), (), (), ("contacted",)]
    for one, words in zip(done, ["no outcome", "still to come", "no handoff 77", "needs a reason"], strict=True):
        assert words in one.refused
    write_sheet(file, columns_of("en"), rows_of(items))
    filled(file, {1: {"useful? 1-5": 9}, 2: {"opportunity worth": "a lot"}, 4: {"outcome": "won"}})
    done = taken(ledger, file, by="lee")
    assert "from 1 to 5" in done[0].refused
    assert "is no amount" in done[1].refused
    assert "is kim's" in done[3].refused


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.xlsx", b"no zip", "no spreadsheet that can be read"),
        ("x.csv", b"\xff\xfe\x00", "no UTF-8"),
        ("x.csv", b"", "is empty"),
        ("x.csv", b"no.,note\n1," + b"x" * 32_768, "more than 32,767 characters"),
        ("x.csv", b"no.,note\n" + b"\n" * 20_000, "more than 20,000 rows"),
        ("x.csv", b"no.," + b"," * 200, "more than 20,000 rows or 200 columns"),
        ("x.ods", b"PK", r"ends in \.xlsx or \.csv"),
        ("x.csv", b"a,b\n1,2\n", "no column says which handoff"),
    ],
)
def test_what_is_no_sheet_of_ours_is_refused(
    ledger: Ledger, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        taken(ledger, tmp_path / name)
    with pytest.raises(InputError, match="cannot be read"):
        taken(ledger, tmp_path / "nowhere.csv")


MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def packed(
    file: Path, cells: str, *, texts: str = "", before: str = "", name: str = "xl/worksheets/sheet1.xml"
) -> Path:
    """A workbook as an attacker writes it."""
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    links = "".join(
        f'<Relationship Id="r{n}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(
            {"worksheet": "worksheets/sheet1.xml", "sharedStrings": "sharedStrings.xml"}.items()
        )
    )
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("[Content_Types].xml", "<Types/>")
        start = f'<Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        made.writestr("_rels/.rels", f'<Relationships xmlns="{package}">{start}</Relationships>')
        made.writestr(
            "xl/workbook.xml",
            f'<workbook {MAIN} xmlns:r="{RELATIONS}"><sheets><sheet name="a" sheetId="1" r:id="r0"/></sheets></workbook>',
        )
        made.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{package}">{links}</Relationships>')
        made.writestr("xl/sharedStrings.xml", f"<sst {MAIN}>{texts}</sst>")
        made.writestr(name, f"{before}<worksheet {MAIN}><sheetData>{cells}</sheetData></worksheet>")
    return file


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        ({"cells": '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'}, "below row 20,000"),
        ({"cells": '<row r="1"><c r="A20001"><v>1</v></c></row>'}, "below row 20,000"),
        ({"cells": '<row r="19999"/><row/><row><c><v>1</v></c></row>'}, "below row 20,000"),
        ({"cells": '<row r="9"><c r="BZZ9"><v>1</v></c></row>'}, "right of column 200"),
        ({"cells": '<row><c r="GQ1"/>' + "<c><v>1</v></c>" * 2 + "</row>"}, "right of column 200"),
        ({"cells": f'<row r="1"><c r="A1" t="str"><v>{"x" * 100_000_001}</v></c></row>'}, "larger than 100 MB"),
        (
            {"texts": f"<si><t>{'x' * 1_000_000}</t></si>", "cells": '<row><c t="s"><v>0</v></c></row>' * 60},
            "more than 50,000,000 characters",
        ),
        ({"cells": '<row r="1"/>', "before": "<!DOCTYPE worksheet [<!ENTITY a 'b'>]>"}, "no spreadsheet that can"),
        ({"cells": '<row r="1"/>', "before": "<!-- -->"}, "no spreadsheet that can be read"),
        ({"cells": '<row><c t="s"><v>       0</v></c></row>'}, "no spreadsheet that can be read"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_small_workbook_cannot_ask_for_all_memory(tmp_path: Path, sheet: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_sheet(packed(tmp_path / "x.xlsx", **sheet))
    assert str(tmp_path) in str(caught.value)


def test_a_workbook_of_another_hand_is_read(tmp_path: Path) -> None:
    cells = '<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="20000"><c r="A20000"><v>7</v></c></row>'
    file = packed(tmp_path / "x.xlsx", cells, texts="<si><t>no.</t></si>")
    with zipfile.ZipFile(file, "a") as made:
        made.writestr("docProps/thumbnail.jpeg", b"picture")
        made.writestr("xl/media/image1.xml", b"\x89PNG")
    assert read_sheet(file) == [(20000, {"no.": 7})]


SIGNS = "=+-@\t,;|\"'\n x\uff1d"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=SIGNS, min_size=1, max_size=12).filter(lambda text: text == text.strip()))
def test_no_part_of_a_csv_cell_begins_a_formula_and_the_text_comes_back(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.csv"
        write_sheet(file, [Column(heading="a"), Column(heading="b")], [[text, 1]])
        raw = file.read_text(encoding="utf-8-sig")
        assert read_sheet(file) == [(2, {"a": text, "b": "1"})]
    for between in (",", ";", "\t", "|"):
        for cell in re.split(rf'[{between}\n"]', raw):
            assert not cell.strip(" ").startswith(("=", "+", "-", "@", "\uff1d"))


def test_a_note_is_as_long_as_the_api_takes_it(ledger: Ledger, items: list[InboxItem], tmp_path: Path) -> None:
    file = tmp_path / "kim.xlsx"
    write_sheet(file, columns_of("en"), rows_of(items))
    filled(file, {1: {"note": "x" * 2001}, 2: {"note": "x" * 2000}, 3: {"outcome": "lost", "reason": "y" * 2001}})
    done = taken(ledger, file)
    assert [one.said for one in done] == [(), ("note",), (), ()]
    assert "2,000 characters at most" in done[0].refused
    assert "2,000 characters at most" in done[2].refused


def test_what_a_sheet_says_otherwise_than_before_is_told_and_not_dropped(
    ledger: Ledger, items: list[InboxItem], tmp_path: Path
) -> None:
    file = tmp_path / "kim.xlsx"
    first: dict[int, dict[str, object]] = {
        1: {"contacted on": date(2026, 11, 18), "opportunity worth": 12500},
        2: {"outcome": "won", "won amount": 9000},
        3: {"outcome": "rejected", "reason": "timing"},
    }
    corrected: dict[int, dict[str, object]] = {
        1: {"contacted on": date(2026, 11, 19), "opportunity worth": 15000, "note": "corrected"},
        2: {"outcome": "won", "won amount": 8000},
        3: {"outcome": "rejected", "reason": "not icp"},
    }
    write_sheet(file, columns_of("en"), rows_of(items))
    filled(file, first)
    assert [one.refused for one in taken(ledger, file)] == [""] * 4
    filled(file, corrected)
    done = taken(ledger, file)
    assert [one.said for one in done] == [("note",), (), (), ()], "the rest of the row is taken in"
    assert "contacted was said before with 2026-11-18, not with 2026-11-19." in done[0].refused
    assert "opportunity was said before with 12,500, not with 15,000." in done[0].refused
    assert "`handraise handoff 1 opportunity --amount 15000` says it anew" in done[0].refused
    assert "won was said before with 9,000, not with 8,000." in done[1].refused
    assert "reject was said before with timing, not with not_icp." in done[2].refused
    for number in (2, 3):
        assert f"`handraise handoff {number} undo`" in done[number - 1].refused
        undo(ledger, number, PLAYBOOK.handoffs, by="kim", now=NOW)
    say(ledger, 1, Call(kind="opportunity", by="kim", at=NOW, amount=15000), PLAYBOOK.handoffs)
    done = taken(ledger, file)
    assert [one.said for one in done] == [(), ("won",), ("reject",), ()]
    assert "opportunity" not in done[0].refused
    with ledger.reading() as connection:
        assert calls.calls_of(connection, 2)[-1].amount == 8000
        assert acting.lives_of(connection, ["c"])["c"].cool_until == NOW + timedelta(days=90)


def test_a_number_that_stands_beside_another_account_is_refused(
    ledger: Ledger, items: list[InboxItem], tmp_path: Path
) -> None:
    file = tmp_path / "kim.xlsx"
    write_sheet(file, columns_of("en"), rows_of(items))
    filled(
        file,
        {
            1: {"account_id": "b", "outcome": "won"},
            2: {"account_id": "", "note": "of whom, the number says"},
            3: {"account_id": "c", "note": "hm"},
            4: {"account_id": 123, "note": "a program took the id for a number"},
        },
    )
    done = taken(ledger, file)
    assert [one.said for one in done] == [(), ("note",), ("note",), ("note",)]
    assert "handoff 1 is about account 'a', and this row about 'b'." in done[0].refused
    assert "sorted alone" in done[0].refused
