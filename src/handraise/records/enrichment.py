"""The nouns of enrichment: what a provider answered, what a run of it did, and what is known from whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

About = Literal["company", "person"]
Value = str | int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back of one question to a provider.

    Attributes:
        outcome: found; missed = it knows nothing; refused = it wants no more questions; failed = it could not answer.
        values: Field → value, where something was found.
        because: What was wrong, in words; empty = nothing was.
        wait_until: Not to be asked before; None = it does not say.
    """

    outcome: Literal["found", "missed", "refused", "failed"]
    values: Mapping[str, Value]
    because: str = ""
    wait_until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """Whom a provider is asked about.

    Attributes:
        about: company or person.
        name: Domain of the company, or e-mail address of the person in small letters.
        person_id: Whose address it is; None for a company.
    """

    about: About
    name: str
    person_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderAnswer:
    """An answer that is kept.

    Attributes:
        id: Number; later answers have higher ones.
        provider: Who gave it.
        about: company or person.
        subject: Domain of the company, or e-mail address of the person in small letters.
        asked_at: Since when it is known.
        values: Field → value; empty = it knew nothing.
    """

    id: int
    provider: str
    about: About
    subject: str
    asked_at: datetime
    values: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """How many requests a provider may still get.

    Attributes:
        day: Today.
        month: This month.
        paused_until: It is not asked before; None = it may be.
        because: Why it is paused, in words.
    """

    day: int
    month: int
    paused_until: datetime | None = None
    because: str = ""

    @property
    def left(self) -> int:
        """Requests that are left now."""
        return 0 if self.paused_until else max(0, min(self.day, self.month))


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderRun:
    """What became of one provider in a run.

    Attributes:
        provider: Its name.
        about: company or person.
        worth: Companies or people that the playbook lets it be asked about.
        due: Those of them that it is to be asked about: nothing fresh is known from it, and something is missing.
        asked: Requests made.
        found: Answers with values.
        missed: Answers that it knows nothing.
        failed: Requests without an answer.
        budget: What is left afterwards.
        stopped: Why it was not asked about all that are due; empty = it was.
    """

    provider: str
    about: About
    worth: int
    due: int
    asked: int
    found: int
    missed: int
    failed: int
    budget: Budget
    stopped: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownValue:
    """What one source says about one thing.

    Attributes:
        field: Such as employees or title.
        value: As text.
        source: Who says it; accounts and people are the company's own files, or its CRM.
        known_at: Since when; None = the company's own files do not say.
        is_used: Whether it is the one that is believed.
    """

    field: str
    value: str
    source: str
    known_at: datetime | None
    is_used: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class EnrichmentConflict:
    """Two sources that say different things.

    Attributes:
        about: company or person.
        id: account_id or person_id.
        used: What is believed.
        other: What somebody else says.
    """

    about: About
    id: str
    used: KnownValue
    other: KnownValue


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """How much one source knows about one field.

    Attributes:
        about: company or person.
        field: Such as employees.
        source: Who.
        known: Accounts or people of which it says something.
        used: Those in which it is believed.
    """

    about: About
    field: str
    source: str
    known: int
    used: int
