"""Mixpanel's events: the raw export (`event` and `properties`), the event table of connectors, and the profiles."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.events.formats.batches import LINE
from handraise.events.formats.fields import (
    alias_rows,
    in_object,
    instant,
    people_of,
    text,
    workspace_of,
    workspace_of_groups,
)
from handraise.events.formats.protocol import Source
from handraise.warehouse.functions import (
    FALSE,
    any_of,
    checked_object,
    derived_id,
    element_of,
    first_element,
    list_in,
    property_text,
)

WHO = ("$identify", "$create_alias", "$merge")
NO_USE = ("$session_start", "$session_end", "$ae_session", "$experiment_started", "$mp_dead_click")
OF_A_DEVICE = "$device:"  # how an id starts that Mixpanel made up for somebody who has not signed in


class Mixpanel:
    """Raw export, connector table or profiles."""

    name = "mixpanel"

    def table_of(self, source: Source) -> str | None:
        """`export` (properties hold everything), `event` (a connector's columns) or `profiles`."""
        columns = set(source.columns)
        if source.has("$distinct_id", "$properties"):
            return "profiles"
        if source.has("name", "time", "distinct_id", "properties"):
            return "event"
        alone = source.has("event", "properties") and not columns & {"distinct_id", "timestamp", "user_id", "uuid"}
        return "export" if alone else None

    def translate(self, table: str, rows: ir.Table) -> dict[str, ir.Table]:
        """Events to events and aliases, profiles to people."""
        if table == "profiles":
            rows = rows.mutate(_said=checked_object(text(rows, "$properties")))
            return {"people": people_of(rows, text(rows, "$distinct_id"), in_object(rows["_said"]))}
        rows = self._with_keys(table, rows)
        used = rows.filter(~rows["_name"].isin([*WHO, *NO_USE]).fill_null(FALSE))
        return {"events": self._events(used), "aliases": self._aliases(rows)}

    def _with_keys(self, table: str, rows: ir.Table) -> ir.Table:
        """Name, time and ids, from the columns or from the properties."""
        rows = rows.mutate(_document=checked_object(text(rows, "properties")))
        document = rows["_document"]
        if table == "event":
            name, time, distinct = text(rows, "name"), rows["time"], text(rows, "distinct_id")
            insert, device = text(rows, "insert_id"), text(rows, "device_id")
        else:
            name, time, distinct = text(rows, "event"), property_text(document, "time"), None
            insert, device = ibis.null("string"), ibis.null("string")
        rows = rows.mutate(
            _name=name,
            _time=time,
            _received=property_text(document, "mp_processing_time_ms"),
            _groups=checked_object(property_text(document, "$groups")),
            _insert=ibis.coalesce(insert, property_text(document, "$insert_id")),
            _device=ibis.coalesce(device, property_text(document, "$device_id")).nullif(""),
            _distinct=property_text(document, "distinct_id") if distinct is None else distinct,
            _user=property_text(document, "$user_id").nullif(""),
        )
        distinct, device = rows["_distinct"], rows["_device"]
        made_up = any_of(distinct.startswith(OF_A_DEVICE), (distinct == device).fill_null(FALSE))
        bare = distinct.re_replace(r"^\$device:", "")
        return rows.mutate(
            _at=instant(rows, "_time"),
            _distinct=bare,
            _person=ibis.coalesce(rows["_user"], made_up.ifelse(ibis.null("string"), distinct)),
            _anonymous=ibis.coalesce(device, made_up.ifelse(bare, ibis.null("string"))),
        )

    def _events(self, rows: ir.Table) -> ir.Table:
        properties = text(rows, "properties")
        content = derived_id(rows["_name"], rows["_distinct"], rows["_at"], properties)
        return rows.select(
            LINE,
            event_id=ibis.coalesce(rows["_insert"].nullif(""), content),
            person_id=rows["_person"],
            anonymous_id=rows["_anonymous"],
            name=rows["_name"],
            timestamp=rows["_at"],
            workspace_id=ibis.coalesce(
                workspace_of_groups(rows["_groups"]), workspace_of(in_object(rows["_document"]))
            ),
            received_at=instant(rows, "_received"),
            properties=properties,
        )

    def _aliases(self, rows: ir.Table) -> ir.Table:
        """Which id Mixpanel was told to take for which."""
        rows = rows.mutate(_merged=property_text(rows["_document"], "$distinct_ids"))
        document, merged = rows["_document"], rows["_merged"]
        second = element_of(list_in(merged), 1)
        is_identify, is_alias, is_merge = (rows["_name"] == name for name in WHO)
        former = ibis.cases(
            (is_identify, property_text(document, "$anon_id")),
            (is_alias, property_text(document, "distinct_id")),
            (is_merge, first_element(merged)),
            else_=ibis.null("string"),
        )
        person = ibis.cases(
            (is_identify, property_text(document, "$identified_id")),
            (is_alias, property_text(document, "alias")),
            (is_merge, second),
            else_=ibis.null("string"),
        )
        return alias_rows(rows, former.re_replace(r"^\$device:", ""), person, rows["_at"])
