"""A company's own examples of its playbook: a person with these events gets these points.

The file stands beside the playbook as `handraise.tests.yaml`. Its models are its reference; like the playbook it
loads whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from handraise.errors import PlaybookError, reason_of
from handraise.playbook.measures import Employees, Icp, Industry
from handraise.playbook.moments import Moments, OneMoment
from handraise.playbook.reading import Lines, Loc, Schema, did_you_mean, explained, read_yaml
from handraise.playbook.schema import Playbook
from handraise.playbook.section import Section

EXAMPLES_FILE = "handraise.tests.yaml"
# Times relative to as-of mean the same on any day; examples without a day of their own are scored as of this one.
ANY_DAY = date(2026, 1, 1)
Points = int | Literal["blind"]


class EventLine(Section):
    """Events of one name.

    Attributes:
        event: The name, as the product sends it, or a role.
        at: When: one time, a list, or a range.
        times: How many at each of these times.
        properties: Their properties.
        workspace: Where in the account; each name is a workspace of its own.
    """

    event: Annotated[str, Field(min_length=1)]
    at: Moments
    times: Annotated[int, Field(ge=1, le=10_000)] = 1
    properties: dict[str, Any] = Field(default_factory=dict)
    workspace: str = "main"


class ExamplePerson(Section):
    """Columns of the people file; `created` is when they signed up."""

    email: str | None = None
    name: str | None = None
    title: str | None = None
    department: str | None = None
    seniority: str | None = None
    created: OneMoment = None


class PersonExpectation(Section):
    """What a person must get; only what is named is checked."""

    score: int | None = None
    band: str | None = None
    behaviour_points: int | None = None
    is_pql: bool | None = None
    points: dict[str, Points] = Field(default_factory=dict)


class AccountExpectation(Section):
    """What the account must get; only what is named is checked."""

    score: int | None = None
    tier: int | None = None
    segment: str | None = None
    is_pqa: bool | None = None
    active_people: int | None = None
    people_points: int | None = None
    account_points: int | None = None
    firmographic_points: int | None = None
    points: dict[str, Points] = Field(default_factory=dict)


class Expectation(PersonExpectation):
    """What the example's person, and under `account` the account, must get."""

    account: AccountExpectation | None = None

    @model_validator(mode="after")
    def _expects_something(self) -> Expectation:
        if not self.model_fields_set:
            raise ValueError("name at least one thing that is expected, such as score, band or points")
        return self


class Colleague(ExamplePerson):
    """Somebody else in the account, or `count` people alike."""

    count: Annotated[int, Field(ge=1, le=1000)] = 1
    events: tuple[EventLine, ...] = ()
    expect: PersonExpectation | None = None


class ExampleAccount(Section):
    """Columns of the accounts file."""

    employees: int | None = None
    industry: str | None = None
    country: str | None = None
    icp: bool | None = None
    created: OneMoment = None


class ExampleSubscription(Section):
    """A subscription of the account."""

    plan: str = "paid"
    started: OneMoment
    ended: OneMoment = None
    mrr: float | None = None
    seats: int | None = None


class ExampleLimit(Section):
    """A reading of a plan limit of the account."""

    metric: str
    used: float
    quota: float
    at: OneMoment


class Example(Section):
    """A person in an account, what happened, and what they must get.

    Attributes:
        name: What the example shows, in words.
        as_of: The day scored; needed only for absolute times.
        without: Inputs or columns that the company has not loaded; signals that need them are blind.
        person: The person the example is about.
        account: Their company.
        events: What the person did.
        colleagues: Who else is there.
        subscriptions: What the company pays for.
        limits: Its usage against plan limits.
        expect: What must come out.
    """

    name: Annotated[str, Field(min_length=1)]
    as_of: date | None = None
    without: tuple[str, ...] | None = None
    person: ExamplePerson = ExamplePerson()
    account: ExampleAccount = ExampleAccount()
    events: tuple[EventLine, ...] = ()
    colleagues: tuple[Colleague, ...] = ()
    subscriptions: tuple[ExampleSubscription, ...] = ()
    limits: tuple[ExampleLimit, ...] = ()
    expect: Expectation


class ExampleFile(Section):
    """A file of examples; `as_of` and `without` serve all examples that do not say otherwise."""

    as_of: date | None = None
    without: tuple[str, ...] = ()
    examples: tuple[Example, ...]

    @model_validator(mode="after")
    def _has_examples(self) -> ExampleFile:
        if not self.examples:
            raise ValueError("there is no example in it")
        return self


@dataclass(frozen=True, kw_only=True)
class PlacedExample:
    """An example with what its file says for it.

    Attributes:
        file: The file's name.
        line: Where the example starts.
        as_of: The day scored.
        without: Inputs and columns that are not loaded.
        example: Its content.
    """

    file: str
    line: int
    as_of: date
    without: frozenset[str]
    example: Example


_SCHEMA = Schema(ExampleFile)


