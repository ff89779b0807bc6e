"""Tables of what goes out: questions to providers, texts of language models, and messages to the team."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    Table,
    Text,
    text,
)

from handraise.ledger.columns import Instant, Json, Words
from handraise.ledger.schema.shared import metadata

# What providers answered about companies and people: the truth that the data's `provider_said` is made anew from.
enrichment_answers = Table(
    "enrichment_answers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("subject", Words, nullable=False),
    Column("person_id", Words),
    Column("asked_at", Instant, nullable=False),
    Column("answers", Json, nullable=False),
    Column("fresh_until", Instant, nullable=False),
    Index("enrichment_answers_by_subject", "provider", "subject", "id"),
    sqlite_autoincrement=True,
)

# Requests that a provider got in a day (2026-11-28) or a month (2026-11), counted before each is made.
enrichment_requests = Table(
    "enrichment_requests",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("requests", Integer, nullable=False),
)

# Providers that failed or want to be left alone.
enrichment_pauses = Table(
    "enrichment_pauses",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("paused_until", Instant),
    Column("because", Words, nullable=False),
)

# Texts that a language model reworded, until somebody approves them or the next one comes.
draft_rewrites = Table(
    "draft_rewrites",
    metadata,
    Column("handoff_id", Integer, primary_key=True, autoincrement=False),
    Column("account_id", Words, nullable=False),
    Column("person_id", Words),
    Column("to_name", Words, nullable=False),
    Column("language", Text, nullable=False),
    Column("persona", Text, nullable=False),
    Column("template", Words, nullable=False),
    Column("origin", Text, nullable=False),
    Column("subject", Words, nullable=False),
    Column("body", Words, nullable=False),
    Column("cites", Json, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("model", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Instant, nullable=False),
)

_UNTRIED = text("status = 'waiting' AND attempts = 0")

# What the team is to be told, by destination. A row names what it is about by number; names are looked up when it is sent.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("kinds", Json, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("run_at", Instant, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("tried_at", Instant),
    Column("finished_at", Instant),
    Column("error", Words),
    # Digests of mailboxes that refused it for the time being; the others have it. NULL = it goes to all.
    Column("owed", Json),
    Index("outbox_by_turn", "destination", "status", "run_at", "id"),
    Index("outbox_by_object", "destination", "object", "id"),
    # What nobody tried to send yet takes up what happens meanwhile.
    Index("outbox_once", "destination", "object", unique=True, sqlite_where=_UNTRIED, postgresql_where=_UNTRIED),
    sqlite_autoincrement=True,
)

# How each destination stands; one sender at a time holds it.
outbox_destinations = Table(
    "outbox_destinations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused_at", Instant),
    Column("paused_because", Words),
    Column("not_before", Instant),
    Column("failures", Integer, nullable=False),
    Column("lease_until", Instant),
    Column("leased_by", Text),
)
