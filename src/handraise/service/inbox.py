"""Handoffs as somebody works on them: with names, and with reasons in words; and why an account has none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import pyarrow as pa

from handraise.errors import NotFoundError, ProjectError
from handraise.ledger import acting
from handraise.ledger.calls import find_handoff
from handraise.ledger.store import Ledger
from handraise.playbook.routing import Routing
from handraise.playbook.schema import Playbook
from handraise.playbook.section import Language
from handraise.playbook.triggers import InBand
from handraise.records.acting import PRIORITIES, Decision, Handoff, Life, Reason
from handraise.service.project import Project
from handraise.service.roster import in_force


@dataclass(frozen=True, kw_only=True)
class InboxChoice:
    """Which handoffs are wanted.

    Attributes:
        lane: Of this lane only.
        priority: Of this priority only.
        owner: What is this person's only, and what nobody has in the queues of their teams.
        queue: Of this team's queue only.
        limit: Rows at most.
        after: Only rows that come after this place, as `place_of` gives it; None = from the first.
    """

    lane: str | None = None
    priority: str | None = None
    owner: str | None = None
    queue: str | None = None
    limit: int = 20
    after: tuple[int, str, int] | None = None

    def takes(self, one: Handoff) -> bool:
        """Whether a handoff is one of them."""
        wanted = ((self.lane, one.lane), (self.priority, one.priority), (self.queue, one.queue))
        return all(want in {None, has} for want, has in wanted) and self._follows(one)

    def is_theirs(self, one: Handoff, routing: Routing) -> bool:
        """Whether it is the wanted person's, or may be claimed by them."""
        if self.owner is None:
            return True
        rep = routing.rep_called(self.owner) or self.owner
        teams = routing.teams_of(rep)
        owner = routing.rep_called(one.owner) or one.owner
        return owner == rep or (one.owner is None and (not teams or one.queue in {None, *teams}))

    def _follows(self, one: Handoff) -> bool:
        return self.after is None or place_of(one) > self.after


def place_of(one: Handoff) -> tuple[int, str, int]:
    """Where a handoff stands in the inbox: by priority, then by when it is due, then by age."""
    due = (one.due_at or one.created_at).astimezone(UTC)
    return PRIORITIES.index(one.priority), due.isoformat(timespec="microseconds"), one.id


@dataclass(frozen=True, kw_only=True)
class InboxItem:
    """One handoff.

    Attributes:
        handoff: As it was decided.
        account_name: Of the accounts file; None = it has none.
        tier: Of the account now; None = it is not scored.
        score: Of the account now.
        person_name: Of whom to talk to.
        person_title: Their job title.
        because: Its reasons in words, the strongest first.
    """

    handoff: Handoff
    account_name: str | None
    tier: int | None
    score: int | None
    person_name: str | None
    person_title: str | None
    because: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WhyNot:
    """Why an account is with somebody, or with nobody.

    Attributes:
        account_id: The account.
        life: Where it stands; None = nothing was ever decided about it.
        handoff: Number of the handoff that is under way; None = there is none.
        decisions: The latest first.
        sentences: The same in words.
    """

    account_id: str
    life: Life | None
    handoff: int | None
    decisions: tuple[Decision, ...]
    sentences: tuple[str, ...]


def inbox(project: Project, choice: InboxChoice, language: Language) -> list[InboxItem]:
    """Handoffs that are under way, the most urgent first."""
    with ledger_of(project) as ledger, ledger.reading() as connection:
        live = acting.list_handoffs(connection)
        routing = in_force(connection, project.loaded.playbook.handoffs).routing
    if choice.owner and routing.reps and routing.rep_called(choice.owner) is None:
        raise NotFoundError(f"the roster does not have {choice.owner!r}.", todo=routing.who_is_meant(choice.owner))
    wanted = (one for one in live if choice.takes(one) and choice.is_theirs(one, routing))
    return items_of(project, sorted(wanted, key=place_of)[: choice.limit], language)


def item(project: Project, number: int, language: Language) -> InboxItem:
    """One handoff, also one that has ended.

    Raises:
        NotFoundError: There is none.
    """
    with ledger_of(project) as ledger, ledger.reading() as connection:
        found = find_handoff(connection, number)
    return items_of(project, [found], language)[0]


