"""What faces ask of a project: one function each, whose arguments and answer can travel between processes.

A command works on the project itself, or hands the same question to the server that has it; the answer is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from handraise.errors import HandraiseError
from handraise.events.call_intake import Counts, read_counts
from handraise.events.erase import subject_of
from handraise.events.intake import FileCount
from handraise.playbook.load import LoadedPlaybook
from handraise.playbook.section import Language
from handraise.records import AccountScore, Check, Explanation, Overview, PersonScore, ReceiptLine, Standing, Strangers
from handraise.records.enrichment import About, EnrichmentConflict
from handraise.service import aside
from handraise.service import doctor as doctors
from handraise.service import explain as explaining
from handraise.service import inbox as boxes
from handraise.service import project as projects
from handraise.service.backup import copy_file
from handraise.service.deciding import refresh_and_decide
from handraise.service.diff import PlaybookDiff, diff_playbooks
from handraise.service.export import What
from handraise.service.export import export as write_export
from handraise.service.folder import DATA_FOLDER, DATABASE
from handraise.service.inbox import InboxChoice, InboxItem, WhyNot
from handraise.service.known_values import Enriched, list_conflicts, look_over
from handraise.service.lists import (
    ACCOUNT_SORTS,
    PERSON_SORTS,
    Choice,
    list_accounts,
    list_people,
    list_strangers,
)
from handraise.service.lists import overview as show_all
from handraise.service.person_data import data_of
from handraise.service.project import Loaded, Project
from handraise.service.refresh import Refreshed
from handraise.service.standings import list_standings, reasons_of

Asked = TypeVar("Asked", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One of them.

    Attributes:
        answer: The function; takes the project, then keywords.
        changes: Whether it stores something.
        read_only: Whether the project is left to the byte as it was.
    """

    answer: Callable[..., Any]
    changes: bool
    read_only: bool


QUESTIONS: dict[str, Question] = {}


def question(*, changes: bool, read_only: bool = False) -> Callable[[Asked], Asked]:
    """Register a function under its name."""

    def register(function: Asked) -> Asked:
        QUESTIONS[function.__name__] = Question(answer=function, changes=changes, read_only=read_only)
        return function

    return register


@dataclass(frozen=True, kw_only=True)
class Day:
    """Whose scores an answer shows.

    Attributes:
        as_of: The day.
        newer: A later day that could be scored, if no day was asked for and there is one.
    """

    as_of: date
    newer: date | None


@dataclass(frozen=True, kw_only=True)
class Accounts:
    """A list of accounts."""

    day: Day
    rows: list[AccountScore]


@dataclass(frozen=True, kw_only=True)
class Standings:
    """Where accounts stand, for whoever looks again and again.

    Attributes:
        as_of: The day that they are scored for.
        tiers: Number of each tier → its name.
        segments: Names of all segments.
        rows: The best first.
    """

    as_of: date
    tiers: dict[int, str]
    segments: list[str]
    rows: list[Standing]


@dataclass(frozen=True, kw_only=True)
class People:
    """A list of people."""

    day: Day
    rows: list[PersonScore]


