"""Score history: for each as-of that was scored, only what changed since the one before it.

The state at an as-of is each key's latest row up to it; a row without score says that the key was gone. As-ofs may
be scored in any order and again: the rows of the next one are put right each time.
"""

from __future__ import annotations

from dataclasses import dataclass
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


def keep_snapshots(
    warehouse: Warehouse, as_ofs: list[date], playbook: Playbook, *, playbook_hash: str, data_version: str
) -> None:
    """Store what changed at the as-ofs of `scored_people` and `scored_accounts`, all in one pass.

    Kept days after the first of them are told anew against what now lies before them; their states stay as they were.
    """
    kept = sorted(warehouse.rows(warehouse.table("snapshots").select("as_of"))[0].to_pylist())
    days = _Days(
        new=sorted(as_ofs),
        before=max((day for day in kept if day < min(as_ofs)), default=None),
        later=[day for day in kept if day > min(as_ofs) and day not in as_ofs],
    )
    people, accounts = warehouse.table("scored_people"), warehouse.table("scored_accounts")
    person_state = people.select(
        "as_of",
        *PERSON_KEY,
        score=people.score,
        label=people.band,
        points=_points_text(people, list(playbook.signals.person)),
    )
    account_state = accounts.select(
        "as_of",
        *ACCOUNT_KEY,
        score=accounts.score,
        label=accounts.tier.cast("string"),
        points=_points_text(accounts, [*playbook.signals.account, *firmographic_signals(playbook)], people=True),
    )
    _keep(warehouse, "person_history", PERSON_KEY, days, person_state)
    _keep(warehouse, "account_history", ACCOUNT_KEY, days, account_state)
    counted = people.group_by("as_of").agg(people=people.count())
    both = accounts.group_by("as_of").agg(accounts=accounts.count()).left_join(counted, "as_of")
    rows = both.select(
        "as_of",
        playbook=ibis.literal(playbook_hash),
        data_version=ibis.literal(data_version),
        people=both.people.fill_null(0),
        accounts=both.accounts,
    )
    warehouse.delete("snapshots", rows.select("as_of"))
    warehouse.insert("snapshots", rows)


def state_at(history: ir.Table, key: tuple[str, ...], as_of: date) -> ir.Table:
    """Key, score, label (band or tier) and points text of everybody who existed at a kept as-of."""
    past = history.filter(history.as_of <= ibis.date(as_of.isoformat()))
    latest = past.group_by(list(key)).agg(**{column: past[column].argmax(past.as_of) for column in _STATE})
    return latest.filter(latest.points != _GONE)


@dataclass(frozen=True, kw_only=True)
class _Days:
    """Days that a run adds, the kept day before them, and kept days after the first of them."""

    new: list[date]
    before: date | None
    later: list[date]

    @property
    def ordered(self) -> list[date]:
        return sorted([*self.new, *self.later, *([self.before] if self.before else [])])


def _keep(warehouse: Warehouse, name: str, key: tuple[str, ...], days: _Days, states: ir.Table) -> None:
    history = warehouse.table(name)
    columns = ["as_of", *key, *_STATE]
    old_days = [day for day in days.ordered if day not in days.new]
    if old_days:
        states = states.union(_states_of(warehouse, history, key, old_days).select(*columns), distinct=False)
    places = {"as_of": pa.array(days.ordered, pa.date32()), "place": pa.array(range(len(days.ordered)), pa.int64())}
    order = warehouse.hold("day_order", pa.table(places))
    placed = warehouse.create("states", states.inner_join(order, "as_of"), temporary=True)
    changes = _changes(placed, order, key, first=0 if days.before is None else 1)
    changed = warehouse.create("state_changes", changes.select(*columns), temporary=True)
    told_anew = history.filter(history.as_of >= ibis.date(min(days.new).isoformat()))
    warehouse.delete(name, told_anew.select("as_of").distinct())
    warehouse.insert(name, changed)


def _states_of(warehouse: Warehouse, history: ir.Table, key: tuple[str, ...], days: list[date]) -> ir.Table:
    """The whole state of several kept days."""
    wanted = warehouse.hold("kept_days", pa.table({"day": pa.array(days, pa.date32())}))
    past = history.cross_join(wanted)
    past = past.filter(past.as_of <= past.day)
    latest = past.group_by([*key, "day"]).agg(**{column: past[column].argmax(past.as_of) for column in _STATE})
    return latest.filter(latest.points != _GONE).rename({"as_of": "day"})


def _changes(states: ir.Table, order: ir.Table, key: tuple[str, ...], *, first: int) -> ir.Table:
    """Rows that differ from the day before, and a `gone` row where a key is missing on the next day."""
    before = states.select(*key, place=states.place + 1, **{f"old_{c}": states[c] for c in _STATE})
    joined = states.left_join(before, [*key, "place"])
    differs = any_of(*(~joined[c].identical_to(joined[f"old_{c}"]) for c in _STATE))
    changed = joined.filter(differs & (joined.place >= first)).select("as_of", *key, *_STATE)
    next_day = order.select(next_as_of=order.as_of, place=order.place - 1)
    followed = states.inner_join(next_day, "place")
    vanished = followed.anti_join(states.select(*key, next_as_of=states.as_of), [*key, "next_as_of"])
    gone = vanished.select(
        *key,
        as_of=vanished.next_as_of,
        score=ibis.literal(0, "int64"),
        label=ibis.literal(""),
        points=ibis.literal(_GONE),
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
