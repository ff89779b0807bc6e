"""What all CRMs share about touches: outgoing ones only, an incoming e-mail answers the last one sent."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from handraise.events.connectors.cells import in_order, passed
from handraise.events.connectors.crm import Book
from handraise.events.connectors.protocol import FILE, REFUSED, Keep
from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import FALSE, join_on

NOBODY = "it belongs to no company, contact or deal that is known"


@dataclass(frozen=True, kw_only=True)
class Touches:
    """Canonical touches, and the source rows left out (`FILE`, `reason`)."""

    rows: ir.Table
    passed_over: ir.Table


def make_touches(said: ir.Table, participants: ir.Table, companies: ir.Table, book: Book, keep: Keep) -> Touches:
    """One touch per engagement and person of the product, or one without a person where there is none.

    Args:
        said: Engagements: the marks, ref, channel, said_at, booked_at and starts_at of meetings, held, incoming, by.
        participants: ref → contact_ref, any number of each.
        companies: ref → account_id, at most one.
        book: The companies and contacts of the load.
        keep: Stores what several expressions use.
    """
    places = book.places_of.select(contact_ref="ref", person_id="person_id", of_contact="account_id")
    who = keep("participants", join_on(participants, places, ["contact_ref"]))
    out = said.filter(~said.incoming)
    rows = join_on(out, who, ["ref"])
    rows = join_on(rows, _replies(said, who), ["ref", "contact_ref"])
    rows = join_on(rows, companies.select("ref", of_company="account_id"), ["ref"])
    by_person = rows.group_by(["ref", "person_id"]).agg(
        replied_at=rows.replied_at.min(),
        of_contact=rows.of_contact.min(),
        **{c: rows[c].max() for c in (*_OF_ENGAGEMENT, "of_company", FILE, LINE)},
    )
    somebody = by_person.person_id.max().over(ibis.window(group_by="ref"))
    wanted = by_person.filter(by_person.person_id.notnull() | somebody.isnull())
    return Touches(
        rows=_canonical(wanted), passed_over=passed(said.filter(said.incoming), "incoming, so no touch of ours")
    )


_OF_ENGAGEMENT = ("channel", "said_at", "booked_at", "starts_at", "held", "by")


def _canonical(rows: ir.Table) -> ir.Table:
    at = ibis.least(
        ibis.coalesce(rows.booked_at, rows.starts_at, rows.said_at),
        ibis.coalesce(rows.starts_at, rows.booked_at, rows.said_at),
    )
    rows = rows.mutate(
        at=rows.starts_at.isnull().ifelse(rows.said_at, at),
        account_id=ibis.coalesce(rows.of_company, rows.of_contact),
        met_at=rows.held.ifelse(rows.starts_at, ibis.null("timestamp(6)")),
    )
    rows = rows.mutate(**{REFUSED: rows.account_id.isnull().ifelse(ibis.literal(NOBODY), ibis.null("string"))})
    return in_order(
        rows,
        [rows["at"], rows.ref, rows.person_id],
        {
            "account_id": rows.account_id,
            "at": rows["at"],
            "person_id": rows.person_id,
            "channel": rows.channel,
            "by": rows.by,
            "replied_at": rows.replied_at,
            "meeting_at": rows.met_at,
        },
    )


def _replies(said: ir.Table, who: ir.Table) -> ir.Table:
    """ref, contact_ref → when an e-mail was answered: the next mail between us and the contact came from them."""
    mails = said.filter(said.channel == "email").select("ref", "said_at", "incoming")
    mails = mails.inner_join(who.select("ref", "contact_ref"), "ref").filter(lambda row: row.contact_ref.notnull())
    after = ibis.window(group_by="contact_ref", order_by=[mails.said_at, mails.incoming, mails.ref])
    following = mails.mutate(next_in=mails.incoming.lead().over(after), next_at=mails.said_at.lead().over(after))
    answered = following.filter(~following.incoming & following.next_in.fill_null(FALSE))
    return answered.group_by(["ref", "contact_ref"]).agg(replied_at=answered.next_at.min())
