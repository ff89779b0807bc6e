"""The commands. Libraries are imported when a command runs, so that `--help` answers at once."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from handraise.faces.cli.acting_app import handoff, inbox, pilot_app, roster, why_not
from handraise.faces.cli.alerts_app import alerts_app
from handraise.faces.cli.days import parse_days
from handraise.faces.cli.enrichment_app import enrich, enrichment_app
from handraise.faces.cli.keeping_app import (
    audit_app,
    backup,
    erase,
    jobs_app,
    person_data,
    rebuild,
    restore,
    schedules_app,
    suppress,
    worker,
)
from handraise.faces.cli.options import HERE, AsOfOption, JsonOption, LangOption, ProjectOption, day_of, run
from handraise.faces.cli.selling_app import brief, draft_app, story
from handraise.faces.cli.server_app import api_keys_app, serve, sources_app
from handraise.faces.cli.simulate_app import demo, simulate

app = typer.Typer(
    name="handraise",
    help="Which people and accounts deserve a salesperson's time, and why.\n\n"
    "Start with `handraise demo`, or with `handraise init .` beside your own data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(simulate)
playbook_app = typer.Typer(help="Check, compare and test playbooks; see what they can measure.", no_args_is_help=True)
app.add_typer(playbook_app, name="playbook")
quarantine_app = typer.Typer(help="Rows that were set aside: see why, mend them, take them in.")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(pilot_app, name="pilot")
app.add_typer(sources_app, name="sources")
app.add_typer(api_keys_app, name="api-keys")
app.add_typer(alerts_app, name="alerts")
app.add_typer(audit_app, name="audit")
app.add_typer(draft_app, name="draft")
app.add_typer(jobs_app, name="jobs")
app.add_typer(enrichment_app, name="enrichment")
app.add_typer(schedules_app, name="schedules")
_ACTING = (inbox, handoff, why_not, brief, story, roster, enrich)
for command in (*_ACTING, serve, backup, restore, rebuild, erase, suppress, person_data, worker):
    app.command()(command)


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="The project's folder; made if it is not there.")] = HERE,
    source: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="PATH", help="Files or folders with your events: roles are proposed from them."),
    ] = None,
) -> None:
    """Start a project: write `handraise.yaml` from the built-in template.

    With --from (once for each path), your events are looked at first, and roles are proposed for their names.
    Example: `handraise init myproduct --from exports/`
    """
    from handraise.faces.cli import commands

    run(lambda: commands.init(directory, source or []))


@app.command()
def load(
    paths: Annotated[list[Path], typer.Argument(help="Folders or files: events, people, accounts …")],
    project: ProjectOption = HERE,
    form: Annotated[str, typer.Option("--format", help="auto, canonical, or a vendor's layout.")] = "auto",
    as_json: JsonOption = False,
) -> None:
    """Load files (.csv, .ndjson, .json, .parquet; texts also .gz, .zst). Loading twice changes nothing.

    Exports of Segment, PostHog and others, and tables of CRM and billing, are told by their columns; canonical files by
    names such as `people-2026.csv.gz`. Bad rows are set aside with a reason. Example: `handraise load exports/`
    """
    from handraise.events.registry import format_names
    from handraise.faces.cli import commands

    known = ["auto", *format_names()]
    if form not in known:
        raise typer.BadParameter(f"choose one of {', '.join(known)}", param_hint="--format")
    run(lambda: commands.load(project, paths, form=form, as_json=as_json))


@app.command()
def refresh(
    project: ProjectOption = HERE,
    as_of: Annotated[
        list[str] | None,
        typer.Option("--as-of", metavar="DAY", help="A day, several (a,b), or a range with a step in days (a..b/7)."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Make all roll-ups anew instead of the changed days.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Score everybody: identity, roll-ups, signals, scores, tiers. Cost follows new events and people, not history.

    Without --as-of: the end of the day of the newest event, at the latest today. Example: `handraise refresh`
    """
    from handraise.faces.cli import commands

    run(lambda: commands.refresh(project, parse_days(as_of or []), full=full, as_json=as_json))


