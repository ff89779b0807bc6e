"""Which signals are blind: the input or column they need never came, or the playbook has not set them up."""

from __future__ import annotations

from collections.abc import Iterator

from handraise.playbook import measures as kinds
from handraise.playbook.schema import Playbook
from handraise.warehouse.engine import Warehouse


def input_columns(warehouse: Warehouse) -> dict[str, set[str]]:
    """Input → columns that its files had, over all loads."""
    found: dict[str, set[str]] = {}
    for row in warehouse.whole("input_columns").to_pylist():
        found.setdefault(row["input"], set()).add(row["column_name"])
    return found


def blind_signals(playbook: Playbook, columns: dict[str, set[str]]) -> dict[str, str]:
    """Signal name → why it is blind, in words for the reader of a receipt."""
    signals = {**playbook.signals.person, **playbook.signals.account}
    reasons = {name: next(_lacks(signal.measure, playbook, columns), None) for name, signal in signals.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _lacks(measure: kinds.Measure, playbook: Playbook, columns: dict[str, set[str]]) -> Iterator[str]:
    enriched = columns.get("enrichment", set())
    people = columns.get("people", set()) | (enriched & {"title", "department", "seniority"})
    accounts = columns.get("accounts", set()) | (enriched & {"employees", "industry", "country"})
    match measure:
        case kinds.SameDomainPeople() if "email" not in people:
            yield "no people.email"
        case kinds.Departments() if "department" not in people:
            yield "no people.department"
        case kinds.ExecutivePresent() if not {"title", "seniority"} & people:
            yield "neither people.title nor people.seniority"
        case kinds.Employees() if "employees" not in accounts:
            yield "no accounts.employees"
        case kinds.Industry() if not playbook.industries:
            yield "`industries` is empty in the playbook"
        case kinds.Industry() if "industry" not in accounts:
            yield "no accounts.industry"
        case kinds.Icp() if not _icp_can_be_told(playbook, accounts):
            yield "no accounts.icp, and no `icp` rule that the accounts file can answer"
        case _:
            yield from _lacks_usage(measure, columns)


def _lacks_usage(measure: kinds.Measure, columns: dict[str, set[str]]) -> Iterator[str]:
    match measure:
        case kinds.FreeOnly() if "mrr" not in columns.get("subscriptions", set()):
            yield "no subscriptions with mrr"
        case kinds.NearLimit() if "limits" not in columns:
            yield "no limits"
        case kinds.Workspaces() if "workspaces" not in columns and "workspace_id" not in columns.get("events", set()):
            yield "neither workspaces nor events.workspace_id"
        case kinds.Volume(role=role, threshold=threshold) if role is None or threshold is None:
            yield "its role and threshold are not set in the playbook"
        case _:
            return


def _icp_can_be_told(playbook: Playbook, accounts: set[str]) -> bool:
    rule = playbook.icp
    needs = {
        "employees": rule.min_employees is not None or rule.max_employees is not None,
        "industry": bool(rule.industries),
        "country": bool(rule.countries),
    }
    by_rule = rule.is_set and all(column in accounts for column, needed in needs.items() if needed)
    return "icp" in accounts or by_rule
