"""HubSpot's tables in the layout of the common connectors; every row here is made up."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.tables import Company, company, counts, passed_over
from handraise.service.project import Loaded

SYNC = {"_fivetran_synced": "2026-10-20 04:00:00"}
PRODUCT: dict[str, list[dict[str, Any]]] = {
    "accounts": [
        {"account_id": "acc-1", "name": "Birch (from the product)", "domain": "birch-example.com", "crm_id": ""},
        {"account_id": "acc-2", "name": "Cedar", "domain": "", "crm_id": "302"},
    ],
    "people": [
        {"person_id": "u-1", "email": "Ada@birch-example.com", "name": "ada", "title": "", "created_at": "2026-09-01"},
        {"person_id": "u-2", "email": "bo@birch-example.com", "name": "bo", "title": "Intern", "created_at": ""},
    ],
}


def hub_company(ref: int, name: str, domain: str, **more: Any) -> dict[str, Any]:
    return {
        "id": ref, "property_name": name, "property_domain": domain, "is_deleted": "false",
        "property_createdate": "2026-01-01 9:00:00", **SYNC, **more,
    }  # fmt: skip


COMPANIES = [
    hub_company(301, "Birch Inc.", "www.birch-example.com", property_numberofemployees="120.0",
                property_industry="COMPUTER_SOFTWARE", property_country="Norway", property_hubspot_owner_id="77"),
    hub_company(302, "Cedar Ltd.", "cedar-example.net", property_numberofemployees="8"),
    hub_company(303, "Dogwood", "dogwood-example.org", property_hubspot_owner_id="99"),
    hub_company(304, "Dogwood Asia", "asia.dogwood-example.org", property_createdate="2026-03-01 10:00:00",
                property_hs_lastmodifieddate="2026-02-01 00:00:00"),
    hub_company(305, "No site", ""),
    hub_company(306, "Gone", "gone-example.com", is_deleted="true"),
    hub_company(307, "Old name", "elm-example.com", property_hs_lastmodifieddate="2026-05-01 00:00:00"),
    hub_company(307, "Elm", "elm-example.com", property_hs_lastmodifieddate="2026-06-01 00:00:00"),
]  # fmt: skip
CONTACTS = [
    {"id": 1, "property_email": "ada@birch-example.com", "property_firstname": "Ada", "property_lastname": "Moss",
     "property_jobtitle": "CTO", "property_seniority": "executive", "property_department": "Engineering"},
    {"id": 2, "property_email": "new@dogwood-example.org", "property_createdate": "2026-04-02 8:30:00",
     "property_hs_analytics_source": "PAID_SEARCH", "property_associatedcompanyid": "303.0"},
    {"id": 3, "property_email": "", "property_firstname": "Nameless"},
    {"id": 4, "property_email": "NEW@dogwood-example.org", "property_createdate": "2026-04-01 00:00:00"},
    {"id": 5, "property_email": "free@gmail.com", "property_createdate": "2026-04-03", "_fivetran_deleted": "TRUE"},
    {"id": 6, "property_email": "loser@elm-example.com", "property_createdate": "2026-04-03"},
    {"id": 7, "property_email": "friend@gmail.com", "property_createdate": "2026-04-04"},
]  # fmt: skip
STAGES = [
    {"stage_id": "s1", "pipeline_id": "p", "label": "Talking", "is_closed": "FALSE", "closed_won": "FALSE", "probability": "0.2"},
    {"stage_id": "s2", "pipeline_id": "p", "label": "Offer", "is_closed": "FALSE", "closed_won": "FALSE", "probability": "0.0"},
    {"stage_id": "s3", "pipeline_id": "p", "label": "Signed", "is_closed": "TRUE", "closed_won": "TRUE", "probability": "1.0"},
    {"stage_id": "s4", "pipeline_id": "p", "label": "No", "is_closed": "TRUE", "closed_won": "FALSE", "probability": "0.0"},
]  # fmt: skip


def deal(ref: int, stage: str, **more: Any) -> dict[str, Any]:
    return {
        "deal_id": ref, "deal_pipeline_stage_id": stage, "deal_pipeline_id": "p", "is_deleted": "false",
        "property_createdate": "2026-03-01 12:00:00", **SYNC, **more,
    }  # fmt: skip


DEALS = [
    deal(1, "s3", property_amount="12000", property_closedate="2026-05-01 00:00:00"),
    deal(2, "s4", property_amount="500", property_closedate="2026-05-05 00:00:00", property_closed_lost_reason="price"),
    deal(3, "s1", property_closedate="2026-12-31 00:00:00"),
    deal(4, "s1"),
    deal(5, "s1", is_deleted="TRUE"),
    deal(6, "unknown", property_hs_analytics_source="ORGANIC_SEARCH"),
    deal(7, "s1"),
    deal(8, "s1", property_createdate=""),
]
LINKS = [
    {"deal_id": 1, "company_id": 303, "type_id": 341},
    {"deal_id": 1, "company_id": 301, "type_id": 5},
    {"deal_id": 1, "company_id": 301, "type_id": 341},
    {"deal_id": 2, "company_id": 306, "type_id": 5},
    {"deal_id": 2, "company_id": 302, "type_id": 341},
    {"deal_id": 6, "company_id": 304, "type_id": 5},
    {"deal_id": 8, "company_id": 301, "type_id": 5},
]
HISTORY = [
    {"deal_id": 1, "name": "dealstage", "value": "s3", "timestamp": "2026-04-20 10:00:00.5"},
    {"deal_id": 1, "name": "dealstage", "value": "s1", "timestamp": "2026-03-01 12:00:00"},
    {"deal_id": 1, "name": "amount", "value": "9000", "timestamp": "2026-03-05 12:00:00"},
    {"deal_id": 1, "name": "dealstage", "value": "s2", "timestamp": "2026-03-11 9:00:00"},
    {"deal_id": 2, "name": "dealstage", "value": "s4", "timestamp": "2026-05-04 00:00:00"},
    {"deal_id": 5, "name": "dealstage", "value": "s1", "timestamp": "2026-05-04 00:00:00"},
]


def said(ref: int, at: str, **more: Any) -> dict[str, Any]:
    return {"engagement_id": ref, "property_hs_timestamp": at, "property_hs_createdate": at, **SYNC, **more}


EMAILS = [
    said(11, "2026-05-01 10:00:00", property_hs_email_direction="EMAIL", property_hubspot_owner_id="77"),
    said(12, "2026-05-02 10:00:00", property_hs_email_direction="EMAIL", property_hubspot_owner_id="77"),
    said(13, "2026-05-03 10:00:00", property_hs_email_direction="INCOMING_EMAIL"),
    said(14, "2026-05-04 10:00:00", property_hs_email_direction="EMAIL"),
    said(15, "2026-05-04 11:00:00", property_hs_email_direction="EMAIL", _fivetran_deleted="true"),
]
CALLS = [
    said(21, "2026-05-05 10:00:00", property_hs_call_direction="OUTBOUND"),
    said(22, "2026-05-05 11:00:00", property_hs_call_direction="INBOUND"),
    said(23, "2026-05-05 12:00:00"),
]
MEETINGS = [
    {"engagement_id": 31, "property_hs_createdate": "2026-05-06 09:00:00", "start_time": "2026-05-09 10:00:00", "meeting_outcome": "COMPLETED"},
    {"engagement_id": 32, "property_hs_createdate": "2026-05-06 09:00:00", "start_time": "2026-05-09 10:00:00", "meeting_outcome": "NO_SHOW"},
    {"engagement_id": 33, "property_hs_createdate": "2026-05-12 09:00:00", "start_time": "2026-05-10 10:00:00", "meeting_outcome": ""},
]  # fmt: skip
WHO = [(11, 1), (12, 1), (13, 1), (14, 2), (15, 1), (21, 1), (21, 2), (22, 1), (31, 1), (33, 2)]
TABLES: dict[str, list[dict[str, Any]]] = {
    "company_data": COMPANIES,
    "contact_data": CONTACTS,
    "contact_merge_audit_data": [{"vid_to_merge": 6, "canonical_vid": 2, "contact_id": 2}],
    "owner_data": [{"owner_id": 77, "email": "rep@vendor-example.com", "first_name": "Ren", "last_name": "Ito"}],
    "deal_data": DEALS,
    "deal_company_data": LINKS,
    "deal_contact_data": [{"deal_id": 3, "contact_id": 2}, {"deal_id": 4, "contact_id": 7}],
    "deal_pipeline_stage_data": STAGES,
    "deal_property_history_data": HISTORY,
    "merged_deal_data": [{"deal_id": 1, "merged_deal_id": 7}],
    "engagement_email_data": EMAILS,
    "engagement_call_data": CALLS,
    "engagement_meeting_data": MEETINGS,
    "engagement_contact_data": [{"engagement_id": e, "contact_id": c} for e, c in WHO],
    "engagement_company_data": [{"engagement_id": 32, "company_id": 301}],
    "engagement_deal_data": [{"engagement_id": 23, "deal_id": 2}],
    "ticket_data": [{"id": 1, "property_subject": "help"}],
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Company, Loaded]]:
    with company(tmp_path_factory.mktemp("hubspot")) as made:
        made.load(**PRODUCT)
        yield made, made.load(**TABLES)


def test_a_company_completes_the_account_that_owns_its_domain(loaded: tuple[Company, Loaded]) -> None:
    row = loaded[0].row("accounts", account_id="acc-1")
    assert (row["name"], row["employees"], row["industry"], row["country"]) == (
        "Birch Inc.",
        120,
        "computer software",
        "Norway",
    )
    assert (row["domain"], row["crm_id"], row["owner"]) == ("birch-example.com", "301", "rep@vendor-example.com")
    assert row["created_at"] is None


def test_a_company_completes_the_account_that_names_its_id(loaded: tuple[Company, Loaded]) -> None:
    row = loaded[0].row("accounts", account_id="acc-2")
    assert (row["name"], row["employees"], row["domain"], row["crm_id"]) == (
        "Cedar Ltd.",
        8,
        "cedar-example.net",
        "302",
    )


def test_companies_nobody_knows_become_accounts_one_for_each_domain(loaded: tuple[Company, Loaded]) -> None:
    assert loaded[0].rows("accounts", "account_id") == ["acc-1", "acc-2", "hubspot:303", "hubspot:305", "hubspot:307"]
    dogwood = loaded[0].row("accounts", account_id="hubspot:303")
    assert (dogwood["name"], dogwood["crm_id"], dogwood["owner"]) == ("Dogwood", "303", "99")
    assert dogwood["created_at"] == datetime(2026, 1, 1, 9)  # noqa: DTZ001 - stored as UTC without zone
    assert loaded[0].row("accounts", account_id="hubspot:307")["name"] == "Elm"


def test_a_contact_completes_the_person_with_its_address(loaded: tuple[Company, Loaded]) -> None:
    ada = loaded[0].row("people", person_id="u-1")
    assert (ada["name"], ada["title"], ada["seniority"], ada["department"]) == (
        "Ada Moss",
        "CTO",
        "executive",
        "Engineering",
    )
    assert ada["email"] == "Ada@birch-example.com"
    assert loaded[0].rows("people", "person_id") == ["u-1", "u-2"]
    assert loaded[0].row("people", person_id="u-2")["title"] == "Intern"


def test_contacts_that_nobody_in_the_product_is_become_leads_once(loaded: tuple[Company, Loaded]) -> None:
    leads = [(row["email"], row["at"].isoformat(), row["source"]) for row in loaded[0].rows("leads")]
    assert leads == [
        ("friend@gmail.com", "2026-04-04T00:00:00", "hubspot"),
        ("new@dogwood-example.org", "2026-04-01T00:00:00", "hubspot"),
    ]


def test_a_deal_has_one_row_for_each_stage_with_what_was_known_then(loaded: tuple[Company, Loaded]) -> None:
    rows = sorted(
        (r for r in loaded[0].rows("opportunities") if r["opportunity_id"] == "1"), key=lambda r: r["stage_at"]
    )
    assert [(r["stage"], r["status"], r["stage_at"].isoformat(), r["closed_at"] is None) for r in rows] == [
        ("Talking", "open", "2026-03-01T12:00:00", True),
        ("Offer", "open", "2026-03-11T09:00:00", True),
        ("Signed", "won", "2026-04-20T10:00:00.500000", False),
    ]
    assert {(r["account_id"], r["amount"]) for r in rows} == {("acc-1", 12000.0)}


def test_a_lost_deal_says_why_and_an_open_one_has_no_close(loaded: tuple[Company, Loaded]) -> None:
    lost = loaded[0].row("opportunities", opportunity_id="2")
    assert (lost["status"], lost["reject_reason"], lost["account_id"]) == ("lost", "price", "acc-2")
    still = loaded[0].row("opportunities", opportunity_id="3")
    assert (still["status"], still["closed_at"], still["stage_at"], still["stage"]) == ("open", None, None, "Talking")


def test_a_deal_without_company_is_of_its_contacts_company(loaded: tuple[Company, Loaded]) -> None:
    assert loaded[0].row("opportunities", opportunity_id="3")["account_id"] == "hubspot:303"


def test_a_deal_of_a_merged_domain_is_of_the_one_account(loaded: tuple[Company, Loaded]) -> None:
    found = loaded[0].row("opportunities", opportunity_id="6")
    assert (found["account_id"], found["stage"], found["source"]) == ("hubspot:303", "unknown", "ORGANIC_SEARCH")


def test_orphans_are_set_aside_where_they_stand(loaded: tuple[Company, Loaded]) -> None:
    assert loaded[0].aside() == [
        (
            "opportunities",
            "deal_data.csv",
            5,
            "the deal belongs to no company, and none of its contacts to a known one",
        ),
        ("opportunities", "deal_data.csv", 9, "created_at is missing"),
    ]


def test_touches_are_what_we_sent_and_an_answer_belongs_to_the_last_mail(loaded: tuple[Company, Loaded]) -> None:
    found = [
        (r["at"].isoformat(), r["channel"], r["account_id"], r["person_id"], r["by"], r["replied_at"] is not None)
        for r in sorted(loaded[0].rows("touches"), key=lambda r: (r["at"], str(r["person_id"])))
    ]
    rep = "rep@vendor-example.com"
    assert found == [
        ("2026-05-01T10:00:00", "email", "acc-1", "u-1", rep, False),
        ("2026-05-02T10:00:00", "email", "acc-1", "u-1", rep, True),
        ("2026-05-04T10:00:00", "email", "hubspot:303", None, None, False),
        ("2026-05-05T10:00:00", "call", "acc-1", "u-1", None, False),
        ("2026-05-05T12:00:00", "call", "acc-2", None, None, False),
        ("2026-05-06T09:00:00", "meeting", "acc-1", None, None, False),
        ("2026-05-06T09:00:00", "meeting", "acc-1", "u-1", None, False),
        ("2026-05-10T10:00:00", "meeting", "hubspot:303", None, None, False),
    ]


def test_a_meeting_counts_as_held_unless_it_was_not(loaded: tuple[Company, Loaded]) -> None:
    held = loaded[0].row("touches", channel="meeting", person_id="u-1")
    assert held["meeting_at"].isoformat() == "2026-05-09T10:00:00"
    assert loaded[0].row("touches", channel="meeting", account_id="acc-1", person_id=None)["meeting_at"] is None


def test_rows_left_out_are_counted_with_the_reason(loaded: tuple[Company, Loaded]) -> None:
    assert passed_over(loaded[1]) == {
        ("company", "deleted", 1),
        ("company", "an older copy of the same row", 1),
        ("contact", "a contact without e-mail", 1),
        ("contact", "deleted", 1),
        ("contact", "merged into another row", 1),
        ("contact", "another contact or lead with the same e-mail is older", 1),
        ("deal", "deleted", 1),
        ("deal", "merged into another row", 1),
        ("engagement_email", "deleted", 1),
        ("engagement_email", "incoming, so no touch of ours", 1),
        ("engagement_call", "incoming, so no touch of ours", 1),
    }


def test_counts_are_told_for_each_table_and_input(loaded: tuple[Company, Loaded]) -> None:
    assert counts(loaded[1], "hubspot") == {
        ("company", "accounts"): (6, 5, 1, 0),
        ("contact", "people"): (1, 1, 0, 0),
        ("contact", "leads"): (2, 2, 0, 0),
        ("deal", "opportunities"): (4, 2, 0, 2),
        ("deal_property_history", "opportunities"): (4, 4, 0, 0),
        ("engagement_email", "touches"): (3, 3, 0, 0),
        ("engagement_call", "touches"): (2, 2, 0, 0),
        ("engagement_meeting", "touches"): (3, 3, 0, 0),
    }
    assert [path.name for path in loaded[1].passed_over] == ["ticket_data.csv"]


def test_loading_twice_changes_nothing(loaded: tuple[Company, Loaded]) -> None:
    before = {name: loaded[0].rows(name) for name in ("accounts", "people", "leads", "opportunities", "touches")}
    again = loaded[0].load(**TABLES)
    assert sum(count.loaded for count in again.counts) == 0
    assert {name: loaded[0].rows(name) for name in before} == before


def test_what_is_missing_costs_what_it_costs_and_the_load_says_so(tmp_path: Path) -> None:
    with company(tmp_path) as made:
        done = made.load(deal=DEALS[:2], company=COMPANIES[:2], deal_company=LINKS)
        assert made.rows("opportunities", "opportunity_id", "stage", "status", "stage_at") == [
            ("1", "s3", "open", None), ("2", "s4", "open", None),
        ]  # fmt: skip
    assert (
        "hubspot: no deal_pipeline_stage: stages keep their ids as names, and every deal counts as open." in done.notes
    )
    assert [note for note in done.notes if "no deal:" in note or "no company:" in note] == []


def test_the_newer_table_of_stages_goes_before_the_property_history(tmp_path: Path) -> None:
    entered = [
        {"deal_id": 1, "value": "s1", "date_entered": "2026-03-01 12:00:00.100", "_fivetran_active": "FALSE"},
        {"deal_id": 1, "value": "s3", "date_entered": "2026-04-20 10:00:00.600", "_fivetran_active": "TRUE"},
    ]
    wanted = (
        "company_data",
        "deal_data",
        "deal_company_data",
        "deal_pipeline_stage_data",
        "deal_property_history_data",
    )
    with company(tmp_path) as made:
        made.load("hubspot", deal_stage=entered, **{name: TABLES[name] for name in wanted})
        found = {r["stage"] for r in made.rows("opportunities") if r["opportunity_id"] == "1"}
        assert found == {"Talking", "Signed"}
        assert ("2", "No") in made.rows("opportunities", "opportunity_id", "stage")
