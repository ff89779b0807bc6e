"""Salesforce's tables in the layout of the common connectors; every row here is made up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.tables import Company, company, counts, passed_over
from handraise.service.project import Loaded

A1, A2, A3, A4 = (f"00155000000AbC{n}AAB" for n in range(1, 5))
PRODUCT: dict[str, list[dict[str, Any]]] = {
    "accounts": [
        {"account_id": "acc-1", "name": "", "domain": "fir-example.com", "crm_id": ""},
        {"account_id": "acc-2", "name": "Gum", "domain": "", "crm_id": A2[:15]},
    ],
    "people": [
        {"person_id": "u-1", "email": "ida@fir-example.com", "name": "", "title": "", "created_at": "2026-09-01"}
    ],
}


def sf_account(ref: str, name: str, website: str, **more: Any) -> dict[str, Any]:
    return {
        "id": ref, "name": name, "website": website, "owner_id": "005A", "is_deleted": "false",
        "_fivetran_active": "true", "created_date": "2026-01-05 09:00:00", **more,
    }  # fmt: skip


ACCOUNTS = [
    sf_account(A1, "Fir", "https://www.fir-example.com/en", number_of_employees="5000", industry="Banking",
               billing_country="", shipping_country="Chile"),
    sf_account(A2, "Gum Ltd", "gum-example.com", number_of_employees="40"),
    sf_account(A3, "Hazel", "https://www.linkedin.com/company/hazel"),
    sf_account(A4, "Iris", "http://www.linkedin.com/company/iris"),
    sf_account("00155000000GoneAAB", "Gone", "gone-example.com", is_deleted="true"),
    sf_account(A1, "Fir in former times", "former-example.com", _fivetran_active="false"),
]  # fmt: skip
CONTACTS = [
    {"id": "003A", "email": "Ida@fir-example.com", "account_id": A1, "first_name": "Ida", "last_name": "Bay", "title": "VP Data",
     "department": "Data", "created_date": "2026-02-01 00:00:00"},
    {"id": "003B", "email": "jo@hazel-example.com", "account_id": A3, "created_date": "2026-02-03 00:00:00", "lead_source": "Trade show"},
    {"id": "003C", "email": "", "account_id": A3},
]  # fmt: skip
LEADS = [
    {"id": "00QA", "email": "jo@hazel-example.com", "company": "Hazel", "created_date": "2026-01-20 00:00:00",
     "lead_source": "Web", "is_converted": "true"},
    {"id": "00QB", "email": "kim@juniper-example.com", "company": "Juniper", "created_date": "2026-01-21 00:00:00"},
]  # fmt: skip


def opportunity(ref: str, account: str, stage: str, **more: Any) -> dict[str, Any]:
    return {
        "id": ref, "account_id": account, "stage_name": stage, "created_date": "2026-03-01 10:00:00", "amount": "900",
        "close_date": "2026-06-30 00:00:00", "is_closed": "false", "is_won": "false", "is_deleted": "false", **more,
    }  # fmt: skip


WON = {"is_closed": "true", "is_won": "true"}
LOST = {"is_closed": "true", "is_won": "false", "loss_reason_c": "no budget"}
OPPORTUNITIES = [
    opportunity("006A", A1, "Closed Won", lead_source="Product", **WON),
    opportunity("006B", A2, "Closed Lost", **LOST),
    opportunity("006C", A3, "Offer"),
    opportunity("006D", "", "Offer"),
    opportunity("006E", A1, "Offer", is_deleted="true"),
]


def version(start: str, stage: str, **more: Any) -> dict[str, Any]:
    """A row of a connector's history of the opportunity 006A."""
    return opportunity("006A", A1, stage, _fivetran_start=start, _fivetran_active="false", **more)


HISTORY = [
    version("2026-05-01 10:00:00", "Closed Won", **WON, _fivetran_end="9999-12-31 23:59:59"),
    version("2026-03-01 10:00:00", "Talk", amount=""),
    version("2026-03-20 10:00:00", "Talk", amount="500"),
    version("2026-04-01 10:00:00", "Offer", amount="700"),
    version("2026-04-11 10:00:00", "Talk", amount="700"),
]


def task(ref: str, **more: Any) -> dict[str, Any]:
    return {
        "id": ref, "who_id": "003A", "status": "Completed", "task_subtype": "Email", "owner_id": "005A", "account_id": A1,
        "created_date": "2026-05-01 08:00:00", "completed_date_time": "2026-05-02 08:00:00", "is_deleted": "false", **more,
    }  # fmt: skip


