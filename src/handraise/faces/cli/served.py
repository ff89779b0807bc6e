"""The server of a project, for commands that make no sense without one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from handraise.errors import BusyError, ProjectError
from handraise.service.folder import DATA_FOLDER, check_is_project
from handraise.service.ownership import owner_of


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a server has got, as its `/health` says.

    Attributes:
        calls: Calls taken in since it started.
        behind: Bytes of the log that are still to be taken in.
        scored_at: When scores were last brought up to date since it started.
        failing: Whether following the log failed the last time.
    """

    calls: int
    behind: int
    scored_at: datetime | None = None
    failing: bool = False


def address_of(folder: Path) -> str:
    """Where the server of a project answers.

    Raises:
        ProjectError: None has it.
    """
    check_is_project(folder)
    owner = owner_of(folder / DATA_FOLDER)
    if owner is None:
        raise ProjectError(
            "no server has this project.",
            where=str(folder),
            todo=f"Run `handraise serve --project {folder}` in another terminal, then this again.",
        )
    return owner.address


def progress_of(folder: Path) -> Progress:
    """How far the server of a project has got.

    Raises:
        ProjectError: None has it.
        BusyError: It does not answer.
    """
    import urllib.request

    address = address_of(folder)
    # Straight to this machine, whatever the environment says about proxies.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{address}/health", timeout=10) as response:
            return msgspec.json.decode(response.read(), type=Progress)
    except (OSError, msgspec.DecodeError) as error:
        raise BusyError(f"the server at {address} does not say how far it is.", todo="Look at its output.") from error
