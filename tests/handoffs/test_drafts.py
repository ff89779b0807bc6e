"""What a text has to be before anybody may approve it, whoever wrote it; and who may be written to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handraise.errors import DraftError
from handraise.handoffs.contacts import contact_of
from handraise.handoffs.decide import Somebody
from handraise.handoffs.drafts import check_draft, refuse
from handraise.playbook.handoffs import Restraint
from handraise.playbook.selling import Outreach
from handraise.records.drafts import Blocked, Cite, Contact, Draft

RULES = Outreach(links=("https://docs.acme.example/sso",), most_characters=400)
PEOPLE = Cite(name="use.people", text="12", rests_on="12 people")
FEATURE = Cite(name="use.feature", text="guest portal", rests_on="x")
DRAFT = Draft(
    handoff=7,
    account_id="acme",
    person_id="ann",
    to_name="Ann",
    language="en",
    persona="buyer",
    template="outreach/general",
    origin="shipped",
    subject="Acme and the product",
    body="Hello Ann,\n\n12 people at Acme use the guest portal.\n\nWhat is missing?",
    cites=(PEOPLE, FEATURE),
)


def code(**more: Any) -> str:
    found = check_draft(replace(DRAFT, **more), RULES)
    return found.code if found else ""


def test_a_good_text_may_be_approved() -> None:
    assert code() == ""
    assert code(body="Read https://docs.acme.example/sso, 12 of you.") == ""
    assert code(body="12 people; version 1.2.3, 3.5/7 and 12.5.2026, и др. и т.д.") == ""
    assert code(body="12 位同事在使用。公司里都好。中国也是") == ""
    assert code(body="The Guest Portal is used widely.") == "", "however it is capitalised"
    refuse(DRAFT)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "empty_text"),
        ("   \n ", "empty_text"),
        ("12 " + "x" * 400, "too_long"),
        ("12 people\u200b", "invisible"),
        ("12 people\u202e", "invisible"),
        ("12 people\x1b[1m", "invisible"),
        ("12 <b>people</b>", "markup"),
        ("12 [people](x)", "markup"),
        ("12 `people`", "markup"),
        ("# 12 people", "markup"),
        ("12 &lt;people", "markup"),
        ("12: https://evil.example/", "link"),
        ("12: https://docs.acme.example/sso/../evil", "link"),
        ("12: https://docs.acme.example/sso?next=//evil.example", "link"),
        ("12: https://docs.acme.example", "link"),
        ("12: HTTPS://DOCS.ACME.EXAMPLE/sso", "link"),
        ("12: evil.example", "link"),
        ("12: www.evil", "link"),
        ("12: ann@evil.example", "link"),
        ("12: javascript:alert(1)", "link"),
        ("12: mailto:x", "link"),
        ("12: 203.0.113.9/pay", "link"),
        ("12: 203.0.113.9", "link"),
        ("12: 203.0.113.9:8080", "link"),
        ("12: [2001:db8::1]/pay", "link"),
        ("12: пример.рф/pay", "link"),
        ("12: ПРИМЕР.РФ", "link"),
        ("12: παράδειγμα.δοκιμή/pay", "link"),
        ("12: 例子.中国/pay", "link"),
        ("12 位同事：请看例子.公司", "link"),
        ("12: xn--e1afmkfd.xn--p1ai/pay", "link"),
        ("12 people; I saw you looked at the pricing page.", "watched"),
        ("12 people. You viewed our plans.", "watched"),
        ("12 people. You clicked twice.", "watched"),
        ("12 people. You have visited us often.", "watched"),
        ("12 people. I noticed you use it a lot.", "watched"),
        ("12 people. Your last login was on Monday.", "watched"),
        ("12 people. You last logged in on Monday.", "watched"),
        ("12 people on the terms page.", "watched"),
        ("12 位同事；您浏览了定价页", "watched"),
        ("12 位同事；我们注意到您常用", "watched"),
        ("12 位同事；您点击了升级", "watched"),
        ("12 位同事；您上次登录是周一", "watched"),
        ("Hello Ann, how are you?", "generic"),
        ("120 people", "generic"),
        ("1.12 people", "generic"),
        ("12.5 people", "generic"),
        ("12% of the people", "generic"),
        ("a12b", "generic"),
        ("Do you have 12 minutes?", "generic"),
        ("A call of 12-15 minutes?", "generic"),
        ("A 12-minute call?", "generic"),
        ("At 12 o'clock or 12:30?", "generic"),
        ("12 pm?", "generic"),
        ("能否聊 12 分钟？", "generic"),
        ("明天 12 点方便吗？", "generic"),
        ("For $12 or 12 EUR?", "generic"),
        ("guest portals", "generic"),
    ],
)
def test_a_text_that_may_not_be_used_is_refused_with_why(body: str, why: str) -> None:
    assert code(body=body) == why
    blocked = check_draft(replace(DRAFT, body=body), RULES)
    assert blocked
    assert blocked.because
    with pytest.raises(DraftError, match=why):
        refuse(replace(DRAFT, body=body, blocked=blocked))


def test_the_subject_is_one_line_and_short() -> None:
    assert code(subject="") == "empty_text"
    assert code(subject="a\nBcc: b") == "markup"
    assert code(subject="x" * 121) == "too_long"
    assert code(subject="12 people", body="nothing") == ""


def test_a_text_without_any_cite_is_generic() -> None:
    assert code(cites=()) == "generic"
    assert code(cites=(replace(PEOPLE, text=" "),)) == "generic"
    it = replace(PEOPLE, text="it")
    assert code(body="Hello Ann, how is it going?", cites=(it,)) == "generic", "a department called it"
    assert code(body="Hello Ann, how is SSO going?", cites=(replace(it, text="sso"),)) == ""
    assert check_draft(replace(DRAFT, cites=(), language="zh"), RULES) == Blocked(
        code="generic", because="没有引用该公司的任何使用情况，过于泛泛"
    )


def test_the_hash_is_of_the_exact_text() -> None:
    same = replace(DRAFT, template="other")
    assert same.sha256 == DRAFT.sha256
    for other in (replace(DRAFT, subject="x"), replace(DRAFT, body=DRAFT.body + " ")):
        assert other.sha256 != DRAFT.sha256


NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CAPS = Restraint()


@pytest.mark.parametrize(
    ("more", "touches", "lane", "asked", "wanted"),
    [
        ({}, [], "sales", False, Contact(allowed=True)),
        ({}, [], "self_serve", False, Contact(allowed=True)),
        ({"opted_out": True}, [], "sales", False, Contact(allowed=False, because="opted_out")),
        ({"opted_out": True}, [], "sales", True, Contact(allowed=False, because="opted_out")),
        ({}, [], "find_buyer", False, Contact(allowed=False, because="buyer_missing")),
        ({}, [], "find_buyer", True, Contact(allowed=True)),
        (
            {"signed_up_at": NOW - 23 * HOUR}, [], "sales", False,
            Contact(allowed=False, because="too_early", until=NOW + HOUR),
        ),
        ({"signed_up_at": NOW - 24 * HOUR}, [], "sales", False, Contact(allowed=True)),
        ({"signed_up_at": NOW - HOUR}, [], "sales", True, Contact(allowed=True)),
        (
            {"touches": (NOW - 3 * DAY, NOW - DAY)}, [], "sales", False,
            Contact(allowed=False, because="person_cap", until=NOW + 11 * DAY),
        ),
        ({"touches": (NOW - 3 * DAY, NOW - DAY)}, [], "sales", True, Contact(allowed=True)),
        ({"touches": (NOW - 14 * DAY, NOW - DAY)}, [], "sales", False, Contact(allowed=True)),
        (
            {}, [NOW - n * DAY for n in range(1, 7)], "sales", False,
            Contact(allowed=False, because="account_cap", until=NOW + 8 * DAY),
        ),
        ({}, [NOW - n * DAY for n in range(1, 7)], "sales", True, Contact(allowed=True)),
        ({}, [NOW - n * DAY for n in range(1, 6)], "sales", False, Contact(allowed=True)),
    ],
)  # fmt: skip
def test_who_may_be_written_to(
    more: dict[str, Any], touches: list[datetime], lane: Any, asked: bool, wanted: Contact
) -> None:
    somebody = Somebody(person_id="ann", is_pql=True, **more)
    assert contact_of(somebody, touches, CAPS, NOW, lane=lane, asked=asked) == wanted