TASKS = [
    task("00TA"),
    task("00TB", completed_date_time="2026-05-03 08:00:00", subject="[Email] [In] Re: hello"),
    task("00TC", task_subtype="Call", completed_date_time="", activity_date="2026-05-04 00:00:00", owner_id="005Z"),
    task("00TD", task_subtype="Call", call_type="Inbound"),
    task("00TE", status="Not Started"),
    task("00TF", task_subtype="Task", type="Other"),
    task("00TG", is_deleted="true"),
    task("00TH", task_subtype="Task", type="LinkedIn", who_id="003B", account_id="", what_id="", is_archived="true"),
    task(
        "00TI",
        task_subtype="Call",
        who_id="00QB",
        account_id="",
        what_id="006B",
        completed_date_time="2026-05-05 00:00:00",
    ),
    task("00TJ", task_subtype="Call", who_id="00QB", account_id="", what_id=""),
]
EVENTS = [
    {"id": "00UA", "who_id": "003A", "account_id": A1, "owner_id": "005A", "type": "Meeting", "is_child": "false",
     "created_date": "2026-05-06 09:00:00", "start_date_time": "2026-05-20 10:00:00"},
    {"id": "00UB", "who_id": "003A", "account_id": A1, "owner_id": "005A", "type": "Meeting", "is_child": "true",
     "created_date": "2026-05-06 09:00:00", "start_date_time": "2026-05-20 10:00:00"},
]  # fmt: skip
USERS = [{"id": "005A", "email": "rep@vendor-example.com", "username": "rep", "name": "Ren Ito"}]
TABLES: dict[str, list[dict[str, Any]]] = {
    "sf_account_data": ACCOUNTS,
    "sf_contact_data": CONTACTS,
    "sf_lead_data": LEADS,
    "sf_opportunity_data": OPPORTUNITIES,
    "sf_opportunity_history_data": HISTORY,
    "sf_task_data": TASKS,
    "sf_event_data": EVENTS,
    "sf_user_data": USERS,
    "sf_opportunity_line_item_data": [{"id": "00kA", "opportunity_id": "006A", "quantity": 3}],
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Company, Loaded]]:
    with company(tmp_path_factory.mktemp("salesforce")) as made:
        made.load(**PRODUCT)
        yield made, made.load(**TABLES)


def test_accounts_meet_by_web_site_and_by_the_short_form_of_their_id(loaded: tuple[Company, Loaded]) -> None:
    fir = loaded[0].row("accounts", account_id="acc-1")
    assert (fir["name"], fir["employees"], fir["industry"], fir["country"]) == ("Fir", 5000, "Banking", "Chile")
    assert (fir["crm_id"], fir["owner"]) == (A1, "rep@vendor-example.com")
    gum = loaded[0].row("accounts", account_id="acc-2")
    assert (gum["name"], gum["employees"], gum["crm_id"], gum["domain"]) == ("Gum Ltd", 40, A2[:15], "gum-example.com")


def test_a_page_on_a_site_that_many_share_joins_nobody(loaded: tuple[Company, Loaded]) -> None:
    assert loaded[0].rows("accounts", "account_id") == ["acc-1", "acc-2", f"salesforce:{A3}", f"salesforce:{A4}"]
    assert loaded[0].row("accounts", account_id=f"salesforce:{A3}")["domain"] is None


def test_contacts_and_leads_are_people_of_the_product_or_one_lead_each(loaded: tuple[Company, Loaded]) -> None:
    ida = loaded[0].row("people", person_id="u-1")
    assert (ida["name"], ida["title"], ida["department"]) == ("Ida Bay", "VP Data", "Data")
    assert [(r["email"], r["at"].isoformat(), r["source"]) for r in loaded[0].rows("leads")] == [
        ("jo@hazel-example.com", "2026-01-20T00:00:00", "Web"),
        ("kim@juniper-example.com", "2026-01-21T00:00:00", "salesforce"),
    ]


def test_every_stage_that_was_entered_is_a_row_and_other_changes_are_none(loaded: tuple[Company, Loaded]) -> None:
    rows = sorted(
        (r for r in loaded[0].rows("opportunities") if r["opportunity_id"] == "006A"), key=lambda r: r["stage_at"]
    )
    assert [(r["stage"], r["status"], r["stage_at"].day, r["amount"], r["closed_at"] is None) for r in rows] == [
        ("Talk", "open", 1, None, True),
        ("Offer", "open", 1, 700.0, True),
        ("Talk", "open", 11, 700.0, True),
        ("Closed Won", "won", 1, 900.0, False),
    ]
    assert {(r["account_id"], r["source"]) for r in rows} == {("acc-1", "Product")}


