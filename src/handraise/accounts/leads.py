"""Marketing's leads, joined to the usage of their company: by their person, else by their work e-mail domain."""

from __future__ import annotations

import ibis

from handraise.accounts.domains import refresh_hosts, work_domains
from handraise.playbook.schema import Domains
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.hosts import email_host
from handraise.warehouse.tables import input_version, remake_when_changed


def find_lead_accounts(warehouse: Warehouse, additions: Domains) -> None:
    """The temporary table `lead_accounts`: email, at, source, account_id of leads that belong to a company.

    Reads `domain_owners` and the `places` of the last run of the path. A lead with neither a person nor a work domain
    is nobody's, and is not in it.
    """
    leads = warehouse.table("leads")
    made_of = f"{input_version(warehouse, 'leads')} {additions!r}"
    remake_when_changed(
        warehouse,
        "hosts_of_leads",
        made_of,
        lambda: refresh_hosts(warehouse, leads.select(host=email_host(leads.email))),
    )
    warehouse.once_built(f"lead accounts {additions!r}", lambda: _make(warehouse, additions))


def _make(warehouse: Warehouse, additions: Domains) -> None:
    leads = warehouse.table("leads")
    work = work_domains(warehouse.table("email_hosts"), additions)
    hosted = leads.mutate(host=email_host(leads.email)).left_join(work, "host")
    owned = hosted.left_join(warehouse.table("domain_owners"), "domain")
    by_domain = ibis.coalesce(owned.account_id, ibis.literal("domain:").concat(owned.domain))
    named = owned.select("email", "at", "source", by_domain=by_domain)
    people, places = warehouse.table("people"), warehouse.table("places")
    homes = people.select("person_id", address=people.email.lower()).inner_join(places, "person_id")
    home = homes.group_by("address").agg(by_person=homes.account_id.min())
    joined = named.left_join(home, named.email.lower() == home.address)
    found = joined.select("email", "at", "source", account_id=ibis.coalesce(joined.by_person, joined.by_domain))
    warehouse.create("lead_accounts", found.filter(found.account_id.notnull()), temporary=True)
