"""What is known of companies and people, from whom: for a receipt, and for whoever looks after the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import ibis.expr.types as ir

from handraise.accounts.enrichment import told
from handraise.accounts.enrichment.said import refresh_said
from handraise.ledger import enriching as kept
from handraise.records.enrichment import About, Budget, Coverage, EnrichmentConflict, KnownValue
from handraise.service.enriching import ledger_of
from handraise.service.project import Project, ensure_scored

_SCORED: tuple[tuple[About, str, str], ...] = (
    ("company", "scored_accounts", "account_id"),
    ("person", "scored_people", "person_id"),
)


@dataclass(frozen=True, kw_only=True)
class Enriched:
    """How far companies and people are known.

    Attributes:
        as_of: The day whose accounts and people are counted; what is known of them is known by now.
        companies: Accounts that are scored.
        people: People that are scored.
        coverage: Field by field, who knows how much.
        providers: Provider → what is left of its budget.
    """

    as_of: date
    companies: int
    people: int
    coverage: tuple[Coverage, ...]
    providers: dict[str, Budget]


def values_of(project: Project, about: About, own_id: str, as_of: date) -> tuple[KnownValue, ...]:
    """What each source says of one account or person as of a day, field by field, what is believed first."""
    rows = _told(project, about, datetime.combine(as_of, time()), [own_id]).order_by("field", "choice")
    return tuple(_known(row, "", is_used=row["choice"] == 0) for row in project.warehouse.rows(rows).to_pylist())


def _told(project: Project, about: About, until: datetime, ids: Sequence[str] = ()) -> ir.Table:
    refresh_said(project.warehouse, project.loaded.playbook)
    return told.told(project.warehouse, about, until, ids)


def _plain(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(tzinfo=None)


def _known(row: dict[str, Any], prefix: str, *, is_used: bool) -> KnownValue:
    at = row[f"{prefix}known_at"]
    return KnownValue(
        field=row["field"],
        value=row[f"{prefix}value"],
        source=row[f"{prefix}source"],
        known_at=at.replace(tzinfo=UTC) if at else None,
        is_used=is_used,
    )


def list_conflicts(project: Project, *, about: About | None, limit: int, now: datetime) -> list[EnrichmentConflict]:
    """Where sources contradict each other by now, of accounts and people that are scored."""
    ensure_scored(project, None, now)
    found: list[EnrichmentConflict] = []
    for kind, table, key in _SCORED:
        if about in {None, kind} and len(found) < limit:
            ids = project.warehouse.table(table).select(id=key).distinct()
            rows = told.conflicts(_told(project, kind, _plain(now))).semi_join(ids, "id")
            wanted = rows.order_by("id", "field", "other_choice").limit(limit - len(found))
            found += _conflicts(kind, project.warehouse.rows(wanted).to_pylist())
    return found


def _conflicts(about: About, rows: Iterable[dict[str, Any]]) -> list[EnrichmentConflict]:
    return [
        EnrichmentConflict(
            about=about,
            id=row["id"],
            used=_known(row, "", is_used=True),
            other=_known(row, "other_", is_used=False),
        )
        for row in rows
    ]


def look_over(project: Project, *, now: datetime) -> Enriched:
    """Coverage of each field by each source, and what is left of the providers' budgets."""
    as_of = ensure_scored(project, None, now)
    warehouse, found, counts = project.warehouse, [], {}
    for about, table, key in _SCORED:
        ids = warehouse.table(table).select(id=key).distinct()
        counts[about] = warehouse.count(ids)
        rows = warehouse.rows(told.coverage(_told(project, about, _plain(now)), ids)).to_pylist()
        found += [Coverage(about=about, **row) for row in rows]
    return Enriched(
        as_of=as_of,
        companies=counts["company"],
        people=counts["person"],
        coverage=tuple(found),
        providers=_budgets(project, now),
    )


def _budgets(project: Project, now: datetime) -> dict[str, Budget]:
    providers = project.loaded.playbook.enrichment.providers
    if not providers:
        return {}
    with ledger_of(project) as ledger, ledger.reading() as connection:
        return {
            name: kept.budget_of(connection, name, now=now, per_day=one.per_day, per_month=one.per_month)
            for name, one in providers.items()
        }
