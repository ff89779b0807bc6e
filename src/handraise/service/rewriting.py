"""Let a language model reword a draft: one request, a second one if need be, and the template's text if neither will do.

The model is taken to be hostile (see `handoffs/rewrite_answer`). Nothing is done because of what it says: a text that
passes every check is shown beside the first one, and waits for a person to approve it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handraise.errors import AddressError, ConflictError, PlaybookError, ProjectError, RemoteError
from handraise.handoffs.drafting_facts import facts_of
from handraise.handoffs.drafts import refuse
from handraise.handoffs.rewrite_answer import Judged, because, judge
from handraise.handoffs.rewrite_prompt import Offer, offer
from handraise.ledger import enriching as spending
from handraise.ledger import rewrites
from handraise.ledger.audit import record, take_turn
from handraise.ledger.store import Ledger
from handraise.net.client import request
from handraise.net.guard import read_networks
from handraise.net.limits import Limits
from handraise.playbook.rewriting import Rewriting
from handraise.playbook.section import Language
from handraise.playbook.selling import Outreach
from handraise.records.drafts import Draft
from handraise.records.rewriting import Rewrite
from handraise.service.briefs import brief_of_handoff
from handraise.service.drafting import check_still_theirs, draft_from
from handraise.service.project import Project

# What its requests are counted under; no provider of enrichment can be called so.
SPENT_ON = "rewriting:"
_ATTEMPTS = 2
_MOST_BYTES = 128 * 1024
_OK = 200
_MARK_BYTES = 9


@dataclass(frozen=True, kw_only=True)
class Rewording:
    """What rewording needs beside the draft.

    Attributes:
        ledger: Where requests are counted and the new text is kept.
        settings: The playbook's section; None = it is switched off.
        rules: How the company writes.
        environment: The process's variables, for the key.
        now: The clock.
        random: Gives so many random bytes.
        actor: Who wants it.
    """

    ledger: Ledger
    settings: Rewriting | None
    rules: Outreach
    environment: Mapping[str, str]
    now: Callable[[], datetime]
    random: Callable[[int], bytes]
    actor: str


def reword(draft: Draft, company: str, wanted: Rewording) -> Rewrite:
    """A draft in other words, or why there are none.

    Args:
        draft: As its template gave it.
        company: The account's name as it may stand in the text; empty = unknown.
        wanted: How.

    Raises:
        PlaybookError: Rewording is switched off.
        ProjectError: The key is not in the environment.
        DraftError: The draft itself may not be used.
        ConflictError: Whoever it is for was erased, or the handoff changed, before the model answered; nothing is kept.
    """
    settings = wanted.settings
    if settings is None:
        raise PlaybookError(
            "no language model may reword drafts.", where="rewriting", todo="The manual's Rewriting page shows how."
        )
    refuse(draft)
    key = _key(settings, wanted.environment)
    model = {"model": settings.model, "max_tokens": settings.most_tokens}
    mark = wanted.random(_MARK_BYTES).hex()
    offered = offer(draft, company, wanted.rules, model=model, style=settings.style, mark=mark)
    judged, attempts = Judged(draft=None, code="failed"), 0
    while judged.code and attempts < _ATTEMPTS:
        if _spend(wanted, settings):
            judged = judged if attempts else Judged(draft=None, code="budget")
            break
        attempts += 1
        judged, again = _ask(draft, offered, wanted, settings, key)
        if not again:
            break
    return _kept(draft, judged, attempts, wanted, settings)


def draft_to_reword(project: Project, number: int, *, language: Language, now: datetime) -> tuple[Draft, str]:
    """The draft of a handoff, and the company's name as its text has it: what `reword` needs, before anybody is asked.

    Raises:
        NotFoundError: There is no such handoff.
        DraftError: The template cannot be filled in.
    """
    brief = brief_of_handoff(project, number, language=language, now=now)
    draft = draft_from(project, brief, language)
    facts = facts_of(brief, project.loaded.playbook.handoffs.outreach, draft.language)
    return draft, str(facts["company"] or "")


def _key(settings: Rewriting, environment: Mapping[str, str]) -> str:
    key = environment.get(settings.key_env, "") if settings.key_env else ""
    if settings.key_env and not key:
        raise ProjectError(
            f"the environment has no {settings.key_env}, which rewording needs.",
            where="rewriting.key_env",
            todo="Set it where handraise runs.",
        )
    return key


def _spend(wanted: Rewording, settings: Rewriting) -> str:
    with wanted.ledger.transaction() as connection:
        return spending.take_request(
            connection, SPENT_ON, now=wanted.now(), per_day=settings.per_day, per_month=settings.per_month
        )


def _ask(draft: Draft, offered: Offer, wanted: Rewording, settings: Rewriting, key: str) -> tuple[Judged, bool]:
    """What one answer is worth, and whether another one may be worth more."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    allow = read_networks(settings.allow_private)
    within = Limits(allow=allow, seconds=settings.seconds, most_bytes=_MOST_BYTES)
    try:
        answer = request("POST", settings.url, headers=headers, body=_bytes(offered.document), within=within)
    except AddressError:
        return Judged(draft=None, code="failed"), False
    except RemoteError as error:
        return Judged(draft=None, code="failed"), error.retry
    if answer.status != _OK:
        return Judged(draft=None, code="failed"), answer.status >= 500  # noqa: PLR2004 - of HTTP
    return judge(draft, offered, answer.body, wanted.rules, secret=key), True


def _bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=True).encode("ascii")


def _kept(draft: Draft, judged: Judged, attempts: int, wanted: Rewording, settings: Rewriting) -> Rewrite:
    """Note what became of it; the new text is kept until it is approved, replaced or its person erased."""
    done = Rewrite(
        original=draft,
        reworded=judged.draft,
        code=judged.code,
        because=because(judged.code, draft.language) if judged.code else "",
        attempts=attempts,
        model=settings.model,
        at=wanted.now(),
    )
    told: dict[str, Any] = {"model": settings.model, "attempts": attempts, "outcome": judged.code or "reworded"}
    where = f"handoff {draft.handoff}" if draft.handoff is not None else "preview"
    gone: ConflictError | None = None
    with wanted.ledger.transaction() as connection:
        take_turn(connection)
        try:  # the model took its time, and whoever was erased meanwhile does not come back by its answer
            check_still_theirs(connection, draft)
        except ConflictError as error:
            gone, told["outcome"] = error, "gone"
        if judged.draft and not gone:
            told["sha256"] = judged.draft.sha256
            rewrites.keep_rewrite(connection, done, by=wanted.actor)
        record(connection, actor=wanted.actor, action="draft.reword", object=where, details=told, now=done.at)
    if gone:
        raise gone
    return done
