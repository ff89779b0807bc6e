"""Whose an id was at an as-of, when aliases say that one id stands for another.

An id has one alias: the one known first (ties: the smallest person_id). Aliases that lead on are followed to the end;
a circle of them is one person, under the smallest id in it.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.warehouse.engine import Warehouse

ENDS = "alias_ends"
_ENDS = ibis.schema({"as_of": "date", "alias_id": "string", "person_id": "string"})


def all_links(warehouse: Warehouse) -> ir.Table:
    """anonymous_id, person_id, linked_at: what events say by carrying both ids, and what aliases say."""
    links = warehouse.table("identity_links").select("anonymous_id", "person_id", "linked_at")
    aliases = _aliases(warehouse).select(anonymous_id="alias_id", person_id="person_id", linked_at="at")
    return links.union(aliases, distinct=False)


def first_links(links: ir.Table) -> ir.Table:
    """An anonymous id belongs to the person it was first seen with; ties go to the smallest person_id."""
    earliest = links.group_by("anonymous_id").agg(linked_at=links.linked_at.min())
    both = links.inner_join(earliest, ["anonymous_id", "linked_at"])
    return both.group_by(["anonymous_id", "linked_at"]).agg(linked_person=both.person_id.min())


def resolve_aliases(warehouse: Warehouse) -> None:
    """Make the temporary table `alias_ends`: as_of, alias_id → person_id at the end of its chain, as known by then.

    Needs `as_ofs` and the roll-ups. It holds the ids that are persons themselves, or that something leads to; an
    anonymous id is one step away from one of them, and all of those steps are made at once elsewhere.
    """
    if warehouse.rows_in("aliases") == 0:
        warehouse.create(ENDS, _ENDS, temporary=True)
        return
    hops = warehouse.create("alias_hops", _known_hops(warehouse), temporary=True)
    ids, steps = _distinct_ids(warehouse, hops), 1
    while steps < ids and warehouse.count(_leading_on(hops)):
        # Each round doubles the steps made. After as many as there are ids, what still leads on is in a circle.
        warehouse.create("alias_hops_doubled", _doubled(hops), temporary=True)
        hops = warehouse.create("alias_hops", warehouse.table("alias_hops_doubled"), temporary=True)
        steps *= 2
    circles = hops.select(_as_of="as_of", _person="alias_id", _smallest="least")
    ended = hops.left_join(circles, [hops.as_of == circles["_as_of"], hops.person == circles["_person"]])
    ends = ended.select("as_of", "alias_id", person_id=ibis.coalesce(ended["_smallest"], ended.person))
    warehouse.create(ENDS, ends, temporary=True)


def at_the_end(warehouse: Warehouse, rows: ir.Table) -> ir.Table:
    """Rows with as_of and person_id, whose person_id is who that person turned out to be by then."""
    ends = warehouse.table(ENDS).select(_as_of="as_of", _alias="alias_id", _end="person_id")
    # A table of its own: what is handed in may be a join itself, which a further join would be folded into.
    own = rows.select(*rows.columns)
    joined = own.left_join(ends, [own.as_of == ends["_as_of"], own.person_id == ends["_alias"]])
    others = {column: joined[column] for column in rows.columns if column != "person_id"}
    return joined.select(**others, person_id=ibis.coalesce(joined["_end"], joined.person_id))


def _aliases(warehouse: Warehouse) -> ir.Table:
    aliases = warehouse.table("aliases")
    return aliases.filter(aliases.alias_id != aliases.person_id)


def _known_hops(warehouse: Warehouse) -> ir.Table:
    """as_of, alias_id → person one step on; `least` is the smallest id of the steps made."""
    said = all_links(warehouse).filter(lambda t: t.person_id.notnull())
    firsts = warehouse.table("person_firsts")
    persons = ibis.union(
        said.select(own="person_id"),
        firsts.filter(firsts.identified).select(own="actor"),
        warehouse.table("people").select(own="person_id"),
        distinct=True,
    )
    aliases = _aliases(warehouse).select(anonymous_id="alias_id", person_id="person_id", linked_at="at")
    steps = first_links(aliases.semi_join(persons, aliases.anonymous_id == persons.own))
    known = steps.cross_join(warehouse.table("as_ofs"))
    known = known.filter(known.linked_at < known.cutoff)
    return known.select("as_of", alias_id="anonymous_id", person="linked_person", least="anonymous_id")


def _distinct_ids(warehouse: Warehouse, hops: ir.Table) -> int:
    return warehouse.count(hops.select("alias_id").distinct())


def _leading_on(hops: ir.Table) -> ir.Table:
    starts = hops.select("as_of", person="alias_id")
    return hops.semi_join(starts, ["as_of", "person"])


def _doubled(hops: ir.Table) -> ir.Table:
    """From each id, the steps made so far, twice."""
    further = hops.select(_as_of="as_of", _from="alias_id", _to="person", _least="least")
    joined = hops.left_join(further, [hops.as_of == further["_as_of"], hops.person == further["_from"]])
    return joined.select(
        "as_of",
        "alias_id",
        person=ibis.coalesce(joined["_to"], joined.person),
        least=ibis.least(joined.least, ibis.coalesce(joined["_least"], joined.least)),
    )
