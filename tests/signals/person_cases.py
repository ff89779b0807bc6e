"""The cases of the person signals: a few rows each, at the borders of a rule, and the points written by hand."""

from datetime import timedelta

from support import DAY, HOUR, NOON, TINY, Case, Row, T, days, ev, weeks

YESTERDAY, TOMORROW = T - DAY, T + DAY


def at_borders(signal: str, event: str, points: int) -> list[Case]:
    """A count of one: inside, outside and exactly on both ends of the 30 days."""
    when = [(TINY, points), (30 * DAY, points), (30 * DAY + TINY, 0), (-TINY, 0)]
    known = [ev("open")]  # so that the person exists whatever becomes of the event
    return [
        *(
            Case(title=f"{signal} at {ago}", signal=signal, points=worth, events=[*known, ev(event, ago)])
            for ago, worth in when
        ),
        Case(title=f"{signal} at T itself", signal=signal, points=0, events=[*known, ev(event, timedelta(0))]),
        Case(title=f"{signal} never", signal=signal, points=0, events=known),
        Case(title=f"{signal} in capitals", signal=signal, points=0, events=[*known, ev(event.upper(), DAY)]),
    ]


def counted(signal: str, event: str, *ladder: tuple[int, int]) -> list[Case]:
    """So many events → so many points."""
    return [
        Case(title=f"{signal} {n} times", signal=signal, points=points, value=n, events=[ev(event, DAY)] * n)
        for n, points in ladder
    ]


def used(role: str, *features: str | None) -> list[Row]:
    """Events with the feature as a property; None = without the property."""
    return [ev(role, DAY, properties={} if key is None else {"feature": key}) for key in features]


BREADTH = [f"f{n}" for n in range(4)]
FEATURES = [
    *counted("limit_reached", "limit_reached", (1, 20), (5, 20)),
    *at_borders("limit_reached", "limit_reached", 20),
    *counted("api_or_integration", "api_or_integration", (1, 15), (2, 15)),
    *at_borders("api_or_integration", "api_or_integration", 15),
    *at_borders("premium_features", "premium_feature", 10),
    Case(
        title="three premium features",
        signal="premium_features",
        points=15,
        value=3,
        events=used("premium_feature", "a", "b", "c"),
    ),
    Case(
        title="two premium features",
        signal="premium_features",
        points=10,
        value=2,
        events=used("premium_feature", "a", "b", "b", "a"),
    ),
    Case(
        title="a premium feature without property counts under the event's name",
        signal="premium_features",
        points=15,
        value=3,
        events=used("premium_feature", "a", "b", None, None, ""),
    ),
    Case(
        title="a feature's number is its key",
        signal="premium_features",
        points=10,
        value=1,
        events=[ev("premium_feature", properties={"feature": 5}), ev("premium_feature", properties={"feature": "5"})],
    ),
    Case(
        title="five features of both roles",
        signal="feature_breadth",
        points=10,
        value=5,
        events=[*used("feature", *BREADTH), *used("premium_feature", "f9")],
    ),
    Case(
        title="the same feature of both roles is one",
        signal="feature_breadth",
        points=0,
        events=[*used("feature", *BREADTH), *used("premium_feature", "f3")],
    ),
    Case(
        title="the fifth feature 30 days and an instant ago",
        signal="feature_breadth",
        points=0,
        events=[*used("feature", *BREADTH), ev("feature", 30 * DAY + TINY, properties={"feature": "f4"})],
    ),
    Case(
        title="the fifth feature 30 days ago",
        signal="feature_breadth",
        points=10,
        events=[*used("feature", *BREADTH), ev("feature", 30 * DAY, properties={"feature": "f4"})],
    ),
    Case(
        title="a feature that did not happen here does not count here",
        signal="feature_breadth",
        points=0,
        events=[*used("feature", *BREADTH), ev("feature", ws="elsewhere", properties={"feature": "f4"})],
    ),
]


def invited(*counts: object) -> list[Row]:
    """Invites, each with its `count`; None = without the property."""
    return [ev("invite_sent", DAY, properties={} if count is None else {"count": count}) for count in counts]


def team(size: int, domain: str = "acme") -> dict[str, list[Row]]:
    """So many people with one e-mail domain, p0 and on."""
    return {"people": [{"person_id": f"p{n}", "email": f"p{n}@{domain}"} for n in range(size)]}


def team_events(size: int) -> list[Row]:
    return [ev("open", DAY, f"p{n}") for n in range(size)]


