"""What was decided about accounts: the life of each account, handoffs, and every decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, bindparam, delete, insert, select, update

from handraise.ledger.enriching import forget_answers, names_kept
from handraise.ledger.rewrites import forget_rewrites, people_reworded
from handraise.ledger.rows import columns_of, parts
from handraise.ledger.schema import (
    account_lives,
    conditions,
    decisions,
    draft_approvals,
    handoff_calls,
    handoff_reasons,
    handoffs,
)
from handraise.records.acting import Decision, Handoff, Life, Reason

# Columns of a handoff that its decision has, and those that come with it.
_AS_DECIDED = ("account_id", "person_id", "lane", "priority", "playbook", "owner", "queue")
_TERMS = ("due_at", "limit_at", "segment", "domain", "country", "industry")
_SAME_REASON = tuple(
    handoff_reasons.c[name] == bindparam(given)
    for name, given in (("handoff_id", "of_handoff"), ("trigger", "of_trigger"), ("person_id", "of_person"))
)


def lives_of(connection: Connection, accounts: Sequence[str]) -> dict[str, Life]:
    """Account → its life; those that nothing was ever decided about are not in it."""
    columns = [account_lives.c[field.name] for field in fields(Life)]
    found: dict[str, Life] = {}
    for part in parts(accounts):
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
    keep_lives(connection, [(account_id, life, look_again)])


def keep_lives(connection: Connection, kept: Sequence[tuple[str, Life, datetime | None]]) -> None:
    """Account, its life, and when it is to be looked at again: each in the place of what was known of it."""
    for part in parts(kept):
        connection.execute(delete(account_lives).where(account_lives.c.account_id.in_([one for one, *_ in part])))
        rows = [{"account_id": one, "look_again": again, **columns_of(life)} for one, life, again in part]
        connection.execute(insert(account_lives), rows)


def live_handoffs(connection: Connection, accounts: Sequence[str]) -> dict[str, int]:
    """Account → the number of the handoff that is under way."""
    found: dict[str, int] = {}
    for part in parts(accounts):
        wanted = select(handoffs.c.account_id, handoffs.c.id).where(
            handoffs.c.account_id.in_(part), handoffs.c.closed_at.is_(None)
        )
        found |= {row.account_id: row.id for row in connection.execute(wanted)}
    return found


def led_to_by(connection: Connection, numbers: Sequence[int], triggers: Iterable[str]) -> dict[int, datetime]:
    """Those of some handoffs that one of some triggers led to, and when the last of them fired."""
    wanted: list[str] = list(triggers)
    found: dict[int, datetime] = {}
    for part in parts(numbers):
        reasons = handoff_reasons.c
        rows = select(reasons.handoff_id, reasons.fired_at).where(
            reasons.handoff_id.in_(part), reasons.trigger.in_(wanted)
        )
        for number, fired_at in connection.execute(rows):
            found[number] = max(found.get(number, fired_at), fired_at)
    return found


def add_decision(connection: Connection, made: Decision, *, terms: Mapping[str, Any] | None = None) -> Decision:
    """As `add_decisions`, of one."""
    return add_decisions(connection, [(made, terms or {})])[0]


def add_decisions(connection: Connection, made: Sequence[tuple[Decision, Mapping[str, Any]]]) -> list[Decision]:
    """Keep decisions; each to hand over makes its handoff, and each to join adds its reasons.

    Args:
        connection: The transaction.
        made: Decisions; with those to hand over go further columns of the handoff, such as its clocks.

    Returns:
        The decisions with their numbers, and those of their handoffs.
    """
    numbers = iter(_open_handoffs(connection, [pair for pair in made if pair[0].outcome == "handoff"]))
    kept = [replace(one, handoff=next(numbers)) if one.outcome == "handoff" else one for one, _ in made]
    _add_reasons(connection, kept)
    rows = [_row(one) for one in kept]
    return [replace(one, id=number) for one, number in zip(kept, _numbers(connection, decisions, rows), strict=True)]


def _open_handoffs(connection: Connection, made: Sequence[tuple[Decision, Mapping[str, Any]]]) -> list[int]:
    rows = [
        {
            **dict.fromkeys(_TERMS),
            **{name: getattr(one, name) for name in _AS_DECIDED},
            "status": "open",
            "created_at": one.at,
            "version": 1,
            **terms,
        }
        for one, terms in made
    ]
    return _numbers(connection, handoffs, rows)


def _numbers(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows; their numbers, in the same order."""
    if not rows:
        return []
    wanted = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.execute(wanted, rows).scalars())


def _row(made: Decision) -> dict[str, Any]:
    row = {
        **columns_of(made),
        "as_of": made.as_of.isoformat(),
        "reasons": [_as_json(one) for one in made.reasons],
        "handoff_id": made.handoff,
    }
    del row["handoff"], row["id"]
    return row


