"""PostHog's events, as its exports write them: one row for each event, its properties as a JSON object.

Calls that say who somebody is come as events with a `$`: they become people, aliases and workspaces, not product use.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.events.formats.batches import LINE
from handraise.events.formats.fields import (
    GROUP_TYPES,
    alias_rows,
    groups_of,
    in_object,
    instant,
    people_of,
    text,
    workspace_of,
)
from handraise.events.formats.protocol import Source
from handraise.warehouse.functions import FALSE, any_of, checked_object, first_property, property_text

WHO = ("$identify", "$create_alias", "$merge_dangerously", "$set", "$groupidentify")
# What the library or the service reports by itself; nobody did anything.
NO_USE = (
    *("$pageleave", "$feature_flag_called", "$web_vitals", "$performance_event", "$exception", "$snapshot"),
    *("$opt_in", "$heatmap", "$$heatmap", "$snapshot_items"),
)
GROUPS = (*(f"$groups.{name}" for name in GROUP_TYPES), *(f"$groups.{name}_id" for name in GROUP_TYPES), "$group_0")


class PostHog:
    """PostHog batch exports, file exports and the persons model."""

    name = "posthog"

    def table_of(self, source: Source) -> str | None:
        """`events`, or the `persons` model."""
        if source.has("event", "distinct_id", "properties"):
            return "events" if source.has("timestamp") else None
        return "persons" if source.has("distinct_id", "person_id", "properties") else None

    def translate(self, table: str, rows: ir.Table) -> dict[str, ir.Table]:
        """Events to events, people, workspaces, accounts and aliases."""
        rows = rows.mutate(_document=checked_object(text(rows, "properties")))
        if table == "persons":
            return {"people": people_of(rows, text(rows, "distinct_id"), in_object(rows["_document"]))}
        rows = rows.mutate(_name=text(rows, "event"), _at=instant(rows, "timestamp"))
        device = property_text(rows["_document"], "$device_id")
        identified = property_text(rows["_document"], "$is_identified")
        distinct = text(rows, "distinct_id")
        is_anonymous = any_of((distinct == device).fill_null(FALSE), (identified == "false").fill_null(FALSE))
        rows = rows.mutate(
            _person=is_anonymous.ifelse(ibis.null("string"), distinct),
            _anonymous=is_anonymous.ifelse(distinct, device),
        )
        used = rows.filter(~rows["_name"].isin([*WHO, *NO_USE]).fill_null(FALSE))
        group = rows.filter(rows["_name"] == "$groupidentify")
        group = group.mutate(_set=checked_object(property_text(group["_document"], "$group_set")))
        return {
            "events": self._events(used),
            "people": self._people(rows),
            "aliases": self._aliases(rows),
            **groups_of(group, property_text(group["_document"], "$group_key"), in_object(group["_set"])),
        }

    def _events(self, rows: ir.Table) -> ir.Table:
        document = rows["_document"]
        return rows.select(
            LINE,
            event_id=text(rows, "uuid", "id"),
            person_id=rows["_person"],
            anonymous_id=rows["_anonymous"],
            name=rows["_name"],
            timestamp=rows["_at"],
            workspace_id=ibis.coalesce(first_property(document, GROUPS), workspace_of(in_object(document))),
            received_at=instant(rows, "_inserted_at", "created_at", "inserted_at"),
            properties=text(rows, "properties"),
        )

    def _people(self, rows: ir.Table) -> ir.Table:
        """What `$set` and `$set_once` say, on whichever event they came; `$set` weighs more."""
        document = rows["_document"]
        said = [
            checked_object(ibis.coalesce(text(rows, name.strip("$"), name), property_text(document, name)))
            for name in ("$set", "$set_once")
        ]
        marked = rows.select(LINE, "_person", _now=said[0], _once=said[1])

        def look(names: tuple[str, ...]) -> ir.StringValue:
            found: ir.StringValue = ibis.coalesce(
                first_property(marked["_now"], names), first_property(marked["_once"], names)
            )
            return found

        return people_of(marked, marked["_person"], look)

    def _aliases(self, rows: ir.Table) -> ir.Table:
        document, distinct = rows["_document"], text(rows, "distinct_id")
        former = ibis.cases(
            (rows["_name"] == "$identify", property_text(document, "$anon_distinct_id")),
            (rows["_name"].isin(["$create_alias", "$merge_dangerously"]), property_text(document, "alias")),
            else_=ibis.null("string"),
        )
        return alias_rows(rows, former, distinct, rows["_at"])
