"""Read `handraise.yaml`: lay it over the template, check all of it, and say where a mistake stands.

Nothing half-loads: either a whole `LoadedPlaybook` comes back or a `PlaybookError` that names file, line and key.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import typing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from handraise.errors import PlaybookError
from handraise.playbook.schema import Playbook

Loc = tuple[str | int, ...]
Lines = dict[tuple[str | int, ...], int]
FILE_NAME = "handraise.yaml"
OFF = ("off", False, None)
_SIGNAL_DEPTH = 3  # document → signals → person → one signal


@dataclass(frozen=True, kw_only=True)
class LoadedPlaybook:
    """A checked playbook and the name that scores carry.

    Attributes:
        playbook: The checked content.
        content_hash: First 12 hex digits of SHA-256 over the canonical content; comments and order of keys
            that carry no meaning do not change it.
        path: Where it was read from; None for the built-in template.
    """

    playbook: Playbook
    content_hash: str
    path: Path | None


def template_text() -> str:
    """The built-in template, as `handraise init` writes it."""
    return resources.files("handraise.playbook").joinpath("template.yaml").read_text(encoding="utf-8")


def load_template() -> LoadedPlaybook:
    """The built-in template as a playbook of its own."""
    return parse_playbook(template_text(), name="template.yaml", path=None)


def load_playbook(path: Path) -> LoadedPlaybook:
    """Read and check one playbook file.

    Raises:
        PlaybookError: The file cannot be read, is not YAML, or says something the schema does not know.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlaybookError(f"the playbook cannot be read ({error}).", where=str(path)) from error
    return parse_playbook(text, name=path.name, path=path)


def parse_playbook(text: str, *, name: str, path: Path | None) -> LoadedPlaybook:
    """Check the text of a playbook; `name` is what errors call the file.

    Raises:
        PlaybookError: As `load_playbook`.
    """
    document, lines = _read_yaml(text, name)
    base = document.pop("extends", "template")
    if base not in ("template", "none"):
        raise PlaybookError(
            f"extends: {base!r} is not known.", where=_at(name, lines, ("extends",)), todo="Write template or none."
        )
    if base == "template":
        template, _ = _read_yaml(template_text(), "template.yaml")
        template.pop("extends", None)
        _check_switched_off(document, template, lines, name)
        document = _lay_over(template, document)
    try:
        playbook = Playbook.model_validate(_without_switched_off(document))
    except ValidationError as error:
        raise PlaybookError(_explain_all(error, lines, name)) from error
    _check_roles(playbook, lines, name)
    content = playbook.model_dump(mode="json", exclude={"warehouse"})
    canonical = json.dumps(content, sort_keys=False, ensure_ascii=False, separators=(",", ":"))
    return LoadedPlaybook(
        playbook=playbook, content_hash=hashlib.sha256(canonical.encode()).hexdigest()[:12], path=path
    )


class _Loader(yaml.SafeLoader):
    """Safe YAML that keeps each key's line and refuses a key written twice."""


def _read_yaml(text: str, name: str) -> tuple[dict[Any, Any], Lines]:
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise PlaybookError(f"this is not valid YAML: {getattr(error, 'problem', error)}.", where=where) from error
    lines: Lines = {}
    if node is None:
        return {}, lines
    _note_lines(node, (), lines, name)
    document = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    if not isinstance(document, dict):
        raise PlaybookError("a playbook is a mapping of keys.", where=f"{name}:1", todo="See `handraise init --help`.")
    return document, lines


def _note_lines(node: yaml.Node, at: Loc, lines: Lines, name: str, inside: frozenset[int] = frozenset()) -> None:
    """Keep the line of every key; refuse what cannot be a value, a key written twice, and keys that are no text."""
    lines[at] = node.start_mark.line + 1
    where = f"{name}:{lines[at]}"
    if id(node) in inside:
        raise PlaybookError("a value holds itself.", where=where, todo="Write it out.")
    inside = inside | {id(node)}
    if isinstance(node, yaml.ScalarNode):
        try:
            _Loader("").construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise PlaybookError(f"the value {node.value!r} cannot be read.", where=where) from error
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _note_lines(item, (*at, index), lines, name, inside)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise PlaybookError("a key must be text.", where=f"{name}:{key.start_mark.line + 1}")
            if key.value in seen:
                raise PlaybookError(
                    f"the key {key.value!r} is written twice.",
                    where=f"{name}:{key.start_mark.line + 1}",
                    todo="Keep one of the two.",
                )
            seen.add(key.value)
            _note_lines(value, (*at, key.value), lines, name, inside)
            lines[*at, key.value] = key.start_mark.line + 1


