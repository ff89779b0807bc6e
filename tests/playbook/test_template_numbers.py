"""The shipped template holds the numbers of the domain rules, sections 3 to 5, literally. The tables are by hand."""

import pytest

from handraise.playbook.load import load_template

PLAYBOOK = load_template().playbook
ROLES = (
    "signed_up activation premium_feature feature limit_reached api_or_integration export invite_sent external_share "
    "pricing_view upgrade_started upgrade_completed enterprise_request billing_question contact_sales admin_change "
    "legal_view workspace_created onboarding_started onboarding_completed seat_consolidation_request "
    "volume_pricing_question"
)
# signal → (window, kind and what it reads, ladder)
PERSON = {
    "premium_features": (30, ("distinct", ("premium_feature",)), {">=1": 10, ">=3": 15}),
    "limit_reached": (30, ("count", "limit_reached"), {">=1": 20}),
    "api_or_integration": (30, ("count", "api_or_integration"), {">=1": 15}),
    "feature_breadth": (30, ("distinct", ("feature", "premium_feature")), {">=5": 10}),
    "invites": (30, ("sum", "invite_sent"), {">=1": 10, ">=3": 20, ">=6": 30}),
    "same_domain_people": (30, ("same_domain_people", None), {">=3": 15, ">=10": 25}),
    "external_share": (30, ("count", "external_share"), {">=1": 10}),
    "fast_activation": (30, ("time_to_activation", None), {"<1": 10}),
    "stickiness": (30, ("active_share", None), {">0.3": 10, ">0.5": 20}),
    "rising_usage": (30, ("trend", None), {"true": 15}),
    "active_5_of_7": (7, ("active_days", None), {">=5": 15}),
    "pricing_views": (30, ("count", "pricing_view"), {">=1": 10, ">=3": 20}),
    "upgrade_abandoned": (30, ("abandoned", None), {"true": 25}),
    "enterprise_request": (30, ("count", "enterprise_request"), {">=1": 30}),
    "billing_question": (30, ("count", "billing_question"), {">=1": 20}),
    "company_size": (30, ("employees", None), {">=50": 10, ">=500": 20}),
    "target_industry": (30, ("industry", None), {"true": 10}),
    "icp_match": (30, ("icp", None), {"true": 15}),
    "inactive": (7, ("inactive", None), {"true": -20}),
    "declining_usage": (30, ("trend", None), {"true": -15}),
    "lonely": (30, ("lonely", None), {"true": -10}),
    "free_only": (30, ("free_only", None), {"true": -10}),
}
ACCOUNT = {
    "active_people": (30, ("active_people", None), {">=3": 10, ">=7": 25, ">=15": 40}),
    "departments": (30, ("departments", None), {">=2": 20, ">=3": 30}),
    "people_growth": (30, ("people_growth", None), {">=0.25": 15, ">=0.5": 25}),
    "executive_present": (30, ("executive_present", None), {"true": 10}),
    "workspaces": (90, ("workspaces", None), {">=2": 15}),
    "velocity_jump": (7, ("velocity_jump", None), {"true": 25}),
    "volume": (30, ("volume", None), {"true": 15}),
    "admin_change": (30, ("count", "admin_change"), {">=1": 20}),
    "legal_view": (30, ("people_with", "legal_view"), {">=1": 20}),
    "near_limit": (30, ("near_limit", None), {"true": 20}),
}


@pytest.mark.parametrize(("group", "expected"), [("person", PERSON), ("account", ACCOUNT)], ids=["person", "account"])
def test_signals(group: str, expected: dict) -> None:
    signals = getattr(PLAYBOOK.signals, group)
    assert list(signals) == list(expected)
    found = {
        name: (
            signal.window,
            (signal.measure.kind, getattr(signal.measure, "role", None) or getattr(signal.measure, "roles", None)),
            signal.points,
        )
        for name, signal in signals.items()
    }
    assert found == expected
    assert all(signal.half_life is None for signal in signals.values()), "decay is an extra, off by default"