def same_domain(title: str, points: int, value: int, events: list[Row], domain: str = "acme", size: int = 12) -> Case:
    return Case(
        title=title,
        signal="same_domain_people",
        points=points,
        value=value,
        events=events,
        tables=team(size, domain),
        person="p0",
        account="domain:acme" if domain == "acme" else "workspace:w",
    )


COLLABORATION = [
    *at_borders("invites", "invite_sent", 10),
    *at_borders("external_share", "external_share", 10),
    *(Case(title=f"invites {counts}", signal="invites", points=points, value=value, events=invited(*counts))
      for counts, value, points in [
          ((None,), 1, 10), ((2,), 2, 10), ((3,), 3, 20), ((None, None, None), 3, 20), ((5,), 5, 20), ((6,), 6, 30),
          ((3, None, 2), 6, 30), (("4",), 4, 20), (("many",), 1, 10), ((0,), None, 0), ((2.5, 0.5), 3, 20), ((2.5,), 2.5, 10),
      ]),
    same_domain("two colleagues", 0, 2, team_events(2)),
    same_domain("three colleagues, the person included", 15, 3, team_events(3)),
    same_domain("nine colleagues", 15, 9, team_events(9)),
    same_domain("ten colleagues", 25, 10, team_events(10)),
    same_domain("a colleague who only got mail is not active", 0, 2,
                [*team_events(2), ev("email_opened", DAY, "p2")]),
    same_domain("a colleague active 30 days and an instant ago", 0, 2,
                [*team_events(2), ev("open", 30 * DAY + TINY, "p2")]),
    same_domain("a colleague active exactly 30 days ago", 15, 3, [*team_events(2), ev("open", 30 * DAY, "p2")]),
    same_domain("the person was not active but the colleagues are", 15, 3,
                [ev("open", 40 * DAY, "p0"), *team_events(4)[1:]]),
    same_domain("colleagues by free mail do not count", 0, 0, team_events(5), "gmail.com"),
    same_domain("colleagues of a university do not count", 0, 0, team_events(5), "mit.edu"),
    Case(title="a colleague of another domain does not count", signal="same_domain_people", points=0, value=2,
         events=team_events(3), person="p0", account="domain:acme",
         tables={"people": [{"person_id": "p0", "email": "p0@acme"}, {"person_id": "p1", "email": "p1@acme"},
                            {"person_id": "p2", "email": "p2@other"}]}),
]  # fmt: skip


def activated(title: str, points: int, events: list[Row], created: timedelta | None = None, **more: object) -> Case:
    people = [{"person_id": "p", "created_at": _text(created)}] if created is not None else []
    return Case(title=title, signal="fast_activation", points=points, events=events, tables={"people": people}, **more)


def _text(ago: timedelta) -> str:
    return ev("", ago)["timestamp"]


