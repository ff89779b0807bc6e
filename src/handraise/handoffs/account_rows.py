"""What a brief reads of one account: set work over its own roll-ups, and rows that are few whoever the account is.

Reads `briefed` (one row: account_id, as_of, cutoff, since, domain), `brief_calendar` (day, age, week), `brief_admins` (person_id of
whoever did something that only admins do), `brief_named` (person_id of whom the handoff names), the scores and the roll-ups.
Leaves the temporary tables `brief_*`; their SQL does not depend on the account, so it is built once.
"""

from __future__ import annotations

import re

import ibis
import ibis.expr.types as ir

from handraise.playbook.selling import Admins
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import FALSE, TRUE, any_of, join_on
from handraise.warehouse.hosts import email_host

WINDOW = 30  # days of the usage
WEEKS = 8
MOST_FEATURES = 25
# Of each part on the people map.
MOST_OF_A_PART = 5
MOST_TOUCHES = 500
MOST_MEASUREMENTS = 60
MEASURED_DAYS = 90
_SCOPE = ["as_of", "account_id"]


def make_account_rows(warehouse: Warehouse, admins: Admins) -> None:
    """All tables of the account in `briefed`."""
    briefed = warehouse.table("briefed")
    placed = warehouse.table("places").semi_join(briefed, _SCOPE)
    whos = warehouse.create("brief_whos", placed.select("who", "person_id", "as_of"), temporary=True)
    used = warehouse.create("brief_used", _used(warehouse, whos), temporary=True)
    known = _known(warehouse)
    lasts = warehouse.create("brief_lasts", _lasts(warehouse, whos), temporary=True)
    warehouse.create("brief_totals", _totals(warehouse, used, known, lasts), temporary=True)
    warehouse.create("brief_weeks", _weeks(used), temporary=True)
    warehouse.create("brief_departments", _departments(used, known), temporary=True)
    warehouse.create("brief_features", _features(warehouse, whos), temporary=True)
    warehouse.create("brief_deeds", _deeds(warehouse, whos), temporary=True)
    people = warehouse.create("brief_everybody", _everybody(warehouse, known, used, lasts, admins), temporary=True)
    shown = warehouse.create("brief_people", _on_the_map(people, warehouse.table("brief_named")), temporary=True)
    warehouse.create("brief_plans", _plans(warehouse), temporary=True)
    warehouse.create("brief_limits", _limits(warehouse), temporary=True)
    warehouse.create("brief_touches", _touches(warehouse), temporary=True)
    warehouse.create("brief_touched", _touched(warehouse, shown), temporary=True)
    warehouse.create("brief_leads", _leads(warehouse), temporary=True)


def _used(warehouse: Warehouse, whos: ir.Table) -> ir.Table:
    """person_id, age, week, n: active days of the weeks looked at."""
    days = warehouse.table("person_days")
    placed = days.filter(days.n_active > 0).inner_join(whos, "who").inner_join(warehouse.table("brief_calendar"), "day")
    return placed.group_by(["person_id", "age", "week"]).agg(n=placed.n_active.sum())


def _known(warehouse: Warehouse) -> ir.Table:
    """Scored people of the account whose id is one."""
    people = warehouse.table("scored_people").semi_join(warehouse.table("briefed"), _SCOPE)
    columns = ("person_id", "department", "score", "band", "is_pql", "is_buyer", "behaviour_points")
    return people.filter(people.known).select(*columns)


def _lasts(warehouse: Warehouse, whos: ir.Table) -> ir.Table:
    """person_id → the last day on which they were active, and the first instants at which they were seen, and active."""
    days = warehouse.table("person_days").inner_join(whos, "who")
    before = days.filter(days.day < days.as_of)
    return before.group_by("person_id").agg(
        last_active=before.day.max(where=before.n_active > 0),
        first_at=before.first_at.min(),
        first_active_at=before.first_active_at.min(),
    )


def _totals(warehouse: Warehouse, used: ir.Table, known: ir.Table, lasts: ir.Table) -> ir.Table:
    """One row: active_people, people, new_people, last_active."""
    recent = used.filter(used.age < WINDOW)
    active = recent.agg(active_people=recent.person_id.nunique())
    dated = lasts.cross_join(warehouse.table("briefed").select("since"))
    seen = dated.agg(
        new_people=dated.count(where=dated.first_active_at >= dated.since), last_active=dated.last_active.max()
    )
    return active.cross_join(known.agg(people=known.count())).cross_join(seen)