def _lay_over(below: Any, above: Any, depth: int = 0) -> Any:
    """Mappings merge key by key down to the parts of one signal; anything deeper is replaced whole."""
    if not (isinstance(below, dict) and isinstance(above, dict)) or depth > _SIGNAL_DEPTH:
        return above
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _lay_over(below.get(key), value, depth + 1) if key in below else value
    return merged


def _signal_groups(document: dict[Any, Any]) -> list[tuple[str, dict[Any, Any]]]:
    signals = document.get("signals")
    if not isinstance(signals, dict):
        return []
    return [(str(group), content) for group, content in signals.items() if isinstance(content, dict)]


def _check_switched_off(document: dict[Any, Any], template: dict[Any, Any], lines: Lines, name: str) -> None:
    known = dict(_signal_groups(template))
    for group, content in _signal_groups(document):
        for signal, value in content.items():
            if _is_off(value) and signal not in known.get(group, {}):
                raise PlaybookError(
                    f"there is no {group} signal {signal!r} to switch off.",
                    where=_at(name, lines, ("signals", group, signal)),
                    todo=_did_you_mean(str(signal), list(known.get(group, {}))),
                )


def _without_switched_off(document: dict[Any, Any]) -> dict[Any, Any]:
    groups = {g: {k: v for k, v in content.items() if not _is_off(v)} for g, content in _signal_groups(document)}
    return {**document, "signals": {**document["signals"], **groups}} if groups else document


def _is_off(value: object) -> bool:
    return any(value is off for off in OFF) or value == "off"


def _check_roles(playbook: Playbook, lines: Lines, name: str) -> None:
    for group, signals in (("person", playbook.signals.person), ("account", playbook.signals.account)):
        for signal_name, signal in signals.items():
            for role in signal.measure.roles_used():
                if role not in playbook.roles:
                    raise PlaybookError(
                        f"the {group} signal {signal_name!r} uses the role {role!r}, which `roles` does not have.",
                        where=_at(name, lines, ("signals", group, signal_name, "measure", "role")),
                        todo=_did_you_mean(role, list(playbook.roles)) or "Add it under `roles`.",
                    )


def _explain_all(error: ValidationError, lines: Lines, name: str) -> str:
    messages = [_explain(detail, lines, name) for detail in error.errors()]
    return "\n".join(dict.fromkeys(messages))


def _explain(detail: Any, lines: Lines, name: str) -> str:
    loc: Loc = tuple(detail["loc"])
    key = ".".join(str(part) for part in loc)
    where = _at(name, lines, loc)
    match detail["type"]:
        case "extra_forbidden":
            hint = _did_you_mean(str(loc[-1]), _keys_near(loc))
            return f"{where}: the key {key!r} is not known. {hint}".rstrip()
        case "missing":
            return f"{where}: the key {key!r} is missing."
        case "union_tag_invalid":
            tag = str(detail["ctx"]["tag"])
            hint = _did_you_mean(tag, [t.strip().strip("'") for t in detail["ctx"]["expected_tags"].split(",")])
            return f"{where}: {key}.kind: {tag!r} is no kind of measure. {hint}".rstrip()
        case "union_tag_not_found":
            return f"{where}: {key}: a measure needs `kind`, such as {{kind: count, role: export}}."
        case _:
            return f"{where}: {key}: {detail['msg'].removeprefix('Value error, ')}."


def _at(name: str, lines: Lines, loc: Loc) -> str:
    """`file:line` of the deepest part of the path that stands in the file."""
    parts = list(loc)
    for end in range(len(parts), -1, -1):
        for candidate in (tuple(parts[:end]), tuple(p for p in parts[:end] if p not in _TAGS)):
            if candidate in lines and candidate:
                return f"{name}:{lines[candidate]}"
    return name


def _models(root: type[BaseModel]) -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    queue: list[Any] = [root]
    while queue:
        item = queue.pop()
        if isinstance(item, type) and issubclass(item, BaseModel):
            if item.__name__ not in found:
                found[item.__name__] = item
                queue.extend(field.annotation for field in item.model_fields.values())
        else:
            queue.extend(typing.get_args(item))
    return found


_MODELS = _models(Playbook)
_TAGS = {
    str(typing.get_args(model.model_fields["kind"].annotation)[0])
    for model in _MODELS.values()
    if "kind" in model.model_fields
}


def _keys_near(loc: Loc) -> list[str]:
    """Every key name that the schema knows; close enough for a suggestion."""
    tags = [part for part in loc if part in _TAGS]
    if tags:
        own = [m for m in _MODELS.values() if "kind" in m.model_fields and tags[-1] in _tag_of(m)]
        return [key for model in own for key in model.model_fields]
    if len(loc) == 1:
        return [*Playbook.model_fields, "extends"]
    return sorted({field.alias or key for model in _MODELS.values() for key, field in model.model_fields.items()})


def _tag_of(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(map(str, typing.get_args(model.model_fields["kind"].annotation)))


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else ""
