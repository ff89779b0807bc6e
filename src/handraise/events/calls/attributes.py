"""What calls say about people, groups and aliases, looked for under the same names as in files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handraise.events.calls.call import Rows
from handraise.events.calls.values import BadCallError, as_id, as_instant, first_element, iso, plain_text
from handraise.events.formats.fields import (
    COMPANY,
    COMPANY_ID,
    GROUP,
    GROUP_TYPES,
    MOST_EMPLOYEES,
    PERSON,
    WORKSPACE,
)

_GROUP_NAMES = (*GROUP_TYPES, *(f"{name}_id" for name in GROUP_TYPES))
_WORKSPACE = frozenset(WORKSPACE)


def first_text(document: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """The first of several properties that has a text."""
    for name in names:
        value = document.get(name)
        if value is not None and (text := plain_text(value)) is not None:
            return text
    return None


def workspace_in(properties: Mapping[str, Any]) -> str | None:
    """The workspace that an event's own properties name."""
    if _WORKSPACE.isdisjoint(properties):
        return None
    return as_id(first_element(first_text(properties, WORKSPACE)), "the workspace")


def workspace_in_groups(groups: Mapping[str, Any]) -> str | None:
    """The workspace among an object of group type → group, by the order of `GROUP_TYPES`."""
    return as_id(first_element(first_text(groups, _GROUP_NAMES)), "the group")


def people_rows(person: str | None, *documents: Mapping[str, Any]) -> Rows:
    """A row of a person who is known by name and has an attribute that is known; the first document weighs most."""
    if person is None:
        return []
    found: dict[str, str] = {}
    for attribute, names in PERSON.items():
        text = next((text for document in documents if (text := first_text(document, names)) is not None), None)
        if attribute == "workspace_id":
            text = as_id(first_element(text), "the workspace")
        if text is not None:
            found[attribute] = _time(text) if attribute == "created_at" else text
    return [("people", {"person_id": person, **found})] if found else []


def member_rows(person: str | None, workspace: str | None) -> Rows:
    """A person in a workspace."""
    return [("people", {"person_id": person, "workspace_id": workspace})] if person and workspace else []


def group_rows(group: str | None, said: Mapping[str, Any]) -> Rows:
    """Rows of a workspace, and of an account where the group says what only a company has (domain, employees, …)."""
    if group is None:
        return []
    own = {name: text for name, names in GROUP.items() if (text := first_text(said, names)) is not None}
    if "created_at" in own:
        own["created_at"] = _time(own["created_at"])
    company = {name: text for name, names in COMPANY.items() if (text := first_text(said, names)) is not None}
    if not _is_count(company.get("employees", "0")):
        del company["employees"]
    account = as_id(first_text(said, COMPANY_ID), "the account") or (group if company else None)
    of_account = {"account_id": account} if account else {}
    rows: Rows = [("workspaces", {"workspace_id": group, **of_account, **own})]
    if company:
        rows.append(("accounts", {**of_account, **own, **company}))
    return rows


def alias_rows(alias: str | None, person: str | None, at: datetime) -> Rows:
    """A row of an alias; an id that is its own alias says nothing."""
    if alias is None or person is None or alias == person:
        return []
    return [("aliases", {"alias_id": alias, "person_id": person, "at": iso(at)})]


def _time(text: str) -> str:
    """ISO text of an instant; what is none stays as it is and is refused where files' rows are refused."""
    try:
        at = as_instant(text, "created_at")
    except BadCallError:
        return text
    return iso(at) if at else text


def _is_count(text: str) -> bool:
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return False
    return 0 <= number <= MOST_EMPLOYEES and number.is_integer()
