"""Salesforce: accounts, contacts, leads, opportunities with the stages they went through, tasks and events."""

from __future__ import annotations

from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir

from handraise.events.connectors.cells import (
    changed,
    email,
    flag,
    in_order,
    instant,
    joined_name,
    key,
    maybe,
    no_rows,
    passed,
    split,
    text,
    time_text,
    together,
)
from handraise.events.connectors.crm import Book, make_book, own_site
from handraise.events.connectors.protocol import (
    FILE,
    REFUSED,
    Keep,
    SourceTable,
    Stored,
    Tables,
    Translation,
    source_table,
)
from handraise.events.connectors.salesforce_touches import activity_touches, no_owners
from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import FALSE, TRUE, join_on
from handraise.warehouse.hosts import email_host, web_host

_SHORT_ID, _LONG_ID = 15, 18  # the last three signs of a long id only check the first fifteen
_MARKS = (
    "_fivetran_active _fivetran_deleted _fivetran_synced is_deleted last_modified_date system_modstamp created_date"
)
_ACCOUNT = f"website number_of_employees industry billing_country shipping_country owner_id {_MARKS}"
_PERSON = f"first_name last_name name title department lead_source account_id {_MARKS}"
_OPPORTUNITY = f"account_id amount close_date is_closed is_won lead_source loss_reason_c {_MARKS}"
_ACTIVITY = f"account_id what_id owner_id activity_date type {_MARKS}"
_TABLES = (
    source_table(
        "account",
        "accounts",
        "id name owner_id",
        _ACCOUNT,
        without="opportunities and activities find their account only by the work e-mail of their contact",
        instead="account_history",
    ),
    source_table("account_history", "accounts", "id name _fivetran_active", _ACCOUNT),
    source_table(
        "contact",
        "people",
        "id email account_id",
        _PERSON,
        without="no titles for people, and activities name no person",
        instead="contact_history",
    ),
    source_table("contact_history", "people", "id email account_id _fivetran_active", _PERSON),
    source_table(
        "lead",
        "leads",
        "id email company",
        f"is_converted {_PERSON}",
        without="no leads but contacts that nobody in the product is",
    ),
    source_table(
        "opportunity",
        "opportunities",
        "id stage_name",
        _OPPORTUNITY,
        without="no opportunities",
        instead="opportunity_history",
    ),
    source_table(
        "opportunity_history",
        "opportunities",
        "id stage_name",
        f"_fivetran_start opportunity_id {_OPPORTUNITY}",
        without="an opportunity has only its present stage, and does not say since when",
        beside="opportunity",
    ),
    source_table("opportunity_stage", "opportunities", "master_label is_closed is_won", _MARKS),
    source_table(
        "user",
        "accounts",
        "id email username",
        f"name first_name last_name {_MARKS}",
        without="owners keep their Salesforce ids as names",
        beside="account task event",
    ),
    source_table(
        "task",
        "touches",
        "id who_id status",
        f"task_subtype call_type subject is_closed completed_date_time {_ACTIVITY}",
        without="no touches",
        instead="event",
    ),
    source_table(
        "event",
        "touches",
        "id who_id start_date_time",
        f"activity_date_time event_subtype is_child no_show_c {_ACTIVITY}",
    ),
)


@dataclass(frozen=True)
class Salesforce:
    """The connector."""

    name: str = "salesforce"
    tables: tuple[SourceTable, ...] = _TABLES

    def hosts(self, tables: Tables) -> ir.Table:
        """Hosts of accounts' web sites, contacts' and leads' e-mails."""
        sites = [name for name in ("account", "account_history") if name in tables]
        addresses = [name for name in ("contact", "contact_history", "lead") if name in tables]
        found = [
            no_rows(next(iter(tables.values())), host="string"),
            *(tables[name].select(host=web_host(own_site(text(tables[name], "website")))) for name in sites),
            *(tables[name].select(host=email_host(email(tables[name], "email"))) for name in addresses),
        ]
        return together(*found)

    def translate(self, tables: Tables, stored: Stored, keep: Keep) -> Translation:
        """Accounts → accounts, contacts and leads → people and leads, opportunities, tasks and events → touches."""
        owners = _owners(tables)
        companies, gone_companies = _companies(tables, owners)
        contacts, gone_contacts = _contacts(tables)
        book = make_book(self.name, companies, contacts, stored, keep, same_id)
        made = book.translation()
        passed_over = {**made.passed_over, "account": gone_companies, "contact": gone_contacts}
        inputs = {name: rows for name, rows in made.inputs.items() if _feeds(name, tables)}
        deal_accounts = None
        if _has_opportunities(tables):
            deals, passed_over["opportunity"] = _deals(tables)
            deals = keep("deals", join_on(deals, _deal_accounts(deals, book), ["company_ref"]))
            deal_accounts = deals.select("ref", "account_id")
            inputs["opportunities"] = _opportunities(tables, deals, keep)
        touches = activity_touches(tables, book, deal_accounts, owners, keep)
        if touches is not None:
            inputs["touches"], passed_over["activity"] = touches.rows, touches.passed_over
        return replace(made, inputs=inputs, passed_over=passed_over)


