"""Whom a provider is to be asked about: only who is worth it, only work domains, and only where something is missing."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.playbook.enrichment import HttpProvider, Worth
from handraise.playbook.schema import Playbook
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import FALSE, any_of
from handraise.warehouse.hosts import web_host

_OF_DOMAIN = "domain:"


def hold_worth(warehouse: Warehouse, worth: Worth) -> None:
    """The temporary table `worth_accounts`: account_id, urgent (somebody is asked to act), tier, score.

    Needs `scored_accounts` and `under_way` (account_id of handoffs under way).
    """
    scored = warehouse.table("scored_accounts").select("account_id", "tier", "score")
    under_way = warehouse.table("under_way").select("account_id", _under_way=ibis.literal(value=True))
    rows = scored.left_join(under_way, "account_id")
    urgent = rows["_under_way"].fill_null(FALSE)
    takes = [urgent] if worth.handoff else []
    takes += [rows.tier.isin(list(worth.tiers))] if worth.tiers else []
    takes += [rows.score >= worth.score] if worth.score is not None else []
    found = rows.mutate(urgent=urgent).filter(any_of(*takes))
    warehouse.create("worth_accounts", found.select("account_id", "urgent", "tier", "score"), temporary=True)


def worth_companies(warehouse: Warehouse) -> ir.Table:
    """account_id, subject (its work domain; the main one of several), urgent, tier, score, and the accounts file's fields."""
    owners, hosts = warehouse.table("domain_owners"), warehouse.table("email_hosts")
    rows = warehouse.table("accounts")
    own = rows.select("account_id", "name", "employees", "industry", "country", _host=web_host(rows.domain))
    main = own.left_join(hosts.select(_host="host", _main="domain"), "_host").drop("_host")
    named = owners.left_join(main.select("account_id", "_main"), "account_id")
    order = [named["_main"].identical_to(named.domain).cast("int64").desc(), named.domain]
    place = ibis.row_number().over(ibis.window(group_by=named.account_id, order_by=order))
    first = named.mutate(_place=place).filter(lambda t: t["_place"] == 0).select("account_id", subject="domain")
    worth = warehouse.table("worth_accounts")
    by_id = worth.filter(worth.account_id.startswith(_OF_DOMAIN))
    alone = by_id.select("account_id", subject=by_id.account_id.substr(len(_OF_DOMAIN)))
    domains = first.union(alone.anti_join(first, "account_id"), distinct=False)
    return worth.inner_join(domains, "account_id").left_join(main.drop("_main"), "account_id").drop("account_id_right")


def worth_people(warehouse: Warehouse, playbook: Playbook) -> ir.Table:
    """person_id, subject (e-mail address), urgent, tier, score, and the people file's fields.

    Of accounts that are worth it, people of a selling band with an address of a work domain.
    """
    scored = warehouse.table("scored_people")
    selling = scored.filter(scored.known & scored.band.isin(list(playbook.selling_bands)))
    placed = selling.select("person_id", "account_id").inner_join(warehouse.table("worth_accounts"), "account_id")
    best = placed.group_by("person_id").agg(
        urgent=placed.urgent.max(), tier=placed.tier.min(), score=placed.score.max()
    )
    people = warehouse.table("people").semi_join(warehouse.table("person_domains"), "person_id")
    rows = people.select("person_id", "title", "department", "seniority", subject=people.email.strip().lower())
    return best.inner_join(rows, "person_id")


def due(worth: ir.Table, settings: HttpProvider, fresh: ir.Table) -> ir.Table:
    """Those of whom something is missing and the provider said nothing lately, the most urgent first.

    Args:
        worth: As one of the two above gives it.
        settings: The provider's.
        fresh: subject of those about whom its answer is still fresh.
    """
    rows = worth.anti_join(fresh, "subject")
    if settings.missing_only:
        missing = [
            rows[name].isnull() if name in rows.columns else ibis.literal(value=True) for name in settings.fields
        ]
        rows = rows.filter(any_of(*missing))
    person = {"person_id": rows.person_id.min()} if "person_id" in rows.columns else {}
    best = {"urgent": rows.urgent.max(), "tier": rows.tier.min(), "score": rows.score.max()}
    subjects = rows.group_by("subject").agg(**person, **best)
    return subjects.order_by(subjects.urgent.desc(), subjects.tier, subjects.score.desc(), subjects.subject)
