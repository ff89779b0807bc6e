"""Events that happen at a drawn instant, kept as arrays until the day they are written."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from handraise.simulate.chance import IntArray
from handraise.simulate.company import Span
from handraise.simulate.people import NOBODY
from handraise.simulate.vocabulary import CODE, PROPERTY_SPAN

Codes = npt.NDArray[np.int16]
Rows = npt.NDArray[np.int32]
NO_PROPERTIES = -1


@dataclass(frozen=True, kw_only=True)
class Events:
    """Events as parallel arrays; small integer types, because a large simulation holds millions."""

    at_ms: IntArray
    member: Rows
    """Membership the event belongs to, NOBODY for an anonymous visit."""
    anonymous: Rows
    """Number of the anonymous id the event carries, NOBODY for none."""
    name: Codes
    """Index into EVENT_NAMES."""
    properties: Codes
    """Index into PROPERTIES, NO_PROPERTIES for none."""

    def __len__(self) -> int:
        """Return how many events there are."""
        return len(self.at_ms)

    def take(self, rows: npt.NDArray[np.intp] | slice) -> "Events":
        """Return the events at some positions, in that order."""
        return Events(
            at_ms=self.at_ms[rows],
            member=self.member[rows],
            anonymous=self.anonymous[rows],
            name=self.name[rows],
            properties=self.properties[rows],
        )


def events(
    name: str | npt.NDArray[np.integer],
    at_ms: IntArray,
    member: npt.NDArray[np.integer] | int,
    *,
    properties: npt.NDArray[np.integer] | int = NO_PROPERTIES,
    anonymous: npt.NDArray[np.integer] | int = NOBODY,
) -> Events:
    """Build events at `at_ms`; every other argument is one value for all or an array of the same length."""
    count = len(at_ms)
    code = CODE[name] if isinstance(name, str) else name
    return Events(
        at_ms=at_ms,
        member=np.broadcast_to(member, count).astype(np.int32),
        anonymous=np.broadcast_to(anonymous, count).astype(np.int32),
        name=np.broadcast_to(code, count).astype(np.int16),
        properties=np.broadcast_to(properties, count).astype(np.int16),
    )


def together(parts: Sequence[Events]) -> Events:
    """Put several lots of events one after the other."""
    return Events(
        at_ms=np.concatenate([part.at_ms for part in parts]),
        member=np.concatenate([part.member for part in parts]),
        anonymous=np.concatenate([part.anonymous for part in parts]),
        name=np.concatenate([part.name for part in parts]),
        properties=np.concatenate([part.properties for part in parts]),
    )


def within(lot: Events, span: Span) -> Events:
    """Return the events inside the span, sorted by time (ties keep their order)."""
    inside = np.flatnonzero((lot.at_ms >= span.start_ms) & (lot.at_ms < span.end_ms))
    return lot.take(inside[np.argsort(lot.at_ms[inside], kind="stable")])


def any_property(rng: np.random.Generator, name: str, count: int, share: float = 1.0) -> IntArray:
    """Draw property texts of an event name for `count` events; a part of them (1 - share) has none."""
    first, width = PROPERTY_SPAN[name]
    drawn = first + rng.integers(0, width, count)
    return np.where(rng.random(count) < share, drawn, NO_PROPERTIES)
