"""What the team is to be told, and how the places stand where it is told."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add them; nothing waits."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("run_at", _AT, nullable=False),
        sa.Column("queued_at", _AT, nullable=False),
        sa.Column("tried_at", _AT),
        sa.Column("finished_at", _AT),
        sa.Column("error", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_by_turn", "outbox", ["destination", "status", "run_at", "id"])
    op.create_index("outbox_by_object", "outbox", ["destination", "object", "id"])
    untried = sa.text("status = 'waiting' AND attempts = 0")
    op.create_index(
        "outbox_once",
        "outbox",
        ["destination", "object"],
        unique=True,
        sqlite_where=untried,
        postgresql_where=untried,
    )
    op.create_table(
        "outbox_destinations",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("paused_at", _AT),
        sa.Column("paused_because", sa.Text),
        sa.Column("not_before", _AT),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("lease_until", _AT),
        sa.Column("leased_by", sa.Text),
    )
