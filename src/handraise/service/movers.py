"""Who moves when another playbook decides, and the receipt lines that moved them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from handraise.playbook.schema import Playbook
from handraise.scores import receipt
from handraise.service.sides import SIDES, Comparison, Kind, Side
from handraise.signals.blind import blind_signals, input_columns
from handraise.warehouse.functions import FALSE, join_on


@dataclass(frozen=True, kw_only=True, slots=True)
class LineChange:
    """A line of a receipt whose points differ; no points, blind and not in the playbook are all 0."""

    signal: str
    old: int
    new: int
    because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A person or account that stands elsewhere under the second playbook.

    Attributes:
        id: person_id or account_id.
        account_id: The account.
        name: As the files have it.
        old: Band or tier under the first playbook; None = not there.
        new: Band or tier under the second.
        old_score: Score under the first playbook; None = not there.
        new_score: Score under the second.
        old_qualified: PQL or PQA under the first playbook.
        new_qualified: PQL or PQA under the second.
        old_segment: Segment under the first playbook; None for people.
        new_segment: Segment under the second.
        lines: Receipt lines whose points differ; their differences add up to that of the score.
    """

    id: str
    account_id: str
    name: str | None
    old: str | None
    new: str | None
    old_score: int | None
    new_score: int | None
    old_qualified: bool
    new_qualified: bool
    old_segment: str | None
    new_segment: str | None
    lines: tuple[LineChange, ...]


def movers(shown: Comparison, kind: Kind, rows: ir.Table, touched: set[str]) -> tuple[Moved, ...]:
    """The first of those who move, with the lines that did it; `rows` is the whole comparison."""
    warehouse = shown.warehouse
    moving = rows.filter(rows.moves)
    switches = moving.old_qualified.fill_null(FALSE) != moving.new_qualified.fill_null(FALSE)
    order = [switches.desc(), moving.change.abs().desc(), *(moving[c] for c in kind.key)]
    columns = [c for c in moving.columns if not c.startswith("d_")]
    placed = moving.select(*columns, place=ibis.row_number().over(ibis.window(order_by=order)))
    chosen = placed if shown.limit is None else placed.filter(placed.place < shown.limit)
    held = warehouse.create(f"moved_{kind.table}", chosen, temporary=True)
    lines = _lines(shown, kind, held, touched)
    own = kind.key[0]
    named = join_on(held, warehouse.table(kind.named_in).select(own, "name"), [own])
    return tuple(_moved(kind, row, lines) for row in warehouse.rows(named.order_by("place")).to_pylist())


def _moved(kind: Kind, row: dict[str, Any], lines: dict[tuple[str, str], list[LineChange]]) -> Moved:
    own_id = row[kind.key[0]]
    mine = lines.get((own_id, row["account_id"]), [])
    return Moved(
        id=own_id,
        account_id=row["account_id"],
        name=row["name"],
        old=kind.shown("old", row["old_label"]),
        new=kind.shown("new", row["new_label"]),
        old_score=row["old_score"],
        new_score=row["new_score"],
        old_qualified=bool(row["old_qualified"]),
        new_qualified=bool(row["new_qualified"]),
        old_segment=row["old_segment"],
        new_segment=row["new_segment"],
        lines=tuple(sorted(mine, key=lambda line: (-abs(line.new - line.old), line.signal))),
    )


def _lines(shown: Comparison, kind: Kind, held: ir.Table, touched: set[str]) -> dict[tuple[str, str], list[LineChange]]:
    """(id, account) → lines whose points differ, of the held ones."""
    told: dict[tuple[str, str, str], dict[Side, tuple[int, str]]] = defaultdict(dict)
    for side in SIDES:
        rows = _receipt(shown, kind, side, held, touched)
        for row in shown.warehouse.rows(rows).to_pylist() if rows is not None else ():
            told[row["id"], row["account_id"], row["signal"]][side] = (row["points"] or 0, row["because"])
    found: dict[tuple[str, str], list[LineChange]] = defaultdict(list)
    for (own_id, account_id, signal), sides in told.items():
        (old, was), (new, becomes) = (sides.get(side, (0, "")) for side in SIDES)
        if old != new:
            line = LineChange(signal=signal, old=old, new=new, because=becomes if new else was)
            found[own_id, account_id].append(line)
    return found


def _receipt(shown: Comparison, kind: Kind, side: Side, held: ir.Table, touched: set[str]) -> ir.Table | None:
    """Receipt rows of the held ones, of signals that give anybody other points; None if there is no such signal."""
    whole = shown.both[side].playbook
    playbook = _only(whole, touched)
    scored = shown.warehouse.table(f"{side}_{kind.table}").semi_join(held, list(kind.key))
    blind = blind_signals(playbook, input_columns(shown.warehouse))
    if kind.entity == "account":
        return receipt.account_receipt(scored, playbook, blind, shown.language) if touched else None
    return receipt.person_receipt(scored, playbook, blind, shown.language) if playbook.signals.person else None


def _only(playbook: Playbook, wanted: set[str]) -> Playbook:
    """The playbook with some of its signals."""
    signals = playbook.signals
    kept = {
        "person": {name: signal for name, signal in signals.person.items() if name in wanted},
        "account": {name: signal for name, signal in signals.account.items() if name in wanted},
    }
    return playbook.model_copy(update={"signals": signals.model_copy(update=kept)})
