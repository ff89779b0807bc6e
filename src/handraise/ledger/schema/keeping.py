"""Tables of what keeps a project in order: sources, keys, jobs, the audit trail, what may not be used."""

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
    Table,
    Text,
    text,
)

from handraise.ledger.columns import Instant, Json, Words
from handraise.ledger.schema.shared import metadata

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
