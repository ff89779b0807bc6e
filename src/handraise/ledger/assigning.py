"""Whose handoffs are: how much everybody has, who had an account before, and what has to go to somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, or_, select, update

from handraise.ledger import acting
from handraise.ledger.schema import decisions, handoff_calls, handoffs
from handraise.records.acting import Handoff


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


def previous_owner(connection: Connection, account_id: str, domain: str | None, *, since: datetime) -> str | None:
    """Who had the last handoff of an account, or of its domain, that ended since then; None = nobody had one."""
    same = handoffs.c.account_id == account_id
    if domain:
        same = or_(same, handoffs.c.domain == domain)
    wanted = select(handoffs.c.owner).where(same, handoffs.c.owner.is_not(None), handoffs.c.closed_at >= since)
    return connection.execute(wanted.order_by(handoffs.c.id.desc()).limit(1)).scalar()


def lapsed(connection: Connection, now: datetime) -> tuple[Handoff, ...]:
    """Those that are late for good: nobody was contacted up to their limit."""
    late = handoffs.c.limit_at <= now
    return acting.handoffs_where(connection, late, handoffs.c.contacted_at.is_(None), handoffs.c.closed_at.is_(None))


def live_ones_of(connection: Connection, owners: Iterable[str]) -> tuple[Handoff, ...]:
    """Those under way that are one of some people's."""
    return acting.handoffs_where(connection, handoffs.c.owner.in_(sorted(owners)), handoffs.c.closed_at.is_(None))


def owners_so_far(connection: Connection, number: int) -> set[str]:
    """Everybody to whom a handoff was given by the clock or by a person."""
    given = select(decisions.c.owner).where(decisions.c.handoff_id == number)
    told = select(handoff_calls.c.to).where(handoff_calls.c.handoff_id == number, handoff_calls.c.undone_at.is_(None))
    found = [*connection.execute(given).scalars(), *connection.execute(told).scalars()]
    return {one for one in found if one}


def give(connection: Connection, handoff: Handoff, after: Handoff) -> None:
    """Put a handoff into other hands, or stop its clock."""
    wanted = update(handoffs).where(handoffs.c.id == handoff.id)
    names: Sequence[str] = ("owner", "queue", "due_at", "limit_at", "status")
    connection.execute(wanted.values(version=handoff.version + 1, **{name: getattr(after, name) for name in names}))
