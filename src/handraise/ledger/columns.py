"""Types of the ledger's columns, the same on SQLite and Postgres: instants, JSON, and texts that both can hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator


def canonical(value: object) -> str:
    """JSON of which there is one form only: sorted keys, no spaces, ASCII.

    Raises:
        ValueError: A number is NaN or infinite.
        TypeError: Something in it is not of JSON.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def storable(text: str) -> str:
    """A text that both databases take: Postgres has no NUL, and neither has lone surrogates."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode("utf-8")


def in_utc(instant: datetime) -> datetime:
    """An instant in UTC.

    Raises:
        ValueError: It has no time zone: nobody could say later which one was meant.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant} has no time zone")
    return instant.astimezone(UTC)


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC; on SQLite as text of one length, which sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Bring it to UTC; SQLite keeps no zone."""
        if value is None:
            return None
        return in_utc(value).replace(tzinfo=None) if dialect.name == "sqlite" else in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """A JSON value as canonical text; None is NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        """Write it in its one form."""
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> object:  # noqa: ARG002 - SQLAlchemy's
        """Read it."""
        return None if value is None else json.loads(value)


class Words(TypeDecorator[str]):
    """Text that somebody else wrote: what a database could not hold is replaced, so that no write fails over it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        """Replace what cannot be stored."""
        return None if value is None else storable(value)
