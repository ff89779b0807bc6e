"""What a reworded text says that the first one does not: numbers, names, writing systems, promises. Simple, and stated.

None of this knows what a text means. It makes sure that what was not in the template's text cannot get into the other
one by figures, capitals, letters or words of offering; a person reads what is left.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Figures as they are written, also with a part after the comma.
_FIGURES = re.compile(r"\d+(?:[.,:/]\d+)*")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+(?:['’][A-Za-z]+)*")
# Of the Latin letters, those of the keyboard and the usual accents: others look like them, and are not them.
_PLAIN_LATIN = re.compile(r"[A-Za-z\u00c0-\u00ff\u0152\u0153\u0160\u0161\u017d\u017e]")
_SENTENCE_ENDS = re.compile(r"(?:^|[.!?:。！？：\n(（\"“「『]|\s[-–—])\s*$")
_SHORT = 2  # letters of words that say nothing
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+")
_SPACED = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff]+")
_NUMBER_WORDS_TEXT = """
billion double doubled dozen dozens eight eighteen eighty eleven fifteen fifty five forty four fourteen half
halved hundred hundreds million millions nine nineteen ninety percent quarter seven seventeen seventy six
sixteen sixty ten third thirteen thirty thousand thousands three thrice triple tripled twelve twenty twice two
"""
_NUMBER_WORDS = frozenset(_NUMBER_WORDS_TEXT.split())
_ZH_NUMBER = re.compile(
    r"[零一二两三四五六七八九十百千万亿半]+(?=[个位名天次周月年倍成折人款项家美元块]|分之|%|\uff05)|[零一二两三四五六七八九十百千万亿]{2,}"
)
# Sentences begin with these, or with a word of the first text; with any other capital, it may be somebody's name.
_BEGINNINGS_TEXT = """
a about above across after again all already also an and another any anyone anything are as at based before
below besides best best-regards between both but by can cheers colleagues could curious currently depending did
do does during each either even every everyone everything feel feels finally finding first following for from
further given glad good got great greetings had happy has have having hello here hey hi hope how however i i'd
i'll i'm i've if in instead is it it's its just kind know lately let let's like looking make making many may
maybe meanwhile might more most my need next no not nothing now of often on once one or otherwise our out over
people perhaps please quick recently regards reply right same see seeing seems several shall should since
sincerely so some someone something sometimes soon still such sure take teams tell thank thanks that that's the
their them then there there's these they thinking this those though to today together too under until up us use
used using usually want was we we'd we'll we're we've well were what what's when where whether which while who
whose why will with within without wondering works worth would yes yet you you're you've your yours
"""
_BEGINNINGS = frozenset(_BEGINNINGS_TEXT.split())
_PROMISES = (
    re.compile(
        r"\b(?:free|guarantee\w*|promis\w+|discount\w*|refund\w*|rebate\w*|coupon\w*|voucher\w*|bonus\w*|gift\w*|complimentary|"
        r"waive\w*|deadline\w*|expir\w+|urgent\w*|immediately|today only|last chance|act now|suspend\w*|terminat\w*|legal\w*|"
        r"lawsuit\w*|contract\w*|invoice\w*|password\w*|credential\w*|verify|verification|bank|wire|crypto\w*|bitcoin\w*|"
        r"competitor\w*|cheaper|cheapest|unlimited|forever|certified|compliant|sla|roi)\b",
        re.IGNORECASE,
    ),
    re.compile(
        r"免费|保证|承诺|折扣|优惠|退款|返现|赠送|礼品|立即|截止|到期|最后机会|紧急|停用|终止|法律|起诉|合同|发票|密码|验证|银行|转账|"
        r"比特币|竞争对手|更便宜|最低价|无限|永久|认证|合规"
    ),
)


def new_numbers(before: str, after: str) -> list[str]:
    """Figures and words for numbers that only the second text has."""
    figures = _extra(_FIGURES, before, after)
    said = {word.lower() for word in _LATIN_WORD.findall(after)} & _NUMBER_WORDS
    known = {word.lower() for word in _LATIN_WORD.findall(before)}
    return figures + sorted(said - known) + _extra(_ZH_NUMBER, before, after)


def _extra(pattern: re.Pattern[str], before: str, after: str) -> list[str]:
    plain_before, plain_after = (unicodedata.normalize("NFKC", text) for text in (before, after))
    known = set(pattern.findall(plain_before))
    return [found for found in dict.fromkeys(pattern.findall(plain_after)) if found not in known]


def new_names(before: str, after: str, language: str) -> list[str]:
    """Words with a capital that the first text does not have, but for those that usually begin a sentence.

    In Chinese, every word of Latin letters has to be of the first text, and so has whatever stands in quotation marks.
    """
    known = {word.lower() for word in _LATIN_WORD.findall(before)}
    found = []
    for match in _LATIN_WORD.finditer(after):
        word = match.group()
        folded = word.lower().replace("’", "'")
        if word.lower() in known or folded in known:
            continue
        begins = _SENTENCE_ENDS.search(after[: match.start()])
        if language == "zh" or (any(sign.isupper() for sign in word) and not (begins and folded in _BEGINNINGS)):
            if folded in {"i", "i'm", "i'd", "i'll", "i've"} and language == "en":
                continue
            found.append(word)
    quoted = re.compile(r"[“「『《]([^”」』》]{1,80})[”」』》]")
    return list(dict.fromkeys(found)) + [one for one in quoted.findall(after) if one not in before]


def planted_words(given: Iterable[str], before: str, after: str) -> list[str]:
    """Words of names and features that the second text says by themselves, and the first does not.

    Whoever chose them may have meant them for the model. In Chinese and Japanese, two signs are a word.

    Args:
        given: Names and features, as users chose them.
        before: The first text without them.
        after: The second text without them.
    """
    chosen = {word for text in given for word in _words(text)}
    return sorted((chosen & _words(after)) - _words(before) - _BEGINNINGS)


def _words(text: str) -> set[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    spaced = {word for word in _SPACED.findall(folded) if len(word) > _SHORT}
    return spaced | {run[n : n + 2] for run in _UNSPACED.findall(folded) for n in range(len(run) - 1)}


def new_scripts(before: str, after: str, language: str) -> list[str]:
    """Letters of writing systems that neither the first text nor the language uses: names in disguise, other languages."""
    usual = set() if language == "en" else {"CJK"}
    known = ({_script(sign) for sign in before if sign.isalpha()} | usual) - {"LATIN"}
    letters = {sign for sign in after if sign.isalpha() and sign not in before}
    return sorted(sign for sign in letters if not _PLAIN_LATIN.match(sign) and _script(sign) not in known)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split(" ")[0].split("-")[0]


def new_promises(before: str, after: str) -> list[str]:
    """Words of offering, of law, of money and of hurry, in either language, that only the second text has."""
    known = before.casefold()
    found = [one for pattern in _PROMISES for one in pattern.findall(after)]
    return [one for one in dict.fromkeys(found) if one.casefold() not in known]
