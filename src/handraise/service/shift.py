"""What becomes of everybody when another playbook decides: volumes, movers, and the receipt lines that moved them.

Both sides are compared as whole tables in the engine; only those who move come out as records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from handraise.service.movers import Moved, movers
from handraise.service.sides import SIDES, Comparison, Kind, Side, account_kind, person_kind
from handraise.warehouse.functions import FALSE, any_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Volume:
    """How many a band, tier or segment holds under each playbook."""

    name: str
    old: int
    new: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """How many stand in `old` under the first playbook and in `new` under the second; None = nowhere."""

    old: str | None
    new: str | None
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What one signal did to all people or accounts.

    Attributes:
        signal: Its name; `people` stands for the people's points of an account.
        entities: How many get other points from it.
        points: Sum of the changes.
        moved: How many of them move.
    """

    signal: str
    entities: int
    points: int
    moved: int


@dataclass(frozen=True, kw_only=True)
class Shift:
    """What becomes of all people, or of all accounts.

    Attributes:
        old: How many there are under the first playbook.
        new: How many under the second.
        old_qualified: PQLs or PQAs under the first.
        new_qualified: PQLs or PQAs under the second.
        entering: Become PQL or PQA.
        leaving: Stop being one.
        volumes: Per band or tier, best first.
        segments: Per segment; empty for people.
        flows: Which band or tier goes where, those that stay included.
        rescored: Have another score and do not move.
        moved: How many move: band or tier, PQL or PQA, or segment.
        movers: The first of them, qualified ones first, then by the change of the score.
        effects: Per signal that gives anybody other points, largest first.
    """

    old: int
    new: int
    old_qualified: int
    new_qualified: int
    entering: int
    leaving: int
    volumes: tuple[Volume, ...]
    segments: tuple[Volume, ...]
    flows: tuple[Flow, ...]
    rescored: int
    moved: int
    movers: tuple[Moved, ...]
    effects: tuple[Effect, ...]


def people_shift(shown: Comparison) -> Shift:
    """What becomes of people in their accounts."""
    return _shift(shown, person_kind(shown.both))


def accounts_shift(shown: Comparison) -> Shift:
    """What becomes of accounts."""
    return _shift(shown, account_kind(shown.both))


def _shift(shown: Comparison, kind: Kind) -> Shift:
    warehouse = shown.warehouse
    rows = warehouse.create(f"compared_{kind.table}", _compared(shown, kind), temporary=True)
    counted = warehouse.rows(_counts(rows, kind)).to_pylist()[0]
    effects = [
        Effect(
            signal=name,
            entities=counted[f"{name}__entities"],
            points=int(counted[f"{name}__points"]),
            moved=counted[f"{name}__moved"],
        )
        for name in kind.signals
        if counted[f"{name}__entities"]
    ]
    flows = _flows(warehouse.rows(_grouped(rows, "label")).to_pylist(), kind)
    return Shift(
        **{name: counted[f"{name}__"] for name in _COUNTED},
        volumes=_volumes(flows, [*kind.names["old"].values(), *kind.names["new"].values()]),
        segments=_segments(shown, rows) if kind.entity == "account" else (),
        flows=flows,
        movers=movers(shown, kind, rows, {effect.signal for effect in effects}),
        effects=tuple(sorted(effects, key=lambda effect: (-abs(effect.points), effect.signal))),
    )