TEN = 10 * DAY
VELOCITY = [
    activated("59:59.999999 after sign-up", 10, [ev("activation", TEN - HOUR + TINY)], TEN),
    activated("exactly one hour after sign-up", 0, [ev("activation", TEN - HOUR)], TEN),
    activated("before sign-up", 10, [ev("activation", TEN + HOUR)], TEN),
    activated("the moment of sign-up", 10, [ev("activation", TEN)], TEN),
    activated("sign-up by event", 10, [ev("signed_up", TEN), ev("activation", TEN - HOUR / 2)]),
    activated("the first sign-up event counts", 0,
              [ev("signed_up", TEN), ev("signed_up", TEN - HOUR), ev("activation", TEN - HOUR)]),
    activated("created_at wins over the event", 0, [ev("signed_up", TEN - HOUR), ev("activation", TEN - HOUR)],
              TEN),
    activated("the first activation counts", 0, [ev("activation", TEN - 2 * HOUR), ev("activation", DAY)], TEN),
    activated("a second, slower activation changes nothing", 10,
              [ev("activation", TEN - HOUR / 2), ev("activation", DAY)], TEN),
    activated("activated exactly 30 days ago", 10, [ev("activation", 30 * DAY), ev("open")], 30 * DAY),
    activated("activated 30 days and an instant ago", 0, [ev("activation", 30 * DAY + TINY), ev("open")],
              30 * DAY + TINY),
    activated("an old first activation is not renewed", 0,
              [ev("activation", 40 * DAY), ev("activation", DAY)], 40 * DAY),
    activated("sign-up unknown", 0, [ev("activation", DAY)]),
    activated("no activation", 0, [ev("open")], TEN),
    activated("signed up in another account", 0, [ev("signed_up", TEN, ws="v"), ev("activation", TEN - HOUR / 2)]),
    activated("created_at after T is not known, the event is", 10,
              [ev("signed_up", TEN), ev("activation", TEN - HOUR / 2)], -DAY),
    *(Case(title=f"{n} active days of 30", signal="stickiness", points=points, value=value,
           events=days("open", *range(n)))
      for n, points, value in [(9, 0, None), (10, 10, 10 / 30), (15, 10, 0.5), (16, 20, 16 / 30), (30, 20, 1.0)]),
    Case(title="the tenth active day was passive", signal="stickiness", points=0,
         events=[*days("open", *range(9)), *days("email_opened", 12)]),
    Case(title="two events of one day are one day", signal="stickiness", points=0,
         events=[*days("open", *range(9)), ev("open", DAY)]),
    Case(title="the first and last instant of the 30 days", signal="stickiness", points=10,
         events=[*days("open", *range(1, 9)), ev("open", TINY), ev("open", 30 * DAY)]),
    *(Case(title=f"weeks {counts}", signal="rising_usage", points=points, value=1 if points else None,
           events=weeks(*counts))
      for counts, points in [((4, 3, 2, 1), 15), ((3, 2, 1, 0), 15), ((4, 3, 3, 1), 0), ((4, 3, 1, 2), 0),
                             ((1, 2, 3, 4), 0), ((3, 3, 2, 1), 0), ((2, 1), 0)]),
    *(Case(title=f"weeks {counts}", signal="declining_usage", points=points, events=weeks(*counts))
      for counts, points in [((1, 2, 3, 4), -15), ((0, 1, 2, 3), -15), ((0, 0, 1, 2), 0), ((1, 1, 2, 3), 0),
                             ((4, 3, 2, 1), 0), ((0, 2, 1, 3), 0), ((0, 1, 2, 3, 9), -15)]),
    Case(title="an event 7 days ago to the instant is of week 0", signal="rising_usage", points=15,
         events=[*weeks(2, 2, 1), ev("open", 7 * DAY)]),
    Case(title="an event an instant before is of week 1", signal="rising_usage", points=0,
         events=[*weeks(2, 2, 1), ev("open", 7 * DAY + TINY)]),
    Case(title="passive events are no usage", signal="rising_usage", points=0,
         events=[*weeks(0, 3, 2, 1), *days("email_delivered", 1, 2, 3, 4)]),
    Case(title="four active days of 7", signal="active_5_of_7", points=0, events=days("open", 0, 1, 2, 3)),
    Case(title="five active days of 7", signal="active_5_of_7", points=15, value=5, events=days("open", 0, 1, 2, 3, 6)),
    Case(title="the fifth day 7 days ago to the instant", signal="active_5_of_7", points=15,
         events=[*days("open", 0, 1, 2, 3), ev("open", 7 * DAY)]),
    Case(title="the fifth day an instant too old", signal="active_5_of_7", points=0,
         events=[*days("open", 0, 1, 2, 3), ev("open", 7 * DAY + TINY)]),
]  # fmt: skip

S = 5 * DAY  # the start of an upgrade
START = ev("upgrade_started", S)


def upgrade(title: str, points: int, *events: Row, **more: object) -> Case:
    return Case(title=title, signal="upgrade_abandoned", points=points, events=list(events), **more)


