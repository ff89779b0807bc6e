"""Which columns the roll-ups need, read off the playbook's signals; roll-ups write them, signals read them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from handraise.playbook import measures as kinds
from handraise.playbook.schema import EventPattern, Playbook

# Counted up when the stored roll-ups change their columns, so that older ones are made anew.
_LAYOUT = 2


@dataclass(frozen=True, kw_only=True)
class RollupPlan:
    """What the roll-ups hold besides everybody's activity.

    Attributes:
        roles: Role → the event patterns that carry it, its own name included.
        counts: Roles counted per day.
        firsts: Roles whose first instant of all history is kept as `first_<role>`.
        lasts: Roles whose last instant of the day is read.
        sums: Column → (role, property, default) of number properties that are added up.
        features: Roles whose feature keys go into `person_feature_days`.
        passive: Names of events that make nobody active.
    """

    roles: dict[str, tuple[EventPattern, ...]]
    counts: tuple[str, ...]
    firsts: tuple[str, ...]
    lasts: tuple[str, ...]
    sums: dict[str, tuple[str, str, float]]
    features: tuple[str, ...]
    passive: tuple[str, ...]

    @property
    def dated(self) -> tuple[str, ...]:
        """Roles that get rows per person and day; roles that only name features do not."""
        return tuple(sorted({*self.counts, *self.firsts, *self.lasts, *(role for role, _, _ in self.sums.values())}))

    @property
    def content_hash(self) -> str:
        """Changes exactly when the roll-ups must be made anew."""
        return hashlib.sha256(f"{_LAYOUT} {self!r}".encode()).hexdigest()[:12]

    def covers(self, needed: RollupPlan) -> bool:
        """Whether roll-ups made by this plan have every column that another plan needs, with the same content."""
        return self.joined(needed) == self

    def joined(self, other: RollupPlan) -> RollupPlan | None:
        """One plan that covers both; None where they mean different things by a role or by `active`."""
        differ = any(patterns != other.roles.get(role, patterns) for role, patterns in self.roles.items())
        if differ or self.passive != other.passive:
            return None
        return RollupPlan(
            roles=dict(sorted({**self.roles, **other.roles}.items())),
            counts=_both(self.counts, other.counts),
            firsts=_both(self.firsts, other.firsts),
            lasts=_both(self.lasts, other.lasts),
            sums=dict(sorted({**self.sums, **other.sums}.items())),
            features=_both(self.features, other.features),
            passive=self.passive,
        )


def _both(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*some, *others}))


def event_role(event: str) -> str:
    """The role name under which a signal's plain `event:` is counted."""
    return f"event_{hashlib.sha256(event.encode()).hexdigest()[:8]}"


def count_role(measure: kinds.Count) -> str:
    """The role that a count reads, also when the playbook names an event directly."""
    return measure.role or event_role(measure.event or "")


def sum_column(role: str, name: str, default: float) -> str:
    """Column of a summed property."""
    return f"sum_{role}_{hashlib.sha256(f'{name}={default}'.encode()).hexdigest()[:6]}"


def patterns_of(playbook: Playbook, role: str) -> tuple[EventPattern, ...]:
    """What carries a role: an event of its own name, and what the playbook maps to it."""
    return (EventPattern(event=role), *playbook.roles.get(role, ()))


def plan_rollups(playbook: Playbook) -> RollupPlan:
    """Collect what all signals of the playbook read."""
    need = _Need()
    for signal in (*playbook.signals.person.values(), *playbook.signals.account.values()):
        need.add(signal.measure)
    need.counts.update(role for trigger in playbook.handoffs.triggers.values() for role in trigger.when.roles_used())
    used = need.counts | need.firsts | need.lasts | need.features | {role for role, _, _ in need.sums.values()}
    roles = {role: patterns_of(playbook, role) for role in sorted(used - set(need.events))}
    direct = {role: (EventPattern(event=event),) for role, event in sorted(need.events.items())}
    return RollupPlan(
        roles={**roles, **direct},
        counts=tuple(sorted(need.counts)),
        firsts=tuple(sorted(need.firsts)),
        lasts=tuple(sorted(need.lasts)),
        sums=dict(sorted(need.sums.items())),
        features=tuple(sorted(need.features)),
        passive=tuple(sorted(playbook.passive_events)),
    )


class _Need:
    """Collects the columns that measures ask for."""

    def __init__(self) -> None:
        self.counts: set[str] = set()
        self.firsts: set[str] = set()
        self.lasts: set[str] = set()
        self.features: set[str] = set()
        self.sums: dict[str, tuple[str, str, float]] = {}
        self.events: dict[str, str] = {}

    def add(self, measure: kinds.Measure) -> None:
        match measure:
            case kinds.Count():
                self.counts.add(count_role(measure))
                if measure.event:
                    self.events[event_role(measure.event)] = measure.event
            case kinds.Sum():
                self._sum(measure.role, measure.property, measure.default)
            case kinds.Volume(role=str(role), property=str(name)):
                self._sum(role, name, 0)
            case kinds.PeopleWith(role=role) | kinds.Volume(role=str(role)):
                self.counts.add(role)
            case kinds.Distinct(roles=roles):
                self.features.update(roles)
            case _:
                self._add_instants(measure)

    def _add_instants(self, measure: kinds.Measure) -> None:
        match measure:
            case kinds.TimeToActivation(sign_up=sign_up, activation=activation):
                self.firsts.update((sign_up, activation))
            case kinds.Abandoned(started=started, completed=completed):
                self.lasts.update((started, completed))
                self.firsts.add(completed)
            case kinds.Lonely(invite=invite):
                self.firsts.add(invite)
            case kinds.FreeOnly(premium=premium, sign_up=sign_up):
                self.firsts.update((premium, sign_up))
            case _:
                pass

    def _sum(self, role: str, name: str, default: float) -> None:
        self.sums[sum_column(role, name, default)] = (role, name, default)
