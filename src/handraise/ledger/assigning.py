"""Whose handoffs are: how much everybody has, who had an account before, and what has to go to somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, func, select, update

from handraise.ledger import acting
from handraise.ledger.rows import parts
from handraise.ledger.schema import decisions, handoff_calls, handoffs
from handraise.records.acting import Handoff

_GIVEN = ("owner", "queue", "lane", "person_id", "priority", "due_at", "limit_at", "contacted_at", "status")


def loads(connection: Connection) -> dict[str, tuple[int, int]]:
    """Owner → how many handoffs of theirs have not ended, and the number of the last one they got."""
    latest = select(handoffs.c.owner, func.max(handoffs.c.id).label("latest")).where(handoffs.c.owner.is_not(None))
    live = select(handoffs.c.owner, func.count().label("under_way")).where(
        handoffs.c.owner.is_not(None), handoffs.c.closed_at.is_(None)
    )
    under_way = {str(row.owner): int(row.under_way) for row in connection.execute(live.group_by(handoffs.c.owner))}
    rows = connection.execute(latest.group_by(handoffs.c.owner))
    return {row.owner: (under_way.get(row.owner, 0), row.latest) for row in rows}


def queues(connection: Connection) -> dict[str, int]:
    """Team → handoffs of its queue that are under way and nobody's."""
    free = select(handoffs.c.queue, func.count().label("waiting")).where(
        handoffs.c.owner.is_(None), handoffs.c.closed_at.is_(None), handoffs.c.queue.is_not(None)
    )
    return {row.queue: row.waiting for row in connection.execute(free.group_by(handoffs.c.queue))}


def previous_owners(
    connection: Connection, wanted: Sequence[tuple[str, str | None]], *, since: datetime
) -> dict[tuple[str, str | None], str]:
    """Account and domain → who had the last handoff of one of both that ended since then; others are not in it.

    Who looked for a buyer is none of them: that is marketing's work.
    """
    of_accounts = _last_owners(connection, handoffs.c.account_id, {one for one, _ in wanted}, since)
    of_domains = _last_owners(connection, handoffs.c.domain, {domain for _, domain in wanted if domain}, since)
    nobody = (0, "")
    found = {
        (one, domain): max(of_accounts.get(one, nobody), of_domains.get(domain or "", nobody)) for one, domain in wanted
    }
    return {key: owner for key, (number, owner) in found.items() if number}


def _last_owners(
    connection: Connection, column: Column[Any], values: set[str], since: datetime
) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for part in parts(sorted(values)):
        ended = (column.in_(part), handoffs.c.owner.is_not(None), handoffs.c.closed_at >= since)
        theirs = (*ended, handoffs.c.lane != "find_buyer")
        rows = select(column.label("of"), handoffs.c.id, handoffs.c.owner).where(*theirs).order_by(handoffs.c.id)
        found |= {row.of: (row.id, row.owner) for row in connection.execute(rows)}
    return found


def lapsed(connection: Connection, now: datetime) -> tuple[Handoff, ...]:
    """Those that are late for good: nobody was contacted up to their limit, or whoever was in contact has left."""
    late, waits = handoffs.c.limit_at <= now, handoffs.c.contacted_at.is_(None) | handoffs.c.owner.is_(None)
    return acting.handoffs_where(connection, late, waits, handoffs.c.closed_at.is_(None))


def live_ones_of(connection: Connection, owners: Iterable[str]) -> tuple[Handoff, ...]:
    """Those under way that are one of some people's."""
    return acting.handoffs_where(connection, handoffs.c.owner.in_(sorted(owners)), handoffs.c.closed_at.is_(None))


def owners_so_far(connection: Connection, number: int) -> set[str]:
    """Everybody to whom a handoff was given by the clock or by a person."""
    given = select(decisions.c.owner).where(decisions.c.handoff_id == number)
    told = select(handoff_calls.c.to).where(handoff_calls.c.handoff_id == number, handoff_calls.c.undone_at.is_(None))
    found = [*connection.execute(given).scalars(), *connection.execute(told).scalars()]
    return {one for one in found if one}


def live_owners(connection: Connection) -> set[str]:
    """Everybody who has a handoff that is under way, as they are written there."""
    wanted = select(handoffs.c.owner).where(handoffs.c.owner.is_not(None), handoffs.c.closed_at.is_(None)).distinct()
    return {str(owner) for owner in connection.execute(wanted).scalars()}


def nobody_was_free(connection: Connection, number: int) -> bool:
    """Whether it was tried before to pass a handoff on, and nobody was there."""
    wanted = select(decisions.c.id).where(decisions.c.handoff_id == number, decisions.c.routed == "nobody_free")
    return connection.execute(wanted.limit(1)).first() is not None


def snoozed(connection: Connection, numbers: Sequence[int], at: datetime) -> set[int]:
    """Those of some handoffs that somebody put off until later than an instant."""
    found: set[int] = set()
    for part in parts(numbers):
        told = handoff_calls.c.handoff_id.in_(part) & (handoff_calls.c.kind == "snooze")
        wanted = select(handoff_calls.c.handoff_id).where(
            told, handoff_calls.c.until > at, handoff_calls.c.undone_at.is_(None)
        )
        found.update(connection.execute(wanted).scalars())
    return found


def give(connection: Connection, handoff: Handoff, after: Handoff) -> bool:
    """Put a handoff into other hands, or set its clock anew; False = somebody changed it meanwhile."""
    wanted = update(handoffs).where(handoffs.c.id == handoff.id, handoffs.c.version == handoff.version)
    values = {name: getattr(after, name) for name in _GIVEN}
    return connection.execute(wanted.values(version=handoff.version + 1, **values)).rowcount == 1