INTENT = [
    *counted("pricing_views", "pricing_view", (1, 10), (2, 10), (3, 20), (9, 20)),
    *at_borders("pricing_views", "pricing_view", 10),
    *counted("enterprise_request", "enterprise_request", (1, 30), (2, 30)),
    *at_borders("enterprise_request", "enterprise_request", 30),
    *counted("billing_question", "billing_question", (1, 20), (2, 20)),
    *at_borders("billing_question", "billing_question", 20),
    upgrade("started and never completed", 25, START),
    upgrade("completed the same instant", 0, START, ev("upgrade_completed", S)),
    upgrade("completed an instant before the start", 25, START, ev("upgrade_completed", S + TINY)),
    upgrade("completed at the last instant of 24 h", 0, START, ev("upgrade_completed", S - 24 * HOUR + TINY)),
    upgrade("completed exactly 24 h later", 25, START, ev("upgrade_completed", S - 24 * HOUR)),
    upgrade("completed by a colleague", 0, START, ev("upgrade_completed", S - HOUR, "colleague")),
    upgrade("completed by a stranger in another account", 25, START,
            ev("upgrade_completed", S - HOUR, "stranger", "elsewhere")),
    upgrade("completed by the person in another account", 0, START, ev("upgrade_completed", S - HOUR, ws="elsewhere")),
    upgrade("completed by a colleague and too late by the person", 0, START,
            ev("upgrade_completed", S - HOUR, "colleague"), ev("upgrade_completed", DAY)),
    upgrade("the last start counts, and was completed", 0, START, ev("upgrade_started", 3 * DAY),
            ev("upgrade_completed", 3 * DAY - HOUR)),
    upgrade("the last start counts, and was not completed", 25, START, ev("upgrade_completed", S - HOUR),
            ev("upgrade_started", 3 * DAY)),
    upgrade("24 h are over at T to the instant", 25, ev("upgrade_started", 24 * HOUR)),
    upgrade("24 h are over an instant after T", 0, ev("upgrade_started", 24 * HOUR - TINY)),
    upgrade("an older start is no substitute for a last one that may still be completed", 0, START,
            ev("upgrade_started", HOUR)),
    upgrade("started exactly 30 days ago", 25, ev("upgrade_started", 30 * DAY)),
    upgrade("started 30 days and an instant ago", 0, ev("upgrade_started", 30 * DAY + TINY), ev("open")),
    upgrade("many completions on the day, one of them in time", 0, ev("upgrade_started", 5 * DAY + NOON),
            ev("upgrade_completed", 5 * DAY + NOON + HOUR), ev("upgrade_completed", 5 * DAY + NOON - HOUR),
            ev("upgrade_completed", 4 * DAY + HOUR)),
    upgrade("completions before the start and after its 24 h only", 25, ev("upgrade_started", 5 * DAY + NOON),
            ev("upgrade_completed", 5 * DAY + NOON + HOUR), ev("upgrade_completed", 4 * DAY + NOON - HOUR)),
    upgrade("not yet over the day before", 0, ev("upgrade_started", 24 * HOUR), as_of=YESTERDAY,
            tables={"people": [{"person_id": "p", "created_at": _text(9 * DAY), "workspace_id": "w"}]}),
]  # fmt: skip


def fit(signal: str, points: int | None, **account: object) -> Case:
    row = {"account_id": "a", **account}
    return Case(title=f"{signal} {account}", signal=signal, points=points, events=[ev()], account="a",
                tables={"accounts": [row], "workspaces": [{"workspace_id": "w", "account_id": "a"}]})  # fmt: skip


FIT = [
    *(fit("company_size", points, employees=employees)
      for employees, points in [(0, 0), (49, 0), (50, 10), (499, 10), (500, 20), (90_000, 20), ("", 0)]),
    *(fit("target_industry", points, industry=industry)
      for industry, points in [("logistics", 10), ("retail", 0), ("", 0)]),
    *(fit("icp_match", points, icp=icp)
      for icp, points in [("true", 15), ("TRUE", 15), ("1", 15), ("yes", 15), ("false", 0), ("", 0)]),
    Case(title="an account without a row", signal="company_size", points=0, events=[ev()]),
]  # fmt: skip

WEEK = 7 * DAY


def alone(title: str, points: int, *events: Row, since: timedelta | None = None, **tables: list[Row]) -> Case:
    workspaces = [{"workspace_id": "w", "created_at": _text(since)}] if since is not None else []
    return Case(title=title, signal="lonely", points=points, events=list(events),
                tables={"workspaces": workspaces, **tables})  # fmt: skip


def free(title: str, points: int, *events: Row, since: timedelta | None = None, **tables: list[Row]) -> Case:
    people = [{"person_id": "p", "created_at": _text(since)}] if since is not None else []
    return Case(
        title=title, signal="free_only", points=points, events=list(events), tables={"people": people, **tables}
    )


def plan(**columns: object) -> dict[str, list[Row]]:
    row = {"workspace_id": "w", "plan": "team", "started_at": _text(20 * DAY), "mrr": 10, **columns}
    return {"subscriptions": [row]}


