"""What each command does: open the project, ask the service, show the answer."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any, cast

from handraise.errors import HandraiseError
from handraise.events.intake import PASSED_OVER, FileCount
from handraise.events.registry import CANONICAL
from handraise.faces.cli import show
from handraise.faces.cli.days import right_now
from handraise.playbook.measures import account_kinds, person_kinds
from handraise.playbook.schema import Language
from handraise.service import project as projects
from handraise.service.doctor import examine
from handraise.service.explain import explain as explain_id
from handraise.service.export import What
from handraise.service.export import export as write_export
from handraise.service.lists import (
    ACCOUNT_SORTS,
    PERSON_SORTS,
    Choice,
    list_accounts,
    list_people,
    list_strangers,
    overview,
)
from handraise.service.project import Project, open_project
from handraise.service.start import start_from
from handraise.warehouse.files import write_whole


def init(folder: Path, paths: list[Path]) -> None:
    """`handraise init`."""
    if paths:
        with show.progress("reading") as progress:
            started = start_from(folder, paths, progress)
        show.proposals(started)
        show.say(f"Wrote {started.file}.")
        show.say("Next: read the proposed roles in it, mend what is wrong, then run")
    else:
        file = projects.create_project(folder)
        show.say(f"Wrote {file}.")
        show.say("Next: map your event names to roles in it, then run")
    where = "" if folder == Path() else f" --project {folder}"
    files = " ".join(map(str, paths)) if paths else "PATH/TO/YOUR/FILES"
    show.say(f"  handraise load {files}{where}\n  handraise refresh{where}\n  handraise accounts{where}")


def _opened(folder: Path) -> AbstractContextManager[Project]:
    return open_project(folder, environment=os.environ)


def _say_sources(counts: Sequence[FileCount], *, as_json: bool) -> None:
    changed = [count for count in counts if count.read]
    if changed and not as_json:
        _show_counts(changed, as_json=False)


def load(folder: Path, paths: list[Path], *, form: str, as_json: bool) -> None:
    """`handraise load`."""
    with _opened(folder) as project, show.progress("loading") as progress:
        done = projects.load(project, paths, progress, form=None if form == "auto" else form)
    _show_counts(done.counts, as_json=as_json)
    if done.passed_over and not as_json:
        show.say(f"Passed over, as no format knows them: {', '.join(map(str, done.passed_over))}.")
    for note in () if as_json else done.notes:
        show.say(note)


def _show_counts(counts: Sequence[FileCount], *, as_json: bool) -> None:
    if as_json:
        show.print_json(list(counts))
        return
    rows = [
        [c.input, c.read, c.loaded, c.duplicate, c.quarantined, _taken_for(c), c.file]
        for c in counts
        if c.input != PASSED_OVER
    ]
    columns = [
        ("input", "left"),
        *((c, "right") for c in ("read", "loaded", "duplicate", "quarantined")),
        ("taken for", "left"),
        ("file", "left"),
    ]
    show.table("", columns, [[*(f"{cell:,}" if isinstance(cell, int) else cell for cell in row)] for row in rows])
    for count in counts:
        if count.passed_over:
            why = f": {count.reason}" if count.reason else ", as they are neither product use nor facts"
            show.say(f"{count.passed_over:,} rows of {count.file} were passed over{why}.")
    if any(c.quarantined for c in counts):
        show.say("Some rows were set aside: `handraise quarantine` says why.")


def _taken_for(count: FileCount) -> str:
    return count.format if count.format == CANONICAL else f"{count.format} {count.table}"


def refresh(folder: Path, as_ofs: list[date], *, full: bool, as_json: bool) -> None:
    """`handraise refresh`."""
    now = right_now()
    with _opened(folder) as project:
        _say_sources(projects.read_sources(project), as_json=as_json)
        days = as_ofs or [projects.default_as_of(project, now)]
        with show.progress("scoring") as progress:
            done = projects.refresh(
                project, days, now=now, full=full, progress=lambda share: progress("roll-ups", share)
            )
    if as_json:
        show.print_json(dataclasses.asdict(done))
        return
    days_said = (
        f"{done.as_ofs[0]}"
        if len(done.as_ofs) == 1
        else f"{done.as_ofs[0]} … {done.as_ofs[-1]} ({len(done.as_ofs)} days)"
    )
    show.say(
        f"Scored as of {days_said}: {done.people:,} people and {done.accounts:,} accounts; {done.days_rolled_up} days rolled up."
    )
    if done.blind:
        show.say(f"Blind signals: {', '.join(done.blind)}. `handraise doctor` says what they need.")


def _scored(project: Project, as_of: date | None) -> date:
    """The day whose scores are shown; says so when events of later days are loaded."""
    now = right_now()
    day = projects.ensure_scored(project, as_of, now)
    if as_of is None and (newest := projects.default_as_of(project, now)) > day:
        show.hint(f"Events of later days are loaded: `handraise refresh` scores as of {newest}.")
    return day


def accounts(folder: Path, choice: dict[str, Any], *, as_of: date | None, lang: str | None, as_json: bool) -> None:
    """`handraise accounts`."""
    _check_sort(choice["sort"], ACCOUNT_SORTS)
    with _opened(folder) as project:
        segments = [s.name for s in project.loaded.playbook.segments]
        _check_name("segment", choice["segment"], segments)
        day = _scored(project, as_of)
        found = list_accounts(project, Choice(**choice), language(project, lang))
    if as_json:
        show.print_json(found)
        return
    show.accounts_table(f"Accounts as of {day}", found)
    if found:
        show.say(f"\n`handraise explain {found[0].account_id}` shows the whole receipt.")


def people(folder: Path, choice: dict[str, Any], *, as_of: date | None, as_json: bool) -> None:
    """`handraise people`."""
    _check_sort(choice["sort"], PERSON_SORTS)
    with _opened(folder) as project:
        _check_name("band", choice["band"], [b.name for b in project.loaded.playbook.bands])
        day = _scored(project, as_of)
        found = list_people(project, Choice(**choice))
    if as_json:
        show.print_json(found)
    else:
        show.people_table(f"People as of {day}", found)


def consolidation(folder: Path, *, limit: int, as_of: date | None, as_json: bool) -> None:
    """`handraise consolidation`."""
    with _opened(folder) as project:
        day = _scored(project, as_of)
        found = list_strangers(project, limit)
    if as_json:
        show.print_json(found)
        return
    rows = [[s.domain, s.people, s.workspaces, s.accounts, s.workspace_ids, s.because] for s in found]
    columns = [("domain", "left"), ("people", "right"), ("workspaces", "right"), ("accounts", "right")]
    show.table(
        f"Workspaces that do not know each other, as of {day}", [*columns, ("which", "left"), ("because", "left")], rows
    )


def explain(
    folder: Path, entity_id: str, *, as_of: date | None, against: date | None, lang: str | None, as_json: bool
) -> None:
    """`handraise explain`."""
    with _opened(folder) as project:
        found = explain_id(
            project, entity_id, as_of=as_of, against=against, now=right_now(), language=language(project, lang)
        )
    if as_json:
        show.print_json(found)
        return
    for receipt in found:
        show.explanation(receipt)


def export(folder: Path, what: str, out: Path, *, as_of: date | None, as_json: bool) -> None:
    """`handraise export`."""
    with _opened(folder) as project:
        rows = write_export(project, cast("What", what), out, as_of=as_of, now=right_now())
    if as_json:
        show.print_json({"file": str(out), "rows": rows})
    else:
        show.say(f"Wrote {rows:,} rows to {out}.")


def report(folder: Path, out: Path, *, as_of: date | None, lang: str | None) -> None:
    """`handraise report`."""
    with _opened(folder) as project:
        write_report(project, out, as_of=as_of, lang=language(project, lang))
    show.say(f"Wrote {out}. Open it in a browser.")


def write_report(project: Project, out: Path, *, as_of: date | None, lang: Language) -> None:
    """Render the overview into one HTML file.

    Raises:
        ProjectError: The file cannot be written.
    """
    from handraise.faces.report.render import render_report

    page = render_report(overview(project, as_of=as_of, now=right_now(), language=lang))
    write_whole(out, page)


def simulate(
    folder: Path, *, accounts: int, days: int, seed: int, events_per_day: float | None, end: date | None
) -> None:
    """`handraise simulate`."""
    from handraise.simulate import simulate as make

    options: dict[str, Any] = {"end": end} if end else {}
    try:
        with show.progress("simulating") as progress:
            made = make(
                folder,
                accounts=accounts,
                days=days,
                seed=seed,
                events_per_day=events_per_day,
                progress=lambda what, done, total: progress(what, done / max(total, 1)),
                **options,
            )
    except (ValueError, OSError) as error:
        raise HandraiseError(f"the company cannot be simulated: {error}.", where=str(folder)) from error
    rows = [[name, f"{count:,}"] for name, count in dataclasses.asdict(made).items()]
    show.table(f"Simulated company in {folder} (nothing in it is real)", [("file", "left"), ("rows", "right")], rows)


def doctor(folder: Path, *, as_json: bool) -> None:
    """`handraise doctor`."""
    with _opened(folder) as project:
        found = examine(project, right_now())
    if as_json:
        show.print_json(found)
    else:
        show.checks(found)


def playbook_kinds() -> None:
    """`handraise playbook kinds`."""
    for title, kinds in (("Kinds of person signals", person_kinds()), ("Kinds of account signals", account_kinds())):
        rows = [[kind, ", ".join(keys), (doc or "").splitlines()[0]] for kind, keys, doc in kinds]
        show.table(title, [("kind", "left"), ("keys", "left"), ("measures", "left")], rows)


def quarantine(folder: Path, *, limit: int, as_json: bool) -> None:
    """`handraise quarantine`."""
    with _opened(folder) as project:
        rows, total = projects.quarantined(project, limit)
    if as_json:
        show.print_json(rows)
        return
    if not rows:
        show.say("Nothing is set aside.")
        return
    shown = [[row["file"], row["line"], row["reason"], row["raw"]] for row in rows]
    show.table(
        f"{len(rows)} of {total:,} rows set aside",
        [("file", "left"), ("line", "right"), ("reason", "left"), ("row", "left")],
        shown,
    )
    show.say("\nMend the file and load it again, or mend the playbook and run `handraise quarantine replay`.")


def quarantine_replay(folder: Path, *, as_json: bool) -> None:
    """`handraise quarantine replay`."""
    with _opened(folder) as project:
        counts = projects.replay(project)
    _show_counts(counts, as_json=as_json)


def language(project: Project, lang: str | None) -> Language:
    """The language asked for, else the playbook's."""
    if lang is None:
        return project.loaded.playbook.language
    _check_name("language", lang, ["en", "zh"])
    return cast("Language", lang)


def _check_sort(sort: str, known: Sequence[str]) -> None:
    _check_name("sort", sort, list(known))


def _check_name(what: str, name: str | None, known: list[str]) -> None:
    if name is not None and name not in known:
        raise HandraiseError(f"there is no {what} {name!r}.", todo=f"Choose one of: {', '.join(known)}.")
