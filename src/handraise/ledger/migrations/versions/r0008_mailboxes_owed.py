"""Which mailboxes of a destination a message still owes itself to."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add them; nothing is owed."""
    op.add_column("outbox", sa.Column("owed", sa.Text))