def _weeks(used: ir.Table) -> ir.Table:
    return used.group_by("week").agg(people=used.person_id.nunique(), events=used.n.sum())


def _departments(used: ir.Table, known: ir.Table) -> ir.Table:
    """Department → active people of it."""
    active = used.filter(used.age < WINDOW).select("person_id").distinct()
    placed = known.filter(known.department.notnull()).semi_join(active, "person_id")
    return placed.group_by("department").agg(people=placed.person_id.nunique())


def _recent(warehouse: Warehouse, name: str, whos: ir.Table) -> ir.Table:
    calendar = warehouse.table("brief_calendar")
    inside = calendar.filter(calendar.age < WINDOW)
    return warehouse.table(name).inner_join(whos, "who").inner_join(inside, "day")


def _features(warehouse: Warehouse, whos: ir.Table) -> ir.Table:
    rows = _recent(warehouse, "person_feature_days", whos)
    counted = rows.group_by("feature").agg(
        premium=(rows.role == "premium_feature").any(), people=rows.person_id.nunique(), days=rows.age.nunique()
    )
    order = [counted.people.desc(), counted.days.desc(), counted.feature]
    return counted.filter(counted.feature.notnull()).order_by(order).limit(MOST_FEATURES)


def _deeds(warehouse: Warehouse, whos: ir.Table) -> ir.Table:
    rows = _recent(warehouse, "person_role_days", whos)
    return rows.group_by("role").agg(times=rows.n.sum(), people=rows.person_id.nunique(), last=rows.day.max())


def _everybody(warehouse: Warehouse, known: ir.Table, used: ir.Table, lasts: ir.Table, admins: Admins) -> ir.Table:
    """Each known person of the account, with what tells their part."""
    people = warehouse.table("people")
    named = people.select("person_id", "name", "title", "email", says_admin=_says_admin(people, admins))
    traits = warehouse.table("person_traits").select("person_id", "created_at", "is_executive")
    recent = used.filter(used.age < WINDOW)
    active = recent.group_by("person_id").agg(active_days=recent.age.nunique(), acts=recent.n.sum())
    did = warehouse.table("brief_admins").select("person_id", did=TRUE)
    rows = known
    for extra in (named, traits, active, lasts, did):
        rows = join_on(rows, extra, ["person_id"])
    return rows.select(
        *(column for column in rows.columns if column not in {"says_admin", "did", *_COUNTED}),
        active_days=rows.active_days.fill_null(0),
        acts=rows.acts.fill_null(0),
        buyer=rows.is_buyer.fill_null(FALSE),
        executive=rows.is_executive.fill_null(FALSE),
        admin=rows.says_admin.fill_null(FALSE) | rows.did.fill_null(FALSE),
    )


_COUNTED = frozenset({"active_days", "acts", "is_buyer", "is_executive"})


def _says_admin(people: ir.Table, admins: Admins) -> ir.BooleanValue:
    """Their title or seniority has one of the words."""
    if not admins.title_words:
        return FALSE
    words = "|".join(re.escape(word.lower()).replace(r"\ ", " ") for word in admins.title_words)
    pattern = f"(^|[^a-z0-9])({words})([^a-z0-9]|$)"
    said = (people[column].lower().re_search(pattern).fill_null(FALSE) for column in ("title", "seniority"))
    return any_of(*said)


def _on_the_map(people: ir.Table, named: ir.Table) -> ir.Table:
    """The champion, the best buyers, executives and admins, and whom the handoff names.

    The champion is the most engaged: active on most days, then doing most, then with most points of behaviour.
    """
    engaged = [people.active_days.desc(), people.acts.desc(), people.behaviour_points.desc(), people.person_id]
    rows = people.mutate(engagement=ibis.row_number().over(ibis.window(order_by=engaged)))
    places = {}
    for part in ("buyer", "executive", "admin"):
        order = [rows.is_pql.desc(), rows.score.desc(), rows.person_id]
        places[f"{part}_place"] = ibis.row_number().over(ibis.window(group_by=rows[part], order_by=order))
    rows = join_on(rows.mutate(**places), named.select("person_id", named=TRUE), ["person_id"])
    rows = rows.mutate(champion=(rows.engagement == 0) & (rows.active_days > 0), named=rows.named.fill_null(FALSE))
    best = (rows[part] & (rows[f"{part}_place"] < MOST_OF_A_PART) for part in ("buyer", "executive", "admin"))
    return rows.filter(any_of(rows.champion, rows.named, *best))


