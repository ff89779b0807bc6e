"""What a text may say of an account. To a prospect: what the company as a whole does, never what one person did.

Exact counts of one person's clicks, pages that somebody looked at (prices, terms) and when somebody was last there are no
facts of drafts: true, and unpleasant to be told. Numbers of people are said from three people on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from handraise.handoffs.citing import Absent, Fact, Facts, Value
from handraise.handoffs.expansion import money
from handraise.handoffs.sandbox import Names
from handraise.handoffs.wording import clean, words_of
from handraise.playbook.section import Language
from handraise.playbook.selling import Outreach
from handraise.records.brief import Brief, Forecast, PersonOnMap

# So few could be told apart.
LEAST_PEOPLE = 3
_FEATURES_SAID = 3
_DEPARTMENTS_SAID = 4
_NEAR = 0.6
_USE = (
    "feature",
    "features",
    "feature_count",
    "premium",
    "people",
    "departments",
    "department_count",
    "new_people",
    "weeks",
)
_LIMIT = ("metric", "percent", "used", "quota", "runs_out")
_ASK = ("day",)
_PLAN = ("now", "next", "seats", "per_year")
NAMES: dict[str, Names] = {
    "outreach": {
        "company": (),
        "person": ("name", "title"),
        "product": (),
        "sender": (),
        "use": _USE,
        "limit": _LIMIT,
        "ask": _ASK,
    },
    "talk": {
        "company": (),
        "product": (),
        "use": _USE,
        "limit": _LIMIT,
        "plan": _PLAN,
        "signal": ("value", "because"),
        "champion": ("name", "title"),
    },
    "story": {"company": (), "product": (), "use": _USE, "limit": _LIMIT, "plan": _PLAN},
}
_PRODUCT = {"en": "the product", "zh": "产品"}
_COMPANY = {"en": "your company", "zh": "贵公司"}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def facts_of(
    brief: Brief,
    outreach: Outreach,
    language: Language,
    *,
    person: PersonOnMap | None = None,
    asked: date | None = None,
) -> dict[str, Facts | str | Absent]:
    """Everything that templates of any kind can say of an account.

    Args:
        brief: Of the account.
        outreach: Of the playbook.
        language: Of days and of the product's name, where it has none.
        person: Whom it is for.
        asked: The day on which this person asked for something; None = they did not.
    """
    return {
        "company": clean(brief.account.name if brief.account else None) or _COMPANY[language],
        "product": outreach.product or _PRODUCT[language],
        "sender": outreach.sender or Absent("sender"),
        "person": _person("person", person),
        "champion": _person("champion", next((one for one in brief.people if "champion" in one.roles), None)),
        "use": Facts(_known("use", _USE, _use(brief))),
        "limit": Facts(_known("limit", _LIMIT, _limit(brief.expansion.forecasts, language))),
        "ask": Facts(_known("ask", _ASK, _ask(asked, language))),
        "plan": Facts(_known("plan", _PLAN, _plan(brief))),
    }


def _known(group: str, names: tuple[str, ...], values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: values.get(name, Absent(f"{group}.{name}")) for name in names}


def _person(group: str, person: PersonOnMap | None) -> Facts:
    said = {"name": clean(person.name), "title": clean(person.title)} if person else {}
    return Facts({name: said.get(name) or Absent(f"{group}.{name}") for name in ("name", "title")})


def _use(brief: Brief) -> dict[str, Value]:
    usage, days = brief.usage, brief.usage.window
    found: dict[str, Value] = {}
    features = [(words_of(one.feature), one) for one in usage.features]
    said = [(words, one) for words, one in features if words]
    if said:
        lines = {words: f"{words}: {one.people} people on {one.days} of {days} days" for words, one in said}
        found["feature"] = Fact("use.feature", said[0][0], lines[said[0][0]])
        top = list(lines.items())[:_FEATURES_SAID]
        found["features"] = tuple(Fact("use.features", words, line) for words, line in top)
        found["feature_count"] = _count("use.feature_count", len(said), f"features used in {days} days")
        premium = [words for words, one in said if one.premium]
        if premium:
            found["premium"] = Fact("use.premium", premium[0], lines[premium[0]])
    if usage.active_people >= LEAST_PEOPLE:
        found["people"] = _count("use.people", usage.active_people, f"people active in {days} days")
    departments = [words for one in usage.departments if (words := clean(one))]
    if len(departments) > 1:
        rests = f"departments of the people active in {days} days"
        found["departments"] = tuple(Fact("use.departments", one, rests) for one in departments[:_DEPARTMENTS_SAID])
        found["department_count"] = _count("use.department_count", len(departments), rests)
    if usage.new_people >= LEAST_PEOPLE:
        found["new_people"] = _count("use.new_people", usage.new_people, f"people first seen in the last {days} days")
    weeks = _weeks_running(brief)
    if weeks > 1:
        found["weeks"] = _count("use.weeks", weeks, "whole weeks running in which somebody was active")
    return found


def _weeks_running(brief: Brief) -> int:
    weeks = 0
    for week in reversed(brief.usage.weeks):
        if not week.people:
            break
        weeks += 1
    return weeks


def _count(name: str, value: int, rests_on: str) -> Fact:
    return Fact(name, f"{value:,}", f"{value:,} {rests_on}", value=value)


def _limit(forecasts: tuple[Forecast, ...], language: Language) -> dict[str, Value]:
    """The limit that is met first, once it is near."""
    near = [one for one in forecasts if one.quota > 0 and one.used / one.quota >= _NEAR and words_of(one.metric)]
    if not near:
        return {}
    one = near[0]
    share = min(round(100 * one.used / one.quota), 100)
    rests = f"{one.metric}: {one.used:g} of {one.quota:g} on {one.measured_at:%Y-%m-%d}"
    found: dict[str, Value] = {
        "metric": Fact("limit.metric", words_of(one.metric), rests),
        "percent": Fact("limit.percent", f"{share}%", rests, value=share),
        "used": Fact("limit.used", f"{one.used:,.10g}", rests, value=one.used),
        "quota": Fact("limit.quota", f"{one.quota:,.10g}", rests, value=one.quota),
    }
    if one.runs_out:
        line = f"{rests}; a straight line through {one.measurements} measurements"
        found["runs_out"] = Fact("limit.runs_out", day_in(one.runs_out, language), line)
    return found


def _ask(asked: date | None, language: Language) -> dict[str, Value]:
    if asked is None:
        return {}
    return {"day": Fact("ask.day", day_in(asked, language), f"they asked on {asked}")}


def _plan(brief: Brief) -> dict[str, Value]:
    expansion = brief.expansion
    found: dict[str, Value] = {}
    now = [words for plan in expansion.plans if (words := words_of(plan.plan))]
    if now:
        found["now"] = now[0]
    if expansion.options:
        best = expansion.options[-1]
        found["next"] = words_of(best.plan)
        found["seats"] = f"{best.seats:,}"
        found["per_year"] = money(Decimal(best.per_year), expansion.currency or "")
    return found


def day_in(day: date, language: Language) -> str:
    """A day of this year or the next as it is said: 27 November, 11月27日."""
    return f"{day.month}月{day.day}日" if language == "zh" else f"{day.day} {_MONTHS[day.month - 1]}"
