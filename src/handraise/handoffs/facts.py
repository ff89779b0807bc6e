"""What deciding needs to know of the accounts concerned: tier, segment, whom one may talk to, and who was written to."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.handoffs.latest import latest
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import FALSE, join_on

# People of each account that deciding looks at, the best first.
MOST_PEOPLE = 20
# What routing goes by.
_ROUTED_BY = ("owner", "segment", "domain", "country", "industry")


def make_facts(warehouse: Warehouse, *, lead_days: int) -> None:
    """The temporary tables `acting_accounts`, `acting_people`, `acting_touches`, `acting_leads` for `candidates` (account_id).

    acting_accounts: account_id, is_pqa, sells, has_usage, owner, segment, domain, country, industry.
    acting_people: account_id, person_id, is_pql, place, created_at, first_at, email.
    acting_touches: account_id, person_id, at of each human touch that is known by now, of anybody in these accounts and, in
        any account, of their people in acting_people.
    acting_leads: account_id, email, is_recent (of the last `lead_days` days, which triggers still go by).
    Reads the scores of the last day that was scored, and `lead_accounts`.
    """
    candidates = warehouse.table("candidates")
    accounts = latest(warehouse, "scored_accounts").select(
        "account_id",
        "is_pqa",
        *_ROUTED_BY,
        sells="segment_sells",
        # Who is known and never did anything is no usage: people are imported before any of them comes.
        has_usage=ibis._.people_ever_active > 0,
    )
    known = join_on(candidates, accounts, ["account_id"])
    rows = known.select(
        "account_id",
        *_ROUTED_BY,
        is_pqa=known.is_pqa.fill_null(FALSE),
        sells=known.sells.fill_null(FALSE),
        has_usage=known.has_usage.fill_null(FALSE),
    )
    warehouse.create("acting_accounts", rows, temporary=True)
    people = latest(warehouse, "scored_people").filter(lambda t: t.known).semi_join(candidates, "account_id")
    order = ibis.window(group_by="account_id", order_by=[people.is_pql.desc(), people.score.desc(), people.person_id])
    placed = people.select("account_id", "person_id", "is_pql", place=ibis.row_number().over(order))
    best = placed.filter(placed.place < MOST_PEOPLE)
    dated = join_on(best, warehouse.table("person_traits").select("person_id", "created_at"), ["person_id"])
    dated = join_on(dated, warehouse.table("people").select("person_id", "email"), ["person_id"])
    firsts = latest(warehouse, "pairs").select("account_id", "person_id", "first_at")
    made = warehouse.create("acting_people", join_on(dated, firsts, ["account_id", "person_id"]), temporary=True)
    warehouse.create("acting_touches", _touches_of(warehouse, made), temporary=True)
    warehouse.create("acting_leads", _leads_of(warehouse, lead_days), temporary=True)


def _touches_of(warehouse: Warehouse, people: ir.Table) -> ir.Table:
    """Of the accounts, for their caps; of their people elsewhere too, as the cap of a person knows no accounts."""
    touches, candidates = warehouse.table("touches"), warehouse.table("candidates")
    known = warehouse.table("as_ofs").known_until.max().as_scalar()
    told = touches.filter(touches["at"] < known).select("account_id", "person_id", "at")
    elsewhere = told.anti_join(candidates, "account_id").semi_join(people, "person_id")
    return told.semi_join(candidates, "account_id").union(elsewhere, distinct=False)


def _leads_of(warehouse: Warehouse, days: int) -> ir.Table:
    """Each address once, as it is asked for in the ledger, where keyed hashes of those who opted out are."""
    leads = warehouse.table("lead_accounts").semi_join(warehouse.table("candidates"), "account_id")
    dated = leads.cross_join(latest(warehouse, "as_ofs").select("cutoff", "known_until"))
    known = dated.filter(dated["at"] < dated.known_until)
    recent = known["at"] >= known.cutoff - ibis.interval(days=days)
    return known.group_by(["account_id", "email"]).agg(is_recent=recent.any())
