"""They mean to buy: an upgrade that was started and not finished."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import Abandoned
from handraise.signals.kinds import Ask, flag, role_columns, value

GRACE_HOURS = 24


@role_columns.register
def _(measure: Abandoned, wanted: Ask, roles: ir.Table) -> dict[str, ir.Value]:
    inside = (roles.role == measure.started) & (roles.age < wanted.window)
    return {f"{wanted.name}__started": roles.role_last_at.max(where=inside)}


@value.register
def _(measure: Abandoned, wanted: Ask, row: ir.Table) -> ir.Value:
    """The last start had its 24 hours (also of real time, for a live score) and nobody completed it in them."""
    del measure
    started = row[f"{wanted.name}__started"]
    over = started + ibis.interval(hours=GRACE_HOURS) <= row.known_until
    return flag(started.notnull() & over & row[wanted.column].isnull())


def completed_starts(rows: ir.Table, roles: ir.Table, measure: Abandoned, wanted: Ask) -> ir.Table:
    """Pairs whose last start was completed within 24 hours, by the person anywhere or by anybody in the account.

    A day's first and last completion are enough: within 24 hours of a start lie only the rest of its own day, which
    holds the day's last completion if any, and the start of the next, which holds that day's first.

    Args:
        rows: One row per pair with its key and the signal's `__started` helper.
        roles: `role_days`.
        measure: Names the role that completes.
        wanted: The signal.
    """
    starts = rows.filter(rows[f"{wanted.name}__started"].notnull())
    starts = starts.select("pair", "as_of", "person_id", "account_id", started=starts[f"{wanted.name}__started"])
    done = roles.filter(roles.role == measure.completed).select("pair", "role_first_at", "role_last_at")
    done = done.inner_join(rows.select("pair", "as_of", by="person_id", within="account_id"), "pair").drop("pair")
    same_account = starts.inner_join(done, ["as_of", starts.account_id == done.within])
    same_person = starts.inner_join(done, ["as_of", starts.person_id == done.by])
    both = _in_time(same_account).union(_in_time(same_person), distinct=True)
    return both.mutate(**{wanted.column: ibis.literal(1)})


def _in_time(joined: ir.Table) -> ir.Table:
    end = joined.started + ibis.interval(hours=GRACE_HOURS)
    first, last = joined.role_first_at, joined.role_last_at
    hit = ((first >= joined.started) & (first < end)) | ((last >= joined.started) & (last < end))
    return joined.filter(hit).select("pair")
