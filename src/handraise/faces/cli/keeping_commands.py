"""What the commands that keep a project in order do."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import secrets
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import typer

from handraise.errors import BusyError, HandraiseError, InputError, NotFoundError
from handraise.faces.cli import show
from handraise.faces.cli.ask import ask, is_served, order
from handraise.faces.cli.days import right_now
from handraise.faces.cli.who import actor
from handraise.ledger import audit as trail
from handraise.ledger import jobs as queue
from handraise.ledger import schedule
from handraise.ledger.audit import Anchor
from handraise.ledger.jobs import JobRequest
from handraise.playbook.load import FILE_NAME
from handraise.service import ledgers, orders, questions
from handraise.service.backup import BACKUPS, NOTES
from handraise.service.backup import restore as put_back
from handraise.service.folder import DATA_FOLDER, remove_data
from handraise.service.ledgers import open_ledger
from handraise.service.rebuild import check_complete, files_of
from handraise.service.wire import encode, keywords_of
from handraise.service.worker import Worker, set_defaults
from handraise.warehouse.text_files import write_whole

_MEGABYTE = 1_000_000
SUPPRESSIONS = ("unsubscribed", "objection", "bounced")


def backup(folder: Path, to: Path | None, keep: int | None, *, as_json: bool) -> None:
    """`handraise backup`."""
    target = to or folder / DATA_FOLDER / BACKUPS / f"{right_now():%Y%m%dT%H%M%S}"
    made = order(folder, orders.backup, target=target.absolute(), keep=keep)
    if as_json:
        show.print_json(json.loads(encode(made)))
        return
    show.say(f"Backed up {len(made.files)} files, {made.size / _MEGABYTE:,.1f} MB, as of {made.made_at}, to {target}.")


def restore(folder: Path, source: Path) -> None:
    """`handraise restore`."""
    done = put_back(folder, source, now=right_now())
    forgotten = order(folder, orders.forget_noted)
    show.say(f"Restored the backup of {done.backup.made_at}: {done.backup.size / _MEGABYTE:,.1f} MB.")
    if done.kept:
        show.say(
            f"What was there before is in {done.kept}; remove it when you are sure. Erasing a person does not reach it."
        )
    if forgotten:
        show.say(f"{forgotten} ids of people who were erased since then were erased again.")
    playbook = folder / FILE_NAME
    if playbook.read_bytes() != (source / FILE_NAME).read_bytes():
        show.hint(f"{playbook} stays as it is. That of the backup is another: {source / FILE_NAME}.")
    notes = folder / DATA_FOLDER / BACKUPS / NOTES
    if not done.kept and not notes.exists():
        show.hint(
            f"Nothing here says who was erased since then. If somebody was, stop what uses this project, copy {NOTES} "
            f"from the backups of the project that it came from to {notes}, and restore again."
        )
    show.hint(
        "Keys that were revoked since then work again: `handraise sources` and `handraise api-keys` list those that do."
    )


def rebuild(folder: Path, *, without_missing: bool) -> None:
    """`handraise rebuild`."""
    if is_served(folder):
        raise BusyError("a server has this project.", todo="Stop it, run this again, then start it.")
    with open_ledger(folder, os.environ) as ledger:
        files = files_of(ledger)
    if not without_missing:
        check_complete(files)
    remove_data(folder / DATA_FOLDER)
    scored = order(folder, orders.rebuild)
    show.say(f"Made the data again from {len(files)} files and the event log: {scored:,} scores of people.")


def confirm_erasure(folder: Path, person: str) -> None:
    """Ask whether it is meant, and name every id that goes with the person: whoever has a write key can send an alias."""
    others = ask(folder, questions.known_as, person_id=person)
    also = f" It takes along what else leads to them: {', '.join(map(repr, others))}." if others else ""
    typer.confirm(f"Erase everything about {person!r}?{also} This cannot be undone", abort=True)


def erase(folder: Path, person: str, requested_by: str, *, as_json: bool) -> None:
    """`handraise erase`."""
    receipt = order(folder, orders.erase, person_id=person, requested_by=requested_by)
    if as_json:
        show.print_json(receipt)
        return
    rows = [[place, f"{count:,}"] for place, count in receipt.erased.items()]
    show.table(f"Receipt {receipt.erasure}: what is gone", [("where", "left"), ("rows", "right")], rows)
    show.say(
        f"Person {receipt.subject_hash[:16]}…, finished {receipt.finished_at:%Y-%m-%d %H:%M:%S}Z. What is sent of them later is not stored."
    )
    if not any(receipt.erased.values()):
        show.hint(f"Nothing was stored of {person!r}. Is that the id? `handraise people` lists ids.")
    for kept in sorted(folder.glob(f"{DATA_FOLDER}.before-*")):
        show.hint(f"Not erased from {kept}, which a restore kept: remove it.")


def suppress(folder: Path, ids: list[str], file: Path | None, reason: str, *, remove: bool) -> None:
    """`handraise suppress`."""
    if reason not in SUPPRESSIONS:
        raise typer.BadParameter(f"choose {', '.join(SUPPRESSIONS)}", param_hint="--reason")
    wanted = [*ids, *(_lines_of(file) if file else [])]
    if not wanted:
        raise typer.BadParameter("name somebody, or a --file", param_hint="ID…")
    with open_ledger(folder, os.environ) as ledger:
        now = right_now()
        if remove:
            changed = ledgers.allow_again(ledger, wanted, reason, actor=actor(), now=now)
        else:
            changed = ledgers.suppress(ledger, wanted, reason, actor=actor(), now=now, random=secrets.token_bytes)
    done = "may be written to again" if remove else "will not be written to any more"
    show.say(f"{changed} of {len(set(wanted))} {done}; for the others nothing changed.")


def _lines_of(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error}).", where=str(file), todo="It has to be a UTF-8 text.") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def person_data(folder: Path, person: str, out: Path | None) -> None:
    """`handraise person-data`."""
    found = ask(folder, questions.person_data, person_id=person)
    if out is None:
        show.print_json(found)
        return
    write_whole(out, json.dumps(found, ensure_ascii=False, indent=2, default=str) + "\n")
    show.say(f"Wrote {sum(map(len, found.values())):,} rows of {len(found)} tables to {out}.")


def audit(folder: Path, limit: int, *, as_json: bool) -> None:
    """`handraise audit`."""
    with open_ledger(folder, os.environ) as ledger, ledger.reading() as connection:
        found = trail.list_audit(connection, limit=limit)
    if as_json:
        show.print_json(list(found))
        return
    rows = [
        [row.seq, f"{row.at:%Y-%m-%d %H:%M:%S}", row.actor, row.action, row.object, _told(row.details)] for row in found
    ]
    columns = [("row", "right"), *((name, "left") for name in ("at (UTC)", "who", "did", "to", "details"))]
    show.table("", columns, rows)


def _told(details: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {_plain(value)}" for name, value in details.items())


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def audit_verify(folder: Path, anchor: str | None, *, as_json: bool) -> bool:
    """`handraise audit verify`; whether the trail is whole."""
    with open_ledger(folder, os.environ) as ledger:
        verdict = trail.verify(ledger, _anchor(anchor) if anchor else None)
    if as_json:
        show.print_json(dataclasses.asdict(verdict))
    elif verdict.broken_at is None:
        show.say(f"All {verdict.rows:,} rows are as they were written.")
        show.say(
            f"Keep this outside of the project, to tell later if rows were cut off: {verdict.anchor.seq}:{verdict.anchor.hash}"
        )
    else:
        show.say(f"The trail is broken at row {verdict.broken_at}: {verdict.because}.")
    return verdict.broken_at is None


def _anchor(text: str) -> Anchor:
    row, _, hashed = text.partition(":")
    if not row.isdecimal() or not hashed:
        raise HandraiseError(f"{text!r} is no anchor.", todo="`handraise audit verify` prints one, as ROW:HASH.")
    return Anchor(seq=int(row), hash=hashed)


def jobs(folder: Path, limit: int, *, as_json: bool) -> None:
    """`handraise jobs`."""
    with open_ledger(folder, os.environ) as ledger, ledger.reading() as connection:
        found = queue.list_jobs(connection, limit=limit)
    if as_json:
        show.print_json(list(found))
        return
    if not found:
        show.say("There was no job yet. `handraise schedules` lists what comes due.")
        return
    rows = [
        [job.id, job.kind, job.status, f"{job.run_at:%Y-%m-%d %H:%M}", job.attempts, job.error or _result(job.result)]
        for job in found
    ]
    columns = [
        ("job", "right"),
        ("kind", "left"),
        ("status", "left"),
        ("due (UTC)", "left"),
        ("tries", "right"),
        ("", "left"),
    ]
    show.table("", columns, rows)


def _result(result: object) -> str:
    if isinstance(result, dict):
        return _told({name: value for name, value in result.items() if not isinstance(value, list)})
    return "" if result is None else str(result)


def jobs_add(folder: Path, kind: str, given: list[str]) -> None:
    """`handraise jobs add`."""
    _check_kind(kind)
    arguments = _arguments(kind, given)
    with open_ledger(folder, os.environ) as ledger, ledger.transaction() as connection:
        number = queue.enqueue(connection, JobRequest(kind=kind, arguments=arguments), now=right_now())
    show.say(f"Job {number} waits. The server does it; without one, `handraise worker --once`.")


def _check_kind(kind: str) -> None:
    if kind not in orders.SCHEDULED:
        raise HandraiseError(f"there is no job {kind!r}.", todo=f"Choose one of: {', '.join(orders.SCHEDULED)}.")


def _arguments(kind: str, given: list[str]) -> dict[str, Any]:
    """Arguments of a job; refused where the job does not take them."""
    found: dict[str, Any] = {}
    for one in given:
        name, _, value = one.partition("=")
        found[name] = int(value) if value.isdecimal() else value
    try:
        keywords_of(orders.ORDERS[kind], encode(found))
    except HandraiseError as error:
        known = [name for name in inspect.signature(orders.ORDERS[kind]).parameters if name != "host"]
        raise HandraiseError(
            f"{kind} cannot be done with {', '.join(given)}.",
            todo=f"It takes {', '.join(f'{name}=…' for name in known) or 'nothing'}; `docs/commands.md` has examples.",
        ) from error
    return found


def jobs_cancel(folder: Path, job: int) -> None:
    """`handraise jobs cancel`."""
    with open_ledger(folder, os.environ) as ledger, ledger.transaction() as connection:
        if not queue.cancel(connection, job, actor=actor(), now=right_now()):
            raise NotFoundError(f"there is no job {job} that waits or runs.", todo="`handraise jobs` lists them.")
    show.say(f"Job {job} is cancelled.")


def schedules(folder: Path, *, as_json: bool) -> None:
    """`handraise schedules`."""
    with open_ledger(folder, os.environ) as ledger:
        set_defaults(ledger, now=right_now())
        with ledger.reading() as connection:
            found = schedule.list_schedules(connection)
    if as_json:
        show.print_json(list(found))
        return
    rows = [[one.name, one.cron, one.kind, _told(one.arguments), "on" if one.enabled else "off"] for one in found]
    show.table("", [(name, "left") for name in ("name", "when (cron, UTC)", "does", "with", "")], rows)


def schedules_set(folder: Path, name: str, cron: str | None, given: list[str], *, enabled: bool | None) -> None:
    """`handraise schedules set`."""
    now = right_now()
    with open_ledger(folder, os.environ) as ledger:
        set_defaults(ledger, now=now)
        with ledger.transaction() as connection:
            known = {one.name: one for one in schedule.list_schedules(connection)}
            if name not in known:
                raise NotFoundError(f"there is no schedule {name!r}.", todo=f"Choose one of: {', '.join(known)}.")
            old = known[name]
            changed = dataclasses.replace(
                old,
                cron=cron or old.cron,
                enabled=old.enabled if enabled is None else enabled,
                arguments={**old.arguments, **_arguments(old.kind, given)},
                last_due_at=now,
            )
            schedule.set_schedule(connection, changed, actor=actor(), now=now)
    show.say(f"{name}: {changed.kind} at `{changed.cron}` UTC, {'on' if changed.enabled else 'off'}.")


def worker(folder: Path, *, once: bool) -> None:
    """`handraise worker`."""
    duties = {kind: partial(_do, folder, kind) for kind in orders.SCHEDULED}
    with open_ledger(folder, os.environ) as ledger:
        set_defaults(ledger, now=right_now())
        working = Worker(ledger, duties, name=f"worker {os.getpid()}", now=right_now)
        if once:
            done = 0
            while working.run_next():
                done += 1
            show.say(f"Did {done} jobs.")
            return
        show.say(f"Doing what comes due in {folder.resolve()}. Ctrl-C stops it.")
        working.run()


def _do(folder: Path, kind: str, arguments: Mapping[str, Any]) -> object:
    wanted = orders.ORDERS[kind]
    return json.loads(encode(order(folder, wanted, **keywords_of(wanted, encode(dict(arguments))))))
