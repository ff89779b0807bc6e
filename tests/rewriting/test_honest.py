"""Honest rewordings pass, in both languages; each thing that may not be is refused for its own reason."""

from dataclasses import replace
from typing import Any

import pytest

from handraise.handoffs.drafts import check_draft
from handraise.handoffs.rewrite_answer import because, judge
from handraise.handoffs.rewrite_facts import new_names, new_numbers, new_promises, new_scripts, planted_words
from handraise.handoffs.rewrite_prompt import offer
from handraise.playbook.selling import Outreach
from handraise.records.drafts import Cite, Draft
from rewriting.payloads import reply

RULES = Outreach(links=("https://product.example/help",))
EN = Draft(
    handoff=1,
    account_id="a",
    person_id="p",
    to_name="Borvan",
    language="en",
    persona="executive",
    template="outreach/executive",
    origin="shipped",
    subject="What Caljotor does with Flowbase",
    body="Hello Borvan,\n\n45 people at Caljotor, in engineering and design, used Flowbase in the last 30 days; the widest used part "
    "of it is templates.\n\nI can send you a page on what your teams do with it. There is help at https://product.example/help too.\n\n"
    "Would that page be useful to you?",
    cites=tuple(Cite(name="n", text=text, rests_on="r") for text in ("45", "engineering", "design", "templates")),
)
ZH = replace(
    EN,
    to_name="沈若溪",
    language="zh",
    subject="关于 Caljotor 使用 Flowbase 的情况",
    body="沈若溪，您好：\n\n过去 30 天里，Caljotor 有 45 位同事使用了 Flowbase，用得最多的是模板。\n\n如果您需要，我可以整理一页说明，介绍各团队的用法。\n\n这对您有帮助吗？",
    cites=tuple(Cite(name="n", text=text, rests_on="r") for text in ("45", "模板")),
)


def judged(one: Draft, subject: str, body: str, secret: str = "", **more: Any) -> tuple[str, Draft | None]:
    assert check_draft(one, RULES) is None
    offered = offer(one, "Caljotor", RULES, model={"model": "m"}, style="Short.", mark="00")
    answer = {"subject": subject, "body": body, "facts": list(range(1, len(one.cites) + 1)), **more}
    found = judge(one, offered, reply(answer), RULES, secret=secret)
    return found.code, found.draft


HONEST_EN = [
    "Hello [NAME],\n\nYour engineering and design teams are getting a lot out of Flowbase: 45 people at [COMPANY] used it in the last 30 days, most of all templates.\n\nI could put what they do on one page for you. Would that help?",
    "Hi [NAME],\n\n45 people at [COMPANY] use Flowbase, in engineering and design. What they use most widely is templates.\n\nShall I send you a page on it? Otherwise, there is help at https://product.example/help.\n\nBest regards",
    "Hello [NAME],\n\n- 45 people used Flowbase in the last 30 days\n- They are in engineering and design\n- The widest used part is templates\n\nWould a page about that be of use to you?",
    "[NAME], hello! In engineering and in design, 45 people at [COMPANY] have worked with Flowbase, and with templates more than anything else. I’d gladly send a page (it is short) that shows how – would you like it?",
]
HONEST_ZH = [
    "[NAME]，您好！\n\n最近 30 天，[COMPANY] 有 45 位同事在用 Flowbase，其中模板用得最多。\n\n我可以把各团队的用法整理成一页，发给您看看，好吗？",
    "[NAME] 您好：\n\n[COMPANY] 的 45 位同事过去 30 天都用过 Flowbase，大家最常用的是模板。如果方便，我想发您一页简短的说明。您觉得合适吗？",
]


@pytest.mark.parametrize("body", HONEST_EN)
def test_an_honest_english_text_passes(body: str) -> None:
    code, made = judged(EN, "How [COMPANY] uses Flowbase", body)
    assert (code, made and made.subject) == ("", "How Caljotor uses Flowbase")
    assert made
    assert made.body == body.replace("[NAME]", "Borvan").replace("[COMPANY]", "Caljotor")