def same_id(text: ir.StringValue) -> ir.StringValue:
    """An id of 18 signs and its first 15 are the same record."""
    long = text.length() == _LONG_ID
    short: ir.StringValue = long.ifelse(text.substr(0, _SHORT_ID), text)
    return short


def _has_opportunities(tables: Tables) -> bool:
    """Salesforce's own history of stages does not hold the opportunities themselves; a connector's history does."""
    history = tables.get("opportunity_history")
    return "opportunity" in tables or (history is not None and "opportunity_id" not in history.columns)


def _feeds(name: str, tables: Tables) -> bool:
    sources = ("account", "account_history") if name == "accounts" else ("contact", "contact_history", "lead")
    return any(source in tables for source in sources)


def _present(tables: Tables, name: str) -> tuple[ir.Table, ir.Table] | None:
    """The rows as they are now: of the table, else of its history's rows that are still valid."""
    if name not in tables and f"{name}_history" not in tables:
        return None
    rows = tables[name] if name in tables else tables[f"{name}_history"]
    valid = rows.mutate(_valid=flag(rows, "_fivetran_active").fill_null(TRUE))
    kept, gone = split(valid.filter(valid["_valid"]).drop("_valid"), ["id"])
    return kept, together(gone, passed(valid.filter(~valid["_valid"]), "no longer valid"))


def _owners(tables: Tables) -> ir.Table:
    """owner_ref → owner: the e-mail address, else the name."""
    found = _present(tables, "user")
    if found is None:
        return no_owners(tables)
    rows, _ = found
    name = joined_name(rows, "name", "first_name", "last_name")
    return rows.select(owner_ref=key(rows, "id"), owner=ibis.coalesce(email(rows, "email"), name))


def _companies(tables: Tables, owners: ir.Table) -> tuple[ir.Table, ir.Table]:
    found = _present(tables, "account")
    if found is None:
        nothing = no_rows(next(iter(tables.values())), **{FILE: "string", "reason": "string"})
        texts = dict.fromkeys(("ref", "domain_text", "host", FILE), "string")
        times = dict.fromkeys(("created_at", "changed"), "timestamp(6)")
        return no_rows(nothing, **texts, **times, **{LINE: "int64"}), nothing
    rows, gone = found
    given = {
        "name": maybe(rows, "name"),
        "employees": maybe(rows, "number_of_employees"),
        "industry": maybe(rows, "industry"),
        "country": maybe(rows, "billing_country", "shipping_country"),
    }
    site = own_site(text(rows, "website"))
    form = rows.select(
        FILE,
        LINE,
        ref=key(rows, "id"),
        domain_text=site,
        host=web_host(site),
        created_at=instant(rows, "created_date"),
        changed=changed(rows),
        owner_ref=key(rows, "owner_id"),
        **{column: value for column, value in given.items() if value is not None},
    )
    owned = join_on(form, owners, ["owner_ref"])
    return owned.mutate(owner=ibis.coalesce(owned.owner, owned.owner_ref)).drop("owner_ref"), gone


def _contacts(tables: Tables) -> tuple[ir.Table, ir.Table]:
    """Contacts and leads, which are people alike."""
    forms, passed_over = [], []
    for name in ("contact", "lead"):
        found = _present(tables, name)
        if found is not None:
            forms.append(_people(found[0]))
            passed_over.append(found[1])
    if forms:
        return together(*forms), together(*passed_over)
    nothing = no_rows(next(iter(tables.values())), **{FILE: "string", "reason": "string"})
    texts = dict.fromkeys(("ref", "email", "company_ref", "at", "source", FILE), "string")
    times = dict.fromkeys(("created_at", "changed"), "timestamp(6)")
    return no_rows(nothing, **texts, **times, **{LINE: "int64"}), nothing


def _people(rows: ir.Table) -> ir.Table:
    return rows.select(
        FILE,
        LINE,
        ref=key(rows, "id"),
        email=email(rows, "email"),
        company_ref=key(rows, "account_id"),
        name=joined_name(rows, "name", "first_name", "last_name"),
        title=text(rows, "title"),
        department=text(rows, "department"),
        at=time_text(rows, "created_date"),
        created_at=instant(rows, "created_date"),
        changed=changed(rows),
        source=text(rows, "lead_source"),
    )


