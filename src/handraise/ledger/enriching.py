"""What providers answered, what was spent on asking them, and which of them want to be left alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from handraise.ledger.conflicts import insert_new
from handraise.ledger.schema import enrichment_answers, enrichment_pauses, enrichment_requests
from handraise.records.enrichment import Budget, ProviderAnswer, Subject

# After so many failures in a row a provider is left alone, twice as long each time, at most so long.
_FAILURES_IN_A_ROW = 5
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=10), timedelta(hours=6)
_AT_ONCE = 500


def take_request(connection: Connection, provider: str, *, now: datetime, per_day: int, per_month: int) -> str:
    """Count a request before it is made; in a transaction of its own, so that no crash gives it back.

    Returns:
        Empty = it may be made; else what is spent: day or month.
    """
    day, month = _periods(now)
    new = [{"provider": provider, "period": period, "requests": 0} for period in (day, month)]
    insert_new(connection, enrichment_requests, new)
    if not _count(connection, provider, month, per_month):
        return "month"
    if not _count(connection, provider, day, per_day):
        _give_back(connection, provider, month)
        return "day"
    return ""


def _periods(now: datetime) -> tuple[str, str]:
    at = now.astimezone(UTC)
    return f"{at:%Y-%m-%d}", f"{at:%Y-%m}"


def _count(connection: Connection, provider: str, period: str, most: int) -> bool:
    row = (enrichment_requests.c.provider == provider, enrichment_requests.c.period == period)
    counted = update(enrichment_requests).where(*row, enrichment_requests.c.requests < most)
    return connection.execute(counted.values(requests=enrichment_requests.c.requests + 1)).rowcount == 1


def _give_back(connection: Connection, provider: str, period: str) -> None:
    row = (enrichment_requests.c.provider == provider, enrichment_requests.c.period == period)
    connection.execute(update(enrichment_requests).where(*row).values(requests=enrichment_requests.c.requests - 1))


def budget_of(connection: Connection, provider: str, *, now: datetime, per_day: int, per_month: int) -> Budget:
    """What is left for a provider, and whether it is paused."""
    day, month = _periods(now)
    spent = select(enrichment_requests.c.period, enrichment_requests.c.requests).where(
        enrichment_requests.c.provider == provider, enrichment_requests.c.period.in_((day, month))
    )
    used = {row.period: row.requests for row in connection.execute(spent)}
    paused = connection.execute(
        select(enrichment_pauses).where(
            enrichment_pauses.c.provider == provider, enrichment_pauses.c.paused_until > now
        )
    ).one_or_none()
    return Budget(
        day=max(0, per_day - used.get(day, 0)),
        month=max(0, per_month - used.get(month, 0)),
        paused_until=paused.paused_until if paused else None,
        because=paused.because if paused else "",
    )


def note_success(connection: Connection, provider: str) -> None:
    """It answers: whatever failed before is forgotten."""
    connection.execute(delete(enrichment_pauses).where(enrichment_pauses.c.provider == provider))


def note_failure(connection: Connection, provider: str, *, because: str, now: datetime) -> datetime | None:
    """It could not answer; after several times in a row it is paused, until the instant returned."""
    wanted = select(enrichment_pauses.c.failures).where(enrichment_pauses.c.provider == provider)
    failures = int(connection.execute(wanted).scalar() or 0) + 1
    more = failures - _FAILURES_IN_A_ROW
    until = now + min(_FIRST_PAUSE * 2 ** min(more, 20), _LONGEST_PAUSE) if more >= 0 else None
    _keep_pause(connection, provider, failures, until, because)
    return until


def pause(connection: Connection, provider: str, *, until: datetime, because: str) -> None:
    """Leave a provider alone until an instant, also after a restart."""
    wanted = select(enrichment_pauses.c.failures).where(enrichment_pauses.c.provider == provider)
    _keep_pause(connection, provider, int(connection.execute(wanted).scalar() or 0), until, because)


def _keep_pause(connection: Connection, provider: str, failures: int, until: datetime | None, because: str) -> None:
    connection.execute(delete(enrichment_pauses).where(enrichment_pauses.c.provider == provider))
    values = {"provider": provider, "failures": failures, "paused_until": until, "because": because}
    connection.execute(insert(enrichment_pauses).values(**values))


def fresh_subjects(connection: Connection, provider: str, *, now: datetime) -> list[str]:
    """Domains or addresses of which its last answer need not be asked for again."""
    latest = (
        select(func.max(enrichment_answers.c.id).label("id"))
        .where(enrichment_answers.c.provider == provider)
        .group_by(enrichment_answers.c.subject)
        .subquery()
    )
    joined = select(enrichment_answers.c.subject).join(latest, enrichment_answers.c.id == latest.c.id)
    return sorted(connection.execute(joined.where(enrichment_answers.c.fresh_until > now)).scalars())


def keep_answer(
    connection: Connection,
    provider: str,
    subject: Subject,
    values: Mapping[str, Any],
    *,
    now: datetime,
    fresh_until: datetime,
) -> None:
    """Keep an answer; one that says the same as the one before is no news, and stays known since then."""
    mine = (enrichment_answers.c.provider == provider, enrichment_answers.c.subject == subject.name)
    wanted = select(enrichment_answers.c.id, enrichment_answers.c.answers).where(*mine)
    last = connection.execute(wanted.order_by(enrichment_answers.c.id.desc()).limit(1)).one_or_none()
    if last and last.answers == dict(values):
        same = update(enrichment_answers).where(enrichment_answers.c.id == last.id)
        connection.execute(same.values(fresh_until=fresh_until))
        return
    row = {
        "provider": provider,
        "about": subject.about,
        "subject": subject.name,
        "person_id": subject.person_id,
        "asked_at": now,
        "answers": dict(values),
        "fresh_until": fresh_until,
    }
    connection.execute(insert(enrichment_answers).values(**row))


def answers_after(connection: Connection, number: int) -> Iterator[ProviderAnswer]:
    """Answers with values and a higher number, in their order."""
    wanted = select(enrichment_answers).where(enrichment_answers.c.id > number).order_by(enrichment_answers.c.id)
    for row in connection.execute(wanted):
        if row.answers:
            yield ProviderAnswer(
                id=row.id,
                provider=row.provider,
                about=row.about,
                subject=row.subject,
                asked_at=row.asked_at,
                values=row.answers,
            )


def last_number(connection: Connection) -> int:
    """Number of the last answer; 0 = there is none."""
    return int(connection.execute(select(func.max(enrichment_answers.c.id))).scalar() or 0)


def names_kept(connection: Connection) -> set[str]:
    """Ids and e-mail addresses of people whom providers were asked about."""
    wanted = select(enrichment_answers.c.subject, enrichment_answers.c.person_id)
    rows = connection.execute(wanted.where(enrichment_answers.c.about == "person").distinct())
    return {name for row in rows for name in row if name}


def forget_answers(connection: Connection, names: Iterable[str]) -> int:
    """Drop what is kept of people, by their ids and addresses, however they are capitalised. Returns rows gone."""
    wanted = sorted({form for name in names for form in (name, name.strip().lower())})
    gone = 0
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        named = or_(enrichment_answers.c.subject.in_(some), enrichment_answers.c.person_id.in_(some))
        gone += connection.execute(
            delete(enrichment_answers).where(enrichment_answers.c.about == "person", named)
        ).rowcount
    return gone