@pytest.mark.parametrize("body", HONEST_ZH)
def test_an_honest_chinese_text_passes(body: str) -> None:
    code, made = judged(ZH, "[COMPANY] 的 Flowbase 用法", body)
    assert code == ""
    assert made
    assert made.body.startswith("沈若溪")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("45", "450"), "cite_lost"), (("45 people", "45 people of 60"), "new_number"), (("30 days", "thirty days"), "new_number"),
        (("templates.", "templates, twice as much."), "new_number"), (("templates", "reports"), "cite_lost"),
        (("Would that help?", "Mallory agrees."), "new_name"), (("one page", "one Globex page"), "new_name"),
        (("Would that help?", "Globex would help."), "new_name"), (("page for you", "page for free"), "promise"),
        (("page for you", "page and an offer, guaranteed"), "promise"), (("page for you", "p\u0430ge for you"), "new_script"),
        (("page for you", "ᴘᴀɢᴇ for you"), "new_script"), (("page for you", "page 请看"), "new_script"),
        (("page for you", "page at globex.example"), "link"), (("page for you", "page at https://product.example/help/x"), "link"),
        (("page for you", "page for you {{ x }}"), "signs"), (("page for you", "page for you 🎁"), "signs"),
        (("page for you", "page for $ you"), ""), (("page for you", "page for the caljotor team"), "planted"), (("page for you", "page for you ½"), "signs"),
        (("I could", "Bcc: all\n\nI could"), "signs"), (("I could", "=1+1\n\nI could"), "signs"),
        (("page for you", "<b>page</b> for you"), "markup"), (("page for you", "[page](x) for you"), "markup"),
        (("I could", "I saw that you clicked, so I could"), "watched"),
        (("Would that help?", "Would that help? " + "I would like to know that, and so would they. " * 20), "longer"),
        (("Would that help?", "Would that help? " + "so " * 500), "too_long"),
        (("page for you", "page\u200b for\u202e you"), ""), (("page for you", "page S3cr etKe y9 for you"), "secret"),
    ],
)  # fmt: skip
def test_what_may_not_be_is_refused_for_its_own_reason(change: tuple[str, str], code: str) -> None:
    body = HONEST_EN[0].replace(*change)
    assert body != HONEST_EN[0]
    found, made = judged(EN, "How [COMPANY] uses Flowbase", body, secret="xS3cretKey9x")  # noqa: S106
    assert found == code
    assert (made is None) == bool(code)
    if made:
        assert "\u200b" not in made.body
    if code:
        assert because(code, "en") != because(code, "zh")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("45 位", "四十五位"), "cite_lost"), (("各团队", "三个团队"), "new_number"), (("一页", "一页免费资料"), "promise"),
        (("各团队", "Globex 各团队"), "new_name"), (("各团队", "“环球公司”"), "new_name"), (("好吗", "готово"), "new_script"),
        (("模板用得最多", "报表用得最多"), "cite_lost"),
    ],
)  # fmt: skip
def test_the_same_in_chinese(change: tuple[str, str], code: str) -> None:
    body = HONEST_ZH[0].replace(*change)
    assert body != HONEST_ZH[0]
    assert judged(ZH, "[COMPANY] 的 Flowbase 用法", body)[0] == code


def test_the_parts_of_an_answer_are_those_that_were_asked_for() -> None:
    body = HONEST_EN[0]
    assert judged(EN, "Flowbase\nBcc: x", body)[0] == "markup"
    assert judged(EN, "", body)[0] == "empty_text"
    assert judged(EN, EN.subject, EN.body)[0] == "same"
    assert judged(EN, "Flowbase", body, facts=[1, 2, 3])[0] == "cite_lost"
    assert judged(EN, "Flowbase", body, facts=[1, 2, 3, 4, 5])[0] == "cite_lost"
    assert judged(EN, "Flowbase", body, extra=1)[0] == "wrong_shape"


def test_names_stay_here() -> None:
    one = replace(EN, to_name="Al", body=EN.body.replace("Borvan", "Al") + " Also, Al.", subject="Al at Caljotor")
    said = offer(one, "Caljotor", RULES, model={"model": "m"}, style=None, mark="ab12")
    system, user = (message["content"] for message in said.document["messages"])
    assert "Caljotor" not in user
    assert "[NAME] at [COMPANY]" in user
    assert "Also, [NAME]." in user, "a name is a word of its own"
    assert "ab12" in system
    assert "tools" not in said.document


def test_what_counts_as_new() -> None:
    assert new_numbers("14 people, 80%", "80% of 14") == []
    assert new_numbers("14 people", "1.4 people, ٣ days, ten") == ["1.4", "٣", "ten"]
    assert new_numbers("十四天", "十五天") == ["十五"]
    assert new_names("Ann and Acme", "Hello Ann. Would Acme? I’d say so: Your call", "en") == []
    assert new_names("Ann", "The CEO of McDuck", "en") == ["CEO", "McDuck"]
    assert new_scripts("Zoë", "Zoë ƒ", "en") == ["ƒ"]
    assert new_promises("the first one costs nothing", "it is FREE, by contract") == ["FREE", "contract"]
    assert planted_words(["Guest portal", "忽略之前"], "", "a portal, or guest portals; 请忽略它") == [
        "guest",
        "portal",
        "忽略",
    ]
    assert planted_words(["It is so"], "so", "so it is") == []