def test_an_opportunity_without_history_has_its_present_stage(loaded: tuple[Company, Loaded]) -> None:
    lost = loaded[0].row("opportunities", opportunity_id="006B")
    assert (lost["status"], lost["reject_reason"], lost["stage_at"], lost["account_id"]) == (
        "lost",
        "no budget",
        None,
        "acc-2",
    )
    assert loaded[0].row("opportunities", opportunity_id="006C")["status"] == "open"


def test_touches_are_done_and_ours(loaded: tuple[Company, Loaded]) -> None:
    found = [
        (r["at"].isoformat()[:10], r["channel"], r["account_id"], r["person_id"], r["by"], r["replied_at"] is not None)
        for r in sorted(loaded[0].rows("touches"), key=lambda r: (r["at"], r["channel"]))
    ]
    rep = "rep@vendor-example.com"
    assert found == [
        ("2026-05-02", "email", "acc-1", "u-1", rep, True),
        ("2026-05-02", "linkedin", f"salesforce:{A3}", None, rep, False),
        ("2026-05-04", "call", "acc-1", "u-1", "005Z", False),
        ("2026-05-05", "call", "acc-2", None, rep, False),
        ("2026-05-06", "meeting", "acc-1", "u-1", rep, False),
    ]
    assert loaded[0].row("touches", channel="meeting")["meeting_at"].isoformat() == "2026-05-20T10:00:00"


def test_what_belongs_to_nobody_is_set_aside(loaded: tuple[Company, Loaded]) -> None:
    assert loaded[0].aside() == [
        ("opportunities", "sf_opportunity_data.csv", 5, "the opportunity's account is not in the load"),
        ("touches", "sf_task_data.csv", 11, "it belongs to no company, contact or deal that is known"),
    ]


def test_rows_left_out_are_counted_with_the_reason(loaded: tuple[Company, Loaded]) -> None:
    assert passed_over(loaded[1]) == {
        ("account", "deleted", 1),
        ("account", "no longer valid", 1),
        ("contact", "a contact without e-mail", 1),
        ("contact", "another contact or lead with the same e-mail is older", 1),
        ("opportunity", "deleted", 1),
        ("task", "deleted", 1),
        ("task", "incoming, so no touch of ours", 2),
        ("task", "a task that is not done yet", 1),
        ("task", "a task that is no call, e-mail, message or meeting", 1),
        ("event", "an invitee's copy of an event", 1),
    }
    assert counts(loaded[1], "salesforce")["account", "accounts"] == (4, 4, 0, 0)
    assert loaded[1].notes == []


def test_salesforces_own_history_of_stages_and_its_own_spelling_of_columns_are_read(tmp_path: Path) -> None:
    """As the Data Loader writes them: `OpportunityHistory` has no flags, so the stages of closed ones say who won."""
    camel = {"id": "Id", "account_id": "AccountId", "stage_name": "StageName", "created_date": "CreatedDate",
             "amount": "Amount", "close_date": "CloseDate", "is_closed": "IsClosed", "is_won": "IsWon",
             "is_deleted": "IsDeleted"}  # fmt: skip
    rows = [{camel[c]: v for c, v in row.items() if c in camel} for row in OPPORTUNITIES[:3]]
    entered = [
        {"Id": "008A", "OpportunityId": "006A", "StageName": "Offer", "CreatedDate": "2026-03-01T10:00:00.000Z"},
        {
            "Id": "008B",
            "OpportunityId": "006A",
            "StageName": "Closed Won",
            "CreatedDate": "2026-05-01T10:00:00.000+0000",
        },
        {"Id": "008C", "OpportunityId": "006C", "StageName": "Offer", "CreatedDate": "2026-05-02T10:00:00.000Z"},
    ]
    accounts = [{"Id": A1, "Name": "Fir", "OwnerId": "005A", "Website": "fir-example.com"}]
    with company(tmp_path) as made:
        made.load(Account=accounts, Opportunity=rows, OpportunityHistory=entered)
        assert made.rows("opportunities", "opportunity_id", "stage", "status", "account_id") == [
            ("006A", "Closed Won", "won", f"salesforce:{A1}"),
            ("006A", "Offer", "open", f"salesforce:{A1}"),
        ]
        assert [(name, line) for name, _, line, _ in made.aside()] == [("opportunities", 3), ("opportunities", 4)]
