"""Sources and keys, jobs and schedules, and the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _instant(name: str, *, needed: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not needed)


def _text(name: str, *, needed: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=not needed)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def upgrade() -> None:
    """Make them, with an empty chain and counters at zero."""
    _counters()
    _sources_and_keys()
    _jobs()
    _audit()


def _counters() -> None:
    counters = op.create_table("counters", sa.Column("name", sa.Text, primary_key=True), _number("value"))
    op.bulk_insert(counters, [{"name": "keys_version", "value": 0}])


def _sources_and_keys() -> None:
    op.create_table(
        "sources",
        sa.Column("id", sa.Text, primary_key=True),
        _text("name"),
        _instant("created_at", needed=True),
        _instant("disabled_at"),
    )
    op.create_table(
        "write_keys",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("source_id", sa.Text, sa.ForeignKey("sources.id"), nullable=False),
        _text("hash"),
        _text("prefix"),
        _instant("created_at", needed=True),
        _instant("revoked_at"),
    )
    op.create_index("write_keys_by_hash", "write_keys", ["hash"], unique=True)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("name"),
        _text("hash"),
        _text("prefix"),
        _text("scopes"),
        _instant("created_at", needed=True),
        _instant("expires_at"),
        _instant("revoked_at"),
        _instant("last_used_at"),
    )
    op.create_index("api_keys_by_hash", "api_keys", ["hash"], unique=True)


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer, primary_key=True),
        _text("kind"),
        _text("arguments"),
        _text("status"),
        _number("attempts"),
        _number("max_attempts"),
        _instant("run_at", needed=True),
        _text("dedupe_key", needed=False),
        _instant("lease_until"),
        _text("leased_by", needed=False),
        _instant("heartbeat_at"),
        _instant("created_at", needed=True),
        _instant("started_at"),
        _instant("finished_at"),
        _text("error", needed=False),
        _text("result", needed=False),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_by_turn", "jobs", ["status", "run_at", "id"])
    alive = sa.text("status IN ('queued', 'running')")
    op.create_index("jobs_once", "jobs", ["dedupe_key"], unique=True, sqlite_where=alive, postgresql_where=alive)
    op.create_table(
        "schedules",
        sa.Column("name", sa.Text, primary_key=True),
        _text("cron"),
        _text("kind"),
        _text("arguments"),
        sa.Column("enabled", sa.Boolean, nullable=False),
        _instant("last_due_at", needed=True),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        *[_text(name) for name in ("at", "actor", "action", "object", "details", "previous_hash", "hash")],
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        _number("length"),
        _text("hash"),
    )
    op.bulk_insert(head, [{"id": 1, "length": 0, "hash": "0" * 64}])
