"""How a score came to be what it is: the days on which it changed, as history keeps them."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import ibis

from handraise.errors import NotFoundError
from handraise.records import PastScore
from handraise.scores.history import GONE, read_points
from handraise.service.project import Project
from handraise.warehouse.functions import any_of

Entity = Literal["person", "account"]


def past_scores(
    project: Project, entity: Entity, entity_id: str, *, limit: int, after: tuple[date, str] | None = None
) -> list[PastScore]:
    """Rows of history, the latest first.

    Args:
        project: An open project.
        entity: Whose history.
        entity_id: person_id or account_id.
        limit: Rows at most.
        after: Only rows behind this day and account.

    Raises:
        NotFoundError: History knows nobody of this id.
    """
    history, kept = project.warehouse.table(f"{entity}_history"), project.warehouse.table("snapshots")
    rows = history.filter(history[f"{entity}_id"] == entity_id)
    rows = rows.left_join(kept.select("as_of", "playbook"), "as_of").drop("as_of_right")
    if after:
        day = ibis.date(after[0].isoformat())
        rows = rows.filter(any_of(rows.as_of < day, (rows.as_of == day) & (rows.account_id > after[1])))
    found = project.warehouse.rows(rows.order_by(rows.as_of.desc(), rows.account_id).limit(limit)).to_pylist()
    if not found and not after:
        raise NotFoundError(
            f"no score of the {entity} {entity_id!r} is kept.",
            todo="Scores are kept for each day that everybody was scored on; `/api/v1/explain` knows who is scored now.",
        )
    return [_past(row) for row in found]


def _past(row: dict[str, Any]) -> PastScore:
    gone = row["points"] == GONE
    return PastScore(
        as_of=row["as_of"],
        account_id=row["account_id"],
        score=None if gone else row["score"],
        label=None if gone else row["label"],
        points={} if gone else read_points(row["points"]),
        playbook=row["playbook"] or "",
    )
