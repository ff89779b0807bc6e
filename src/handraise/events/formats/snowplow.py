"""Snowplow's `atomic.events`: one wide row for each event, with its own data and its contexts as JSON."""

from __future__ import annotations

import ibis.expr.types as ir

from handraise.events.formats.batches import LINE
from handraise.events.formats.fields import in_object, instant, text, workspace_of
from handraise.events.formats.protocol import Source
from handraise.warehouse.functions import (
    FALSE,
    checked_object,
    json_object,
    merged_objects,
    object_of_list,
    property_text,
)

NO_USE = ("page_ping", "application_background", "application_foreground")
PLAIN = ("page_url", "page_urlpath", "page_title", "se_category", "se_action", "se_label", "se_property", "se_value")
_OWN, _CONTEXTS = "unstruct_event_", "contexts_"


class Snowplow:
    """Events as the loaders write them: self-describing data as one JSON column, or one column for each schema."""

    name = "snowplow"

    def table_of(self, source: Source) -> str | None:
        """Only `events` is known."""
        return "events" if source.has("event_id", "collector_tstamp", "event") else None

    def translate(self, table: str, rows: ir.Table) -> dict[str, ir.Table]:  # noqa: ARG002 - there is one table
        """Events to events."""
        rows = rows.mutate(_name=self._name(rows), _own=self._own_data(rows))
        rows = rows.filter(~rows["_name"].isin(NO_USE).fill_null(FALSE))
        found = rows.select(
            LINE,
            event_id=text(rows, "event_id"),
            person_id=text(rows, "user_id"),
            anonymous_id=text(rows, "domain_userid", "network_userid"),
            name=rows["_name"],
            timestamp=instant(rows, "derived_tstamp", "dvce_created_tstamp", "collector_tstamp"),
            received_at=instant(rows, "collector_tstamp"),
            properties=rows["_own"],
        )
        return {"events": found.mutate(workspace_id=workspace_of(in_object(found.properties)))}

    def _name(self, rows: ir.Table) -> ir.StringValue:
        """A structured event is called by its action; every other by its schema."""
        structured = text(rows, "event") == "struct"
        named: ir.StringValue = structured.ifelse(
            text(rows, "se_action", "se_category"), text(rows, "event_name", "event")
        )
        return named

    def _own_data(self, rows: ir.Table) -> ir.StringValue:
        """The event's own data, then its contexts, then the page and the structured fields, as one object."""
        own, contexts = [], []
        if "unstruct_event" in rows.columns:
            own.append(_inside(_inside(checked_object(text(rows, "unstruct_event")))))
        if "contexts" in rows.columns:
            listed = property_text(checked_object(text(rows, "contexts")), "data")
            contexts.append(object_of_list(listed, inside="data"))
        own += [checked_object(text(rows, name)) for name in rows.columns if name.startswith(_OWN)]
        contexts += [object_of_list(text(rows, name)) for name in rows.columns if name.startswith(_CONTEXTS)]
        plain = json_object({name: text(rows, name) for name in PLAIN if name in rows.columns})
        return merged_objects(*own, *contexts, plain)


def _inside(document: ir.StringValue) -> ir.StringValue:
    """What a self-describing object describes."""
    found: ir.StringValue = checked_object(property_text(document, "data"))
    return found
