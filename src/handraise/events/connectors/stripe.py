"""Stripe: customers → whose they are, subscriptions with their items and prices → plan, money a month, seats."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from handraise.events.connectors.cells import (
    changed,
    email,
    first_of,
    flag,
    instant,
    key,
    no_rows,
    number,
    passed,
    split,
    text,
    together,
)
from handraise.events.connectors.crm import host_accounts, make_book
from handraise.events.connectors.protocol import (
    FILE,
    Keep,
    SourceTable,
    Stored,
    Tables,
    Translation,
    source_table,
)
from handraise.events.connectors.stripe_money import monthly_items
from handraise.events.connectors.stripe_terms import canonical_rows, one_per_key, phases
from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import FALSE, TRUE, checked_object, join_on, property_text
from handraise.warehouse.hosts import email_host

_NEVER_BEGAN = ("incomplete", "incomplete_expired")
_ACCOUNT_KEYS = ("account_id", "accountId")
_WORKSPACE_KEYS = ("workspace_id", "workspaceId")
_MARKS = "_fivetran_deleted _fivetran_synced is_deleted livemode created metadata"
_META = " ".join(f"metadata_{name}" for name in ("account_id", "workspace_id"))
_SUBSCRIPTION = (
    f"start_date ended_at canceled_at trial_start trial_end quantity plan_id billing collection_method {_META} {_MARKS}"
)
_PRICE = f"currency nickname product_id billing_scheme {_MARKS}"
_TABLES = (
    source_table(
        "customer",
        "subscriptions",
        "id email",
        f"name {_META} {_MARKS}",
        without="subscriptions find their account only by their own metadata",
        beside="subscription subscription_history",
    ),
    source_table(
        "subscription",
        "subscriptions",
        "id customer_id status",
        _SUBSCRIPTION,
        without="nothing is loaded from Stripe",
        instead="subscription_history",
    ),
    source_table(
        "subscription_history",
        "subscriptions",
        "id customer_id status _fivetran_active",
        f"_fivetran_start {_SUBSCRIPTION}",
    ),
    source_table(
        "subscription_item",
        "subscriptions",
        "id subscription_id quantity",
        f"plan_id price_id {_MARKS}",
        without="only subscriptions that hold their plan themselves have a plan, seats and money",
        beside="subscription subscription_history",
    ),
    source_table(
        "price",
        "subscriptions",
        "id unit_amount",
        f"unit_amount_decimal recurring_interval recurring_interval_count recurring_usage_type {_PRICE}",
        without="subscriptions bring no money that could be told",
        instead="plan",
        beside="subscription_item",
    ),
    source_table("plan", "subscriptions", "id amount interval", f"amount_decimal interval_count usage_type {_PRICE}"),
    source_table(
        "product",
        "subscriptions",
        "id name livemode",
        _MARKS,
        without="a plan without a nickname is called by its id",
        beside="price plan",
    ),
    source_table(
        "invoice",
        "subscriptions",
        "id customer_id subscription_id",
        f"collection_method {_MARKS}",
        without="the channel is known only of subscriptions that say how they are collected",
        beside="subscription subscription_history",
    ),
)


@dataclass(frozen=True)
class Stripe:
    """The connector."""

    name: str = "stripe"
    tables: tuple[SourceTable, ...] = _TABLES

    def hosts(self, tables: Tables) -> ir.Table:
        """Hosts of customers' e-mails."""
        if "customer" not in tables:
            return no_rows(next(iter(tables.values())), host="string")
        return tables["customer"].select(host=email_host(email(tables["customer"], "email")))

    def translate(self, tables: Tables, stored: Stored, keep: Keep) -> Translation:
        """Subscriptions → subscriptions; customers that belong to nobody known → accounts."""
        names = [name for name in ("subscription", "subscription_history") if name in tables]
        if not names:
            return Translation(inputs={})
        customers, gone_customers = _customers(tables)
        customers = keep("customers", customers)
        subscriptions, gone = _subscriptions(tables, names[0])
        subscriptions = keep("stripe_subscriptions", subscriptions)
        owners = keep("owners", _owners(customers, stored))
        accounts, accounts_of = _new_accounts(self.name, customers, subscriptions, owners, stored, keep)
        rows = join_on(subscriptions, join_on(owners, accounts_of, ["customer_ref"]), ["customer_ref"])
        rows = rows.mutate(
            account_id=rows.meta_workspace.isnull().ifelse(
                ibis.coalesce(rows.meta_account, rows.of_account, rows.fresh), rows.meta_account
            ),
            workspace_id=rows.meta_account.isnull().ifelse(
                ibis.coalesce(rows.meta_workspace, rows.of_workspace), ibis.null("string")
            ),
        )
        items = keep("items", monthly_items(tables, subscriptions))
        rows = keep("billed", join_on(join_on(rows, _billed(items), ["ref"]), _by_invoice(tables), ["ref"]))
        standing = keep("standing", one_per_key(phases(rows)))
        return Translation(
            inputs={"accounts": accounts, "subscriptions": canonical_rows(standing, stored)},
            passed_over={"customer": gone_customers, "subscription": gone},
            notes=(_currencies(items),),
        )


