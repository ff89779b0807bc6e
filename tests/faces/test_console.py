"""What strangers send is text on a terminal, whatever characters it holds."""

import io

import pytest
from rich.table import Table
from rich.text import Text

from handraise.faces.cli.console import QuietConsole


@pytest.mark.parametrize("is_terminal", [True, False])
def test_nothing_in_a_text_acts_on_the_terminal(is_terminal: bool) -> None:
    console = QuietConsole(file=io.StringIO(), force_terminal=is_terminal, width=80, highlight=False)
    hostile = "a\x1b[2Jb\x1b]0;title\x07c\x9b31md\u202ee\u2066f"
    table = Table(hostile)
    table.add_row(Text(hostile, style="bold"), hostile)
    console.print(table)
    console.print(hostile, soft_wrap=True)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for acting in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\u202e", "\u2066"):
        assert acting not in shown
    assert "a\ufffd[2Jb\ufffd]0;title" in shown
    assert ("\x1b[1m" in shown) == is_terminal  # our own styles are there


def test_ordinary_text_stays_as_it_is() -> None:
    console = QuietConsole(file=io.StringIO(), width=80, highlight=False)
    console.print("Zoë 東京 👩‍💻\nnext line", soft_wrap=True)
    assert console.file.getvalue() == "Zoë 東京 👩‍💻\nnext line\n"  # type: ignore[attr-defined]
