"""What the commands under `handraise playbook` do."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

from handraise.faces.cli import show
from handraise.faces.cli.commands import language
from handraise.faces.cli.days import right_now
from handraise.playbook.load import FILE_NAME, LoadedPlaybook, load_playbook, parse_playbook
from handraise.service.diff import diff_playbooks
from handraise.service.project import open_project

STDIN = Path("-")
MOVERS_SHOWN = 20


def diff(folder: Path, first: Path, second: Path | None, options: dict[str, Any], *, as_of: date | None) -> None:
    """`handraise playbook diff`. `options`: form (text, json, markdown), limit, lang."""
    sides = [_read(path) for path in (first, second) if path is not None]
    form, limit = options["form"], options["limit"]
    with open_project(folder, read_only=True) as project:
        old = project.loaded if second is None else sides[0]
        found = diff_playbooks(
            project,
            old,
            sides[-1],
            as_of=as_of,
            now=right_now(),
            limit=limit or (None if form == "json" else MOVERS_SHOWN),
            language=language(project, options["lang"]) if options["lang"] else None,
        )
    if form == "json":
        show.print_json(found)
    elif form == "markdown":
        from handraise.faces.cli.markdown_diff import markdown_diff

        sys.stdout.write(markdown_diff(found))
    else:
        from handraise.faces.cli.show_diff import playbook_diff

        playbook_diff(found)


def _read(path: Path) -> LoadedPlaybook:
    """A playbook from a file, from the folder it is in, or from standard input."""
    if path == STDIN:
        return parse_playbook(sys.stdin.read(), name="standard input", path=None)
    return load_playbook(path / FILE_NAME if path.is_dir() else path)
