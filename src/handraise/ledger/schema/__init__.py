"""All tables of the ledger. `migrations/` brings an older ledger here; a test holds the two together."""

from __future__ import annotations

from handraise.ledger.schema.acting import (
    account_lives,
    conditions,
    deciding,
    decisions,
    draft_approvals,
    handoff_calls,
    handoff_reasons,
    handoffs,
    roster,
)
from handraise.ledger.schema.keeping import (
    api_keys,
    audit,
    audit_head,
    counters,
    erasures,
    jobs,
    loads,
    schedules,
    secrets,
    sources,
    suppression,
    write_keys,
)
from handraise.ledger.schema.outgoing import (
    draft_rewrites,
    enrichment_answers,
    enrichment_pauses,
    enrichment_requests,
    outbox,
    outbox_destinations,
)
from handraise.ledger.schema.shared import REVISIONS, metadata

__all__ = [
    "REVISIONS",
    "account_lives",
    "api_keys",
    "audit",
    "audit_head",
    "conditions",
    "counters",
    "deciding",
    "decisions",
    "draft_approvals",
    "draft_rewrites",
    "enrichment_answers",
    "enrichment_pauses",
    "enrichment_requests",
    "erasures",
    "handoff_calls",
    "handoff_reasons",
    "handoffs",
    "jobs",
    "loads",
    "metadata",
    "outbox",
    "outbox_destinations",
    "roster",
    "schedules",
    "secrets",
    "sources",
    "suppression",
    "write_keys",
]
