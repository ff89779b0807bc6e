"""Judge what a language model answered: it is taken to be hostile, and only a text that passes every check comes out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from handraise.handoffs.drafts import because as draft_because
from handraise.handoffs.drafts import check_draft
from handraise.handoffs.rewrite_facts import new_names, new_numbers, new_promises, new_scripts, planted_words
from handraise.handoffs.rewrite_prompt import COMPANY, NAME, Offer, as_words
from handraise.handoffs.wording import invisible_in
from handraise.playbook.section import Language
from handraise.playbook.selling import Outreach
from handraise.records.drafts import Draft

_KEYS = {"subject", "body", "facts"}
_LONGEST = 20_000
# Beside letters, marks, digits, spaces and whatever the first text has.
_SIGNS = frozenset("\n .,;:!?'’\u2018\"“”()–—-…&%+/、。，；：！？（）「」『』《》·€$£¥\uff05")
_HEADER = re.compile(
    r"^\s*(?:b?cc|to|from|reply-to|subject|sender|date|content-[a-z-]+|mime-version|x-[a-z-]+|return-path|received)\s*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
# What a spreadsheet takes for a formula; a dash with a space after it begins an item of a list.
_FORMULA = re.compile(r"^\s*(?:[=+@]|-(?! ))", re.MULTILINE)
_MOST_LONGER = 2
_SHORTEST_SECRET = 8
_BECAUSE: dict[str, dict[Language, str]] = {
    "not_json": {"en": "the model's answer is not the JSON that was asked for", "zh": "模型的回答不是所要求的 JSON"},
    "tools": {"en": "the model wanted to use a tool, and has none", "zh": "模型试图调用工具，而它没有任何工具"},
    "wrong_shape": {"en": "the model's answer has other parts than it may have", "zh": "模型的回答含有不允许的内容项"},
    "cut_off": {"en": "the model's answer breaks off", "zh": "模型的回答不完整"},
    "signs": {
        "en": "the new text holds signs that a plain message does not need",
        "zh": "新文本含有普通邮件不需要的符号",
    },
    "longer": {"en": "the new text is more than twice as long", "zh": "新文本长度超过原文的两倍"},
    "cite_lost": {
        "en": "the new text leaves out usage that the message rests on",
        "zh": "新文本遗漏了原文引用的使用情况",
    },
    "new_number": {"en": "the new text says a number that was not given", "zh": "新文本出现了未提供的数字"},
    "new_name": {"en": "the new text says a name that was not given", "zh": "新文本出现了未提供的名称"},
    "new_script": {"en": "the new text uses letters of another writing system", "zh": "新文本使用了其他文字系统的字母"},
    "planted": {
        "en": "the new text repeats words that users chose, outside of the names and features that they are",
        "zh": "新文本在名称和功能之外重复了用户自己填写的词语",
    },
    "promise": {
        "en": "the new text offers, promises or presses, which the message does not",
        "zh": "新文本作出了原文没有的承诺、优惠或催促",
    },
    "secret": {"en": "the new text holds a secret", "zh": "新文本含有密钥"},
    "failed": {"en": "the model did not answer", "zh": "模型没有回答"},
    "budget": {"en": "the budget of requests is spent", "zh": "请求额度已用完"},
    "same": {"en": "the model left the text as it was", "zh": "模型没有改动文本"},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What an answer is worth.

    Attributes:
        draft: The new text; None = it was refused.
        code: Why; empty = it was not.
    """

    draft: Draft | None
    code: str = ""


def because(code: str, language: Language) -> str:
    """Why there is no new text, in words."""
    return _BECAUSE[code][language] if code in _BECAUSE else draft_because(code, language)


def judge(original: Draft, offered: Offer, body: bytes, rules: Outreach, *, secret: str) -> Judged:
    """The new text out of an endpoint's answer, or why there is none.

    Args:
        original: The draft as it stands.
        offered: What the model was told.
        body: The endpoint's answer, as it came.
        rules: How the company writes.
        secret: The endpoint's key, which it knows and nobody else may see; empty = there is none.
    """
    said = _content(body)
    if isinstance(said, Judged):
        return said
    if set(said["facts"]) != set(range(1, len(original.cites) + 1)):
        return Judged(draft=None, code="cite_lost")
    told = tuple(_plain(said[part]) for part in ("subject", "body"))
    subject, text = (_filled(part, offered.names) for part in told)
    draft = replace(original, subject=subject, body=text, blocked=None)
    code = _refused(original, draft, rules, secret) or _added(original, offered, "\n".join(told))
    return Judged(draft=None, code=code) if code else Judged(draft=draft)


