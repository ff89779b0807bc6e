"""A project: a folder with `handraise.yaml` and the data folder `.handraise/`, opened and put together here."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from handraise.accounts.domains import refresh_domains
from handraise.accounts.enrichment.said import refresh_said
from handraise.errors import AsOfError, InputError, ProjectError
from handraise.events.intake import FileCount
from handraise.events.sources import survey
from handraise.ledger.store import Ledger
from handraise.playbook.load import FILE_NAME, LoadedPlaybook, load_playbook
from handraise.playbook.plan import plan_rollups
from handraise.rollups.upkeep import refresh_rollups
from handraise.scores import history
from handraise.service.folder import DATA_FOLDER, DATABASE, check_is_project, make_data_folder
from handraise.service.ledgers import open_ledger
from handraise.service.loading import load_everything
from handraise.service.refresh import Refreshed, score_as_of, show_scored_people
from handraise.service.sources import open_engine_of, read_all, source_warehouse
from handraise.signals.blind import blind_signals, input_columns
from handraise.signals.persona import refresh_traits
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.failures import failures_told
from handraise.warehouse.tables import Renames, create_missing, read_fact, write_fact, write_facts

# The engine's own share; Python, the batches in flight and what the allocator keeps come on top (docs/why/speed.md has peaks).
LOAD_MEMORY = "1100MB"
# "yes" from when scores are kept until what follows from them is decided: if something stops in between, or a command scored
# without deciding, a server does it anew.
UNDECIDED = "live_undecided"
# What a refresh keeps of its latest as-of (which columns; none named = all), so that lists and receipts need no
# scoring of their own.
_KEPT: dict[str, tuple[str, ...]] = {
    "person_values": (),
    "scored_accounts": (),
    "places": ("as_of", "who", "person_id", "account_id"),
    "workspace_accounts": (),
}


@dataclass
class Project:
    """An open project.

    Attributes:
        folder: Where it is.
        loaded: Its checked playbook.
        warehouse: Its data.
        followed: Somebody else keeps the stored scores up to date: they are shown as they are.
        ledger: Opens the ledger, for decisions; None = nothing is decided here.
    """

    folder: Path
    loaded: LoadedPlaybook
    warehouse: Warehouse
    followed: bool = False
    ledger: Callable[[], contextlib.AbstractContextManager[Ledger]] | None = None


@contextlib.contextmanager
def open_project(
    folder: Path,
    *,
    threads: int | None = None,
    read_only: bool = False,
    environment: Mapping[str, str] | None = None,
    memory: str = "4GB",
    loaded: LoadedPlaybook | None = None,
) -> Iterator[Project]:
    """Open a project's playbook and data; close the data afterwards.

    Args:
        folder: The project's folder.
        threads: How many the engine may use; None = all.
        read_only: Scores can be made, and nothing of them or anything else is kept.
        environment: The process's variables, for the address of a company's own warehouse.
        memory: What the embedded engine may use.
        loaded: The playbook to use, whatever the file says; None = the file's.

    Raises:
        ProjectError: The folder has no playbook, or the playbook's warehouse cannot be reached.
        PlaybookError: The playbook has a mistake.
        BusyError: Another process has the data open.
        InputError: Only to be read, and nothing was ever loaded.
    """
    if loaded is None:
        check_is_project(folder)
        loaded = load_playbook(folder / FILE_NAME)
    data = folder / DATA_FOLDER
    if not read_only:
        make_data_folder(data)
    mode = loaded.playbook.warehouse
    if mode:
        engine = open_engine_of(mode, environment or {}, data / DATABASE, threads)
        warehouse = source_warehouse(engine, read_only=read_only)
    elif read_only and not (data / DATABASE).is_file():
        raise _nothing_loaded()
    else:
        warehouse = Warehouse.open(data / DATABASE, threads=threads, memory=memory, read_only=read_only)
    try:
        with failures_told():
            create_missing(warehouse)
            history.make_tables(warehouse)
            ledger = None if read_only else partial(open_ledger, folder, environment or {})
            yield Project(folder=folder, loaded=loaded, warehouse=warehouse, ledger=ledger)
    finally:
        warehouse.close()


def _nothing_loaded() -> InputError:
    return InputError(
        "no events are loaded yet.",
        todo="Run `handraise load PATH…` with your events first, or send some to `handraise serve`.",
    )


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a load did.

    Attributes:
        counts: One for each file and input.
        passed_over: Files of folders that no format knows.
        notes: What else there is to know, such as tables that are missing.
    """

    counts: list[FileCount]
    passed_over: list[Path]
    notes: list[str]


