"""HubSpot: companies, contacts, deals with the stages they went through, and engagements."""

from __future__ import annotations

from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir

from handraise.events.connectors.cells import (
    changed,
    email,
    first_of,
    flag,
    in_order,
    instant,
    joined_name,
    key,
    maybe,
    no_rows,
    number,
    passed,
    split,
    text,
    time_text,
    together,
)
from handraise.events.connectors.crm import Book, make_book, own_site
from handraise.events.connectors.hubspot_touches import engagement_touches
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
from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import FALSE, join_on
from handraise.warehouse.hosts import email_host, web_host

_PRIMARY_COMPANY = "5"  # the type of the link from a deal to its primary company
_STAGE_PROPERTY = "dealstage"
_SYNCED = "_fivetran_deleted _fivetran_synced is_deleted archived"
_ENGAGEMENT = (
    f"{_SYNCED} property_hs_timestamp property_hs_createdate property_hubspot_owner_id owner_id "
    "property_hs_call_direction property_hs_email_direction property_hs_meeting_start_time property_hs_meeting_outcome "
    "start_time meeting_outcome property_hs_communication_channel_type"
)
_ENGAGEMENTS = "engagement_call engagement_email engagement_meeting engagement_communication"
_TABLES = (
    source_table(
        "company",
        "accounts",
        "id property_name",
        f"property_domain property_website property_numberofemployees property_industry property_country "
        f"property_createdate property_hubspot_owner_id owner_id property_hs_lastmodifieddate {_SYNCED}",
        without="deals and engagements find their account only by the work e-mail of their contacts",
    ),
    source_table(
        "contact",
        "people",
        "id property_email",
        f"property_firstname property_lastname property_jobtitle property_department property_job_function "
        f"property_seniority property_hs_seniority property_associatedcompanyid property_createdate "
        f"property_hs_analytics_source property_lead_source property_hs_lastmodifieddate {_SYNCED}",
        without="no titles for people, no leads, and engagements name no person",
    ),
    source_table(
        "deal",
        "opportunities",
        "deal_id deal_pipeline_stage_id",
        f"property_amount property_closedate property_createdate property_hs_analytics_source "
        f"property_closed_lost_reason property_hs_lastmodifieddate {_SYNCED}",
        without="no opportunities",
    ),
    source_table(
        "deal_company",
        "opportunities",
        "deal_id company_id",
        f"type_id {_SYNCED}",
        without="a deal finds its account only through its contacts",
        beside="deal",
    ),
    source_table("deal_contact", "opportunities", "deal_id contact_id", _SYNCED),
    source_table(
        "deal_pipeline_stage",
        "opportunities",
        "stage_id label",
        f"is_closed closed_won probability {_SYNCED}",
        without="stages keep their ids as names, and every deal counts as open",
        beside="deal",
    ),
    source_table("deal_stage", "opportunities", "deal_id value", f"date_entered _fivetran_start {_SYNCED}"),
    source_table(
        "deal_property_history",
        "opportunities",
        "deal_id name value timestamp",
        _SYNCED,
        without="a deal has only its present stage, and does not say since when",
        instead="deal_stage",
        beside="deal",
    ),
    source_table("merged_deal", "opportunities", "deal_id merged_deal_id", _SYNCED),
    source_table("contact_merge_audit", "people", "vid_to_merge", _SYNCED),
    source_table(
        "owner",
        "accounts",
        "owner_id email",
        f"first_name last_name {_SYNCED}",
        without="owners keep their HubSpot ids as names",
        beside=f"company {_ENGAGEMENTS}",
    ),
    source_table("engagement", "touches", "id type", f"active owner_id timestamp created_at {_SYNCED}"),
    source_table(
        "engagement_call",
        "touches",
        "engagement_id",
        _ENGAGEMENT,
        without="no touches",
        instead="engagement_email engagement_meeting engagement_communication",
    ),
    source_table("engagement_email", "touches", "engagement_id", _ENGAGEMENT),
    source_table("engagement_meeting", "touches", "engagement_id", _ENGAGEMENT),
    source_table("engagement_communication", "touches", "engagement_id", _ENGAGEMENT),
    source_table(
        "engagement_contact",
        "touches",
        "engagement_id contact_id",
        _SYNCED,
        without="touches name no person, and no replies are seen",
        beside=_ENGAGEMENTS,
    ),
    source_table("engagement_company", "touches", "engagement_id company_id", _SYNCED),
    source_table("engagement_deal", "touches", "engagement_id deal_id", _SYNCED),
)


