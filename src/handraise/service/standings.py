"""Where accounts stand, for whoever looks again and again: small answers, and reasons only of those asked for."""

from __future__ import annotations

from collections import defaultdict

from handraise.playbook.section import Language
from handraise.records import ReceiptLine, Standing
from handraise.service.lists import receipt_line
from handraise.service.project import Project
from handraise.service.receipts import receipt_of

_ASKED = "accounts_asked_about"


def list_standings(project: Project, most: int) -> list[Standing]:
    """Where the best accounts stand, the best tier first; call `ensure_scored` first."""
    rows = project.warehouse.table("scored_accounts")
    best = rows.order_by(rows.tier, rows.score.desc(), rows.account_id).limit(most)
    columns = {name: name for name in Standing.__dataclass_fields__} | {"active_people": "team_people"}
    return [Standing(**row) for row in project.warehouse.rows(best.select(**columns)).to_pylist()]


def reasons_of(project: Project, account_ids: list[str], language: Language) -> dict[str, tuple[ReceiptLine, ...]]:
    """Account → the lines of its receipt that gave points, the strongest first; call `ensure_scored` first."""
    scored = project.warehouse.table("scored_accounts")
    project.warehouse.create(_ASKED, scored.filter(scored.account_id.isin(account_ids)), temporary=True)
    found: dict[str, list[ReceiptLine]] = defaultdict(list)
    for row in receipt_of(project, "account", _ASKED, language):
        if row["points"]:
            found[row["account_id"]].append(receipt_line(row))
    return {
        one: tuple(sorted(lines, key=lambda line: (-(line.points or 0), line.signal))) for one, lines in found.items()
    }
