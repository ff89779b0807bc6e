"""Ask a project, or the server that has it: commands need not know which."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from handraise.errors import BusyError
from handraise.faces.cli.days import right_now
from handraise.service.folder import DATA_FOLDER
from handraise.service.project import Project, open_project
from handraise.service.questions import QUESTIONS

if TYPE_CHECKING:
    from handraise.service.host import Host
    from handraise.service.ownership import Owner

P = ParamSpec("P")
T = TypeVar("T")
_PATIENCE = 3600.0


def ask(folder: Path, question: Callable[Concatenate[Project, P], T], *args: P.args, **given: P.kwargs) -> T:
    """The answer of one of `service.questions`, which take keywords only.

    Raises:
        HandraiseError: As the question says.
    """
    owner = _owner(folder)
    if owner:
        answer: T = _ask_server(owner, question, given)
        return answer
    read_only = QUESTIONS[question.__name__].read_only
    with open_project(folder, environment=os.environ, read_only=read_only) as project:
        return question(project, *args, **given)


def order(folder: Path, wanted: Callable[Concatenate[Host, P], T], *args: P.args, **given: P.kwargs) -> T:
    """The answer of one of `service.orders`; without a server, the project is served for as long as it takes.

    Raises:
        HandraiseError: As the order says.
    """
    owner = _owner(folder)
    if owner:
        answer: T = _ask_server(owner, wanted, given, kind="order.")
        return answer
    import secrets

    from handraise.service.host import Host as Served

    with Served(folder, environment=os.environ, now=right_now, random=secrets.token_bytes) as host:
        return wanted(host, *args, **given)


def is_served(folder: Path) -> bool:
    """Whether a server has the project."""
    return _owner(folder) is not None


def _owner(folder: Path) -> Owner | None:
    data = folder / DATA_FOLDER
    if not (data / "server.lock").exists():
        return None
    from handraise.service.ownership import owner_of

    return owner_of(data)


def _ask_server(owner: Owner, question: Callable[..., Any], given: dict[str, Any], *, kind: str = "") -> Any:
    import urllib.error
    import urllib.request

    from handraise.service.wire import answer_of, encode, error_of

    request = urllib.request.Request(  # noqa: S310 - the address of our own server
        f"{owner.address}/internal/{kind}{question.__name__}",
        data=encode(given),
        headers={"Authorization": f"Bearer {owner.token}", "Content-Type": "application/json"},
    )
    # Straight to this machine, whatever the environment says about proxies.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_PATIENCE) as response:
            content = response.read()
    except urllib.error.HTTPError as error:
        with error:
            raise error_of(error.read()) from error
    except OSError as error:
        raise BusyError(
            f"the server of this project does not answer (process {owner.pid}, at {owner.address}).",
            todo="Look at its output; if it hangs, stop it and run the command again.",
        ) from error
    return answer_of(question, content)
