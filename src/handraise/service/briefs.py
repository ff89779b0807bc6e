"""The brief of a handoff or of any account, put together from the scores, the engine and the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from handraise.errors import NotFoundError
from handraise.handoffs.contacts import contact_of
from handraise.handoffs.decide import Facts, Somebody, lane_of
from handraise.handoffs.expansion import expansion_of
from handraise.handoffs.forecast import forecasts
from handraise.ledger import calls
from handraise.ledger.briefs import Past, handoffs_of
from handraise.ledger.store import Ledger
from handraise.ledger.suppression import is_suppressed
from handraise.playbook.section import Language
from handraise.records import AccountScore, Evidence, ReceiptLine
from handraise.records.acting import Handoff, Lane
from handraise.records.brief import (
    Brief,
    BuyerWanted,
    EarlierHandoff,
    MapRole,
    PersonOnMap,
    SinceTouch,
    Touch,
    Usage,
    WhyNow,
)
from handraise.scores import history
from handraise.scores.receipt import PEOPLE
from handraise.service.account_data import AccountData, read_account
from handraise.service.explain import changes_between, explain_person, nearest_ids
from handraise.service.inbox import ledger_of, sentences
from handraise.service.lists import CHOSEN, Choice, kept_days, list_accounts, receipt_line
from handraise.service.project import Project, ensure_scored
from handraise.service.receipts import receipt_of
from handraise.service.talks import talk_tracks
from handraise.service.touches import touched
from handraise.warehouse.tables import read_fact

_CONTACTS = ("contacted", "replied", "meeting")
_ANSWERS = ("replied", "meeting")
_ENDS = {"won": "won", "lost": "lost", "reject": "rejected"}
_PARTS: tuple[MapRole, ...] = ("champion", "buyer", "executive", "admin")


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What the ledger knows: the account's handoffs, and the one that is asked about."""

    account_id: str
    handoff: Handoff | None
    past: tuple[Past, ...]
    ledger: Ledger

    @property
    def named(self) -> set[str]:
        """Whom the handoff names."""
        return {self.handoff.person_id} if self.handoff and self.handoff.person_id else set()


def brief_of_handoff(project: Project, number: int, *, language: Language, now: datetime) -> Brief:
    """The brief of a handoff, under way or ended.

    Raises:
        NotFoundError: There is no such handoff.
    """
    day = ensure_scored(project, None, now)
    with ledger_of(project) as ledger:
        with ledger.reading() as connection:
            handoff = calls.find_handoff(connection, number)
            past = handoffs_of(connection, handoff.account_id)
        known = _Known(account_id=handoff.account_id, handoff=handoff, past=past, ledger=ledger)
        return _brief(project, known, day, language, now)


def brief_of_account(project: Project, account_id: str, *, language: Language, now: datetime) -> Brief:
    """The brief of an account, with its handoff where one is under way.

    Raises:
        NotFoundError: Nobody knows it.
    """
    day = ensure_scored(project, None, now)
    with ledger_of(project) as ledger:
        with ledger.reading() as connection:
            past = handoffs_of(connection, account_id)
        live = next((one.handoff for one in past if one.handoff.closed_at is None), None)
        return _brief(
            project, _Known(account_id=account_id, handoff=live, past=past, ledger=ledger), day, language, now
        )


