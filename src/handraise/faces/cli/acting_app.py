"""Commands about acting: what is handed over to whom, and why something is not."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handraise.faces.cli.options import HERE, ByOption, JsonOption, LangOption, ProjectOption, run


def inbox(
    project: ProjectOption = HERE,
    lane: Annotated[str | None, typer.Option(help="sales, find_buyer or top_down only.")] = None,
    priority: Annotated[str | None, typer.Option(help="high, medium or low only.")] = None,
    owner: Annotated[str | None, typer.Option(help="One person's, and what they may claim.")] = None,
    queue: Annotated[str | None, typer.Option(help="In one team's queue only, such as marketing.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 20,
    lang: LangOption = None,
    watching: Annotated[bool, typer.Option("--watch", help="Look again and again; needs `handraise serve`.")] = False,
    every: Annotated[float, typer.Option(min=0.2, metavar="SECONDS", help="With --watch: between two looks.")] = 2.0,
    as_json: JsonOption = False,
) -> None:
    """Accounts that somebody is asked to act on, the most urgent first, each with its reasons.

    Example: `handraise inbox --project demo`
    """
    from handraise.service.inbox import InboxChoice

    for value, known, option in (
        (lane, ("sales", "find_buyer", "top_down"), "--lane"),
        (priority, ("high", "medium", "low"), "--priority"),
    ):
        if value not in {None, *known}:
            raise typer.BadParameter(f"choose {', '.join(known)}", param_hint=option)
    choice = InboxChoice(lane=lane, priority=priority, owner=owner, queue=queue, limit=limit)
    if watching:
        from handraise.faces.cli.watch_inbox import watch

        run(lambda: watch(project, choice, lang, every=every, as_json=as_json))
        return
    from handraise.faces.cli import acting_commands

    run(lambda: acting_commands.inbox(project, choice, lang=lang, as_json=as_json))


def why_not(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="An account_id.")],
    project: ProjectOption = HERE,
    limit: Annotated[int, typer.Option(min=1, help="Decisions at most.")] = 10,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every decision about an account, also those not to act: what led to it and why it went that way.

    Example: `handraise why-not acc-000125 --project demo`
    """
    from handraise.faces.cli import acting_commands

    run(lambda: acting_commands.why_not(project, account, limit=limit, lang=lang, as_json=as_json))


def handoff(
    number: Annotated[int, typer.Argument(metavar="NO", help="The number that `handraise inbox` shows.", min=1)],
    said: Annotated[
        str | None,
        typer.Argument(
            metavar="SAID",
            help="claim, accept, reject, snooze, reassign, note, contacted, replied, meeting, opportunity, won, lost, rate or undo.",
            show_default="nothing; shows it",
        ),
    ] = None,
    project: ProjectOption = HERE,
    by: ByOption = None,
    reason: Annotated[str | None, typer.Option(help="Of a rejection or a loss, such as not_icp.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Of a snooze: a day, or an instant as 2026-12-01T09:00Z.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Who gets it, for reassign.")] = None,
    channel: Annotated[str | None, typer.Option(help="Of a contact, such as email or phone.")] = None,
    amount: Annotated[float | None, typer.Option(min=0, help="Of an opportunity or a deal.")] = None,
    note: Annotated[str | None, typer.Option(help="In words.")] = None,
    signal: Annotated[str | None, typer.Option(help="The trigger that is rated, for rate.")] = None,
    rating: Annotated[int | None, typer.Option(min=1, max=5, help="1, a waste of time, to 5, just right.")] = None,
    as_json: JsonOption = False,
) -> None:
    """One handoff: who, why and what was said about it; or say something about it.

    Example: `handraise handoff 12 reject --reason not_icp`
    """
    from handraise.faces.cli import acting_commands

    options = {
        "reason": reason,
        "until": until,
        "to": to,
        "channel": channel,
        "amount": amount,
        "note": note,
        "signal": signal,
        "rating": rating,
    }
    run(lambda: acting_commands.handoff(project, number, said, by, options, as_json=as_json))


def roster(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Who takes handoffs: how much everybody has, who is at work, and what waits in queues.

    Example: `handraise roster --project demo`
    """
    from handraise.faces.cli import acting_commands

    run(lambda: acting_commands.roster(project, as_json=as_json))


pilot_app = typer.Typer(
    help="Start with one person and a spreadsheet: the inbox goes out as a file, and comes back filled in.",
    no_args_is_help=True,
)


@pilot_app.command("export")
def pilot_export(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A new .xlsx or .csv.", show_default=False)
    ] = None,
    mail: Annotated[
        str | None, typer.Option("--mail", metavar="NAME", help="Send it: an e-mail destination of the alerts.")
    ] = None,
    project: ProjectOption = HERE,
    owner: Annotated[str | None, typer.Option(help="One person's, and what they may claim.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 50,
    lang: LangOption = None,
) -> None:
    """Write the inbox as a spreadsheet in which one person notes what became of each handoff.

    Example: `handraise pilot export --owner kim --out kim.xlsx`
    """
    from handraise.faces.cli import pilot_commands
    from handraise.service.inbox import InboxChoice

    if (out is None) == (mail is None):
        raise typer.BadParameter("name a file with --out, or a mailbox with --mail", param_hint="--out")
    choice = InboxChoice(owner=owner, limit=limit)
    run(lambda: pilot_commands.export(project, choice, lang, out=out, mail=mail))


@pilot_app.command("import")
def pilot_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The filled spreadsheet.")],
    project: ProjectOption = HERE,
    by: ByOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in what somebody filled in. The same file twice says nothing twice; exit status 1 when a row was refused.

    Example: `handraise pilot import kim.xlsx --by kim`
    """
    from handraise.faces.cli import pilot_commands

    run(lambda: pilot_commands.take_in(project, file, by, as_json=as_json))
