"""What the commands under `handraise playbook` do."""

from __future__ import annotations

import dataclasses
import sys
from datetime import date
from pathlib import Path
from typing import Any

from handraise.errors import PlaybookError
from handraise.faces.cli import show
from handraise.faces.cli.ask import ask
from handraise.faces.cli.days import right_now
from handraise.playbook.examples import EXAMPLES_FILE
from handraise.playbook.load import FILE_NAME, LoadedPlaybook, load_playbook, parse_playbook
from handraise.service import questions
from handraise.service.examples import run_examples

STDIN = Path("-")
MOVERS_SHOWN = 20


def check(path: Path, *, as_json: bool) -> bool:
    """`handraise playbook check`; whether the playbook is sound. For machines, mistakes are an answer, not an error."""
    file = path / FILE_NAME if path.is_dir() else path
    try:
        loaded = load_playbook(file)
    except PlaybookError as error:
        if not as_json:
            raise
        mistakes = [_mistake(mistake, file) for mistake in error.mistakes]
        show.print_json({"file": str(file), "hash": None, "ok": False, "mistakes": mistakes})
        return False
    playbook = loaded.playbook
    if as_json:
        show.print_json({"file": str(file), "hash": loaded.content_hash, "ok": True, "mistakes": []})
        return True
    show.say(
        f"{file} is sound: {len(playbook.signals.person)} person signals, {len(playbook.signals.account)} account "
        f"signals, {len(playbook.roles)} roles. Version {loaded.content_hash}."
    )
    return True


def _mistake(error: PlaybookError, file: Path) -> dict[str, Any]:
    line = error.where.rpartition(":")[2]
    return {
        "file": str(file),
        "line": int(line) if line.isdecimal() else None,
        "what": error.what,
        "todo": error.todo,
    }


def diff(folder: Path, first: Path, second: Path | None, options: dict[str, Any], *, as_of: date | None) -> None:
    """`handraise playbook diff`. `options`: form (text, json, markdown), limit, lang."""
    sides = [_read(path) for path in (first, second) if path is not None]
    form, limit = options["form"], options["limit"]
    found = ask(
        folder,
        questions.playbook_diff,
        old=None if second is None else sides[0],
        new=sides[-1],
        as_of=as_of,
        limit=limit or (None if form == "json" else MOVERS_SHOWN),
        language=options["lang"],
        now=right_now(),
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
        text = sys.stdin.read()
        if not text.strip():
            # An empty playbook is the template, but an empty pipe is a command before it that failed.
            raise PlaybookError(
                "nothing came through standard input.",
                todo="Look at the command before the pipe; `git show REVISION:handraise.yaml` prints nothing for a wrong name.",
            )
        return parse_playbook(text, name="standard input", path=None)
    return load_playbook(path / FILE_NAME if path.is_dir() else path)


def test(folder: Path, files: list[Path], *, as_json: bool) -> bool:
    """`handraise playbook test`; whether every example holds."""
    loaded = _read(folder)
    beside = (folder if folder.is_dir() else folder.parent) / EXAMPLES_FILE
    if not files and not beside.is_file():
        raise PlaybookError(
            f"there is no {EXAMPLES_FILE} beside the playbook.",
            where=str(beside.parent),
            todo="Write one, or name your files: handraise playbook test FILE…",
        )
    results = run_examples(loaded, files or [beside])
    if as_json:
        show.print_json(
            {
                "playbook": loaded.content_hash,
                "passed": all(r.passed for r in results),
                "examples": list(map(dataclasses.asdict, results)),
            }
        )
    else:
        from handraise.faces.cli.show_examples import examples

        examples(results)
    return all(result.passed for result in results)
