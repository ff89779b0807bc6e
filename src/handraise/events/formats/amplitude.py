"""Amplitude's events: the files of its export, and the event table that connectors make of them."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.events.formats.batches import LINE
from handraise.events.formats.fields import (
    groups_of,
    in_object,
    instant,
    people_of,
    text,
    workspace_of,
    workspace_of_groups,
)
from handraise.events.formats.protocol import Source
from handraise.warehouse.functions import FALSE, checked_object, derived_id

WHO = ("$identify", "$groupidentify")
NO_USE = ("session_start", "session_end", "[Amplitude] Start Session", "[Amplitude] End Session", "$exposure")


class Amplitude:
    """One row for each event, with the properties of the user and the groups as they were then."""

    name = "amplitude"

    def table_of(self, source: Source) -> str | None:
        """Only `events` is known."""
        timed = {"event_time", "client_event_time"} & set(source.columns)
        who = {"user_id", "device_id"} & set(source.columns)
        return "events" if timed and who and source.has("event_type", "event_properties") else None

    def translate(self, table: str, rows: ir.Table) -> dict[str, ir.Table]:  # noqa: ARG002 - there is one table
        """Events to events, people, workspaces and accounts."""
        documents = {name: f"_{name}" for name in ("groups", "user_properties", "group_properties", "event_properties")}
        rows = rows.mutate(**{held: checked_object(text(rows, name)) for name, held in documents.items()})
        rows = rows.mutate(_name=text(rows, "event_type"), _workspace=workspace_of_groups(rows["_groups"]))
        attribution = (text(rows, "is_attribution_event").lower() == "true").fill_null(FALSE)
        used = rows.filter(~rows["_name"].isin([*WHO, *NO_USE]).fill_null(FALSE) & ~attribution)
        group = rows.filter(rows["_name"] == "$groupidentify")
        return {
            "events": self._events(used),
            "people": people_of(rows, text(rows, "user_id"), in_object(rows["_user_properties"]), latest=True),
            **groups_of(group, group["_workspace"], in_object(group["_group_properties"])),
        }

    def _events(self, rows: ir.Table) -> ir.Table:
        properties = text(rows, "event_properties")
        at = instant(rows, "event_time", "client_event_time")
        content = derived_id(text(rows, "user_id", "device_id"), rows["_name"], at, properties)
        return rows.select(
            LINE,
            # The library's own id goes first: it is the one that the same event has when it comes over HTTP.
            event_id=ibis.coalesce(text(rows, "$insert_id", "_insert_id", "insert_id", "uuid"), content),
            person_id=text(rows, "user_id"),
            anonymous_id=text(rows, "device_id"),
            name=rows["_name"],
            timestamp=at,
            workspace_id=ibis.coalesce(rows["_workspace"], workspace_of(in_object(rows["_event_properties"]))),
            received_at=instant(rows, "server_received_time", "server_upload_time"),
            properties=properties,
        )