def _compared(shown: Comparison, kind: Kind) -> ir.Table:
    """One row per person or account of either side: labels, scores, and `d_<signal>`, what its points changed by."""
    old, new = (_side(shown, kind, side) for side in SIDES)
    joined = old.outer_join(new, [old[f"old_{column}"] == new[f"new_{column}"] for column in kind.key])
    twice = {f"{side}_{column}" for side in SIDES for column in kind.key}
    rows = joined.select(
        *(joined[c] for c in joined.columns if c not in twice),
        **{c: ibis.coalesce(joined[f"new_{c}"], joined[f"old_{c}"]) for c in kind.key},
    )
    changes = {
        f"d_{name}": _points(rows, kind, "new", name) - _points(rows, kind, "old", name) for name in kind.signals
    }
    moves = any_of(
        *(~rows[f"old_{c}"].identical_to(rows[f"new_{c}"]) for c in ("label", "segment")),
        rows.old_qualified.fill_null(FALSE) != rows.new_qualified.fill_null(FALSE),
    )
    change = rows.new_score.fill_null(0) - rows.old_score.fill_null(0)
    points = [c for c in rows.columns if c.startswith(("old_p_", "new_p_"))]
    return rows.mutate(**changes, moves=moves, change=change).drop(*points)


def _side(shown: Comparison, kind: Kind, side: Side) -> ir.Table:
    scored = shown.warehouse.table(f"{side}_{kind.table}")
    segment = scored.segment if kind.entity == "account" else ibis.null("string")
    return scored.select(
        **{f"{side}_{column}": scored[column] for column in (*kind.key, "score")},
        **{f"{side}_label": scored[kind.label].cast("string"), f"{side}_segment": segment},
        **{f"{side}_qualified": scored[kind.qualified]},
        **{f"{side}_p_{name}": scored[column] for name, column in kind.points[side].items()},
    )


def _points(rows: ir.Table, kind: Kind, side: Side, name: str) -> ir.Value:
    return rows[f"{side}_p_{name}"].fill_null(0) if name in kind.points[side] else ibis.literal(0, "int64")


_COUNTED = ("old", "new", "old_qualified", "new_qualified", "entering", "leaving", "rescored", "moved")


def _counts(rows: ir.Table, kind: Kind) -> ir.Table:
    was, becomes = rows.old_qualified.fill_null(FALSE), rows.new_qualified.fill_null(FALSE)
    counted: dict[str, ir.Value] = {
        "old__": rows.count(where=rows.old_score.notnull()),
        "new__": rows.count(where=rows.new_score.notnull()),
        "old_qualified__": rows.count(where=was),
        "new_qualified__": rows.count(where=becomes),
        "entering__": rows.count(where=becomes & ~was),
        "leaving__": rows.count(where=was & ~becomes),
        "rescored__": rows.count(where=~rows.moves & (rows.change != 0)),
        "moved__": rows.count(where=rows.moves),
    }
    for name in kind.signals:
        differs = rows[f"d_{name}"] != 0
        counted[f"{name}__entities"] = rows.count(where=differs)
        counted[f"{name}__points"] = rows[f"d_{name}"].sum().fill_null(0)
        counted[f"{name}__moved"] = rows.count(where=differs & rows.moves)
    return rows.agg(**counted)


def _grouped(rows: ir.Table, what: str) -> ir.Table:
    both = rows.group_by(old=rows[f"old_{what}"], new=rows[f"new_{what}"])
    return both.agg(count=rows.count())


def _flows(found: list[dict[str, Any]], kind: Kind) -> tuple[Flow, ...]:
    names = kind.names
    place = {side: {label: at for at, label in enumerate(names[side])} for side in SIDES}
    found.sort(key=lambda row: tuple(place[side].get(row[side], len(names[side])) for side in SIDES))
    return tuple(Flow(count=row["count"], **{s: kind.shown(s, row[s]) for s in SIDES}) for row in found)


def _volumes(flows: tuple[Flow, ...], names: list[str]) -> tuple[Volume, ...]:
    return tuple(
        Volume(
            name=name,
            old=sum(flow.count for flow in flows if flow.old == name),
            new=sum(flow.count for flow in flows if flow.new == name),
        )
        for name in dict.fromkeys(names)
    )


def _segments(shown: Comparison, rows: ir.Table) -> tuple[Volume, ...]:
    found = shown.warehouse.rows(_grouped(rows, "segment")).to_pylist()
    flows = tuple(Flow(**row) for row in found)
    return _volumes(flows, [s.name for side in SIDES for s in shown.both[side].playbook.segments])
