"""Exports: the columns that stay stable, sorted by id, the same bytes for the same inputs."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Literal

import ibis.expr.types as ir

from handraise.playbook.section import Language
from handraise.scores import receipt
from handraise.service.project import Project, blind_now, ensure_scored

What = Literal["people", "accounts", "receipt"]
PERSON_COLUMNS = ("person_id", "account_id", "as_of", "score", "band", "behaviour_points")
ACCOUNT_COLUMNS = ("account_id", "as_of", "score", "tier", "segment", "is_pqa")


def export(project: Project, what: What, out: Path, *, as_of: date | None, now: datetime) -> int:
    """Write an export file; returns its rows.

    Raises:
        AsOfError: The as-of lies in the future.
        ProjectError: The file cannot be written, or has an unknown ending.
    """
    ensure_scored(project, as_of, now)
    return project.warehouse.write_file(export_rows(project, what), out)


def export_rows(project: Project, what: What) -> ir.Table:
    """The rows of an export, from `scored_people` and `scored_accounts`."""
    people, accounts = project.warehouse.table("scored_people"), project.warehouse.table("scored_accounts")
    signals = project.loaded.playbook.signals
    match what:
        case "people":
            points = {name: people[f"p_{name}"] for name in signals.person}
            return people.select(*PERSON_COLUMNS, **points).order_by("person_id", "account_id", "as_of")
        case "accounts":
            # The head count has the name of a signal too; that signal's points come under a name of their own.
            points = {_points_name(name): accounts[f"p_{name}"] for name in signals.account}
            return accounts.select(
                *ACCOUNT_COLUMNS,
                active_people=accounts.team_people,
                people_points=accounts.people_points,
                firmographic_points=accounts.firmographic_points,
                **points,
            ).order_by("account_id", "as_of")
        case "receipt":
            rows = receipt_rows(project, project.loaded.playbook.language)
            return rows.select(*receipt.COLUMNS).order_by("entity", "id", "account_id", "as_of", "signal")


def _points_name(signal: str) -> str:
    return f"{signal}_points" if signal in {"active_people", "score", "tier", "segment"} else signal


def receipt_rows(project: Project, language: Language) -> ir.Table:
    """Receipt rows of all people and accounts scored last."""
    playbook, blind = project.loaded.playbook, blind_now(project)
    accounts = receipt.account_receipt(project.warehouse.table("scored_accounts"), playbook, blind, language)
    if not playbook.signals.person:
        return accounts
    people = receipt.person_receipt(project.warehouse.table("scored_people"), playbook, blind, language)
    return people.union(accounts, distinct=False)