def load_examples(path: Path, playbook: Playbook, removable: Mapping[str, frozenset[str]]) -> list[PlacedExample]:
    """Read and check one file of examples.

    Args:
        path: The file.
        playbook: Names of signals, bands and tiers must be its.
        removable: Input → columns that `without` may name.

    Raises:
        PlaybookError: The file cannot be read, or says something that it cannot; names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlaybookError(f"the examples cannot be read ({reason_of(error)}).", where=str(path)) from error
    document, lines = read_yaml(text, path.name, "a file of examples")
    try:
        file = ExampleFile.model_validate(document)
    except ValidationError as error:
        raise explained(error, lines, path.name, _SCHEMA) from error
    mistakes = tuple(_mistakes(file, playbook, removable, _Where(name=path.name, lines=lines)))
    if mistakes:
        raise PlaybookError("\n".join(map(str, mistakes)), mistakes=mistakes)
    return [
        PlacedExample(
            file=path.name,
            line=lines["examples", number],
            as_of=example.as_of or file.as_of or ANY_DAY,
            without=frozenset(file.without if example.without is None else example.without),
            example=example,
        )
        for number, example in enumerate(file.examples)
    ]


@dataclass(frozen=True, kw_only=True)
class _Where:
    """Where things stand in the file."""

    name: str
    lines: Lines

    def unknown(self, what: str, word: object, known: list[str], loc: Loc) -> PlaybookError:
        """A name that stands for nothing."""
        hint = did_you_mean(str(word), known) or f"Known: {', '.join(known)}."
        where = _SCHEMA.at(self.name, self.lines, loc)
        return PlaybookError(f"there is no {what} {str(word)!r}.", where=where, todo=hint)


def _mistakes(
    file: ExampleFile, playbook: Playbook, removable: Mapping[str, frozenset[str]], at: _Where
) -> Iterator[PlaybookError]:
    yield from _wrong_inputs(file.without, removable, ("without",), at)
    for number, example in enumerate(file.examples):
        loc: Loc = ("examples", number)
        yield from _wrong_inputs(example.without or (), removable, (*loc, "without"), at)
        yield from _wrong_names(example, playbook, loc, at)
        if example.as_of is None and file.as_of is None and any(isinstance(m, datetime) for m in _moments_of(example)):
            where = _SCHEMA.at(at.name, at.lines, loc)
            yield PlaybookError("an absolute time needs `as_of`, the day to score.", where=where)


def _wrong_inputs(
    without: tuple[str, ...], removable: Mapping[str, frozenset[str]], loc: Loc, at: _Where
) -> Iterator[PlaybookError]:
    known = [*removable, *(f"{name}.{column}" for name, columns in removable.items() for column in sorted(columns))]
    for number, name in enumerate(without):
        if name not in known:
            yield at.unknown("input or column to leave out,", name, known, (*loc, number))


def _wrong_names(example: Example, playbook: Playbook, loc: Loc, at: _Where) -> Iterator[PlaybookError]:
    person = list(playbook.signals.person)
    fit = [n for n, s in playbook.signals.person.items() if isinstance(s.measure, Employees | Industry | Icp)]
    bands = [band.name for band in playbook.bands]
    expected: list[tuple[Loc, PersonExpectation]] = [((*loc, "expect"), example.expect)]
    for number, colleague in enumerate(example.colleagues):
        if colleague.expect is not None:
            expected.append(((*loc, "colleagues", number, "expect"), colleague.expect))
    for place, wanted in expected:
        yield from _wrong_signals("person", wanted.points, person, place, at)
        if wanted.band is not None and wanted.band not in bands:
            yield at.unknown("band", wanted.band, bands, (*place, "band"))
    account, place = example.expect.account, (*loc, "expect", "account")
    if account is None:
        return
    yield from _wrong_signals("account", account.points, ["people", *playbook.signals.account, *fit], place, at)
    for key, known in (
        ("tier", [tier.tier for tier in playbook.tiers]),
        ("segment", [segment.name for segment in playbook.segments]),
    ):
        wish = getattr(account, key)
        if wish is not None and wish not in known:
            yield at.unknown(key, wish, list(map(str, known)), (*place, key))


def _wrong_signals(
    entity: str, points: dict[str, Points], known: list[str], loc: Loc, at: _Where
) -> Iterator[PlaybookError]:
    for signal in points:
        if signal not in known:
            yield at.unknown(f"{entity} signal", signal, known, (*loc, "points", signal))


def _moments_of(example: Example) -> Iterator[object]:
    """Every time that an example names."""
    yield from (example.person.created, example.account.created)
    yield from (moment for s in example.subscriptions for moment in (s.started, s.ended))
    yield from (limit.at for limit in example.limits)
    yield from (colleague.created for colleague in example.colleagues)
    lines = [*example.events, *(line for colleague in example.colleagues for line in colleague.events)]
    yield from (moment for line in lines for moment in line.at)
