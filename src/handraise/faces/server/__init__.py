"""Serve a project: one address for events, the API and the state of both."""
