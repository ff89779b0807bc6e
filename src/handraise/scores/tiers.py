"""Tiers by lower bounds only, and the segment, which is a separate axis."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import Departments, Icp
from handraise.playbook.schema import Playbook, Tier
from handraise.warehouse.functions import FALSE, all_of


def tier(rows: ir.Table, playbook: Playbook, blind: frozenset[str]) -> ir.IntegerValue:
    """The first tier from the top of which an account meets every bound; the last one takes the rest."""
    branches = [(_meets(rows, t, _sees(playbook, blind)), ibis.literal(t.tier, "int64")) for t in playbook.tiers]
    found: ir.IntegerValue = ibis.cases(*branches, else_=ibis.null("int64"))
    return found


def _sees(playbook: Playbook, blind: frozenset[str]) -> dict[str, bool]:
    """Whether departments and the ICP can be told at all; a blind bound is not met."""
    signals = {**playbook.signals.person, **playbook.signals.account}
    by_kind = {type(signal.measure): name for name, signal in signals.items()}
    return {
        "departments": by_kind.get(Departments) not in blind,
        "icp": by_kind.get(Icp) not in blind,
    }


def _meets(rows: ir.Table, bounds: Tier, sees: dict[str, bool]) -> ir.BooleanValue:
    tests: list[ir.BooleanValue] = []
    if bounds.active_people:
        tests.append(rows.team_people >= bounds.active_people)
    if bounds.departments:
        tests.append((rows.team_departments >= bounds.departments) & sees["departments"])
    if bounds.icp:
        tests.append(rows.icp_match.fill_null(FALSE) & sees["icp"])
    if bounds.score_above is not None:
        tests.append(rows.score > bounds.score_above)
    if bounds.score_at_least is not None:
        tests.append(rows.score >= bounds.score_at_least)
    return all_of(*tests)


def segment_is_guess(rows: ir.Table, playbook: Playbook) -> ir.BooleanValue:
    """True where the number of employees is unknown and active people stand in for it."""
    smallest = min(s.employees for s in playbook.segments)
    known: ir.BooleanValue = (rows.employees >= smallest).fill_null(FALSE)
    return ~known


def _size(rows: ir.Table, playbook: Playbook) -> ir.IntegerValue:
    guess = ibis.greatest(rows.team_people, min(s.employees for s in playbook.segments))
    size: ir.IntegerValue = segment_is_guess(rows, playbook).ifelse(guess, rows.employees)
    return size


def segment(rows: ir.Table, playbook: Playbook) -> ir.StringValue:
    """The segment by employees, or by active people as a proxy."""
    size = _size(rows, playbook)
    branches = [(size >= s.employees, ibis.literal(s.name)) for s in playbook.segments]
    found: ir.StringValue = ibis.cases(*branches, else_=ibis.null("string"))
    return found


def sells(rows: ir.Table, playbook: Playbook) -> ir.BooleanValue:
    """Whether the account's segment is one that sales talks to."""
    selling: ir.BooleanValue = rows.segment.isin([s.name for s in playbook.segments if s.sells])
    return selling
