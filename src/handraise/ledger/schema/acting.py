"""Tables of acting: what fired, what was decided, who was asked to do what, and what became of it."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from handraise.ledger.columns import Instant, Json, Words
from handraise.ledger.schema.shared import metadata

# Conditions of triggers that held when they were last looked at: what becomes true is told by what is not here yet.
conditions = Table(
    "conditions",
    metadata,
    Column("trigger", Text, primary_key=True),
    Column("account_id", Words, primary_key=True),
    Column("person_id", Words, primary_key=True),
    Column("value", Float),
    Column("asked_at", Instant),
    Column("fired_at", Instant, nullable=False),
    Column("pending", Boolean, nullable=False),
    Index("conditions_by_account", "account_id"),
)

# One row: up to when was decided, as decisions only go forward; and what each trigger meant then.
deciding = Table(
    "deciding",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("decided_until", Instant),
    Column("triggers", Json),
)

# Where each account stands between sales and its own usage.
account_lives = Table(
    "account_lives",
    metadata,
    Column("account_id", Words, primary_key=True),
    Column("state", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("qualified_at", Instant),
    Column("below_since", Instant),
    Column("cool_until", Instant),
    Column("reached_at", Instant),
    Column("was_pqa", Boolean, nullable=False),
    Column("look_again", Instant),
    Index("account_lives_by_clock", "look_again"),
)

_LIVE = text("closed_at IS NULL")

# Work that somebody was asked to do; no account has two at a time.
handoffs = Table(
    "handoffs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Words, nullable=False),
    Column("person_id", Words),
    Column("lane", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("owner", Words),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("limit_at", Instant),
    Column("closed_at", Instant),
    Column("closed_because", Words),
    Column("playbook", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("queue", Text),
    Column("contacted_at", Instant),
    Column("segment", Text),
    Column("domain", Words),
    Column("country", Words),
    Column("industry", Words),
    Index("handoffs_live", "account_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("handoffs_by_turn", "closed_at", "due_at"),
    Index("handoffs_by_owner", "owner", "id"),
    Index("handoffs_by_domain", "domain", "id"),
    Index("handoffs_by_account", "account_id", "id"),
    Index("handoffs_by_limit", "closed_at", "contacted_at", "limit_at"),
    sqlite_autoincrement=True,
)

# Why a handoff is there: each trigger that fired for it.
handoff_reasons = Table(
    "handoff_reasons",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("handoff_id", Integer, ForeignKey("handoffs.id"), nullable=False),
    Column("trigger", Text, nullable=False),
    Column("person_id", Words),
    Column("value", Float),
    Column("fired_at", Instant, nullable=False),
    Index("handoff_reasons_by_handoff", "handoff_id"),
)

# Every decision about an account, also the one not to act, with its reasons.
decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("as_of", Text, nullable=False),
    Column("account_id", Words, nullable=False),
    Column("person_id", Words),
    Column("outcome", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("reasons", Json, nullable=False),
    Column("look_again", Instant),
    Column("handoff_id", Integer),
    Column("playbook", Text, nullable=False),
    Column("owner", Words),
    Column("queue", Text),
    Column("routed", Text),
    Index("decisions_by_account", "account_id", "id"),
    Index("decisions_by_handoff", "handoff_id", "id"),
    sqlite_autoincrement=True,
)

# What salespeople said about handoffs, and how handoff and account were before, so that it can be taken back.
handoff_calls = Table(
    "handoff_calls",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("handoff_id", Integer, ForeignKey("handoffs.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Instant, nullable=False),
    Column("person_id", Words),
    Column("reason", Words),
    Column("channel", Words),
    Column("until", Instant),
    Column("to", Words),
    Column("amount", Float),
    Column("note", Words),
    Column("before", Json, nullable=False),
    Column("undone_at", Instant),
    Column("signal", Text),
    Column("rating", Integer),
    Index("handoff_calls_by_handoff", "handoff_id", "id"),
    sqlite_autoincrement=True,
)

# People, teams and territories that were told by the API; they stand before the playbook's of the same name.
roster = Table(
    "roster",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("body", Json, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

# Which exact text to a prospect somebody approved; nothing here was sent by us.
draft_approvals = Table(
    "draft_approvals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("handoff_id", Integer, ForeignKey("handoffs.id"), nullable=False),
    Column("account_id", Words, nullable=False),
    Column("person_id", Words),
    Column("template", Words, nullable=False),
    Column("language", Text, nullable=False),
    Column("subject", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Instant, nullable=False),
    Index("draft_approvals_by_handoff", "handoff_id", "id"),
    sqlite_autoincrement=True,
)