@dataclass(frozen=True)
class HubSpot:
    """The connector."""

    name: str = "hubspot"
    tables: tuple[SourceTable, ...] = _TABLES

    def hosts(self, tables: Tables) -> ir.Table:
        """Hosts of companies' domains and contacts' e-mails."""
        found = []
        if "company" in tables:
            found.append(tables["company"].select(host=web_host(_domain(tables["company"]))))
        if "contact" in tables:
            found.append(tables["contact"].select(host=email_host(email(tables["contact"], "property_email"))))
        return together(*found) if found else no_rows(next(iter(tables.values())), host="string")

    def translate(self, tables: Tables, stored: Stored, keep: Keep) -> Translation:
        """Companies → accounts, contacts → people and leads, deals → opportunities, engagements → touches."""
        owners = _owners(tables)
        companies, gone_companies = _companies(tables, owners)
        contacts, gone_contacts = _contacts(tables)
        book = make_book(self.name, companies, contacts, stored, keep, same_id=lambda text: text)
        made = book.translation()
        passed_over = {**made.passed_over, "company": gone_companies, "contact": gone_contacts}
        inputs = {name: rows for name, rows in made.inputs.items() if _feeds(name, tables)}
        deal_accounts = None
        if "deal" in tables:
            deals, passed_over["deal"] = _deals(tables)
            deals = keep("deals", join_on(deals, _deal_accounts(tables, book), ["ref"]))
            deal_accounts = deals.select("ref", "account_id")
            inputs["opportunities"] = _opportunities(tables, deals, keep)
        touches = engagement_touches(tables, book, deal_accounts, owners, keep)
        if touches is not None:
            inputs["touches"], passed_over["engagement"] = touches.rows, touches.passed_over
        return replace(made, inputs=inputs, passed_over=passed_over)


def _feeds(name: str, tables: Tables) -> bool:
    return ("company" if name == "accounts" else "contact") in tables


def _domain(rows: ir.Table) -> ir.StringValue:
    return own_site(text(rows, "property_domain", "property_website"))


def _owners(tables: Tables) -> ir.Table:
    """owner_ref → owner: the e-mail address, else the name."""
    if "owner" not in tables:
        return no_rows(next(iter(tables.values())), owner_ref="string", owner="string")
    rows, _ = split(tables["owner"], ["owner_id"])
    name = joined_name(rows, "name", "first_name", "last_name")
    return rows.select(owner_ref=key(rows, "owner_id"), owner=ibis.coalesce(email(rows, "email"), name))


def _companies(tables: Tables, owners: ir.Table) -> tuple[ir.Table, ir.Table]:
    nothing = no_rows(next(iter(tables.values())), **{FILE: "string", "reason": "string"})
    if "company" not in tables:
        texts = dict.fromkeys(("ref", "domain_text", "host", FILE), "string")
        times = dict.fromkeys(("created_at", "changed"), "timestamp(6)")
        return no_rows(nothing, **texts, **times, **{LINE: "int64"}), nothing
    rows, gone = split(tables["company"], ["id"])
    # `COMPUTER_SOFTWARE` is how HubSpot writes its own list of industries.
    industry = text(rows, "property_industry")
    words = industry.re_search(r"^[A-Z0-9_]+$").ifelse(industry.replace("_", " ").lower(), industry)
    given = {
        "name": maybe(rows, "property_name"),
        "employees": maybe(rows, "property_numberofemployees"),
        "industry": words if "property_industry" in rows.columns else None,
        "country": maybe(rows, "property_country"),
    }
    form = rows.select(
        FILE,
        LINE,
        ref=key(rows, "id"),
        domain_text=_domain(rows),
        host=web_host(_domain(rows)),
        created_at=instant(rows, "property_createdate"),
        changed=changed(rows),
        owner_ref=key(rows, "property_hubspot_owner_id", "owner_id"),
        **{column: value for column, value in given.items() if value is not None},
    )
    owned = join_on(form, owners, ["owner_ref"])
    return owned.mutate(owner=ibis.coalesce(owned.owner, owned.owner_ref)).drop("owner_ref"), gone


