"""Commands about alerts: where the team is told about handoffs, and what became of the messages."""

from __future__ import annotations

from typing import Annotated

import typer

from handraise.faces.cli.options import HERE, JsonOption, ProjectOption, run

alerts_app = typer.Typer(help="Where the team is told about handoffs, and what became of the messages.")
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A destination, as the playbook names it.")]


@alerts_app.callback(invoke_without_command=True)
def alerts(context: typer.Context, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the destinations, and how many messages wait, were sent, and did not arrive."""
    if context.invoked_subcommand is None:
        from handraise.faces.cli import alerts_commands

        run(lambda: alerts_commands.alerts(project, as_json=as_json))


@alerts_app.command("test")
def alerts_test(name: NameArgument, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Send a test message to a destination now. Exit status 1 when it was not taken.

    Example: `handraise alerts test sales_channel`
    """
    from handraise.faces.cli import alerts_commands

    if not run(lambda: alerts_commands.test(project, name, as_json=as_json)):
        raise typer.Exit(1)


@alerts_app.command("send")
def alerts_send(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Send what is due; for projects without a server, which does it by itself.

    Example: `handraise alerts send`
    """
    from handraise.faces.cli import alerts_commands

    run(lambda: alerts_commands.send(project, as_json=as_json))


@alerts_app.command("dead")
def alerts_dead(
    project: ProjectOption = HERE,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Messages that did not arrive, or of which nobody knows whether they did.

    Example: `handraise alerts dead`
    """
    from handraise.faces.cli import alerts_commands

    run(lambda: alerts_commands.dead(project, limit=limit, as_json=as_json))


@alerts_app.command("replay")
def alerts_replay(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]…", help="Numbers that `handraise alerts dead` shows.")
    ] = None,
    project: ProjectOption = HERE,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Let messages be sent again that did not arrive; one that did arrive after all is there twice then.

    Example: `handraise alerts replay 17`
    """
    from handraise.faces.cli import alerts_commands

    if bool(numbers) == everything:
        raise typer.BadParameter("name some messages, or --all", param_hint="ID")
    run(lambda: alerts_commands.replay(project, None if everything else numbers))


@alerts_app.command("resume")
def alerts_resume(name: NameArgument, project: ProjectOption = HERE) -> None:
    """Send to a paused destination again.

    Example: `handraise alerts resume sales_channel`
    """
    from handraise.faces.cli import alerts_commands

    run(lambda: alerts_commands.resume(project, name))
