"""Templates of drafts, talk tracks and stories: how a file is read, and which one is chosen."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

from handraise.errors import DraftError
from handraise.handoffs.drafting_facts import NAMES
from handraise.handoffs.sandbox import LONGEST_TEMPLATE, check_template
from handraise.playbook.section import Language

Kind = Literal["outreach", "talk", "story"]
Origin = Literal["shipped", "project"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LANGUAGES: tuple[Language, ...] = get_args(Language)
LEVELS = ("individual", "team", "company")
_END_OF_HEAD = "---"
_HEADS: dict[Kind, tuple[str, ...]] = {
    "outreach": ("trigger", "lane", "segment", "persona", "subject"),
    "talk": ("signal",),
    "story": ("level", "title"),
}
_NEEDED: dict[Kind, tuple[str, ...]] = {"outreach": ("subject",), "talk": ("signal",), "story": ("level", "title")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """One file.

    Attributes:
        kind: outreach, talk or story.
        name: Such as outreach/enterprise_request.
        language: en or zh.
        origin: shipped with handraise, or of the project.
        where: What errors call the file.
        head: Key → what it says: what the template is chosen for, its subject, its title.
        body: The text.
        body_line: Line of the file on which the text begins.
        subject_line: Line of the file on which the subject or title stands.
    """

    kind: Kind
    name: str
    language: Language
    origin: Origin
    where: str
    head: dict[str, str] = field(default_factory=dict)
    body: str
    body_line: int
    subject_line: int = 1

    def values(self, key: str) -> tuple[str, ...]:
        """What a key of the head lists; empty = it says nothing."""
        return tuple(one.strip() for one in self.head.get(key, "").split(",") if one.strip())

    @property
    def chosen_for(self) -> str:
        """What it is chosen for, as the file says it; empty = where no other fits."""
        said = (f"{key}: {self.head[key]}" for key in self.head if key not in {"subject", "title"})
        return "; ".join(said)


def parse_template(text: str, *, name: str, language: Language, origin: Origin, where: str) -> Template:
    """Read a template: `key: value` lines, a line `---`, and the text; all of it is checked.

    Raises:
        DraftError: With file and line.
    """
    kind = cast("Kind", name.partition("/")[0])
    if len(text) > LONGEST_TEMPLATE:
        todo = f"Keep it below {LONGEST_TEMPLATE:,} characters."
        raise DraftError(f"the template is too long ({len(text):,} characters).", where=where, todo=todo)
    lines = text.replace("\r\n", "\n").split("\n")
    if _END_OF_HEAD not in lines:
        todo = f"Begin with lines such as `{_HEADS[kind][0]}: …`, then a line `{_END_OF_HEAD}`, then the text."
        raise DraftError("the template has no head.", where=where, todo=todo)
    end = lines.index(_END_OF_HEAD)
    head, places = _head(lines[:end], kind, where)
    made = Template(
        kind=kind,
        name=name,
        language=language,
        origin=origin,
        where=where,
        head=head,
        body="\n".join(lines[end + 1 :]),
        body_line=end + 2,
        subject_line=places.get("subject") or places.get("title") or 1,
    )
    _check(made)
    return made


def _head(lines: Sequence[str], kind: Kind, where: str) -> tuple[dict[str, str], dict[str, int]]:
    known, head, places = _HEADS[kind], {}, {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or key not in known or key in head:
            close = difflib.get_close_matches(key, known, n=1)
            todo = f"Did you mean {close[0]}?" if close and key not in head else f"Write each once: {', '.join(known)}."
            raise DraftError(f"the head cannot say {line.strip()[:60]!r}.", where=f"{where}:{number}", todo=todo)
        head[key], places[key] = value, number
    missing = [key for key in _NEEDED[kind] if not head.get(key)]
    if missing:
        raise DraftError(f"the head does not say its {missing[0]}.", where=where, todo=f"Add `{missing[0]}: …`.")
    return head, places


def _check(made: Template) -> None:
    if made.kind == "story" and made.head["level"] not in LEVELS:
        todo = f"Choose of {', '.join(LEVELS)}."
        raise DraftError(f"there is no level {made.head['level']!r}.", where=made.where, todo=todo)
    names = NAMES[made.kind]
    for part in ("subject", "title"):
        if part in made.head:
            check_template(made.head[part], names, where=made.where, first_line=made.subject_line)
    check_template(made.body, names, where=made.where, first_line=made.body_line)


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """What an outreach template is chosen by.

    Attributes:
        triggers: That led to the handoff, the strongest first.
        lane: sales, find_buyer, top_down or self_serve.
        segment: Of the account; None = unknown.
        persona: Of whom it is for.
    """

    triggers: tuple[str, ...]
    lane: str
    segment: str | None
    persona: str


def by_fallback(templates: Iterable[Template], language: Language) -> list[Template]:
    """Of each name one: in the language wanted, else in English, else in any; a project's before a shipped one."""

    def turn(one: Template) -> tuple[bool, bool, str, bool]:
        return one.language != language, one.language != "en", one.language, one.origin != "project"

    found: dict[str, Template] = {}
    for one in sorted(templates, key=turn):
        found.setdefault(one.name, one)
    return [found[name] for name in sorted(found)]


def choose_outreach(templates: Iterable[Template], situation: Situation, language: Language) -> Template | None:
    """The template that fits best: for the strongest trigger, then for lane, persona and segment; None = none fits."""
    fitting = [one for one in by_fallback(templates, language) if one.kind == "outreach" and _fits(one, situation)]
    return min(fitting, key=lambda one: _rank(one, situation), default=None)


def _fits(one: Template, situation: Situation) -> bool:
    wanted = {
        "trigger": situation.triggers,
        "lane": (situation.lane,),
        "segment": (situation.segment or "",),
        "persona": (situation.persona,),
    }
    return all(not one.values(key) or set(one.values(key)) & set(values) for key, values in wanted.items())


def _rank(one: Template, situation: Situation) -> tuple[int, list[bool], bool, str]:
    named = [situation.triggers.index(name) for name in one.values("trigger") if name in situation.triggers]
    general = [not one.values(key) for key in ("lane", "persona", "segment")]
    strongest = min(named, default=len(situation.triggers))
    return strongest, general, one.origin != "project", one.name


def choose_talk(
    templates: Iterable[Template], signals: Sequence[str], language: Language, most: int
) -> list[tuple[str, Template]]:
    """Signal and template of the first so many signals that have one; no template comes twice."""
    tracks = [one for one in by_fallback(templates, language) if one.kind == "talk"]
    found: dict[str, tuple[str, Template]] = {}
    for signal in signals:
        for one in tracks:
            if signal in one.values("signal"):
                found.setdefault(one.name, (signal, one))
    return list(found.values())[:most]


def story_of(templates: Iterable[Template], language: Language) -> list[Template]:
    """The levels of the story, in order."""
    levels = [one for one in by_fallback(templates, language) if one.kind == "story"]
    return sorted(levels, key=lambda one: (LEVELS.index(one.head["level"]), one.name))
