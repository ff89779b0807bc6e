"""What each command does: open the project, ask the service, show the answer."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

from handraise.errors import HandraiseError
from handraise.events.call_intake import FORMAT as CALL
from handraise.events.intake import PASSED_OVER, FileCount
from handraise.events.registry import CANONICAL
from handraise.faces.cli import show, show_start
from handraise.faces.cli.ask import ask, is_served, order
from handraise.faces.cli.days import right_now
from handraise.playbook.measures import account_kinds, person_kinds
from handraise.records import Overview
from handraise.service import project as projects
from handraise.service import questions
from handraise.service.deciding import refresh_and_decide
from handraise.service.folder import create_project
from handraise.service.lists import Choice
from handraise.service.project import Loaded, Project, open_project
from handraise.service.questions import Day
from handraise.service.start import start_from
from handraise.warehouse.text_files import write_whole


def init(folder: Path, paths: list[Path]) -> None:
    """`handraise init`."""
    if paths:
        with show.progress("reading") as progress:
            started = start_from(folder, paths, progress)
        show_start.proposals(started)
        show.say(f"Wrote {started.file}.")
        show.say("Next: read the proposed roles in it, mend what is wrong, then run")
    else:
        file = create_project(folder)
        show.say(f"Wrote {file}.")
        show.say("Next: map your event names to roles in it, then run")
    where = "" if folder == Path() else f" --project {folder}"
    files = " ".join(map(str, paths)) if paths else "PATH/TO/YOUR/FILES"
    show.say(f"  handraise load {files}{where}\n  handraise refresh{where}\n  handraise accounts{where}")
    if not paths:
        show.say(f"Or take in events as they happen: handraise serve{where}")


def _opened(folder: Path) -> AbstractContextManager[Project]:
    return open_project(folder, environment=os.environ)


def _say_sources(counts: Sequence[FileCount], *, as_json: bool) -> None:
    changed = [count for count in counts if count.read]
    if changed and not as_json:
        _show_counts(changed, as_json=False)


def load(folder: Path, paths: list[Path], *, form: str, as_json: bool) -> None:
    """`handraise load`."""
    only = None if form == "auto" else form
    if is_served(folder):
        done = ask(folder, questions.load, paths=[path.resolve() for path in paths], form=only)
    else:
        with _opened(folder) as project, show.progress("loading") as progress:
            done = projects.load(project, paths, progress, form=only)
    note_loads_of(folder, done)
    _show_counts(done.counts, as_json=as_json)
    if done.passed_over and not as_json:
        show.say(f"Passed over, as no format knows them: {', '.join(map(str, done.passed_over))}.")
    for note in () if as_json else done.notes:
        show.say(note)


def note_loads_of(folder: Path, done: Loaded) -> None:
    """Remember the files, so that the data can be made again from them."""
    from handraise.service.ledgers import open_ledger
    from handraise.service.rebuild import note_loads

    with open_ledger(folder, os.environ) as ledger:
        note_loads(ledger, done, now=right_now())
    _leave_out_erased(folder)


def _leave_out_erased(folder: Path) -> None:
    from handraise.ledger.suppression import count_suppressed
    from handraise.service import orders
    from handraise.service.ledgers import open_ledger

    with open_ledger(folder, os.environ) as ledger, ledger.reading() as connection:
        somebody_was_erased = count_suppressed(connection)["erasure"]
    if somebody_was_erased and (back := order(folder, orders.forget_loaded)):
        show.hint(f"{back} ids in the files are of people who were erased: what the files hold of them was left out.")


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
    if count.format == CALL:
        return count.table
    return count.format if count.format == CANONICAL else f"{count.format} {count.table}"


def refresh(folder: Path, as_ofs: list[date], *, full: bool, as_json: bool) -> None:
    """`handraise refresh`."""
    now = right_now()
    if is_served(folder):
        found = ask(folder, questions.refresh, as_ofs=as_ofs, full=full, now=now)
        _say_sources(found.sources, as_json=as_json)
        done, handoffs, passed_on = found.done, found.handoffs, found.passed_on
    else:
        with _opened(folder) as project:
            _say_sources(projects.read_sources(project), as_json=as_json)
            days = as_ofs or [projects.default_as_of(project, now)]
            with show.progress("scoring") as progress:
                done, decided = refresh_and_decide(
                    project, days, now=now, full=full, progress=lambda share: progress("roll-ups", share)
                )
        handoffs, passed_on = decided.handoffs, decided.passed_on
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
    if handoffs:
        show.say(f"New handoffs: {handoffs:,}. `handraise inbox` shows them.")
    if passed_on:
        show.say(f"Passed on to somebody else: {passed_on:,}. `handraise roster` shows who has how much.")
    if done.blind:
        show.say(f"Blind signals: {', '.join(done.blind)}. `handraise doctor` says what they need.")


def _day_of(day: Day) -> date:
    """The day whose scores are shown; says so when events of later days are loaded."""
    if day.newer:
        show.hint(f"Events of later days are loaded: `handraise refresh` scores as of {day.newer}.")
    return day.as_of


def accounts(folder: Path, choice: dict[str, Any], *, as_of: date | None, lang: str | None, as_json: bool) -> None:
    """`handraise accounts`."""
    found = ask(folder, questions.accounts, choice=Choice(**choice), as_of=as_of, language=lang, now=right_now())
    day = _day_of(found.day)
    if as_json:
        show.print_json(found.rows)
        return
    if not found.rows:
        show.say(f"No account is like that as of {day}.")
        return
    show.accounts_table(f"Accounts as of {day}", found.rows)
    show.say(f"\n`handraise explain {found.rows[0].account_id}` shows the whole receipt.")


def people(folder: Path, choice: dict[str, Any], *, as_of: date | None, as_json: bool) -> None:
    """`handraise people`."""
    found = ask(folder, questions.people, choice=Choice(**choice), as_of=as_of, now=right_now())
    day = _day_of(found.day)
    if as_json:
        show.print_json(found.rows)
    elif not found.rows:
        show.say(f"Nobody is like that as of {day}.")
    else:
        show.people_table(f"People as of {day}", found.rows)


def consolidation(folder: Path, *, limit: int, as_of: date | None, as_json: bool) -> None:
    """`handraise consolidation`."""
    found = ask(folder, questions.consolidation, limit=limit, as_of=as_of, now=right_now())
    day = _day_of(found.day)
    if as_json:
        show.print_json(found.rows)
        return
    rows = [[s.domain, s.people, s.workspaces, s.accounts, s.workspace_ids, s.because] for s in found.rows]
    columns = [("domain", "left"), ("people", "right"), ("workspaces", "right"), ("accounts", "right")]
    show.table(
        f"Workspaces that do not know each other, as of {day}", [*columns, ("which", "left"), ("because", "left")], rows
    )


def explain(
    folder: Path, entity_id: str, *, as_of: date | None, against: date | None, lang: str | None, as_json: bool
) -> None:
    """`handraise explain`."""
    found = ask(
        folder,
        questions.explain,
        entity_id=entity_id,
        as_of=as_of,
        against=against,
        language=lang,
        now=right_now(),
    )
    if as_json:
        show.print_json(found)
        return
    for receipt in found:
        show.explanation(receipt)


def export(folder: Path, what: str, out: Path, *, as_of: date | None, as_json: bool) -> None:
    """`handraise export`."""
    rows = ask(folder, questions.export, what=what, out=out.absolute(), as_of=as_of, now=right_now())
    if as_json:
        show.print_json({"file": str(out), "rows": rows})
    else:
        show.say(f"Wrote {rows:,} rows to {out}.")


def report(folder: Path, out: Path, *, as_of: date | None, lang: str | None) -> None:
    """`handraise report`."""
    write_report(ask(folder, questions.overview, as_of=as_of, language=lang, now=right_now()), out)
    show.say(f"Wrote {out}. Open it in a browser.")


def write_report(found: Overview, out: Path) -> None:
    """Render the overview into one HTML file.

    Raises:
        ProjectError: The file cannot be written.
    """
    from handraise.faces.report.render import render_report

    write_whole(out, render_report(found))


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
    found = ask(folder, questions.doctor, now=right_now())
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
    found = ask(folder, questions.quarantine, limit=limit)
    rows, total = found.rows, found.total
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
    calls = [row["format"] == CALL for row in rows]
    show.say("")
    if any(calls):
        show.say(
            'Put right what a library sent over the REST API (docs/api.md, "Put a row right"), and mend the sender.'
        )
    if not all(calls):
        show.say("Mend the file and load it again.")
    show.say("If the playbook was wrong, mend it and run `handraise quarantine replay`.")


def quarantine_replay(folder: Path, *, as_json: bool) -> None:
    """`handraise quarantine replay`."""
    done = ask(folder, questions.replay)
    if any(count.loaded for count in done):
        _leave_out_erased(folder)
    _show_counts(done, as_json=as_json)
