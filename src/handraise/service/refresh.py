"""The whole path on one screen: events → accounts → roll-ups → signals → scores → history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.accounts.aliases import resolve_aliases
from handraise.accounts.domains import refresh_domains
from handraise.accounts.enrichment.resolve import make_enriched
from handraise.accounts.enrichment.said import refresh_said
from handraise.accounts.places import make_places
from handraise.playbook.load import LoadedPlaybook
from handraise.playbook.plan import RollupPlan, plan_rollups
from handraise.rollups.upkeep import refresh_rollups
from handraise.scores.pqa import score_accounts
from handraise.scores.pql import score_people
from handraise.signals.blind import blind_signals, input_columns
from handraise.signals.measure import hold_calendar, measure_signals
from handraise.signals.persona import refresh_traits
from handraise.warehouse.engine import Warehouse


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """What a run of the path did.

    Attributes:
        as_ofs: The days scored, in order.
        days_rolled_up: Days whose roll-ups were made anew.
        people: Person scores written.
        accounts: Account scores written.
        blind: Signal → why it is blind.
    """

    as_ofs: tuple[date, ...]
    days_rolled_up: int
    people: int
    accounts: int
    blind: dict[str, str]


def score_as_of(
    warehouse: Warehouse,
    loaded: LoadedPlaybook,
    as_ofs: list[date],
    *,
    now: datetime | None = None,
    plan: RollupPlan | None = None,
    progress: Callable[[float], None] | None = None,
) -> Refreshed:
    """Run the path for a list of days in one pass; leaves `scored_people` and `scored_accounts`.

    Args:
        warehouse: Loaded inputs.
        loaded: The playbook that decides.
        as_ofs: Days; a score of day T knows what happened before T 00:00 UTC.
        now: For a live score, the instant up to which things can have happened; None = as-of itself.
        plan: Roll-ups to read, which cover what the playbook needs; None = the playbook's own.
        progress: Called with the share of the roll-ups that is done.
    """
    playbook = loaded.playbook
    plan = plan or plan_rollups(playbook)
    days = refresh_rollups(warehouse, plan, progress)
    blind = blind_signals(playbook, input_columns(warehouse))
    unseen = frozenset(blind)
    hold_as_ofs(warehouse, as_ofs, now)
    hold_calendar(warehouse, playbook, as_ofs)
    refresh_domains(warehouse, playbook.domains)
    refresh_said(warehouse, playbook)
    refresh_traits(warehouse, playbook)
    resolve_aliases(warehouse)
    key = f"{loaded.content_hash} {plan.content_hash} {sorted(unseen)}"
    warehouse.once_built(key, lambda: _path(warehouse, loaded, unseen))
    return Refreshed(
        as_ofs=tuple(as_ofs),
        days_rolled_up=days,
        people=warehouse.rows_in("person_values"),
        accounts=warehouse.rows_in("scored_accounts"),
        blind=blind,
    )


def _path(warehouse: Warehouse, loaded: LoadedPlaybook, unseen: frozenset[str]) -> None:
    """From roll-ups to scores. Instants come in as tables, so one build serves every as-of."""
    playbook = loaded.playbook
    make_places(warehouse)
    make_enriched(warehouse)
    measure_signals(warehouse, playbook, unseen)
    people = _show_scored_people(warehouse, loaded, unseen, "person_values", "scored_people")
    accounts = score_accounts(warehouse.table("account_values"), people, playbook, unseen)
    accounts = accounts.mutate(playbook=ibis.literal(loaded.content_hash))
    warehouse.create("scored_accounts", accounts, temporary=True)


def show_scored_people(
    warehouse: Warehouse,
    loaded: LoadedPlaybook,
    unseen: frozenset[str],
    *,
    values: str = "person_values",
    name: str = "scored_people",
) -> None:
    """Let points, score and band of each row of a table of values be read under a name."""
    key = f"{name} {loaded.content_hash} {sorted(unseen)}"
    warehouse.once_built(key, lambda: _show_scored_people(warehouse, loaded, unseen, values, name))


def _show_scored_people(
    warehouse: Warehouse, loaded: LoadedPlaybook, unseen: frozenset[str], values: str, name: str
) -> ir.Table:
    # Points follow from values in no time, so they are not stored a second time.
    people = score_people(warehouse.table(values), loaded.playbook, unseen)
    return warehouse.show(name, people.mutate(playbook=ibis.literal(loaded.content_hash)))


def hold_as_ofs(warehouse: Warehouse, as_ofs: list[date], now: datetime | None) -> ir.Table:
    """The table every stage reads its instants from: as_of, cutoff, known_until."""
    cutoffs = [datetime.combine(day, time(), UTC).replace(tzinfo=None) for day in as_ofs]
    known = [min(cutoff, now.astimezone(UTC).replace(tzinfo=None)) if now else cutoff for cutoff in cutoffs]
    instant = pa.timestamp("us")
    columns = {
        "as_of": pa.array(as_ofs, pa.date32()),
        "cutoff": pa.array(cutoffs, instant),
        "known_until": pa.array(known, instant),
    }
    return warehouse.hold("as_ofs", pa.table(columns))
