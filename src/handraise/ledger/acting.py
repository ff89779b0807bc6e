"""What was decided about accounts: conditions that held, the life of each account, handoffs, and every decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, tuple_, update

from handraise.ledger.schema import (
    account_lives,
    conditions,
    deciding,
    decisions,
    handoff_calls,
    handoff_reasons,
    handoffs,
)
from handraise.records.acting import Decision, Handoff, Life, Reason

_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A condition that held when it was last looked at.

    Attributes:
        trigger: Whose.
        account_id: Where.
        person_id: Of whom; empty = of the whole account.
        value: What its reason says.
        asked_at: When it was asked for last, where each time counts anew.
        fired_at: When the trigger fired.
        pending: What is to be done about it is still to be decided.
    """

    trigger: str
    account_id: str
    person_id: str
    value: float | None
    asked_at: datetime | None
    fired_at: datetime
    pending: bool

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from others."""
        return self.trigger, self.account_id, self.person_id


def held_conditions(connection: Connection, accounts: Sequence[str] | None = None) -> Iterator[Held]:
    """Conditions that held; of some accounts, or of all."""
    columns = [conditions.c[field.name] for field in fields(Held)]
    for part in [None] if accounts is None else _parts(accounts):
        wanted = select(*columns) if part is None else select(*columns).where(conditions.c.account_id.in_(part))
        yield from (Held(**row._asdict()) for row in connection.execute(wanted))


def keep_conditions(connection: Connection, held: Iterable[Held], ended: Iterable[tuple[str, str, str]]) -> None:
    """Put conditions in the place of what was known of them, and forget those that hold no more."""
    held = list(held)
    key = tuple_(conditions.c.trigger, conditions.c.account_id, conditions.c.person_id)
    for part in _parts([*ended, *(one.key for one in held)]):
        connection.execute(delete(conditions).where(key.in_(part)))
    if held:
        connection.execute(insert(conditions), [asdict(one) for one in held])


def decided_until(connection: Connection) -> datetime | None:
    """Up to when was decided; None = nothing ever was."""
    found: datetime | None = connection.execute(select(deciding.c.decided_until)).scalar_one()
    return found


def known_triggers(connection: Connection) -> dict[str, str]:
    """Triggers that were looked at the last time, and what they meant then."""
    found: dict[str, str] | None = connection.execute(select(deciding.c.triggers)).scalar_one()
    return found or {}


def note_decided(connection: Connection, *, until: datetime, triggers: Mapping[str, str]) -> None:
    """Note up to when was decided, and with which triggers."""
    connection.execute(update(deciding).values(decided_until=until, triggers=dict(triggers)))


def lives_of(connection: Connection, accounts: Sequence[str]) -> dict[str, Life]:
    """Account → its life; those that nothing was ever decided about are not in it."""
    columns = [account_lives.c[field.name] for field in fields(Life)]
    found: dict[str, Life] = {}
    for part in _parts(accounts):
        rows = connection.execute(
            select(account_lives.c.account_id, *columns).where(account_lives.c.account_id.in_(part))
        )
        found |= {row.account_id: Life(**{k: v for k, v in row._asdict().items() if k != "account_id"}) for row in rows}
    return found


def engaged_accounts(connection: Connection) -> list[str]:
    """Accounts that are qualified or worked on."""
    engaged = account_lives.c.state.in_(("qualified", "working", "accepted"))
    return list(connection.execute(select(account_lives.c.account_id).where(engaged)).scalars())


def due_accounts(connection: Connection, now: datetime) -> list[str]:
    """Accounts that are to be looked at again by the clock."""
    wanted = select(account_lives.c.account_id).where(account_lives.c.look_again <= now)
    return list(connection.execute(wanted).scalars())


def keep_life(connection: Connection, account_id: str, life: Life, *, look_again: datetime | None) -> None:
    """Put an account's life in the place of what was known of it."""
    connection.execute(delete(account_lives).where(account_lives.c.account_id == account_id))
    connection.execute(insert(account_lives).values(account_id=account_id, look_again=look_again, **asdict(life)))


