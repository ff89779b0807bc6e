"""What faces ask of everything that serves a project, where the project alone is not enough: the log and the ledger too.

As with `questions`, arguments and answers can travel: a command hands its order to the server, or serves the project
itself for as long as the order takes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from handraise.errors import LogError
from handraise.events.call_intake import FORMAT as CALL
from handraise.events.call_intake import LOG
from handraise.events.intake import FileCount
from handraise.events.received import mended, micros_of
from handraise.events.retention import delete_aside_before, delete_before
from handraise.ledger import audit
from handraise.ledger.suppression import count_suppressed
from handraise.log.frame import Frame
from handraise.log.segment import is_as_sealed, read_seal, segments_in
from handraise.records.enrichment import ProviderRun
from handraise.records.rewriting import Rewrite
from handraise.service import aside, enriching, questions, rewriting
from handraise.service.backup import BACKUPS, Backup, back_up, prune
from handraise.service.enriching import Asking, Wanted
from handraise.service.erase import Receipt, erase_noted, erase_returned, finish_running, has_returned, is_owed
from handraise.service.erase import erase as erase_person
from handraise.service.folder import DATA_FOLDER
from handraise.service.host import Host
from handraise.service.ledgers import erased_of
from handraise.service.live import Live
from handraise.service.project import Project
from handraise.service.wire import encode, keywords_of
from handraise.warehouse.tables import write_fact

Ordered = TypeVar("Ordered", bound=Callable[..., Any])
ORDER = "order"
ORDERS: dict[str, Callable[..., Any]] = {}
# Seconds until what somebody waits for has to have begun.
PATIENCE = 30.0
# Those that may stand in the queue: their arguments name nobody.
SCHEDULED = ("refresh", "replay", "backup", "verify", "retain", "finish_erasures", "enrich")


def order(function: Ordered) -> Ordered:
    """Register a function under its name."""
    ORDERS[function.__name__] = function
    return function


@order
def erase(host: Host, *, person_id: str, requested_by: str) -> Receipt:
    """Erase a person from every place."""
    return erase_person(host, person_id, requested_by=requested_by, now=host.now)


@order
def mend(host: Host, *, place: tuple[str, str, int], raw: str) -> aside.Mended:
    """Try a row of quarantine as somebody put it right; what is made of a call is written to the log too."""
    return host.follower.ask(partial(_mend, host=host, place=place, raw=raw), patience=PATIENCE)


def _mend(project: Project, *, host: Host, place: tuple[str, str, int], raw: str) -> aside.Mended:
    _, file, line = place
    with project.warehouse.transaction():  # kept only if the log has it, so that a rebuild has it too
        done = aside.mend(project, place, raw, erased=partial(erased_of, host.ledger))
        if file.startswith(f"{LOG}:"):
            host.store(mended(file.split(":")[1], file=file, line=line, raw=raw))
    return done


@order
def finish_erasures(host: Host) -> int:
    """Take up erasures that were cut off, and take out again whoever came back; how many there were."""
    done = finish_running(host, now=host.now)
    return done + (erase_returned(host, now=host.now) if has_returned(host) else 0)


@order
def forget_loaded(host: Host) -> int:
    """After files were loaded: erase again whoever was erased and is in them; how many ids were found."""
    with host.ledger.reading() as connection:
        if not count_suppressed(connection)["erasure"]:
            return 0
    return erase_returned(host, now=host.now)


@order
def forget_noted(host: Host) -> int:
    """After a restore: erase again whoever was erased since the backup was made."""
    return erase_noted(host, now=host.now)


def take_up_restore(host: Host) -> None:
    """Do what a restore that was cut off left to be done."""
    if is_owed(host):
        forget_noted(host)


@order
def backup(host: Host, *, target: Path | None = None, keep: int | None = None) -> Backup:
    """Copy everything that cannot be made again; `keep` = of the backups in the data folder, so many."""
    backups = host.folder / DATA_FOLDER / BACKUPS
    with host.log_upkeep:
        made = back_up(
            host.folder,
            target or backups / f"{host.now():%Y%m%dT%H%M%S}",
            copy_data=lambda path: host.follower.ask(partial(questions.copy_data, target=path)),
            ledger=host.ledger,
            now=host.now(),
            random=host.random,
        )
        if keep:
            prune(backups, keep)
    return made


@order
def refresh(host: Host, *, as_of: date | None = None, full: bool = False) -> int:
    """Score everybody, as of now unless told otherwise; how many scores of people there are."""
    return host.follower.ask(lambda project: _refresh(project, host, as_of, full=full))


def _refresh(project: Project, host: Host, as_of: date | None, *, full: bool) -> int:
    day = as_of or Live(project, host.log).as_of(host.now())
    return questions.refresh(project, as_ofs=[day], full=full, now=host.now()).done.people


@order
def enrich(host: Host, *, choice: Wanted | None = None, actor: str = "worker") -> list[ProviderRun]:
    """Ask providers about the companies and people that are worth it; scores follow by themselves."""
    choice = choice or Wanted()
    plans = host.follower.ask(lambda project: enriching.plan(project, host.ledger, choice, now=host.now()))
    if choice.dry_run:
        return [enriching.only_planned(one) for one in plans]
    done = enriching.ask_all(host.ledger, plans, Asking(environment=host.environment, now=host.now, actor=actor))
    if host.follower.ask(lambda project: enriching.bring_in(project, host.ledger)):
        host.follower.wake()
    return done


@order
def reword_draft(host: Host, *, number: int, language: str | None, actor: str) -> Rewrite:
    """Let the playbook's language model reword the draft of a handoff; nobody waits for it meanwhile."""
    with host.reading() as project:
        said = questions.language_of(project, language)
        draft, company = rewriting.draft_to_reword(project, number, language=said, now=host.now())
        playbook = project.loaded.playbook
    wanted = rewriting.Rewording(
        ledger=host.ledger,
        settings=playbook.rewriting,
        rules=playbook.handoffs.outreach,
        environment=host.environment,
        now=host.now,
        random=host.random,
        actor=actor,
    )
    return rewriting.reword(draft, company, wanted)


