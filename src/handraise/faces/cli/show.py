"""Tables, receipts and progress for people on a terminal; plain lines elsewhere; JSON for machines."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from handraise.errors import HandraiseError
from handraise.faces.cli.console import QuietConsole
from handraise.records import AccountScore, Check, Explanation, PersonScore, ReceiptLine

# A pipe or a file is not 80 columns wide: nothing is cut off there.
_PLAIN_WIDTH = 160
out = QuietConsole(highlight=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH, soft_wrap=False)
err = QuietConsole(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _PLAIN_WIDTH)
BAND_STYLE = {"hot": "bold red", "warm": "yellow", "emerging": "cyan"}
_REASONS_SHOWN = 3


def print_json(value: Any) -> None:
    """Records, lists of records or plain values as JSON on standard output."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, indent=2, default=str) + "\n")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def hint(text: str) -> None:
    """Say something that is no part of the answer, beside it."""
    err.print(Text(text, style="yellow"))


def say(text: str) -> None:
    """A line of ordinary output; square brackets in it are text."""
    out.print(escape(text), soft_wrap=True)


def print_error(error: HandraiseError) -> None:
    """What happened, where, and what to do next."""
    err.print(f"[bold red]handraise:[/] {escape(error.what)}", soft_wrap=True)
    if error.where:
        err.print(f"  where: {escape(error.where)}", soft_wrap=True)
    if error.todo:
        err.print(f"  next:  {escape(error.todo)}", soft_wrap=True)


