"""Spreadsheets that people fill in: written as .xlsx or .csv, read as whatever their program saves."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from handraise.errors import InputError
from handraise.service.workbooks import LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, looked_through
from handraise.warehouse.text_files import write_whole

# Programs take cells that begin so for formulas; and a program of another country takes other signs for the end of a cell,
# so that what stands after them may begin one. Of Chinese and Japanese signs, some programs make the plain ones.
_STARTS = r"(?:\A|(?<=[,;|\t\r\n\"]))"
_BEFORE_FORMULA = r"(?='*[^\S\t\r\n]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])"
_FORMULA, _GUARDED = re.compile(_STARTS + _BEFORE_FORMULA), re.compile(f"{_STARTS}'{_BEFORE_FORMULA}")
_LONGEST = 32_000  # characters that a cell of a spreadsheet holds
_MOST_BYTES = 20_000_000
Cell = str | float | int | date | None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        heading: As people read it.
        width: In characters.
        choices: What may be chosen, if it is a choice.
        to_fill: Whether it is for people to fill in.
    """

    heading: str
    width: int = 12
    choices: tuple[str, ...] = ()
    to_fill: bool = False


def write_sheet(path: Path, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Write a file; texts stay texts, whatever they begin with.

    Raises:
        InputError: It is to be neither .xlsx nor .csv.
        ProjectError: It cannot be written.
    """
    if path.suffix.lower() == ".csv":
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([column.heading for column in columns])
        writer.writerows([_plain(cell) for cell in row] for row in rows)
        write_whole(path, "\ufeff" + text.getvalue())
        return
    if path.suffix.lower() != ".xlsx":
        raise InputError("a spreadsheet ends in .xlsx or .csv.", where=str(path))
    write_whole(path, xlsx_of(columns, rows))


def _plain(cell: Cell) -> str:
    text = "" if cell is None else str(cell)
    return _FORMULA.sub("'", text) if isinstance(cell, str) else text


def xlsx_of(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> bytes:
    """The content of a .xlsx file."""
    import xlsxwriter

    kept = io.BytesIO()
    with xlsxwriter.Workbook(kept, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("handraise")
        head, wrapped = (
            book.add_format({"bold": True, "bottom": 1}),
            book.add_format({"text_wrap": True, "valign": "top"}),
        )
        filled = book.add_format({"bg_color": "#FFF8DC", "valign": "top", "border": 1, "border_color": "#DDDDDD"})
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column.heading, head)
            sheet.set_column(place, place, column.width)
            for number in range(1, len(rows) + 1):
                _write_cell(sheet, number, place, rows[number - 1][place], filled if column.to_fill else wrapped)
            if column.choices and rows:
                rule = {"validate": "list", "source": list(column.choices)}
                sheet.data_validation(1, place, len(rows), place, rule)
        sheet.freeze_panes(1, 0)
    return kept.getvalue()


def _write_cell(sheet: Any, row: int, place: int, cell: Cell, form: object) -> None:
    if cell is None:
        sheet.write_blank(row, place, None, form)
    elif isinstance(cell, int | float):
        sheet.write_number(row, place, cell, form)
    else:
        sheet.write_string(row, place, str(cell)[:_LONGEST], form)


def read_sheet(path: Path) -> list[tuple[int, dict[str, Cell]]]:
    """Line of the file and heading → cell, of each row that has anything in it.

    Raises:
        InputError: It cannot be read as a spreadsheet.
    """
    rows = _lines_of(path)
    if not rows:
        raise InputError("the spreadsheet is empty.", where=str(path))
    headings = ["" if one is None else str(one).strip() for one in rows[0]]
    found = []
    for line, row in enumerate(rows[1:], start=2):
        cells = {name: _read(cell) for name, cell in zip(headings, row, strict=False) if name}
        if any(cell is not None for cell in cells.values()):
            found.append((line, cells))
    return found


def _check_size(path: Path) -> None:
    if path.stat().st_size > _MOST_BYTES:
        raise InputError("the spreadsheet is larger than 20 MB.")


def _lines_of(path: Path) -> list[Sequence[Any]]:
    try:
        _check_size(path)
        if path.suffix.lower() in {".csv", ".txt", ".tsv"}:
            return _csv_lines(path.read_text(encoding="utf-8-sig"))
        if path.suffix.lower() == ".xlsx":
            return _xlsx_lines(looked_through(path))
    except UnicodeDecodeError as error:
        raise InputError(
            "this is no UTF-8 text.", where=str(path), todo="Save it as .xlsx, or as CSV UTF-8."
        ) from error
    except csv.Error as error:
        raise InputError(f"this is no CSV that can be read ({error}).", where=str(path)) from error
    except InputError as error:
        raise InputError(error.what, where=str(path), todo=error.todo) from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}).", where=str(path)) from error
    raise InputError("a spreadsheet ends in .xlsx or .csv.", where=str(path), todo="Save it as .xlsx or as CSV UTF-8.")


def _xlsx_lines(file: io.BytesIO) -> list[Sequence[Any]]:
    import python_calamine

    try:
        with python_calamine.CalamineWorkbook.from_filelike(file) as book:
            return list(book.get_sheet_by_index(0).to_python(skip_empty_area=False))
    except Exception as error:
        raise InputError(
            f"this is no spreadsheet that can be read ({error}).", todo="Save it as .xlsx or as CSV UTF-8."
        ) from error


def _csv_lines(text: str) -> list[Sequence[Any]]:
    """Programs of many countries put semicolons between cells, and tabs are what one copies."""
    first = text.partition("\n")[0]
    between = max((",", ";", "\t"), key=first.count)
    lines: list[Sequence[Any]] = []
    for line in csv.reader(io.StringIO(text), delimiter=between):
        if len(lines) == MOST_ROWS or len(line) > MOST_COLUMNS:
            raise InputError(f"the file holds more than {MOST_ROWS:,} rows or {MOST_COLUMNS} columns.")
        if any(len(cell) > LONGEST_CELL for cell in line):
            raise InputError(f"a cell holds more than {LONGEST_CELL:,} characters.")
        lines.append(line)
    return lines


def _read(cell: Any) -> Cell:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, date | int | float):
        return int(cell) if isinstance(cell, float) and cell.is_integer() else cell
    return _GUARDED.sub("", "" if cell is None else str(cell).strip()) or None


def cells_by(headings: Mapping[str, Iterable[str]], row: Mapping[str, Cell]) -> dict[str, Cell]:
    """Own name → cell, by any of the headings that a column may have, capitals aside."""
    folded = {name.casefold(): cell for name, cell in row.items()}
    return {
        own: next((folded[one.casefold()] for one in names if one.casefold() in folded), None)
        for own, names in headings.items()
    }
