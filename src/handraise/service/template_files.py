"""Where templates are: those shipped with handraise, and a project's own in its folder `templates`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from handraise.errors import DraftError, NotFoundError
from handraise.handoffs.sandbox import LONGEST_TEMPLATE
from handraise.handoffs.templates import KINDS, LANGUAGES, Template, parse_template
from handraise.playbook.section import Language
from handraise.records.drafts import TemplateInfo
from handraise.warehouse.text_files import write_whole

FOLDER = "templates"
_ENDING = ".txt"
_MOST_FILES = 500


@dataclass(frozen=True, kw_only=True)
class Templates:
    """Every template that a project has.

    Attributes:
        usable: Those that can be used, a project's own before the shipped ones.
        mistakes: Name and language → why a project's own file cannot be used, where one cannot.
    """

    usable: tuple[Template, ...]
    mistakes: dict[tuple[str, Language], DraftError]


@cache
def shipped() -> tuple[Template, ...]:
    """Those of the package."""
    root = resources.files("handraise.handoffs").joinpath(FOLDER)
    return tuple(
        parse_template(
            file.read_text(encoding="utf-8"),
            name=f"{kind}/{file.name.removesuffix(_ENDING)}",
            language=language,
            origin="shipped",
            where=f"{language}/{kind}/{file.name}",
        )
        for language in LANGUAGES
        for kind in KINDS
        for file in sorted(root.joinpath(language, kind).iterdir(), key=lambda one: one.name)
        if file.name.endswith(_ENDING)
    )


def read_templates(folder: Path) -> Templates:
    """A project's own templates and the shipped ones; a file with a mistake hides the shipped one all the same.

    Args:
        folder: The project's.
    """
    own: list[Template] = []
    mistakes: dict[tuple[str, Language], DraftError] = {}
    for language, name, file in _own_files(folder):
        try:
            own.append(_read(file, name, language, folder))
        except DraftError as error:
            mistakes[name, language] = error
    hidden = {(one.name, one.language) for one in own} | set(mistakes)
    left = (one for one in shipped() if (one.name, one.language) not in hidden)
    return Templates(usable=(*own, *left), mistakes=mistakes)


def _own_files(folder: Path) -> Iterator[tuple[Language, str, Path]]:
    found = 0
    for language in LANGUAGES:
        for kind in KINDS:
            place = folder / FOLDER / language / kind
            for file in sorted(place.glob(f"*{_ENDING}")) if place.is_dir() else ():
                found += 1
                if found <= _MOST_FILES:
                    yield language, f"{kind}/{file.stem}", file


def _read(file: Path, name: str, language: Language, folder: Path) -> Template:
    where = file.relative_to(folder).as_posix()
    try:
        with file.open("rb") as opened:
            content = opened.read(LONGEST_TEMPLATE * 4 + 1)
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DraftError(f"the template cannot be read ({error}).", where=where, todo="Save it as UTF-8.") from error
    return parse_template(text, name=name, language=language, origin="project", where=where)


def list_templates(folder: Path) -> list[TemplateInfo]:
    """Every template, where it comes from, and what is wrong with it."""
    found = read_templates(folder)
    names = {(one.name, one.language) for one in shipped()}
    rows = [
        TemplateInfo(
            name=one.name,
            kind=one.kind,
            language=one.language,
            origin=one.origin,
            hides=one.origin == "project" and (one.name, one.language) in names,
            chosen_for=one.chosen_for,
        )
        for one in found.usable
    ]
    for (name, language), error in found.mistakes.items():
        kind = next(kind for kind in KINDS if name.startswith(f"{kind}/"))
        hides = (name, language) in names
        rows.append(
            TemplateInfo(
                name=name,
                kind=kind,
                language=language,
                origin="project",
                hides=hides,
                chosen_for="",
                mistake=str(error),
            )
        )
    return sorted(rows, key=lambda row: (KINDS.index(row.kind), row.name, row.language))


def template_named(folder: Path, name: str, language: Language) -> Template:
    """A template by its name, in the language wanted, else in English, else in any.

    Raises:
        DraftError: The project's own file has a mistake.
        NotFoundError: There is none of this name.
    """
    found = read_templates(folder)
    if (name, language) in found.mistakes:
        raise found.mistakes[name, language]
    mine = [one for one in found.usable if one.name == name]
    if not mine:
        raise NotFoundError(f"there is no template {name!r}.", todo="`handraise draft templates` lists them.")
    return min(mine, key=lambda one: (one.language != language, one.language != "en"))


def eject(folder: Path, name: str, language: Language) -> Path:
    """Copy a shipped template into the project, to be edited there; returns the file.

    Raises:
        DraftError: The project has one of this name already.
        NotFoundError: None is shipped under this name in this language.
    """
    if not any(one.name == name and one.language == language for one in shipped()):
        raise NotFoundError(
            f"no template {name!r} is shipped in {language!r}.", todo="`handraise draft templates` lists them."
        )
    file = folder / FOLDER / language / f"{name}{_ENDING}"
    if file.exists():
        raise DraftError("the project has this template already.", where=str(file), todo="Edit it.")
    source = resources.files("handraise.handoffs").joinpath(FOLDER, language, f"{name}{_ENDING}")
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, source.read_text(encoding="utf-8"))
    return file