def _brief(project: Project, known: _Known, day: date, language: Language, now: datetime) -> Brief:
    found = list_accounts(project, Choice(account_id=known.account_id, limit=1), language)
    account = found[0] if found else None
    if account is None and not known.past:
        said = f"no account has the id {known.account_id!r} as of {day}."
        raise NotFoundError(said, todo=nearest_ids(project, known.account_id))
    domain = account.domain if account else known.account_id.partition("domain:")[2] or None
    data = read_account(project, known.account_id, as_of=day, now=now, domain=domain, named=known.named)
    touches = _touches(data, known)
    lane = known.handoff.lane if known.handoff else _lane(account, data)
    people = _people(project, data, known, lane=lane, now=now)
    receipt = _receipt(project, account, language)
    lines, evidence = _of_principal(project, known, people, day, language)
    playbook = project.loaded.playbook
    selling = playbook.handoffs.pricing
    brief = Brief(
        account_id=known.account_id,
        name=(account and account.name) or domain or known.account_id,
        as_of=day,
        made_at=now,
        language=language,
        simulated=read_fact(project.warehouse, "simulated") == "yes",
        playbook=project.loaded.handoffs_hash,
        why=WhyNow(
            handoff=known.handoff,
            lane=lane,
            priority=known.handoff.priority if known.handoff else None,
            reasons=sentences(known.handoff.reasons, playbook, language) if known.handoff else (),
        ),
        account=account,
        usage=data.usage,
        receipt=receipt,
        evidence=evidence,
        expansion=expansion_of(
            data.plans, data.usage.active_people, selling, forecasts(data.measurements, now.astimezone(UTC))
        ),
        people=people,
        buyer_wanted=_buyer_wanted(project, data.usage, people, domain) if lane == "find_buyer" else None,
        talk=(),
        since=_since(project, known.account_id, touches, receipt),
        earlier=_earlier(known),
        leads=tuple(one for one in data.leads if one),
    )
    return replace(brief, talk=talk_tracks(project, brief, _strongest([*receipt, *lines]), language))


def _strongest(lines: Sequence[ReceiptLine]) -> list[ReceiptLine]:
    """What gave the account and whom to talk to most points, each signal once."""
    best: dict[str, ReceiptLine] = {}
    for line in sorted(lines, key=_turn):
        if (line.points or 0) > 0 and line.signal != PEOPLE:
            best.setdefault(line.signal, line)
    return list(best.values())


def _turn(line: ReceiptLine) -> tuple[bool, int, str]:
    return line.points is None, -(line.points or 0), line.signal


def _receipt(project: Project, account: AccountScore | None, language: Language) -> tuple[ReceiptLine, ...]:
    """Of the account, with the blind signals, the largest first."""
    if account is None:
        return ()
    return tuple(sorted(map(receipt_line, receipt_of(project, "account", CHOSEN, language)), key=_turn))


def _of_principal(
    project: Project, known: _Known, people: Sequence[PersonOnMap], day: date, language: Language
) -> tuple[list[ReceiptLine], tuple[Evidence, ...]]:
    """Receipt and evidence of whom the handoff names, else of the champion."""
    wanted = known.handoff.person_id if known.handoff else None
    if wanted is None:
        wanted = next((one.person_id for one in people if "champion" in one.roles), None)
    if wanted is None:
        return [], ()
    return explain_person(project, wanted, known.account_id, day=day, language=language)


def _lane(account: AccountScore | None, data: AccountData) -> Lane:
    """Where an account without a handoff would go."""
    somebody = tuple(Somebody(person_id=row["person_id"], is_pql=row["is_pql"]) for row in data.people)
    return lane_of(
        Facts(
            account_id=account.account_id if account else "",
            is_pqa=bool(account and account.is_pqa),
            sells=bool(account and account.segment_sells),
            has_usage=data.usage.last_active is not None,
            has_lead=bool(data.leads),
            people=somebody,
        )
    )


def _touches(data: AccountData, known: _Known) -> tuple[Touch, ...]:
    """Contacts that files or salespeople told of, the latest first."""
    told = [
        Touch(at=call.at, person_id=call.person_id, channel=call.channel, by=call.by, answered=call.kind in _ANSWERS)
        for one in known.past
        for call in one.calls
        if call.kind in _CONTACTS
    ]
    return tuple(sorted([*data.touches, *told], key=lambda one: one.at, reverse=True))


