"""Commands about serving: the server itself, who may send events to it, and who may use its API."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from handraise.faces.cli.options import HERE, JsonOption, ProjectOption, run

sources_app = typer.Typer(help="Who sends events: sources, and the write keys that tracking libraries are set up with.")
api_keys_app = typer.Typer(help="Keys of programs that use the REST API.")
ExpiresOption = Annotated[int | None, typer.Option(min=1, help="Days after which the key ends.", show_default="never")]

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([MG])B", re.IGNORECASE)
_LEAST_MB = 200


def _memory(value: str) -> str:
    size = _SIZE.fullmatch(value.strip())
    if not size:
        raise typer.BadParameter(f"{value!r} is not a size such as 800MB or 4GB.")
    if float(size[1]) * (1000 if size[2].upper() == "G" else 1) < _LEAST_MB:
        raise typer.BadParameter(f"Scoring needs {_LEAST_MB}MB at least.")
    return value.strip()


def serve(
    project: ProjectOption = HERE,
    host: Annotated[
        str, typer.Option(help="The address to listen at. Other than loopback: put TLS in front.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 = any that is free.")] = 8321,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A further name by which the API may be called; once for each."),
    ] = None,
    memory: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            callback=_memory,
            help="What the data's engine may use before it goes to the disk. The process takes about 300MB more.",
        ),
    ] = "400MB",
) -> None:
    """Take in events from tracking libraries, score people and accounts within seconds, and answer the REST API.

    Other commands on the same project talk to the server while it runs. Example: `handraise serve --project demo`
    """
    from handraise.faces.cli.serve_command import serve_project

    run(lambda: serve_project(project, host=host, port=port, allowed_hosts=allow_host or [], memory=memory))


@sources_app.callback(invoke_without_command=True)
def sources(context: typer.Context, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the sources, what became of what they sent, and their keys."""
    if context.invoked_subcommand is None:
        from handraise.faces.cli import server_commands

        run(lambda: server_commands.sources(project, as_json=as_json))


@sources_app.command("key")
def sources_key(
    source: Annotated[str, typer.Argument(help="A name of yours, such as `web` or `app`.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Make a write key for a source, and the source if it is new. The key is shown this once.

    Example: `handraise sources key web`
    """
    from handraise.faces.cli import server_commands

    run(lambda: server_commands.sources_key(project, source, as_json=as_json))


@sources_app.command("webhook")
def sources_webhook(
    source: Annotated[str, typer.Argument(help="A name of yours, such as `crm` or `billing`.")],
    project: ProjectOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let a system send facts by webhook: prints the path, and the secret to sign with, this once.

    Example: `handraise sources webhook billing`
    """
    from handraise.faces.cli import server_commands

    run(lambda: server_commands.sources_webhook(project, source, as_json=as_json))


@sources_app.command("revoke")
def sources_revoke(
    key: Annotated[int, typer.Argument(help="The key's number, as `handraise sources` lists it.")],
    project: ProjectOption = HERE,
) -> None:
    """Let nothing in by a write key any more; a running server knows within a second."""
    from handraise.faces.cli import server_commands

    run(lambda: server_commands.sources_revoke(project, key))


@api_keys_app.callback(invoke_without_command=True)
def api_keys(context: typer.Context, project: ProjectOption = HERE, as_json: JsonOption = False) -> None:
    """List the keys of the REST API."""
    if context.invoked_subcommand is None:
        from handraise.faces.cli import server_commands

        run(lambda: server_commands.api_keys(project, as_json=as_json))


@api_keys_app.command("add")
def api_keys_add(
    name: Annotated[str, typer.Argument(help="What uses it.")],
    project: ProjectOption = HERE,
    scope: Annotated[
        list[str] | None, typer.Option(help="read, write, playbook, privacy or admin; once for each.")
    ] = None,
    expires: ExpiresOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key for the REST API; it is shown this once. Without --scope it may only read.

    Example: `handraise api-keys add dashboard --expires 90`
    """
    from handraise.faces.cli import server_commands

    run(lambda: server_commands.api_keys_add(project, name, scope or ["read"], expires, as_json=as_json))


@api_keys_app.command("revoke")
def api_keys_revoke(
    key: Annotated[int, typer.Argument(help="The key's number, as `handraise api-keys` lists it.")],
    project: ProjectOption = HERE,
) -> None:
    """End a key of the REST API at once."""
    from handraise.faces.cli import server_commands

    run(lambda: server_commands.api_keys_revoke(project, key))
