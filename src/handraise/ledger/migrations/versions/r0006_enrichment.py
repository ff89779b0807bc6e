"""Answers of enrichment providers, what was spent on asking, who wants to be left alone; and drafts that were reworded."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add them; they are empty until a provider is asked."""
    op.create_table(
        "enrichment_answers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("person_id", sa.Text),
        sa.Column("asked_at", _AT, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("fresh_until", _AT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("enrichment_answers_by_subject", "enrichment_answers", ["provider", "subject", "id"])
    op.create_table(
        "enrichment_requests",
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("period", sa.Text, primary_key=True),
        sa.Column("requests", sa.Integer, nullable=False),
    )
    op.create_table(
        "enrichment_pauses",
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("paused_until", _AT),
        sa.Column("because", sa.Text, nullable=False),
    )
    op.create_table(
        "draft_rewrites",
        sa.Column("handoff_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("person_id", sa.Text),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("to_name", "language", "persona", "template", "origin")
        ),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("subject", "body", "cites", "sha256", "model", "by")),
        sa.Column("at", _AT, nullable=False),
    )