def live_handoffs(connection: Connection, accounts: Sequence[str]) -> dict[str, int]:
    """Account → the number of the handoff that is under way."""
    found: dict[str, int] = {}
    for part in _parts(accounts):
        wanted = select(handoffs.c.account_id, handoffs.c.id).where(
            handoffs.c.account_id.in_(part), handoffs.c.closed_at.is_(None)
        )
        found |= {row.account_id: row.id for row in connection.execute(wanted)}
    return found


def those_with_reasons(connection: Connection, numbers: Sequence[int], triggers: Iterable[str]) -> set[int]:
    """Those of some handoffs that one of some triggers led to."""
    wanted: list[str] = list(triggers)
    found: set[int] = set()
    for part in _parts(numbers):
        column = handoff_reasons.c.handoff_id
        rows = select(column).where(column.in_(part), handoff_reasons.c.trigger.in_(wanted))
        found.update(connection.execute(rows).scalars())
    return found


def add_decision(
    connection: Connection,
    made: Decision,
    *,
    terms: Mapping[str, Any] | None = None,
) -> Decision:
    """Keep a decision; one to hand over makes the handoff, and one to join adds its reasons.

    Args:
        connection: The transaction.
        made: The decision.
        terms: Columns of a new handoff besides those that the decision has: its clocks, and what it was routed by.

    Returns:
        The decision with its number, and that of its handoff.
    """
    if made.outcome == "handoff":
        made = replace(made, handoff=_open_handoff(connection, made, terms or {}))
    if made.outcome in ("handoff", "joined") and made.handoff is not None:
        _add_reasons(connection, made.handoff, made.reasons)
    values = {**asdict(made), "as_of": made.as_of.isoformat(), "reasons": [_as_json(one) for one in made.reasons]}
    values["handoff_id"] = values.pop("handoff")
    values.pop("id")
    number = connection.execute(insert(decisions).values(**values).returning(decisions.c.id)).scalar_one()
    return replace(made, id=int(number))


def _open_handoff(connection: Connection, made: Decision, terms: Mapping[str, Any]) -> int:
    values = {
        "account_id": made.account_id,
        "person_id": made.person_id,
        "lane": made.lane,
        "priority": made.priority,
        "status": "open",
        "created_at": made.at,
        "playbook": made.playbook,
        "version": 1,
        "owner": made.owner,
        "queue": made.queue,
        **terms,
    }
    return int(connection.execute(insert(handoffs).values(**values).returning(handoffs.c.id)).scalar_one())


def _add_reasons(connection: Connection, handoff: int, reasons: Iterable[Reason]) -> None:
    """The same trigger of the same person is one reason, the latest."""
    for one in reasons:
        same = (handoff_reasons.c.trigger == one.trigger, handoff_reasons.c.person_id == one.person_id)
        connection.execute(delete(handoff_reasons).where(handoff_reasons.c.handoff_id == handoff, *same))
        connection.execute(insert(handoff_reasons).values(handoff_id=handoff, **asdict(one)))


def _as_json(reason: Reason) -> dict[str, Any]:
    return {**asdict(reason), "fired_at": reason.fired_at.isoformat()}


def close_handoff(connection: Connection, handoff: int, *, because: str, now: datetime) -> bool:
    """End a handoff; False = it had ended already."""
    wanted = update(handoffs).where(handoffs.c.id == handoff, handoffs.c.closed_at.is_(None))
    done = wanted.values(status="closed", closed_at=now, closed_because=because, version=handoffs.c.version + 1)
    return connection.execute(done).rowcount == 1


def list_handoffs(connection: Connection, *, live: bool = True) -> tuple[Handoff, ...]:
    """Handoffs by number: those that are under way, or all."""
    return handoffs_where(connection, handoffs.c.closed_at.is_(None)) if live else handoffs_where(connection)


def handoffs_numbered(connection: Connection, numbers: Sequence[int]) -> tuple[Handoff, ...]:
    """Those of some numbers that are there, by number."""
    return tuple(one for part in _parts(numbers) for one in handoffs_where(connection, handoffs.c.id.in_(part)))


def decisions_numbered(connection: Connection, numbers: Sequence[int]) -> tuple[Decision, ...]:
    """Decisions of some numbers that are there."""
    wanted = (select(decisions).where(decisions.c.id.in_(part)) for part in _parts(numbers))
    return tuple(_decision(row) for one in wanted for row in connection.execute(one))


