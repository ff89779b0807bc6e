"""Everything that the ledger holds of one person, for the person to see."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from handraise.ledger.rows import parts
from handraise.ledger.schema import (
    account_lives,
    conditions,
    decisions,
    draft_approvals,
    draft_rewrites,
    enrichment_answers,
    handoff_calls,
    handoff_reasons,
    handoffs,
)

Rows = list[dict[str, Any]]
# How a handoff and its account were before a call: numbers of ours, for taking it back.
_LEFT_OUT = {"before"}


def rows_about(connection: Connection, ids: Iterable[str], emails: Iterable[str]) -> dict[str, Rows]:
    """Table → rows about a person, those without any left out.

    Of a handoff that names them, everything that was said is theirs too; of a decision about their company, only the
    reasons that are theirs are shown.

    Args:
        connection: A reading one.
        ids: Of the person.
        emails: Addresses that are theirs alone.
    """
    known = set(ids)
    alone = [f"person:{one}" for one in sorted(known)]
    mine = {
        table: _matching(table.c.person_id, known) + _matching(table.c.account_id, alone)
        for table in (handoffs, decisions, conditions, draft_approvals, draft_rewrites)
    }
    found = {table.name: _rows(connection, table, matches) for table, matches in mine.items()}
    numbers = [row["id"] for row in found["handoffs"]]
    for table in (handoff_reasons, handoff_calls):
        of_mine = _matching(table.c.handoff_id, numbers)
        if table is handoff_reasons:  # others' reasons for the same handoff are theirs
            of_mine = [and_(one, table.c.person_id.is_(None)) for one in of_mine]
        found[table.name] = _rows(connection, table, [*_matching(table.c.person_id, known), *of_mine])
    found["account_lives"] = _rows(connection, account_lives, _matching(account_lives.c.account_id, alone))
    names = {form for name in (*known, *emails) for form in (name, name.strip().lower())}
    answered = [*_matching(enrichment_answers.c.subject, names), *_matching(enrichment_answers.c.person_id, names)]
    people_alone = [and_(enrichment_answers.c.about == "person", one) for one in answered]
    found["enrichment_answers"] = _rows(connection, enrichment_answers, people_alone)
    found["decisions"] = _with_own_reasons(connection, found["decisions"], known)
    return {name: rows for name, rows in found.items() if rows}


def _matching(column: ColumnElement[Any], values: Collection[Any]) -> list[ColumnElement[bool]]:
    return [column.in_(part) for part in parts(sorted(values))]


def _rows(connection: Connection, table: Table, matches: list[ColumnElement[bool]]) -> Rows:
    """Rows for which any of some conditions holds, each once."""
    if not matches:
        return []
    columns = [column for column in table.columns if column.name not in _LEFT_OUT]
    rows = connection.execute(select(*columns).where(or_(*matches)).order_by(*table.primary_key.columns))
    return [dict(row) for row in rows.mappings()]


def _with_own_reasons(connection: Connection, about: Rows, known: set[str]) -> Rows:
    """Decisions about the person, and those about somebody else in which they are a reason."""
    named = [
        number
        for number, reasons in connection.execute(select(decisions.c.id, decisions.c.reasons))
        if any(one["person_id"] in known for one in reasons)
    ]
    there = {row["id"] for row in about}
    more = _rows(connection, decisions, _matching(decisions.c.id, [one for one in named if one not in there]))
    more = [{**row, "person_id": None} for row in more]
    return [
        {**row, "reasons": [one for one in row["reasons"] if one["person_id"] is None or one["person_id"] in known]}
        for row in sorted([*about, *more], key=lambda row: row["id"])
    ]
