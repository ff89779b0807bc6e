"""What was promised and sent: sources, keys, jobs and the audit trail, on SQLite or Postgres."""