@dataclass(frozen=True, kw_only=True)
class Consolidation:
    """A list of companies whose workspaces do not know each other."""

    day: Day
    rows: list[Strangers]


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """Rows of quarantine, and how many there are."""

    rows: list[dict[str, Any]]
    total: int


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What a refresh did, what it took in from a warehouse before, how many handoffs it led to, and how many went to somebody else."""

    sources: list[FileCount]
    done: Refreshed
    handoffs: int
    passed_on: int


@question(changes=False)
def accounts(project: Project, *, choice: Choice, as_of: date | None, language: str | None, now: datetime) -> Accounts:
    """The accounts of a day, the best first."""
    check_name("sort", choice.sort, ACCOUNT_SORTS)
    check_name(
        "tier",
        None if choice.tier is None else str(choice.tier),
        [str(tier.tier) for tier in project.loaded.playbook.tiers],
    )
    check_name("segment", choice.segment, [segment.name for segment in project.loaded.playbook.segments])
    day = _scored(project, as_of, now)
    return Accounts(day=day, rows=list_accounts(project, choice, language_of(project, language)))


@question(changes=False)
def standings(project: Project, *, most: int, now: datetime) -> Standings:
    """Where the best accounts stand now."""
    as_of, playbook = projects.ensure_scored(project, None, now), project.loaded.playbook
    return Standings(
        as_of=as_of,
        tiers={tier.tier: tier.name for tier in playbook.tiers},
        segments=[segment.name for segment in playbook.segments],
        rows=list_standings(project, most),
    )


@question(changes=False)
def reasons(
    project: Project, *, account_ids: list[str], language: str | None, now: datetime
) -> dict[str, tuple[ReceiptLine, ...]]:
    """Account → what gives it points now, the strongest first."""
    projects.ensure_scored(project, None, now)
    return reasons_of(project, account_ids, language_of(project, language))


@question(changes=False)
def people(project: Project, *, choice: Choice, as_of: date | None, now: datetime) -> People:
    """The people of a day, the best first."""
    check_name("sort", choice.sort, PERSON_SORTS)
    check_name("band", choice.band, [band.name for band in project.loaded.playbook.bands])
    return People(day=_scored(project, as_of, now), rows=list_people(project, choice))


@question(changes=False)
def consolidation(project: Project, *, limit: int, as_of: date | None, now: datetime) -> Consolidation:
    """Companies whose workspaces do not know each other."""
    return Consolidation(day=_scored(project, as_of, now), rows=list_strangers(project, limit))


@question(changes=False)
def explain(
    project: Project,
    *,
    entity_id: str,
    as_of: date | None,
    against: date | None,
    language: str | None,
    now: datetime,
) -> list[Explanation]:
    """The receipts of a person or an account."""
    wanted = language_of(project, language)
    return explaining.explain(project, entity_id, as_of=as_of, against=against, now=now, language=wanted)


@question(changes=False)
def export(project: Project, *, what: str, out: Path, as_of: date | None, now: datetime) -> int:
    """Write scores to a file; how many rows."""
    return write_export(project, cast("What", what), out, as_of=as_of, now=now)


@question(changes=False)
def overview(project: Project, *, as_of: date | None, language: str | None, now: datetime) -> Overview:
    """Everything that the report shows."""
    return show_all(project, as_of=as_of, now=now, language=language_of(project, language))


@question(changes=False)
def doctor(project: Project, *, now: datetime) -> list[Check]:
    """What is loaded, and what is missing."""
    return doctors.examine(project, now)


@question(changes=False)
def quarantine(project: Project, *, limit: int) -> SetAside:
    """Rows that were set aside."""
    rows, total = aside.quarantined(project, limit)
    return SetAside(rows=rows, total=total)


@question(changes=False)
def ingest_counts(project: Project) -> dict[str, Counts]:
    """Source → what became of everything that it sent and that has been taken in."""
    return read_counts(project.warehouse)


@question(changes=False)
def inbox(project: Project, *, choice: InboxChoice, language: str | None, now: datetime) -> list[InboxItem]:
    """Handoffs that are under way, the most urgent first."""
    projects.ensure_scored(project, None, now)
    return boxes.inbox(project, choice, language_of(project, language))


@question(changes=False)
def handoff_item(project: Project, *, number: int, language: str | None, now: datetime) -> InboxItem:
    """One handoff with names, and with its reasons in words."""
    projects.ensure_scored(project, None, now)
    return boxes.item(project, number, language_of(project, language))


@question(changes=False)
def why_not(project: Project, *, account_id: str, limit: int, language: str | None, now: datetime) -> WhyNot:
    """What was decided about an account, the latest first."""
    projects.ensure_scored(project, None, now)
    return boxes.why_not(project, account_id, language=language_of(project, language), limit=limit)


@question(changes=False)
def enrichment(project: Project, *, now: datetime) -> Enriched:
    """How much each source knows of companies and people."""
    return look_over(project, now=now)


@question(changes=False)
def enrichment_conflicts(project: Project, *, about: str | None, limit: int, now: datetime) -> list[EnrichmentConflict]:
    """Where sources contradict each other."""
    check_name("kind", about, ("company", "person"))
    return list_conflicts(project, about=cast("About | None", about), limit=limit, now=now)


@question(changes=False)
def known_as(project: Project, *, person_id: str) -> list[str]:
    """Other ids and addresses that lead to a person, and are erased with them: aliases, anonymous ids, e-mail."""
    subject = subject_of(project.warehouse, person_id)
    return sorted({*subject.ids, *subject.emails} - {person_id})


@question(changes=False)
def person_data(project: Project, *, person_id: str) -> dict[str, list[dict[str, Any]]]:
    """Table → everything that is stored of a person."""
    return data_of(project, person_id)


@question(changes=False, read_only=True)
def playbook_diff(  # noqa: PLR0913 - each is the asker's to decide
    project: Project,
    *,
    old: LoadedPlaybook | None,
    new: LoadedPlaybook,
    as_of: date | None,
    limit: int | None,
    language: str | None,
    now: datetime,
) -> PlaybookDiff:
    """What a playbook changes against another, or against the project's own."""
    wanted = language_of(project, language) if language else None
    before = old or project.loaded
    return diff_playbooks(project, before, new, as_of=as_of, now=now, limit=limit, language=wanted)


@question(changes=True)
def load(project: Project, *, paths: list[Path], form: str | None) -> Loaded:
    """Load files."""
    return projects.load(project, paths, form=form)


@question(changes=True)
def refresh(project: Project, *, as_ofs: list[date], full: bool, now: datetime) -> Scored:
    """Score everybody."""
    sources = projects.read_sources(project)
    days = as_ofs or [projects.default_as_of(project, now)]
    done, decided = refresh_and_decide(project, days, now=now, full=full)
    return Scored(sources=sources, done=done, handoffs=decided.handoffs, passed_on=decided.passed_on)


@question(changes=True)
def copy_data(project: Project, *, target: Path) -> int:
    """Copy the data file while nobody changes it; returns bytes."""
    return copy_file(project.folder / DATA_FOLDER / DATABASE, target)


@question(changes=True)
def replay(project: Project) -> list[FileCount]:
    """Try what was set aside once more."""
    return aside.replay(project)


def _scored(project: Project, as_of: date | None, now: datetime) -> Day:
    """Leave the scores of a day to be read."""
    day = projects.ensure_scored(project, as_of, now)
    newest = projects.default_as_of(project, now) if as_of is None else day
    return Day(as_of=day, newer=newest if newest > day else None)


def language_of(project: Project, language: str | None) -> Language:
    """The language asked for, else the playbook's.

    Raises:
        HandraiseError: There is no such language.
    """
    if language is None:
        return project.loaded.playbook.language
    check_name("language", language, ("en", "zh"))
    return cast("Language", language)


def check_name(what: str, name: str | None, known: list[str] | tuple[str, ...]) -> None:
    """Refuse a choice that does not exist.

    Raises:
        HandraiseError: It does not.
    """
    if name is not None and name not in known:
        raise HandraiseError(f"there is no {what} {name!r}.", todo=f"Choose one of: {', '.join(known)}.")
