"""What a provider is: somebody who can be asked about one company or person at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from handraise.records.enrichment import Reply


class Provider(Protocol):
    """One that is asked; it keeps nothing, counts nothing and never waits: that is done by whoever asks."""

    def ask(self, subject: str, *, now: datetime) -> Reply:
        """What it knows of a domain, or of an e-mail address; never raises for what the other side did."""
        ...