def load(
    project: Project,
    paths: list[Path],
    progress: Callable[[str, float], None] | None = None,
    *,
    form: str | None = None,
) -> Loaded:
    """Load files or folders; `form` names the one format to look for, None = all.

    Raises:
        ProjectError: The project reads its data from a warehouse.
    """
    refuse_files(project, "load")
    renames = renames_of(project)
    found = survey(paths, renames=renames, only=form)
    with project.warehouse.memory(LOAD_MEMORY):
        counts, notes = load_everything(project.warehouse, found.files, project.loaded.playbook, renames, progress)
    if any((path / "truth.parquet").exists() for path in paths if path.is_dir()):
        write_fact(project.warehouse, "simulated", "yes")
    return Loaded(counts=counts, passed_over=found.passed_over, notes=notes)


def refuse_files(project: Project, command: str) -> None:
    """Refuse what has no place in a project that reads its data from a warehouse.

    Raises:
        ProjectError: It does.
    """
    if project.loaded.playbook.warehouse:
        raise ProjectError(
            f"this project reads its data from your warehouse, so there is nothing to {command}.",
            where="warehouse.sources",
            todo="Run `handraise refresh`: it takes in what changed there. To score files, take `warehouse` out of "
            "handraise.yaml or use another project.",
        )


def read_sources(project: Project) -> list[FileCount]:
    """In warehouse mode, take in what changed in the company's tables; else nothing.

    Raises:
        InputError: A table lacks a required column.
        EngineError: A table cannot be read.
    """
    mode = project.loaded.playbook.warehouse
    return read_all(project.warehouse, mode) if mode else []


def renames_of(project: Project) -> Renames:
    """Which columns of files stand for ours, by the playbook."""
    attributes = project.loaded.playbook.attributes
    return {"people": attributes.people, "accounts": attributes.accounts}


def newest_day(project: Project) -> date | None:
    """The day of the newest event, None without events."""
    events = project.warehouse.table("events")
    newest: datetime | None = project.warehouse.rows(events.agg(at=events.timestamp.max()))[0][0].as_py()
    return newest.date() if newest else None


def default_as_of(project: Project, now: datetime) -> date:
    """The end of the day of the newest event, at the latest the end of today.

    Raises:
        InputError: No events are loaded.
    """
    newest = newest_day(project)
    if newest is None:
        raise _nothing_loaded()
    return min(newest, now.date()) + timedelta(days=1)


