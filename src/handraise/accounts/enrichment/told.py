"""Who says what, side by side: what is believed and what is not, where two contradict each other, how much each knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir

from handraise.playbook.enrichment import ACCOUNTS, COMPANY_FIELDS, PEOPLE, PERSON_FIELDS
from handraise.records.enrichment import About
from handraise.warehouse.engine import Warehouse

# Numbers of employees that differ by less than this share of the larger one are the same size, counted on another day.
SAME_SIZE = 0.25
_OWN: dict[About, tuple[str, str, tuple[str, ...]]] = {
    "company": ("accounts", ACCOUNTS, COMPANY_FIELDS),
    "person": ("people", PEOPLE, PERSON_FIELDS),
}


def told(warehouse: Warehouse, about: About, until: datetime, ids: Sequence[str] = ()) -> ir.Table:
    """id, field, value (as text), source, known_at, choice: what each source says last of each field before an instant.

    `choice` is 0 for what is believed, and higher the less a source is believed. The company's own files have no
    known_at. Needs what `refresh_said` leaves.

    Args:
        warehouse: Where the rows are.
        about: company or person.
        until: In UTC, without a zone.
        ids: Of these accounts or people only; none = of all.
    """
    table, own, fields = _OWN[about]
    key = "account_id" if about == "company" else "person_id"
    said, rows = warehouse.table(f"{about}_said"), warehouse.table(table)
    if ids:
        said, rows = (part.filter(part[key].isin(list(ids))) for part in (said, rows))
    known = said.filter(said.known_at < ibis.timestamp(until).cast("timestamp(6)"))
    parts = [_said(known, key, name) for name in fields] + [
        _own(rows, key, name, own) for name in fields if name in rows.columns
    ]
    every = ibis.union(*parts, distinct=False)
    # What a source said before it said something else does not count against it.
    of_source = ibis.window(group_by=[every.id, every.field, every.source], order_by=[every.turn, every.place])
    latest = every.mutate(_last=ibis.row_number().over(of_source)).filter(lambda t: t["_last"] == 0).drop("_last")
    order = ibis.window(group_by=[latest.id, latest.field], order_by=[latest.turn, latest.place])
    ranked = latest.mutate(choice=ibis.row_number().over(order))
    return ranked.select("id", "field", "value", "source", "known_at", "choice")


def _said(known: ir.Table, key: str, name: str) -> ir.Table:
    rows = known.filter(known[name].notnull())
    return rows.select(
        id=rows[key],
        field=ibis.literal(name),
        value=rows[name].cast("string"),
        source="source",
        known_at="known_at",
        turn=(rows.before == 1).ifelse(0, 2).cast("int64"),
        place="place",
    )


def _own(rows: ir.Table, key: str, name: str, own: str) -> ir.Table:
    given = rows.filter(rows[name].notnull())
    return given.select(
        id=given[key],
        field=ibis.literal(name),
        value=given[name].cast("string"),
        source=ibis.literal(own),
        known_at=ibis.null("timestamp(6)"),
        turn=ibis.literal(1, "int64"),
        place=ibis.literal(0, "int64"),
    )


def conflicts(rows: ir.Table) -> ir.Table:
    """What is believed beside what another source says, where the two do not mean the same.

    Capitals, outer spaces and punctuation do not count; names and tags are never compared, as nobody spells them alike.
    Numbers of employees are the same as long as they differ by less than a quarter of the larger one.
    """
    compared = rows.filter(~rows.field.isin(["name", "tags"]))
    used = compared.filter(compared.choice == 0)
    others = compared.filter(compared.choice > 0)
    theirs = others.select(
        "id", "field", other_value="value", other_source="source", other_known_at="known_at", other_choice="choice"
    )
    both = used.inner_join(theirs, ["id", "field"])
    mine, other = both.value.try_cast("float64"), both.other_value.try_cast("float64")
    larger = ibis.greatest(mine, other)
    sizes = (both.field == "employees") & ((mine - other).abs() >= larger * SAME_SIZE) & (larger > 0)
    words = (both.field != "employees") & (_folded(both.value) != _folded(both.other_value))
    return both.filter(sizes | words)


def _folded(text: ir.StringValue) -> ir.StringValue:
    folded: ir.StringValue = text.lower().re_replace(r"[\s.,;:_/&()-]+", "")
    return folded


def coverage(rows: ir.Table, ids: ir.Table) -> ir.Table:
    """field, source, known, used: of how many of some accounts or people (`id`) a source says something, and is believed."""
    mine = rows.semi_join(ids, "id")
    counted = mine.group_by(["field", "source"]).agg(known=mine.count(), used=mine.count(where=mine.choice == 0))
    return counted.order_by("field", counted.used.desc(), counted.known.desc(), "source")
