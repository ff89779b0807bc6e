"""Workspaces of one company that do not know each other: same work domain, nobody in common.

Each is a chance to bring a company's teams together, and a sign of demand that no single workspace shows.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.warehouse.engine import Warehouse


def find_strangers(warehouse: Warehouse) -> ir.Table:
    """Companies whose people work in workspaces that share nobody, largest first.

    Needs the tables that `make_places` leaves, for one as-of.

    Returns:
        domain, workspaces, people (with that work domain), accounts (how many the workspaces count as),
        workspace_ids (sorted, joined by `, `), because.
    """
    members = _members(warehouse)
    strangers = members.semi_join(_without_a_bridge(members), ["domain", "workspace_id"])
    found = strangers.group_by("domain").agg(
        workspaces=strangers.workspace_id.nunique(),
        people=strangers.person_id.nunique(),
        accounts=strangers.account_id.nunique(),
    )
    ids = strangers.select("domain", "workspace_id").distinct()
    listed = ids.group_by("domain").agg(workspace_ids=ids.workspace_id.group_concat(", ", order_by=ids.workspace_id))
    both = found.inner_join(listed, "domain").filter(found.workspaces > 1)
    because = ibis.literal("").concat(
        both.people.cast("string"),
        " people @",
        both.domain,
        " work in ",
        both.workspaces.cast("string"),
        " workspaces that have nobody in common",
    )
    return both.mutate(because=because).order_by(both.people.desc(), both.domain)


def _members(warehouse: Warehouse) -> ir.Table:
    """domain, workspace, person, account: people with a work e-mail in the workspaces they have been active in."""
    places = warehouse.table("places").select("who", "person_id", "account_id")
    named = places.inner_join(warehouse.table("person_firsts").select("who", "workspace_id"), "who")
    inside = named.filter(named.workspace_id != "").select("workspace_id", "person_id", "account_id").distinct()
    return inside.inner_join(warehouse.table("person_domains"), "person_id")


def _without_a_bridge(members: ir.Table) -> ir.Table:
    """Workspaces of a domain in which nobody also works in another workspace of that domain."""
    counted = members.group_by(["domain", "person_id"]).agg(n=members.workspace_id.nunique())
    bridges = counted.filter(counted.n > 1)
    bridged = members.semi_join(bridges, ["domain", "person_id"]).select("domain", "workspace_id").distinct()
    every = members.select("domain", "workspace_id").distinct()
    return every.anti_join(bridged, ["domain", "workspace_id"])