@app.command()
def accounts(  # noqa: PLR0917
    project: ProjectOption = HERE,
    tier: Annotated[int | None, typer.Option(help="Only this tier (1 is best).")] = None,
    segment: Annotated[str | None, typer.Option(help="Only this segment: smb, mid_market, enterprise.")] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            help="tier, score, risen, active_people or people_points.", show_default="tier; --watch: who moved last"
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 20,
    as_of: AsOfOption = None,
    lang: LangOption = None,
    watching: Annotated[bool, typer.Option("--watch", help="Look again and again; needs `handraise serve`.")] = False,
    every: Annotated[float, typer.Option(min=0.2, metavar="SECONDS", help="With --watch: between two looks.")] = 2.0,
    as_json: JsonOption = False,
) -> None:
    """The accounts that deserve a salesperson's time, with reasons; with --watch, how their scores move.

    Example: `handraise accounts --tier 1`
    """
    if watching:
        from handraise.faces.cli.watch import Wanted, watch

        if as_of:
            raise typer.BadParameter("the watch shows what is now", param_hint="--as-of")
        wanted = Wanted(tier=tier, segment=segment, sort=sort, limit=limit, language=lang)
        run(lambda: watch(project, wanted, every=every, as_json=as_json))
        return
    from handraise.faces.cli import commands

    sort = sort or "tier"
    choice = {"tier": tier, "segment": segment, "sort": sort, "limit": limit}
    run(lambda: commands.accounts(project, choice, as_of=day_of(as_of), lang=lang, as_json=as_json))


