"""Who is where at an as-of: people of anonymous ids, accounts of workspaces, and the pairs that get scored.

Every table here carries `as_of`, so that a list of dates goes through the same expressions in one pass. Facts
that were not known before an as-of (a link, a colleague's first event) do not shape its answer.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.accounts.aliases import all_links, at_the_end, first_links
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import FALSE, TRUE

PAIR_KEY = ("as_of", "person_id", "account_id")


def make_places(warehouse: Warehouse) -> None:
    """Make the temporary tables `places`, `workspace_accounts`, `pairs` and `pair_places`.

    Needs `as_ofs` (as_of date, cutoff timestamp), `alias_ends`, `person_domains`, `domain_owners` and the roll-ups'
    `person_firsts` and `identity_links`.

    places: as_of, who (with actor, identified, workspace_id) → person_id, known, account_id, and the lifetime's first
        instants.
    workspace_accounts: as_of, workspace_id → account_id, rule, domain, people, of_people (why it belongs there).
    pairs: a number `pair` for each as_of, person_id, account_id: known, placed_at, first instants over its places.
    pair_places: as_of, who → pair.
    """
    people, domains, owners = (warehouse.table(name) for name in ("people", "person_domains", "domain_owners"))
    seen = warehouse.create("seen", _seen(warehouse), temporary=True)
    rows_placed = at_the_end(warehouse, _placed(people, warehouse.table("as_ofs")))
    placed = warehouse.create("placed", rows_placed, temporary=True)
    members = _workspace_members(seen, placed)
    by_domain = _accounts_by_domain(members, domains, owners)
    named = warehouse.table("workspaces")
    mapped = warehouse.create(
        "workspace_accounts",
        _workspace_accounts(members, named, by_domain, warehouse.table("as_ofs")),
        temporary=True,
    )
    homes = _homes(domains, owners)
    places = warehouse.create("places", _with_account(seen, mapped, homes), temporary=True)
    rows = _with_account(_placed_without_events(placed, seen), mapped, homes)
    # Numbers, in any order, because everything counted from here on is grouped and joined by them.
    pairs = warehouse.create("pairs", _pairs(places, rows).mutate(pair=ibis.row_number()), temporary=True)
    numbers = places.inner_join(pairs.select(*PAIR_KEY, "pair"), list(PAIR_KEY))
    warehouse.create("pair_places", numbers.select("as_of", "who", "pair"), temporary=True)


def _seen(warehouse: Warehouse) -> ir.Table:
    """Every who with an event before as-of, and the person it was known to be by then."""
    firsts, as_ofs = warehouse.table("person_firsts"), warehouse.table("as_ofs")
    first_link = first_links(all_links(warehouse))
    seen = firsts.cross_join(as_ofs)
    seen = seen.filter(seen.first_at < seen.cutoff)
    # One plain equality, so that the engine can hash it; who is linked by then is told afterwards.
    joined = seen.left_join(first_link, seen.actor == first_link.anonymous_id)
    linked = (~joined.identified & (joined.linked_at < joined.cutoff)).fill_null(FALSE)
    person = linked.ifelse(joined.linked_person, joined.actor)
    told = joined.select(*(joined[c] for c in seen.columns), person_id=person, known=joined.identified | linked)
    return at_the_end(warehouse, told)


def _placed(people: ir.Table, as_ofs: ir.Table) -> ir.Table:
    """People that their own row places somewhere before as-of."""
    rows = people.cross_join(as_ofs)
    return rows.filter(rows.created_at < rows.cutoff).select(
        "as_of", "person_id", workspace_id=rows.workspace_id.fill_null(""), placed_at=rows.created_at
    )


def _workspace_members(seen: ir.Table, placed: ir.Table) -> ir.Table:
    """as_of, workspace, person → when the person was first seen there."""
    by_events = seen.select("as_of", "workspace_id", "person_id", at=seen.first_at)
    by_row = placed.select("as_of", "workspace_id", "person_id", at=placed.placed_at)
    both = by_events.union(by_row, distinct=False)
    both = both.filter(both.workspace_id != "")
    return both.group_by(["as_of", "workspace_id", "person_id"]).agg(at=both["at"].min())


def _accounts_by_domain(members: ir.Table, domains: ir.Table, owners: ir.Table) -> ir.Table:
    """Workspaces of which at least half of the people with a work e-mail share one domain."""
    with_domain = members.inner_join(domains, "person_id")
    counted = with_domain.group_by(["as_of", "workspace_id", "domain"]).agg(
        people=with_domain.count(), at=with_domain["at"].min()
    )
    window = ibis.window(group_by=[counted.as_of, counted.workspace_id])
    ranked = counted.mutate(
        of_people=counted.people.sum().over(window),
        place=ibis.row_number().over(
            ibis.window(
                group_by=[counted.as_of, counted.workspace_id],
                order_by=[counted.people.desc(), counted["at"], counted.domain],
            )
        ),
    )
    winner = ranked.filter((ranked.place == 0) & (ranked.people * 2 >= ranked.of_people))
    owned = winner.left_join(owners, "domain")
    return owned.select(
        *(owned[c] for c in ("as_of", "workspace_id", "domain", "people", "of_people")),
        account_id=ibis.coalesce(owned.account_id, ibis.literal("domain:").concat(owned.domain)),
    )


def _workspace_accounts(members: ir.Table, workspaces: ir.Table, by_domain: ir.Table, as_ofs: ir.Table) -> ir.Table:
    """The account of every workspace, and by which rule: mapping, domain, or on its own."""
    used = members.select("as_of", "workspace_id").union(
        workspaces.cross_join(as_ofs).select("as_of", "workspace_id"), distinct=True
    )
    explicit = workspaces.select(named_id=workspaces.workspace_id, named=workspaces.account_id.nullif(""))
    joined = used.left_join(explicit, used.workspace_id == explicit.named_id)
    joined = joined.select("as_of", "workspace_id", "named")
    joined = joined.left_join(by_domain, ["as_of", "workspace_id"])
    rule = ibis.cases((joined.named.notnull(), "mapping"), (joined.account_id.notnull(), "domain"), else_="own")
    own = ibis.literal("workspace:").concat(joined.workspace_id)
    return joined.select(
        *(joined[c] for c in ("as_of", "workspace_id", "domain", "people", "of_people")),
        rule=rule,
        account_id=ibis.coalesce(joined.named, joined.account_id, own),
    )


def _homes(domains: ir.Table, owners: ir.Table) -> ir.Table:
    """Where people's events without workspace count: the account of their work domain."""
    owned = domains.left_join(owners, "domain")
    return owned.select(
        home_of=owned.person_id,
        home=ibis.coalesce(owned.account_id, ibis.literal("domain:").concat(owned.domain)),
    )


