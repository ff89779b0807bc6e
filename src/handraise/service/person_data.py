"""Everything that is stored of one person, for the person to see."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from handraise.errors import NotFoundError
from handraise.events.erase import Subject, subject_of
from handraise.ledger.person_rows import rows_about
from handraise.service.project import Project
from handraise.warehouse.functions import any_of
from handraise.warehouse.tables import INPUTS

_MADE = {"kept_person_values": "measured", "person_history": "history"}


def data_of(project: Project, person_id: str) -> dict[str, list[dict[str, Any]]]:
    """Table → rows about a person, with anonymous ids, aliases and addresses that are theirs alone: of data and ledger.

    Raises:
        NotFoundError: Nothing is stored of this person.
    """
    warehouse = project.warehouse
    subject = subject_of(warehouse, person_id)
    found = {name: _rows(project, name, list(item.columns), subject) for name, item in INPUTS.items()}
    found["enrichment"] += _rows(project, "provider_said", ["email"], subject)
    there = warehouse.table_names()
    for table, name in _MADE.items():
        if table in there:
            found[name] = _rows(project, table, ["person_id"], subject)
    if project.ledger is not None:
        with project.ledger() as ledger, ledger.reading() as connection:
            found |= rows_about(connection, subject.ids, subject.emails)
    if not any(found.values()):
        raise NotFoundError(f"nothing is stored of a person {person_id!r}.", todo="Check the id.")
    return {name: rows for name, rows in found.items() if rows}


def _rows(project: Project, table: str, columns: list[str], subject: Subject) -> list[dict[str, Any]]:
    warehouse = project.warehouse
    rows = warehouse.table(table)
    wanted = {"person_id": subject.ids, "anonymous_id": subject.ids, "alias_id": subject.ids, "email": subject.emails}
    held = {
        column: warehouse.hold(f"asked_{column}", pa.table({"id": pa.array(sorted(ids), pa.string())}))
        for column, ids in wanted.items()
        if column in columns and column in rows.columns
    }
    if not held:
        return []
    matches = [
        (rows[column].lower() if column == "email" else rows[column]).isin(ids.id) for column, ids in held.items()
    ]
    found: list[dict[str, Any]] = warehouse.rows(rows.filter(any_of(*matches))).to_pylist()
    return found