def refresh(
    project: Project,
    as_ofs: list[date],
    *,
    now: datetime,
    full: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Refreshed:
    """Run the path for the as-ofs, keep the latest scores whole and the history of all.

    Raises:
        AsOfError: An as-of lies beyond the end of today.
    """
    warehouse, loaded = project.warehouse, project.loaded
    ordered = sorted(set(as_ofs))
    check_as_of(ordered[-1], now)
    if full:
        write_fact(warehouse, "rollup_plan", "")
    done = score_as_of(warehouse, loaded, ordered, now=now, progress=progress)
    with warehouse.transaction():
        keep_scored(project, ordered)
        _keep_latest(project, ordered[-1], done)
        write_facts(warehouse, {"scored_in_history": _stamp(project, ordered[-1]), UNDECIDED: "yes"})
    return done


def score_again(project: Project, *, now: datetime) -> Refreshed:
    """Score everybody again for the day that is stored already; its history waits for the next `refresh`.

    Args:
        project: With a refresh behind it, by the same playbook.
        now: The present instant.
    """
    as_of = scored_as_of(project)
    assert as_of  # noqa: S101 - the caller looked
    done = score_as_of(project.warehouse, project.loaded, [as_of], now=now)
    with project.warehouse.transaction():
        _keep_latest(project, as_of, done)
    return done


def _keep_latest(project: Project, as_of: date, done: Refreshed) -> None:
    warehouse = project.warehouse
    key = f"kept scores {project.loaded.content_hash} {sorted(done.blind)}"
    warehouse.once_built(key, lambda: _store_latest(warehouse))
    mark_scored(project, as_of)


def _store_latest(warehouse: Warehouse) -> None:
    newest = warehouse.table("as_ofs").as_of.max().as_scalar()
    for name, columns in _KEPT.items():
        rows = warehouse.table(name)
        warehouse.create(f"kept_{name}", rows.filter(rows.as_of == newest).select(*(columns or rows.columns)))


def keep_scored(project: Project, as_ofs: list[date]) -> None:
    """Add the scores just made to the history."""
    made_of = history.MadeOf(
        playbook=project.loaded.playbook,
        playbook_hash=project.loaded.content_hash,
        data_version=data_version(project),
        blind=frozenset(blind_now(project)),
        stored=_show_stored(project),
    )
    history.keep_snapshots(project.warehouse, as_ofs, made_of)


def _show_stored(project: Project) -> date | None:
    """Let the scores that the last refresh kept be read beside those just made, if the playbook is still the same."""
    # Scores that changed since without being written to history would hide changes from it.
    stamp = read_fact(project.warehouse, "scored")
    if not is_comparable(project) or stamp != read_fact(project.warehouse, "scored_in_history"):
        return None
    project.warehouse.show_as("stored_accounts", "kept_scored_accounts")
    unseen = frozenset(blind_now(project))
    show_scored_people(project.warehouse, project.loaded, unseen, values="kept_person_values", name="stored_people")
    return scored_as_of(project)


def is_comparable(project: Project) -> bool:
    """Whether the stored scores are of this playbook and of the roll-ups as they are numbered now."""
    stamp = (read_fact(project.warehouse, "scored") or "").split()
    return bool(stamp) and [stamp[1], stamp[3]] == [project.loaded.content_hash, _rollups_made(project)]


def mark_scored(project: Project, as_of: date) -> None:
    """Say what the stored scores are of."""
    write_fact(project.warehouse, "scored", _stamp(project, as_of))


def blind_now(project: Project) -> dict[str, str]:
    """Signal → why it is blind, from the columns that were loaded and the playbook."""
    return blind_signals(project.loaded.playbook, input_columns(project.warehouse))


def check_as_of(as_of: date, now: datetime) -> None:
    """Refuse a day whose end has not begun.

    Raises:
        AsOfError: The as-of lies in the future.
    """
    if as_of > now.date() + timedelta(days=1):
        raise AsOfError(
            f"{as_of} lies in the future.",
            todo=f"The latest as-of is the end of today, {now.date() + timedelta(days=1)}.",
        )


def data_version(project: Project) -> str:
    """Changes with everything that is stored of events and facts."""
    return read_fact(project.warehouse, "data_version") or "0"


def _stamp(project: Project, as_of: date) -> str:
    return f"{as_of} {project.loaded.content_hash} {data_version(project)} {_rollups_made(project)}"


def _rollups_made(project: Project) -> str:
    return read_fact(project.warehouse, "rollups_made") or "0"


def scored_by(project: Project) -> str | None:
    """Content hash of the playbook that made the stored scores; None before the first refresh."""
    stamp = read_fact(project.warehouse, "scored")
    return stamp.split()[1] if stamp else None


def scored_as_of(project: Project) -> date | None:
    """The as-of whose whole scores are stored; None before the first refresh."""
    stamp = read_fact(project.warehouse, "scored")
    return date.fromisoformat(stamp.split()[0]) if stamp else None


def is_current(project: Project, as_of: date) -> bool:
    """Whether the stored scores are of this as-of, this playbook and all loaded data."""
    return read_fact(project.warehouse, "scored") == _stamp(project, as_of)


def ensure_scored(project: Project, as_of: date | None, now: datetime) -> date:
    """Leave `scored_people` and `scored_accounts` for an as-of: the stored scores if they fit, else computed anew.

    Scores made here for another day are not kept: looking at the past does not change what `accounts` shows.

    Args:
        project: An open project.
        as_of: The day asked for; None = the day stored last, else the default.
        now: The present instant.
    """
    wanted = as_of or scored_as_of(project) or default_as_of(project, now)
    check_as_of(wanted, now)
    if is_current(project, wanted) or (project.followed and wanted == scored_as_of(project)):
        show_kept(project)
    elif as_of is None:
        refresh(project, [wanted], now=now)
    else:
        score_as_of(project.warehouse, project.loaded, [wanted], now=now)
    return wanted


def forget_scores(project: Project) -> None:
    """Leave roll-ups and what was made of people as new, and no stored scores; history stays."""
    warehouse, playbook = project.warehouse, project.loaded.playbook
    refresh_rollups(warehouse, plan_rollups(playbook))
    refresh_domains(warehouse, playbook.domains)
    refresh_said(warehouse, playbook)
    refresh_traits(warehouse, playbook)
    there = warehouse.table_names()
    for name in _KEPT:
        if f"kept_{name}" in there:
            warehouse.empty(f"kept_{name}")
    write_fact(warehouse, "scored", "")


def show_kept(project: Project) -> None:
    """Leave `scored_people` and `scored_accounts` as the last refresh stored them."""
    for name in _KEPT:
        project.warehouse.show_as(name, f"kept_{name}")
    show_scored_people(project.warehouse, project.loaded, frozenset(blind_now(project)))
