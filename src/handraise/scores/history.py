"""Score history: for each as-of that was scored, only what changed since the one before it.

The state at an as-of is each key's latest row up to it; a row without score says that the key was gone. As-ofs may
be scored in any order and again: the rows of the next one are put right each time. A new day
is compared with the scores stored last where these are the day before it, and with all of history only otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.playbook.schema import Playbook
from handraise.scores.pql import firmographic_signals
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import TRUE, any_of

PERSON_KEY = ("person_id", "account_id")
ACCOUNT_KEY = ("account_id",)
_KEYS = {"person": PERSON_KEY, "account": ACCOUNT_KEY}
_STATE = ("score", "label", "points")
GONE = "gone"
SNAPSHOTS = ibis.schema(
    {"as_of": "date", "playbook": "string", "data_version": "string", "people": "int64", "accounts": "int64"}
)


def make_tables(warehouse: Warehouse) -> None:
    """Make the history tables that are not there yet."""
    there = warehouse.table_names()
    for entity, key in _KEYS.items():
        state = {"score": "int64", "label": "string", "points": "string"}
        schema = ibis.schema({"as_of": "date", **dict.fromkeys(key, "string"), **state})
        if f"{entity}_history" not in there:
            warehouse.create(f"{entity}_history", schema)
    if "snapshots" not in there:
        warehouse.create("snapshots", SNAPSHOTS)


def erase(warehouse: Warehouse, people: Iterable[str]) -> None:
    """Delete the history of people, and of the accounts that are one of them alone."""
    ids = sorted(people)
    alone = pa.table({"account_id": pa.array([f"person:{one}" for one in ids], pa.string())})
    warehouse.delete("person_history", warehouse.hold("erased", pa.table({"person_id": pa.array(ids, pa.string())})))
    warehouse.delete("account_history", warehouse.hold("erased", alone))


@dataclass(frozen=True, kw_only=True)
class MadeOf:
    """What scores were made of.

    Attributes:
        playbook: The playbook.
        playbook_hash: Its content hash.
        data_version: Of the data.
        blind: Signals that could not be seen.
        stored: The as-of of `stored_people` and `stored_accounts`, earlier scores of the same playbook; None = there
            are none.
    """

    playbook: Playbook
    playbook_hash: str
    data_version: str
    blind: frozenset[str]
    stored: date | None


def keep_snapshots(warehouse: Warehouse, as_ofs: list[date], made_of: MadeOf) -> None:
    """Store what changed at the as-ofs of `scored_people` and `scored_accounts`, all in one pass.

    Kept days after the first of them are told anew against what now lies before them; their states stay as they were.
    """
    kept = sorted(warehouse.rows(warehouse.table("snapshots").select("as_of"))[0].to_pylist())
    before = max((day for day in kept if day < min(as_ofs)), default=None)
    later = [day for day in kept if day > min(as_ofs) and day not in as_ofs]
    warehouse.hold("snapshot_of", _one_row(playbook=made_of.playbook_hash, data_version=made_of.data_version))
    if len(as_ofs) == 1 and not later and before is not None and before == made_of.stored:
        key = f"history of the next day {_key(made_of)}"
        warehouse.once_built(key, lambda: _keep_next_day(warehouse, made_of.playbook))
        return
    _hold_old_states(warehouse, [*([before] if before else []), *later])
    _hold_days(warehouse, sorted(as_ofs), before, later)
    warehouse.once_built(f"history {_key(made_of)}", lambda: _keep(warehouse, made_of.playbook))


def _key(made_of: MadeOf) -> str:
    return f"{made_of.playbook_hash} {sorted(made_of.blind)}"


def _one_row(**texts: str) -> pa.Table:
    return pa.table({name: pa.array([text], pa.string()) for name, text in texts.items()})


def state_at(history: ir.Table, key: tuple[str, ...], as_of: date) -> ir.Table:
    """Key, score, label (band or tier) and points text of everybody who existed at a kept as-of."""
    past = history.filter(history.as_of <= ibis.date(as_of.isoformat()))
    latest = past.group_by(list(key)).agg(**{column: past[column].argmax(past.as_of) for column in _STATE})
    return latest.filter(latest.points != GONE)


def _hold_days(warehouse: Warehouse, new: list[date], before: date | None, later: list[date]) -> None:
    """`day_order`: every day concerned, its place among them, and whether its changes are (re)written."""
    days = sorted([*new, *later, *([before] if before else [])])
    columns = {
        "as_of": pa.array(days, pa.date32()),
        "place": pa.array(range(len(days)), pa.int64()),
        "told": pa.array([day != before for day in days], pa.bool_()),
    }
    warehouse.hold("day_order", pa.table(columns))


def _hold_old_states(warehouse: Warehouse, days: list[date]) -> None:
    """`old_person_states` and `old_account_states`: the whole state of several kept days."""
    listed = warehouse.hold("kept_days", pa.table({"day": pa.array(days, pa.date32())}))
    for entity, columns in _KEYS.items():
        past = warehouse.table(f"{entity}_history").cross_join(listed)
        past = past.filter(past.as_of <= past.day)
        found = past.group_by([*columns, "day"]).agg(**{c: past[c].argmax(past.as_of) for c in _STATE})
        found = found.filter(found.points != GONE).rename({"as_of": "day"})
        warehouse.create(f"old_{entity}_states", found.select("as_of", *columns, *_STATE), temporary=True)


@dataclass(frozen=True, kw_only=True)
class _Entity:
    """How scores of people or accounts become states.

    Attributes:
        name: `person` or `account`.
        scored: Table of the scores just made.
        stored: Table of the scores stored last.
        label: Column of the band or tier.
        points: Shown name → column of points, in the playbook's order.
    """

    name: str
    scored: str
    stored: str
    label: str
    points: dict[str, str]

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that say whose score it is."""
        return _KEYS[self.name]

    def states(self, rows: ir.Table) -> ir.Table:
        """as_of, key, score, label and points text of scored rows."""
        points = _points_text(rows, self.points)
        return rows.select("as_of", *self.key, "score", label=rows[self.label].cast("string"), points=points)