def _with_account(rows: ir.Table, mapped: ir.Table, homes: ir.Table) -> ir.Table:
    """Adds `account_id` to rows with as_of, workspace_id and person_id."""
    theirs = mapped.select("as_of", "workspace_id", "account_id")
    joined = rows.left_join(theirs, ["as_of", "workspace_id"])
    joined = joined.select(*(joined[c] for c in rows.columns), of_workspace=joined.account_id)
    homed = joined.left_join(homes, joined.person_id == homes.home_of)
    own = ibis.literal("person:").concat(homed.person_id)
    without_workspace = ibis.coalesce(homed.home, own)
    account = (homed.workspace_id == "").ifelse(without_workspace, homed.of_workspace)
    return homed.select(*(homed[c] for c in rows.columns), account_id=account)


def _placed_without_events(placed: ir.Table, seen: ir.Table) -> ir.Table:
    """A row with a workspace places the person there; one without counts only while there is no event at all."""
    with_events = seen.select("as_of", "person_id").distinct()
    elsewhere = placed.anti_join(with_events, ["as_of", "person_id"])
    return placed.filter(placed.workspace_id != "").union(
        elsewhere.filter(elsewhere.workspace_id == ""), distinct=False
    )


def _pairs(places: ir.Table, placed: ir.Table) -> ir.Table:
    """One row per as_of, person and account."""
    instants = [column for column in places.columns if column.startswith("first_")]
    unknown = ibis.null("timestamp(6)")
    by_events = places.select(
        "as_of", "person_id", "account_id", "known", placed_at=unknown, **{c: places[c] for c in instants}
    )
    by_row = placed.select(
        "as_of",
        "person_id",
        "account_id",
        "placed_at",
        known=TRUE,
        **dict.fromkeys(instants, unknown),
    )
    both = by_events.union(by_row.select(*by_events.columns), distinct=False)
    return both.group_by(["as_of", "person_id", "account_id"]).agg(
        known=both.known.max(), **{c: both[c].min() for c in ("placed_at", *instants)}
    )
