"""What an engine refuses, in our words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from handraise.errors import EngineError, NoRoomError
from handraise.warehouse.engines.duckdb import refusals
from handraise.warehouse.engines.protocol import RefusedError


@contextlib.contextmanager
def failures_told() -> Iterator[None]:
    """Whatever an engine refuses inside is said in our words, also outside of any step.

    Raises:
        EngineError: Something was refused.
    """
    try:
        with refusals():
            yield
    except RefusedError as refused:
        raise failed("data", "", refused) from refused


# What engines say when it is the machine that has no more room.
_NO_ROOM = ("no space left", "file too large", "could not write", "disk quota", "failed to offload", "out of memory")


def failed(name: str, sql: str, refused: RefusedError) -> EngineError:
    """What to raise for a step that an engine refused."""
    if any(words in refused.reason.lower() for words in _NO_ROOM):
        return NoRoomError(
            f"there is no room for the step {name!r}: {refused.reason}",
            todo="Make room on the disk (or give the process more memory), then run the command again: what was stored "
            "before this step is kept.",
        )
    return EngineError(
        f"the step {name!r} failed: {refused.reason}",
        todo=f"If this looks like a fault of handraise, report it with this SQL:\n{sql[:4000]}",
    )
