"""Words to a prospect: filled in from a template, and checked. A text that rests on no usage, or that watches, is refused.

The checks take a `Draft` as it stands, whoever wrote it: they are the same for a template, an edited text and a rewritten one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from handraise.errors import DraftError
from handraise.handoffs.citing import Facts
from handraise.handoffs.sandbox import render
from handraise.handoffs.templates import Template
from handraise.handoffs.wording import invisible_in
from handraise.playbook.section import Language
from handraise.playbook.selling import Outreach
from handraise.records.drafts import Blocked, Cite, Draft

LONGEST_SUBJECT = 120
_SHORTEST = 3
# Words of these scripts stand together without spaces: only the ends of names that exist tell a name there.
_CJK = r"\u2e80-\u9fff\uac00-\ud7ff"
_ENDS = (
    "한국|닷컴|닷넷|みんな|コム|中国|中國|公司|网络|網絡|网址|网站|在线|中文网|中信|集团|商城|商店|商标|我爱你|公益|政务|机构|组织机构|香港|台湾|台灣|新加坡|澳門|移动"
    "|世界|企业|信息"
)
# What mail programs and chats make a link of; a name with a dot in it is one for them.
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://\S+|\b(?:mailto|javascript|data):\S+|\bwww\.\S+|\S+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w.])(?:[\w-]+\.)+[a-z]{2,24}\b(?:[/:?#]\S*)?"
    # The numbers of a machine, and names in other letters.
    r"|(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)(?:[/:?#]\S*)?|\[[\da-f:.]*:[\da-f:.]*\](?:[/:?#]\S*)?"
    rf"|(?<![\w.])(?:[\w-]+\.)+(?:{_ENDS})(?![\w-])(?:[/:?#]\S*)?"
    rf"|(?<![\w.])(?:[\w-]+\.)*[\w-]{{2,}}\.[^\W\d_{_CJK}]{{2,24}}(?![\w-])(?:[/:?#]\S*)?)",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"</?[a-z!][^<>]*>|\]\(|`|^\s{0,3}#{1,6}\s|&(?:#\d+|#x[\da-f]+|[a-z]+);", re.IGNORECASE | re.MULTILINE
)
# What makes people feel watched, true or not: pages they looked at, clicks, visits, the time of their last one.
_WATCHED = re.compile(
    r"\b(?:pricing|price|plans?|legal|terms|privacy|security) pages?\b"
    r"|\bpage views?\b|\bclick(?:s|ed|ing)\b"
    r"|\byou(?:'ve|’ve| have)? (?:been )?(?:looked|look|looking|viewed|view|viewing|visited|visit|visiting|browsed|browse|browsing)\b"
    r"|\byou(?:'ve|’ve| have)? (?:last )?(?:logged|signed) (?:in|on)\b|\byour (?:last )?(?:visits?|log-?ins?|sessions?|activity)\b"
    r"|\b(?:saw|see|notice|noticed|watch|watched|track|tracked|monitor\w*) (?:that )?you\b"
    r"|(?:定价|价格|条款|隐私|法律)页|浏览(?:了|过|量|记录)|点击(?:了|过|次数|量)|(?:您|你)(?:最近|上次)?(?:登录|访问)"
    r"|(?:看到|注意到|发现|监测到|追踪到)(?:您|你)(?!们)",
    re.IGNORECASE,
)
_BECAUSE: dict[str, dict[Language, str]] = {
    "empty_text": {"en": "it says nothing", "zh": "内容为空"},
    "too_long": {"en": "it is too long", "zh": "篇幅过长"},
    "invisible": {"en": "it holds characters that cannot be seen", "zh": "含有不可见字符"},
    "link": {
        "en": "it holds an address that `handoffs.outreach.links` does not allow",
        "zh": "含有 `handoffs.outreach.links` 未允许的链接",
    },
    "markup": {"en": "it holds markup, or a line break in its subject", "zh": "含有标记，或主题中有换行"},
    "watched": {"en": "it tells people what they looked at or clicked", "zh": "提到了对方看过或点过什么，会让人不适"},
    "generic": {
        "en": "it rests on nothing that the company does with the product",
        "zh": "没有引用该公司的任何使用情况，过于泛泛",
    },
    "opted_out": {"en": "this person does not want to be written to", "zh": "对方不希望被联系"},
    "too_early": {"en": "this person signed up less than a day ago", "zh": "对方注册还不到一天"},
    "person_cap": {"en": "this person was written to often enough lately", "zh": "近期联系此人的次数已达上限"},
    "account_cap": {"en": "people there were written to often enough lately", "zh": "近期联系该公司的次数已达上限"},
    "buyer_missing": {
        "en": "nobody who can buy is among the qualified users, and users are not pitched",
        "zh": "合格用户中还没有能拍板的人，不向用户推销",
    },
    "nobody": {"en": "nobody is known whom it could be for", "zh": "没有已知的收件人"},
    "no_template": {"en": "no template fits", "zh": "没有合适的模板"},
    "ended": {"en": "the handoff has ended", "zh": "该交接已结束"},
}


def because(code: str, language: Language) -> str:
    """Why a draft is refused, in words."""
    return _BECAUSE[code][language]


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """What a template gave.

    Attributes:
        subject: One line; the title, where it is a story.
        body: The text.
        cites: Usage that was said, each once, in its order.
    """

    subject: str
    body: str
    cites: tuple[Cite, ...]


def fill_in(template: Template, facts: Mapping[str, Any], language: Language) -> Text:
    """The text of a template, and what it rests on: what placeholders said and stands in the text.

    A filter notes a fact also where it is only compared with something, and a template's own words may hold the same number.

    Raises:
        DraftError: The template says what is not known of the account.
    """
    noted: list[Cite] = []
    filled: list[str] = []
    noting = {name: value.noting(noted) if isinstance(value, Facts) else value for name, value in facts.items()}
    heading = template.head.get("subject") or template.head.get("title") or ""
    subject = render(heading, noting, language, where=template.where, first_line=template.subject_line, said=filled)
    body = render(template.body, noting, language, where=template.where, first_line=template.body_line, said=filled)
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in body.split("\n"))).strip()
    subject = " ".join(subject.split())
    whole = f"{subject}\n{body}"
    said = dict.fromkeys(cite for cite in noted if _says(whole, cite) and any(_says(one, cite) for one in filled))
    return Text(subject=subject, body=body, cites=tuple(said))


def check_draft(draft: Draft, rules: Outreach) -> Blocked | None:
    """Why a text may not be used, from its words alone; None = a person may approve it.

    Args:
        draft: Subject, body and the cites that it should rest on. A cite counts as long as its text stands there.
        rules: Allowed links and length.
    """
    code = _refused(draft, rules)
    return Blocked(code=code, because=because(code, draft.language)) if code else None


def _refused(draft: Draft, rules: Outreach) -> str:
    """The first reason to refuse a text; empty = there is none."""
    whole = f"{draft.subject}\n{draft.body}"
    links = (found.group().rstrip(".,;:!?)。，") for found in _LINK.finditer(whole))
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("empty_text", lambda: not draft.body.strip() or not draft.subject.strip()),
        ("too_long", lambda: len(draft.subject) > LONGEST_SUBJECT or len(draft.body) > rules.most_characters),
        ("invisible", lambda: invisible_in(whole)),
        ("markup", lambda: "\n" in draft.subject or _MARKUP.search(whole)),
        ("link", lambda: any(link not in rules.links for link in links)),  # an address that begins alike is another
        ("watched", lambda: _WATCHED.search(whole)),
        ("generic", lambda: not any(_says(whole, cite) for cite in draft.cites if _tells(cite))),
    )
    return next((code for code, fails in checks if fails()), "")


def _tells(cite: Cite) -> bool:
    """Whether words rest a text on usage by themselves: a department called `it` is in too many sentences for that."""
    said = cite.text.strip()
    return not (said.isascii() and said.isalpha() and len(said) < _SHORTEST)


_NO_MONEY = r"(?<![$€£¥])(?<![$€£¥] )"
_UNITS = (
    r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|months?|years?|eur|usd|gbp|euros?|dollars?)\b|[ap]\.?m\b|o['’]clock"
    r"|秒|分钟|小时|点|天|日|月|个月|年|元"
)


def _not_followed_by(units: str) -> str:
    return rf"(?!:\d)(?!(?:\s*(?:[-–]|to|or|至|到)\s*\d+)?[\s-]*(?:{units}))"


# Counts of people, features and departments, and of weeks: the same number of minutes or euros says nothing of usage.
_COUNT = _not_followed_by(rf"{_UNITS}|weeks?\b|周|星期")
_COUNTED = {
    "use.feature_count": _COUNT,
    "use.people": _COUNT,
    "use.department_count": _COUNT,
    "use.new_people": _COUNT,
    "use.weeks": _not_followed_by(_UNITS),
}


def _says(text: str, cite: Cite) -> bool:
    """Whether the words of a cite stand in a text as words of their own: `3` is not said by `30%`, nor by `1.3`."""
    said = cite.text.casefold()
    if not said.strip():
        return False
    before = r"(?<![a-z0-9])(?<![0-9][.,])" if said[0].isascii() and said[0].isalnum() else ""
    after = r"(?![a-z0-9%])(?![.,][0-9])" if said[-1].isascii() and said[-1].isalnum() else ""
    if cite.name in _COUNTED and not any(one.isalpha() for one in said):
        before, after = before + _NO_MONEY, after + _COUNTED[cite.name]
    return re.search(before + re.escape(said) + after, text.casefold()) is not None


def refuse(draft: Draft) -> None:
    """Raise what blocks a draft.

    Raises:
        DraftError: Something does.
    """
    if draft.blocked:
        until = f", until {draft.blocked.until:%Y-%m-%d %H:%M}Z" if draft.blocked.until else ""
        raise DraftError(
            f"this draft may not be used ({draft.blocked.code}): {draft.blocked.because}{until}.",
            where=draft.template,
            todo=_TODO.get(draft.blocked.code, ""),
        )


_TODO = {
    "generic": "Let the template say something of `use`, `limit` or `ask`, such as {{ use.feature }}.",
    "link": "Take it out, or add it to `handoffs.outreach.links` of the playbook.",
    "too_long": "Shorten it, or raise `handoffs.outreach.most_characters`.",
    "watched": "Say what the company gets out of the product, not what somebody looked at.",
    "buyer_missing": "`handraise brief` says what marketing needs for finding the buyer.",
}
