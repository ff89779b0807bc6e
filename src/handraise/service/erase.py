"""Erase a person from every place: data file, log, quarantine, ledger; and see that no backup brings them back.

Each step can be done again. A request that was cut off stands in the ledger as running and is taken up at the next start.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from handraise.errors import LedgerError
from handraise.events.call_intake import RETURNED, Erased
from handraise.events.erase import Subject, erase_rows, erased_in, subject_named, subject_of
from handraise.events.erase_log import ids_of, without
from handraise.handoffs import lives
from handraise.ledger import acting, erasures
from handraise.ledger.erasures import Erasure, ErasureRequest
from handraise.ledger.suppression import hashes_of, suppress_hashes
from handraise.log.frame import Frame
from handraise.log.rewrite import remove_leftovers
from handraise.log.store import EventLog
from handraise.scores import history
from handraise.service import project as projects
from handraise.service.backup import BACKUPS, NOTES, RESTORED
from handraise.service.enriching import bring_in
from handraise.service.folder import DATA_FOLDER, DATABASE, FRESH
from handraise.service.host import Host
from handraise.service.ledgers import erased_of
from handraise.service.project import Project
from handraise.warehouse.tables import read_fact, write_fact

_AT_ONCE = 20_000


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What was erased, without saying whose.

    Attributes:
        erasure: Number of the request in the ledger.
        subject_hash: Keyed hash of the person's id; the same person gives the same again.
        requested_at: When it was asked for.
        finished_at: When everything was done.
        erased: Place → rows or records that are gone or changed.
    """

    erasure: int
    subject_hash: str
    requested_at: datetime
    finished_at: datetime
    erased: Mapping[str, int]


def erase(host: Host, person_id: str, *, requested_by: str, now: Callable[[], datetime]) -> Receipt:
    """Erase a person, with anonymous ids, aliases and addresses that are theirs alone.

    Raises:
        LedgerError: `requested_by` names the person.
    """
    with host.reading() as project:
        subject = subject_of(project.warehouse, person_id)
    named = tuple(sorted({*subject.ids, *subject.emails} - {person_id}))
    wanted = ErasureRequest(person_id=person_id, others=named, requested_by=requested_by)
    with host.log_upkeep:  # whoever takes up what was cut off is not to take up this
        with host.ledger.transaction() as connection:
            begun = erasures.begin_erasure(connection, wanted, now=now(), random=host.random)
        return finish(host, begun, now=now)


def finish(host: Host, begun: Erasure, *, now: Callable[[], datetime]) -> Receipt:
    """Do what a request asks for, from wherever it was cut off; for whoever has the log to themselves."""
    erased = _erase_everywhere(host, subject_named(begun.subject), now)
    _note(host, begun, now())
    with host.ledger.transaction() as connection:
        done = erasures.finish_erasure(connection, begun.id, receipt=erased, actor=begun.requested_by, now=now())
    with contextlib.suppress(LedgerError):  # somebody reads it this moment: the next checkpoint does the same
        host.ledger.checkpoint()
    return Receipt(
        erasure=done.id,
        subject_hash=done.subject_hash,
        requested_at=done.requested_at,
        finished_at=done.finished_at or now(),
        erased=erased,
    )


def finish_running(host: Host, *, now: Callable[[], datetime]) -> int:
    """Take up every request that was cut off; how many there were."""
    with host.log_upkeep:
        with host.ledger.reading() as connection:
            waiting = erasures.list_erasures(connection, status="running")
        for begun in waiting:
            finish(host, begun, now=now)
    return len(waiting)


def _erase_everywhere(host: Host, subject: Subject, now: Callable[[], datetime]) -> dict[str, int]:
    data = host.folder / DATA_FOLDER
    fresh = data / FRESH
    return host.follower.ask_and_reopen(
        partial(_erase, host=host, subject=subject, now=now, fresh=fresh), partial(_exchange, data, fresh)
    )


def _erase(
    project: Project, *, host: Host, subject: Subject, now: Callable[[], datetime], fresh: Path
) -> dict[str, int]:
    """In the thread that owns the data: rows, then the log, then a data file without any trace."""
    # Here, and not before: what of theirs was taken in since would be in a segment that is not rewritten.
    host.begin_segment()
    warehouse = project.warehouse
    with warehouse.transaction():
        erased = erase_rows(warehouse, subject)
        history.erase(warehouse, subject.ids)
        # Roll-ups and scores are made anew from what is left.
        write_fact(warehouse, "rollup_plan", "")
        as_of = projects.scored_as_of(project)
        if as_of and projects.newest_day(project):
            projects.refresh(project, [as_of], now=now())
        else:
            projects.forget_scores(project)
        warehouse.empty("dirty_people")
    with host.ledger.transaction() as connection:
        decided = acting.forget_people(connection, subject.ids)
        _end_without_reasons(connection, now())
    bring_in(project, host.ledger, anew=True)  # what they held of former addresses goes too
    if decided:
        erased["decisions"] = decided
    erased["log"] = host.log.rewrite(partial(without, subject))
    erased["log_leftovers"] = remove_leftovers(host.log.folder)
    fresh.unlink(missing_ok=True)
    warehouse.copy_into(fresh)
    return erased