def _people(
    project: Project, data: AccountData, known: _Known, *, lane: Lane, now: datetime
) -> tuple[PersonOnMap, ...]:
    """The map; who may be written to is told by the touches that decisions count, not by all that are shown."""
    rules, triggers = project.loaded.playbook.handoffs.restraint, project.loaded.playbook.handoffs.triggers
    asked = {
        one.person_id
        for one in (known.handoff.reasons if known.handoff else ())
        if one.trigger in triggers and triggers[one.trigger].hand_raise
    }
    opted_out = _opted_out(known.ledger, data.people)
    whom, since = {row["person_id"] for row in data.people}, now - timedelta(days=rules.window_days)
    with known.ledger.reading() as connection:
        touches = touched(connection, data.touched, [known.account_id], whom, since=since)
    here = touches.accounts.get(known.account_id, ())
    made = []
    for row in data.people:
        person = Somebody(
            person_id=row["person_id"],
            is_pql=row["is_pql"],
            signed_up_at=_aware(row["created_at"] or row["first_at"]),
            opted_out=row["person_id"] in opted_out,
            touches=touches.people.get(row["person_id"], ()),
        )
        contact = contact_of(person, here, rules, now, lane=lane, asked=row["person_id"] in asked)
        roles = tuple(part for part in _PARTS if row[part])
        own = {name: row[name] for name in _OWN}
        made.append(PersonOnMap(**own, roles=roles, contact=contact))
    return tuple(made)


_OWN = (
    "person_id",
    "name",
    "title",
    "department",
    "active_days",
    "last_active",
    "score",
    "band",
    "is_pql",
)


def _opted_out(ledger: Ledger, people: Sequence[dict[str, Any]]) -> set[str]:
    """Those who may not be written to, by their id or by their address."""
    of = {given: row["person_id"] for row in people for given in (row["person_id"], row["email"]) if given}
    with ledger.reading() as connection:
        return {of[given] for given in is_suppressed(connection, of)}


def _aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at else None


def _since(
    project: Project, account_id: str, touches: Sequence[Touch], receipt: Sequence[ReceiptLine]
) -> SinceTouch | None:
    """Against the last day that was scored before the last contact, where history has one."""
    if not touches:
        return None
    at = touches[0].at.astimezone(UTC)
    day = max((day for day in kept_days(project) if day <= at.date()), default=None)
    then = _points_on(project, account_id, day) if day else None
    firsts = project.warehouse.table("brief_lasts")
    return SinceTouch(
        touch=touches[0],
        touches=len(touches),
        score_on=day,
        score_then=None if then is None else sum(then.values()),
        changes=changes_between(then or {}, receipt) if day else (),
        new_people=project.warehouse.count(firsts.filter(firsts.first_active_at >= at.replace(tzinfo=None))),
    )


def _points_on(project: Project, account_id: str, day: date) -> dict[str, int] | None:
    """Signal → points of an account on a day that history has; None = it was not there."""
    states = history.state_at(project.warehouse.table("account_history"), history.ACCOUNT_KEY, day)
    rows = project.warehouse.rows(states.filter(states.account_id == account_id).select("points")).to_pylist()
    return history.read_points(rows[0]["points"]) if rows else None


def _earlier(known: _Known) -> tuple[EarlierHandoff, ...]:
    own = known.handoff.id if known.handoff else None
    ended = [one for one in known.past if one.handoff.closed_at and one.handoff.id != own]
    return tuple(_ended(one) for one in reversed(ended))


def _ended(one: Past) -> EarlierHandoff:
    last = next((call for call in reversed(one.calls) if call.kind in _ENDS), None)
    return EarlierHandoff(
        number=one.handoff.id,
        lane=one.handoff.lane,
        owner=one.handoff.owner,
        created_at=one.handoff.created_at,
        closed_at=one.handoff.closed_at or one.handoff.created_at,
        ended=_ENDS[last.kind] if last else one.closed_because or "",
        reason=last.reason if last else None,
    )


def _buyer_wanted(project: Project, usage: Usage, people: Sequence[PersonOnMap], domain: str | None) -> BuyerWanted:
    playbook = project.loaded.playbook
    return BuyerWanted(
        domain=domain,
        departments=usage.departments,
        champion_id=next((one.person_id for one in people if "champion" in one.roles), None),
        titles=playbook.executive.title_words,
        seniorities=playbook.buyer.seniorities,
        buying_departments=playbook.buyer.departments,
    )
