"""Commands about what others know of companies and people."""

from __future__ import annotations

from typing import Annotated

import typer

from handraise.faces.cli.options import HERE, JsonOption, ProjectOption, run

enrichment_app = typer.Typer(help="What others know of your companies and people: how much, and where they disagree.")


def enrich(
    project: ProjectOption = HERE,
    provider: Annotated[str | None, typer.Option(help="This one only.", show_default="all of the playbook")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Requests to each at most.", show_default="its budget")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say whom it would ask about, and ask nobody.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Ask also providers that failed or refused lately.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the playbook's providers about companies that are worth it and not known yet, within their budgets.

    Example: `handraise enrich --dry-run`
    """
    from handraise.faces.cli import enrichment_commands
    from handraise.service.enriching import Wanted

    wanted = Wanted(only=provider, limit=limit, dry_run=dry_run, resume=resume)
    run(lambda: enrichment_commands.enrich(project, wanted, as_json=as_json))


@enrichment_app.callback(invoke_without_command=True)
def enrichment(context: typer.Context, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """How many accounts and people each source knows something of, field by field, and how often it is believed.

    Example: `handraise enrichment --project demo`
    """
    if context.invoked_subcommand is None:
        from handraise.faces.cli import enrichment_commands

        run(lambda: enrichment_commands.enrichment(project, as_json=as_json))


@enrichment_app.command("conflicts")
def conflicts(
    project: ProjectOption = HERE,
    about: Annotated[str | None, typer.Option(help="company or person only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Where sources contradict each other: what is believed, and what another one says.

    Example: `handraise enrichment conflicts --about company`
    """
    from handraise.faces.cli import enrichment_commands

    if about not in {None, "company", "person"}:
        raise typer.BadParameter("choose company or person", param_hint="--about")
    run(lambda: enrichment_commands.conflicts(project, about, limit=limit, as_json=as_json))
