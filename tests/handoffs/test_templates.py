"""How a template is read and chosen, and what the shipped ones say: truth, in both languages, and nothing creepy."""

from dataclasses import replace
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoffs.briefing import account, brief, person, usage
from handraise.errors import DraftError
from handraise.handoffs.citing import Fact, Facts
from handraise.handoffs.drafting_facts import LEAST_PEOPLE, NAMES, facts_of
from handraise.handoffs.drafts import check_draft, fill_in
from handraise.handoffs.templates import (
    LEVELS,
    Situation,
    Template,
    by_fallback,
    choose_outreach,
    choose_talk,
    parse_template,
    story_of,
)
from handraise.playbook.load import load_template
from handraise.playbook.section import Language
from handraise.playbook.selling import Outreach
from handraise.records.brief import FeatureUse
from handraise.records.drafts import Draft, Persona
from handraise.service.template_files import shipped

RULES = Outreach()
OUTREACH = [one for one in shipped() if one.kind == "outreach"]
TRIGGERS = load_template().playbook.handoffs.triggers
SIGNALS = load_template().playbook.signals


def template(text: str, name: str = "outreach/x", language: Language = "en", origin: Any = "project") -> Template:
    return parse_template(text, name=name, language=language, origin=origin, where=f"{name}.txt")


def made(one: Template, facts: dict[str, Any]) -> Draft:
    text = fill_in(one, facts, one.language)
    return Draft(
        handoff=1,
        account_id="acme",
        person_id="ann",
        to_name="Ann",
        language=one.language,
        persona="buyer",
        template=one.name,
        origin=one.origin,
        subject=text.subject,
        body=text.body,
        cites=text.cites,
    )


def test_every_shipped_template_is_there_in_both_languages() -> None:
    names = {language: {one.name for one in shipped() if one.language == language} for language in ("en", "zh")}
    assert names["en"] == names["zh"]
    for one in shipped():
        twin = next(other for other in shipped() if other.name == one.name and other.language != one.language)
        keys = {key: one.values(key) for key in one.head if key not in {"subject", "title"}}
        assert keys == {key: twin.values(key) for key in twin.head if key not in {"subject", "title"}}


def test_shipped_templates_name_what_exists() -> None:
    for one in shipped():
        assert set(one.values("trigger")) <= set(TRIGGERS), one.where
        assert set(one.values("signal")) <= {*SIGNALS.person, *SIGNALS.account}, one.where
        assert set(one.values("persona")) <= set(get_args(Persona)), one.where
    assert [one.head["level"] for one in story_of(shipped(), "en")] == list(LEVELS)
    asked = {name for name, trigger in TRIGGERS.items() if trigger.hand_raise}
    assert asked <= {name for one in OUTREACH for name in one.values("trigger")}, "who asks gets an answer of its own"


@pytest.mark.parametrize("one", OUTREACH, ids=lambda one: one.where)
def test_a_shipped_draft_rests_on_usage_asks_one_question_and_is_short(one: Template) -> None:
    draft = made(one, facts_of(brief(), RULES, one.language, person=person(), asked=date(2026, 11, 27)))
    assert check_draft(draft, RULES) is None
    assert any(cite.name.startswith(("use.", "limit.")) for cite in draft.cites)
    assert draft.body.count("?") + draft.body.count("？") == 1
    assert "!" not in draft.body + draft.subject
    assert len(draft.body) < 800
    assert "Acme" in draft.subject + draft.body
    assert "  " not in draft.body


FEATURES = st.lists(
    st.builds(FeatureUse, feature=st.text(max_size=12), premium=st.booleans(), people=st.integers(1, 40), days=st.integers(1, 30)),
    max_size=4,
)  # fmt: skip


KNOWN = st.fixed_dictionaries(
    {
        "features": FEATURES.map(tuple),
        "active_people": st.integers(0, 5000),
        "new_people": st.integers(0, 50),
        "departments": st.lists(st.text(max_size=9), max_size=6).map(tuple),
    }
)
NAMED = st.tuples(*(st.text(max_size=30) for _ in range(3)))
ASKED = st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31))


@given(known=KNOWN, named=NAMED, asked=ASKED, one=st.sampled_from(OUTREACH))
def test_no_draft_without_a_cite_whatever_is_known(
    known: dict[str, Any], named: tuple[str, str, str], asked: date | None, one: Template
) -> None:
    company, name, title = named
    nothing = replace(brief().expansion, forecasts=(), options=())
    whole = brief(usage=usage(weeks=(), **known), expansion=nothing, account=account(name=company))
    draft = made(one, facts_of(whole, RULES, one.language, person=person(name=name, title=title), asked=asked))
    refused = check_draft(draft, RULES)
    words = f"{draft.subject}\n{draft.body}".casefold()
    assert all(cite.text.casefold() in words for cite in draft.cites)
    telling = [cite for cite in draft.cites if len(cite.text) > 2 or not cite.text.isascii() or not cite.text.isalpha()]
    assert (refused is None) == bool(telling) or (refused and refused.code == "too_long")
    assert refused is None or refused.code in {"generic", "too_long"}, (refused, draft)


def test_what_would_be_creepy_is_no_fact_of_a_draft() -> None:
    """Numbers are of three people at least, and pages, clicks and last visits cannot be said at all."""
    allowed = {"company", "product", "sender", "person", "use", "limit", "ask"}
    assert set(NAMES["outreach"]) == allowed
    assert set(NAMES["outreach"]["person"]) == {"name", "title"}
    said = {f"{group}.{name}" for group, names in NAMES["outreach"].items() for name in names}
    assert not {one for one in said for bad in ("view", "click", "visit", "last", "login", "price") if bad in one}
    few = usage(active_people=LEAST_PEOPLE - 1, new_people=LEAST_PEOPLE - 1, departments=("it",))
    facts = facts_of(brief(usage=few), RULES, "en", person=person())
    assert isinstance(facts["use"], Facts)
    for name in ("people", "new_people", "departments"):
        assert not getattr(facts["use"], name)
    bodies = [made(one, facts_of(brief(), RULES, one.language, person=person())).body for one in OUTREACH]
    for body in bodies:
        assert "41" not in body, "how often prices were looked at"
        assert "17" not in body, "on how many days this person was active"