def test_what_else_measures_are_told() -> None:
    person, account = PLAYBOOK.signals.person, PLAYBOOK.signals.account
    assert (person["invites"].measure.property, person["invites"].measure.default) == ("count", 1)
    assert (person["rising_usage"].measure.direction, person["rising_usage"].measure.weeks) == ("rising", 4)
    assert (person["declining_usage"].measure.direction, person["declining_usage"].measure.weeks) == ("falling", 4)
    assert (person["fast_activation"].measure.sign_up, person["fast_activation"].measure.activation) == (
        "signed_up",
        "activation",
    )
    assert (person["upgrade_abandoned"].measure.started, person["upgrade_abandoned"].measure.completed) == (
        "upgrade_started",
        "upgrade_completed",
    )
    assert (person["lonely"].measure.after_days, person["lonely"].measure.invite) == (30, "invite_sent")
    assert (person["free_only"].measure.after_days, person["free_only"].measure.premium) == (30, "premium_feature")
    assert account["people_growth"].measure.at_least == 3
    velocity = account["velocity_jump"].measure
    assert (velocity.at_least, velocity.times, velocity.weeks) == (5, 3, 4)
    assert (account["near_limit"].measure.people, account["near_limit"].measure.share) == (10, 0.8)
    assert (account["volume"].measure.role, account["volume"].measure.threshold) == (None, None)


def test_roles_and_passive_events() -> None:
    assert list(PLAYBOOK.roles) == ROLES.split()
    # An event has the role its name says. Whoever chooses an enterprise plan in the upgrade flow asks for sales too.
    mapped = {role: patterns for role, patterns in PLAYBOOK.roles.items() if patterns}
    assert mapped.keys() == {"contact_sales"}
    assert [pattern.event for pattern in mapped["contact_sales"]] == ["upgrade_started"]
    assert PLAYBOOK.passive_events == ("email_delivered", "email_opened", "invite_received")


def test_bands_tiers_segments_and_rollup() -> None:
    assert [(b.name, b.at_least) for b in PLAYBOOK.bands] == [
        ("hot", 80), ("warm", 50), ("emerging", 30), ("none", None)]  # fmt: skip
    assert PLAYBOOK.selling_bands == ("hot", "warm")
    tiers = [
        (t.tier, t.name, t.active_people, t.departments, t.icp, t.score_above, t.score_at_least, t.pqa)
        for t in PLAYBOOK.tiers
    ]
    assert tiers == [
        (1, "enterprise", 10, 2, True, 150, None, True),
        (2, "mid_market", 5, 0, False, None, 80, True),
        (3, "smb", 2, 0, False, None, 40, False),
        (4, "individual", 0, 0, False, None, None, False),
    ]
    assert [(s.name, s.employees, s.sells) for s in PLAYBOOK.segments] == [
        ("enterprise", 500, True), ("mid_market", 50, True), ("smb", 1, False)]  # fmt: skip
    rollup = PLAYBOOK.rollup
    assert (rollup.people, rollup.floor, rollup.firmographics) == ("sum", 0, "once")


def test_who_is_an_executive_and_who_buys() -> None:
    executive, buyer = PLAYBOOK.executive, PLAYBOOK.buyer
    assert set(executive.seniorities) == {
        "founder",
        "owner",
        "c level",
        "executive",
        "president",
        "vp",
        "director",
        "head",
    }
    assert set(executive.title_words) == {
        "chief", "ceo", "cto", "cfo", "coo", "cio", "ciso", "cmo", "cpo", "cro", "founder", "president", "vp", "director",
        "vice president", "head of"}  # fmt: skip
    assert set(buyer.seniorities) == {"manager", "lead"}
    assert set(buyer.departments) == {"procurement", "purchasing", "it", "security", "operations", "finance"}
