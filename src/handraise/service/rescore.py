"""Score again only the accounts that some people touch: what a few new events change, without scoring everybody.

The same expressions run as in a whole refresh; only the tables they read are narrowed to a scope in which the accounts
concerned are complete: their people, whatever else these people did (an upgrade may be completed elsewhere), and the
colleagues by whom those other workspaces are placed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.accounts.domains import refresh_domains
from handraise.accounts.enrichment.said import refresh_said
from handraise.playbook.plan import plan_rollups
from handraise.rollups.upkeep import refresh_rollups
from handraise.service.project import Project, is_comparable, mark_scored, refresh, scored_as_of
from handraise.service.refresh import score_as_of
from handraise.signals.persona import refresh_traits
from handraise.warehouse.engine import Warehouse

# A workspace that moves to another account brings that account in; more moves in a row than this: score everybody.
_MOST_ROUNDS = 4
# What the path reads of the scope only: table → the scope's table, and the column they share.
_NARROWED = {
    "person_firsts": ("scope_whos", "who"),
    "people": ("scope_people", "person_id"),
    "person_traits": ("scope_people", "person_id"),
    "workspaces": ("scope_workspaces", "workspace_id"),
    "accounts": ("scope_accounts", "account_id"),
    "company_said": ("scope_accounts", "account_id"),
    "person_said": ("scope_people", "person_id"),
}


@dataclass(frozen=True, kw_only=True)
class Rescored:
    """What was scored again.

    Attributes:
        people: Person scores written.
        accounts: Account scores written.
        everybody: Whether a whole refresh was needed instead.
    """

    people: int
    accounts: int
    everybody: bool


def rescore(project: Project, people: list[str], *, now: datetime) -> Rescored:
    """Bring the stored scores up to date after events of a few people; history waits for the next whole refresh.

    Args:
        project: With a refresh behind it.
        people: Ids of everybody whose events, row or links changed; anonymous ids of visitors too.
        now: The present instant.

    Raises:
        InputError: No events are loaded.
    """
    as_of = scored_as_of(project)
    if as_of is None or not is_comparable(project):
        done = refresh(project, [as_of] if as_of else [now.date()], now=now)
        return Rescored(people=done.people, accounts=done.accounts, everybody=True)
    warehouse = project.warehouse
    playbook, made_for = project.loaded.playbook, project.loaded.content_hash
    refresh_rollups(warehouse, plan_rollups(playbook))
    refresh_domains(warehouse, playbook.domains)
    refresh_said(warehouse, playbook)
    refresh_traits(warehouse, playbook)
    warehouse.hold("touched_people", pa.table({"person_id": pa.array(people, pa.string())}))
    warehouse.once_built(f"scope: accounts {made_for}", lambda: _find_accounts(warehouse))
    for _ in range(_MOST_ROUNDS):
        with _narrowed(warehouse, made_for):
            score_as_of(warehouse, project.loaded, [as_of], now=now)
        if not _take_in_new_accounts(warehouse):
            break
    else:
        done = refresh(project, [as_of], now=now)
        return Rescored(people=done.people, accounts=done.accounts, everybody=True)
    with warehouse.transaction():
        counts = _store(warehouse)
        mark_scored(project, as_of)
    return Rescored(people=counts["person_values"], accounts=counts["scored_accounts"], everybody=False)


def _find_accounts(warehouse: Warehouse) -> None:
    """`scope_accounts`: those the people are in, that their workspaces belong to, or that own their e-mail domains."""
    touched = warehouse.table("touched_people")
    values, mapped = warehouse.table("kept_person_values"), warehouse.table("kept_workspace_accounts")
    whos = _whos_of(warehouse, touched)
    homes = warehouse.table("person_domains").semi_join(touched, "person_id").select("domain").distinct()
    owned = homes.left_join(warehouse.table("domain_owners"), "domain")
    owner = ibis.coalesce(owned.account_id, ibis.literal("domain:").concat(owned.domain))
    found = ibis.union(
        values.semi_join(touched, "person_id").select("account_id"),
        warehouse.table("kept_places").semi_join(whos, "who").select("account_id"),
        mapped.semi_join(whos, "workspace_id").select("account_id"),
        owned.select(account_id=owner),
        touched.select(account_id=ibis.literal("person:").concat(touched.person_id)),
        distinct=True,
    )
    warehouse.create("scope_accounts", found, temporary=True)


def _whos_of(warehouse: Warehouse, touched: ir.Table) -> ir.Table:
    """who, workspace_id: under their own ids, and under anonymous ids that some event or alias ties to them."""
    firsts, links = warehouse.table("person_firsts"), warehouse.table("identity_links")
    tied = links.semi_join(touched, "person_id").select(person_id="anonymous_id")
    ids = touched.select("person_id").union(tied, distinct=True)
    own = firsts.semi_join(ids, firsts.actor == ids.person_id).select("who", "workspace_id")
    known = warehouse.table("kept_places").semi_join(touched, "person_id").select("who")
    return own.union(firsts.semi_join(known, "who").select("who", "workspace_id"), distinct=True)


@contextlib.contextmanager
def _narrowed(warehouse: Warehouse, made_for: str) -> Iterator[None]:
    """Inside, the path sees only what the accounts of `scope_accounts` depend on."""
    warehouse.once_built(f"scope: people {made_for}", lambda: _find_scope(warehouse))
    try:
        warehouse.once_built(f"scope: what is seen {made_for}", lambda: _hide_others(warehouse))
        yield
    finally:
        for name in _NARROWED:
            warehouse.unhide(name)


def _hide_others(warehouse: Warehouse) -> None:
    for name, (scope, key) in _NARROWED.items():
        warehouse.hide(name, warehouse.table(name).semi_join(warehouse.table(scope), key))


def _find_scope(warehouse: Warehouse) -> None:
    """`scope_core` (whos of the accounts), `scope_whos`, `scope_people`, `scope_workspaces`."""
    firsts, places = warehouse.table("person_firsts"), warehouse.table("kept_places")
    accounts, touched = warehouse.table("scope_accounts"), warehouse.table("touched_people")
    mapped = warehouse.table("kept_workspace_accounts").semi_join(accounts, "account_id").select("workspace_id")
    whos = _whos_of(warehouse, touched)
    inside = mapped.union(whos.filter(whos.workspace_id != "").select("workspace_id"), distinct=True)
    core = ibis.union(
        places.semi_join(accounts, "account_id").select("who"),
        whos.select("who"),
        firsts.semi_join(inside, "workspace_id").select("who"),
        distinct=True,
    )
    core = warehouse.create("scope_core", core, temporary=True)
    values = warehouse.table("kept_person_values")
    persons = ibis.union(
        touched.select("person_id"),
        places.semi_join(core, "who").select("person_id"),
        values.semi_join(accounts, "account_id").select("person_id"),
        distinct=True,
    )
    persons = warehouse.create("scope_persons", persons, temporary=True)
    theirs = core.union(places.semi_join(persons, "person_id").select("who"), distinct=True)
    spaces = firsts.semi_join(theirs, "who").select("workspace_id").filter(lambda t: t.workspace_id != "")
    spaces = warehouse.create("scope_workspaces", spaces.union(inside, distinct=True), temporary=True)
    everyone = theirs.union(firsts.semi_join(spaces, "workspace_id").select("who"), distinct=True)
    everyone = warehouse.create("scope_whos", everyone, temporary=True)
    named = firsts.semi_join(everyone, "who").filter(lambda t: t.identified)
    people = ibis.union(
        persons,
        places.semi_join(everyone, "who").select("person_id"),
        named.select(person_id="actor"),
        warehouse.table("people").semi_join(spaces, "workspace_id").select("person_id"),
        distinct=True,
    )
    warehouse.create("scope_people", people, temporary=True)


def _take_in_new_accounts(warehouse: Warehouse) -> int:
    """Accounts that the core's people and workspaces are in now and were not before; returns how many."""
    core, accounts = warehouse.table("scope_core"), warehouse.table("scope_accounts")
    places, mapped = warehouse.table("places"), warehouse.table("workspace_accounts")
    spaces = warehouse.table("kept_workspace_accounts").semi_join(accounts, "account_id")
    now_in = ibis.union(
        places.semi_join(core, "who").select("account_id"),
        mapped.semi_join(spaces, "workspace_id").select("account_id"),
        distinct=True,
    )
    fresh = warehouse.create("scope_grown", now_in.anti_join(accounts, "account_id"), temporary=True)
    return warehouse.insert("scope_accounts", fresh) if warehouse.count(fresh) else 0


def _store(warehouse: Warehouse) -> dict[str, int]:
    """Put the scope's rows in the place of those that were kept; returns how many of each."""
    accounts, counts = warehouse.table("scope_accounts"), {}
    core = warehouse.table("scope_core")
    warehouse.delete("kept_places", core)
    for name in ("person_values", "scored_accounts", "places", "workspace_accounts"):
        kept = warehouse.table(f"kept_{name}")
        rows = warehouse.table(name).semi_join(accounts, "account_id").select(*kept.columns)
        if name == "workspace_accounts":
            warehouse.delete(f"kept_{name}", rows.select("workspace_id"))
        warehouse.delete(f"kept_{name}", accounts.select("account_id"))
        counts[name] = warehouse.insert(f"kept_{name}", rows)
    return counts