@pytest.mark.parametrize("one", [t for t in shipped() if t.kind == "talk"], ids=lambda one: one.where)
def test_a_talk_track_says_two_things_at_least_whatever_is_known(one: Template) -> None:
    from handraise.handoffs.citing import Absent

    signal = Facts({"value": "3", "because": "BECAUSE"})
    bare = brief(
        usage=usage(features=(), active_people=0, departments=()),
        expansion=replace(brief().expansion, forecasts=(), options=()),
    )
    for whole in (brief(), bare):
        text = fill_in(one, {**facts_of(whole, RULES, one.language), "signal": signal}, one.language)
        assert 2 <= len(text.body.splitlines()) <= 4
        assert all(line.startswith("- ") for line in text.body.splitlines())
    assert isinstance(facts_of(bare, RULES, "en")["sender"], Absent)


def situation(*triggers: str, lane: str = "sales", segment: str = "enterprise", persona: str = "user") -> Situation:
    return Situation(triggers=triggers, lane=lane, segment=segment, persona=persona)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (situation("enterprise_request", "became_hot"), "outreach/enterprise_request"),
        (situation("became_hot", "team_growing"), "outreach/team_growing"),
        (situation("team_near_limit", "team_growing"), "outreach/team_near_limit"),
        (situation("became_hot", persona="executive"), "outreach/executive"),
        (situation("team_near_limit", persona="executive"), "outreach/team_near_limit"),
        (situation(persona="admin"), "outreach/admin"),
        (situation("qualified"), "outreach/general"),
    ],
)
def test_the_strongest_trigger_chooses_then_the_persona(wanted: Situation, name: str) -> None:
    for language in ("en", "zh"):
        found = choose_outreach(shipped(), wanted, language)
        assert found
        assert (found.name, found.language) == (name, language)


def test_a_project_s_template_stands_in_front_and_english_where_there_is_no_other() -> None:
    own = template("persona: user\nlane: sales\nsegment: enterprise\nsubject: x\n---\n{{ use.people }}", "outreach/own")
    found = choose_outreach([*shipped(), own], situation("qualified"), "zh")
    assert found is own, "the most exact fits, in English as there is no Chinese one"
    hiding = template("subject: y\n---\n{{ use.people }}", "outreach/general", "zh")
    names = {one.name: one for one in by_fallback([*shipped(), hiding], "zh")}
    assert names["outreach/general"] is hiding
    assert choose_outreach([own], situation(lane="top_down"), "en") is None
    chinese = template("subject: z\n---\n{{ use.people }}", "outreach/z", "zh")
    assert by_fallback([chinese], "en") == [], "nobody is written to in a language that was not asked for"
    assert by_fallback([chinese], "zh") == [chinese]


def test_talk_tracks_follow_the_strongest_signals_and_come_once() -> None:
    found = choose_talk(
        shipped(), ["nothing", "near_limit", "limit_reached", "departments", "invites", "icp_match"], "en", 3
    )
    assert [(signal, one.name) for signal, one in found] == [
        ("near_limit", "talk/limits"),
        ("departments", "talk/departments"),
        ("invites", "talk/growth"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("no head at all", "", "has no head"),
        ("subject: x\n\nbody", "", "has no head"),
        ("---\nbody", "", "does not say its subject"),
        ("subjet: x\n---\nbody", ":1", "cannot say"),
        ("subject: x\nsubject: y\n---\nbody", ":2", "cannot say"),
        ("# fine\ntrigger: a\nnonsense\nsubject: x\n---\nbody", ":3", "cannot say"),
        ("subject: x\n---\nok\n{{ use.peple }}", ":4", "no 'use.peple'"),
        ("trigger: a\nsubject: {{ nobody }}\n---\nok", ":2", "no 'nobody'"),
        ("subject: x\n---\n{{ plan.now }}", ":3", "no 'plan.now'"),
        ("subject: x\n---\n" + "x" * 10_001, "", "too long"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(text: str, line: str, words: str) -> None:
    with pytest.raises(DraftError) as refused:
        template(text)
    assert words in refused.value.what
    assert refused.value.where == f"outreach/x.txt{line}"
    assert refused.value.todo


def test_a_story_needs_a_level_that_exists() -> None:
    with pytest.raises(DraftError, match="no level 'planet'"):
        template("level: planet\ntitle: x\n---\ny", "story/x")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{{ use.people }} people use it. Can we talk for 5 minutes?", ""),
        ("{% if use.people|lower == '5' %}Shall 5 of us talk?{% endif %}", "generic"),
        ("{{ '' if use.people|lower else 'x' }}Shall 5 of us talk?", "generic"),
        ("{% if use.people|upper == '5' %}{{ 'Shall 5 of us talk?' }}{% endif %}", "generic"),
        ("{% if use.people > 3 %}Can we talk for 5 minutes?{% endif %}", "generic"),
    ],
)
def test_a_number_in_the_template_s_own_words_is_no_cite(body: str, code: str) -> None:
    facts = {"use": Facts({"people": Fact("use.people", "5", "5 people", value=5)})}
    blocked = check_draft(made(template(f"subject: x\n---\n{body}"), facts), Outreach())
    assert (blocked.code if blocked else "") == code
