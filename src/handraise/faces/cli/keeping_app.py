"""Commands that keep a project in order: backups, what people may ask for, the audit trail, and work that comes due."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handraise.faces.cli.options import HERE, JsonOption, ProjectOption, run

audit_app = typer.Typer(help="The trail of changes: each row holds the hash of the one before it.")
jobs_app = typer.Typer(help="Work that waits, runs or has ended.")
schedules_app = typer.Typer(help="Work that comes due again and again.")


def backup(
    project: ProjectOption = HERE,
    to: Annotated[
        Path | None, typer.Option("--to", help="A new folder.", show_default=".handraise/backups/TIME")
    ] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="Of the backups in the data folder, keep so many.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy data, log, ledger and playbook into a folder; the server goes on meanwhile.

    Example: `handraise backup --to /mnt/backups/monday`
    """
    from handraise.faces.cli import keeping_commands

    run(lambda: keeping_commands.backup(project, to, keep, as_json=as_json))


def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder of a backup.")],
    project: ProjectOption = HERE,
) -> None:
    """Put a backup in the place of a project's data. What is there is kept beside it; erasures are done again.

    Example: `handraise restore /mnt/backups/monday --project myproduct`
    """
    from handraise.faces.cli import keeping_commands

    run(lambda: keeping_commands.restore(project, source))


def rebuild(
    project: ProjectOption = HERE,
    without_missing: Annotated[
        bool, typer.Option("--without-missing", help="Go on although files that were loaded are gone or changed.")
    ] = False,
) -> None:
    """Make the data file again from the files that were loaded and from the event log, and score everybody.

    Example: `handraise rebuild`
    """
    from handraise.faces.cli import keeping_commands

    run(lambda: keeping_commands.rebuild(project, without_missing=without_missing))


def erase(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="A person_id.")],
    project: ProjectOption = HERE,
    requested_by: Annotated[
        str, typer.Option("--by", help="Who asked, for the receipt; not the person's id.")
    ] = "self",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase a person for good: events, facts, scores, the event log, quarantine. Prints a receipt.

    Example: `handraise erase user-17 --by "ticket 311"`
    """
    from handraise.faces.cli import keeping_commands

    if not yes:
        run(lambda: keeping_commands.confirm_erasure(project, person))
    run(lambda: keeping_commands.erase(project, person, requested_by, as_json=as_json))


def suppress(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID…", help="Ids of people, or e-mail addresses.", show_default=False)
    ] = None,
    project: ProjectOption = HERE,
    file: Annotated[
        Path | None, typer.Option("--file", help="One of them a line, as a mailing tool exports them.")
    ] = None,
    reason: Annotated[str, typer.Option(help="unsubscribed, objection or bounced.")] = "unsubscribed",
    remove: Annotated[bool, typer.Option("--remove", help="Take it back for this reason.")] = False,
) -> None:
    """Do not write to somebody any more: nobody is handed over because of them unless they ask, and nothing is drafted.

    Example: `handraise suppress kim@acme.com --reason unsubscribed`
    """
    from handraise.faces.cli import keeping_commands

    run(lambda: keeping_commands.suppress(project, ids or [], file, reason, remove=remove))


def person_data(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="A person_id.")],
    project: ProjectOption = HERE,
    out: Annotated[Path | None, typer.Option("--out", help="A file.", show_default="standard output")] = None,
) -> None:
    """Everything that is stored of a person, as JSON, for the person to see.

    Example: `handraise person-data user-17 --out user-17.json`
    """
    from handraise.faces.cli import keeping_commands

    run(lambda: keeping_commands.person_data(project, person, out))


@audit_app.callback(invoke_without_command=True)
def audit(
    context: typer.Context,
    project: ProjectOption = HERE,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the latest changes: who did what to what."""
    if context.invoked_subcommand is None:
        from handraise.faces.cli import keeping_commands

        run(lambda: keeping_commands.audit(project, limit, as_json=as_json))


@audit_app.command("verify")
def audit_verify(
    project: ProjectOption = HERE,
    anchor: Annotated[
        str | None, typer.Option(metavar="ROW:HASH", help="How the trail ended at an earlier time, from outside.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find rows that were edited, dropped, put in another order or cut off. Exit status 1 when there is one.

    Example: `handraise audit verify --anchor 120:9f0c…`
    """
    from handraise.faces.cli import keeping_commands

    if not run(lambda: keeping_commands.audit_verify(project, anchor, as_json=as_json)):
        raise typer.Exit(1)


@jobs_app.callback(invoke_without_command=True)
def jobs(
    context: typer.Context,
    project: ProjectOption = HERE,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the latest jobs and what became of them."""
    if context.invoked_subcommand is None:
        from handraise.faces.cli import keeping_commands

        run(lambda: keeping_commands.jobs(project, limit, as_json=as_json))


@jobs_app.command("add")
def jobs_add(
    kind: Annotated[str, typer.Argument(help="refresh, replay, backup, verify, retain or finish_erasures.")],
    project: ProjectOption = HERE,
    given: Annotated[
        list[str] | None, typer.Option("--with", metavar="NAME=VALUE", help="An argument of the job.")
    ] = None,
) -> None:
    """Put a job into the queue; the server, or `handraise worker`, does it.

    Example: `handraise jobs add backup --with keep=3`
    """
    from handraise.faces.cli import keeping_commands

    run(lambda: keeping_commands.jobs_add(project, kind, given or []))


@jobs_app.command("cancel")
def jobs_cancel(job: Annotated[int, typer.Argument(help="Its number.")], project: ProjectOption = HERE) -> None:
    """End a job that waits or runs."""
    from handraise.faces.cli import keeping_commands

    run(lambda: keeping_commands.jobs_cancel(project, job))


@schedules_app.callback(invoke_without_command=True)
def schedules(context: typer.Context, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List what comes due, and when (UTC)."""
    if context.invoked_subcommand is None:
        from handraise.faces.cli import keeping_commands

        run(lambda: keeping_commands.schedules(project, as_json=as_json))


@schedules_app.command("set")
def schedules_set(
    name: Annotated[str, typer.Argument(help="As `handraise schedules` lists it.")],
    project: ProjectOption = HERE,
    cron: Annotated[str | None, typer.Option(help="Minute, hour, day, month, weekday; UTC.")] = None,
    enabled: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is done.")] = None,
    given: Annotated[
        list[str] | None, typer.Option("--with", metavar="NAME=VALUE", help="An argument of its jobs.")
    ] = None,
) -> None:
    """Change when something is done, with what, or whether.

    Example: `handraise schedules set backup --on --with keep=14`
    """
    from handraise.faces.cli import keeping_commands

    run(lambda: keeping_commands.schedules_set(project, name, cron, given or [], enabled=enabled))


def worker(
    project: ProjectOption = HERE,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end.")] = False,
) -> None:
    """Do what comes due, without serving. The server does it by itself.

    Example: `handraise worker --once`
    """
    from handraise.faces.cli import keeping_commands

    run(lambda: keeping_commands.worker(project, once=once))
