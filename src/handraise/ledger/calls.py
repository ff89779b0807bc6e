"""What salespeople said about handoffs; of two who say something at once, one is told to look again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from handraise.errors import ConflictError, NotFoundError
from handraise.ledger import acting
from handraise.ledger.schema import decisions, handoff_calls, handoffs
from handraise.records.acting import Call, Handoff, Life

_CHANGED_BY_CALLS = ("status", "owner", "due_at", "limit_at", "contacted_at", "closed_at")


def find_handoff(connection: Connection, number: int) -> Handoff:
    """A handoff by its number.

    Raises:
        NotFoundError: There is none.
    """
    found = acting.handoffs_where(connection, handoffs.c.id == number)
    if not found:
        raise NotFoundError(f"there is no handoff {number}.", todo="`handraise inbox` lists those under way.")
    return found[0]


def keep_call(
    connection: Connection,
    call: Call,
    before: tuple[Handoff, Life],
    after: tuple[Handoff, Life],
    *,
    look_again: datetime | None,
) -> Call:
    """Keep a call and what follows from it.

    Args:
        connection: The transaction.
        call: What was said.
        before: The handoff and its account's life as they were read.
        after: Both as they are now.
        look_again: When the account is to be decided about by the clock, if its life changes.

    Raises:
        ConflictError: Somebody changed the handoff since it was read.
    """
    _change(connection, before[0], after[0])
    is_other_life = after[1] != before[1]  # a note or a rating changes no life, and stops no clock of it
    if is_other_life:
        acting.keep_life(connection, before[0].account_id, after[1], look_again=look_again)
    values = {name: value for name, value in asdict(call).items() if name not in {"id", "undone_at"}}
    changed = [name for name in _CHANGED_BY_CALLS if getattr(before[0], name) != getattr(after[0], name)]
    state = {
        "handoff": _plain(before[0], changed),
        "life": _plain(before[1], _names(Life)) if is_other_life else None,
        "decided": _decided(connection, before[0].id),
    }
    wanted = insert(handoff_calls).values(handoff_id=before[0].id, before=state, **values)
    return replace(call, id=int(connection.execute(wanted.returning(handoff_calls.c.id)).scalar_one()))


def undo_call(connection: Connection, handoff: Handoff, *, by: str, now: datetime) -> Call:
    """Take back what was said last about a handoff: what it changed of it and of its account is as it was.

    Raises:
        NotFoundError: Nothing was said that could be taken back.
        ConflictError: It was somebody else who said it, somebody changed the handoff since it was read, or the account
            has had another one since.
    """
    live = select(handoff_calls).where(handoff_calls.c.handoff_id == handoff.id, handoff_calls.c.undone_at.is_(None))
    row = connection.execute(live.order_by(handoff_calls.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        raise NotFoundError(f"nothing was said about handoff {handoff.id} that could be taken back.")
    if row.by != by:
        raise ConflictError(f"what was said last about handoff {handoff.id} is {row.by}'s.")
    later = select(func.max(handoffs.c.id)).where(handoffs.c.account_id == handoff.account_id)
    if (other := connection.execute(later).scalar_one()) != handoff.id:
        raise ConflictError(f"handoff {other} of the same account came after it.")
    if row.before.get("decided", 0) != _decided(connection, handoff.id):
        raise ConflictError(
            f"handoff {handoff.id} was passed on, ended or asked for again since that was said.",
            todo="`handraise why-not` says why.",
        )
    _change(connection, handoff, replace(handoff, **_read(row.before["handoff"])))
    if row.before["life"] is not None:
        life = Life(**_read(row.before["life"]))
        acting.keep_life(connection, handoff.account_id, life, look_again=now)  # the next decisions set its clocks
    connection.execute(update(handoff_calls).where(handoff_calls.c.id == row.id).values(undone_at=now))
    return replace(_call(row), undone_at=now)


def calls_of(connection: Connection, number: int) -> tuple[Call, ...]:
    """Everything that was said about a handoff, also what was taken back, oldest first."""
    wanted = select(handoff_calls).where(handoff_calls.c.handoff_id == number).order_by(handoff_calls.c.id)
    return tuple(_call(row) for row in connection.execute(wanted))


def touches_of(
    connection: Connection, accounts: Sequence[str], people: Collection[str] = (), *, since: datetime
) -> list[tuple[str, str | None, datetime]]:
    """Account, person and instant of each contact that was told, of some accounts, and of some people in any account."""
    joined = handoff_calls.join(handoffs, handoffs.c.id == handoff_calls.c.handoff_id)
    told = (handoff_calls.c.kind == "contacted", handoff_calls.c.undone_at.is_(None), handoff_calls.c.at >= since)
    columns = select(handoffs.c.account_id, handoff_calls.c.person_id, handoff_calls.c.at).select_from(joined)
    wanted, whom = set(accounts), set(people)
    rows = connection.execute(columns.where(*told).order_by(handoff_calls.c.id))
    return [
        (row.account_id, row.person_id, row.at) for row in rows if row.account_id in wanted or row.person_id in whom
    ]


def _decided(connection: Connection, number: int) -> int:
    """The last decision that passed a handoff on, ended it, or set its clock anew; 0 = none did."""
    asked_again = (decisions.c.outcome == "joined") & (decisions.c.because == "hand_raise")
    wanted = select(func.max(decisions.c.id)).where(
        decisions.c.handoff_id == number, decisions.c.outcome.in_(("passed_on", "sunset")) | asked_again
    )
    return connection.execute(wanted).scalar_one() or 0


def _change(connection: Connection, before: Handoff, after: Handoff) -> None:
    """One of several who change a version does; the others are told."""
    mine = update(handoffs).where(handoffs.c.id == before.id, handoffs.c.version == before.version)
    values = {name: getattr(after, name) for name in _CHANGED_BY_CALLS}
    if connection.execute(mine.values(version=before.version + 1, **values)).rowcount != 1:
        raise ConflictError(f"somebody changed handoff {before.id} in the meantime.", todo="Look at it again.")


def _call(row: Row[Any]) -> Call:
    return Call(**{name: getattr(row, name) for name in _names(Call)})


def _names(record: type[Call] | type[Life]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record))


def _plain(record: Handoff | Life, names: Sequence[str]) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in names}
    return {name: {"at": one.isoformat()} if isinstance(one, datetime) else one for name, one in values.items()}


def _read(values: dict[str, Any]) -> dict[str, Any]:
    return {name: datetime.fromisoformat(one["at"]) if isinstance(one, dict) else one for name, one in values.items()}
