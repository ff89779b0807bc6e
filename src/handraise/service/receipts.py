"""Receipts of a few people or accounts. Their SQL is built once: building it takes longer than running it."""

from __future__ import annotations

from typing import Any, Literal

from handraise.playbook.section import Language
from handraise.scores import receipt
from handraise.service.project import Project, blind_now


def receipt_of(
    project: Project, entity: Literal["person", "account"], scored: str, language: Language
) -> list[dict[str, Any]]:
    """Receipt rows of the people or accounts in a temporary table, which has the columns of those scored.

    Args:
        project: An open project.
        entity: What the table holds.
        scored: Its name.
        language: Of the reasons.
    """
    playbook, blind, warehouse = project.loaded.playbook, blind_now(project), project.warehouse
    name = f"receipt_of_{scored}"

    def build() -> None:
        rows = warehouse.table(scored)
        made = receipt.account_receipt if entity == "account" else receipt.person_receipt
        warehouse.create(name, made(rows, playbook, blind, language), temporary=True)

    if entity == "person" and not playbook.signals.person:
        return []
    warehouse.once_built(f"{name} {project.loaded.content_hash} {sorted(blind.items())} {language}", build)
    found: list[dict[str, Any]] = warehouse.whole(name).to_pylist()
    return found
