"""The nouns of drafts: words to a prospect that rest on what their company does with the product."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Persona = Literal["executive", "buyer", "admin", "user"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """Whether somebody may be written to.

    Attributes:
        allowed: They may.
        because: Code of what keeps from it: opted_out, too_early, person_cap, account_cap or buyer_missing; empty = nothing.
        until: When it ends by itself; None = not by the clock.
    """

    allowed: bool
    because: str = ""
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cite:
    """A fact of the account's usage that a text says.

    Attributes:
        name: What the template calls it, such as use.feature.
        text: As the text says it; it stands in the text.
        rests_on: Where it comes from, for whoever approves.
    """

    name: str
    text: str
    rests_on: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocked:
    """Why a draft may not be used.

    Attributes:
        code: opted_out, too_early, person_cap, account_cap, buyer_missing, nobody, generic, too_long, link, markup, watched
            or empty_text.
        because: In words.
        until: When it ends by itself; None = not by the clock.
    """

    code: str
    because: str
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TalkTrack:
    """What to talk about, from one template.

    Attributes:
        signal: The signal that it belongs to.
        template: Name of the template.
        words: One thing to say or ask each.
    """

    signal: str
    template: str
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A message to one person, made from a template; nothing sends it.

    Attributes:
        handoff: Number of the handoff; None = a preview for an account without one.
        account_id: The account.
        person_id: To whom; None = nobody that is known.
        to_name: Their name as it stands in the text; empty = unknown.
        language: en or zh.
        persona: executive, buyer, admin or user.
        template: Name of the template.
        origin: shipped with handraise, or of the project.
        subject: One line; empty when the draft was refused before it was written.
        body: Plain text.
        cites: The usage that it rests on.
        blocked: Why it may not be used; None = a person may approve it.
    """

    handoff: int | None
    account_id: str
    person_id: str | None
    to_name: str
    language: Literal["en", "zh"]
    persona: Persona
    template: str
    origin: Literal["shipped", "project"]
    subject: str
    body: str
    cites: tuple[Cite, ...] = ()
    blocked: Blocked | None = None

    @property
    def sha256(self) -> str:
        """Of the exact text: subject, an empty line, body."""
        return hashlib.sha256(f"{self.subject}\n\n{self.body}".encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """Who approved which exact text.

    Attributes:
        id: Number; 0 = not kept yet.
        handoff: Number of the handoff.
        account_id: The account.
        person_id: To whom; None = they were erased since.
        template: Name of the template that it began as.
        language: en or zh.
        subject: The approved subject.
        body: The approved text.
        sha256: Of subject, an empty line and body.
        by: Who approved it.
        at: When.
    """

    id: int = 0
    handoff: int
    account_id: str
    person_id: str | None
    template: str
    language: str
    subject: str
    body: str
    sha256: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateInfo:
    """A template that can be used, and where it comes from.

    Attributes:
        name: Such as outreach/enterprise_request.
        kind: outreach, talk or story.
        language: en or zh.
        origin: shipped with handraise, or of the project.
        hides: A project's file that stands in the place of a shipped one.
        chosen_for: What it is chosen for, in words of the file.
        mistake: Why it cannot be used; empty = it can.
    """

    name: str
    kind: Literal["outreach", "talk", "story"]
    language: Literal["en", "zh"]
    origin: Literal["shipped", "project"]
    hides: bool
    chosen_for: str
    mistake: str = ""