def _deals(tables: Tables) -> tuple[ir.Table, ir.Table]:
    """One row per opportunity as it is now, and the rows passed over."""
    name = "opportunity" if "opportunity" in tables else "opportunity_history"
    rows, gone = _present({name.removesuffix("_history"): tables[name]}, "opportunity") or (tables[name], tables[name])
    form = rows.select(
        FILE,
        LINE,
        ref=key(rows, "id"),
        company_ref=key(rows, "account_id"),
        stage=text(rows, "stage_name"),
        created_at=time_text(rows, "created_date"),
        amount=text(rows, "amount"),
        closes_at=time_text(rows, "close_date"),
        closed=flag(rows, "is_closed"),
        won=flag(rows, "is_won"),
        reason=text(rows, "loss_reason_c"),
        source=text(rows, "lead_source"),
    )
    return form, gone


def _deal_accounts(deals: ir.Table, book: Book) -> ir.Table:
    """Company ref → account_id, for the companies of the opportunities."""
    accounts = book.accounts_of.select(company_ref="ref", account_id="account_id")
    return accounts.semi_join(deals, "company_ref")


def _opportunities(tables: Tables, deals: ir.Table, keep: Keep) -> ir.Table:
    """One row per stage entered; an opportunity without history has one row, which does not say since when."""
    history = _history(tables, deals)
    now = deals.mutate(
        stage_at=ibis.null("string"), amount_then=deals.amount, closed_then=deals.closed, won_then=deals.won
    )
    columns = ("ref", FILE, LINE, "stage", "stage_at", "amount_then", "closed_then", "won_then")
    if history is None:
        every = now.select(*columns)
    else:
        entered = keep("entered", history.select(*columns))
        every = together(now.anti_join(entered, "ref").select(*columns), entered)
    facts = deals.select("ref", "account_id", "created_at", "closes_at", "reason", "source")
    rows = join_on(join_on(every, facts, ["ref"]), _outcomes(tables, deals), ["stage"])
    closed = ibis.coalesce(rows.closed_then, rows.stage_closed, FALSE)
    won = ibis.coalesce(rows.won_then, rows.stage_won, FALSE)
    status = ibis.cases((won, "won"), (closed, "lost"), else_="open")
    nothing = ibis.null("string")
    orphan = ibis.literal("the opportunity's account is not in the load")
    rows = rows.mutate(status=status, **{REFUSED: rows.account_id.isnull().ifelse(orphan, nothing)})
    return in_order(
        rows,
        [rows.stage_at, rows.ref],
        {
            "opportunity_id": rows.ref,
            "account_id": rows.account_id,
            "created_at": rows.created_at,
            "stage": rows.stage,
            "stage_at": rows.stage_at,
            "amount": rows.amount_then,
            # Of an open opportunity it is the day that sales hopes for.
            "closed_at": (rows.status != "open").ifelse(ibis.coalesce(rows.closes_at, rows.stage_at), nothing),
            "status": rows.status,
            "reject_reason": (rows.status == "lost").ifelse(rows.reason, nothing),
            "source": rows.source,
        },
    )


def _history(tables: Tables, deals: ir.Table) -> ir.Table | None:
    """The stages entered: ref, the marks, stage, stage_at, and amount and outcome as they were then.

    Salesforce's own table has a row for every change of stage, amount or date (`opportunity_id`, `created_date`); a
    connector's history of the object has a row for every change of anything (`id`, `_fivetran_start`). A row that
    only changes something else in the same stage is no entry.
    """
    if "opportunity_history" not in tables:
        return None
    rows = tables["opportunity_history"]
    own = "opportunity_id" in rows.columns
    since = time_text(rows, "created_date") if own else time_text(rows, "_fivetran_start")
    form = rows.select(
        FILE,
        LINE,
        ref=key(rows, "opportunity_id") if own else key(rows, "id"),
        stage=text(rows, "stage_name"),
        stage_at=since,
        at=instant(rows, *(("created_date",) if own else ("_fivetran_start",))),
        amount_then=text(rows, "amount"),
        closed_then=flag(rows, "is_closed"),
        won_then=flag(rows, "is_won"),
    )
    form = form.filter(form.stage.notnull() & form.stage_at.notnull()).semi_join(deals, "ref")
    before = form.stage.lag().over(ibis.window(group_by="ref", order_by=[form["at"], form[FILE], form[LINE]]))
    form = form.mutate(before=before)
    return form.filter(form.before.isnull() | (form.before != form.stage))


def _outcomes(tables: Tables, deals: ir.Table) -> ir.Table:
    """Stage → whether it closes, and wins: what the list of stages says, else what closed opportunities show."""
    seen = deals.filter(deals.stage.notnull() & deals.closed.notnull())
    shown = seen.group_by("stage").agg(stage_closed=seen.closed.min(), stage_won=seen.won.fill_null(FALSE).min())
    if "opportunity_stage" not in tables:
        return shown
    rows, _ = split(tables["opportunity_stage"], ["master_label"])
    listed = rows.select(
        stage=text(rows, "master_label"), stage_closed=flag(rows, "is_closed"), stage_won=flag(rows, "is_won")
    )
    return together(listed, shown.anti_join(listed, "stage"))
