"""Which role an event's name speaks for, how surely, and why: the proposals of `handraise init --from`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

LEVELS = ("sure", "likely", "maybe")
PASSIVE = "passive"
_SMALL_TO_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_SHORTEST_STEM = 3
_DOUBLED = "bdgmnprt"  # planned, dropping: the doubled letter is not the stem's


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What an event is taken for.

    Attributes:
        role: A role, or `passive` for what merely happens to somebody.
        level: sure, likely or maybe.
        why: What spoke for it, for a person.
        feature: The property that holds the feature's key; None where it is the usual one or none is known.
        where: Property → value that the event must have to carry the role.
    """

    role: str
    level: str
    why: str
    feature: str | None = None
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pattern:
    """All of `words` (each a choice) and none of `without`."""

    role: str
    level: str
    words: tuple[frozenset[str], ...]
    without: frozenset[str]
    deed: bool


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The data file, ready to be asked."""

    patterns: tuple[_Pattern, ...]
    undone: frozenset[str]
    only_near: frozenset[str]
    feature_properties: tuple[str, ...]
    premium_properties: tuple[str, ...]
    page_names: frozenset[str]
    page_addresses: tuple[str, ...]
    page_roles: tuple[tuple[str, re.Pattern[str]], ...]


@cache
def vocabulary() -> Vocabulary:
    """The shipped words."""
    text = resources.files("handraise.playbook").joinpath("vocabulary.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    roles = {**data["roles"], PASSIVE: data[PASSIVE]}
    return Vocabulary(
        patterns=tuple(_patterns(roles)),
        undone=frozenset(_stem(word) for word in data["undone"].split()),
        only_near=frozenset(_stem(word) for word in data["only_near"].split()),
        feature_properties=tuple(data["feature_properties"]),
        premium_properties=tuple(data["premium_properties"]),
        page_names=frozenset(name.lower() for name in data["pages"]["names"]),
        page_addresses=tuple(data["pages"]["addresses"]),
        page_roles=tuple((role, re.compile(text)) for role, text in data["pages"]["roles"].items()),
    )


def _patterns(roles: dict[str, Any]) -> Iterable[_Pattern]:
    """All patterns, the surest first; inside a level, in the order of the file."""
    for level in LEVELS:
        for role, said in roles.items():
            for text in said.get(level, ()):
                words = [word for word in text.split() if not word.startswith("!")]
                yield _Pattern(
                    role=role,
                    level=level,
                    words=tuple(frozenset(_stem(choice) for choice in word.split("|")) for word in words),
                    without=frozenset(_stem(word[1:]) for word in text.split() if word.startswith("!")),
                    deed=bool(said.get("deed")),
                )


def propose(name: str, properties: dict[str, set[str]]) -> Proposal | None:
    """The role of an event, None where nothing speaks for one.

    Args:
        name: The event's name, as the product sends it.
        properties: Its properties and some of the values they had.
    """
    words = vocabulary()
    found = _by_name(name, words)
    feature = next((key for key in words.feature_properties if properties.get(key)), None)
    if found is not None:
        keyed = feature if found.role in {"feature", PASSIVE, "premium_feature"} else None
        return Proposal(role=found.role, level=found.level, why=found.why, feature=_unusual(keyed))
    if feature is None or _undone(_tokens(name), name, words):
        return None
    for key in words.premium_properties:
        if "true" in {value.lower() for value in properties.get(key, ())}:
            why = f"it has the properties {feature} and {key}"
            where = ((key, "true"),)
            return Proposal(role="premium_feature", level="likely", why=why, feature=_unusual(feature), where=where)
    return Proposal(role="feature", level="likely", why=f"it has the property {feature}", feature=_unusual(feature))


def propose_page(name: str, key: str, value: str) -> Proposal | None:
    """The role of views of one page."""
    bare = re.sub(r"[?#].*$", "", value.lower()).rstrip("/")
    for role, pattern in vocabulary().page_roles:
        if pattern.search(bare):
            why = f"{name} of a page whose {key} says so"
            return Proposal(role=role, level="likely", why=why, where=((key, value),))
    return None


def is_page_view(name: str) -> bool:
    """Whether an event is the view of any page, so that only its address tells what it means."""
    return name.lower() in vocabulary().page_names


def _unusual(feature: str | None) -> str | None:
    return None if feature == "feature" else feature


def _by_name(name: str, words: Vocabulary) -> Proposal | None:
    tokens = _tokens(name)
    undone = _undone(tokens, name, words)
    for pattern in words.patterns:
        used = _matched(pattern, tokens, name)
        if used is None or (undone - used):
            continue
        level, why = pattern.level, f"its name says {' + '.join(_as_written(used, name))}"
        near = {word for word in words.only_near if word in tokens or _is_inside(word, name)} - used
        if pattern.deed and near and level != LEVELS[-1]:
            level, why = LEVELS[-1], f"{why}, but perhaps the deed was not done"
        return Proposal(role=pattern.role, level=level, why=why)
    return None


def _matched(pattern: _Pattern, tokens: set[str], name: str) -> set[str] | None:
    """The words that answered the pattern, None where one is missing or a forbidden one is there."""
    if any(word in tokens or _is_inside(word, name) for word in pattern.without):
        return None
    used: set[str] = set()
    for choices in pattern.words:
        hits = {word for word in choices if word in tokens or _is_inside(word, name)}
        if not hits:
            return None
        used |= hits
    return used


def _undone(tokens: set[str], name: str, words: Vocabulary) -> set[str]:
    return {word for word in words.undone if word in tokens or _is_inside(word, name)}


def _as_written(stems: set[str], name: str) -> list[str]:
    """The words of a name that answered, as they stand there."""
    words = [word.lower() for word in re.split(r"[^A-Za-z0-9]+", _SMALL_TO_CAPITAL.sub(" ", name)) if word]
    latin = [word for word in words if _stem(word) in stems or f"={word}" in stems]
    return list(dict.fromkeys([*latin, *sorted(stem for stem in stems if _is_inside(stem, name))]))


def _is_inside(word: str, name: str) -> bool:
    return bool(_CHINESE.search(word)) and word in name


def _tokens(name: str) -> set[str]:
    """Stems of the words of a name in any spelling, and each word as it stands behind `=`."""
    plain = [word.lower() for word in re.split(r"[^A-Za-z0-9]+", _SMALL_TO_CAPITAL.sub(" ", name)) if word]
    return {_stem(word) for word in plain} | {f"={word}" for word in plain}


def _stem(word: str) -> str:
    """One form for invite, invites, invited and inviting; words that begin with `=` stay as they are."""
    word = word.lower()
    if word.startswith("=") or _CHINESE.search(word):
        return word
    if word.endswith("ies") and len(word) > _SHORTEST_STEM + 1:
        word = f"{word[:-3]}y"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > _SHORTEST_STEM:
        word = word[:-1]
    ending = next((e for e in ("ing", "ed") if word.endswith(e) and not word.endswith("eed")), "")
    if ending and len(word) - len(ending) >= _SHORTEST_STEM:
        word = word[: -len(ending)]
        if word[-1] == word[-2] and word[-1] in _DOUBLED and len(word) > _SHORTEST_STEM:
            word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > _SHORTEST_STEM else word
