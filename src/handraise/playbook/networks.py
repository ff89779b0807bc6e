"""Networks of the company's own that may be called although they are not public."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from handraise.net.guard import read_networks


def _are_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        read_networks(value)
    except ValueError as error:
        raise ValueError(f"{error}; write networks such as 10.1.0.0/16 or 127.0.0.1") from error
    return value


Networks = Annotated[tuple[str, ...], AfterValidator(_are_networks)]
