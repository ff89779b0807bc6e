"""Who sits at the keyboard, for the audit trail."""

from __future__ import annotations

import getpass


def actor() -> str:
    """The account's name, or only that it was a command."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return "cli"
