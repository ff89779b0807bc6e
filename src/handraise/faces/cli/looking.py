"""Look at a served project again and again, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from handraise.errors import BusyError, ProjectError
from handraise.faces.cli import show
from handraise.faces.cli.served import address_of
from handraise.faces.cli.stopping import until_stopped


def keep_looking(folder: Path, once: Callable[[], None], *, every: float) -> None:
    """Look every so many seconds; a server that goes away is waited for, if it was there at first.

    Raises:
        ProjectError: No server has the project.
    """
    begun = gone = False
    with until_stopped() as stopped:
        while not stopped.is_set():
            try:
                address_of(folder)  # without a server, a question would be put to the data themselves
                with suppress(BusyError):  # it opens its data again, or it is about to stop
                    once()
                    begun = True
                gone = False
            except ProjectError:
                if not begun:
                    raise
                if not gone:
                    show.hint("No server has the project any more; waiting for the next one. Ctrl-C ends it.")
                gone = True
            stopped.wait(every)
