"""Briefs of a company that is written row by row, against what can be told from these rows by hand."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from handraise.errors import NotFoundError
from handraise.faces.report.brief_document import brief_document
from handraise.ledger.suppression import suppress
from handraise.records.acting import Call
from handraise.records.brief import Brief
from handraise.service.briefs import brief_of_account, brief_of_handoff
from handraise.service.calling import say, undo
from service.selling_company import ADMIN, LATE, PEOPLE, Company
from support import DAY, T


def of(company: Company, account: str) -> Brief:
    project, handoffs = company
    return brief_of_handoff(project, handoffs[account].id, language="en", now=LATE)


def test_whom_the_map_shows_is_what_the_rows_say(company: Company) -> None:
    found = {one.person_id: one for one in of(company, "acme").people}
    active = {who: min(days, 30) for who, (*_, days, _) in PEOPLE.items()}
    engaged = max(PEOPLE, key=lambda who: (active[who], PEOPLE[who][3] * PEOPLE[who][4]))
    assert engaged == "cid", "as often as bob, but doing more"
    executives = {"ann", "fay", "new"}
    parts = {
        "champion": {engaged},
        "executive": executives,
        "buyer": executives | {"eve"},
        "admin": {"dee", ADMIN},
    }
    for part, who in parts.items():
        assert {one.person_id for one in found.values() if part in one.roles} == who, part
    assert set(found) == set().union(*parts.values()), "nobody else is on it"
    for who, one in found.items():
        assert (one.name, one.title, one.department) == (who.title(), PEOPLE[who][0], PEOPLE[who][1])
        assert one.active_days == active[who]
        assert one.last_active == T - DAY
    assert next(iter(found)) == "cid", "the champion stands first"


def test_who_may_be_written_to_and_why_not(company: Company) -> None:
    found = {one.person_id: one.contact for one in of(company, "acme").people}
    assert found["ann"].allowed, "she asked"
    assert (found["eve"].because, found["eve"].until) == ("person_cap", LATE + 10 * DAY)
    assert (found["new"].because, found["new"].until) == ("too_early", LATE + timedelta(hours=19))
    assert found["fay"].allowed


def test_what_they_do_with_it(company: Company) -> None:
    usage = of(company, "acme").usage
    assert (usage.active_people, usage.people) == (13, 12), "somebody without a name is active too"
    assert usage.last_active == T - DAY
    assert usage.departments[:2] == ("it", "legal")
    assert set(usage.departments) == {"it", "sales", "finance", "legal", "procurement"}
    features = {one.feature: (one.premium, one.people, one.days) for one in usage.features}
    assert features == {"guest_portal": (False, 2, 9), "sso": (True, 1, 1)}
    deeds = {one.role: (one.times, one.people, one.last) for one in usage.deeds}
    assert deeds["pricing_view"] == (7, 1, T - DAY)
    assert deeds["invite_sent"] == (1, 1, T - 2 * DAY)
    assert "admin_change" not in deeds, "200 days ago"
    assert [week.ends for week in usage.weeks] == [T - (7 * n + 1) * DAY for n in reversed(range(8))]
    days = {who: days for who, (*_, days, _) in PEOPLE.items()}
    for week in usage.weeks:
        age = (T - week.ends).days - 1
        known = sum(any(age <= day < age + 7 for day in range(days[who])) for who in days)
        assert week.people == known + (age == 0), week
    assert usage.trend == "rising"


def test_plan_value_and_forecast(company: Company) -> None:
    expansion = of(company, "acme").expansion
    [plan] = expansion.plans
    assert (plan.plan, plan.seats, plan.per_month, plan.channel) == ("team", 8, Decimal("96.00"), "self_serve")
    assert expansion.paid_per_year == 96 * 12
    assert [(one.plan, one.seats, one.per_year, one.more_per_year) for one in expansion.options] == [
        ("team", 13, Decimal(13 * 12 * 12), Decimal(13 * 12 * 12 - 96 * 12)),
        ("business", 13, Decimal(13 * 24 * 12), Decimal(13 * 24 * 12 - 96 * 12)),
    ]
    forecasts = {one.metric: one for one in expansion.forecasts}
    assert forecasts["seats"].per_week == pytest.approx(5)
    assert forecasts["seats"].runs_out == (LATE - timedelta(hours=1) + timedelta(weeks=3)).date()
    assert (forecasts["api"].cannot_say, forecasts["api"].workspace_id) == ("too_few", "ws-acme")
    assert expansion.unknown == ()


def test_why_now_what_to_talk_about_and_what_it_rests_on(company: Company) -> None:
    found = of(company, "acme")
    assert found.why.lane == "sales"
    assert found.why.reasons[0] == "asked for enterprise features"
    assert found.account
    assert sum(line.points or 0 for line in found.receipt) == found.account.score
    assert any(line.points is None for line in found.receipt), "blind signals are told"
    assert "enterprise_request" in {one.signal for one in found.evidence}
    assert found.talk
    assert all(track.words for track in found.talk)
    assert found.leads == ("fair",), "of a mail host of theirs, and of no other that ends alike"
    assert found.buyer_wanted is None
    chinese = brief_of_account(company[0], "acme", language="zh", now=LATE)
    assert chinese.why.reasons[0] == "咨询了企业级功能"
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese.talk[0].words[0])


def test_what_changed_since_the_last_contact(company: Company) -> None:
    since = of(company, "acme").since
    assert since
    assert (since.touch.at, since.touch.person_id, since.touch.answered) == (LATE - 3 * DAY, "eve", True)
    assert since.touches == 3
    assert since.score_on == T - 7 * DAY, "the last day scored before it"
    assert since.score_then is not None
    found = of(company, "acme").account
    assert found
    assert sum(one.now - one.then for one in since.changes) == found.score - since.score_then
    came = {who for who, (*_, days, _) in PEOPLE.items() if (days - 1) * DAY < 3 * DAY}
    assert came == {"dee", "fay", "new"}
    assert since.new_people == len(came) + 1, "and the visitor"
    assert of(company, "byte").since is None


def test_an_account_without_a_buyer_is_a_task_for_marketing(company: Company) -> None:
    found = of(company, "byte")
    assert found.why.lane == "find_buyer"
    wanted = found.buyer_wanted
    assert wanted
    assert wanted.domain == "byte-made-up.com"
    assert wanted.departments == ("it", "sales")
    assert wanted.champion_id in {f"u{n}" for n in range(12)}
    assert "ceo" in wanted.titles
    assert "procurement" in wanted.buying_departments
    assert {one.contact.because for one in found.people} == {"buyer_missing"}
    assert "plan_without_price" in found.expansion.unknown
    assert found.expansion.options == ()


def test_a_lead_without_usage_is_told_as_such(company: Company) -> None:
    found = of(company, "domain:zeta-made-up.com")
    assert found.why.lane == "top_down"
    assert (found.account, found.people, found.usage.last_active) == (None, (), None)
    assert found.leads == ("webinar",)
    assert found.name == "zeta-made-up.com"


def test_an_account_without_a_handoff_has_a_brief_too(company: Company) -> None:
    found = brief_of_account(company[0], "dull", language="en", now=LATE)
    assert (found.why.handoff, found.why.lane, found.why.reasons) == (None, "self_serve", ())
    assert found.usage.active_people == 1
    with pytest.raises(NotFoundError, match="no account"):
        brief_of_account(company[0], "acm", language="en", now=LATE)
    with pytest.raises(NotFoundError, match="no handoff"):
        brief_of_handoff(company[0], 999, language="en", now=LATE)


def test_who_opted_out_may_not_be_written_to_by_id_or_address(company: Company) -> None:
    project, _ = company
    assert project.ledger
    with project.ledger() as ledger, ledger.transaction() as connection:
        given: dict[str, Any] = {"reason": "unsubscribed", "actor": "t", "now": LATE, "random": lambda n: b"x" * n}
        suppress(connection, ["FAY@acme-made-up.com", "dee"], **given)
    found = {one.person_id: one.contact for one in of(company, "acme").people}
    assert found["fay"].because == found["dee"].because == "opted_out"
    assert found["gus"].allowed


def test_what_became_of_earlier_handoffs_and_what_was_taken_back(company: Company) -> None:
    project, handoffs = company
    number = handoffs["cozy"].id
    rules = project.loaded.playbook.handoffs
    assert project.ledger
    with project.ledger() as ledger:
        before = of(company, "cozy")
        assert before.since is None
        say(ledger, number, Call(kind="contacted", by="kim", at=LATE + DAY, channel="phone"), rules)
        later = brief_of_account(project, "cozy", language="en", now=LATE + 2 * DAY)
        assert later.since
        assert (later.since.touch.channel, later.since.touch.by) == ("phone", "kim")
        assert later.since.score_on == T
        undo(ledger, number, rules, by="kim", now=LATE + 2 * DAY)
        assert brief_of_account(project, "cozy", language="en", now=LATE + 2 * DAY).since is None
        say(ledger, number, Call(kind="reject", by="kim", at=LATE + 3 * DAY, reason="too_small"), rules)
        ended = brief_of_account(project, "cozy", language="en", now=LATE + 4 * DAY)
        assert ended.why.handoff is None
        [one] = ended.earlier
        assert (one.number, one.ended, one.reason, one.owner) == (number, "rejected", "too_small", "kim")
        own = brief_of_handoff(project, number, language="en", now=LATE + 4 * DAY)
        assert own.earlier == (), "a handoff is not its own past"
        undo(ledger, number, rules, by="kim", now=LATE + 5 * DAY)


def test_nothing_is_due_once_somebody_was_contacted_or_it_ended(company: Company) -> None:
    found = of(company, "acme")
    assert found.why.handoff
    assert "First contact due" in str(brief_document(found))
    for over in ({"contacted_at": LATE}, {"closed_at": LATE}):
        handoff = replace(found.why.handoff, **over)
        later = replace(found, why=replace(found.why, handoff=handoff))
        assert "First contact due" not in str(brief_document(later))


def test_the_same_facts_give_the_same_brief(company: Company) -> None:
    first, again = of(company, "acme"), of(company, "acme")
    assert first == again
    assert replace(first, made_at=LATE + DAY) != first
    assert first.as_of == date(2026, 10, 28)
