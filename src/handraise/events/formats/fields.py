"""Words that vendors share: where the workspace, the person's attributes and the company's facts are looked for."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import any_of, first_element, first_property, instant_of_epoch

GROUP_TYPES = ("workspace", "organization", "organisation", "org", "team", "company", "account", "project", "group")
WORKSPACE = (
    *("workspace_id", "workspaceId", "group_id", "groupId", "organization_id", "organizationId", "organisation_id"),
    *("org_id", "orgId", "team_id", "teamId", "company_id", "companyId", "account_id", "accountId"),
)
PERSON = {
    "email": ("email", "$email", "email_address"),
    "name": ("name", "$name", "full_name", "fullName"),
    "title": ("title", "job_title", "jobTitle"),
    "department": ("department",),
    "seniority": ("seniority",),
    "created_at": ("created_at", "createdAt", "$created", "created", "signed_up_at", "signup_date"),
    "workspace_id": WORKSPACE,
}
GROUP = {"name": ("name", "$name"), "created_at": ("created_at", "createdAt", "$created", "created")}
COMPANY = {
    "domain": ("domain", "website", "company_domain"),
    "employees": ("employees", "employee_count", "number_of_employees"),
    "industry": ("industry",),
    "country": ("country",),
}
COMPANY_ID = ("account_id", "accountId", "company_id", "companyId")
MOST_EMPLOYEES = 1_000_000_000
# Looks for the first of some names; None where the source cannot have any of them.
Look = Callable[[tuple[str, ...]], ir.StringValue | None]


def text(rows: ir.Table, *names: str) -> ir.StringValue:
    """The first of the columns that has a value; NULL where the table has none of them."""
    there = [rows[name].cast("string").nullif("") for name in names if name in rows.columns]
    found: ir.StringValue = ibis.coalesce(*there) if there else ibis.null("string")
    return found


def instant(rows: ir.Table, *names: str) -> ir.Value:
    """The first of the columns that has an instant: a timestamp, ISO text, or a number since 1970."""
    there = [rows[name] for name in names if name in rows.columns]
    if not there:
        return ibis.null("string")
    if len({str(value.type()) for value in there}) > 1:
        there = [value.cast("string") for value in there]
    return ibis.coalesce(*(instant_of_epoch(v.nullif("") if v.type().is_string() else v) for v in there))


def in_columns(rows: ir.Table) -> Look:
    """Look among the columns of a table."""
    return lambda names: text(rows, *names) if set(names) & set(rows.columns) else None


def in_object(document: ir.StringValue) -> Look:
    """Look among the properties of JSON objects."""
    return lambda names: first_property(document, names)


def workspace_of(look: Look) -> ir.StringValue:
    """The workspace that an event's own properties name."""
    found = look(WORKSPACE)
    return ibis.null("string") if found is None else first_element(found)


def workspace_of_groups(document: ir.StringValue) -> ir.StringValue:
    """The workspace among an object of group type → group, by the order of `GROUP_TYPES`."""
    names = (*GROUP_TYPES, *(f"{name}_id" for name in GROUP_TYPES))
    return first_element(first_property(document, names))


def people_of(rows: ir.Table, person: ir.StringValue, look: Look, *, latest: bool = False) -> ir.Table:
    """Rows of people: who is known by name and has an attribute that is known.

    Args:
        rows: Any rows with `_line`.
        person: Their person_id; rows where it is NULL give nothing.
        look: Where the attributes are.
        latest: One row for each person, with the last value of each attribute, instead of one for each row.
    """
    found = {name: value for name, names in PERSON.items() if (value := look(names)) is not None}
    people = _put_right(rows.select(LINE, person_id=person, **found))
    if "workspace_id" in found:
        people = people.mutate(workspace_id=first_element(people["workspace_id"]))
    known = any_of(*(people[name].notnull() for name in found))
    people = people.filter(people.person_id.notnull() & known)
    if not latest:
        return people
    return people.group_by("person_id").agg(
        **{LINE: people[LINE].max()},
        **{name: people[name].argmax(people[LINE], where=people[name].notnull()) for name in found},
    )


def _put_right(rows: ir.Table) -> ir.Table:
    """Instants and odd counts of employees as inputs want them.

    A step of its own: what was looked for in a document is found once and not each time that it is asked about.
    """
    right: dict[str, ir.Value] = {}
    if "created_at" in rows.columns:
        right["created_at"] = instant_of_epoch(rows["created_at"])
    if "employees" in rows.columns:
        plain = rows["employees"].replace(",", "").try_cast("float64")
        # No company is that large, and engines refuse to make a whole number of what is larger still.
        plain = plain.between(0, MOST_EMPLOYEES).ifelse(plain, ibis.null("float64"))
        right["employees"] = (plain == plain.floor()).ifelse(rows["employees"], ibis.null("string"))
    return rows.mutate(**right)


def groups_of(rows: ir.Table, group: ir.StringValue, look: Look) -> dict[str, ir.Table]:
    """Rows of workspaces, and of accounts where a group says what only a company has (domain, employees, …)."""
    company = {name: value for name, names in COMPANY.items() if (value := look(names)) is not None}
    own = {name: value for name, names in GROUP.items() if (value := look(names)) is not None}
    named = look(COMPANY_ID)
    named = ibis.null("string") if named is None else named
    known = rows.select(LINE, workspace_id=group, _named=named, **own, **company).filter(
        lambda t: t.workspace_id.notnull()
    )
    known = _put_right(known)
    known = known.mutate(_is_company=any_of(*(known[name].notnull() for name in company)))
    account = ibis.coalesce(known["_named"], known["_is_company"].ifelse(known.workspace_id, ibis.null("string")))
    known = known.mutate(account_id=account)
    accounts = known.filter(known["_is_company"])
    return {
        "workspaces": known.select(LINE, "workspace_id", "account_id", *own),
        "accounts": accounts.select(LINE, "account_id", *own, *company),
    }


def alias_rows(rows: ir.Table, alias: ir.StringValue, person: ir.StringValue, at: ir.Value) -> ir.Table:
    """Rows of aliases; an id that is its own alias says nothing."""
    found = rows.select(LINE, alias_id=alias, person_id=person, at=at)
    return found.filter(found.alias_id.notnull() & found.person_id.notnull() & (found.alias_id != found.person_id))


def all_of_input(*parts: ir.Table) -> ir.Table:
    """Rows of one input from several calls, with the columns of all of them."""
    columns = list(dict.fromkeys(column for part in parts for column in part.columns if column != LINE))
    same = [
        part.select(LINE, **{c: part[c].cast("string") if c in part.columns else ibis.null("string") for c in columns})
        for part in parts
    ]
    return ibis.union(*same, distinct=False) if len(same) > 1 else same[0]