def _add_reasons(connection: Connection, made: Sequence[Decision]) -> None:
    """The same trigger of the same person is one reason, the latest."""
    told = [(one, reason) for one in made if one.outcome in ("handoff", "joined") for reason in one.reasons]
    again = [
        {"of_handoff": one.handoff, "of_trigger": reason.trigger, "of_person": reason.person_id}
        for one, reason in told
        if one.outcome == "joined"
    ]
    if again:
        connection.execute(delete(handoff_reasons).where(*_SAME_REASON), again)
    if told:
        rows = [{"handoff_id": one.handoff, **columns_of(reason)} for one, reason in told]
        connection.execute(insert(handoff_reasons), rows)


def _as_json(reason: Reason) -> dict[str, Any]:
    return {**columns_of(reason), "fired_at": reason.fired_at.isoformat()}


def close_handoffs(connection: Connection, ended: Mapping[int, str], now: datetime) -> None:
    """End handoffs: number → why."""
    if ended:
        wanted = update(handoffs).where(handoffs.c.id == bindparam("number"), handoffs.c.closed_at.is_(None))
        done = wanted.values(
            status="closed", closed_at=now, closed_because=bindparam("why"), version=handoffs.c.version + 1
        )
        connection.execute(done, [{"number": number, "why": why} for number, why in ended.items()])


def list_handoffs(connection: Connection, *, live: bool = True) -> tuple[Handoff, ...]:
    """Handoffs by number: those that are under way, or all."""
    return handoffs_where(connection, handoffs.c.closed_at.is_(None)) if live else handoffs_where(connection)


def handoffs_numbered(connection: Connection, numbers: Sequence[int]) -> tuple[Handoff, ...]:
    """Those of some numbers that are there, by number."""
    return tuple(one for part in parts(numbers) for one in handoffs_where(connection, handoffs.c.id.in_(part)))


def decisions_numbered(connection: Connection, numbers: Sequence[int]) -> tuple[Decision, ...]:
    """Decisions of some numbers that are there."""
    wanted = (select(decisions).where(decisions.c.id.in_(part)) for part in parts(numbers))
    return tuple(_decision(row) for one in wanted for row in connection.execute(one))


def handoffs_where(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[Handoff, ...]:
    """Those for which some conditions hold, by number."""
    columns = [handoffs.c[field.name] for field in fields(Handoff) if field.name != "reasons"]
    rows = connection.execute(select(*columns).where(*conditions).order_by(handoffs.c.id)).all()
    reasons = _reasons_of(connection, [row.id for row in rows])
    return tuple(Handoff(**row._asdict(), reasons=tuple(reasons[row.id])) for row in rows)


def _reasons_of(connection: Connection, numbers: Sequence[int]) -> dict[int, list[Reason]]:
    found: dict[int, list[Reason]] = defaultdict(list)
    for part in parts(numbers):
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
    """Ids of everybody whom decisions, handoffs or conditions name, and addresses that providers were asked about."""
    columns = [
        table.c.person_id
        for table in (conditions, handoffs, handoff_reasons, handoff_calls, decisions, draft_approvals)
    ]
    found = {one for column in columns for one in connection.execute(select(column).distinct()).scalars() if one}
    reasons = connection.execute(select(decisions.c.reasons)).scalars()
    found |= {one["person_id"] for listed in reasons for one in listed if one["person_id"]}
    return found | names_kept(connection) | people_reworded(connection)


def forget_people(connection: Connection, people: Iterable[str]) -> int:
    """Take people out of everything that was decided; accounts that are one of them alone go whole. Returns rows changed."""
    ids = sorted(people)
    changed = forget_answers(connection, ids)
    for part in parts(ids):
        alone = [f"person:{one}" for one in part]
        of_theirs = select(handoffs.c.id).where(handoffs.c.person_id.in_(part))
        of_alone = select(handoffs.c.id).where(handoffs.c.account_id.in_(alone))
        gone = [
            delete(handoff_reasons).where(handoff_reasons.c.handoff_id.in_(of_alone)),
            delete(handoff_calls).where(handoff_calls.c.handoff_id.in_(of_alone)),
            # What was said about them was written in free words.
            update(handoff_calls)
            .where(handoff_calls.c.person_id.in_(part) | handoff_calls.c.handoff_id.in_(of_theirs))
            .values(note=None, reason=None),
            update(handoff_calls).where(handoff_calls.c.person_id.in_(part)).values(person_id=None),
            # Texts to them hold their names, and go whole; the audit trail keeps that something was approved.
            delete(draft_approvals).where(
                draft_approvals.c.person_id.in_(part) | draft_approvals.c.handoff_id.in_(of_alone)
            ),
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
        changed += sum(connection.execute(statement).rowcount for statement in gone) + forget_rewrites(connection, part)
    return changed + _forget_reasons(connection, set(ids))


def _forget_reasons(connection: Connection, people: set[str]) -> int:
    changed = 0
    for number, reasons in connection.execute(select(decisions.c.id, decisions.c.reasons)).all():
        kept = [one for one in reasons if one["person_id"] not in people]
        if len(kept) < len(reasons):
            connection.execute(update(decisions).where(decisions.c.id == number).values(reasons=kept))
            changed += 1
    return changed
