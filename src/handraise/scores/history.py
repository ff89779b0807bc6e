"""Score history: for each as-of that was scored, only what changed since the one before it.

The state at an as-of is each key's latest row up to it; a row without score says that the key was gone. As-ofs may
be scored in any order and again: the rows of the next one are put right each time.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.playbook.schema import Playbook
from handraise.scores.pql import firmographic_signals
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import any_of

PERSON_KEY = ("person_id", "account_id")
ACCOUNT_KEY = ("account_id",)
_STATE = ("score", "label", "points")
_GONE = "gone"
SNAPSHOTS = ibis.schema(
    {"as_of": "date", "playbook": "string", "data_version": "string", "people": "int64", "accounts": "int64"}
)


def make_tables(warehouse: Warehouse) -> None:
    """Make the history tables that are not there yet."""
    there = warehouse.table_names()
    for name, key in (("person_history", PERSON_KEY), ("account_history", ACCOUNT_KEY)):
        if name not in there:
            state = {"score": "int64", "label": "string", "points": "string"}
            warehouse.create(name, ibis.schema({"as_of": "date", **dict.fromkeys(key, "string"), **state}))
    if "snapshots" not in there:
        warehouse.create("snapshots", SNAPSHOTS)


def keep_snapshot(
    warehouse: Warehouse, as_of: date, playbook: Playbook, *, playbook_hash: str, data_version: str
) -> None:
    """Store what changed at one as-of of `scored_people` and `scored_accounts`."""
    people = _at(warehouse.table("scored_people"), as_of)
    accounts = _at(warehouse.table("scored_accounts"), as_of)
    fit = firmographic_signals(playbook)
    person_state = people.select(
        *PERSON_KEY, score=people.score, label=people.band, points=_points_text(people, list(playbook.signals.person))
    )
    account_state = accounts.select(
        *ACCOUNT_KEY,
        score=accounts.score,
        label=accounts.tier.cast("string"),
        points=_points_text(accounts, [*playbook.signals.account, *fit], people=True),
    )
    kept = warehouse.table("snapshots")
    later = warehouse.rows(kept.filter(kept.as_of > as_of).agg(at=lambda t: t.as_of.min()))[0][0].as_py()
    _keep(warehouse, "person_history", PERSON_KEY, as_of, later, person_state)
    _keep(warehouse, "account_history", ACCOUNT_KEY, as_of, later, account_state)
    warehouse.delete("snapshots", kept.filter(kept.as_of == as_of).select("as_of"))
    row = {
        "as_of": as_of,
        "playbook": playbook_hash,
        "data_version": data_version,
        "people": warehouse.count(people),
        "accounts": warehouse.count(accounts),
    }
    warehouse.insert("snapshots", warehouse.hold("snapshot", pa.Table.from_pylist([row], SNAPSHOTS.to_pyarrow())))


def state_at(history: ir.Table, key: tuple[str, ...], as_of: date) -> ir.Table:
    """Key, score, label (band or tier) and points text of everybody who existed at a kept as-of."""
    return _present(_latest(history.filter(history.as_of <= ibis.date(as_of.isoformat())), key))


def _at(scored: ir.Table, as_of: date) -> ir.Table:
    return scored.filter(scored.as_of == ibis.date(as_of.isoformat()))


def _latest(rows: ir.Table, key: tuple[str, ...]) -> ir.Table:
    return rows.group_by(list(key)).agg(**{column: rows[column].argmax(rows.as_of) for column in _STATE})


def _present(state: ir.Table) -> ir.Table:
    return state.filter(state.points != _GONE)


def _keep(
    warehouse: Warehouse, name: str, key: tuple[str, ...], as_of: date, later: date | None, state: ir.Table
) -> None:
    """Replace the rows of one as-of, and those of the next one, which are told against it."""
    history = warehouse.table(name)
    now = warehouse.create("state_now", state, temporary=True)
    after = None
    if later is not None:
        after = warehouse.create("state_after", state_at(history, key, later), temporary=True)
    before = history.filter(history.as_of < ibis.date(as_of.isoformat()))
    past = warehouse.create("state_before", _present(_latest(before, key)), temporary=True)
    dates = [day for day in (as_of, later) if day is not None]
    old = history.filter(history.as_of.isin([ibis.date(day.isoformat()) for day in dates]))
    warehouse.delete(name, old.select("as_of").distinct())
    warehouse.insert(name, _changes(past, now, key, as_of))
    if later is not None and after is not None:
        warehouse.insert(name, _changes(now, after, key, later))


def _changes(before: ir.Table, now: ir.Table, key: tuple[str, ...], as_of: date) -> ir.Table:
    """Rows that are new or different, and a `gone` row for every key that vanished."""
    day = ibis.date(as_of.isoformat())
    old = before.rename({f"old_{c}": c for c in _STATE})
    joined = now.left_join(old, list(key))
    differs = any_of(*(~joined[c].identical_to(joined[f"old_{c}"]) for c in _STATE))
    changed = joined.filter(differs).select(*key, *_STATE, as_of=day)
    vanished = before.anti_join(now, list(key))
    gone = vanished.select(
        *key, score=ibis.literal(0, "int64"), label=ibis.literal(""), points=ibis.literal(_GONE), as_of=day
    )
    return changed.union(gone.select(*changed.columns), distinct=False)


def _points_text(rows: ir.Table, names: list[str], *, people: bool = False) -> ir.StringValue:
    """`signal=points;…` of the signals that gave any, in the playbook's order."""
    parts = [_one(rows[f"p_{name}"], name) for name in names]
    if people:
        parts.insert(0, _one(rows.people_points, "people"))
    text: ir.StringValue = ibis.literal("").concat(*parts)
    return text


def _one(points: ir.IntegerValue, name: str) -> ir.StringValue:
    shown = ibis.literal(f"{name}=").concat(points.cast("string"), ";")
    one: ir.StringValue = (points.fill_null(0) != 0).ifelse(shown, "")
    return one


def read_points(text: str) -> dict[str, int]:
    """Signal → points from a history row."""
    pairs = (part.partition("=") for part in text.split(";") if part)
    return {name: int(points) for name, _, points in pairs}