def _entities(playbook: Playbook) -> tuple[_Entity, _Entity]:
    of_accounts = [*playbook.signals.account, *firmographic_signals(playbook)]
    person = {name: f"p_{name}" for name in playbook.signals.person}
    account = {"people": "people_points", **{name: f"p_{name}" for name in of_accounts}}
    return (
        _Entity(name="person", scored="scored_people", stored="stored_people", label="band", points=person),
        _Entity(name="account", scored="scored_accounts", stored="stored_accounts", label="tier", points=account),
    )


def _keep(warehouse: Warehouse, playbook: Playbook) -> None:
    for entity in _entities(playbook):
        _keep_states(warehouse, entity.name, entity.states(warehouse.table(entity.scored)))
    _keep_counts(warehouse)


def _keep_next_day(warehouse: Warehouse, playbook: Playbook) -> None:
    """One new day after the one that is stored: numbers are compared, and only what changed is put into words."""
    for entity in _entities(playbook):
        new, old = warehouse.table(entity.scored), warehouse.table(entity.stored)
        columns = ("score", entity.label, *entity.points.values())
        before = old.select(*entity.key, _was=TRUE, **{f"old_{c}": old[c] for c in columns})
        joined = new.left_join(before, list(entity.key))
        numbers = entity.points.values()
        differs = any_of(
            joined["_was"].isnull(),
            *(~joined[c].identical_to(joined[f"old_{c}"]) for c in ("score", entity.label)),
            *(joined[c].fill_null(0) != joined[f"old_{c}"].fill_null(0) for c in numbers),
        )
        changed = entity.states(joined.filter(differs))
        gone = old.select(*entity.key).anti_join(new, list(entity.key)).cross_join(warehouse.table("as_ofs"))
        changes = changed.union(_gone(gone, entity.key).select(*changed.columns), distinct=False)
        held = warehouse.create("state_changes", changes, temporary=True)
        warehouse.delete(f"{entity.name}_history", warehouse.table("as_ofs").select("as_of"))
        warehouse.insert(f"{entity.name}_history", held)
    _keep_counts(warehouse)


def _keep_counts(warehouse: Warehouse) -> None:
    people, accounts = warehouse.table("scored_people"), warehouse.table("scored_accounts")
    counted = people.group_by("as_of").agg(people=people.count())
    both = accounts.group_by("as_of").agg(accounts=accounts.count()).left_join(counted, "as_of")
    rows = both.cross_join(warehouse.table("snapshot_of"))
    rows = rows.select("as_of", "playbook", "data_version", people=rows.people.fill_null(0), accounts=rows.accounts)
    warehouse.replace("snapshots", warehouse.create("new_snapshots", rows, temporary=True), ("as_of",))


def _keep_states(warehouse: Warehouse, entity: str, new: ir.Table) -> None:
    key, name = _KEYS[entity], f"{entity}_history"
    columns = ["as_of", *key, *_STATE]
    order = warehouse.table("day_order")
    old = warehouse.table(f"old_{entity}_states").select(*columns)
    placed = new.union(old, distinct=False).inner_join(order, "as_of")
    states = warehouse.create("states", placed, temporary=True)
    changes = warehouse.create("state_changes", _changes(states, order, key).select(*columns), temporary=True)
    warehouse.delete(name, order.filter(order.told).select("as_of"))
    warehouse.insert(name, changes)


def _changes(states: ir.Table, order: ir.Table, key: tuple[str, ...]) -> ir.Table:
    """Rows that differ from the day before, and a `gone` row where a key is missing on the next day."""
    before = states.select(*key, place=states.place + 1, **{f"old_{c}": states[c] for c in _STATE})
    joined = states.left_join(before, [*key, "place"])
    differs = any_of(*(~joined[c].identical_to(joined[f"old_{c}"]) for c in _STATE))
    changed = joined.filter(differs & joined.told).select("as_of", *key, *_STATE)
    next_day = order.select(next_as_of=order.as_of, place=order.place - 1)
    followed = states.inner_join(next_day, "place")
    vanished = followed.anti_join(states.select(*key, next_as_of=states.as_of), [*key, "next_as_of"])
    gone = _gone(vanished.select(*key, as_of=vanished.next_as_of), key)
    return changed.union(gone.select(*changed.columns), distinct=False)


def _gone(vanished: ir.Table, key: tuple[str, ...]) -> ir.Table:
    """States that say that a key is there no more."""
    return vanished.select(
        "as_of",
        *key,
        score=ibis.literal(0, "int64"),
        label=ibis.literal(""),
        points=ibis.literal(GONE),
    )


def _points_text(rows: ir.Table, columns: dict[str, str]) -> ir.StringValue:
    """`name=points;…` of what gave any, in this order."""
    text: ir.StringValue = ibis.literal("").concat(*(_one(rows[column], name) for name, column in columns.items()))
    return text


def _one(points: ir.IntegerValue, name: str) -> ir.StringValue:
    shown = ibis.literal(f"{name}=").concat(points.cast("string"), ";")
    one: ir.StringValue = (points.fill_null(0) != 0).ifelse(shown, "")
    return one


def read_points(text: str) -> dict[str, int]:
    """Signal → points from a history row."""
    pairs = (part.partition("=") for part in text.split(";") if part)
    return {name: int(points) for name, _, points in pairs}