@app.command()
def people(  # noqa: PLR0917
    project: ProjectOption = HERE,
    band: Annotated[str | None, typer.Option(help="Only this band: hot, warm, emerging, none.")] = None,
    account: Annotated[str | None, typer.Option(help="Only people of this account.")] = None,
    pql: Annotated[
        bool, typer.Option("--pql", help="Only product-qualified leads: selling band, and able to buy.")
    ] = False,
    sort: Annotated[str, typer.Option(help="score or behaviour_points.")] = "score",
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 20,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """The people with the strongest signals.

    Example: `handraise people --band hot`
    """
    from handraise.faces.cli import commands

    choice = {"band": band, "account_id": account, "pql": pql, "sort": sort, "limit": limit}
    run(lambda: commands.people(project, choice, as_of=day_of(as_of), as_json=as_json))


@app.command()
def explain(
    entity_id: Annotated[str, typer.Argument(metavar="ID", help="An account_id or a person_id.")],
    project: ProjectOption = HERE,
    as_of: AsOfOption = None,
    against: Annotated[str | None, typer.Option(metavar="DAY", help="Also show what changed since this day.")] = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """The receipt: every signal, its value, points, reason and evidence; what changed, and what would change it.

    Example: `handraise explain acme --against 2026-10-21`
    """
    from handraise.faces.cli import commands

    run(
        lambda: commands.explain(
            project, entity_id, as_of=day_of(as_of), against=day_of(against), lang=lang, as_json=as_json
        )
    )


@app.command()
def export(
    what: Annotated[str, typer.Argument(help="people, accounts or receipt.")],
    out: Annotated[Path, typer.Option("--out", help="A .csv, .parquet or .ndjson file.")],
    project: ProjectOption = HERE,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write scores to a file: stable columns, sorted, the same bytes for the same inputs.

    Example: `handraise export people --out people.csv`
    """
    from handraise.faces.cli import commands

    if what not in {"people", "accounts", "receipt"}:
        raise typer.BadParameter("choose people, accounts or receipt", param_hint="WHAT")
    run(lambda: commands.export(project, what, out, as_of=day_of(as_of), as_json=as_json))


@app.command()
def report(
    project: ProjectOption = HERE,
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")] = Path("handraise-report.html"),
    as_of: AsOfOption = None,
    lang: LangOption = None,
) -> None:
    """Write one self-contained HTML page: tiers and their trend, top accounts with receipts, people, what rose.

    Example: `handraise report --lang zh --out report.html`
    """
    from handraise.faces.cli import commands

    run(lambda: commands.report(project, out, as_of=day_of(as_of), lang=lang))


@app.command()
def consolidation(
    project: ProjectOption = HERE,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 20,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Companies whose workspaces do not know each other: same work domain, nobody in common.

    Example: `handraise consolidation`
    """
    from handraise.faces.cli import commands

    run(lambda: commands.consolidation(project, limit=limit, as_of=day_of(as_of), as_json=as_json))


@app.command()
def doctor(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """What is loaded, how fresh it is, how well it joins, which signals are blind, and what to do next."""
    from handraise.faces.cli import commands

    run(lambda: commands.doctor(project, as_json=as_json))


@playbook_app.command("check")
def playbook_check(
    file: Annotated[Path | None, typer.Argument(help="A playbook.", show_default="the project's")] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Check `handraise.yaml`: every mistake with file, line, key and the nearest right spelling."""
    from handraise.faces.cli import playbook_commands

    if not run(lambda: playbook_commands.check(file or project, as_json=as_json)):
        raise typer.Exit(1)


@playbook_app.command("diff")
def playbook_diff(  # noqa: PLR0917
    first: Annotated[Path, typer.Argument(metavar="A", help="A playbook, or the folder it is in; - reads one.")],
    second: Annotated[
        Path | None, typer.Argument(metavar="B", help="Another. Left out: from the project's to A.")
    ] = None,
    project: ProjectOption = HERE,
    as_of: AsOfOption = None,
    form: Annotated[str, typer.Option("--format", help="text, json or markdown.")] = "text",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Movers shown of each kind.", show_default="20; all in JSON")
    ] = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """What playbook B changes against A on the project's data: who moves, and why. Nothing is stored.

    Example: `git show main:handraise.yaml | handraise playbook diff - handraise.yaml`
    """
    from handraise.faces.cli import playbook_commands

    if form not in {"text", "json", "markdown"}:
        raise typer.BadParameter("choose text, json or markdown", param_hint="--format")
    options = {"form": "json" if as_json else form, "limit": limit, "lang": lang}
    run(lambda: playbook_commands.diff(project, first, second, options, as_of=day_of(as_of)))


@playbook_app.command("test")
def playbook_test(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", help="Files of examples.", show_default="handraise.tests.yaml"),
    ] = None,
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Run your own examples: a person with these events must get these points. Exit status 1 when one fails.

    Needs the playbook and no data. Example: `handraise playbook test`
    """
    from handraise.faces.cli import playbook_commands

    if not run(lambda: playbook_commands.test(project, files or [], as_json=as_json)):
        raise typer.Exit(1)


@playbook_app.command("kinds")
def playbook_kinds() -> None:
    """What a signal can measure: every kind, what it says, and its keys."""
    from handraise.faces.cli import commands

    run(commands.playbook_kinds)


@quarantine_app.callback(invoke_without_command=True)
def quarantine(
    context: typer.Context,
    project: ProjectOption = HERE,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the rows that were set aside, with file, line and reason."""
    if context.invoked_subcommand is None:
        from handraise.faces.cli import commands

        run(lambda: commands.quarantine(project, limit=limit, as_json=as_json))


@quarantine_app.command("replay")
def quarantine_replay(project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """Try all rows that were set aside once more, after the playbook or handraise was mended."""
    from handraise.faces.cli import commands

    run(lambda: commands.quarantine_replay(project, as_json=as_json))


@app.callback()
def _handraise(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"handraise {installed('handraise')}")
        raise typer.Exit


def main() -> None:
    """Entry point of the `handraise` command; a stop that comes when all is done changes nothing."""
    try:
        app()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
