"""The person signals, one function each: section 4 of the domain rules.

A signal looks at one person in one account and gives what it measured and the points for it.
Points of None mean blind: the input or the column was never given.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from .facts import Event, Pair, World

Value = int | float | bool | None


class Measured(NamedTuple):
    """The raw value (None = unknown or blind) and its points (None = blind)."""

    value: Value
    points: int | None


BLIND = Measured(None, None)
UNKNOWN = Measured(None, 0)


def ladder(value: float | Fraction, *rungs: tuple[float | Fraction, int]) -> int:
    """Give the points of the highest rung reached; rungs are in rising order."""
    points = 0
    for rung, reward in rungs:
        if value >= rung:
            points = reward
    return points


def flag(*, holds: bool, points: int) -> Measured:
    """Give the points when the condition holds."""
    return Measured(holds, points if holds else 0)


def recent(world: World, events: list[Event], days: int = 30) -> list[Event]:
    """Keep the events of the window of so many days that ends at T."""
    return [event for event in events if event.at >= world.ago(days)]


def of_role(events: list[Event], *roles: str) -> list[Event]:
    """Keep the events of these roles; an event has the role its name says."""
    return [event for event in events if event.name in roles]


def count_30(world: World, pair: Pair, role: str) -> int:
    """Count the pair's events of a role in the last 30 days."""
    return len(of_role(recent(world, world.by_pair[pair]), role))


def weeks(world: World, pair: Pair) -> list[int]:
    """Count active events in weeks 0, 1, 2 and 3; week 0 is the latest."""
    counts = []
    for k in range(4):
        start, end = world.ago(7 * (k + 1)), world.ago(7 * k)
        inside = [e for e in world.by_pair[pair] if e.active and start <= e.at < end]
        counts.append(len(inside))
    return counts


def active_days(world: World, pair: Pair, days: int) -> int:
    """Count the UTC days with an active event in the window."""
    return len({e.at.date() for e in recent(world, world.by_pair[pair], days) if e.active})


def first_at(events: list[Event]) -> datetime | None:
    """Give the time of the earliest event, if there is one."""
    return min((event.at for event in events), default=None)


def signed_up_at(world: World, pair: Pair) -> datetime | None:
    """Give the sign-up: created_at when known before T, else the first signed_up event."""
    row = world.people.get(pair[0])
    if row and row.created_at and row.created_at < world.now:
        return row.created_at
    return first_at(of_role(world.by_pair[pair], "signed_up"))


def premium_features(world: World, pair: Pair) -> Measured:
    """Distinct premium features used in 30 days."""
    used = of_role(recent(world, world.by_pair[pair]), "premium_feature")
    value = len({event.feature for event in used})
    return Measured(value, ladder(value, (1, 10), (3, 15)))


def limit_reached(world: World, pair: Pair) -> Measured:
    """Times a plan limit was reached in 30 days."""
    value = count_30(world, pair, "limit_reached")
    return Measured(value, ladder(value, (1, 20)))


def api_or_integration(world: World, pair: Pair) -> Measured:
    """Uses of the API or an integration in 30 days."""
    value = count_30(world, pair, "api_or_integration")
    return Measured(value, ladder(value, (1, 15)))


def feature_breadth(world: World, pair: Pair) -> Measured:
    """Distinct features of any kind used in 30 days."""
    used = of_role(recent(world, world.by_pair[pair]), "feature", "premium_feature")
    value = len({event.feature for event in used})
    return Measured(value, ladder(value, (5, 10)))


def invites(world: World, pair: Pair) -> Measured:
    """Invites sent in 30 days, each event counting its `count`."""
    sent = of_role(recent(world, world.by_pair[pair]), "invite_sent")
    value = sum(event.count for event in sent)
    return Measured(value, ladder(value, (1, 10), (3, 20), (6, 30)))


def same_domain_people(world: World, pair: Pair) -> Measured:
    """People of the account with the person's work domain who were active in 30 days."""
    if not world.has("people", "email"):
        return BLIND
    person, account = pair
    domain = world.domain_of(person)
    if not domain:
        return Measured(0, 0)
    value = len([p for p in world.active_30[account] if world.domain_of(p) == domain])
    return Measured(value, ladder(value, (3, 15), (10, 25)))


def external_share(world: World, pair: Pair) -> Measured:
    """Shares with people outside in 30 days."""
    value = count_30(world, pair, "external_share")
    return Measured(value, ladder(value, (1, 10)))


def fast_activation(world: World, pair: Pair) -> Measured:
    """Hours from sign-up to the first activation; the points last 30 days after it."""
    start = signed_up_at(world, pair)
    activated = first_at(of_role(world.by_pair[pair], "activation"))
    if start is None or activated is None:
        return UNKNOWN
    took = activated - start
    fast = took < timedelta(hours=1) and activated >= world.ago(30)
    return Measured(took / timedelta(hours=1), 10 if fast else 0)


def stickiness(world: World, pair: Pair) -> Measured:
    """Active days of the last 30, divided by 30; both rungs are strict."""
    share = Fraction(active_days(world, pair, 30), 30)
    points = 20 if share > Fraction(5, 10) else 10 if share > Fraction(3, 10) else 0
    return Measured(float(share), points)


def rising_usage(world: World, pair: Pair) -> Measured:
    """Three weekly rises running."""
    w0, w1, w2, w3 = weeks(world, pair)
    return flag(holds=w3 < w2 < w1 < w0, points=15)


