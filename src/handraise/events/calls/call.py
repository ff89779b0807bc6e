"""One call as its translator sees it, and the reasons for which it is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from handraise.events.calls.json_text import write_json, write_sorted
from handraise.events.calls.keys import IN_ENVELOPE
from handraise.events.calls.limits import CLOCK_SECONDS, FUTURE_MINUTES, ID_BYTES, OLDEST_DAYS
from handraise.events.calls.values import BadCallError, as_id, as_instant, iso, plain_text

Rows = list[tuple[str, dict[str, str]]]  # input → canonical columns
_CLOCK = timedelta(seconds=CLOCK_SECONDS)
_FUTURE = timedelta(minutes=FUTURE_MINUTES)
_OLDEST = timedelta(days=OLDEST_DAYS)
# What differs when the same event is sent again.
_OF_THE_SENDING = frozenset({"sentAt", "sent_at", "stm", *IN_ENVELOPE})
_TOKENS = frozenset({"token", "$token"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call and what is known about its sending.

    Attributes:
        action: The call that the path named (`track`), or empty.
        said: The event.
        shared: What was said for all events of the request; never changed.
        source: Where events of this write key come from; part of ids that are made up.
        received_at: When the request came, UTC without a zone.
    """

    action: str
    said: dict[str, Any]
    shared: Mapping[str, Any]
    source: str
    received_at: datetime

    def part(self, name: str) -> dict[str, Any]:
        """An object of the event; empty where it is missing.

        Raises:
            BadCallError: It is something else.
        """
        found = self.said.get(name)
        if found is None or found == "":
            return {}
        if not isinstance(found, dict):
            raise BadCallError(f"{name} is not a JSON object")
        return found

    def identity(self, *names: str) -> str | None:
        """The first of these ids of the event that is there."""
        for name in names:
            found = as_id(self.said.get(name), name)
            if found is not None:
                return found
        return None

    def at(self, value: object, sent: object, *, name: str = "timestamp") -> datetime:
        """When it happened, by our clock.

        Args:
            value: What the library says; None = it says nothing.
            sent: When it says that it sent the request.
            name: What an error calls `value`.

        Raises:
            BadCallError: It is no time, or too long ago.
        """
        received = self.received_at
        at = as_instant(value, name)
        if at is None:
            return received
        behind = self._behind(sent)
        try:
            at = min(at + behind, received + _FUTURE)
        except OverflowError:
            raise BadCallError(f"{name} is beyond all years") from None
        if at < received - _OLDEST:
            raise BadCallError(f"too old: {name} is more than {OLDEST_DAYS} days before it arrived ({iso(at)})")
        return at

    def _behind(self, sent: object) -> timedelta:
        """How far the sender's clock is behind ours; small differences are the way that the request took."""
        try:
            sent_at = as_instant(sent, "sent")
        except BadCallError:
            return timedelta()
        if sent_at is None:
            return timedelta()
        behind = self.received_at - sent_at
        return behind if abs(behind) > _CLOCK else timedelta()

    def event_id(self, *values: object, dated: bool) -> str:
        """The first id that the library gave, else one made from the content, so that a retry has the same.

        Args:
            values: Where an id may be.
            dated: Whether the event says when it was. Those without id and time differ by the minute of their coming:
                else whatever somebody does again and again would be one event.
        """
        for value in values:
            found = as_id(value, "the event's id")
            if found:
                return found
        kept = {name: value for name, value in self.said.items() if name not in _OF_THE_SENDING}
        minute = "" if dated else f"{self.received_at:%Y-%m-%dT%H:%M}"
        content = f"{self.source}\x1f{self.action}\x1f{minute}\x1f".encode() + write_sorted(kept)
        return hashlib.blake2b(content, digest_size=16).hexdigest()

    def event(
        self,
        *,
        event_id: str,
        who: tuple[str | None, str | None],
        name: object,
        at: datetime,
        workspace: str | None,
        properties: dict[str, Any],
    ) -> Rows:
        """The row of an event.

        Args:
            event_id: Its id.
            who: Person and anonymous id; one of them has to be there.
            name: What happened.
            at: When.
            workspace: Where.
            properties: What the vendor calls its properties; tokens among them are left out.

        Raises:
            BadCallError: It has no name.
        """
        row = {"event_id": event_id, "name": _name(name), "timestamp": iso(at), "received_at": iso(self.received_at)}
        person, anonymous = who
        if person:
            row["person_id"] = person
        if anonymous:
            row["anonymous_id"] = anonymous
        if workspace:
            row["workspace_id"] = workspace
        if not _TOKENS.isdisjoint(properties):
            properties = {key: value for key, value in properties.items() if key not in _TOKENS}
        if properties:
            row["properties"] = write_json(properties).decode()
        return [("events", row)]


def call_of(
    *, action: str, said: dict[str, Any], shared: Mapping[str, Any], source: str, received_at: datetime
) -> Call:
    """A call; `received_at` has a zone, or is UTC."""
    if received_at.tzinfo is not None:
        received_at = received_at.astimezone(UTC).replace(tzinfo=None)
    return Call(action=action, said=said, shared=shared, source=source, received_at=received_at)


def _name(value: object) -> str:
    if isinstance(value, dict | list):
        raise BadCallError("the event's name is not a text")
    name = plain_text(value)
    if name is None:
        raise BadCallError("the event has no name")
    if len(name) > ID_BYTES:
        raise BadCallError(f"the event's name is longer than {ID_BYTES} characters")
    return name
