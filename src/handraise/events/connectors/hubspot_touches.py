"""HubSpot's engagements → touches: calls, e-mails, meetings and messages that somebody of ours sent or held."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.events.connectors.cells import first_of, flag, instant, key, no_rows, split, text, together
from handraise.events.connectors.crm import Book
from handraise.events.connectors.protocol import FILE, Keep, Tables
from handraise.events.connectors.touches import Touches, make_touches
from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import FALSE, TRUE, join_on

KINDS = {"call": "call", "email": "email", "meeting": "meeting", "communication": "message"}
_NOT_HELD = ("CANCELED", "CANCELLED", "NO_SHOW")
_INCOMING = ("INCOMING_EMAIL", "INBOUND", "FORWARDED_EMAIL")


def engagement_touches(
    tables: Tables, book: Book, deals: ir.Table | None, owners: ir.Table, keep: Keep
) -> Touches | None:
    """Touches of all kinds of engagement in the load; None when there is none.

    Args:
        tables: The load.
        book: Its companies and contacts.
        deals: Deal ref → account_id.
        owners: Owner ref → by.
        keep: Stores what several expressions use.
    """
    kinds = [(kind, channel) for kind, channel in KINDS.items() if f"engagement_{kind}" in tables]
    if not kinds:
        return None
    general = _general(tables)
    stands, passed_over = [], []
    for kind, channel in kinds:
        standing, gone = split(tables[f"engagement_{kind}"], ["engagement_id"])
        stands.append(_engagements(standing, channel, general, owners))
        passed_over.append(gone)
    engagements = keep("engagements", together(*stands))
    archived = engagements.filter(engagements.archived)
    passed_over.append(archived.select(FILE, reason=ibis.literal("archived")))
    live = engagements.filter(~engagements.archived)
    made = make_touches(live, _participants(tables), _companies(tables, book, deals), book, keep)
    return Touches(rows=made.rows, passed_over=together(made.passed_over, *passed_over))


def _engagements(rows: ir.Table, channel: str, general: ir.Table, owners: ir.Table) -> ir.Table:
    """One row per engagement, the same columns for every kind."""
    direction = text(rows, "property_hs_email_direction", "property_hs_call_direction").upper()
    outcome = text(rows, "property_hs_meeting_outcome", "meeting_outcome").upper()
    medium = text(rows, "property_hs_communication_channel_type").lower()
    missed = outcome.isin(_NOT_HELD).fill_null(FALSE)
    started = instant(rows, "property_hs_meeting_start_time", "start_time", "property_hs_timestamp")
    form = rows.select(
        FILE,
        LINE,
        ref=key(rows, "engagement_id"),
        channel=medium.fill_null(channel) if channel == "message" else ibis.literal(channel),
        said_at=instant(rows, "property_hs_timestamp", "property_hs_createdate"),
        booked_at=instant(rows, "property_hs_createdate"),
        starts_at=started if channel == "meeting" else ibis.null("timestamp(6)"),
        held=~missed,
        incoming=direction.isin(_INCOMING).fill_null(FALSE),
        owner_ref=key(rows, "property_hubspot_owner_id", "owner_id"),
    )
    form = join_on(form, general, ["ref"])
    form = form.mutate(owner_ref=ibis.coalesce(form.owner_ref, form.general_owner))
    form = join_on(form, owners, ["owner_ref"])
    return form.select(
        *(form[c] for c in (FILE, LINE, "ref", "channel", "booked_at", "starts_at", "held", "incoming")),
        said_at=ibis.coalesce(form.said_at, form.general_at),
        archived=(~form.active).fill_null(FALSE),
        by=ibis.coalesce(form.owner, form.owner_ref),
    )


def _general(tables: Tables) -> ir.Table:
    """Ref → what the table of all engagements says, in layouts that keep it there."""
    if "engagement" not in tables:
        any_table = next(iter(tables.values()))
        return no_rows(any_table, ref="string", general_at="timestamp(6)", general_owner="string", active="boolean")
    rows, _ = split(tables["engagement"], ["id"])
    return rows.select(
        ref=key(rows, "id"),
        general_at=instant(rows, "timestamp", "created_at"),
        general_owner=key(rows, "owner_id"),
        active=flag(rows, "active").fill_null(TRUE),
    )


def _participants(tables: Tables) -> ir.Table:
    """Engagement ref → contact ref."""
    if "engagement_contact" not in tables:
        return no_rows(next(iter(tables.values())), ref="string", contact_ref="string")
    rows, _ = split(tables["engagement_contact"], ["engagement_id", "contact_id"])
    return rows.select(ref=key(rows, "engagement_id"), contact_ref=key(rows, "contact_id"))


def _companies(tables: Tables, book: Book, deals: ir.Table | None) -> ir.Table:
    """Engagement ref → the account of the company, else of the deal, that it was attached to."""
    found = [no_rows(next(iter(tables.values())), ref="string", account_id="string", place="int8")]
    if "engagement_company" in tables:
        rows, _ = split(tables["engagement_company"], ["engagement_id", "company_id"])
        links = rows.select(engagement=key(rows, "engagement_id"), ref=key(rows, "company_id"))
        joined = links.inner_join(book.accounts_of, "ref")
        found.append(joined.select(ref="engagement", account_id="account_id", place=ibis.literal(0, "int8")))
    if "engagement_deal" in tables and deals is not None:
        rows, _ = split(tables["engagement_deal"], ["engagement_id", "deal_id"])
        links = rows.select(engagement=key(rows, "engagement_id"), ref=key(rows, "deal_id"))
        joined = links.inner_join(deals, "ref")
        found.append(joined.select(ref="engagement", account_id="account_id", place=ibis.literal(1, "int8")))
    every = together(*found)
    every = every.filter(every.account_id.notnull())
    return first_of(every, "ref", [every.place, every.account_id]).select("ref", "account_id")