def active_5_of_7(world: World, pair: Pair) -> Measured:
    """Active days of the last 7."""
    value = active_days(world, pair, 7)
    return Measured(value, ladder(value, (5, 15)))


def pricing_views(world: World, pair: Pair) -> Measured:
    """Views of the pricing page in 30 days."""
    value = count_30(world, pair, "pricing_view")
    return Measured(value, ladder(value, (1, 10), (3, 20)))


def upgrade_abandoned(world: World, pair: Pair) -> Measured:
    """The last start of an upgrade in 30 days found no completion within its 24 h, now over."""
    starts = of_role(recent(world, world.by_pair[pair]), "upgrade_started")
    if not starts:
        return flag(holds=False, points=25)
    person, account = pair
    start = max(event.at for event in starts)
    over = start + timedelta(hours=24)
    anybody = of_role(world.by_person[person] + world.by_account[account], "upgrade_completed")
    completed = any(start <= event.at < over for event in anybody)
    return flag(holds=not completed and over <= world.now, points=25)


def enterprise_request(world: World, pair: Pair) -> Measured:
    """Enterprise requests in 30 days."""
    value = count_30(world, pair, "enterprise_request")
    return Measured(value, ladder(value, (1, 30)))


def billing_question(world: World, pair: Pair) -> Measured:
    """Billing questions in 30 days."""
    value = count_30(world, pair, "billing_question")
    return Measured(value, ladder(value, (1, 20)))


def company_size(world: World, pair: Pair) -> Measured:
    """Employees of the account."""
    if not world.has("accounts", "employees"):
        return BLIND
    row = world.accounts.get(pair[1])
    if row is None or row.employees is None:
        return UNKNOWN
    return Measured(row.employees, ladder(row.employees, (50, 10), (500, 20)))


def target_industry(world: World, pair: Pair) -> Measured:
    """Whether the account's industry is on the model's list."""
    if not world.has("accounts", "industry") or not world.industries:
        return BLIND
    row = world.accounts.get(pair[1])
    if row is None or not row.industry:
        return UNKNOWN
    return flag(holds=row.industry in world.industries, points=10)


def icp_match(world: World, pair: Pair) -> Measured:
    """Whether the account is flagged as an ideal customer."""
    if not world.has("accounts", "icp"):
        return BLIND
    row = world.accounts.get(pair[1])
    if row is None or row.icp is None:
        return UNKNOWN
    return flag(holds=row.icp, points=15)


def inactive(world: World, pair: Pair) -> Measured:
    """No active event in the last 7 days, though there was one before."""
    moments = [event.at for event in world.by_pair[pair] if event.active]
    silent = not [at for at in moments if at >= world.ago(7)]
    return flag(holds=silent and bool(moments), points=-20)


def declining_usage(world: World, pair: Pair) -> Measured:
    """Three weekly falls running."""
    w0, w1, w2, w3 = weeks(world, pair)
    return flag(holds=w3 > w2 > w1 > w0, points=-15)


def account_since(world: World, account: str) -> datetime | None:
    """Give the earliest of the account row, its workspaces' rows and its first event."""
    moments = [event.at for event in world.by_account[account]]
    row = world.accounts.get(account)
    if row and row.created_at:
        moments.append(row.created_at)
    for workspace in world.workspaces.values():
        here = world.account_of_workspace[workspace.workspace_id] == account
        if here and workspace.created_at:
            moments.append(workspace.created_at)
    return min(moments, default=None)


def lonely(world: World, pair: Pair) -> Measured:
    """The only person ever active in an account over 30 days old, and never sent an invite."""
    person, account = pair
    alone = world.ever_active[account] == {person}
    invited = bool(of_role(world.by_account[account], "invite_sent"))
    if not alone or invited:
        return flag(holds=False, points=-10)
    since = account_since(world, account)
    return flag(holds=since is not None and since < world.ago(30), points=-10)


def paying(world: World, account: str) -> bool:
    """Whether a subscription with money in it runs at T, by what is known before T."""
    return any(
        row.mrr > 0 and row.started_at < world.now and (row.ended_at is None or row.ended_at >= world.now)
        for row in world.subscriptions_of[account]
    )


def free_only(world: World, pair: Pair) -> Measured:
    """Over 30 days old, never used a premium feature, and the account pays nothing."""
    if not world.has("subscriptions", "mrr"):
        return BLIND
    events = world.by_pair[pair]
    since = signed_up_at(world, pair) or first_at(events)
    old = since is not None and since < world.ago(30)
    premium = bool(of_role(events, "premium_feature"))
    return flag(holds=old and not premium and not paying(world, pair[1]), points=-10)


FIRMOGRAPHIC = ("company_size", "target_industry", "icp_match")

PERSON_SIGNALS: tuple[Callable[[World, Pair], Measured], ...] = (
    premium_features,
    limit_reached,
    api_or_integration,
    feature_breadth,
    invites,
    same_domain_people,
    external_share,
    fast_activation,
    stickiness,
    rising_usage,
    active_5_of_7,
    pricing_views,
    upgrade_abandoned,
    enterprise_request,
    billing_question,
    company_size,
    target_industry,
    icp_match,
    inactive,
    declining_usage,
    lonely,
    free_only,
)