def _contacts(tables: Tables) -> tuple[ir.Table, ir.Table]:
    nothing = no_rows(next(iter(tables.values())), **{FILE: "string", "reason": "string"})
    if "contact" not in tables:
        texts = dict.fromkeys(("ref", "email", "company_ref", "at", "source", FILE), "string")
        times = dict.fromkeys(("created_at", "changed"), "timestamp(6)")
        return no_rows(nothing, **texts, **times, **{LINE: "int64"}), nothing
    rows, gone = split(tables["contact"], ["id"])
    if "contact_merge_audit" in tables:
        losers = tables["contact_merge_audit"]
        rows, merged = _without(rows, "id", losers.select(loser=key(losers, "vid_to_merge")))
        gone = together(gone, merged)
    given = {
        "title": maybe(rows, "property_jobtitle"),
        "department": maybe(rows, "property_department", "property_job_function"),
        "seniority": maybe(rows, "property_seniority", "property_hs_seniority"),
    }
    form = rows.select(
        FILE,
        LINE,
        ref=key(rows, "id"),
        email=email(rows, "property_email"),
        company_ref=key(rows, "property_associatedcompanyid"),
        name=joined_name(rows, "name", "property_firstname", "property_lastname"),
        at=time_text(rows, "property_createdate"),
        created_at=instant(rows, "property_createdate"),
        changed=changed(rows),
        source=text(rows, "property_lead_source", "property_hs_analytics_source"),
        **{column: value for column, value in given.items() if value is not None},
    )
    return form, gone


def _without(rows: ir.Table, column: str, losers: ir.Table) -> tuple[ir.Table, ir.Table]:
    """Rows that were not merged into another one, and those that were, as passed over."""
    marked = rows.mutate(loser=key(rows, column))
    merged = passed(marked.semi_join(losers, "loser"), "merged into another row")
    return marked.anti_join(losers, "loser").drop("loser"), merged


def _deals(tables: Tables) -> tuple[ir.Table, ir.Table]:
    """One row per deal, and the rows passed over."""
    rows, gone = split(tables["deal"], ["deal_id"])
    if "merged_deal" in tables:
        losers = tables["merged_deal"]
        rows, merged = _without(rows, "deal_id", losers.select(loser=key(losers, "merged_deal_id")))
        gone = together(gone, merged)
    form = rows.select(
        FILE,
        LINE,
        ref=key(rows, "deal_id"),
        stage_ref=key(rows, "deal_pipeline_stage_id"),
        created_at=time_text(rows, "property_createdate"),
        amount=text(rows, "property_amount"),
        closes_at=time_text(rows, "property_closedate"),
        reason=text(rows, "property_closed_lost_reason"),
        source=text(rows, "property_hs_analytics_source"),
    )
    return form, gone


def _deal_accounts(tables: Tables, book: Book) -> ir.Table:
    """Deal ref → account_id: of its primary company, else of another one, else of a contact."""
    found = [no_rows(tables["deal"], ref="string", account_id="string", place="int8", other="string")]
    if "deal_company" in tables:
        rows, _ = split(
            tables["deal_company"], ["deal_id", "company_id", *_if_there(tables["deal_company"], "type_id")]
        )
        primary = (key(rows, "type_id") == _PRIMARY_COMPANY).fill_null(FALSE)
        links = rows.select(
            deal=key(rows, "deal_id"), ref=key(rows, "company_id"), place=primary.ifelse(0, 1).cast("int8")
        )
        joined = links.inner_join(book.accounts_of, "ref")
        found.append(joined.select(ref="deal", account_id="account_id", place="place", other="ref"))
    if "deal_contact" in tables:
        rows, _ = split(tables["deal_contact"], ["deal_id", "contact_id"])
        links = rows.select(deal=key(rows, "deal_id"), ref=key(rows, "contact_id"))
        joined = links.inner_join(book.places_of, "ref")
        found.append(joined.select(ref="deal", account_id="account_id", place=ibis.literal(2, "int8"), other="ref"))
    every = together(*found)
    every = every.filter(every.account_id.notnull())
    # Ids count up, so the shorter and then the smaller one is the older.
    return first_of(every, "ref", [every.place, every.other.length(), every.other]).select("ref", "account_id")


