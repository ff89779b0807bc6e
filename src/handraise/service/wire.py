"""Questions, answers and errors as bytes, so that one process can ask another that has the project."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from pydantic import BaseModel

from handraise import errors
from handraise.errors import HandraiseError


def encode(value: object) -> bytes:
    """JSON of an answer, or of a question's keywords."""
    return msgspec.json.encode(value, enc_hook=_plain)


def keywords_of(question: Callable[..., Any], content: bytes) -> dict[str, Any]:
    """A question's keywords from JSON.

    Raises:
        HandraiseError: They are not what the question takes.
    """
    hints = _hints(question)
    try:
        raw = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        given = {name: _decode(raw[name], hints[name]) for name in raw}
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        raise HandraiseError(f"the server does not understand the question ({error}).", todo=_SAME) from error
    return given


def answer_of(question: Callable[..., Any], content: bytes) -> Any:
    """An answer from JSON, as the question's function would have returned it.

    Raises:
        HandraiseError: It is something else.
    """
    try:
        return _decode(content, _hints(question)["return"])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise HandraiseError(f"the server's answer cannot be read ({error}).", todo=_SAME) from error


def encode_error(error: HandraiseError) -> bytes:
    """JSON of an error."""
    parts = {"error": type(error).__name__, "what": error.what, "where": error.where, "todo": error.todo}
    parts["retry"] = "yes" if error.retry else "no"
    return msgspec.json.encode(parts)


def error_of(content: bytes) -> HandraiseError:
    """An error from JSON, of the class it was."""
    try:
        parts = msgspec.json.decode(content, type=dict[str, str])
        kind = getattr(errors, parts.get("error", ""), HandraiseError)
        made = kind(parts["what"], where=parts.get("where", ""), todo=parts.get("todo", ""))
    except (msgspec.DecodeError, KeyError, TypeError):
        return HandraiseError("the server failed.", todo="Its own output says why.")
    if not isinstance(made, HandraiseError):
        return HandraiseError(parts["what"])
    made.retry = parts.get("retry") == "yes"
    return made


_SAME = "Use the same version of handraise for the server and the command."


@cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return typing.get_type_hints(inspect.unwrap(function))


def _decode(content: bytes | msgspec.Raw, kind: Any) -> Any:
    return msgspec.json.decode(content, type=kind, dec_hook=_special, strict=False)


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise NotImplementedError(f"a {type(value).__name__} does not travel")


def _special(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    if issubclass(kind, BaseModel):
        return kind.model_validate(value)
    raise NotImplementedError(f"a {kind.__name__} does not travel")
