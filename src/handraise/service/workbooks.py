"""Look through a .xlsx before it is read: its reader makes room for every cell up to the last one, and copies shared texts to each.

A few hundred bytes can ask for all memory there is, which ends the process. So every part is unpacked within a limit and
parsed as it comes; what is handed on holds nothing but the parts that were looked through.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Never
from xml.parsers import expat

from handraise.errors import InputError

MOST_ROWS, MOST_COLUMNS = 20_000, 200
# As long as a cell of a spreadsheet program can be.
LONGEST_CELL = 32_767
_MOST_UNPACKED = 100_000_000  # bytes
_MOST_TEXT = 50_000_000  # characters of all cells together
_MOST_PARTS = 1000
_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # what a .xlsx may have; others take memory as they are told
# Of the parts that a sheet needs; other kinds of spreadsheets, which are not looked through, keep theirs elsewhere.
_PARTS = re.compile(r"\[content_types\]\.xml|(?:_rels|xl)/.*\.(?:xml|rels)", re.IGNORECASE)
_CELL = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_ROW = re.compile(r"[0-9]{1,7}")
_LONGEST_INDEX = 10
_INDEX = re.compile(r"[0-9]{1,9}")


def looked_through(path: Path) -> io.BytesIO:
    """A workbook with the same cells, which takes no more than a sheet of people does.

    Raises:
        InputError: It is too large, or no workbook.
        OSError: It cannot be read.
    """
    texts, kept = _Texts(), io.BytesIO()
    try:
        with zipfile.ZipFile(path) as packed:
            parts = _unpacked(packed)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise InputError(
            f"this is no spreadsheet that can be read ({error}).", todo="Save it as .xlsx or as CSV UTF-8."
        ) from error
    with zipfile.ZipFile(kept, "w") as plain:
        for name, content in parts.items():
            if _Part(texts).look(content):
                plain.writestr(name, content)
    if texts.length() > _MOST_TEXT:
        raise _too_large(f"its cells hold more than {_MOST_TEXT:,} characters")
    kept.seek(0)
    return kept


def _unpacked(packed: zipfile.ZipFile) -> dict[str, bytes]:
    infos = packed.infolist()
    if len(infos) > _MOST_PARTS:
        raise _too_large(f"it has more than {_MOST_PARTS:,} parts")
    found, left = {}, _MOST_UNPACKED
    for info in infos:
        if not _PARTS.fullmatch(info.filename) or info.compress_type not in _PACKINGS:
            continue
        with packed.open(info) as part:
            found[info.filename] = part.read(left + 1)
        left -= len(found[info.filename])
        if left < 0:
            raise _too_large(f"unpacked, it is larger than {_MOST_UNPACKED // 1_000_000} MB")
    return found


class _Texts:
    """How long the texts are that cells share, and how often they are used."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.uses: Counter[int] = Counter()

    def add(self, place: int, length: int) -> None:
        """Of two parts with texts, whichever is used, the longer text counts."""
        if place == len(self.lengths):
            self.lengths.append(0)
        self.lengths[place] = max(self.lengths[place], length)

    def length(self) -> int:
        """Characters, when each cell has its own copy."""
        return sum(self.lengths[place] * uses for place, uses in self.uses.items() if place < len(self.lengths))


class _Odd(Exception):  # noqa: N818 - no error: such a part is left out, as pictures are
    """A part holds what readers may understand in different ways."""


class _Part:
    """One part, as its XML comes: where its cells are, and which texts they share."""

    def __init__(self, texts: _Texts) -> None:
        self._texts = texts
        self._last_row = self._last_column = self._unplaced_rows = self._unplaced_cells = self._most_unplaced = 0
        self._shared_texts = self._cells = self._length = 0
        self._shares, self._value = False, ""

    def look(self, content: bytes) -> bool:
        """Whether it is plain XML.

        Raises:
            InputError: Its cells reach too far.
        """
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = parser.CommentHandler = _is_odd
        try:
            parser.Parse(content, True)  # noqa: FBT003 - takes no keywords
        except (expat.ExpatError, _Odd):
            return False
        return True

    def _start(self, name: str, given: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._begin_row(given.get("r"))
            case "c":
                self._begin_cell(given.get("r"))
                self._shares = given.get("t") == "s"
            case "v":
                self._value = ""

    def _text(self, text: str) -> None:
        self._length += len(text)
        if self._shares and len(self._value) < _LONGEST_INDEX:
            self._value += text

    def _end(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "v" if self._shares and self._value:
                if not _INDEX.fullmatch(self._value):
                    raise _Odd
                self._texts.uses[int(self._value)] += 1
            case "si":
                self._texts.add(self._shared_texts, self._length)
                self._shared_texts, self._length = self._shared_texts + 1, 0

    def _begin_row(self, number: str | None) -> None:
        self._unplaced_cells = 0
        if number is None:
            self._unplaced_rows += 1
        elif _ROW.fullmatch(number):
            self._last_row = max(self._last_row, int(number))
        else:
            raise _Odd
        self._check()

    def _begin_cell(self, place: str | None) -> None:
        self._cells += 1
        if place is None:  # beside the one before
            self._unplaced_cells += 1
            self._most_unplaced = max(self._most_unplaced, self._unplaced_cells)
        elif found := _CELL.fullmatch(place):
            self._last_column = max(self._last_column, _column(found[1]))
            self._last_row = max(self._last_row, int(found[2]))
        else:
            raise _Odd
        self._check()

    def _check(self) -> None:
        if self._cells > MOST_ROWS * MOST_COLUMNS:
            raise _too_large(f"it has more than {MOST_ROWS * MOST_COLUMNS:,} cells")
        if self._last_row + self._unplaced_rows > MOST_ROWS:
            raise _too_large(f"it has cells below row {MOST_ROWS:,}")
        if self._last_column + self._most_unplaced > MOST_COLUMNS:
            raise _too_large(f"it has cells right of column {MOST_COLUMNS:,}")


def _column(letters: str) -> int:
    """A = 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _is_odd(*_: object) -> Never:
    raise _Odd


def _too_large(why: str) -> InputError:
    return InputError(
        f"the spreadsheet is too large: {why}.", todo="Copy the filled rows into a new one, or save it as CSV UTF-8."
    )
