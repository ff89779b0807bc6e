"""What became of a playbook's examples, for people on a terminal."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

from handraise.faces.cli import show
from handraise.records import ReceiptLine
from handraise.service.examples import ExampleResult


def examples(results: list[ExampleResult]) -> None:
    """One line for each; a failed one says what was expected, what came, and the receipt behind it."""
    for result in results:
        mark = "[green]ok[/]  " if result.passed else "[bold red]FAIL[/]"
        where = "" if result.passed else f"  [dim]{escape(result.file)}:{result.line}[/]"
        show.out.print(f"{mark} {escape(result.name)}{where}", soft_wrap=True)
        if not result.passed:
            _why(result)
    held = sum(result.passed for result in results)
    show.say(f"{held} of {len(results)} examples hold.")


def _why(result: ExampleResult) -> None:
    rows: list[list[Any]] = [
        [m.of, m.what, m.expected, "–" if m.got is None else m.got, m.because] for m in result.mismatches
    ]
    columns = [("of", "left"), ("what", "left"), ("expected", "right"), ("got", "right"), ("because", "left")]
    show.table("", columns, rows)
    of = {mismatch.of for mismatch in result.mismatches}
    if "person" in of:
        _receipt("receipt of the person", result.person)
    if "account" in of:
        _receipt("receipt of the account", result.account)
    for note in result.notes:
        show.say(f"note: {note}")
    show.say("")


def _receipt(title: str, lines: tuple[ReceiptLine, ...]) -> None:
    given = sorted((line for line in lines if line.points), key=lambda line: (-(line.points or 0), line.signal))
    rows: list[list[Any]] = [[f"{line.points:+d}", line.signal, line.because] for line in given]
    rows.append([str(sum(line.points or 0 for line in given)), "sum", ""])
    show.table(title, [("points", "right"), ("signal", "left"), ("because", "left")], rows)
