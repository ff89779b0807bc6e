"""Segment's tables in a warehouse, and RudderStack's, which follow the same plan.

One table for each kind of call, with its properties or traits as columns; `tracks` has every track call without its
properties, and each event has a table of its own with them. Both hold the same `id`, so an event counts once.
"""

from __future__ import annotations

import re

import ibis
import ibis.expr.types as ir

from handraise.events.formats.batches import LINE
from handraise.events.formats.fields import (
    alias_rows,
    all_of_input,
    groups_of,
    in_columns,
    instant,
    people_of,
    text,
    workspace_of,
)
from handraise.events.formats.protocol import Source
from handraise.warehouse.functions import json_object

# Columns that both write into every table; what is left is a property or a trait.
_STANDARD = {
    *("id", "anonymous_id", "user_id", "event", "event_text", "timestamp", "received_at", "sent_at"),
    *("original_timestamp", "uuid", "uuid_ts", "loaded_at", "channel", "rudder_id", "recordid", LINE),
}
_OF_CALLS = {"context_library_name", "context_ip", "sent_at", "original_timestamp", "uuid_ts", "timestamp"}
_RUDDERSTACK = {
    *("channel", "rudder_id", "context_request_ip", "context_passed_ip", "context_session_id"),
    *("context_source_id", "context_destination_id", "context_source_type", "context_destination_type"),
}


class Segment:
    """Tables that Segment writes into a warehouse."""

    name = "segment"

    def table_of(self, source: Source) -> str | None:
        """Which kind of call a table holds."""
        columns = set(source.columns)
        if not {"id", "received_at"} <= columns or not self._is_mine(columns):
            return None
        words = set(re.split(r"[^a-z]+", source.name))
        if not columns & {"user_id", "anonymous_id"}:
            return next((name for name in ("users", "accounts") if name in words), None)
        if "event" in columns:
            return "event" if self._properties(source.columns) else "tracks"
        for column, table in (("group_id", "groups"), ("previous_id", "aliases")):
            if column in columns:
                return table
        named = [table for table in ("screens", "identifies", "pages") if table in words]
        if named:
            return named[0]
        return "pages" if columns & {"path", "url"} else None

    def translate(self, table: str, rows: ir.Table) -> dict[str, ir.Table]:
        """Calls to events, people, workspaces, accounts and aliases."""
        user, anonymous = text(rows, "user_id"), text(rows, "anonymous_id")
        at = instant(rows, "timestamp", "original_timestamp", "received_at")
        if table in {"tracks", "event", "pages", "screens"}:
            return {"events": self._events(table, rows)}
        if table == "users":
            return {"people": people_of(rows, text(rows, "id"), in_columns(rows))}
        if table == "accounts":
            return groups_of(rows, text(rows, "id", "group_id"), in_columns(rows))
        aliases = alias_rows(rows, anonymous, user, at)
        if table == "identifies":
            return {"people": people_of(rows, user, in_columns(rows)), "aliases": aliases}
        if table == "groups":
            group = text(rows, "group_id")
            members = rows.select(LINE, person_id=user, workspace_id=group)
            members = members.filter(members.person_id.notnull() & members.workspace_id.notnull())
            return {**groups_of(rows, group, in_columns(rows)), "people": members, "aliases": aliases}
        former = alias_rows(rows, text(rows, "previous_id"), user, at)
        return {"aliases": all_of_input(former, aliases)}

    def _is_mine(self, columns: set[str]) -> bool:
        return any(name.startswith("context_") for name in columns) or bool(columns & _OF_CALLS)

    def _properties(self, columns: tuple[str, ...]) -> list[str]:
        return [name for name in columns if name.lower() not in _STANDARD and not name.startswith(("context_", "_"))]

    def _events(self, table: str, rows: ir.Table) -> ir.Table:
        properties = {name: rows[name].cast("string") for name in self._properties(tuple(rows.columns))}
        if table in {"pages", "screens"}:
            kind = "page_view" if table == "pages" else "screen_view"
            named = text(rows, "name")
            name = named.notnull().ifelse(ibis.literal(f"{kind}: ").concat(named), ibis.literal(kind))
        else:
            name = text(rows, "event_text", "event")
        return rows.select(
            LINE,
            event_id=text(rows, "id"),
            person_id=text(rows, "user_id"),
            anonymous_id=text(rows, "anonymous_id"),
            name=name,
            timestamp=instant(rows, "timestamp", "original_timestamp", "received_at"),
            workspace_id=ibis.coalesce(
                text(rows, "context_group_id", "context_traits_group_id"), workspace_of(in_columns(rows))
            ),
            received_at=instant(rows, "received_at"),
            properties=json_object(properties),
        )


class RudderStack(Segment):
    """Tables that RudderStack writes into a warehouse: the same plan, with columns of its own."""

    name = "rudderstack"

    def _is_mine(self, columns: set[str]) -> bool:
        return bool(columns & _RUDDERSTACK)
