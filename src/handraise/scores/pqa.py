"""Account scores: people's points, account signals and firmographic fit, summed; then tier and segment."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.schema import Playbook, Rollup
from handraise.scores.ladders import point_columns, total
from handraise.scores.pql import firmographic_signals
from handraise.scores.tiers import segment, segment_is_guess, sells, tier

ACCOUNT = ["as_of", "account_id"]


def score_accounts(values: ir.Table, people: ir.Table, playbook: Playbook, blind: frozenset[str]) -> ir.Table:
    """Adds points, `people_points`, `account_points`, `firmographic_points`, `score`, tier and segment.

    Args:
        values: `account_values`.
        people: Scored people, with `behaviour_points` and `score`.
        playbook: Ladders, roll-up options, tiers and segments.
        blind: Signals that give nothing and are shown as blind.
    """
    fit = firmographic_signals(playbook)
    signals = {**playbook.signals.account, **{name: playbook.signals.person[name] for name in fit}}
    rows = values.mutate(**point_columns(values, signals, blind))
    joined = rows.left_join(people_points(people, playbook.rollup), ACCOUNT)
    rows = joined.select(
        *(joined[c] for c in rows.columns),
        people_points=joined.people_points.fill_null(0),
        pqls=joined.pqls.fill_null(0),
    )
    rows = rows.mutate(
        team_people=rows.team_people.fill_null(0),
        team_departments=rows.team_departments.fill_null(0),
        people=rows.people.fill_null(0),
        account_points=total(rows, list(playbook.signals.account), blind),
        firmographic_points=total(rows, fit, blind),
    )
    whole = rows.people_points + rows.account_points + rows.firmographic_points
    rows = rows.mutate(score=whole.cast("int64"))
    rows = rows.mutate(
        tier=tier(rows, playbook, blind),
        segment=segment(rows, playbook),
        segment_is_guess=segment_is_guess(rows, playbook),
    )
    rows = rows.mutate(
        is_pqa=rows.tier.isin([t.tier for t in playbook.tiers if t.pqa]), segment_sells=sells(rows, playbook)
    )
    return rows.select(*(column for column in rows.columns if "__" not in column))


def people_points(people: ir.Table, rollup: Rollup) -> ir.Table:
    """as_of, account → points of its people and number of PQLs.

    `firmographics: per_person` adds each person's whole score, as the scoring template has it to the letter; the
    account's own fit is added once all the same, because the letter's formula names it as a term of its own.
    """
    own = people.score if rollup.firmographics == "per_person" else people.behaviour_points
    counted = own if rollup.floor is None else ibis.greatest(own, rollup.floor)
    rows = people.select(*ACCOUNT, "person_id", "is_pql", counted=counted)
    if rollup.people == "top_k":
        place = ibis.row_number().over(
            ibis.window(group_by=[rows.as_of, rows.account_id], order_by=[rows.counted.desc(), rows.person_id])
        )
        rows = rows.mutate(place=place)
        chosen = rows.counted.sum(where=rows.place < rollup.top_k)
    else:
        chosen = rows.counted.max() if rollup.people == "max" else rows.counted.sum()
    return rows.group_by(ACCOUNT).agg(people_points=chosen.cast("int64"), pqls=rows.count(where=rows.is_pql))
