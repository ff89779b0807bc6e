"""What the company's own files say of somebody, completed by what others know."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir


def filled(rows: ir.Table, enriched: ir.Table, keys: list[str]) -> ir.Table:
    """Rows in which each column that `enriched` has too holds the value that is believed.

    Args:
        rows: With the keys and the columns of the company's own files.
        enriched: Keys, columns, and `<column>_before` (1 = believed before the own file, 0 = after it); one row for
            each key at most.
        keys: Columns to join by.
    """
    fields = [column for column in rows.columns if f"{column}_before" in enriched.columns]
    theirs = enriched.select(
        *keys,
        **{f"_{name}": enriched[name] for name in fields},
        **{f"_{name}_before": enriched[f"{name}_before"] for name in fields},
    )
    joined = rows.left_join(theirs, keys)
    others = {column: joined[column] for column in rows.columns if column not in fields}
    values = {name: _believed(joined, name) for name in fields}
    return joined.select(**others, **values).select(*rows.columns)


def _believed(joined: ir.Table, name: str) -> ir.Value:
    own, theirs = joined[name], joined[f"_{name}"]
    first = joined[f"_{name}_before"] == 1
    return first.ifelse(theirs, ibis.coalesce(own, theirs))
