"""What Alembic runs: the revisions over a connection whose transaction the caller began and will end."""

from alembic import context

from handraise.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