@order
def replay(host: Host) -> list[FileCount]:
    """Try everything in quarantine once more."""
    return try_again(host, patience=None)


def try_again(host: Host, *, patience: float | None) -> list[FileCount]:
    """Try everything in quarantine once more; it has to have begun within `patience` seconds, None = at any time."""
    erased = partial(erased_of, host.ledger)
    done = host.follower.ask(lambda project: aside.replay(project, erased=erased), patience=patience)
    if any(count.loaded for count in done if count.format != CALL):
        forget_loaded(host)
    return done


@order
def rebuild(host: Host) -> int:
    """Take in the whole log, and score everybody; how many scores of people there are."""
    erased = partial(erased_of, host.ledger)
    while host.follower.ask(lambda project: Live(project, host.log, erased=erased).take().behind):
        pass
    return refresh(host)


@order
def verify(host: Host) -> dict[str, int]:
    """Compare every sealed segment of the log with its seal, and read the audit trail.

    Raises:
        LogError: Something is not as it was written.
    """
    with host.log_upkeep:
        segments, unreadable = segments_in(host.log.folder)
        sealed = [segment for segment in segments if read_seal(segment)]
        wrong = [str(path.name) for path in unreadable] + [one.path.name for one in sealed if not is_as_sealed(one)]
    if wrong:
        raise LogError(
            f"segments of the log are not as they were sealed: {', '.join(wrong)}.",
            where=str(host.log.folder),
            todo="Restore a backup, or look at the disk; what can be read is still in use.",
        )
    verdict = audit.verify(host.ledger)
    if verdict.broken_at is not None:
        raise LogError(
            f"the audit trail is broken: {verdict.because}.", where=host.ledger.where, todo="Restore a backup."
        )
    return {"segments": len(sealed), "audit_rows": verdict.rows}


@order
def retain(host: Host, *, days: int) -> dict[str, int]:
    """Delete events and calls in quarantine older than so many days, and the part of the log that holds nothing younger."""
    before = host.now() - timedelta(days=days)
    with host.log_upkeep:
        gone, taken_in = host.follower.ask(lambda project: _retain(project, host, before))
        last_old = 0
        for found in host.log.read(0, taken_in):
            if isinstance(found, Frame):
                if found.received_at >= micros_of(before):
                    break
                last_old = found.end
        return {**gone, "segments": host.log.drop_before(last_old)}


def duties_of(host: Host) -> dict[str, Callable[[Mapping[str, Any]], object]]:
    """What a worker beside the host does, by kind of job."""
    return {name: partial(_do, function, host) for name, function in ORDERS.items() if name in SCHEDULED}


def _do(function: Callable[..., Any], host: Host, arguments: Mapping[str, Any]) -> object:
    given = keywords_of(function, encode(dict(arguments)))
    return json.loads(encode(function(host, **given)))


def _retain(project: Project, host: Host, before: datetime) -> tuple[dict[str, int], int]:
    """What is gone, and how far the log was taken in: what lies behind is not to be lost, however old."""
    with project.warehouse.transaction():
        gone = {
            "events": delete_before(project.warehouse, before),
            "quarantine": delete_aside_before(project.warehouse, before),
        }
        if gone["events"]:
            write_fact(project.warehouse, "rollup_plan", "")
    return gone, Live(project, host.log).position