def refused_by_system(error: OSError) -> HandraiseError:
    """What the operating system did not allow, in the words of every other refusal."""
    return HandraiseError(
        f"the system refused: {error.strerror or error}.",
        where=str(error.filename or ""),
        todo="Check the path, who may read and write it, and that the disk is not full.",
    )


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal; elsewhere a line when each part is done. The callback takes the part and its share 0–1."""
    if not err.is_terminal:
        yield _plain_progress(what)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bars:
        task = bars.add_task(what, total=1.0)
        yield lambda part, share: bars.update(task, completed=share, description=escape(f"{what} {part}"))


def _plain_progress(what: str) -> Callable[[str, float], None]:
    def show(part: str, share: float) -> None:
        if share >= 1:
            err.print(escape(f"{what} {part}"), soft_wrap=True)

    return show


def table(title: str, columns: list[tuple[str, str]], rows: list[list[Any]]) -> None:
    """A table; `columns` are (heading, `left` or `right`). Cells are text, never markup."""
    if title:
        out.print(Text(title, style="bold"))
    out.print(make_table(columns, rows))


def make_table(columns: list[tuple[str, str]], rows: list[list[Any]]) -> Table:
    """As `table`, without a title, not printed yet."""
    drawn = Table(header_style="bold", box=None, pad_edge=False, expand=False)
    for heading, side in columns:
        drawn.add_column(heading, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row))
    return drawn


def accounts_table(title: str, accounts: list[AccountScore]) -> None:
    """Accounts with their strongest reasons."""
    rows = [
        [
            a.score,
            f"{a.tier} {a.tier_name}",
            named(a.name, a.account_id),
            a.segment + ("?" if a.segment_is_guess else ""),
            a.active_people,
            a.pqls or "",
            "" if a.risen is None else f"{a.risen:+d}",
            reasons(a.receipt),
        ]
        for a in accounts
    ]
    columns = [
        ("score", "right"),
        ("tier", "left"),
        ("account", "left"),
        ("segment", "left"),
        ("people", "right"),
        ("PQLs", "right"),
        ("7 days", "right"),
        ("because", "left"),
    ]
    table(title, columns, rows)


def named(name: str | None, own_id: str) -> Text:
    """A name with its id, which is less bright; the id alone where there is no name."""
    return Text.assemble(name or own_id, ("" if name is None else f"  {own_id}", "dim"))


def reasons(lines: tuple[ReceiptLine, ...], most: int = _REASONS_SHOWN) -> str:
    """The strongest reasons as one line."""
    giving = [line for line in lines if line.points]
    # What people did is most accounts' largest line; it is named where nothing else is.
    own = [line for line in giving if line.signal != "people"] or giving
    return "; ".join(f"{line.because} ({line.points:+d})" for line in own[:most])


def people_table(title: str, people: list[PersonScore]) -> None:
    """People with band, role and account."""
    rows = [
        [
            p.score,
            Text(p.band, style=BAND_STYLE.get(p.band, "")),
            named(p.name, p.person_id),
            p.title or "",
            p.department or "",
            "PQL" if p.is_pql else ("buyer" if p.is_buyer else ""),
            p.account_id,
        ]
        for p in people
    ]
    columns = [("score", "right"), *((c, "left") for c in ("band", "person", "title", "department", "", "account"))]
    table(title, columns, rows)


def explanation(found: Explanation) -> None:
    """One receipt, its evidence, what changed and what would change it."""
    who = f"{found.name} ({found.id})" if found.name else found.id
    label = found.label if found.entity == "person" else f"tier {found.label}"
    out.print()
    out.print(
        Text.assemble((f"{found.entity} {who}", "bold"), f" in {found.account_id}" if found.entity == "person" else "")
    )
    out.print(
        Text.assemble(
            ("score ", "dim"),
            (str(found.score), "bold"),
            f"  {label}  ",
            (f"as of {found.as_of}, playbook {found.playbook_hash}", "dim"),
        )
    )
    rows: list[list[Any]] = [[_points(line), line.signal, _value(line.value), line.because] for line in found.lines]
    rows.append([Text(str(found.score), style="bold"), Text("sum", style="bold"), "", ""])
    table("", [("points", "right"), ("signal", "left"), ("value", "right"), ("because", "left")], rows)
    _changes(found)
    _next(found)
    if found.evidence:
        table(
            "Evidence",
            [("signal", "left"), ("event", "left"), ("at", "left")],
            [[e.signal, e.name, e.at] for e in found.evidence],
        )
    if found.links:
        table(
            "Links",
            [("what", "left"), ("belongs to", "left"), ("because", "left")],
            [[li.what, li.to, li.because] for li in found.links],
        )
    if found.people:
        people_table("People", list(found.people))


def _points(line: ReceiptLine) -> Text:
    if line.points is None:
        return Text("blind", style="dim")
    return Text(f"{line.points:+d}", style="red" if line.points < 0 else "green")


def _value(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:g}" if value == round(value) else f"{value:.2f}"


def _changes(found: Explanation) -> None:
    if found.against is None:
        return
    then = "not there yet" if found.score_then is None else str(found.score_then)
    rows = [[c.signal, c.then, c.now, f"{c.now - c.then:+d}"] for c in found.changes]
    columns = [("signal", "left"), ("then", "right"), ("now", "right"), ("change", "right")]
    table(f"Since {found.against} (score {then})", columns, rows or [["nothing changed", "", "", ""]])


def _next(found: Explanation) -> None:
    if found.next_label:
        name, needed = found.next_label
        say(f"{needed - found.score} more points make it {name}.")
    if found.steps:
        columns = [("gain", "right"), ("signal", "left"), ("needs", "left"), ("now", "right")]
        table(
            "What would add points", columns, [[f"+{s.gain}", s.signal, s.rung, _value(s.value)] for s in found.steps]
        )


def checks(found: list[Check]) -> None:
    """The doctor's findings."""
    marks = {
        "good": Text("ok", style="green"),
        "missing": Text("–", style="yellow"),
        "problem": Text("!!", style="bold red"),
    }
    rows = [[marks[c.state], c.what, c.found, c.todo] for c in found]
    table("", [("", "left"), ("what", "left"), ("found", "left"), ("to do", "left")], rows)
