"""What is believed of each account and each person at an as-of, of all that others had said by then."""

from __future__ import annotations

import ibis.expr.types as ir

from handraise.playbook.enrichment import PERSON_FIELDS
from handraise.warehouse.engine import Warehouse

# What the path reads of companies.
READ_OF_COMPANIES = ("name", "employees", "industry", "country")


def make_enriched(warehouse: Warehouse) -> None:
    """The temporary tables `enriched_companies` and `enriched_people`: one row per as_of and account or person.

    Each has, for every field, the value that is believed first of those known before as-of, and `<field>_before`: 1 =
    it goes before the accounts or the people file, 0 = it only fills what they leave open. Needs `as_ofs` and what
    `refresh_said` leaves.
    """
    companies, people = warehouse.table("company_said"), warehouse.table("person_said")
    found = _believed(warehouse, companies, "account_id", READ_OF_COMPANIES)
    warehouse.create("enriched_companies", found, temporary=True)
    warehouse.create("enriched_people", _believed(warehouse, people, "person_id", PERSON_FIELDS), temporary=True)


def _believed(warehouse: Warehouse, said: ir.Table, key: str, fields: tuple[str, ...]) -> ir.Table:
    dated = said.cross_join(warehouse.table("as_ofs"))
    known = dated.filter(dated.known_at < dated.cutoff)
    values = {name: known[name].argmin(known.place, where=known[name].notnull()) for name in fields}
    before = {f"{name}_before": known.before.argmin(known.place, where=known[name].notnull()) for name in fields}
    return known.group_by(["as_of", key]).agg(**values, **before)