def _content(body: bytes) -> dict[str, Any] | Judged:
    """Subject and body that the model wrote; every part is looked at, and none but these is used."""
    try:
        answer = msgspec.json.decode(body)
        choice = answer["choices"][0]
        message = choice["message"]
        if message.get("tool_calls") or message.get("function_call"):
            return Judged(draft=None, code="tools")
        if choice.get("finish_reason") not in {"stop", None}:
            return Judged(draft=None, code="cut_off")
        said = msgspec.json.decode(message["content"][:_LONGEST])
    except (msgspec.DecodeError, RecursionError, KeyError, IndexError, TypeError, AttributeError, UnicodeError):
        return Judged(draft=None, code="not_json")
    if not isinstance(said, dict) or set(said) != _KEYS or not _is_shaped(said):
        return Judged(draft=None, code="wrong_shape")
    return said


def _is_shaped(said: dict[str, Any]) -> bool:
    texts = all(isinstance(said[part], str) for part in ("subject", "body"))
    facts = said["facts"]
    return texts and isinstance(facts, list) and all(type(one) is int for one in facts)


def _plain(text: str) -> str:
    """A text without what cannot be seen; lines end without spaces, and no more than one is empty."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    spaced = "".join(" " if unicodedata.category(one) == "Cc" and one != "\n" else one for one in text)
    shown = "".join(one for one in spaced if not invisible_in(one))
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in shown.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _filled(text: str, names: dict[str, str]) -> str:
    for place, name in names.items():
        text = text.replace(place, name)
    return text


def _refused(original: Draft, draft: Draft, rules: Outreach, secret: str) -> str:
    """The first reason to refuse the new text; empty = there is none."""
    before, after = f"{original.subject}\n{original.body}", f"{draft.subject}\n{draft.body}"

    def by_draft() -> str:
        blocked = check_draft(draft, rules)
        return blocked.code if blocked else ""

    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("secret", lambda: _holds(after, secret)),
        ("signs", lambda: _odd_signs(before, after)),
        ("longer", lambda: len(after) > _MOST_LONGER * max(len(before), 200)),
        ("cite_lost", lambda: _lost_cites(draft, rules)),
        ("same", lambda: before == after),
    )
    return by_draft() or next((code for code, fails in checks if fails()), "")


def _added(original: Draft, offered: Offer, told: str) -> str:
    """What the new text says of its own; empty = nothing.

    Both texts are compared without names and cites: a word of somebody's name, or of a feature's key, may stand where that
    name or key does, and nowhere else. Otherwise whoever chooses a name could choose what may be said.
    """
    before, after = (_masked(text, original) for text in (offered.text, told))
    language = original.language
    given = [*offered.names.values(), *(cite.text for cite in original.cites)]
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("new_script", lambda: new_scripts(before, after, language)),
        ("planted", lambda: planted_words(given, before, after) or _repeated(original, offered.text, told)),
        ("new_number", lambda: new_numbers(before, after)),
        ("new_name", lambda: new_names(before, after, language)),
        ("promise", lambda: new_promises(before, after)),
    )
    return next((code for code, fails in checks if fails()), "")


def _repeated(original: Draft, before: str, after: str) -> bool:
    """Whether a name or a feature stands more often than in the first text: as a sentence of its own, it could say anything."""
    places = [re.compile(re.escape(place)) for place in (NAME, COMPANY)]
    places += [as_words(cite.text) for cite in original.cites if any(one.isalpha() for one in cite.text)]
    return any(len(place.findall(after)) > len(place.findall(before)) for place in places)


_GIVEN = "\0"


def _masked(text: str, original: Draft) -> str:
    for place in (NAME, COMPANY):
        text = text.replace(place, _GIVEN)
    for cite in sorted({cite.text for cite in original.cites}, key=len, reverse=True):
        text = as_words(cite).sub(_GIVEN, text)
    return text


def _holds(text: str, secret: str) -> bool:
    """Whether any part of a secret stands in a text, spaces and line breaks aside."""
    packed = re.sub(r"\s", "", text)
    parts = {secret[n : n + _SHORTEST_SECRET] for n in range(len(secret) - _SHORTEST_SECRET + 1)}
    return any(part in packed for part in parts)


def _odd_signs(before: str, after: str) -> bool:
    plain = {one for one in after if one in _SIGNS or one.isalpha() or unicodedata.category(one) == "Nd"}
    odd = set(after) - plain - set(before)
    return bool(odd or any(pattern.search(after) and not pattern.search(before) for pattern in (_HEADER, _FORMULA)))


def _lost_cites(draft: Draft, rules: Outreach) -> bool:
    """Each cite has to stand in the text by itself."""
    return any(check_draft(replace(draft, cites=(cite,)), rules) for cite in draft.cites)
