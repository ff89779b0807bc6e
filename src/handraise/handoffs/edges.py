"""What became true and what is true no more, against what held when it was last looked at."""

from __future__ import annotations

from collections.abc import Iterable

import ibis
import pyarrow as pa

from handraise.handoffs.conditions import make_conditions
from handraise.playbook.schema import Playbook
from handraise.warehouse.engine import Warehouse

KEY = ("trigger", "account_id", "person_id")
_INSTANT = pa.timestamp("us")
_HELD = pa.schema([*((name, pa.string()) for name in KEY), ("asked_at", _INSTANT)])


def hold_known(warehouse: Warehouse, rows: Iterable[dict[str, object]]) -> None:
    """`held_conditions`: what held; each row has the key and `asked_at`, an instant in UTC without zone, or None."""
    warehouse.hold("held_conditions", pa.Table.from_pylist(list(rows), schema=_HELD))


def make_edges(warehouse: Warehouse, playbook: Playbook, *, within_scope: bool) -> None:
    """The temporary tables `conditions`, `fired` (what became true, or was asked again) and `ended` (keys alone).

    Args:
        warehouse: After a run of the path and `hold_known`.
        playbook: Whose triggers.
        within_scope: Only the accounts of `scope_accounts` were scored.
    """
    bands = tuple((band.name, band.at_least) for band in playbook.bands)
    now = make_conditions(warehouse, playbook.handoffs, bands)
    held = warehouse.table("held_conditions")
    if within_scope:
        scope = warehouse.table("scope_accounts")
        now, held = now.semi_join(scope, "account_id"), held.semi_join(scope, "account_id")
    before = held.select(*KEY, before=held.asked_at, was=ibis.literal(value=True))
    joined = now.left_join(before, list(KEY))
    again = (joined["at"] > joined.before).fill_null(joined["at"].notnull() & joined.before.isnull())
    fired = joined.filter(joined.was.isnull() | again)
    warehouse.create("fired", fired.select(*KEY, "value", "at"), temporary=True)
    warehouse.create("ended", held.select(*KEY).anti_join(now, list(KEY)), temporary=True)
