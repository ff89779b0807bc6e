"""What was said of each account and each person, in the order in which it is believed."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.accounts.domains import refresh_hosts, work_domains
from handraise.playbook.enrichment import ACCOUNTS, COMPANY_FIELDS, PEOPLE, PERSON_FIELDS, PROVIDER
from handraise.playbook.schema import Playbook
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import any_of
from handraise.warehouse.hosts import email_host, web_host
from handraise.warehouse.tables import input_version, read_fact, remake_when_changed

# What tells one thing said from another, in the order that ties are broken by: later knowledge first, then names.
_TOLD = {"domain": "string", "email": "string", "source": "string", "known_at": "timestamp(6)"}
_TYPES = {"employees": "int64"}


def refresh_said(warehouse: Warehouse, playbook: Playbook) -> None:
    """Bring `company_said` and `person_said` up to date.

    company_said: account_id and what one source knew of one of its domains since an instant. A row with an e-mail
        address alone speaks of the company of its work domain; free-mail, disposable and education domains are nobody's.
    person_said: person_id and what one source knew of the person's e-mail address since an instant.

    Both have `place` (within the account or person, 0 = believed first) and `before` (1 = believed before the accounts
    or the people file, else 0). Needs `domain_owners`.
    """
    version = input_version(warehouse, "enrichment")
    made_of = (
        (version, input_version(warehouse, "people"), read_fact(warehouse, "domains_of"), playbook.enrichment.order)
        if version != "0"
        else ()
    )
    remake_when_changed(warehouse, "said_of", repr(made_of), lambda: _make_said(warehouse, playbook, empty=not made_of))


def all_said(warehouse: Warehouse) -> ir.Table:
    """Every row: of files, webhooks and tables, and of providers that were asked."""
    return warehouse.table("enrichment").union(warehouse.table("provider_said"), distinct=False)


def _make_said(warehouse: Warehouse, playbook: Playbook, *, empty: bool) -> None:
    if empty:
        warehouse.create("company_said", _schema("account_id", COMPANY_FIELDS))
        warehouse.create("person_said", _schema("person_id", PERSON_FIELDS))
        return
    rows = all_said(warehouse)
    refresh_hosts(warehouse, rows.select(host=_host(rows)))
    order = playbook.enrichment.order
    companies = _of_accounts(warehouse, playbook)
    warehouse.create("company_said", _ranked(companies, "account_id", COMPANY_FIELDS, order.company, ACCOUNTS))
    warehouse.create("person_said", _ranked(_of_people(warehouse), "person_id", PERSON_FIELDS, order.person, PEOPLE))


def _schema(key: str, fields: tuple[str, ...]) -> ibis.Schema:
    values = {name: _TYPES.get(name, "string") for name in fields}
    return ibis.schema({key: "string", **values, **_TOLD, "before": "int64", "place": "int64"})


def _host(rows: ir.Table) -> ir.StringValue:
    found: ir.StringValue = ibis.coalesce(web_host(rows.domain), email_host(rows.email))
    return found


def _of_accounts(warehouse: Warehouse, playbook: Playbook) -> ir.Table:
    work = work_domains(warehouse.table("email_hosts"), playbook.domains)
    rows = all_said(warehouse)
    hosted = rows.mutate(host=_host(rows)).drop("domain").inner_join(work, "host")
    owners = warehouse.table("domain_owners").select(_owned="domain", _owner="account_id")
    owned = hosted.left_join(owners, hosted.domain == owners["_owned"])
    account = ibis.coalesce(owned["_owner"], ibis.literal("domain:").concat(owned.domain))
    return owned.select(*COMPANY_FIELDS, *_TOLD, account_id=account)


def _of_people(warehouse: Warehouse) -> ir.Table:
    rows, people = all_said(warehouse), warehouse.table("people")
    addressed = people.select("person_id", address=people.email.strip().lower())
    said = rows.filter(rows.email.notnull()).mutate(_address=rows.email.strip().lower())
    joined = said.inner_join(addressed, said["_address"] == addressed.address)
    return joined.select(*PERSON_FIELDS, *_TOLD, "person_id")


def _ranked(rows: ir.Table, key: str, fields: tuple[str, ...], order: tuple[str, ...], own: str) -> ir.Table:
    """In the order of belief; sources that the order does not name are left out."""
    named = [(rows.source == source, place) for place, source in enumerate(order) if source not in {PROVIDER, own}]
    others = ibis.literal(order.index(PROVIDER)) if PROVIDER in order else ibis.null("int64")
    rank = ibis.cases(*named, else_=others) if named else others
    said = rows.filter(any_of(*(rows[name].notnull() for name in fields))).mutate(_rank=rank.cast("int64"))
    said = said.filter(said["_rank"].notnull())
    order_by = [said["_rank"], said.known_at.desc(), said.source, said.domain, said.email]
    place = ibis.row_number().over(ibis.window(group_by=said[key], order_by=order_by))
    before = (said["_rank"] < order.index(own)).cast("int64")
    return said.select(key, *fields, *_TOLD, before=before, place=place.cast("int64"))
