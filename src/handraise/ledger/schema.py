"""All tables of the ledger in one place. `migrations/` brings an older ledger here; a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

from handraise.ledger.columns import Instant, Json, Words

# Every schema that this version can read or upgrade, oldest first; the last is the present one.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")

metadata = MetaData()

# Values that only grow, each read and raised by name.
counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
)

# Where events may come from.
sources = Table(
    "sources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

# Keys that may only send events of one source.
write_keys = Table(
    "write_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", Text, ForeignKey("sources.id"), nullable=False),
    Column("hash", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Index("write_keys_by_hash", "hash", unique=True),
)

# Keys of programs that use the API.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Words, nullable=False),
    Column("hash", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
    Index("api_keys_by_hash", "hash", unique=True),
)

_WAITING_OR_RUNNING = text("status IN ('queued', 'running')")

# A row is the queue. Ids are never given twice, so that a list can be read on after its last id.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("run_at", Instant, nullable=False),
    Column("dedupe_key", Words),
    Column("lease_until", Instant),
    Column("leased_by", Words),
    Column("heartbeat_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("error", Words),
    Column("result", Json),
    Column("progress", Float),
    Index("jobs_by_turn", "status", "run_at", "id"),
    Index(
        "jobs_once",
        "dedupe_key",
        unique=True,
        sqlite_where=_WAITING_OR_RUNNING,
        postgresql_where=_WAITING_OR_RUNNING,
    ),
    sqlite_autoincrement=True,
)

# What has to be done again and again.
schedules = Table(
    "schedules",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cron", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("last_due_at", Instant, nullable=False),
)

# One row for each change of state, each holding the hash of the row before; texts, because it is texts that are hashed.
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

# One row: how long the chain is and how it ends, so that rows cut off its end are missed.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("length", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)

# Keys of our own that never leave.
secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# People whose data may not be used, known by a keyed hash alone.
suppression = Table(
    "suppression",
    metadata,
    Column("subject_hash", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("suppressed_at", Instant, nullable=False),
)

# Requests to erase a person; the plain ids stand here only until the work is done.
erasures = Table(
    "erasures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", Json),
    Column("subject_hash", Text, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("requested_by", Words, nullable=False),
    Column("status", Text, nullable=False),
    Column("receipt", Json),
    Column("finished_at", Instant),
)

# Files that were handed over, in order.
loads = Table(
    "loads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("path", Words, nullable=False),
    Column("format", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("loaded_at", Instant, nullable=False),
    Index("loads_by_sequence", "sequence", unique=True),
)

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
