"""Stripe's subscriptions → canonical ones: trials, the money of several in one row, plans that changed their name."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.events.connectors.cells import in_order, together
from handraise.events.connectors.protocol import FILE, ORDER, REFUSED, Stored
from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import FALSE, any_of

_NOT_PAYING = ("unpaid", "paused")
_COLUMNS = ("account_id", "workspace_id", "plan", "started_at", "ended_at", "mrr", "seats", "channel")


def phases(rows: ir.Table) -> ir.Table:
    """A trial costs nothing and is a row of its own; what follows it starts when it ends."""
    trial = (rows.trial_end > rows.starts).fill_null(FALSE)
    over = trial & (rows.status != "trialing") & (rows.ends.isnull() | (rows.ends > rows.trial_end))
    marked = rows.mutate(trial=trial | (rows.status == "trialing"), over=over)
    of_trial = marked.filter(marked.trial)
    ends = of_trial.over.ifelse(of_trial.trial_end, of_trial.ends)
    of_trial = of_trial.mutate(started_at=of_trial.starts, ended_at=ends, mrr=ibis.literal(0.0))
    paid = marked.filter(~marked.trial | marked.over)
    nothing_due = paid.status.isin(_NOT_PAYING)
    paid = paid.mutate(
        started_at=paid.over.ifelse(paid.trial_end, paid.starts),
        ended_at=paid.ends,
        mrr=nothing_due.ifelse(ibis.literal(0.0), paid.mrr),
    )
    return together(paid, of_trial)


def one_per_key(rows: ir.Table) -> ir.Table:
    """Subscriptions of one account to one plan that began at one instant are one row, with the money of all."""
    orphan = ibis.literal("the subscription's customer is not in the load, and its metadata names no account")
    planless = ibis.literal("the subscription has no item that is in the load")
    missing = ibis.cases(
        (rows.account_id.isnull() & rows.workspace_id.isnull(), orphan),
        (rows.plan.isnull(), planless),
        else_=ibis.null("string"),
    )
    rows = rows.mutate(
        refused=missing,
        channel=ibis.coalesce(_sold(rows), rows.method, rows.invoiced),
        never=rows.ended_at.isnull(),
        group=missing.isnull().ifelse("", rows.ref),
    )
    keys = ("account_id", "workspace_id", "plan", "started_at", "group", "refused")
    found = rows.group_by(list(keys)).agg(
        ended_at=rows.never.max().ifelse(ibis.null("timestamp(6)"), rows.ended_at.max()),
        mrr=rows.mrr.sum(),
        seats=rows.seats.sum(),
        channel=rows.channel.min(),
        **{FILE: rows[FILE].min(), LINE: rows[LINE].min()},
    )
    return found.drop("group")


def _sold(rows: ir.Table) -> ir.StringValue:
    """`sales` where the subscription or one of its invoices says so."""
    sold: ir.StringValue = any_of(
        (rows.method == "sales").fill_null(FALSE), (rows.invoiced == "sales").fill_null(FALSE)
    ).ifelse("sales", ibis.null("string"))
    return sold


def canonical_rows(standing: ir.Table, stored: Stored) -> ir.Table:
    """Canonical rows, and an end at its start for what a subscription was called in an earlier load."""
    now = standing.mutate(**{REFUSED: standing.refused})
    canonical = in_order(
        now,
        [now.started_at, now.account_id, now.workspace_id, now.plan],
        {name: now[name] for name in _COLUMNS},
    )
    before = _renamed(standing, stored)
    last = canonical.aggregate(last=canonical[ORDER].max())
    shifted = in_order(before, [before.started_at, before.plan], {name: before[name] for name in _COLUMNS})
    shifted = shifted.cross_join(last)
    shifted = shifted.mutate(**{ORDER: shifted[ORDER] + shifted["last"] + 1}).drop("last")
    return canonical.union(shifted.select(*canonical.columns), distinct=False)


def _renamed(standing: ir.Table, stored: Stored) -> ir.Table:
    """Stored rows of the same account and start under a plan that the subscription no longer has."""
    text_key = {c: standing[c].fill_null("") for c in ("account_id", "workspace_id")}
    place = standing.filter(standing.refused.isnull()).select(
        "plan", **text_key, started_at="started_at", file=standing[FILE], line=standing[LINE]
    )
    there = stored("subscriptions")
    old = there.mutate(**{c: there[c].fill_null("") for c in ("account_id", "workspace_id")})
    old = old.filter(old.ended_at.isnull() | (old.ended_at > old.started_at))
    keys = ["account_id", "workspace_id", "started_at"]
    places = place.group_by(keys).agg(**{FILE: place.file.min(), LINE: place.line.min()})
    stale = old.anti_join(place, [*keys, "plan"]).inner_join(places, keys)
    stale = stale.mutate(
        ended_at=stale.started_at,
        mrr=ibis.literal(0.0),
        seats=stale.seats.cast("float64"),
        **{c: stale[c].nullif("") for c in ("account_id", "workspace_id")},
    )
    return stale.select(*_COLUMNS, FILE, LINE)