def _meta(rows: ir.Table, names: tuple[str, ...]) -> ir.StringValue:
    """A value of the metadata, kept as JSON or in columns of their own."""
    found = [text(rows, *(f"metadata_{name}" for name in names))]
    if "metadata" in rows.columns:
        document = checked_object(text(rows, "metadata"))
        found += [property_text(document, name).strip().nullif("") for name in names]
    value: ir.StringValue = ibis.coalesce(*found)
    return value


def _real(rows: ir.Table) -> tuple[ir.Table, ir.Table]:
    """Rows of the live system, and those of its test mode as passed over."""
    marked = rows.mutate(_live=flag(rows, "livemode").fill_null(TRUE))
    live, test = marked.filter(marked["_live"]).drop("_live"), marked.filter(~marked["_live"])
    return live, passed(test, "made in Stripe's test mode")


def _customers(tables: Tables) -> tuple[ir.Table, ir.Table]:
    """Customers, deleted ones too: their subscriptions stay what they were."""
    if "customer" not in tables:
        texts = dict.fromkeys(("customer_ref", "email", "name", "meta_account", "meta_workspace", FILE), "string")
        times = dict.fromkeys(("created_at", "changed"), "timestamp(6)")
        like = next(iter(tables.values()))
        nothing = no_rows(like, **texts, **times, deleted="boolean", **{LINE: "int64"})
        return nothing, no_rows(like, **{FILE: "string", "reason": "string"})
    live, test = _real(tables["customer"])
    rows, gone = split(live.mutate(_gone=flag(live, "is_deleted", "_fivetran_deleted")).drop(
        *(c for c in ("is_deleted", "_fivetran_deleted") if c in live.columns)), ["id"])  # fmt: skip
    form = rows.select(
        FILE,
        LINE,
        customer_ref=key(rows, "id"),
        email=email(rows, "email"),
        name=text(rows, "name"),
        meta_account=_meta(rows, _ACCOUNT_KEYS),
        meta_workspace=_meta(rows, _WORKSPACE_KEYS),
        created_at=instant(rows, "created"),
        changed=changed(rows),
        deleted=rows["_gone"].fill_null(FALSE),
    )
    return form, together(gone, test)


def _subscriptions(tables: Tables, name: str) -> tuple[ir.Table, ir.Table]:
    """One row per subscription as it is now."""
    live, test = _real(tables[name])
    valid = live.mutate(_valid=flag(live, "_fivetran_active").fill_null(TRUE))
    rows, gone = split(valid.filter(valid["_valid"]).drop("_valid"), ["id"])
    gone = together(gone, test, passed(valid.filter(~valid["_valid"]), "no longer valid"))
    status = text(rows, "status").lower().fill_null("active")
    marked = rows.mutate(_status=status)
    began = marked.filter(~marked["_status"].isin(_NEVER_BEGAN))
    gone = together(gone, passed(marked.filter(marked["_status"].isin(_NEVER_BEGAN)), "never paid for, so never begun"))
    method = text(began, "collection_method", "billing").lower()
    ended = instant(began, "ended_at")
    canceled = (began["_status"] == "canceled").ifelse(instant(began, "canceled_at"), ibis.null("timestamp(6)"))
    form = began.select(
        FILE,
        LINE,
        ref=key(began, "id"),
        customer_ref=key(began, "customer_id"),
        status=began["_status"],
        meta_account=_meta(began, _ACCOUNT_KEYS),
        meta_workspace=_meta(began, _WORKSPACE_KEYS),
        starts=ibis.coalesce(instant(began, "start_date"), instant(began, "created")),
        ends=ibis.coalesce(ended, canceled),
        trial_end=instant(began, "trial_end"),
        price_ref=text(began, "plan_id"),
        quantity=number(began, "quantity"),
        method=ibis.cases((method == "send_invoice", "sales"), (method == "charge_automatically", "self_serve"),
                          else_=ibis.null("string")),
    )  # fmt: skip
    return form, gone


