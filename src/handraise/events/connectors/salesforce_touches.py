"""Salesforce's tasks and events → touches: calls, e-mails, messages that were made, and meetings."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.events.connectors.cells import first_of, flag, instant, key, no_rows, passed, split, text, together
from handraise.events.connectors.crm import Book
from handraise.events.connectors.protocol import FILE, Keep, Tables
from handraise.events.connectors.touches import Touches, make_touches
from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import FALSE, any_of, join_on

_DONE = "completed"
# Tools that log e-mails as tasks write the direction into the subject, as [In] or [Inbound].
_INCOMING_SUBJECT = r"\[(in|inbound|incoming)\]"
_FORM = (
    FILE,
    LINE,
    "ref",
    "channel",
    "said_at",
    "booked_at",
    "starts_at",
    "held",
    "incoming",
    "by",
    "who",
    "what",
    "company",
)


def activity_touches(
    tables: Tables, book: Book, deals: ir.Table | None, owners: ir.Table, keep: Keep
) -> Touches | None:
    """Touches of tasks and events in the load; None when there is neither.

    Args:
        tables: The load.
        book: Its companies and contacts.
        deals: Opportunity ref → account_id.
        owners: User ref → by.
        keep: Stores what several expressions use.
    """
    forms, passed_over = [], []
    for name, read in (("task", _tasks), ("event", _meetings)):
        if name in tables:
            rows, gone = split(tables[name], ["id"])
            form, other = read(rows)
            owned = join_on(form.mutate(owner_ref=form.by), owners, ["owner_ref"])
            forms.append(owned.mutate(by=ibis.coalesce(owned.owner, owned.by)).select(*_FORM))
            passed_over += [gone, other]
    if not forms:
        return None
    said = keep("activities", together(*forms))
    participants = said.filter(said.who.notnull()).select("ref", contact_ref="who")
    made = make_touches(said, participants, _companies(said, book, deals), book, keep)
    return Touches(rows=made.rows, passed_over=together(made.passed_over, *passed_over))


def _tasks(rows: ir.Table) -> tuple[ir.Table, ir.Table]:
    kind = text(rows, "task_subtype").lower().fill_null("")
    label = text(rows, "type").lower().fill_null("")
    words = kind.concat(" ").concat(label)
    channel = ibis.cases(
        (words.contains("call"), "call"),
        (words.contains("email") | words.contains("e-mail"), "email"),
        (words.contains("linkedin"), "linkedin"),
        (words.re_search(r"\b(sms|text message)\b"), "sms"),
        (words.re_search(r"\b(meeting|demo)\b"), "meeting"),
        else_=ibis.null("string"),
    )
    done = (flag(rows, "is_closed") | (text(rows, "status").lower() == _DONE)).fill_null(FALSE)
    at = instant(rows, "completed_date_time", "activity_date", "created_date")
    judged = rows.mutate(_channel=channel, _done=done, _at=at)
    incoming = any_of(
        (text(judged, "call_type").lower() == "inbound").fill_null(FALSE),
        text(judged, "subject").lower().re_search(_INCOMING_SUBJECT).fill_null(FALSE),
    )
    touch = judged["_channel"].notnull() & judged["_done"]
    said = judged.mutate(_incoming=incoming).filter(touch)
    form = _form(said, said["_channel"], said["_at"], said["_incoming"])
    meeting = form.channel == "meeting"
    nothing = ibis.null("timestamp(6)")
    form = form.mutate(booked_at=nothing, starts_at=meeting.ifelse(form.said_at, nothing))
    left = judged.filter(~touch)
    reason = left["_done"].ifelse("a task that is no call, e-mail, message or meeting", "a task that is not done yet")
    return form, left.select(FILE, reason=reason)


def _meetings(rows: ir.Table) -> tuple[ir.Table, ir.Table]:
    copies = flag(rows, "is_child").fill_null(FALSE)
    marked = rows.mutate(_copy=copies)
    held = marked.filter(~marked["_copy"])
    kind = text(held, "type").lower().fill_null("").concat(text(held, "event_subtype").lower().fill_null(""))
    starts = instant(held, "start_date_time", "activity_date_time", "activity_date")
    form = _form(held, kind.contains("call").ifelse("call", "meeting"), starts, FALSE)
    form = form.mutate(starts_at=(form.channel == "meeting").ifelse(form.said_at, ibis.null("timestamp(6)")))
    return form, passed(marked.filter(marked["_copy"]), "an invitee's copy of an event")


def _form(rows: ir.Table, channel: ir.Value, at: ir.Value, incoming: ir.Value) -> ir.Table:
    return rows.select(
        FILE,
        LINE,
        ref=key(rows, "id"),
        channel=channel,
        said_at=at,
        booked_at=instant(rows, "created_date"),
        held=~flag(rows, "no_show_c").fill_null(FALSE),
        incoming=incoming,
        by=key(rows, "owner_id"),
        who=key(rows, "who_id"),
        what=key(rows, "what_id"),
        company=key(rows, "account_id"),
    )


def _companies(said: ir.Table, book: Book, deals: ir.Table | None) -> ir.Table:
    """Activity ref → the account that it names, else the one it is about, directly or by its opportunity."""
    companies = book.accounts_of.select(company="ref", account_id="account_id")
    found = [
        said.inner_join(companies, "company").select("ref", "account_id", place=ibis.literal(0, "int8")),
        said.select("ref", company="what")
        .inner_join(companies, "company")
        .select("ref", "account_id", place=ibis.literal(1, "int8")),
    ]
    if deals is not None:
        about = deals.select(what="ref", account_id="account_id")
        found.append(said.inner_join(about, "what").select("ref", "account_id", place=ibis.literal(2, "int8")))
    every = together(*found)
    every = every.filter(every.account_id.notnull())
    return first_of(every, "ref", [every.place, every.account_id]).select("ref", "account_id")


def no_owners(tables: Tables) -> ir.Table:
    """owner_ref → owner, where the load has no users."""
    return no_rows(next(iter(tables.values())), owner_ref="string", owner="string")
