"""Read a YAML file that a person wrote: the line of every key, and every mistake with its line and a suggestion."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterable
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from handraise.errors import PlaybookError

Loc = tuple[str | int, ...]
_MOST_VALUES = 50_000
_YAML_TODO = "Mend the line. YAML indents with spaces and is saved as UTF-8 text."
Lines = dict[tuple[str | int, ...], int]


_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"


class _Loader(yaml.SafeLoader):
    """Safe YAML in which 1:30 is a text: numbers to the base of sixty mean nothing here, and long ones take for ever."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if tag not in {_INT, _FLOAT}]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    _INT, re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    _FLOAT,
    re.compile(
        r"[-+]?(?:(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?|\.(?:inf|Inf|INF))$|\.(?:nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)


def read_yaml(text: str, name: str, what: str = "a playbook") -> tuple[dict[Any, Any], Lines]:
    """A document, and the line of every key.

    Args:
        text: The file's text.
        name: What errors call the file.
        what: What the file is, for the error that it is none.

    Raises:
        PlaybookError: It is not YAML, not a mapping, or has a key twice.
    """
    lines: Lines = {}
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            return {}, lines
        _note_lines(node, (), lines, name)
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise PlaybookError(
            f"this is not valid YAML: {getattr(error, 'problem', error)}.", where=where, todo=_YAML_TODO
        ) from error
    except RecursionError as error:
        raise PlaybookError(f"{what} is never nested as deeply as this.", where=name) from error
    if not isinstance(document, dict):
        raise PlaybookError(f"{what} is a mapping of keys.", where=f"{name}:1")
    return document, lines


def _note_lines(node: yaml.Node, at: Loc, lines: Lines, name: str, inside: frozenset[int] = frozenset()) -> None:
    """Keep the line of every key; refuse what cannot be a value, a key written twice, and keys that are no text."""
    lines[at] = node.start_mark.line + 1
    where = f"{name}:{lines[at]}"
    _check_aliases(node, lines, where, inside)
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


def _check_aliases(node: yaml.Node, lines: Lines, where: str, inside: frozenset[int]) -> None:
    """Refuse what grows without end, or nearly so: a few lines of aliases to aliases stand for billions of values."""
    if id(node) in inside:
        raise PlaybookError("a value holds itself.", where=where, todo="Write it out.")
    if len(lines) > _MOST_VALUES:
        raise PlaybookError(
            f"there are more than {_MOST_VALUES:,} values, aliases written out.", where=where, todo="Use fewer aliases."
        )


def _in_words(message: str) -> str:
    """A message as a person speaks who has never met Python."""
    said = message.removeprefix("Value error, ")
    return said.replace("a valid tuple", "a list").replace("a valid dictionary", "a mapping of keys")


class Schema:
    """What a kind of file may say: the models under one root."""

    def __init__(self, root: type[BaseModel], also: tuple[str, ...] = ()) -> None:
        """`also` are keys that the root takes besides its fields."""
        self._top = [*root.model_fields, *also]
        self._models = _models(root)
        self._tags = {tag for model in self._models.values() for tag in _tag_of(model)}

    def at(self, name: str, lines: Lines, loc: Loc) -> str:
        """`file:line` of the deepest part of the path that stands in the file."""
        parts = list(loc)
        for end in range(len(parts), -1, -1):
            for candidate in (tuple(parts[:end]), tuple(p for p in parts[:end] if p not in self._tags)):
                if candidate in lines and candidate:
                    return f"{name}:{lines[candidate]}"
        return name

    def keys_near(self, loc: Loc) -> list[str]:
        """Every key name that the schema knows; close enough for a suggestion."""
        tags = [part for part in loc if part in self._tags]
        if tags:
            own = [model for model in self._models.values() if tags[-1] in _tag_of(model)]
            return [key for model in own for key in model.model_fields]
        if len(loc) == 1:
            return self._top
        models = self._models.values()
        return sorted({field.alias or key for model in models for key, field in model.model_fields.items()})


def explained(error: ValidationError, lines: Lines, name: str, schema: Schema) -> PlaybookError:
    """All mistakes that the schema found, each with its line and the nearest right spelling."""
    mistakes = {str(m): m for m in (_mistake(detail, lines, name, schema) for detail in error.errors())}
    return PlaybookError("\n".join(mistakes), mistakes=tuple(mistakes.values()))


def _mistake(detail: Any, lines: Lines, name: str, schema: Schema) -> PlaybookError:
    # Which of several shapes a part was taken for is nothing that the file says.
    loc: Loc = tuple(part for part in detail["loc"] if not str(part).startswith("<"))
    key = ".".join(str(part) for part in loc)
    where = schema.at(name, lines, loc)
    match detail["type"]:
        case "extra_forbidden":
            hint = did_you_mean(str(loc[-1]), schema.keys_near(loc))
            return PlaybookError(f"the key {key!r} is not known.", where=where, todo=hint)
        case "missing":
            return PlaybookError(f"the key {key!r} is missing.", where=where)
        case "union_tag_invalid":
            tag = str(detail["ctx"]["tag"])
            hint = did_you_mean(tag, [t.strip().strip("'") for t in detail["ctx"]["expected_tags"].split(",")])
            return PlaybookError(f"{key}.kind: {tag!r} is no kind of measure.", where=where, todo=hint)
        case "union_tag_not_found":
            said = f"{key}: a measure needs `kind`, such as {{kind: count, role: export}}."
            return PlaybookError(said, where=where)
        case _:
            said = f"{_in_words(detail['msg'])}."
            return PlaybookError(f"{key}: {said}" if key else said, where=where)


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


def _tag_of(model: type[BaseModel]) -> tuple[str, ...]:
    """The kind that a model is told apart by; none for most."""
    kind = model.model_fields.get("kind")
    return tuple(map(str, typing.get_args(kind.annotation))) if kind else ()


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question with the nearest known word; empty when none is near."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else ""
