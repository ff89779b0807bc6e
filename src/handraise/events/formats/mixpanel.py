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
    instant_of_epoch,
    is_json,
    property_text,
)

_WHO = ("$identify", "$create_alias", "$merge")
_NO_USE = ("$session_start", "$session_end", "$ae_session", "$experiment_started", "$mp_dead_click")
_OF_A_DEVICE = "$device:"  # how an id starts that Mixpanel made up for somebody who has not signed in


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
            said = checked_object(text(rows, "$properties"))
            return {"people": people_of(rows, text(rows, "$distinct_id"), in_object(said))}
        rows = self._with_keys(table, rows)
        used = rows.filter(~rows["_name"].isin([*_WHO, *_NO_USE]).fill_null(FALSE))
        return {"events": self._events(used), "aliases": self._aliases(rows)}

    def _with_keys(self, table: str, rows: ir.Table) -> ir.Table:
        """Name, time and ids, from the columns or from the properties."""
        document = checked_object(text(rows, "properties"))
        if table == "event":
            name, at, distinct = text(rows, "name"), instant(rows, "time"), text(rows, "distinct_id")
            insert, device = text(rows, "insert_id"), text(rows, "device_id")
        else:
            name, at = text(rows, "event"), instant_of_epoch(property_text(document, "time"))
            distinct = property_text(document, "distinct_id")
            insert, device = ibis.null("string"), ibis.null("string")
        insert = ibis.coalesce(insert, property_text(document, "$insert_id"))
        device = ibis.coalesce(device, property_text(document, "$device_id")).nullif("")
        made_up = any_of(distinct.startswith(_OF_A_DEVICE), (distinct == device).fill_null(FALSE))
        person = ibis.coalesce(
            property_text(document, "$user_id").nullif(""), made_up.ifelse(ibis.null("string"), distinct)
        )
        bare = distinct.re_replace(r"^\$device:", "")
        anonymous = ibis.coalesce(device, made_up.ifelse(bare, ibis.null("string")))
        return rows.mutate(
            _document=document, _name=name, _at=at, _insert=insert, _distinct=bare, _person=person, _anonymous=anonymous
        )

    def _events(self, rows: ir.Table) -> ir.Table:
        document, properties = rows["_document"], text(rows, "properties")
        content = derived_id(rows["_name"], rows["_distinct"], rows["_at"], properties)
        return rows.select(
            LINE,
            event_id=ibis.coalesce(rows["_insert"].nullif(""), content),
            person_id=rows["_person"],
            anonymous_id=rows["_anonymous"],
            name=rows["_name"],
            timestamp=rows["_at"],
            workspace_id=ibis.coalesce(
                workspace_of_groups(checked_object(property_text(document, "$groups"))),
                workspace_of(in_object(document)),
            ),
            received_at=instant_of_epoch(property_text(document, "mp_processing_time_ms")),
            properties=properties,
        )

    def _aliases(self, rows: ir.Table) -> ir.Table:
        """Which id Mixpanel was told to take for which."""
        document = rows["_document"]
        merged = property_text(document, "$distinct_ids")
        second = element_of(_checked_list(merged), 1)
        is_identify, is_alias, is_merge = (rows["_name"] == name for name in _WHO)
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


def _checked_list(text: ir.StringValue) -> ir.StringValue:
    """A text that is a JSON list; NULL for every other text."""
    found: ir.StringValue = (text.startswith("[") & is_json(text)).ifelse(text, ibis.null("string"))
    return found
