"""Run the analyst's SQL, and compare every number of it with what handraise says."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final, Literal

from handraise.service.export import export_rows
from handraise.service.project import Project
from handraise.warehouse.engine import Warehouse

HERE: Final = Path(__file__).parent
PLAYBOOK: Final = HERE / "playbook.yaml"
STATEMENTS: Final = ("identity.sql", "people.sql", "accounts.sql")
_KEYS: Final = {"people": ("person_id", "account_id"), "accounts": ("account_id",)}
# The analyst's tables do not say when they were made, nor who is a PQA: that follows from the tier.
_NOT_COMPARED: Final = frozenset({"as_of", "is_pqa"})


def score(warehouse: Warehouse, as_of: date) -> None:
    """Leave the temporary tables `analyst_people` and `analyst_accounts` for a day.

    Args:
        warehouse: With loaded inputs and classified e-mail hosts; nothing else of handraise is read.
        as_of: A score of day T knows what happened before T 00:00 UTC.
    """
    warehouse.connection.execute(f"SET VARIABLE as_of = TIMESTAMP '{as_of}'")
    for name in STATEMENTS:
        warehouse.connection.execute((HERE / name).read_text(encoding="utf-8"))


def differences(project: Project, what: Literal["people", "accounts"]) -> dict[str, int]:
    """What the analyst and handraise's export disagree on, for the as-of that both scored last.

    Returns:
        Column → rows that differ, and `missing here` or `missing there` → rows only one of the two has. Empty: all
        the same. Blind and 0 points are one here: the analyst's SQL has no word for blind.
    """
    warehouse = project.warehouse
    exported = export_rows(project, what)
    warehouse.create("exported", exported, temporary=True)
    keys = _KEYS[what]
    compared = [column for column in exported.columns if column not in keys and column not in _NOT_COMPARED]
    counts = [
        f"count(*) FILTER (e.{keys[0]} IS NOT NULL AND a.{keys[0]} IS NOT NULL"
        f" AND coalesce(e.{c}::VARCHAR, '0') <> coalesce(a.{c}::VARCHAR, '0')) AS {c}"
        for c in compared
    ]
    sql = f"""
        SELECT
            count(*) FILTER (e.{keys[0]} IS NULL) AS "missing here",
            count(*) FILTER (a.{keys[0]} IS NULL) AS "missing there",
            {", ".join(counts)}
        FROM exported e FULL JOIN analyst_{what} a USING ({", ".join(keys)})
    """  # noqa: S608 - names come from the export's columns
    (row,) = warehouse.connection.execute(sql).to_arrow_table().to_pylist()
    return {column: int(rows) for column, rows in row.items() if rows}
