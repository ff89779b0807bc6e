"""Commands about selling: what to know of an account before the first word, and drafts of the first words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from handraise.faces.cli.options import HERE, JsonOption, LangOption, ProjectOption, run

_FORMATS = ("text", "md", "html", "json")
OutOption = Annotated[Path | None, typer.Option("--out", help="A file to write.", show_default="the terminal")]
Number = Annotated[int, typer.Argument(metavar="NO", help="The number that `handraise inbox` shows.", min=1)]


class _Numbered(TyperGroup):
    """`draft 12` is `draft show 12`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put in the command that a number stands for."""
        if args and args[0].isdigit():
            args = ["show", *args]
        return super().parse_args(ctx, args)


draft_app = typer.Typer(
    help="Words to a prospect, from templates: read, approve, preview.", cls=_Numbered, no_args_is_help=True
)


def _form(form: str, known: tuple[str, ...] = _FORMATS) -> str:
    if form not in known:
        raise typer.BadParameter(f"choose {', '.join(known)}", param_hint="--format")
    return form


def brief(
    target: Annotated[str, typer.Argument(metavar="NO|ACCOUNT", help="A handoff's number, or an account_id.")],
    project: ProjectOption = HERE,
    form: Annotated[str, typer.Option("--format", help="text, md, html or json.")] = "text",
    out: OutOption = None,
    account: Annotated[bool, typer.Option("--account", help="NO is an account_id that is a number.")] = False,
    lang: LangOption = None,
) -> None:
    """Everything to know before the first word: why now, usage, people, plan and value, what to talk about.

    Example: `handraise brief 4 --format html --out brief.html`
    """
    from handraise.faces.cli import selling_commands

    form = _form(form)
    run(lambda: selling_commands.brief(project, target, form, out, is_account=account, lang=lang))


def story(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="An account_id.")],
    project: ProjectOption = HERE,
    form: Annotated[str, typer.Option("--format", help="text, md, html or json.")] = "text",
    out: OutOption = None,
    lang: LangOption = None,
) -> None:
    """What the product does for a company, from one person to everybody, for whoever decides there.

    Example: `handraise story acc-000025 --format html --out story.html`
    """
    from handraise.faces.cli import selling_commands

    form = _form(form)
    run(lambda: selling_commands.story(project, account, form, out, lang=lang))


@draft_app.command("show")
def draft_show(
    number: Number,
    project: ProjectOption = HERE,
    approve: Annotated[bool, typer.Option("--approve", help="Keep that you approve exactly this text.")] = False,
    by: Annotated[str | None, typer.Option(help="Whose approval it is.", show_default="your account's name")] = None,
    edited: Annotated[
        Path | None, typer.Option(help="With --approve: your own words; the first line is the subject.")
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="With --approve: of the text that you read.")] = None,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Let the playbook's language model reword it; both texts are shown.")
    ] = False,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """The draft of a handoff, and the usage that it rests on; `handraise draft NO` is the same. Nothing is sent.

    Example: `handraise draft 4 --approve --sha256 3f9a12bc`
    """
    from handraise.faces.cli import selling_commands

    if not approve and (edited or sha256):
        raise typer.BadParameter("goes with --approve", param_hint="--edited" if edited else "--sha256")
    if rewrite:
        if approve:
            raise typer.BadParameter("approve the text that you read, by its hash", param_hint="--rewrite")
        from handraise.faces.cli import rewriting_commands

        run(lambda: rewriting_commands.reword(project, number, lang=lang, as_json=as_json))
        return
    if approve:
        said = {"by": by, "edited": edited, "sha256": sha256}
        run(lambda: selling_commands.approve(project, number, said, lang=lang, as_json=as_json))
        return
    run(lambda: selling_commands.draft(project, number, lang=lang, as_json=as_json))


@draft_app.command("templates")
def draft_templates(
    project: ProjectOption = HERE,
    eject: Annotated[
        str | None, typer.Option(metavar="TEMPLATE", help="Copy this shipped template into the project, to edit it.")
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="en or zh only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Every template of drafts, talk tracks and stories: where it comes from, what it is chosen for, and its mistakes.

    Example: `handraise draft templates --eject outreach/general --lang en`
    """
    from handraise.faces.cli import selling_commands

    if lang not in {None, "en", "zh"}:
        raise typer.BadParameter("choose en or zh", param_hint="--lang")
    if eject:
        run(lambda: selling_commands.eject(project, eject, lang=lang))
        return
    run(lambda: selling_commands.templates(project, lang=lang, as_json=as_json))


@draft_app.command("preview")
def draft_preview(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="Such as outreach/general.")],
    project: ProjectOption = HERE,
    accounts: Annotated[int, typer.Option(min=1, max=50, help="How many real accounts.")] = 5,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a template gives for real accounts, and which of these drafts would be refused. Nothing is kept.

    Example: `handraise draft preview outreach/general --accounts 5`
    """
    from handraise.faces.cli import selling_commands

    run(lambda: selling_commands.preview(project, template, accounts, lang=lang, as_json=as_json))
