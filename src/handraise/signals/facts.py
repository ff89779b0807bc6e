"""What is known of accounts besides their people's usage: firmographics, plan, limits, age, workspaces."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.measures import Lonely
from handraise.playbook.schema import Playbook
from handraise.signals.filled import filled
from handraise.signals.fit import icp_match
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import FALSE, join_on

ACCOUNT = ["as_of", "account_id"]


def make_account_facts(warehouse: Warehouse, playbook: Playbook) -> ir.Table:
    """The temporary table `account_facts`: one row per as_of and account that exists at as-of.

    Columns: cutoff, known_until, name, domain, employees, industry, country, owner, target, icp_match, paying,
    account_since (earliest of account, workspaces and first event), people_ever_active, account_<invite role>_at,
    limit_share (highest used ÷ quota).
    """
    as_ofs, pairs = warehouse.table("as_ofs"), warehouse.table("pairs")
    rows = warehouse.table("accounts")
    people = _people_facts(pairs, as_ofs, playbook)
    exists = _existing(people, rows, as_ofs)
    facts = filled(_with_row(exists, rows), warehouse.table("enriched_companies"), ACCOUNT)
    facts = facts.mutate(icp_match=icp_match(facts, playbook.icp)).drop("icp")
    for extra in (people, _workspace_age(warehouse), _paying(warehouse), _limit_share(warehouse)):
        facts = join_on(facts, extra, ACCOUNT)
    since = _earliest(facts.created_at, facts.workspaces_since, facts.first_event_at)
    facts = facts.mutate(account_since=since, paying=facts.paying.fill_null(FALSE))
    return warehouse.create("account_facts", facts.drop("workspaces_since"), temporary=True)


def _existing(people: ir.Table, accounts: ir.Table, as_ofs: ir.Table) -> ir.Table:
    listed = accounts.select("account_id", "created_at").cross_join(as_ofs)
    listed = listed.filter(listed.created_at.isnull() | (listed.created_at < listed.cutoff))
    every = people.select("as_of", "account_id").union(listed.select("as_of", "account_id"), distinct=True)
    return every.inner_join(as_ofs, "as_of")


def _with_row(exists: ir.Table, accounts: ir.Table) -> ir.Table:
    columns = ("name", "domain", "employees", "industry", "country", "owner", "target", "icp", "created_at")
    joined = exists.left_join(accounts, "account_id")
    return joined.select(*(joined[c] for c in exists.columns), *(joined[c] for c in columns))


def _people_facts(pairs: ir.Table, as_ofs: ir.Table, playbook: Playbook) -> ir.Table:
    dated = pairs.inner_join(as_ofs, "as_of")
    signals = playbook.signals.person.values()
    invites = sorted({s.measure.invite for s in signals if isinstance(s.measure, Lonely)})
    return dated.group_by(ACCOUNT).agg(
        people_ever_active=dated.count(where=dated.first_active_at < dated.cutoff),
        first_event_at=dated.first_at.min(),
        **{f"account_{role}_at": dated[f"first_{role}"].min() for role in invites},
        people=dated.count(),
    )


def _workspace_age(warehouse: Warehouse) -> ir.Table:
    workspaces, mapped = warehouse.table("workspaces"), warehouse.table("workspace_accounts")
    joined = mapped.inner_join(workspaces.select("workspace_id", "created_at"), "workspace_id")
    return joined.group_by(ACCOUNT).agg(workspaces_since=joined.created_at.min())


def _owned(warehouse: Warehouse, name: str) -> ir.Table:
    """Rows of an input that names an account or a workspace, with the account they belong to at each as-of."""
    rows = warehouse.table(name).cross_join(warehouse.table("as_ofs"))
    mapped = warehouse.table("workspace_accounts").select("as_of", ws="workspace_id", of_workspace="account_id")
    joined = rows.left_join(mapped, [rows.as_of == mapped.as_of, rows.workspace_id == mapped.ws])
    owner = ibis.coalesce(joined.account_id, joined.of_workspace)
    return joined.select(*(joined[c] for c in rows.columns if c != "account_id"), account_id=owner)


def _paying(warehouse: Warehouse) -> ir.Table:
    """Accounts with a subscription running at as-of that costs money."""
    rows = _owned(warehouse, "subscriptions")
    # An end at as-of itself is not known before as-of.
    running = rows.filter(
        (rows.started_at < rows.cutoff)
        & (rows.ended_at.isnull() | (rows.ended_at >= rows.cutoff))
        & rows.account_id.notnull()
    )
    return running.group_by(ACCOUNT).agg(paying=(running.mrr.fill_null(0) > 0).any())


def _limit_share(warehouse: Warehouse) -> ir.Table:
    """The highest used ÷ quota over each meter's latest reading before as-of."""
    rows = _owned(warehouse, "limits")
    rows = rows.filter((rows.measured_at < rows.cutoff) & rows.account_id.notnull())
    rows = rows.mutate(meter=rows.workspace_id.fill_null(""))
    meter = [*ACCOUNT, "meter", "metric"]
    newest = rows.group_by(meter).agg(measured_at=rows.measured_at.max())
    latest = rows.filter(rows.quota > 0).semi_join(newest, [*meter, "measured_at"])
    return latest.group_by(ACCOUNT).agg(limit_share=(latest.used / latest.quota).max())


def _earliest(*instants: ir.TimestampValue) -> ir.TimestampValue:
    never = ibis.timestamp("9999-01-01").cast("timestamp(6)")
    found: ir.TimestampValue = ibis.least(*(instant.fill_null(never) for instant in instants)).nullif(never)
    return found
