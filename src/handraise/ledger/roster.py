"""People, teams and territories that were told by the API; each stands before the playbook's of the same name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from handraise.ledger.schema import roster


def told_roster(connection: Connection) -> dict[str, dict[str, dict[str, Any]]]:
    """Kind (reps, teams, territories) → name → what was told."""
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in connection.execute(select(roster).order_by(roster.c.kind, roster.c.name)):
        found[row.kind][row.name] = row.body
    return found


def tell_roster(connection: Connection, kind: str, name: str, body: Mapping[str, Any], *, now: datetime) -> None:
    """Put an entry in the place of what was there."""
    forget_roster(connection, kind, name)
    connection.execute(insert(roster).values(kind=kind, name=name, body=dict(body), changed_at=now))


def forget_roster(connection: Connection, kind: str, name: str) -> bool:
    """What the playbook says holds again; False = nothing was told."""
    gone = delete(roster).where(roster.c.kind == kind, roster.c.name == name)
    return bool(connection.execute(gone).rowcount)