def _end_without_reasons(connection: Connection, now: datetime) -> None:
    """Handoffs under way that were about the erased alone have nothing to be about any more."""
    empty = [one for one in acting.list_handoffs(connection) if not one.reasons]
    acting.close_handoffs(connection, {one.id: "erased" for one in empty}, now)
    known = acting.lives_of(connection, [one.account_id for one in empty])
    acting.keep_lives(connection, [(one, lives.ended(life, "sunset", now), None) for one, life in known.items()])


def _exchange(data: Path, fresh: Path) -> None:
    """Put the data file without traces in the place of the other, which is closed."""
    fresh.replace(data / DATABASE)
    (data / f"{DATABASE}.wal").unlink(missing_ok=True)
    for aside in data.glob(f"{DATABASE}.damaged-*"):
        aside.unlink()


def _note(host: Host, begun: Erasure, now: datetime) -> None:
    """Beside the backups, so that restoring one knows of erasures that are later than it."""
    with host.ledger.transaction() as connection:
        hashes = hashes_of(connection, begun.subject, now=now, random=host.random)
    notes = host.folder / DATA_FOLDER / BACKUPS / NOTES
    notes.parent.mkdir(exist_ok=True, mode=0o700)
    noted = notes.read_bytes() if notes.exists() else b""
    lines = [json.dumps({"subject_hash": one, "at": now.isoformat()}) + "\n" for one in hashes.values()]
    host.log.disk.write_whole(notes, noted + "".join(lines).encode("ascii"))


def erase_noted(host: Host, *, now: Callable[[], datetime]) -> int:
    """After a restore: erase again whoever was erased since the backup was made; how many ids were found."""
    data = host.folder / DATA_FOLDER
    files = [path for path in (data / RESTORED, data / BACKUPS / NOTES) if path.exists()]
    hashes = {
        json.loads(line)["subject_hash"] for path in files for line in path.read_text("ascii").splitlines() if line
    }
    with host.ledger.transaction() as connection:
        suppress_hashes(connection, hashes, reason="erasure", actor="restore", now=now())
    found = erase_returned(host, now=now)
    (data / RESTORED).unlink(missing_ok=True)
    return found


def is_owed(host: Host) -> bool:
    """Whether a restore was cut off before whoever was erased since the backup was erased again."""
    return (host.folder / DATA_FOLDER / RESTORED).exists()


def has_returned(host: Host) -> bool:
    """Whether calls of somebody who was erased came in since they were last taken out."""
    return bool(host.follower.ask(_returned))


def erase_returned(host: Host, *, now: Callable[[], datetime]) -> int:
    """Take out of data and log whoever was erased and is there again, after a restore or new calls; how many ids."""
    erased = partial(erased_of, host.ledger)
    with host.log_upkeep:
        seen = host.follower.ask(_returned)
        host.begin_segment()
        found = host.follower.ask(lambda project: erased_in(project.warehouse, erased)) | _in_log(host.log, erased)
        with host.ledger.reading() as connection:
            named = acting.people_named(connection)
        found |= erased(named)
        if found or seen:  # rows that are gone may still be on free blocks of the file
            _erase_everywhere(host, subject_named(found), now)
        host.follower.ask(partial(_settle_returned, seen=seen))
    return len(found)


def _returned(project: Project) -> str:
    """The place of the last call of somebody who was erased; empty = none is left."""
    fact = read_fact(project.warehouse, RETURNED) or ""
    return "" if fact == "no" else fact


def _settle_returned(project: Project, *, seen: str) -> None:
    """What has come since then lies in a segment that was not looked through: it waits for the next time."""
    if _returned(project) == seen:
        write_fact(project.warehouse, RETURNED, "no")


def _in_log(log: EventLog, erased: Erased) -> set[str]:
    """Ids and addresses in the log whose people were erased."""
    found: set[str] = set()
    waiting: set[str] = set()
    for record in log.read(0):
        if isinstance(record, Frame):
            waiting |= ids_of(record.payload, record.received_at)
        if len(waiting) > _AT_ONCE:
            found, waiting = found | erased(waiting), set()
    return found | erased(waiting)
