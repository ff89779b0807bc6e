"""Facts that a template may say, each noting when it is said: what a text says of somebody's usage is known afterwards.

Two kinds. A `Fact` is about the account's use of the product, or about what somebody asked of us: saying it is a cite.
A plain text (a name, the product) is not. What is not known is `Absent`: it is false, and refuses to be said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handraise.records.drafts import Cite


class AbsentError(ValueError):
    """A template says what is not known of the account."""


class Fact:
    """A value that notes each time it is said.

    Args:
        name: What the template calls it.
        text: As it is said.
        value: As it is compared; None = by its text.
        rests_on: Where it comes from.
    """

    __slots__ = ("_cite", "_noted", "_value")

    def __init__(self, name: str, text: str, rests_on: str, *, value: float | None = None) -> None:
        self._cite = Cite(name=name, text=text, rests_on=rests_on)
        self._value: float | str = text if value is None else value
        self._noted: list[Cite] | None = None

    def noting(self, noted: list[Cite]) -> Fact:
        """The same, which notes here when it is said."""
        self._noted = noted
        return self

    def __str__(self) -> str:
        if self._noted is not None:
            self._noted.append(self._cite)
        return self._cite.text

    def __bool__(self) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(self._value)

    def __eq__(self, other: object) -> bool:
        return bool(self._value == other)

    def __lt__(self, other: float) -> bool:
        return float(self._value) < other

    def __le__(self, other: float) -> bool:
        return float(self._value) <= other

    def __gt__(self, other: float) -> bool:
        return float(self._value) > other

    def __ge__(self, other: float) -> bool:
        return float(self._value) >= other


class Absent:
    """What is not known; false, and no template can say it."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        raise AbsentError(self._name)

    def __iter__(self) -> Iterator[Fact]:
        return iter(())

    def __len__(self) -> int:
        return 0


Value = Fact | Absent | str | tuple[Fact, ...]


class Facts:
    """A group of facts, such as `use`; true where one of them is known.

    Args:
        values: Name → value.
    """

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = dict(values)

    def __bool__(self) -> bool:
        return any(bool(value) for value in self._values.values())

    def __str__(self) -> str:
        raise TypeError("a group of facts is nothing to be said by itself")

    def __getattr__(self, name: str) -> Value:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None

    def noting(self, noted: list[Cite]) -> Facts:
        """The same, whose facts note here when they are said."""
        for value in self._values.values():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, Fact):
                    one.noting(noted)
        return self
