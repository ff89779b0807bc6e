"""From records to rows: many at a time, and in parts that databases take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")
# Databases allow some ten thousand parameters of a statement.
_AT_ONCE = 500


def columns_of(record: Any) -> dict[str, Any]:
    """A record's attributes by name, as they are: what they hold is not copied."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items, some hundred at a time."""
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
