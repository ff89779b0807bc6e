"""A document in parts that know no layout: the same words as Markdown, as a page, and on a terminal.

Every text in it is plain: names and ids are foreign, and each writer escapes them in its own way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from handraise.playbook.section import Language


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """A paragraph.

    Attributes:
        text: The words.
        kind: plain; note = of less weight; lead = of more; warning.
    """

    text: str
    kind: Literal["plain", "note", "lead", "warning"] = "plain"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pairs:
    """Names of things and what they are."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A table.

    Attributes:
        caption: What it shows.
        columns: Headings.
        rows: As many cells each.
        figures: Columns of figures, from 0.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """A list."""

    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """How a count went, the oldest first.

    Attributes:
        label: What is counted.
        values: The counts.
    """

    label: str
    values: tuple[int, ...]


Block = Words | Pairs | Grid | Items | Course


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A section of a document."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """What is written.

    Attributes:
        language: en or zh.
        title: Its heading.
        lines: Below the heading.
        simulated: Said where the data are made up; empty = they are not.
        parts: Its sections.
        footer: Below everything.
    """

    language: Language
    title: str
    lines: tuple[str, ...]
    simulated: str
    parts: tuple[Part, ...]
    footer: str


# What Markdown, and the HTML that it may hold, would take for more than a sign; a dash, a plus or a number begin lists.
_ACTING = re.compile(r"([\\`*_{}\[\]<>()#|~&!$^=:@])")
_LIST = re.compile(r"^(\s*)([-+]|\d+[.)])(?=\s)")


def plain(text: str) -> str:
    """A foreign text on one line, without what cannot be seen."""
    kept = "".join(
        " " if unicodedata.category(one) in {"Cc", "Zl", "Zp"} else one
        for one in text
        if unicodedata.category(one) not in {"Cf", "Cs", "Co", "Cn"}
    )
    return " ".join(kept.split())


def escaped(text: str) -> str:
    """A foreign text that Markdown shows as it is, on one line."""
    return _LIST.sub(r"\1\\\2", _ACTING.sub(r"\\\1", plain(text)))


def to_markdown(document: Document) -> str:
    """The document as Markdown; nothing that somebody chose acts in it."""
    return "\n".join(_markdown(document)).rstrip() + "\n"


def _markdown(document: Document) -> Iterator[str]:
    yield f"# {escaped(document.title)}"
    yield ""
    if document.simulated:
        yield f"> **{escaped(document.simulated)}**"
        yield ""
    yield "  \n".join(escaped(line) for line in document.lines)
    for part in document.parts:
        yield f"\n## {escaped(part.title)}"
        for block in part.blocks:
            yield ""
            yield from _block(block)
    yield ""
    yield escaped(document.footer)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Words(text=text, kind="lead" | "warning"):
            yield f"**{escaped(text)}**"
        case Words(text=text, kind="note"):
            yield f"*{escaped(text)}*"
        case Words(text=text):
            yield escaped(text)
        case Pairs(rows=rows):
            yield from (f"- {escaped(name)}: {escaped(value)}" for name, value in rows)
        case Items(lines=lines):
            yield from (f"- {escaped(line)}" for line in lines)
        case Course(label=label, values=values):
            yield f"{escaped(label)}: {' → '.join(str(value) for value in values)}"
        case Grid(columns=columns, rows=rows, figures=figures):
            yield _row(columns)
            yield _row(["--:" if place in figures else "---" for place in range(len(columns))], raw=True)
            yield from (_row(row) for row in rows)


def _row(cells: Sequence[str], *, raw: bool = False) -> str:
    return f"| {' | '.join(cells if raw else map(escaped, cells))} |"
