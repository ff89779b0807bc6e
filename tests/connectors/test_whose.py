"""Product first or CRM first, one system or three: one company is one account, as far as it can be told."""

from pathlib import Path
from typing import Any

import pytest

from connectors.tables import Company, company
from handraise.events.connectors.hubspot import HubSpot
from handraise.events.connectors.protocol import table_of
from handraise.events.connectors.salesforce import Salesforce
from handraise.events.connectors.stripe import Stripe
from handraise.events.formats.protocol import Source
from handraise.events.registry import detect
from handraise.service.aside import replay
from handraise.service.project import load
from support import scores

COMPANY = [{"id": 31, "property_name": "Nettle Inc.", "property_domain": "nettle-example.com",
            "property_numberofemployees": "70", "property_createdate": "2026-01-01 00:00:00"}]  # fmt: skip
DEAL = [{"deal_id": 1, "deal_pipeline_stage_id": "s", "property_createdate": "2026-02-01 00:00:00"}]
LINK = [{"deal_id": 1, "company_id": 31}]
CALL = [{"engagement_id": 5, "property_hs_timestamp": "2026-03-01 00:00:00"}]
ON = [{"engagement_id": 5, "company_id": 31}]
HUBSPOT: dict[str, list[dict[str, Any]]] = {
    "company": COMPANY, "deal": DEAL, "deal_company": LINK, "engagement_call": CALL, "engagement_company": ON,
}  # fmt: skip
STRIPE: dict[str, list[dict[str, Any]]] = {
    "customer": [{"id": "cus_1", "email": "pay@nettle-example.com", "livemode": "TRUE"}],
    "subscription": [{"id": "sub_1", "customer_id": "cus_1", "status": "active", "created": "2026-02-01 00:00:00"}],
    "subscription_item": [{"id": "si_1", "subscription_id": "sub_1", "plan_id": "p", "quantity": 2}],
    "plan": [{"id": "p", "amount": "1000", "interval": "month", "nickname": "Team", "currency": "usd"}],
}
SALESFORCE: dict[str, list[dict[str, Any]]] = {
    "sf_account": [{"id": "001000000000001AAA", "name": "Nettle", "owner_id": "005", "website": "www.nettle-example.com"}]
}  # fmt: skip
PRODUCTS = {
    "by domain": {"account_id": "acc-1", "name": "Nettle", "domain": "nettle-example.com"},
    "by crm_id": {"account_id": "acc-1", "name": "Nettle", "crm_id": "31"},
}


def check_one_company(made: Company) -> None:
    [account] = made.rows("accounts")
    assert (account["account_id"], account["employees"], account["crm_id"]) == ("acc-1", 70, "31")
    assert account["domain"] == "nettle-example.com"
    for name in ("opportunities", "touches"):
        assert made.rows(name, "account_id") == ["acc-1"]


@pytest.mark.parametrize("how", PRODUCTS)
def test_crm_first_and_product_second_is_one_company(how: str, tmp_path: Path) -> None:
    with company(tmp_path) as made:
        made.load(**HUBSPOT)
        assert made.rows("accounts", "account_id") == ["hubspot:31"]
        done = made.load(accounts=[PRODUCTS[how]])
        assert done.notes == ["1 accounts from CRM or billing are accounts of the product now."]
        check_one_company(made)
        again = made.load(**HUBSPOT)
        # The name is the one said last; nothing else is news.
        assert [count.input for count in again.counts if count.loaded] == ["accounts"]
        check_one_company(made)


def test_people_count_in_the_one_account_also_when_scores_were_made_in_between(tmp_path: Path) -> None:
    people = [{"person_id": "u", "email": "x@nettle-example.com", "created_at": "2026-10-01"}]
    event = [{"event_id": "1", "person_id": "u", "name": "open", "timestamp": "2026-10-27T10:00:00Z"}]
    with company(tmp_path) as made:
        made.load(people=people, events=event, company=COMPANY)
        assert scores(made.project).accounts_of("u") == {"hubspot:31"}
        # The product's row lacks nothing that the CRM's has, so that one only goes.
        whole = {"account_id": "acc-1", "name": "N", "domain": "nettle-example.com", "employees": 5, "crm_id": "31"}
        made.load(accounts=[whole])
        found = scores(made.project)
        assert (found.accounts_of("u"), found.account_ids()) == ({"acc-1"}, {"acc-1"})


def test_the_short_form_of_a_salesforce_id_is_enough_to_meet(tmp_path: Path) -> None:
    with company(tmp_path) as made:
        made.load(**SALESFORCE)
        made.load(accounts=[{"account_id": "acc-1", "crm_id": "001000000000001"}])
        assert made.rows("accounts", "account_id", "name", "domain") == [("acc-1", "Nettle", "www.nettle-example.com")]


