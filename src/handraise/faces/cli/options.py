"""What commands share: options, and how a refusal is said."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from handraise.errors import HandraiseError
from handraise.faces.cli.days import parse_day

ProjectOption = Annotated[
    Path,
    typer.Option("--project", envvar="HANDRAISE_PROJECT", help="The project's folder.", show_default="this folder"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of", metavar="DAY", help="From what came before DAY (UTC), as 2026-10-28.", show_default="newest"
    ),
]
LangOption = Annotated[
    str | None, typer.Option("--lang", help="Language of the reasons: en or zh.", show_default="playbook")
]
ByOption = Annotated[
    str | None,
    typer.Option("--by", envvar="HANDRAISE_BY", help="Whose words they are.", show_default="your account's name"),
]
HERE = Path()


def day_of(text: str | None) -> date | None:
    """A day that was asked for, if one was."""
    return parse_day(text) if text else None


def run(work: Callable[[], Any]) -> Any:
    """Run a command; a refusal is one clear message and exit status 1."""
    try:
        return work()
    except BrokenPipeError:  # whoever read our output has enough
        raise
    except (HandraiseError, OSError) as error:
        from handraise.faces.cli.show import print_error, refused_by_system

        print_error(refused_by_system(error) if isinstance(error, OSError) else error)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What was finished is stored; run the command again to go on.\n")
        raise typer.Exit(130) from None
