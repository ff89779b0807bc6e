"""Briefs written by hand, for what is made from them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from handraise.handoffs.expansion import expansion_of
from handraise.handoffs.forecast import Measurement, forecasts
from handraise.playbook.selling import Pricing
from handraise.records import AccountScore
from handraise.records.acting import Handoff, Reason
from handraise.records.brief import Brief, FeatureUse, PersonOnMap, RoleUse, Usage, WeekOfUse, WhyNow
from handraise.records.drafts import Contact

AS_OF = date(2026, 11, 28)
NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)
DAY = timedelta(days=1)
PRICING = Pricing.model_validate({"currency": "EUR", "plans": {"team": {"per_seat": 12}, "business": {"per_seat": 24}}})


def account(**more: Any) -> AccountScore:
    given: dict[str, Any] = {
        "account_id": "acme",
        "name": "Acme",
        "domain": "acme.example",
        "score": 321,
        "tier": 1,
        "tier_name": "enterprise",
        "action": "talk",
        "segment": "mid_market",
        "segment_is_guess": False,
        "segment_sells": True,
        "is_pqa": True,
        "active_people": 14,
        "people_points": 200,
        "account_points": 100,
        "firmographic_points": 21,
        "pqls": 2,
    }
    return AccountScore(**{**given, **more})


def person(**more: Any) -> PersonOnMap:
    given: dict[str, Any] = {
        "person_id": "ann",
        "name": "Ann",
        "title": "Head of IT",
        "department": "it",
        "roles": ("buyer", "executive"),
        "active_days": 17,
        "last_active": AS_OF - DAY,
        "score": 95,
        "band": "hot",
        "is_pql": True,
        "contact": Contact(allowed=True),
    }
    return PersonOnMap(**{**given, **more})


def handoff(*reasons: Reason, **more: Any) -> Handoff:
    given: dict[str, Any] = {
        "id": 7,
        "account_id": "acme",
        "person_id": "ann",
        "lane": "sales",
        "priority": "high",
        "status": "open",
        "owner": None,
        "created_at": NOW - DAY,
        "due_at": NOW + DAY,
        "limit_at": None,
        "closed_at": None,
        "playbook": "x",
        "version": 1,
        "reasons": reasons or (Reason(trigger="became_hot", person_id="ann", value=95, fired_at=NOW - DAY),),
    }
    return Handoff(**{**given, **more})


def usage(**more: Any) -> Usage:
    given: dict[str, Any] = {
        "window": 30,
        "active_people": 14,
        "people": 18,
        "new_people": 6,
        "departments": ("it", "sales", "finance"),
        "last_active": AS_OF - DAY,
        "features": (
            FeatureUse(feature="guest_portal", premium=True, people=9, days=21),
            FeatureUse(feature="wiki", premium=False, people=7, days=20),
        ),
        "deeds": (RoleUse(role="pricing_view", times=41, people=5, last=AS_OF - DAY),),
        "weeks": tuple(WeekOfUse(ends=AS_OF - n * 7 * DAY, people=10 + n, events=99) for n in range(8)),
        "trend": "rising",
    }
    return Usage(**{**given, **more})


def brief(**more: Any) -> Brief:
    made = usage()
    rows = [
        Measurement(metric="seats", workspace_id=None, used=60 + 10 * n, quota=100, at=NOW - (3 - n) * 7 * DAY)
        for n in range(4)
    ]
    given: dict[str, Any] = {
        "account_id": "acme",
        "name": "Acme",
        "as_of": AS_OF,
        "made_at": NOW,
        "language": "en",
        "simulated": False,
        "playbook": "abc",
        "why": WhyNow(handoff=handoff(), lane="sales", priority="high", reasons=("became a hot PQL",)),
        "account": account(),
        "usage": made,
        "receipt": (),
        "evidence": (),
        "expansion": expansion_of((), made.active_people, PRICING, forecasts(rows, NOW)),
        "people": (person(),),
        "buyer_wanted": None,
        "talk": (),
        "since": None,
        "earlier": (),
    }
    return Brief(**{**given, **more})
