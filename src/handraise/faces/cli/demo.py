"""`handraise demo`: the whole path on a simulated company, from nothing to a page worth reading."""

from __future__ import annotations

import csv
import shutil
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from handraise.errors import BusyError, ProjectError
from handraise.faces.cli import commands, show
from handraise.faces.cli.acting_commands import inbox_table
from handraise.faces.cli.ask import is_served
from handraise.faces.cli.days import right_now
from handraise.faces.cli.selling_commands import draft_text
from handraise.faces.report.brief_document import brief_line
from handraise.playbook.load import FILE_NAME, template_text
from handraise.playbook.section import Language
from handraise.service import project as projects
from handraise.service import questions
from handraise.service.briefs import brief_of_handoff
from handraise.service.deciding import refresh_and_decide
from handraise.service.drafting import draft_from
from handraise.service.folder import DATA_FOLDER, create_project
from handraise.service.inbox import InboxChoice, inbox
from handraise.service.lists import Choice, list_accounts
from handraise.service.project import Project, open_project

WEEKS = 6
_MARK = ".handraise-demo"
# What the simulated company's plans cost; a template has no prices, as nobody's are known.
_UNPRICED = "pricing: {currency: null, plans: {}}"
_PRICED = (
    "pricing: {currency: EUR, plans: {team: {per_seat: 12}, business: {per_seat: 24}, enterprise: {per_seat: 42}}}"
)

# What it is called in words to prospects.
_NAMELESS, _NAMED = "outreach: {product: null", "outreach: {product: Demo Board"
_NOBODY, _NO_TEAM = "    reps: {}", "    teams: {}"


def run_demo(folder: Path, *, accounts: int, days: int, seed: int, end: date | None, language: str) -> None:
    """Simulate, load, refresh, show, report; made anew each time.

    Args:
        folder: The project's.
        accounts: Accounts with usage.
        days: Of history.
        seed: Same seed and same end, same company.
        end: The first day without events; today if left out, so that what is sent live goes on from there.
        language: Of the reasons.

    Raises:
        AsOfError: The end lies in the future.
        ProjectError: The folder holds something that is not an earlier demo.
        BusyError: A server has the demo.
    """
    started, now = time.monotonic(), right_now()
    end = end or now.date()
    projects.check_as_of(end, now)
    _fresh(folder)
    show.say(f"Simulating a company ({accounts:,} accounts, {days} days, seed {seed}). Nothing in it is real.")
    data = folder / "data"
    commands.simulate(data, accounts=accounts, days=days, seed=seed, events_per_day=None, end=end)
    create_project(folder, _playbook(_owners(data / "accounts.csv")))
    with open_project(folder) as project:
        with show.progress("loading") as progress:
            loaded = projects.load(project, [data], progress)
            counts = loaded.counts
        show.say(
            f"Loaded {sum(c.loaded for c in counts):,} rows ({sum(c.duplicate for c in counts):,} duplicates left out)."
        )
        day = projects.default_as_of(project, now)
        with show.progress("scoring") as bar:
            weeks = [day - timedelta(days=7 * week) for week in range(WEEKS + 1)]
            done, _ = refresh_and_decide(project, weeks, now=now, progress=lambda share: bar("roll-ups", share))
        show.say(
            f"Made {done.people:,} scores of people and {done.accounts:,} of accounts, for {day} and {WEEKS} weeks before.\n"
        )
        lang = questions.language_of(project, language)
        projects.ensure_scored(project, None, now)
        show.accounts_table(
            f"Simulated accounts that deserve a salesperson as of {day}",
            list_accounts(project, Choice(sort="tier", limit=12), lang),
        )
        show.say("")
        listed = inbox(project, InboxChoice(limit=6), lang)
        inbox_table("Who is asked to act today", listed, now)
        _show_words(project, [one.handoff.id for one in listed], lang, now)
        page = folder / "report.html"
        commands.write_report(questions.overview(project, as_of=None, language=lang, now=now), page)
    commands.note_loads_of(folder, loaded)
    show.say(f"\nThe whole picture, with a receipt for every point: {page.resolve()}")
    show.say(f"Look further: handraise explain ID --project {folder}   ({time.monotonic() - started:.0f} s)")
    show.say(f"              handraise inbox --project {folder}        who is asked to act, and why")
    show.say(f"              handraise roster --project {folder}       who sells there, and how much they have")
    show.say(f"See it live, in two terminals: handraise serve --project {folder}")
    show.say(f"                               handraise simulate --live --project {folder}")


def _owners(accounts: Path) -> list[str]:
    """Who has an account in the simulated CRM."""
    with accounts.open(encoding="utf-8", newline="") as rows:
        return sorted({row["owner"] for row in csv.DictReader(rows)} - {""})


def _playbook(owners: list[str]) -> str:
    """The template, with what the simulated company's plans cost and who sells there."""
    reps = ", ".join(f"{one}: {{name: {one.replace('rep-', 'Rep ')} (simulated), capacity: 25}}" for one in owners)
    text = template_text().replace(_UNPRICED, _PRICED).replace(_NAMELESS, _NAMED)
    text = text.replace(_NOBODY, f"    reps: {{{reps}}}")
    return text.replace(_NO_TEAM, f"    teams: {{inside_sales: {{members: [{', '.join(owners)}]}}}}")


def _show_words(project: Project, numbers: list[int], language: Language, now: datetime) -> None:
    """What to know and what to write, for the first handoff of the inbox whose draft may be used."""
    for number in numbers:
        brief = brief_of_handoff(project, number, language=language, now=now)
        draft = draft_from(project, brief, language)
        if draft.blocked is None:
            show.say(f"\nBefore the first word (handraise brief {number}):")
            show.say(f"  {brief_line(brief)}")
            show.say(f"\nA draft (handraise draft {number}); a person approves it, and nothing is sent:\n")
            draft_text(draft)
            return


def _fresh(folder: Path) -> None:
    """Start from an empty folder, but never remove anything that is not a demo."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise ProjectError(
                "this folder holds something else.",
                where=str(folder),
                todo="Name another one: `handraise demo FOLDER`.",
            )
        if is_served(folder):
            raise BusyError(
                "a server has this demo, which would be made anew under it.",
                where=str(folder),
                todo="Stop `handraise serve` first, or name another folder.",
            )
        for name in (DATA_FOLDER, "data"):
            shutil.rmtree(folder / name, ignore_errors=True)
        (folder / FILE_NAME).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text("made by `handraise demo`; simulated, and made anew each time\n", encoding="utf-8")
