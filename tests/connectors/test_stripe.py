"""Stripe's tables in the layout of the common connectors; every row here is made up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.tables import Company, company, passed_over
from handraise.service.project import Loaded

PRODUCT: dict[str, list[dict[str, Any]]] = {
    "accounts": [{"account_id": "acc-1", "name": "Kelp", "domain": "kelp-example.com"}],
    "people": [
        {"person_id": "u-1", "email": "Lou@gmail.com", "workspace_id": "", "created_at": "2026-01-01"},
        {"person_id": "u-2", "email": "lou@gmail.com", "workspace_id": "w-9", "created_at": "2026-01-01"},
        {"person_id": "u-3", "email": "alone@gmail.com", "workspace_id": "", "created_at": "2026-01-01"},
    ],
}


def customer(ref: str, email: str = "", metadata: str = "{}", **more: Any) -> dict[str, Any]:
    return {
        "id": ref, "email": email, "metadata": metadata, "livemode": "TRUE", "is_deleted": "FALSE",
        "created": "2026-01-02 00:00:00", **more,
    }  # fmt: skip


CUSTOMERS = [
    customer("cus_meta", "x@other-example.com", '{"account_id": "acc-7"}'),
    customer("cus_ws", "", '{"workspace_id": "w-1"}'),
    customer("cus_domain", "billing@kelp-example.com"),
    customer("cus_person", "LOU@gmail.com"),
    customer("cus_lonely", "alone@gmail.com"),
    customer("cus_new2", "b@lime-example.com", created="2026-02-02 00:00:00", name="Lime Two"),
    customer("cus_new1", "a@eu.lime-example.com", created="2026-01-05 00:00:00", name="Lime"),
    customer("cus_free", "who@gmail.com"),
    customer("cus_idle", "idle@mango-example.com"),
    customer("cus_test", "t@test-example.com", livemode="FALSE"),
    customer("cus_gone", "g@kelp-example.com", is_deleted="TRUE"),
]
PRICES = [
    {"id": "pr_month", "product_id": "prod_pro", "nickname": "Pro monthly", "currency": "usd", "unit_amount": "1500", "recurring_interval": "month", "recurring_interval_count": "1"},
    {"id": "pr_year", "product_id": "prod_pro", "nickname": "", "currency": "jpy", "unit_amount": "120000", "recurring_interval": "year", "recurring_interval_count": "1"},
    {"id": "pr_quarter", "product_id": "prod_pro", "nickname": "Quarter", "currency": "eur", "unit_amount": "", "unit_amount_decimal": "9000.6", "recurring_interval": "month", "recurring_interval_count": "3"},
    {"id": "pr_metered", "product_id": "prod_pro", "nickname": "Calls", "currency": "usd", "unit_amount": "1", "recurring_interval": "month", "recurring_interval_count": "1", "recurring_usage_type": "metered"},
    {"id": "pr_once", "product_id": "prod_setup", "nickname": "Setup", "currency": "usd", "unit_amount": "99900", "type": "one_time"},
]  # fmt: skip
PLANS = [
    {"id": "plan_week", "product_id": "prod_old", "nickname": "", "currency": "usd", "amount": "700", "interval": "week", "interval_count": "2", "is_deleted": "TRUE"},
    {"id": "plan_kwd", "product_id": "prod_none", "nickname": "", "currency": "kwd", "amount": "30000", "interval": "month", "interval_count": "6"},
]  # fmt: skip
PRODUCTS = [
    {"id": "prod_pro", "name": "Pro", "livemode": "TRUE"},
    {"id": "prod_old", "name": "Legacy", "livemode": "TRUE"},
]


def subscription(ref: str, owner: str, **more: Any) -> dict[str, Any]:
    return {
        "id": ref, "customer_id": owner, "status": "active", "livemode": "TRUE", "created": "2026-02-01 00:00:00",
        "start_date": "2026-03-01 00:00:00", "ended_at": "", "canceled_at": "", "trial_start": "", "trial_end": "",
        "metadata": "{}", **more,
    }  # fmt: skip


SUBSCRIPTIONS = [
    subscription("sub_meta", "cus_meta"),
    subscription("sub_ws", "cus_ws"),
    subscription("sub_domain", "cus_domain", collection_method="send_invoice"),
    subscription("sub_person", "cus_person"),
    subscription("sub_lonely", "cus_lonely"),
    subscription("sub_new2", "cus_new2"),
    subscription("sub_new1", "cus_new1", start_date="2026-03-02 00:00:00"),
    subscription("sub_free", "cus_free", start_date="", collection_method="charge_automatically"),
    subscription("sub_own", "cus_domain", metadata='{"workspace_id": "w-5"}'),
    subscription("sub_trial", "cus_ws", status="trialing", trial_start="2026-03-05 00:00:00", start_date="2026-03-05 00:00:00",
                 trial_end="2026-03-19 00:00:00"),
    subscription("sub_tried", "cus_ws", start_date="2026-03-06 00:00:00", trial_end="2026-03-20 00:00:00"),
    subscription("sub_left", "cus_ws", start_date="2026-03-07 00:00:00", trial_end="2026-03-21 00:00:00", status="canceled",
                 canceled_at="2026-03-10 00:00:00", ended_at="2026-03-10 00:00:00"),
    subscription("sub_ended", "cus_ws", start_date="2026-03-08 00:00:00", status="canceled", canceled_at="2026-06-10 00:00:00"),
    subscription("sub_unpaid", "cus_ws", start_date="2026-03-09 00:00:00", status="unpaid"),
    subscription("sub_never", "cus_ws", status="incomplete_expired"),
    subscription("sub_test", "cus_test", livemode="FALSE"),
    subscription("sub_gone", "cus_gone", start_date="2026-03-10 00:00:00"),
    subscription("sub_orphan", "cus_missing"),
    subscription("sub_empty", "cus_ws", start_date="2026-03-11 00:00:00"),
    subscription("sub_twin1", "cus_ws", start_date="2026-03-12 00:00:00"),
    subscription("sub_twin2", "cus_ws", start_date="2026-03-12 00:00:00"),
]  # fmt: skip
_OTHER = {"sub_ws": "pr_year", "sub_domain": "pr_quarter", "sub_person": "plan_week", "sub_lonely": "plan_kwd"}
ITEMS = [
    *({"id": f"si_{s['id']}", "subscription_id": s["id"], "plan_id": _OTHER.get(s["id"], "pr_month"), "quantity": 3}
      for s in SUBSCRIPTIONS if s["id"] != "sub_empty"),
    {"id": "si_more", "subscription_id": "sub_domain", "plan_id": "pr_metered", "quantity": ""},
    {"id": "si_once", "subscription_id": "sub_meta", "plan_id": "pr_once", "quantity": 1},
    {"id": "si_extra", "subscription_id": "sub_meta", "plan_id": "pr_month", "quantity": 10},
]  # fmt: skip
TABLES: dict[str, list[dict[str, Any]]] = {
    "customer_data": CUSTOMERS,
    "subscription_data": SUBSCRIPTIONS,
    "subscription_item_data": ITEMS,
    "price_data": PRICES,
    "plan_data": PLANS,
    "product_data": PRODUCTS,
    "invoice_data": [
        {"id": "in_1", "customer_id": "cus_person", "subscription_id": "sub_person", "collection_method": "send_invoice"},
        {"id": "in_2", "customer_id": "cus_person", "subscription_id": "sub_person", "collection_method": "charge_automatically"},
        {"id": "in_3", "customer_id": "cus_meta", "subscription_id": "sub_meta", "collection_method": "charge_automatically"},
    ],
    "payout_data": [{"id": "po_1", "amount": 5}],
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Company, Loaded]]:
    with company(tmp_path_factory.mktemp("stripe")) as made:
        made.load(**PRODUCT)
        yield made, made.load(**TABLES)


def started(made: Company, day: str) -> list[tuple[Any, ...]]:
    """Subscriptions of a workspace that start on a day of March: plan, end, money."""
    rows = [
        r
        for r in made.rows("subscriptions")
        if r["started_at"].isoformat()[:10] == f"2026-03-{day}" and r["workspace_id"]
    ]
    return sorted((r["workspace_id"], r["ended_at"] and r["ended_at"].isoformat()[:10], r["mrr"]) for r in rows)


def test_a_subscription_is_of_the_account_that_metadata_name(loaded: tuple[Company, Loaded]) -> None:
    row = loaded[0].row("subscriptions", account_id="acc-7")
    assert (row["workspace_id"], row["plan"], row["seats"], row["channel"]) == (None, "Pro monthly", 10, "self_serve")
    assert row["mrr"] == pytest.approx(13 * 15.0)
    assert loaded[0].row("subscriptions", workspace_id="w-5")["account_id"] is None


def test_else_of_the_account_of_the_work_domain(loaded: tuple[Company, Loaded]) -> None:
    row = loaded[0].row("subscriptions", account_id="acc-1", plan="Quarter")
    assert (row["seats"], row["channel"]) == (3, "sales")
    assert row["mrr"] == pytest.approx(3 * 90.006 / 3)


def test_else_of_the_workspace_of_the_person_with_the_address(loaded: tuple[Company, Loaded]) -> None:
    row = loaded[0].row("subscriptions", workspace_id="w-9")
    assert (row["account_id"], row["plan"], row["channel"]) == (None, "Legacy", "sales")
    assert row["mrr"] == pytest.approx(3 * 7.0 / 2 * 365 / 7 / 12)


def test_else_of_the_account_that_this_person_is_alone(loaded: tuple[Company, Loaded]) -> None:
    row = loaded[0].row("subscriptions", account_id="person:u-3")
    assert (row["plan"], row["mrr"]) == ("plan_kwd", pytest.approx(3 * 30.0 / 6))


def test_else_of_a_new_account_one_for_each_work_domain(loaded: tuple[Company, Loaded]) -> None:
    assert loaded[0].rows("accounts", "account_id", "domain", "name", "crm_id") == [
        ("acc-1", "kelp-example.com", "Kelp", None),
        ("stripe:cus_free", None, None, None),
        ("stripe:cus_new1", "lime-example.com", "Lime Two", None),
    ]
    assert len([r for r in loaded[0].rows("subscriptions") if r["account_id"] == "stripe:cus_new1"]) == 2
    free = loaded[0].row("subscriptions", account_id="stripe:cus_free")
    assert (free["started_at"].isoformat()[:10], free["channel"]) == ("2026-02-01", "self_serve")


def test_a_yearly_price_in_yen_is_a_twelfth_of_it_undivided(loaded: tuple[Company, Loaded]) -> None:
    row = loaded[0].row("subscriptions", workspace_id="w-1", plan="Pro")
    assert row["mrr"] == pytest.approx(3 * 120000 / 12)


def test_a_trial_costs_nothing_until_it_is_over(loaded: tuple[Company, Loaded]) -> None:
    assert started(loaded[0], "05") == [("w-1", None, 0.0)]
    assert started(loaded[0], "06") == [("w-1", "2026-03-20", 0.0)]
    assert started(loaded[0], "20") == [("w-1", None, 45.0)]
    assert started(loaded[0], "07") == [("w-1", "2026-03-10", 0.0)]
    assert started(loaded[0], "21") == []


def test_what_was_canceled_ends_and_what_is_not_paid_brings_nothing(loaded: tuple[Company, Loaded]) -> None:
    assert started(loaded[0], "08") == [("w-1", "2026-06-10", 45.0)]
    assert started(loaded[0], "09") == [("w-1", None, 0.0)]


def test_subscriptions_of_one_account_plan_and_instant_are_one_with_the_money_of_all(
    loaded: tuple[Company, Loaded],
) -> None:
    assert started(loaded[0], "12") == [("w-1", None, 90.0)]


def test_a_deleted_customer_keeps_its_account(loaded: tuple[Company, Loaded]) -> None:
    rows = [r for r in loaded[0].rows("subscriptions") if r["account_id"] == "acc-1" and r["plan"] == "Pro monthly"]
    assert [(r["started_at"].day, r["mrr"]) for r in rows] == [(10, 45.0)]


def test_what_lacks_a_customer_or_an_item_is_set_aside(loaded: tuple[Company, Loaded]) -> None:
    assert loaded[0].aside() == [
        ("subscriptions", "subscription_data.csv", 19,
         "the subscription's customer is not in the load, and its metadata names no account"),
        ("subscriptions", "subscription_data.csv", 20, "the subscription has no item that is in the load"),
    ]  # fmt: skip
    assert passed_over(loaded[1]) == {
        ("customer", "made in Stripe's test mode", 1),
        ("subscription", "made in Stripe's test mode", 1),
        ("subscription", "never paid for, so never begun", 1),
    }


def test_mixed_currencies_are_said(loaded: tuple[Company, Loaded]) -> None:
    assert loaded[1].notes == [
        "stripe: prices are in 4 currencies (eur, jpy, kwd, usd): every mrr is in its own, and adding them up says nothing."
    ]


def test_loading_twice_changes_nothing(loaded: tuple[Company, Loaded]) -> None:
    before = {name: loaded[0].rows(name) for name in ("accounts", "subscriptions")}
    again = loaded[0].load(**TABLES)
    assert sum(count.loaded for count in again.counts) == 0
    assert {name: loaded[0].rows(name) for name in before} == before


def test_a_subscription_that_changes_its_plan_does_not_count_twice(tmp_path: Path) -> None:
    with company(tmp_path) as made:
        only = {"customer": CUSTOMERS[:1], "price": PRICES[:3], "product": PRODUCTS}
        items = [{"id": "si_1", "subscription_id": "sub_meta", "plan_id": "pr_month", "quantity": 1}]
        made.load(subscription=SUBSCRIPTIONS[:1], subscription_item=items, **only)
        changed = [{**items[0], "plan_id": "pr_quarter", "quantity": 2}]
        made.load(subscription=SUBSCRIPTIONS[:1], subscription_item=changed, **only)
        running = [r for r in made.rows("subscriptions") if r["ended_at"] is None]
        assert [(r["plan"], r["seats"]) for r in running] == [("Quarter", 2)]
        [former] = [r for r in made.rows("subscriptions") if r["ended_at"]]
        assert (former["plan"], former["ended_at"], former["mrr"]) == ("Pro monthly", former["started_at"], 0.0)
        third = made.load(subscription=SUBSCRIPTIONS[:1], subscription_item=changed, **only)
        assert sum(count.loaded for count in third.counts) == 0


def test_a_history_of_subscriptions_gives_the_row_that_is_valid(tmp_path: Path) -> None:
    history = [
        subscription("sub_1", "cus_meta", _fivetran_active="FALSE", status="trialing", trial_end="2026-04-01 00:00:00", plan_id="pr_month", quantity=2),
        subscription("sub_1", "cus_meta", _fivetran_active="TRUE", plan_id="pr_month", quantity=5),
    ]  # fmt: skip
    with company(tmp_path) as made:
        done = made.load("stripe", subscription_history=history, customer=CUSTOMERS[:1], price=PRICES[:1])
        assert made.rows("subscriptions", "account_id", "mrr", "seats", "channel") == [("acc-7", 75.0, 5, None)]
        assert ("subscription_history", "no longer valid", 1) in passed_over(done)


def test_customers_alone_bring_nothing_and_the_load_says_so(tmp_path: Path) -> None:
    with company(tmp_path) as made:
        done = made.load(customer=CUSTOMERS)
        assert (done.counts, made.rows("accounts")) == ([], [])
        assert done.notes == ["stripe: no subscription or subscription_history: nothing is loaded from Stripe."]
