"""What two playbooks say differently: every key whose value differs, with both values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handraise.playbook.schema import EventPattern, Playbook

# Lists whose items have a name are compared item by item, so that a new band does not shift all that follow.
_NAMED_BY = {"bands": "name", "segments": "name", "tiers": "tier"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """One key that two playbooks set differently.

    Attributes:
        key: Where it stands, parts joined by dots, such as `signals.person.pricing_views.points.>=3`.
        old: The value in the first playbook; None = not there.
        new: The value in the second; None = not there.
    """

    key: str
    old: Any
    new: Any


def settings_changed(old: Playbook, new: Playbook) -> tuple[Setting, ...]:
    """The keys that differ, in the order of the playbook; defaults and the template count as written."""
    return tuple(_differences("", _document(old), _document(new)))


def _document(playbook: Playbook) -> dict[str, Any]:
    """The playbook as plain values, shaped so that what belongs together has the same key."""
    document = playbook.model_dump(mode="json", exclude={"warehouse"})
    for key, name in _NAMED_BY.items():
        document[key] = {str(item[name]): item for item in document[key]}
    document["roles"] = {role: [_pattern(p) for p in patterns] for role, patterns in playbook.roles.items()}
    return document


def _pattern(pattern: EventPattern) -> Any:
    """An event pattern as a person writes it."""
    said = pattern.model_dump(mode="json", exclude_defaults=True)
    return said["event"] if set(said) == {"event"} else said


def _differences(at: str, old: Any, new: Any) -> Iterator[Setting]:
    if old == new:
        return
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield Setting(key=at, old=_short(old), new=_short(new))
        return
    for key in (*old, *(key for key in new if key not in old)):
        yield from _differences(f"{at}.{key}" if at else str(key), old.get(key), new.get(key))


def _short(value: Any) -> Any:
    """A value without what it leaves empty, so that a whole signal reads as it was written."""
    if not isinstance(value, dict):
        return value
    return {key: _short(item) for key, item in value.items() if item not in (None, [], {})}
