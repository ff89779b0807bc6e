"""Drafts of a handoff, previews of a template, and stories: made from a brief, checked, and approved by a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection

from handraise.errors import ConflictError, DraftError, InputError
from handraise.handoffs.drafting_facts import facts_of
from handraise.handoffs.drafts import Text, because, check_draft, fill_in, refuse
from handraise.handoffs.templates import Situation, Template, choose_outreach, story_of
from handraise.ledger import acting
from handraise.ledger.audit import take_turn
from handraise.ledger.draft_approvals import approvals_of, keep_approval
from handraise.ledger.rewrites import rewrite_of
from handraise.ledger.suppression import is_suppressed
from handraise.playbook.section import Language
from handraise.records.brief import Brief, PersonOnMap
from handraise.records.drafts import Approval, Blocked, Cite, Draft, Persona
from handraise.service.briefs import brief_of_account, brief_of_handoff
from handraise.service.inbox import ledger_of, strongest_triggers
from handraise.service.lists import Choice, list_accounts
from handraise.service.project import Project, ensure_scored
from handraise.service.template_files import read_templates, template_named

_NO_TEMPLATE = "none"
# Accounts that are looked at for a preview of so many.
_LOOKED_AT = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Approving:
    """That somebody approves a text, and which.

    Attributes:
        by: Who.
        wording: Subject and body in their own words, which have to rest on the usage of the draft; None = as the draft is.
        sha256: Of the text that they read, or its beginning (8 digits at least); another text is refused. None = not told.
    """

    by: str
    wording: tuple[str, str] | None = None
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoryPart:
    """One level of a story.

    Attributes:
        level: individual, team or company.
        title: Its heading.
        paragraphs: Plain text.
        cites: The usage that it rests on.
    """

    level: str
    title: str
    paragraphs: tuple[str, ...]
    cites: tuple[Cite, ...]


@dataclass(frozen=True, kw_only=True)
class Story:
    """What the product does for a company, from one person's use to the whole company's, for whoever decides.

    Attributes:
        account_id: The account.
        name: As the text calls it.
        as_of: The day that it rests on.
        language: en or zh.
        simulated: The data come from the simulator.
        parts: The levels, in order.
    """

    account_id: str
    name: str
    as_of: date
    language: Language
    simulated: bool
    parts: tuple[StoryPart, ...]


def draft_of(project: Project, number: int, *, language: Language, now: datetime) -> Draft:
    """The draft of a handoff, by the template that fits best; refused with the reason where none may be used.

    Raises:
        NotFoundError: There is no such handoff.
        DraftError: The template cannot be filled in.
    """
    brief = brief_of_handoff(project, number, language=language, now=now)
    return draft_from(project, brief, language)


def draft_from(project: Project, brief: Brief, language: Language) -> Draft:
    """As `draft_of`, from a brief that is at hand."""
    person = _recipient(brief)
    blocked = _blocked(brief, person, language)
    template = (
        None
        if blocked
        else choose_outreach(read_templates(project.folder).usable, _situation(project, brief, person), language)
    )
    if template is None:
        return _without_text(brief, person, blocked or _because("no_template", language), language)
    return _written(project, brief, template, person)


def preview(project: Project, name: str, *, accounts: int, language: Language, now: datetime) -> list[Draft]:
    """What a template gives for real accounts: handoffs to a buyer first, then the best accounts. Nothing is kept.

    Raises:
        NotFoundError: There is no such template.
        DraftError: It has a mistake, or says what is not known of an account.
    """
    template = template_named(project.folder, name, language)
    if template.kind != "outreach":
        raise DraftError(f"{name} is no draft.", todo="Name one that begins with outreach/.")
    ensure_scored(project, None, now)
    made: list[Draft] = []
    for account_id in _real_accounts(project, accounts * _LOOKED_AT, language):
        if len(made) == accounts:
            break
        brief = brief_of_account(project, account_id, language=language, now=now)
        person = _recipient(brief)
        if person is not None:
            draft = _written(project, brief, template, person)
            made.append(replace(draft, blocked=_blocked(brief, person, language) or draft.blocked))
    return made


def _real_accounts(project: Project, most: int, language: Language) -> list[str]:
    with ledger_of(project) as ledger, ledger.reading() as connection:
        live = acting.list_handoffs(connection)
    handed = [one.account_id for one in live if one.lane == "sales"]
    best = [one.account_id for one in list_accounts(project, Choice(sort="tier", limit=most), language)]
    return list(dict.fromkeys([*handed, *best]))[:most]


def approve(project: Project, number: int, said: Approving, *, language: Language, now: datetime) -> Approval:
    """Keep that somebody approved the exact text of a handoff's draft. Nothing is sent.

    Raises:
        NotFoundError: There is no such handoff.
        DraftError: The draft may not be used.
        ConflictError: The text is another by now.
        InputError: The hash is none.
    """
    draft = draft_of(project, number, language=language, now=now)
    said = _of_rewrite(project, number, said)
    if said.wording is not None and draft.body:
        subject, body = (part.strip() for part in said.wording)
        draft = replace(draft, subject=subject, body=body.replace("\r\n", "\n"), blocked=None)
        draft = replace(draft, blocked=check_draft(draft, project.loaded.playbook.handoffs.outreach))
    refuse(draft)
    _check_read(draft, said.sha256)
    approval = Approval(
        handoff=number,
        account_id=draft.account_id,
        person_id=draft.person_id,
        template=draft.template,
        language=draft.language,
        subject=draft.subject,
        body=draft.body,
        sha256=draft.sha256,
        by=said.by,
        at=now.astimezone(UTC),
    )
    with ledger_of(project) as ledger, ledger.transaction() as connection:
        take_turn(connection)
        check_still_theirs(connection, draft)
        return keep_approval(connection, approval)


def check_still_theirs(connection: Connection, draft: Draft) -> None:
    """Refuse to keep a text whose person was erased while it was made; within the transaction that would keep it.

    Raises:
        ConflictError: The handoff is gone or names somebody else by now, or the person's data may not be used any more.
    """
    if draft.handoff is None:
        return
    there = acting.handoffs_numbered(connection, [draft.handoff])
    named = draft.person_id is not None and any(one.person_id == draft.person_id for one in there)
    if not named or is_suppressed(connection, [str(draft.person_id)]):
        raise ConflictError("whom the text is for may not be written to by now.", todo="Look at the handoff again.")


def _of_rewrite(project: Project, number: int, said: Approving) -> Approving:
    """Where the hash is that of the text which a language model reworded, that text is what is approved."""
    if said.wording is not None or said.sha256 is None or len(said.sha256) < _LEAST_DIGITS:
        return said
    with ledger_of(project) as ledger, ledger.reading() as connection:
        reworded = rewrite_of(connection, number)
    if reworded is None or not reworded.sha256.startswith(said.sha256.lower()):
        return said
    return replace(said, wording=(reworded.subject, reworded.body))


_LEAST_DIGITS = 8


def _check_read(draft: Draft, sha256: str | None) -> None:
    if sha256 is None:
        return
    if len(sha256) < _LEAST_DIGITS:
        raise InputError("that is no hash of a text.", where="sha256", todo=f"Give {_LEAST_DIGITS} digits at least.")
    if not draft.sha256.startswith(sha256.lower()):
        raise ConflictError("the draft is another one by now.", todo="Read it again, then approve it.")


def approvals(project: Project, number: int) -> list[Approval]:
    """Texts that were approved for a handoff, oldest first."""
    with ledger_of(project) as ledger, ledger.reading() as connection:
        return list(approvals_of(connection, number))


def story(project: Project, account_id: str, *, language: Language, now: datetime) -> Story:
    """The story of an account, for whoever decides there.

    Raises:
        NotFoundError: Nobody knows the account.
        DraftError: A template cannot be filled in, or nothing in it would rest on usage.
    """
    brief = brief_of_account(project, account_id, language=language, now=now)
    facts = _facts(project, brief, language, None)
    parts = []
    for template in story_of(read_templates(project.folder).usable, language):
        text = fill_in(template, facts, language)
        paragraphs = tuple(one.strip() for one in text.body.split("\n\n") if one.strip())
        parts.append(
            StoryPart(level=template.head["level"], title=text.subject, paragraphs=paragraphs, cites=text.cites)
        )
    if not any(part.cites for part in parts):
        raise DraftError(
            f"a story of {account_id} would be generic: too little is known of what they do with the product.",
            todo="`handraise brief` shows what is known.",
        )
    return Story(
        account_id=account_id,
        name=str(facts["company"]),
        as_of=brief.as_of,
        language=language,
        simulated=brief.simulated,
        parts=tuple(parts),
    )


def _facts(project: Project, brief: Brief, language: Language, person: PersonOnMap | None) -> Mapping[str, Any]:
    outreach = project.loaded.playbook.handoffs.outreach
    return facts_of(brief, outreach, language, person=person, asked=_asked_on(project, brief, person))


def _asked_on(project: Project, brief: Brief, person: PersonOnMap | None) -> date | None:
    """The last day on which this person asked for something."""
    triggers = project.loaded.playbook.handoffs.triggers
    raised = {name for name, trigger in triggers.items() if trigger.hand_raise}
    if person is None or brief.why.handoff is None:
        return None
    mine = (one for one in brief.why.handoff.reasons if one.person_id == person.person_id and one.trigger in raised)
    return max((one.fired_at.astimezone(UTC).date() for one in mine), default=None)


def _recipient(brief: Brief) -> PersonOnMap | None:
    """Whom the handoff names; without one, the best buyer who may be written to, else the best buyer."""
    if brief.why.handoff is not None:
        wanted = brief.why.handoff.person_id
        return next((one for one in brief.people if one.person_id == wanted), None)
    buyers = [one for one in brief.people if "buyer" in one.roles]
    buyers.sort(key=lambda one: (not one.contact.allowed, not one.is_pql, -one.score, one.person_id))
    return buyers[0] if buyers else None


def _blocked(brief: Brief, person: PersonOnMap | None, language: Language) -> Blocked | None:
    """What keeps from writing at all, whatever the words."""
    if brief.why.handoff is not None and brief.why.handoff.closed_at is not None:
        return _because("ended", language)
    if brief.why.lane == "find_buyer":
        return _because("buyer_missing", language)
    if person is None:
        return _because("nobody", language)
    if not person.contact.allowed:
        return replace(_because(person.contact.because, language), until=person.contact.until)
    return None


def _because(code: str, language: Language) -> Blocked:
    return Blocked(code=code, because=because(code, language))


def _persona(person: PersonOnMap | None) -> Persona:
    roles = person.roles if person else ()
    if "executive" in roles:
        return "executive"
    if "buyer" in roles:
        return "buyer"
    return "admin" if "admin" in roles else "user"


def _situation(project: Project, brief: Brief, person: PersonOnMap | None) -> Situation:
    reasons = brief.why.handoff.reasons if brief.why.handoff else ()
    return Situation(
        triggers=strongest_triggers(reasons, project.loaded.playbook),
        lane=brief.why.lane,
        segment=brief.account.segment if brief.account else None,
        persona=_persona(person),
    )


def _written(project: Project, brief: Brief, template: Template, person: PersonOnMap | None) -> Draft:
    facts = _facts(project, brief, template.language, person)
    text = fill_in(template, facts, template.language)
    draft = _draft(brief, person, text, template, str(facts["person"].name) if facts["person"] else "")
    return replace(draft, blocked=check_draft(draft, project.loaded.playbook.handoffs.outreach))


def _draft(brief: Brief, person: PersonOnMap | None, text: Text, template: Template, to_name: str) -> Draft:
    return Draft(
        handoff=brief.why.handoff.id if brief.why.handoff else None,
        account_id=brief.account_id,
        person_id=person.person_id if person else None,
        to_name=to_name,
        language=template.language,
        persona=_persona(person),
        template=template.name,
        origin=template.origin,
        subject=text.subject,
        body=text.body,
        cites=text.cites,
    )


def _without_text(brief: Brief, person: PersonOnMap | None, blocked: Blocked, language: Language) -> Draft:
    return Draft(
        handoff=brief.why.handoff.id if brief.why.handoff else None,
        account_id=brief.account_id,
        person_id=person.person_id if person else None,
        to_name="",
        language=language,
        persona=_persona(person),
        template=_NO_TEMPLATE,
        origin="shipped",
        subject="",
        body="",
        blocked=blocked,
    )
