"""The day that is decided on: of several days that were scored at once, the last."""

from __future__ import annotations

import ibis.expr.types as ir

from handraise.warehouse.engine import Warehouse


def latest(warehouse: Warehouse, name: str) -> ir.Table:
    """Rows of the last day of a table that has several."""
    rows = warehouse.table(name)
    return rows.filter(rows.as_of == warehouse.table("as_ofs").as_of.max().as_scalar())
