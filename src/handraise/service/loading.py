"""Load files of every kind: the product's own first, then what CRM and billing say about the same companies."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.accounts.domains import account_hosts, domain_owners, refresh_hosts, work_domains
from handraise.events.connector_intake import load_tables
from handraise.events.connectors.protocol import Stored
from handraise.events.connectors.salesforce import same_id
from handraise.events.formats.batches import LINE
from handraise.events.formats.files import InputFile
from handraise.events.intake import FileCount, Progress, load_files
from handraise.events.registry import CONNECTORS
from handraise.events.store import remove_entities, store_entities
from handraise.playbook.schema import Domains, Playbook
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import any_of
from handraise.warehouse.tables import INPUTS, Renames

_NAMES = tuple(connector.name for connector in CONNECTORS)


def load_everything(
    warehouse: Warehouse, files: list[InputFile], playbook: Playbook, renames: Renames, progress: Progress | None
) -> tuple[list[FileCount], list[str]]:
    """Load files; returns the counts and what else there is to know.

    Raises:
        InputError: A file is unreadable as a whole; what was loaded before it stays loaded.
    """
    own = [file for file in files if file.format not in _NAMES]
    counts = load_files(warehouse, own, renames=renames, progress=progress)
    notes: list[str] = []
    for connector in CONNECTORS:
        theirs = [file for file in files if file.format == connector.name]
        if theirs:
            loaded = load_tables(
                warehouse,
                connector,
                theirs,
                prepare=lambda hosts: _stored(warehouse, playbook.domains, hosts),
                progress=progress,
            )
            counts += loaded.counts
            notes += loaded.notes
    with warehouse.transaction():
        joined = settle_accounts(warehouse, playbook.domains)
    if joined:
        notes.append(f"{joined} accounts from CRM or billing are accounts of the product now.")
    return counts, notes


def _stored(warehouse: Warehouse, additions: Domains, hosts: ir.Table) -> Stored:
    """Stored inputs by name, and `work_domains` and `domain_owners` with the given hosts looked up."""
    refresh_hosts(warehouse, hosts)
    work = work_domains(warehouse.table("email_hosts"), additions)
    made = {
        "work_domains": warehouse.create("known_work_domains", work, temporary=True),
        "domain_owners": warehouse.create(
            "known_domain_owners", domain_owners(warehouse.table("accounts"), work), temporary=True
        ),
    }

    def stored(name: str) -> ir.Table:
        return made[name] if name in made else warehouse.table(name)

    return stored


def settle_accounts(warehouse: Warehouse, additions: Domains) -> int:
    """An account that a CRM or billing system brought gives way to the product's own account of the same company.

    The company is the same when the product's account names the CRM's id, or owns the work domain. The product's
    values stay, what it lacks is filled in, and everything that hung on the other account moves over. So it does not
    matter which of them was loaded first.

    Returns:
        How many accounts gave way.
    """
    accounts = warehouse.table("accounts")
    brought = any_of(*(accounts.account_id.startswith(f"{name}:") for name in _NAMES))
    if not warehouse.count(accounts.filter(brought)):
        return 0
    refresh_hosts(warehouse)
    work = work_domains(warehouse.table("email_hosts"), additions)
    moved = warehouse.create(
        "moved_accounts", _moved(accounts.filter(brought), accounts.filter(~brought), work), temporary=True
    )
    gone = warehouse.count(moved)
    if gone:
        _complete(warehouse, moved)
        for item in INPUTS.values():
            if "account_id" in item.columns and item.name != "accounts":
                _move(warehouse, item.name, moved)
    return gone


def _moved(brought: ir.Table, own: ir.Table, work: ir.Table) -> ir.Table:
    """old_id → new_id of every brought account that is one of the product's own."""
    with_id = own.filter(own.crm_id.notnull())
    named = with_id.group_by(crm_key=same_id(with_id.crm_id)).agg(by_crm=with_id.account_id.min())
    hosts = (
        account_hosts(brought)
        .inner_join(work, "host")
        .inner_join(domain_owners(own, work).select("domain", by_domain="account_id"), "domain")
    )
    owners = hosts.group_by("account_id").agg(by_domain=hosts.by_domain.min())
    ids = brought.select(old_id="account_id", crm_key=same_id(brought.crm_id))
    rows = ids.left_join(named, "crm_key").select("old_id", "by_crm")
    rows = rows.left_join(owners, rows.old_id == owners.account_id)
    found = rows.select("old_id", new_id=ibis.coalesce(rows.by_crm, rows.by_domain))
    return found.filter(found.new_id.notnull())


def _complete(warehouse: Warehouse, moved: ir.Table) -> None:
    """Fill what the product's rows lack from the rows that give way, and remove these."""
    accounts = warehouse.table("accounts")
    values = [column for column in INPUTS["accounts"].columns if column not in {"account_id", "created_at"}]
    old = accounts.inner_join(moved, accounts.account_id == moved.old_id)
    had = accounts.select(new_id="account_id", **{f"had_{c}": accounts[c] for c in values})
    both = old.inner_join(had, "new_id")
    lacking = both.select(
        account_id="new_id",
        **{c: both[f"had_{c}"].isnull().ifelse(both[c], ibis.null(both[c].type())) for c in values},
        created_at=ibis.null("timestamp(6)"),
        **{LINE: ibis.row_number().over(ibis.window(order_by="old_id"))},
    )
    rows = warehouse.create("completed_accounts", lacking, temporary=True)
    remove_entities(warehouse, INPUTS["accounts"], moved.select(account_id="old_id"))
    store_entities(warehouse, INPUTS["accounts"], rows, LINE)


def _move(warehouse: Warehouse, name: str, moved: ir.Table) -> None:
    stored, item = warehouse.table(name), INPUTS[name]
    found = stored.inner_join(moved, stored.account_id == moved.old_id)
    columns = {c: found[c] for c in item.columns if c != "account_id"}
    line = ibis.row_number().over(ibis.window(order_by="old_id"))
    rows = warehouse.create("moved_rows", found.select(account_id="new_id", **columns, **{LINE: line}), temporary=True)
    if warehouse.count(rows):
        remove_entities(warehouse, item, moved.select(account_id="old_id"))
        store_entities(warehouse, item, rows, LINE)
