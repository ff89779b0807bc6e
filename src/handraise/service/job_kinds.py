"""Which kinds of work may be asked for from outside, and what each has to be told."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RefreshWanted(_Wanted):
    """Score everybody."""

    kind: Literal["refresh"]
    as_of: date | None = Field(default=None, description="The day; null = the newest.")
    full: bool = Field(default=False, description="Make the roll-ups anew too.")


class ReplayWanted(_Wanted):
    """Try everything in quarantine again."""

    kind: Literal["replay"]


class BackupWanted(_Wanted):
    """Copy everything into the data folder's backups."""

    kind: Literal["backup"]
    keep: int | None = Field(default=None, ge=1, le=1000, description="Of the backups there, keep so many.")


class VerifyWanted(_Wanted):
    """Compare the log with its seals, and read the audit trail."""

    kind: Literal["verify"]


class FinishErasuresWanted(_Wanted):
    """Take up erasures that were cut off, and take out again whoever came back."""

    kind: Literal["finish_erasures"]


class EnrichWanted(_Wanted):
    """Ask the playbook's providers about companies that are worth it, within their budgets."""

    kind: Literal["enrich"]


JobWanted = RefreshWanted | EnrichWanted | ReplayWanted | BackupWanted | VerifyWanted | FinishErasuresWanted