def _if_there(rows: ir.Table, column: str) -> list[str]:
    return [column] if column in rows.columns else []


def _opportunities(tables: Tables, deals: ir.Table, keep: Keep) -> ir.Table:
    """One row per stage entered; a deal without history has one row, which does not say since when."""
    entered = keep("entered", _entered(tables, deals))
    current = deals.anti_join(entered, "ref").select("ref", FILE, LINE, "stage_ref", stage_at=ibis.null("string"))
    every = together(current, entered)
    facts = deals.select("ref", "account_id", "created_at", "amount", "closes_at", "reason", "source")
    rows = join_on(every, facts, ["ref"])
    rows = join_on(rows, _stages(tables), ["stage_ref"])
    closed = rows.status.isin(["won", "lost"]).fill_null(FALSE)
    nothing = ibis.null("string")
    orphan = "the deal belongs to no company, and none of its contacts to a known one"
    rows = rows.mutate(**{REFUSED: rows.account_id.isnull().ifelse(ibis.literal(orphan), nothing)})
    return in_order(
        rows,
        [rows.stage_at, rows.ref],
        {
            "opportunity_id": rows.ref,
            "account_id": rows.account_id,
            "created_at": rows.created_at,
            "stage": ibis.coalesce(rows.label, rows.stage_ref),
            "stage_at": rows.stage_at,
            "amount": rows.amount,
            # Of an open deal it is the day that sales hopes for.
            "closed_at": closed.ifelse(ibis.coalesce(rows.closes_at, rows.stage_at), nothing),
            "status": rows.status.fill_null("open"),
            "reject_reason": (rows.status == "lost").fill_null(FALSE).ifelse(rows.reason, nothing),
            "source": rows.source,
        },
    )


def _entered(tables: Tables, deals: ir.Table) -> ir.Table:
    """ref, FILE, LINE, stage_ref, stage_at: from `deal_stage`; for deals not in it, from the property's history."""
    found = [no_rows(deals, ref="string", **{FILE: "string", LINE: "int64"}, stage_ref="string", stage_at="string")]
    if "deal_stage" in tables:
        rows = tables["deal_stage"]
        found.append(_stage_rows(rows, time_text(rows, "date_entered", "_fivetran_start")))
    if "deal_property_history" in tables:
        rows = tables["deal_property_history"]
        rows = rows.filter(text(rows, "name").lower() == _STAGE_PROPERTY)
        found.append(_stage_rows(rows, time_text(rows, "timestamp")).anti_join(together(*found), "ref"))
    every = together(*found)
    return every.filter(every.stage_ref.notnull() & every.stage_at.notnull()).semi_join(deals, "ref")


def _stage_rows(rows: ir.Table, at: ir.StringValue) -> ir.Table:
    return rows.select(
        FILE, LINE, ref=key(rows, "deal_id"), stage_ref=key(rows, "value"), stage_at=at
    ).select("ref", FILE, LINE, "stage_ref", "stage_at")  # fmt: skip


def _stages(tables: Tables) -> ir.Table:
    """stage_ref → label, status: what the pipeline says, else its probability (1 is won, 0 lost)."""
    if "deal_pipeline_stage" not in tables:
        return no_rows(tables["deal"], stage_ref="string", label="string", status="string")
    rows, _ = split(tables["deal_pipeline_stage"].mutate(is_deleted=FALSE, _fivetran_deleted=FALSE), ["stage_id"])
    won, closed, chance = flag(rows, "closed_won"), flag(rows, "is_closed"), number(rows, "probability")
    by_chance = (won.isnull() & closed.isnull()).fill_null(FALSE)
    status = ibis.cases(
        (won.fill_null(FALSE) | (won.isnull() & closed & (chance == 1)).fill_null(FALSE), "won"),
        (closed.fill_null(FALSE), "lost"),
        (by_chance & (chance == 1).fill_null(FALSE), "won"),
        (by_chance & (chance == 0).fill_null(FALSE), "lost"),
        else_="open",
    )
    return rows.select(stage_ref=key(rows, "stage_id"), label=text(rows, "label"), status=status)
