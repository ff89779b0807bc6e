"""Who gets a handoff: queues, first contacts, what routing goes by, the roster told by the API; and ratings of signals."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add them; of what was decided before they are unknown."""
    for name, type_ in (
        ("queue", sa.Text),
        ("contacted_at", _AT),
        ("segment", sa.Text),
        ("domain", sa.Text),
        ("country", sa.Text),
        ("industry", sa.Text),
    ):
        op.add_column("handoffs", sa.Column(name, type_))
    op.create_index("handoffs_by_owner", "handoffs", ["owner", "id"])
    op.create_index("handoffs_by_domain", "handoffs", ["domain", "id"])
    op.create_index("handoffs_by_account", "handoffs", ["account_id", "id"])
    op.create_index("handoffs_by_limit", "handoffs", ["closed_at", "contacted_at", "limit_at"])
    for name in ("owner", "queue", "routed"):
        op.add_column("decisions", sa.Column(name, sa.Text))
    op.create_index("decisions_by_handoff", "decisions", ["handoff_id", "id"])
    # Of accounts that were handed over before, most were PQAs.
    op.add_column("account_lives", sa.Column("was_pqa", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("handoff_calls", sa.Column("signal", sa.Text))
    op.add_column("handoff_calls", sa.Column("rating", sa.Integer))
    op.create_table(
        "roster",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("changed_at", _AT, nullable=False),
    )
