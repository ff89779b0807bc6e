"""Person scores: points of every signal, behaviour points, score, band."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import Employees, Icp, Industry
from handraise.playbook.schema import Playbook
from handraise.scores.ladders import point_columns, total
from handraise.warehouse.functions import FALSE


def firmographic_signals(playbook: Playbook) -> list[str]:
    """Person signals that describe the company, not what the person did."""
    return [n for n, s in playbook.signals.person.items() if isinstance(s.measure, Employees | Industry | Icp)]


def score_people(values: ir.Table, playbook: Playbook, blind: frozenset[str]) -> ir.Table:
    """Adds `p_<signal>`, `behaviour_points`, `score`, `band` and `is_pql` to `person_values`.

    A PQL is a known person whose band is a selling band, and who can buy.
    """
    fit = set(firmographic_signals(playbook))
    rows = values.mutate(**point_columns(values, {**playbook.signals.person}, blind))
    behaviour = [name for name in playbook.signals.person if name not in fit]
    rows = rows.mutate(behaviour_points=total(rows, behaviour, blind))
    rows = rows.mutate(score=(rows.behaviour_points + total(rows, sorted(fit), blind)).cast("int64"))
    rows = rows.mutate(band=band(rows.score, playbook))
    selling = rows.band.isin(list(playbook.selling_bands))
    rows = rows.mutate(is_pql=selling & rows.is_buyer.fill_null(FALSE) & rows.known)
    return rows.select(*(column for column in rows.columns if "__" not in column))


def band(score: ir.IntegerValue, playbook: Playbook) -> ir.StringValue:
    """The highest band whose lower bound the score reaches."""
    branches = [(score >= b.at_least, ibis.literal(b.name)) for b in playbook.bands if b.at_least is not None]
    floor = next((b.name for b in playbook.bands if b.at_least is None), None)
    found: ir.StringValue = ibis.cases(*branches, else_=ibis.literal(floor) if floor else ibis.null("string"))
    return found