MONTH = 30 * DAY
OLD = ev("open", MONTH + TINY)
ABSENCE = [
    Case(title="active an instant inside 7 days", signal="inactive", points=0, events=[ev("open", WEEK)]),
    Case(title="active 7 days and an instant ago", signal="inactive", points=-20, events=[ev("open", WEEK + TINY)]),
    Case(title="only mail in the last 7 days", signal="inactive", points=-20,
         events=[ev("open", 9 * DAY), ev("email_opened", DAY)]),
    Case(title="never active at all", signal="inactive", points=0, events=[ev("email_delivered", 9 * DAY)]),
    Case(title="active elsewhere is not active here", signal="inactive", points=-20,
         events=[ev("open", 9 * DAY), ev("open", DAY, ws="elsewhere")]),
    Case(title="active again after T", signal="inactive", points=-20, events=[ev("open", 9 * DAY), ev("open", -DAY)]),
    alone("the first event 30 days ago to the instant", 0, ev("open", MONTH)),
    alone("the first event 30 days and an instant ago", -10, OLD),
    alone("the workspace's row is older", -10, ev("open", DAY), since=MONTH + TINY),
    alone("the workspace's row is exactly 30 days old", 0, ev("open", DAY), since=MONTH),
    alone("a second person was active once", 0, OLD, ev("open", 20 * DAY, "q")),
    alone("a second person only got mail", -10, OLD, ev("invite_received", 20 * DAY, "q")),
    alone("a second person comes after T", -10, OLD, ev("open", -DAY, "q")),
    alone("an invite was sent once", 0, OLD, ev("invite_sent", 300 * DAY)),
    alone("an invite is sent after T", -10, OLD, ev("invite_sent", -DAY)),
    alone("never active", 0, ev("email_opened", 40 * DAY)),
    alone("the first event was mail, long ago", -10, ev("email_delivered", 50 * DAY), ev("open", DAY)),
    Case(title="the account's row is older", signal="lonely", points=-10, events=[ev("open", DAY)], account="a",
         tables={"accounts": [{"account_id": "a", "created_at": _text(MONTH + TINY)}],
                 "workspaces": [{"workspace_id": "w", "account_id": "a"}]}),
    free("signed up exactly 30 days ago", 0, ev("open", DAY), since=MONTH),
    free("signed up 30 days and an instant ago", -10, ev("open", DAY), since=MONTH + TINY),
    free("the first event stands in for sign-up", -10, OLD),
    free("the first event exactly 30 days ago", 0, ev("open", MONTH)),
    free("a sign-up event wins over the first event", 0, OLD, ev("signed_up", DAY)),
    free("a premium feature once", 0, OLD, ev("premium_feature", 300 * DAY)),
    free("a premium feature after T", -10, OLD, ev("premium_feature", -DAY)),
    free("a premium feature in another account", -10, OLD, ev("premium_feature", DAY, ws="elsewhere")),
    free("a colleague's premium feature", -10, OLD, ev("premium_feature", DAY, "q")),
    free("the account pays", 0, OLD, **plan()),
    free("a plan for nothing", -10, OLD, **plan(mrr=0)),
    free("a plan without price", -10, OLD, **plan(mrr="")),
    free("a plan that starts at T", -10, OLD, **plan(started_at=_text(timedelta(0)))),
    free("a plan that started an instant before T", 0, OLD, **plan(started_at=_text(TINY))),
    free("a plan that ended an instant before T", -10, OLD, **plan(ended_at=_text(TINY))),
    free("a plan that ends at T still runs", 0, OLD, **plan(ended_at=_text(timedelta(0)))),
    free("a plan of the account", 0, OLD, subscriptions=[
        {"account_id": "workspace:w", "plan": "team", "started_at": _text(DAY), "mrr": 5}]),
    free("a plan of somebody else", -10, OLD, subscriptions=[
        {"account_id": "other", "plan": "team", "started_at": _text(DAY), "mrr": 5}]),
]  # fmt: skip

WHO = [
    Case(title="a person in two accounts has each account's events only", signal="limit_reached", points=0,
         events=[ev("open", ws="w"), ev("limit_reached", ws="v")]),
    Case(title="and the other account has them", signal="limit_reached", points=20, account="workspace:v",
         events=[ev("open", ws="w"), ev("limit_reached", ws="v")]),
    Case(title="an anonymous visitor is scored under the anonymous id", signal="pricing_views", points=10, person="a",
         events=[ev("pricing_view", DAY, None, anonymous_id="a")]),
    Case(title="an anonymous visit counts for the person after the link", signal="pricing_views", points=20,
         events=[*[ev("pricing_view", 3 * DAY, None, anonymous_id="a")] * 2, ev("pricing_view", DAY, anonymous_id="a")]),
    Case(title="before the link it does not", signal="pricing_views", points=10, person="a", as_of=YESTERDAY,
         events=[*[ev("pricing_view", 3 * DAY, None, anonymous_id="a")] * 2,
                 ev("pricing_view", NOON, anonymous_id="a")]),
    Case(title="events of tomorrow count tomorrow", signal="limit_reached", points=20, as_of=TOMORROW,
         events=[ev("limit_reached", -NOON)]),
    Case(title="and the 30 days have moved on", signal="limit_reached", points=0, as_of=TOMORROW,
         events=[ev("open"), ev("limit_reached", 30 * DAY)]),
]  # fmt: skip

CASES = [*FEATURES, *COLLABORATION, *VELOCITY, *INTENT, *FIT, *ABSENCE, *WHO]
