"""The REST API under /api/v1, and what says how the server is doing."""
