"""Google Analytics 4 in BigQuery: the daily `events_…` tables, with parameters as lists of keys and values."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.events.formats.batches import LINE
from handraise.events.formats.fields import in_object, instant, people_of, text, workspace_of
from handraise.events.formats.protocol import Source
from handraise.warehouse.functions import FALSE, derived_id, object_of_pairs

# What the library reports by itself.
_NO_USE = (
    *("session_start", "first_visit", "first_open", "user_engagement", "app_remove", "app_update", "os_update"),
    *("app_clear_data", "app_exception", "ad_impression", "notification_receive"),
)
_PLACE = ("event_bundle_sequence_id", "batch_page_id", "batch_ordering_id", "batch_event_index", "stream_id")


class GA4:
    """Events of an app or a site; there is no id of an event, so one is made from its content."""

    name = "ga4"

    def table_of(self, source: Source) -> str | None:
        """Only `events` is known."""
        return "events" if source.has("event_name", "event_timestamp", "user_pseudo_id") else None

    def translate(self, table: str, rows: ir.Table) -> dict[str, ir.Table]:  # noqa: ARG002 - there is one table
        """Events to events and people."""
        rows = rows.mutate(
            _properties=object_of_pairs(text(rows, "event_params")),
            _user=object_of_pairs(text(rows, "user_properties")),
        )
        used = rows.filter(~text(rows, "event_name").isin(_NO_USE).fill_null(FALSE))
        people = people_of(rows, text(rows, "user_id"), in_object(rows["_user"]), latest=True)
        return {"events": self._events(used), "people": people}

    def _events(self, rows: ir.Table) -> ir.Table:
        who = text(rows, "user_pseudo_id", "user_id")
        at = instant(rows, "event_timestamp")
        own = derived_id(who, text(rows, "event_name"), at, *(text(rows, c) for c in _PLACE), rows["_properties"])
        return rows.select(
            LINE,
            event_id=own,
            person_id=text(rows, "user_id"),
            anonymous_id=text(rows, "user_pseudo_id"),
            name=text(rows, "event_name"),
            timestamp=at,
            workspace_id=ibis.coalesce(
                workspace_of(in_object(rows["_properties"])), workspace_of(in_object(rows["_user"]))
            ),
            properties=rows["_properties"],
        )
