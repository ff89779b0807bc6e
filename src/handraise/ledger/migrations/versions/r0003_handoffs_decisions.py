"""Handoffs, the decisions behind them, the life of accounts, and which triggers' conditions held."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add them; they are empty until the next decisions."""
    op.create_table(
        "conditions",
        sa.Column("trigger", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("person_id", sa.Text, primary_key=True),
        sa.Column("value", sa.Float),
        sa.Column("asked_at", _AT),
        sa.Column("fired_at", _AT, nullable=False),
        sa.Column("pending", sa.Boolean, nullable=False),
    )
    op.create_index("conditions_by_account", "conditions", ["account_id"])
    op.create_table(
        "deciding",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("decided_until", _AT),
        sa.Column("triggers", sa.Text),
    )
    op.bulk_insert(sa.table("deciding", sa.column("id", sa.Integer)), [{"id": 1}])
    op.create_table(
        "account_lives",
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", _AT, nullable=False),
        sa.Column("qualified_at", _AT),
        sa.Column("below_since", _AT),
        sa.Column("cool_until", _AT),
        sa.Column("reached_at", _AT),
        sa.Column("look_again", _AT),
    )
    op.create_index("account_lives_by_clock", "account_lives", ["look_again"])
    _handoffs()
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", _AT, nullable=False),
        sa.Column("as_of", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("person_id", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("look_again", _AT),
        sa.Column("handoff_id", sa.Integer),
        sa.Column("playbook", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("decisions_by_account", "decisions", ["account_id", "id"])


def _handoffs() -> None:
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("person_id", sa.Text),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("due_at", _AT),
        sa.Column("limit_at", _AT),
        sa.Column("closed_at", _AT),
        sa.Column("closed_because", sa.Text),
        sa.Column("playbook", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    live = sa.text("closed_at IS NULL")
    op.create_index("handoffs_live", "handoffs", ["account_id"], unique=True, sqlite_where=live, postgresql_where=live)
    op.create_index("handoffs_by_turn", "handoffs", ["closed_at", "due_at"])
    op.create_table(
        "handoff_reasons",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("handoff_id", sa.Integer, sa.ForeignKey("handoffs.id"), nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("person_id", sa.Text),
        sa.Column("value", sa.Float),
        sa.Column("fired_at", _AT, nullable=False),
    )
    op.create_index("handoff_reasons_by_handoff", "handoff_reasons", ["handoff_id"])
    op.create_table(
        "handoff_calls",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("handoff_id", sa.Integer, sa.ForeignKey("handoffs.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.Column("person_id", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("channel", sa.Text),
        sa.Column("until", _AT),
        sa.Column("to", sa.Text),
        sa.Column("amount", sa.Float),
        sa.Column("note", sa.Text),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("undone_at", _AT),
        sqlite_autoincrement=True,
    )
    op.create_index("handoff_calls_by_handoff", "handoff_calls", ["handoff_id", "id"])
