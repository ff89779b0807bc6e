"""What all CRMs share: which account a company is, which person a contact is, and what that makes of them.

A company is, in this order: the account that names its id in `crm_id`; the account that came from it before; the
account that owns its work domain; the account of another company of the load with the same work domain; a new one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from handraise.events.connectors.cells import in_order, passed, together
from handraise.events.connectors.protocol import FILE, Keep, Stored, Translation
from handraise.events.formats.batches import LINE
from handraise.warehouse.functions import join_on
from handraise.warehouse.hosts import email_host

_LATE = "2999-01-01"  # stands for a missing instant where the earliest comes first
# Many companies have no site but a page on one of these.
_SHARED_SITES = (
    r"^([a-z]+://)?([a-z0-9-]+\.)*(linkedin|facebook|instagram|twitter|x|youtube|github|medium)\.com/[^/?#]+"
)
_ACCOUNT_VALUES = ("name", "employees", "industry", "country", "owner")
_PERSON_VALUES = ("name", "title", "department", "seniority")


def own_site(text: ir.StringValue) -> ir.StringValue:
    """A web address, unless it is a page on a site that many share."""
    shared = text.strip().lower().re_search(_SHARED_SITES)
    site: ir.StringValue = shared.ifelse(ibis.null("string"), text)
    return site


@dataclass(frozen=True, kw_only=True)
class Book:
    """The companies and contacts of one load, and who they are here.

    Attributes:
        name: The connector.
        companies: ref, domain_text, host, created_at (instant), changed (instant), the marks `FILE` and LINE, and as
            far as the CRM has them name, employees, industry, country, owner.
        contacts: ref, email, company_ref, at (text), created_at (the same as an instant), source, changed, the marks,
            and as far as the CRM has them name, title, department, seniority.
        accounts_of: ref of a company → account_id, its work domain, `first` of the companies of its account.
        places_of: ref of a contact → email, person_id (NULL = nobody in the product), account_id.
        stored: What is loaded already.
    """

    name: str
    companies: ir.Table
    contacts: ir.Table
    accounts_of: ir.Table
    places_of: ir.Table
    stored: Stored

    def translation(self) -> Translation:
        """The accounts, people and leads that the companies and contacts come to."""
        leads, later = self._leads()
        no_address = self.contacts.filter(self.contacts.email.isnull())
        return Translation(
            inputs={"accounts": self._accounts(), "people": self._people(), "leads": leads},
            passed_over={
                "contacts without e-mail": passed(no_address, "a contact without e-mail"),
                "contacts that are leads already": later,
            },
        )

    def _accounts(self) -> ir.Table:
        """What a CRM knows better replaces; what says who an account is, only fills."""
        stored = self.stored("accounts")
        there = stored.select(
            "account_id", there=ibis.literal(value=True), had_domain=stored.domain, had_crm=stored.crm_id
        )
        rows = join_on(self.companies, self.accounts_of, ["ref"])
        rows = join_on(rows, there, ["account_id"])
        nothing = ibis.null("string")
        new = rows.there.isnull()
        values = {column: rows[column] for column in _ACCOUNT_VALUES if column in rows.columns}
        return in_order(
            rows,
            [rows.changed, rows.ref],
            {
                "account_id": rows.account_id,
                **values,
                "domain": rows.had_domain.isnull().ifelse(rows.domain_text, nothing),
                "crm_id": (rows.had_crm.isnull() & rows["first"]).ifelse(rows.ref, nothing),
                "created_at": (new & rows["first"]).ifelse(rows.created_at, ibis.null("timestamp(6)")),
            },
        )

    def _people(self) -> ir.Table:
        people = self.stored("people")
        known = people.select("person_id", address=people.email.strip().lower())
        rows = self.contacts.inner_join(known, self.contacts.email == known.address)
        values = {column: rows[column] for column in _PERSON_VALUES if column in self.contacts.columns}
        return in_order(rows, [rows.changed, rows.ref, rows.person_id], {"person_id": rows.person_id, **values})

    def _leads(self) -> tuple[ir.Table, ir.Table]:
        """Contacts that nobody in the product is, one for each address, and the others of the same address."""
        unknown = self.places_of.filter(self.places_of.person_id.isnull()).select("ref")
        rows = self.contacts.filter(self.contacts.email.notnull()).semi_join(unknown, "ref")
        window = ibis.window(
            group_by="email", order_by=[rows.created_at.fill_null(_late()), rows.ref, rows[FILE], rows[LINE]]
        )
        ranked = rows.mutate(_place=ibis.row_number().over(window))
        first, later = ranked.filter(ranked["_place"] == 0), ranked.filter(ranked["_place"] > 0)
        leads = in_order(
            first,
            [first.created_at, first.ref],
            {"email": first.email, "at": first["at"], "source": first.source.fill_null(self.name)},
        )
        return leads, passed(later, "another contact or lead with the same e-mail is older")


def make_book(
    name: str,
    companies: ir.Table,
    contacts: ir.Table,
    stored: Stored,
    keep: Keep,
    same_id: Callable[[ir.StringValue], ir.StringValue],
) -> Book:
    """Tell who companies and contacts are.

    Args:
        name: The connector.
        companies: See `Book`.
        contacts: See `Book`.
        stored: What is loaded already.
        keep: Stores what several expressions use.
        same_id: Makes two spellings of one CRM id equal.
    """
    companies, contacts = keep("companies", companies), keep("contacts", contacts)
    accounts_of = keep("accounts_of", _accounts_of(name, companies, stored, same_id))
    places_of = keep("places_of", _places_of(contacts, accounts_of, stored))
    return Book(
        name=name, companies=companies, contacts=contacts, accounts_of=accounts_of, places_of=places_of, stored=stored
    )


def _accounts_of(
    name: str, companies: ir.Table, stored: Stored, same_id: Callable[[ir.StringValue], ir.StringValue]
) -> ir.Table:
    accounts = stored("accounts")
    named = accounts.filter(accounts.crm_id.notnull())
    by_crm = named.group_by(id_key=same_id(named.crm_id)).agg(of_crm=named.account_id.min())
    own = accounts.filter(accounts.account_id.startswith(f"{name}:"))
    by_own = own.group_by(id_key=same_id(own.account_id.substr(len(name) + 1))).agg(of_own=own.account_id.min())
    owners = stored("domain_owners").select("domain", of_domain="account_id")
    rows = companies.select("ref", "host", "created_at", id_key=same_id(companies.ref))
    for extra, on in ((by_crm, "id_key"), (by_own, "id_key"), (stored("work_domains"), "host"), (owners, "domain")):
        rows = join_on(rows, extra, [on])
    rows = rows.mutate(
        matched=ibis.coalesce(rows.of_crm, rows.of_own, rows.of_domain),
        # Companies without a domain are each a group of their own.
        together=ibis.coalesce(rows.domain, ibis.literal("\x1f").concat(rows.ref)),
        created_at=rows.created_at.fill_null(_late()),
    )
    oldest = ibis.window(group_by="together", order_by=[rows.created_at, rows.ref])
    fresh = ibis.literal(f"{name}:").concat(rows.ref.first().over(oldest))
    shared = rows.matched.min().over(ibis.window(group_by="together"))
    rows = rows.mutate(account_id=ibis.coalesce(rows.matched, shared, fresh))
    place = ibis.row_number().over(ibis.window(group_by="account_id", order_by=[rows.created_at, rows.ref]))
    return rows.select("ref", "account_id", "domain", first=place == 0)


def _places_of(contacts: ir.Table, accounts_of: ir.Table, stored: Stored) -> ir.Table:
    people = stored("people")
    with_address = people.filter(people.email.notnull())
    persons = with_address.group_by(email=with_address.email.strip().lower()).agg(
        person_id=with_address.person_id.min()
    )
    of_company = accounts_of.select(company_ref="ref", of_company="account_id")
    rows = contacts.select("ref", "email", "company_ref", host=email_host(contacts.email))
    extras = (persons, "email"), (of_company, "company_ref"), (host_accounts(accounts_of, stored), "host")
    for extra, on in extras:
        rows = join_on(rows, extra, [on])
    return rows.select("ref", "email", "person_id", account_id=ibis.coalesce(rows.of_company, rows.of_host))


def host_accounts(accounts_of: ir.Table, stored: Stored) -> ir.Table:
    """Host → the account of its work domain: one that is stored, else one that the load brings."""
    there = stored("domain_owners").select("domain", account_id="account_id")
    brought = accounts_of.filter(accounts_of.domain.notnull()).select("domain", "account_id").anti_join(there, "domain")
    brought = brought.group_by("domain").agg(account_id=brought.account_id.min())
    owners = together(there, brought)
    return stored("work_domains").inner_join(owners, "domain").select("host", of_host="account_id")


def _late() -> ir.TimestampValue:
    at: ir.TimestampValue = ibis.timestamp(_LATE).cast("timestamp(6)")
    return at
