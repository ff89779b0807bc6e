"""A company at work: an endless stream of the calls a tracking library would make, with stories that can be followed.

A story is a burst that moves scores: a team that hits its limit, a colleague who is invited and signs up. Between and
among stories goes the everyday use. Same teams and seed, same calls; the clock and the ids of messages are the sender's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeVar

import numpy as np

from handraise.simulate.cast import Person, Team
from handraise.simulate.chance import Stage, stream
from handraise.simulate.vocabulary import (
    DEPARTMENTS,
    FEATURES,
    NAMES,
    NOISE_EVENTS,
    PREMIUM_FEATURES,
    PROPERTY_GROUPS,
    SENIORITIES,
)

# Stories play in so many companies at a time, so that a viewer sees the same ones climb.
FOCUS: Final = 8
NEXT_COMPANY: Final = 0.3
EVERYDAY_AMONG_STORY: Final = 0.3
BREATHER: Final = (4, 10)
FEATURE_SHARE: Final = 0.35

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class LiveCall:
    """One call of a tracking library.

    Attributes:
        kind: Which.
        person_id: Empty for a visitor who is not known yet.
        anonymous_id: Of a visitor; empty for others.
        event: What a `track` call is about.
        workspace_id: Where; empty outside.
        content: Properties of an event, traits of a person or a workspace.
        begins: The story that begins with this call, as a sentence; mostly empty.
    """

    kind: Literal["track", "identify", "group"] = "track"
    person_id: str
    anonymous_id: str = ""
    event: str = ""
    workspace_id: str
    content: dict[str, Any] = field(default_factory=dict)
    begins: str = ""


def live_calls(teams: Sequence[Team], seed: int) -> Iterator[LiveCall]:
    """Calls without end.

    Args:
        teams: From `read_cast`.
        seed: Any non-negative integer.
    """
    play = _Play(teams=teams, seed=seed, rng=stream(seed, Stage.LIVE))
    while True:
        for call in play.next_story():
            while play.rng.random() < EVERYDAY_AMONG_STORY:
                yield play.everyday()
            yield call
        for _ in range(int(play.rng.integers(*BREATHER))):
            yield play.everyday()


class _Play:
    """What the stream remembers: its chance, where stories play, and what people have done."""

    def __init__(self, *, teams: Sequence[Team], seed: int, rng: np.random.Generator) -> None:
        self.rng, self.seed = rng, seed
        self._everybody = [(team, person) for team in teams for person in team.people]
        # A company that is listed by name is one that a viewer finds again.
        stages = [team for team in teams if team.known and team.domain and len(team.people) > 1] or list(teams)
        order = rng.permutation(len(stages))
        self._waiting = [stages[place] for place in order]
        self._focus = [self._waiting.pop(0) for _ in range(min(FOCUS, len(stages)))]
        self._done: set[tuple[str, str]] = set()
        self._stories: list[Callable[[_Play, Team], tuple[str, list[LiveCall]]]] = []
        self._newcomers = 0

    def one(self, among: Sequence[T]) -> T:
        """One of several."""
        return among[int(self.rng.integers(len(among)))]

    def everyday(self) -> LiveCall:
        """Somebody does what everybody does."""
        team, person = self.one(self._everybody)
        if self.rng.random() < FEATURE_SHARE:
            return _track(team, person.person_id, "feature", feature=self.one(FEATURES))
        return _track(team, person.person_id, self.one(NOISE_EVENTS))

    def next_story(self) -> list[LiveCall]:
        """The calls of a story, the first of which says what begins; each kind comes once before any comes again."""
        if not self._stories:
            self._stories = [STORIES[place] for place in self.rng.permutation(len(STORIES))]
        place = int(self.rng.integers(len(self._focus)))
        said, calls = self._stories.pop()(self, self._focus[place])
        if self._waiting and self.rng.random() < NEXT_COMPANY:
            self._waiting.append(self._focus[place])
            self._focus[place] = self._waiting.pop(0)
        return [replace(calls[0], begins=said), *calls[1:]]

    def some(self, team: Team, event: str, most: int, *, executives: bool = False) -> list[Person]:
        """People of a team for whom an event is new, as far as there are any."""
        fresh = [p for p in team.people if event not in p.done and (p.person_id, event) not in self._done]
        pool = fresh or list(team.people)
        pool = [p for p in pool if executives and p.executive] or pool
        chosen = [pool[place] for place in self.rng.permutation(len(pool))[:most]]
        self._done.update((p.person_id, event) for p in chosen)
        return chosen

    def properties(self, event: str) -> dict[str, Any]:
        """Some of those that an event may carry."""
        found: dict[str, Any] = json.loads(self.one(PROPERTY_GROUPS[event]))
        return found

    def newcomer(self) -> int:
        """The number of the next person who joins."""
        self._newcomers += 1
        return self._newcomers


def _track(team: Team, person_id: str, event: str, **properties: Any) -> LiveCall:
    return LiveCall(person_id=person_id, event=event, workspace_id=team.workspace_id, content=properties)


def _people(count: int, team: Team) -> str:
    return f"{count} people of {team.company}" if count > 1 else f"somebody of {team.company}"


def _called(person: Person, team: Team) -> str:
    return f"{person.name or 'somebody'} of {team.company}"


def _adoption(play: _Play, team: Team) -> tuple[str, list[LiveCall]]:
    """A team takes up a paid feature, and two more."""
    people = play.some(team, "premium_feature", 4)
    features = [PREMIUM_FEATURES[place] for place in play.rng.permutation(len(PREMIUM_FEATURES))[:3]]
    calls = [_track(team, p.person_id, "premium_feature", feature=feature) for feature in features for p in people]
    return f"{_people(len(people), team)} took up {features[0].replace('_', ' ')}", calls


def _limit(play: _Play, team: Team) -> tuple[str, list[LiveCall]]:
    """People run into what their plan allows; one looks what more costs."""
    people = play.some(team, "limit_reached", 3)
    metric = play.properties("limit_reached")
    calls = [_track(team, p.person_id, "limit_reached", **metric) for p in people]
    calls.append(_track(team, people[0].person_id, "pricing_view"))
    return f"{_people(len(people), team)} hit their limit", calls


def _upgrade(play: _Play, team: Team) -> tuple[str, list[LiveCall]]:
    """Somebody studies the prices, starts an upgrade, and asks about the bill."""
    [person] = play.some(team, "pricing_view", 1)
    views = [_track(team, person.person_id, "pricing_view") for _ in range(3)]
    started = _track(team, person.person_id, "upgrade_started", **play.properties("upgrade_started"))
    asked = _track(team, person.person_id, "billing_question")
    return f"{_called(person, team)} studied the prices and started an upgrade", [*views, started, asked]


def _enterprise(play: _Play, team: Team) -> tuple[str, list[LiveCall]]:
    """Somebody, an executive if there is one, asks for what only an enterprise plan has."""
    [person] = play.some(team, "enterprise_request", 1, executives=True)
    [admin] = play.some(team, "admin_change", 1)
    wanted = play.properties("enterprise_request")
    calls = [
        _track(team, person.person_id, "enterprise_request", **wanted),
        _track(team, person.person_id, "legal_view", page="dpa"),
        _track(team, admin.person_id, "admin_change"),
    ]
    return f"{_called(person, team)} asked for {wanted['request'].replace('_', ' ')}", calls


def _integration(play: _Play, team: Team) -> tuple[str, list[LiveCall]]:
    """People connect the product with others, and take work outside."""
    people = play.some(team, "api_or_integration", 2)
    used = play.properties("api_or_integration")
    calls = [_track(team, p.person_id, "api_or_integration", **used) for p in people]
    calls.append(_track(team, people[0].person_id, "export", **play.properties("export")))
    calls.append(_track(team, people[0].person_id, "external_share"))
    return f"{_people(len(people), team)} connected {used['integration'].replace('_', ' ')}", calls


def _invitation(play: _Play, team: Team) -> tuple[str, list[LiveCall]]:
    """Somebody invites colleagues, who look around, sign up and begin."""
    [inviter] = play.some(team, "invite_sent", 1)
    count = int(play.rng.integers(1, 4))
    calls = [_track(team, inviter.person_id, "invite_sent", count=count)]
    for _ in range(count):
        calls += _arrival(play, team)
    colleagues = "a colleague" if count == 1 else f"{count} colleagues"
    return f"{_called(inviter, team)} invited {colleagues}", calls


def _arrival(play: _Play, team: Team) -> list[LiveCall]:
    number = play.newcomer()
    who, before = f"p-live-{play.seed}-{number:04d}", f"anon-live-{play.seed}-{number:04d}"
    department = play.one(DEPARTMENTS)
    seniority, title = play.one(SENIORITIES)
    given, family, _ = NAMES[0]
    traits = {
        "name": f"{play.one(given)} {play.one(family)}",
        "title": title.format(department),
        "department": department,
        "seniority": seniority,
        **({"email": f"live.{play.seed}.{number}@{team.domain}"} if team.domain else {}),
    }
    joins = LiveCall(kind="group", person_id=who, workspace_id=team.workspace_id)
    return [
        LiveCall(person_id="", anonymous_id=before, event="pricing_view", workspace_id=""),
        replace(joins, kind="identify", anonymous_id=before, content=traits),
        joins,
        replace(joins, kind="track", anonymous_id=before, event="signed_up"),
        _track(team, who, "onboarding_started"),
        _track(team, who, "feature", feature=play.one(FEATURES)),
        _track(team, who, "activation"),
    ]


STORIES: Final = (_adoption, _limit, _upgrade, _enterprise, _integration, _invitation)
