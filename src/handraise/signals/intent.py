"""They mean to buy: an upgrade that was started and not finished."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import Abandoned
from handraise.signals.kinds import Ask, flag, value, window_columns

GRACE_HOURS = 24


@window_columns.register
def _(measure: Abandoned, wanted: Ask, usage: ir.Table) -> dict[str, ir.Value]:
    return {f"{wanted.name}__started": usage[f"last_{measure.started}"].max(where=usage.age < wanted.window)}


@value.register
def _(measure: Abandoned, wanted: Ask, row: ir.Table) -> ir.Value:
    """The last start had its 24 hours (also of real time, for a live score) and nobody completed it in them."""
    del measure
    started = row[f"{wanted.name}__started"]
    over = started + ibis.interval(hours=GRACE_HOURS) <= row.known_until
    return flag(started.notnull() & over & row[wanted.column].isnull())


def completed_starts(row: ir.Table, usage: ir.Table, measure: Abandoned, wanted: Ask) -> ir.Table:
    """Pairs whose last start was completed within 24 hours, by the person anywhere or by anybody in the account.

    A day's first and last completion are enough: within 24 hours of a start lie only the rest of its own day, which
    holds the day's last completion if any, and the start of the next, which holds that day's first.
    """
    starts = row.select("as_of", "person_id", "account_id", started=row[f"{wanted.name}__started"]).filter(
        lambda t: t.started.notnull()
    )
    done = usage.filter(usage[f"first_{measure.completed}"].notnull()).select(
        "as_of",
        by="person_id",
        within="account_id",
        first=usage[f"first_{measure.completed}"],
        last=usage[f"last_{measure.completed}"],
    )
    same_account = starts.inner_join(done, ["as_of", starts.account_id == done.within])
    same_person = starts.inner_join(done, ["as_of", starts.person_id == done.by])
    found = [_in_time(joined) for joined in (same_account, same_person)]
    both = found[0].union(found[1], distinct=True)
    return both.mutate(**{wanted.column: ibis.literal(1)})


def _in_time(joined: ir.Table) -> ir.Table:
    end = joined.started + ibis.interval(hours=GRACE_HOURS)
    hit = ((joined["first"] >= joined.started) & (joined["first"] < end)) | (
        (joined["last"] >= joined.started) & (joined["last"] < end)
    )
    return joined.filter(hit).select("as_of", "person_id", "account_id")