def handoffs_where(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[Handoff, ...]:
    """Those for which some conditions hold, by number."""
    columns = [handoffs.c[field.name] for field in fields(Handoff) if field.name != "reasons"]
    rows = connection.execute(select(*columns).where(*conditions).order_by(handoffs.c.id)).all()
    reasons = _reasons_of(connection, [row.id for row in rows])
    return tuple(Handoff(**row._asdict(), reasons=tuple(reasons[row.id])) for row in rows)


def _reasons_of(connection: Connection, numbers: Sequence[int]) -> dict[int, list[Reason]]:
    found: dict[int, list[Reason]] = defaultdict(list)
    for part in _parts(numbers):
        wanted = select(handoff_reasons).where(handoff_reasons.c.handoff_id.in_(part)).order_by(handoff_reasons.c.id)
        for row in connection.execute(wanted):
            found[row.handoff_id].append(
                Reason(trigger=row.trigger, person_id=row.person_id, value=row.value, fired_at=row.fired_at)
            )
    return found


def list_decisions(
    connection: Connection, account_id: str, *, before: int | None = None, limit: int = 20
) -> tuple[Decision, ...]:
    """Decisions about an account, latest first; `before` = only those with smaller numbers."""
    wanted = select(decisions).where(decisions.c.account_id == account_id).order_by(decisions.c.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(decisions.c.id < before)
    return tuple(_decision(row) for row in connection.execute(wanted))


def all_decisions(connection: Connection) -> Iterator[Decision]:
    """Every decision, oldest first."""
    return (_decision(row) for row in connection.execute(select(decisions).order_by(decisions.c.id)))


def _decision(row: Row[Any]) -> Decision:
    values = row._asdict()
    values["handoff"] = values.pop("handoff_id")
    values["as_of"] = date.fromisoformat(values["as_of"])
    values["reasons"] = tuple(
        Reason(**{**one, "fired_at": datetime.fromisoformat(one["fired_at"])}) for one in values["reasons"]
    )
    return Decision(**values)


def people_named(connection: Connection) -> set[str]:
    """Ids of everybody whom decisions, handoffs or conditions name."""
    columns = [table.c.person_id for table in (conditions, handoffs, handoff_reasons, handoff_calls, decisions)]
    found = {one for column in columns for one in connection.execute(select(column).distinct()).scalars() if one}
    reasons = connection.execute(select(decisions.c.reasons)).scalars()
    return found | {one["person_id"] for listed in reasons for one in listed if one["person_id"]}


def forget_people(connection: Connection, people: Iterable[str]) -> int:
    """Take people out of everything that was decided; accounts that are one of them alone go whole. Returns rows changed."""
    ids = sorted(people)
    changed = 0
    for part in _parts(ids):
        alone = [f"person:{one}" for one in part]
        of_alone = select(handoffs.c.id).where(handoffs.c.account_id.in_(alone))
        gone = [
            delete(handoff_reasons).where(handoff_reasons.c.handoff_id.in_(of_alone)),
            delete(handoff_calls).where(handoff_calls.c.handoff_id.in_(of_alone)),
            *(
                delete(table).where(table.c.account_id.in_(alone))
                for table in (conditions, account_lives, handoffs, decisions)
            ),
            delete(conditions).where(conditions.c.person_id.in_(part)),
            delete(handoff_reasons).where(handoff_reasons.c.person_id.in_(part)),
            *(
                update(table).where(table.c.person_id.in_(part)).values(person_id=None)
                for table in (handoffs, decisions)
            ),
        ]
        changed += sum(connection.execute(statement).rowcount for statement in gone)
    return changed + _forget_reasons(connection, set(ids))


def _forget_reasons(connection: Connection, people: set[str]) -> int:
    changed = 0
    for number, reasons in connection.execute(select(decisions.c.id, decisions.c.reasons)).all():
        kept = [one for one in reasons if one["person_id"] not in people]
        if len(kept) < len(reasons):
            connection.execute(update(decisions).where(decisions.c.id == number).values(reasons=kept))
            changed += 1
    return changed


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