def _owners(customers: ir.Table, stored: Stored) -> ir.Table:
    """customer_ref → of_account or of_workspace: metadata, work domain of an account, known person's workspace."""
    nowhere = no_rows(customers, ref="string", account_id="string", domain="string")
    people = stored("people").filter(lambda row: row.email.notnull())
    persons = _persons(people)
    rows = customers.mutate(host=email_host(customers.email))
    rows = join_on(rows, host_accounts(nowhere, stored), ["host"])
    rows = join_on(rows, persons, ["email"])
    rows = join_on(rows, stored("work_domains").select("host", work="domain"), ["host"])
    lonely = rows.work.isnull() & rows.workspace_id.isnull() & rows.person_id.notnull()
    person = lonely.ifelse(ibis.literal("person:").concat(rows.person_id), ibis.null("string"))
    by_workspace = rows.meta_account.isnull() & rows.meta_workspace.isnull() & rows.of_host.isnull()
    return rows.select(
        "customer_ref",
        of_account=rows.meta_workspace.isnull().ifelse(
            ibis.coalesce(rows.meta_account, rows.of_host, person), rows.meta_account
        ),
        of_workspace=by_workspace.ifelse(
            rows.workspace_id, rows.meta_account.isnull().ifelse(rows.meta_workspace, ibis.null("string"))
        ),
    )


def _persons(people: ir.Table) -> ir.Table:
    """E-mail → a person of the product, one with a workspace before others, and that workspace."""
    rows = people.select("person_id", "workspace_id", email=people.email.strip().lower())
    return first_of(rows, "email", [rows.workspace_id.isnull(), rows.person_id])


def _new_accounts(
    name: str, customers: ir.Table, subscriptions: ir.Table, owners: ir.Table, stored: Stored, keep: Keep
) -> tuple[ir.Table, ir.Table]:
    """Accounts of customers with a subscription that are nobody known, and customer_ref → that account (`fresh`)."""
    nobody = owners.filter(owners.of_account.isnull() & owners.of_workspace.isnull())
    rows = customers.semi_join(nobody, "customer_ref").semi_join(subscriptions, "customer_ref")
    rows = rows.filter(~rows.deleted)
    work = stored("work_domains")
    hosted = join_on(rows.mutate(host=email_host(rows.email)), work.select("host", "domain"), ["host"])
    companies = hosted.select(
        FILE,
        LINE,
        "name",
        "created_at",
        "changed",
        ref=hosted.customer_ref,
        domain_text=hosted.domain,
        host=hosted.domain.notnull().ifelse(hosted.host, ibis.null("string")),
    )
    texts = dict.fromkeys(("ref", "email", "company_ref", "at", "source", FILE), "string")
    times = dict.fromkeys(("created_at", "changed"), "timestamp(6)")
    contacts = no_rows(customers, **texts, **times, **{LINE: "int64"})
    book = make_book(name, companies, contacts, stored, keep, same_id=lambda text: text)
    accounts = book.translation().inputs["accounts"].drop("crm_id")
    return accounts, book.accounts_of.select(customer_ref="ref", fresh="account_id")


def _billed(items: ir.Table) -> ir.Table:
    """Subscription ref → mrr of all items; plan, seats of the one that costs most."""
    total = items.group_by("ref").agg(mrr=items.monthly.sum())
    main = first_of(items, "ref", [items.monthly.fill_null(-1.0).desc(), items.item])
    return join_on(main.select("ref", "plan", "seats"), total, ["ref"])


def _by_invoice(tables: Tables) -> ir.Table:
    """Subscription ref → channel: sales where an invoice was sent to be paid."""
    if "invoice" not in tables or "collection_method" not in tables["invoice"].columns:
        return no_rows(next(iter(tables.values())), ref="string", invoiced="string")
    rows = tables["invoice"]
    sent = text(rows, "collection_method") == "send_invoice"
    known = rows.select(ref=key(rows, "subscription_id"), sent=sent.fill_null(FALSE)).filter(
        lambda row: row.ref.notnull()
    )
    by_ref = known.group_by("ref").agg(sent=known.sent.max())
    return by_ref.select("ref", invoiced=by_ref.sent.ifelse("sales", "self_serve"))


def _currencies(items: ir.Table) -> ir.Table:
    """A note when prices are in several currencies."""
    kinds = items.filter(items.currency.notnull() & items.monthly.notnull()).select("currency").distinct()
    counted = kinds.aggregate(n=kinds.count(), names=kinds.currency.group_concat(", ", order_by=kinds.currency))
    several = counted.filter(counted.n > 1)
    words = (
        ibis.literal("prices are in ").concat(several.n.cast("string")).concat(" currencies (").concat(several.names)
    )
    return several.select(note=words.concat("): every mrr is in its own, and adding them up says nothing"))