def test_product_first_and_crm_second_is_one_company(tmp_path: Path) -> None:
    with company(tmp_path) as made:
        made.load(accounts=[PRODUCTS["by domain"]])
        assert made.load(**HUBSPOT).notes == [
            "hubspot: no contact: no titles for people, no leads, and engagements name no person.",
            "hubspot: no deal_pipeline_stage: stages keep their ids as names, and every deal counts as open.",
            "hubspot: no deal_property_history or deal_stage: a deal has only its present stage, and does not say since when.",
            "hubspot: no owner: owners keep their HubSpot ids as names.",
            "hubspot: no engagement_contact: touches name no person, and no replies are seen.",
        ]
        check_one_company(made)


def test_three_systems_in_one_load_tell_of_one_company(tmp_path: Path) -> None:
    with company(tmp_path) as made:
        done = made.load(**HUBSPOT, **STRIPE, **SALESFORCE)
        assert made.rows("accounts", "account_id", "crm_id") == [("hubspot:31", "31")]
        assert made.rows("subscriptions", "account_id", "mrr") == [("hubspot:31", 20.0)]
        assert {count.format for count in done.counts} == {"hubspot", "salesforce", "stripe"}


def test_product_and_crm_in_one_folder_are_read_in_the_right_order(tmp_path: Path) -> None:
    with company(tmp_path) as made:
        made.load(
            people=[{"person_id": "u", "email": "x@nettle-example.com", "created_at": "2026-01-01"}],
            contact=[{"id": 1, "property_email": "x@nettle-example.com", "property_jobtitle": "COO"}],
            **HUBSPOT,
        )
        assert made.rows("people", "person_id", "title") == [("u", "COO")]
        assert made.rows("leads") == []


def test_people_of_a_free_mail_company_are_not_joined_by_it(tmp_path: Path) -> None:
    rows = [{**COMPANY[0], "id": n, "property_domain": "gmail.com"} for n in (1, 2)]
    with company(tmp_path) as made:
        made.load(company=rows)
        assert made.rows("accounts", "account_id") == ["hubspot:1", "hubspot:2"]


def test_a_line_that_is_no_row_is_set_aside_and_the_rest_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "hubspot"
    folder.mkdir()
    text = "id,property_name,property_domain\n1,One,one-example.com\n2,Two\n3,Three,three-example.com\n"
    (folder / "company.csv").write_text(text, encoding="utf-8")
    with company(tmp_path) as made:
        done = load(made.project, [folder])
        assert [(c.read, c.loaded, c.quarantined) for c in done.counts] == [(1, 0, 1), (2, 2, 0)]
        assert made.aside() == [("accounts", "company.csv", 3, "the row has 2 fields, the header has 3")]
        assert [(c.read, c.quarantined) for c in replay(made.project)] == [(1, 1)]


def test_a_value_that_cannot_be_read_is_set_aside_once_and_can_be_tried_again(tmp_path: Path) -> None:
    bad = [{**COMPANY[0], "property_numberofemployees": "many"}, {**COMPANY[0], "id": 32, "property_domain": ""}]
    with company(tmp_path) as made:
        made.load(company=bad)
        assert made.aside() == [("accounts", "company.csv", 2, "employees is not a whole number of 0 or more: many")]
        assert [(c.input, c.read, c.quarantined) for c in replay(made.project)] == [("accounts", 1, 1)]
        assert made.rows("accounts", "account_id") == ["hubspot:32"]


def test_a_column_that_never_had_a_value_leaves_its_signal_blind(tmp_path: Path) -> None:
    with company(tmp_path) as made:
        made.load(company=[{"id": 1, "property_name": "One", "property_numberofemployees": ""}])
        assert "employees" not in [column for _, column in made.rows("input_columns", "input", "column_name")]
        made.load(company=COMPANY)
        assert "employees" in [column for _, column in made.rows("input_columns", "input", "column_name")]


@pytest.mark.parametrize(
    ("name", "folder", "columns", "found"),
    [
        ("deal", "", "deal_id deal_pipeline_stage_id", ("hubspot", "deal")),
        ("hubspot_deals_2026-10", "", "DEAL_ID DEAL_PIPELINE_STAGE_ID", ("hubspot", "deal")),
        ("part-0", "deal", "deal_id deal_pipeline_stage_id", ("hubspot", "deal")),
        ("deal_company", "", "deal_id company_id", ("hubspot", "deal_company")),
        ("ticket_company", "", "ticket_id company_id", None),
        ("contact", "", "id property_email", ("hubspot", "contact")),
        ("contact", "", "id email account_id", ("salesforce", "contact")),
        ("opportunityhistory", "", "Id OpportunityId StageName", ("salesforce", "opportunity_history")),
        ("sf_opportunity_line_item", "", "id opportunity_id", None),
        ("stripe.customers", "", "id email created", ("stripe", "customer")),
        ("product_2", "", "id name family", None),
    ],
)  # fmt: skip
def test_a_table_is_known_by_its_name_and_its_columns(
    name: str, folder: str, columns: str, found: tuple[str, str] | None
) -> None:
    source = Source(name=name, folder=folder, columns=tuple(columns.split()))
    assert detect(source) == found
    for connector in (HubSpot(), Salesforce(), Stripe()):
        wanted = found[1] if found and found[0] == connector.name else None
        assert table_of(connector, source) == wanted