def _owned(warehouse: Warehouse, name: str) -> ir.Table:
    """Rows of an input that names an account or a workspace, of this account."""
    briefed = warehouse.table("briefed")
    spaces = warehouse.table("workspace_accounts").semi_join(briefed, _SCOPE)
    rows = join_on(
        warehouse.table(name), spaces.select("workspace_id", of_workspace=spaces.account_id), ["workspace_id"]
    )
    placed = rows.mutate(account_id=ibis.coalesce(rows.account_id, rows.of_workspace)).drop("of_workspace")
    return placed.inner_join(briefed.select("account_id", "cutoff"), "account_id")


def _plans(warehouse: Warehouse) -> ir.Table:
    rows = _owned(warehouse, "subscriptions")
    running = rows.filter((rows.started_at < rows.cutoff) & (rows.ended_at.isnull() | (rows.ended_at >= rows.cutoff)))
    return running.select("plan", "started_at", "mrr", "seats", "channel")


def _limits(warehouse: Warehouse) -> ir.Table:
    """The last measurement of each day of each meter."""
    rows = _owned(warehouse, "limits")
    since = rows.cutoff - ibis.interval(days=MEASURED_DAYS)
    rows = rows.filter((rows.measured_at < rows.cutoff) & (rows.measured_at >= since))
    rows = rows.mutate(meter=rows.workspace_id.fill_null(""), day=rows.measured_at.date())
    meter = ["meter", "metric"]
    newest = rows.group_by([*meter, "day"]).agg(measured_at=rows.measured_at.max())
    kept = rows.semi_join(newest, [*meter, "day", "measured_at"])
    order = ibis.window(group_by=meter, order_by=kept.measured_at.desc())
    placed = kept.mutate(place=ibis.row_number().over(order))
    columns = ("metric", "workspace_id", "used", "quota", "measured_at")
    return placed.filter(placed.place < MOST_MEASUREMENTS).select(*columns)


def _touches(warehouse: Warehouse) -> ir.Table:
    touches = warehouse.table("touches")
    rows = touches.inner_join(warehouse.table("briefed").select("account_id", "cutoff"), "account_id")
    rows = rows.filter(rows["at"] < rows.cutoff)
    answered = rows.replied_at.notnull() | rows.meeting_at.notnull()
    told = rows.select("at", "person_id", "channel", "by", answered=answered)
    return told.order_by(told["at"].desc()).limit(MOST_TOUCHES)


def _touched(warehouse: Warehouse, people: ir.Table) -> ir.Table:
    """account_id, person_id, at: the latest contacts with the account, and in any account with those on the map.

    Two lists, so that neither takes the room of the other.
    """
    briefed = warehouse.table("briefed")
    rows = warehouse.table("touches").cross_join(briefed.select("cutoff", here=briefed.account_id))
    told = rows.filter(rows["at"] < rows.cutoff)
    parts = (told.filter(told.account_id == told.here), told.filter(told.account_id != told.here))
    here, elsewhere = (part.select("account_id", "person_id", "at") for part in parts)
    elsewhere = elsewhere.semi_join(people, "person_id")
    latest_here, latest_elsewhere = (part.order_by(part["at"].desc()).limit(MOST_TOUCHES) for part in (here, elsewhere))
    return latest_here.union(latest_elsewhere, distinct=False)


def _leads(warehouse: Warehouse) -> ir.Table:
    """Source → the last lead of the company's domain."""
    leads = warehouse.table("leads")
    rows = leads.cross_join(warehouse.table("briefed").select("cutoff", "domain"))
    host = email_host(rows.email)
    theirs = (host == rows.domain) | host.endswith(ibis.literal(".").concat(rows.domain))
    mine = rows.filter((rows["at"] < rows.cutoff) & theirs.fill_null(FALSE))
    return mine.group_by("source").agg(at=mine["at"].max())
