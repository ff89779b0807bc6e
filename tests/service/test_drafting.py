"""Drafts, approvals, previews and stories of a company that is written row by row."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handraise.errors import ConflictError, DraftError, InputError, NotFoundError
from handraise.ledger import acting
from handraise.ledger.audit import list_audit
from handraise.ledger.draft_approvals import approvals_of
from handraise.ledger.store import Ledger
from handraise.ledger.suppression import allow_again, suppress
from handraise.records.acting import Call
from handraise.service.calling import say, undo
from handraise.service.drafting import Approving, approvals, approve, check_still_theirs, draft_of, preview, story
from handraise.service.project import Project
from handraise.service.questions import QUESTIONS
from handraise.service.selling_questions import brief as _brief  # noqa: F401 - makes the questions known
from handraise.service.template_files import eject, list_templates, template_named
from handraise.service.wire import answer_of, encode, keywords_of
from service.selling_company import LATE, Company
from support import DAY

KIM = Approving(by="kim")


def own(project: Project, name: str, text: str, language: str = "en") -> Path:
    file = project.folder / "templates" / language / f"{name}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_a_draft_answers_what_was_asked_and_rests_on_usage(company: Company) -> None:
    project, handoffs = company
    draft = draft_of(project, handoffs["acme"].id, language="en", now=LATE)
    assert (draft.blocked, draft.person_id, draft.template) == (None, "ann", "outreach/enterprise_request")
    assert draft.body.startswith("Hello Ann,")
    assert draft.body.endswith("Kim Lee")
    assert "Board" in draft.subject
    assert {cite.name: cite.text for cite in draft.cites} == {
        "ask.day": "23 October",
        "use.people": "13",
        "use.feature": "guest portal",
    }
    chinese = draft_of(project, handoffs["acme"].id, language="zh", now=LATE)
    assert chinese.language == "zh"
    assert "10月23日" in chinese.body


def test_a_hostile_name_changes_nothing_but_the_name(company: Company) -> None:
    project, handoffs = company
    draft = draft_of(project, handoffs["cozy"].id, language="en", now=LATE)
    assert draft.blocked is None, "whoever asks is answered, however small, and however new"
    assert draft.to_name == "Solo b X b Bcc evil example"
    assert draft.body.startswith("Hello Solo b X b Bcc evil example,\n")


@pytest.mark.parametrize(("account", "code"), [("byte", "buyer_missing"), ("domain:zeta-made-up.com", "nobody")])
def test_nobody_is_pitched_where_nobody_may_be(company: Company, account: str, code: str) -> None:
    project, handoffs = company
    draft = draft_of(project, handoffs[account].id, language="en", now=LATE)
    assert draft.blocked
    assert draft.blocked.code == code
    assert (draft.subject, draft.body, draft.cites) == ("", "", ())
    with pytest.raises(DraftError, match=code):
        approve(project, handoffs[account].id, KIM, language="en", now=LATE)
    words = replace(KIM, wording=("12 people", "12 people at Byte"))
    with pytest.raises(DraftError, match=code):
        approve(project, handoffs[account].id, words, language="en", now=LATE)


def test_a_handoff_that_has_ended_has_no_draft(company: Company) -> None:
    project, handoffs = company
    rules, number = project.loaded.playbook.handoffs, handoffs["cozy"].id
    assert project.ledger
    with project.ledger() as ledger:
        say(ledger, number, Call(kind="won", by="kim", at=LATE), rules)
        draft = draft_of(project, number, language="en", now=LATE)
        undo(ledger, number, rules, by="kim", now=LATE)
    assert draft.blocked
    assert draft.blocked.code == "ended"


def test_the_exact_text_is_approved_and_kept_once(company: Company) -> None:
    project, handoffs = company
    number = handoffs["acme"].id
    draft = draft_of(project, number, language="en", now=LATE)
    kept = approve(project, number, replace(KIM, sha256=draft.sha256[:8]), language="en", now=LATE)
    assert (kept.subject, kept.body, kept.sha256, kept.by) == (draft.subject, draft.body, draft.sha256, "kim")
    again = approve(project, number, KIM, language="en", now=LATE + timedelta(hours=1))
    assert again == kept
    assert approvals(project, number) == [kept]
    assert project.ledger
    with project.ledger() as ledger, ledger.reading() as connection:
        [row, *_] = list_audit(connection)
    assert (row.actor, row.action, row.object) == ("kim", "draft.approve", f"handoff {number}")
    assert row.details["sha256"] == draft.sha256
    assert "Ann" not in str(row.details), "the trail is kept for good, and holds no text"
    with pytest.raises(ConflictError, match="another one by now"):
        approve(project, number, replace(KIM, sha256="0" * 64), language="en", now=LATE)
    with pytest.raises(InputError):
        approve(project, number, replace(KIM, sha256="0"), language="en", now=LATE)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("Hello Ann, shall we talk?", "generic"),
        ("13 people: https://evil.example", "link"),
        ("13 people; you viewed our pricing page", "watched"),
        ("13 people" + "x" * 1300, "too_long"),
        ("13 people\u200b", "invisible"),
        ("", "empty_text"),
    ],
)
def test_own_words_have_to_pass_the_same_checks(company: Company, body: str, code: str) -> None:
    project, handoffs = company
    number = handoffs["acme"].id
    before = approvals(project, number)
    with pytest.raises(DraftError, match=code):
        approve(project, number, replace(KIM, wording=("Acme", body)), language="en", now=LATE)
    assert approvals(project, number) == before


def test_own_words_that_rest_on_usage_are_approved_as_they_are(company: Company) -> None:
    project, handoffs = company
    words = replace(KIM, wording=(" Your team ", "Dear Ann,\r\n13 of you work in it. What is missing?\n"))
    kept = approve(project, handoffs["acme"].id, words, language="en", now=LATE)
    assert (kept.subject, kept.body) == ("Your team", "Dear Ann,\n13 of you work in it. What is missing?")
    assert kept in approvals(project, handoffs["acme"].id)


def test_an_erased_person_s_texts_are_gone(company: Company) -> None:
    project, handoffs = company
    number = handoffs["acme"].id
    approve(project, number, KIM, language="en", now=LATE)
    assert project.ledger
    with project.ledger() as ledger:
        with ledger.reading() as connection:
            assert "ann" in acting.people_named(connection)
        with contextlib.suppress(ZeroDivisionError), ledger.transaction() as connection:
            assert acting.forget_people(connection, ["ann"])
            assert approvals_of(connection, number) == ()
            assert "ann" not in acting.people_named(connection)
            raise ZeroDivisionError  # puts everything back
    assert approvals(project, number)


@pytest.mark.parametrize("how", ["suppressed", "forgotten"])
def test_no_text_is_kept_for_whoever_was_erased_while_it_was_approved(company: Company, how: str) -> None:
    project, handoffs = company
    draft = draft_of(project, handoffs["acme"].id, language="en", now=LATE)
    assert project.ledger
    with project.ledger() as ledger:
        with ledger.reading() as connection:
            check_still_theirs(connection, draft)
        with contextlib.suppress(ZeroDivisionError), ledger.transaction() as connection:
            if how == "suppressed":
                suppress(connection, ["ann"], reason="erasure", actor="x", now=LATE, random=lambda most: b"k" * most)
            else:
                acting.forget_people(connection, ["ann"])
            with pytest.raises(ConflictError, match="may not be written to"):
                check_still_theirs(connection, draft)
            raise ZeroDivisionError  # puts everything back


def test_who_objects_while_a_text_is_approved_is_not_approved_for(company: Company) -> None:
    project, handoffs = company
    openings: list[str] = []
    last = 0

    @contextlib.contextmanager
    def opening() -> Iterator[Ledger]:
        openings.append("")
        assert project.ledger
        with project.ledger() as ledger:
            if len(openings) == last:  # the transaction that would keep it: the draft was made before
                with ledger.transaction() as connection:
                    suppress(
                        connection, ["ann"], reason="objection", actor="x", now=LATE, random=lambda most: b"k" * most
                    )
            yield ledger

    number, watched = handoffs["acme"].id, replace(project, ledger=opening)
    draft_of(watched, number, language="en", now=LATE)
    openings, last = [], len(openings) + 1
    before = approvals(project, number)
    with pytest.raises(ConflictError, match="may not be written to"):
        approve(watched, number, KIM, language="en", now=LATE)
    assert approvals(project, number) == before
    assert project.ledger
    with project.ledger() as ledger, ledger.transaction() as connection:
        assert allow_again(connection, ["ann"], reason="objection", actor="x", now=LATE) == 1


def test_an_edited_template_is_used_and_refused_when_it_cites_nothing(company: Company) -> None:
    project, handoffs = company
    number = handoffs["acme"].id
    file = eject(project.folder, "outreach/enterprise_request", "en")
    with pytest.raises(DraftError, match="already"):
        eject(project.folder, "outreach/enterprise_request", "en")
    try:
        assert draft_of(project, number, language="en", now=LATE).origin == "project"
        own(
            project,
            "outreach/enterprise_request",
            "trigger: enterprise_request\nsubject: Hi\n---\nHow are you, {{ person.name }}?",
        )
        draft = draft_of(project, number, language="en", now=LATE)
        assert draft.blocked
        assert (draft.blocked.code, draft.cites) == ("generic", ())
        with pytest.raises(DraftError, match="generic"):
            approve(project, number, KIM, language="en", now=LATE)
        own(
            project,
            "outreach/enterprise_request",
            "trigger: enterprise_request\nsubject: Hi\n---\n{% if use.people %}How are you?{% endif %}",
        )
        asked_only = draft_of(project, number, language="en", now=LATE)
        assert asked_only.blocked, "asking whether a fact is known is not saying it"
        own(project, "outreach/enterprise_request", "subject: Hi\n---\n{{ use.peple }}")
        other = draft_of(project, number, language="en", now=LATE)
        assert other.template != "outreach/enterprise_request", "what cannot be read is not used, nor what it hides"
        [row] = [one for one in list_templates(project.folder) if one.mistake]
        assert (row.name, row.hides) == ("outreach/enterprise_request", True)
        assert "enterprise_request.txt:3" in row.mistake
        assert "Did you mean use.people?" in row.mistake
        with pytest.raises(DraftError, match=r"use\.peple"):
            template_named(project.folder, "outreach/enterprise_request", "en")
        own(
            project,
            "outreach/enterprise_request",
            "trigger: contact_sales\nlane: sales\nsubject: Hi\n---\n{{ limit.quota }}",
        )
        with pytest.raises(DraftError, match=r"limit\.quota is not known"):
            draft_of(project, handoffs["cozy"].id, language="en", now=LATE)
    finally:
        file.unlink()


def test_templates_of_other_files_are_passed_over(company: Company) -> None:
    project, _ = company
    file = own(project, "outreach/latin", "x")
    file.write_bytes(b"subject: x\n---\n\xff{{ use.people }}")
    try:
        [row] = [one for one in list_templates(project.folder) if one.mistake]
        assert "cannot be read" in row.mistake
    finally:
        file.unlink()
    with pytest.raises(NotFoundError):
        template_named(project.folder, "outreach/none", "en")
    with pytest.raises(NotFoundError):
        eject(project.folder, "outreach/../../x", "en")


def test_a_template_s_name_is_one_that_the_audit_trail_can_hold(company: Company) -> None:
    project, _ = company
    file = own(project, "outreach/ann@acme", "subject: x\n---\n{{ use.people }}")
    try:
        [row] = [one for one in list_templates(project.folder) if one.mistake]
        assert "cannot have this name" in row.mistake
    finally:
        file.unlink()


def test_what_is_asked_travels_between_processes(company: Company) -> None:
    project, handoffs = company
    number = handoffs["acme"].id
    asked: dict[str, dict[str, Any]] = {
        "brief": {"number": number, "account_id": None, "language": "zh", "now": LATE},
        "draft": {"number": number, "language": None, "now": LATE},
        "story": {"account_id": "acme", "language": "en", "now": LATE},
        "draft_approvals": {"number": number},
        "preview_template": {"template": "outreach/general", "accounts": 1, "language": "en", "now": LATE},
        "templates": {"language": "en"},
        "approve_draft": {"number": number, "said": KIM, "language": "en", "now": LATE},
    }
    for name, given in asked.items():
        function = QUESTIONS[name].answer
        keywords = keywords_of(function, encode(given))
        assert keywords == given
        found = function(project, **keywords)
        assert answer_of(function, encode(found)) == found


def test_a_preview_shows_real_accounts_and_what_would_be_refused(company: Company) -> None:
    project, _ = company
    found = preview(project, "outreach/general", accounts=3, language="en", now=LATE)
    assert found[0].account_id == "acme"
    assert all(draft.body for draft in found)
    assert {draft.template for draft in found} == {"outreach/general"}
    for draft in found:
        assert draft.blocked or draft.cites
    with pytest.raises(DraftError, match="is no draft"):
        preview(project, "talk/limits", accounts=1, language="en", now=LATE)


def test_the_story_goes_from_one_person_to_the_company_and_names_nobody(company: Company) -> None:
    project, _ = company
    for language, day in (("en", "17 November"), ("zh", "11月17日")):
        found = story(project, "acme", language=language, now=LATE)
        assert [part.level for part in found.parts] == ["individual", "team", "company"]
        words = " ".join([found.name, *(line for part in found.parts for line in (part.title, *part.paragraphs))])
        assert not re.search(r"\b(?:ann|bob|cid|dee|eve|fay|gus|hal|ivy|jon|kai)\b", words, re.IGNORECASE)
        assert "13" in words
        assert "guest portal" in words
        assert "85%" in words
        assert day in words
        cites = {cite.name for part in found.parts for cite in part.cites}
        assert cites >= {"use.features", "use.people", "use.departments", "limit.percent"}
    with pytest.raises(DraftError, match="generic"):
        story(project, "dull", language="en", now=LATE + DAY)
