"""What the addresses have in common: the served project, and the kinds of values that are asked for."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from fastapi import Depends, Path, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from handraise.service.host import Host

# No id or name holds NUL: databases do not agree on what a text with it is.
NO_NUL = r"^[^\x00]*$"
LONGEST_ID = 2000
# Ids of the ledger; Postgres has no larger ones.
MOST_NUMBER = 2**31 - 1
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIRST_DAY = date(1970, 1, 1)


def host_of(request: Request) -> Host:
    """What is served."""
    host: Host = request.app.state.host
    return host


def _written_out(value: object) -> object:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("write the day as 2026-10-28")
    return value


def _within_reach(day: date) -> date:
    if day < _FIRST_DAY:
        raise ValueError("there is nothing before 1970")
    return day


HostOf = Annotated[Host, Depends(host_of)]
Day = Annotated[date, BeforeValidator(_written_out), AfterValidator(_within_reach)]
Id = Annotated[str, Path(min_length=1, max_length=LONGEST_ID, pattern=NO_NUL)]
Slug = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["web"])]
Number = Annotated[int, Path(ge=1, le=MOST_NUMBER)]
Name = Annotated[str, Field(max_length=LONGEST_ID, pattern=NO_NUL)]
Lang = Literal["en", "zh"]
AsOf = Annotated[
    Day | None,
    Field(description="From what came before this day (UTC); without it, the scores as they are now."),
]
Language = Annotated[Lang | None, Field(description="Of the reasons; without it, the playbook's.")]


class Asked(BaseModel):
    """Parameters of a request; one that is not known is refused rather than passed over."""

    model_config = ConfigDict(extra="forbid")