def items_of(project: Project, found: Sequence[Handoff], language: Language) -> list[InboxItem]:
    """Handoffs with names, and with their reasons in words."""
    accounts = _named(
        project, "scored_accounts", "account_id", ("name", "tier", "score"), {h.account_id for h in found}
    )
    people = _named(project, "people", "person_id", ("name", "title"), {h.person_id for h in found if h.person_id})
    playbook = project.loaded.playbook
    return [
        InboxItem(
            handoff=one,
            account_name=accounts.get(one.account_id, {}).get("name"),
            tier=accounts.get(one.account_id, {}).get("tier"),
            score=accounts.get(one.account_id, {}).get("score"),
            person_name=people.get(one.person_id or "", {}).get("name"),
            person_title=people.get(one.person_id or "", {}).get("title"),
            because=sentences(one.reasons, playbook, language),
        )
        for one in found
    ]


def why_not(project: Project, account_id: str, *, language: Language, limit: int) -> WhyNot:
    """What was decided about an account, and why.

    Raises:
        NotFoundError: Nobody knows it.
    """
    with ledger_of(project) as ledger, ledger.reading() as connection:
        life = acting.lives_of(connection, [account_id]).get(account_id)
        handoff = acting.live_handoffs(connection, [account_id]).get(account_id)
        found = acting.list_decisions(connection, account_id, limit=limit)
    if not found and not _named(project, "scored_accounts", "account_id", ("score",), {account_id}):
        raise NotFoundError(f"there is no account {account_id!r}.", todo="`handraise accounts` lists them.")
    playbook = project.loaded.playbook
    words = tuple("; ".join(sentences(one.reasons, playbook, language)) for one in found)
    return WhyNot(account_id=account_id, life=life, handoff=handoff, decisions=found, sentences=words)


def sentences(reasons: Iterable[Reason], playbook: Playbook, language: Language) -> tuple[str, ...]:
    """Reasons in words, the strongest first; the same of several people is said once, with how many they are."""
    of = _by_trigger(reasons, playbook)
    return tuple(_sentence(name, of[name], playbook, language) for name in of)


def strongest_triggers(reasons: Iterable[Reason], playbook: Playbook) -> tuple[str, ...]:
    """Triggers that led to a handoff, the strongest first."""
    return tuple(_by_trigger(reasons, playbook))


def _highest_bands(reasons: Sequence[Reason], playbook: Playbook) -> Iterable[Reason]:
    """Who came into several bands at once is said to be in the highest only."""
    places = {band.name: place for place, band in enumerate(playbook.bands)}
    conditions = {name: trigger.when for name, trigger in playbook.handoffs.triggers.items()}
    bands = {name: places[when.band] for name, when in conditions.items() if isinstance(when, InBand)}
    best: dict[str, int] = {}
    for one in reasons:
        if one.trigger in bands:
            best[one.person_id] = min(best.get(one.person_id, len(places)), bands[one.trigger])
    return (one for one in reasons if one.trigger not in bands or bands[one.trigger] == best[one.person_id])


def _by_trigger(reasons: Iterable[Reason], playbook: Playbook) -> dict[str, list[Reason]]:
    """Trigger → its reasons: what somebody asked for, then by priority."""
    triggers = playbook.handoffs.triggers
    of: dict[str, list[Reason]] = {}
    for one in _highest_bands([one for one in reasons if one.trigger in triggers], playbook):
        of.setdefault(one.trigger, []).append(one)
    ordered = sorted(
        of, key=lambda name: (not triggers[name].hand_raise, PRIORITIES.index(triggers[name].priority), name)
    )
    return {name: of[name] for name in ordered}


def _sentence(name: str, reasons: Sequence[Reason], playbook: Playbook, language: Language) -> str:
    trigger = playbook.handoffs.triggers[name]
    latest = max(reasons, key=lambda one: one.fired_at)
    value = "" if latest.value is None else f"{latest.value:g}"
    said = getattr(trigger.because, language).replace("{value}", value).replace("{days}", str(trigger.when.days))
    people = len({one.person_id for one in reasons})
    return f"{said} ({people}×)" if people > 1 else said


def ledger_of(project: Project) -> AbstractContextManager[Ledger]:
    """The ledger of a project about which something is decided.

    Raises:
        ProjectError: Nothing is.
    """
    if project.ledger is None:
        raise ProjectError("nothing is decided about this project.")
    return project.ledger()


def _named(
    project: Project, table: str, key: str, columns: tuple[str, ...], wanted: set[str]
) -> dict[str, dict[str, Any]]:
    """Key → some columns of the rows wanted."""
    if not wanted or table not in project.warehouse.table_names() | {"scored_accounts"}:
        return {}
    held = project.warehouse.hold("wanted_keys", pa.table({key: pa.array(sorted(wanted), pa.string())}))
    rows = project.warehouse.table(table).semi_join(held, key).select(key, *columns)
    return {str(row[key]): row for row in project.warehouse.rows(rows).to_pylist()}
