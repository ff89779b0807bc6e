"""Who can decide and who can buy: the executive and buyer rules of the playbook."""

from __future__ import annotations

import re

import ibis.expr.types as ir

from handraise.playbook.schema import Playbook
from handraise.signals.filled import filled
from handraise.signals.fit import in_list
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import FALSE, join_on
from handraise.warehouse.tables import input_version, read_fact, remake_when_changed


def refresh_traits(warehouse: Warehouse, playbook: Playbook) -> None:
    """Bring `person_traits` up to date: person_id → created_at, department, is_executive, is_buyer, work domain.

    People change less often than what they do; needs `person_domains`.
    """
    made_of = (
        input_version(warehouse, "people"),
        read_fact(warehouse, "domains_of"),
        playbook.executive,
        playbook.buyer,
    )
    remake_when_changed(warehouse, "traits_of", repr(made_of), lambda: _make_traits(warehouse, playbook))


def _make_traits(warehouse: Warehouse, playbook: Playbook) -> None:
    people = warehouse.table("people")
    named = people.select(
        "person_id",
        "created_at",
        department=people.department.strip().nullif(""),
        is_executive=is_executive(people, playbook),
        is_buyer=is_buyer(people, playbook),
    )
    warehouse.create("person_traits", join_on(named, warehouse.table("person_domains"), ["person_id"]))


def make_enriched_traits(warehouse: Warehouse, playbook: Playbook) -> ir.Table:
    """The temporary table `enriched_traits`: as_of, person_id, department, is_executive, is_buyer of those whom others know."""
    enriched = warehouse.table("enriched_people")
    rows = warehouse.table("people").select("person_id", "title", "department", "seniority")
    dated = enriched.select("as_of", "person_id").inner_join(rows, "person_id")
    known = filled(dated.select("as_of", *rows.columns), enriched, ["as_of", "person_id"])
    traits = known.select(
        "as_of",
        "person_id",
        department=known.department.strip().nullif(""),
        is_executive=is_executive(known, playbook),
        is_buyer=is_buyer(known, playbook),
    )
    return warehouse.create("enriched_traits", traits, temporary=True)


def _folded(text: ir.StringValue) -> ir.StringValue:
    """Lower case; `-`, `_` and runs of spaces become one space."""
    folded: ir.StringValue = text.lower().re_replace(r"[-_\s]+", " ").strip()
    return folded


def is_executive(people: ir.Table, playbook: Playbook) -> ir.BooleanValue:
    """By seniority, or by a whole word of the title."""
    rule = playbook.executive
    by_seniority = _folded(people.seniority).isin([s.lower() for s in rule.seniorities]).fill_null(FALSE)
    words = "|".join(re.escape(word.lower()).replace(r"\ ", " ") for word in rule.title_words)
    pattern = f"(^|[^a-z0-9])({words})([^a-z0-9]|$)"
    by_title = _folded(people.title).re_search(pattern).fill_null(FALSE)
    either: ir.BooleanValue = by_seniority | by_title
    return either


def is_buyer(people: ir.Table, playbook: Playbook) -> ir.BooleanValue:
    """An executive, or one of the buying seniorities in a buying department."""
    rule = playbook.buyer
    senior = _folded(people.seniority).isin([s.lower() for s in rule.seniorities]).fill_null(FALSE)
    placed = in_list(people.department, rule.departments).fill_null(FALSE)
    either: ir.BooleanValue = is_executive(people, playbook) | (senior & placed)
    return either
