"""What a Stripe price comes to in a month."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.events.connectors.cells import key, no_rows, number, split, text, together
from handraise.events.connectors.protocol import Tables

# Amounts are in the smallest unit of the currency, which these have none of, or a thousand. Stripe keeps two decimals
# in the amounts of ISK and UGX, though nobody uses them any more.
_WHOLE = ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf")
_THOUSANDTHS = ("bhd", "jod", "kwd", "omr", "tnd")
_MONTHS = {"day": 12 / 365, "week": 12 * 7 / 365, "month": 1.0, "year": 12.0}


def monthly_items(tables: Tables, subscriptions: ir.Table) -> ir.Table:
    """Subscription items: ref, item, plan (a name, else an id), seats, monthly (NULL = cannot be told), currency.

    Args:
        tables: The load.
        subscriptions: ref, price_ref and quantity of subscriptions that hold these themselves.
    """
    found = [_nothing(tables)]
    if "subscription_item" in tables:
        rows, _ = split(tables["subscription_item"], ["id"])
        found.append(
            rows.select(
                ref=key(rows, "subscription_id"),
                item=key(rows, "id"),
                price_ref=text(rows, "price_id", "plan_id"),
                seats=number(rows, "quantity"),
            )
        )
    # Before there were items, a subscription itself had the plan and the quantity.
    own = subscriptions.select("ref", item="ref", price_ref="price_ref", seats="quantity")
    found.append(own.filter(own.price_ref.notnull()).anti_join(together(*found), "ref"))
    items = together(*found)
    joined = items.left_join(_prices(tables), "price_ref")
    seats = joined.seats.fill_null(1.0)
    return joined.select(
        ref=joined.ref,
        item=joined.item,
        plan=ibis.coalesce(joined.plan, joined.price_ref),
        seats=joined.seats,
        monthly=joined.unit_month * seats,
        currency=joined.currency,
    )


def _nothing(tables: Tables) -> ir.Table:
    like = next(iter(tables.values()))
    return no_rows(like, ref="string", item="string", price_ref="string", seats="float64")


def _prices(tables: Tables) -> ir.Table:
    """price_ref → plan, unit_month, currency: from prices, and from plans for those that are no price."""
    names = _products(tables)
    found = []
    if "price" in tables:
        rows, _ = split(tables["price"].mutate(is_deleted=ibis.literal("false")), ["id"])
        found.append(_priced(rows, "recurring_", names, "unit_amount_decimal", "unit_amount"))
    if "plan" in tables:
        rows, _ = split(tables["plan"].mutate(is_deleted=ibis.literal("false")), ["id"])
        plans = _priced(rows, "", names, "amount_decimal", "amount")
        found.append(plans.anti_join(found[0], "price_ref") if found else plans)
    if found:
        return together(*found)
    like = next(iter(tables.values()))
    return no_rows(like, price_ref="string", plan="string", unit_month="float64", currency="string")


def _priced(rows: ir.Table, prefix: str, names: ir.Table, *amounts: str) -> ir.Table:
    currency = text(rows, "currency").lower()
    unit = ibis.cases((currency.isin(_WHOLE), 1.0), (currency.isin(_THOUSANDTHS), 1000.0), else_=100.0)
    interval = text(rows, f"{prefix}interval").lower()
    months = ibis.cases(*((interval == name, value) for name, value in _MONTHS.items()), else_=ibis.null("float64"))
    every = months * number(rows, f"{prefix}interval_count").fill_null(1.0).nullif(0.0)
    # What is paid for as it is used, or by tiers, has no monthly price that could be told beforehand.
    metered = text(rows, f"{prefix}usage_type") == "metered"
    tiered = text(rows, "billing_scheme") == "tiered"
    by_use = (metered.fill_null(ibis.literal(value=False))) | (tiered.fill_null(ibis.literal(value=False)))
    amount = by_use.ifelse(ibis.null("float64"), number(rows, *amounts) / unit / every)
    named = rows.select(
        price_ref=key(rows, "id"),
        nickname=text(rows, "nickname"),
        product_ref=key(rows, "product_id"),
        unit_month=amount,
        currency=currency,
    )
    joined = named.left_join(names, "product_ref")
    return joined.select(
        price_ref=joined.price_ref,
        plan=ibis.coalesce(joined.nickname, joined.product),
        unit_month=joined.unit_month,
        currency=joined.currency,
    )


def _products(tables: Tables) -> ir.Table:
    if "product" not in tables:
        return no_rows(next(iter(tables.values())), product_ref="string", product="string")
    rows, _ = split(tables["product"].mutate(is_deleted=ibis.literal("false")), ["id"])
    return rows.select(product_ref=key(rows, "id"), product=text(rows, "name"))
