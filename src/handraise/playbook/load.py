"""Read `handraise.yaml`: lay it over the template, check all of it, and say where a mistake stands.

Nothing half-loads: either a whole `LoadedPlaybook` comes back or a `PlaybookError` that names file, line and key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from handraise.errors import PlaybookError, reason_of
from handraise.playbook.enrichment import Order
from handraise.playbook.reading import Lines, Schema, did_you_mean, explained, read_yaml
from handraise.playbook.schema import Playbook
from handraise.playbook.triggers import InBand, OfSignal, Trigger

FILE_NAME = "handraise.yaml"
OFF = ("off", False, None)
# Parts that decide nothing about a score, and are no part of its hash.
_DECIDES_NO_SCORE = {"warehouse", "handoffs", "enrichment", "rewriting", "alerts"}
_SCHEMA = Schema(Playbook, also=("extends",))
_SIGNAL_DEPTH = 3  # document → signals → person → one signal


@dataclass(frozen=True, kw_only=True)
class LoadedPlaybook:
    """A checked playbook and the name that scores carry.

    Attributes:
        playbook: The checked content.
        content_hash: First 12 hex digits of SHA-256 over the canonical content; comments and order of keys
            that carry no meaning do not change it. What the company decided about acting is no part of it.
        handoffs_hash: The same over everything, the name that decisions carry.
        path: Where it was read from; None for the built-in template.
    """

    playbook: Playbook
    content_hash: str
    handoffs_hash: str
    path: Path | None


def template_text() -> str:
    """The built-in template, as `handraise init` writes it."""
    return resources.files("handraise.playbook").joinpath("template.yaml").read_text(encoding="utf-8")


def load_template() -> LoadedPlaybook:
    """The built-in template as a playbook of its own."""
    return parse_playbook(template_text(), name="template.yaml", path=None)


def load_playbook(path: Path) -> LoadedPlaybook:
    """Read and check one playbook file.

    Raises:
        PlaybookError: The file cannot be read, is not YAML, or says something the schema does not know.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PlaybookError(
            "there is no such file.",
            where=str(path),
            todo="Name a playbook's file or a project's folder; `handraise init .` makes one here.",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise PlaybookError(
            f"the playbook cannot be read ({reason_of(error)}).",
            where=str(path),
            todo="It has to be a UTF-8 text that you may read.",
        ) from error
    return parse_playbook(text, name=path.name, path=path)


def parse_playbook(text: str, *, name: str, path: Path | None) -> LoadedPlaybook:
    """Check the text of a playbook; `name` is what errors call the file.

    Raises:
        PlaybookError: As `load_playbook`.
    """
    document, lines = read_yaml(text, name)
    base = document.pop("extends", "template")
    if base not in ("template", "none"):
        raise PlaybookError(
            f"extends: {base!r} is not known.",
            where=_SCHEMA.at(name, lines, ("extends",)),
            todo="Write template or none.",
        )
    own = set(_part(document, _TRIGGERS))
    if base == "template" or "handoffs" not in document:
        template, _ = read_yaml(template_text(), "template.yaml")
        template.pop("extends", None)
        # Complete files of earlier versions say nothing about acting.
        document.setdefault("handoffs", template["handoffs"])
    if base == "template":
        _check_switched_off(document, template, lines, name)
        document = _lay_over(template, document)
    try:
        playbook = Playbook.model_validate(_without_switched_off(document))
    except ValidationError as error:
        raise explained(error, lines, name, _SCHEMA) from error
    _check_roles(playbook, lines, name)
    playbook = _without_blind_triggers(playbook, own, lines, name)
    content = playbook.model_dump(mode="json", exclude=_DECIDES_NO_SCORE)
    if playbook.enrichment.order != Order():  # who is asked decides nothing about scores; whom to believe does
        content["enrichment_order"] = playbook.enrichment.order.model_dump(mode="json")
    acting = playbook.handoffs.model_dump(mode="json")
    return LoadedPlaybook(
        playbook=playbook, content_hash=_hash(content), handoffs_hash=_hash([content, acting]), path=path
    )


def _hash(content: object) -> str:
    canonical = json.dumps(content, sort_keys=False, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _lay_over(below: Any, above: Any, depth: int = 0) -> Any:
    """Mappings merge key by key down to the parts of one signal; anything deeper is replaced whole."""
    if not (isinstance(below, dict) and isinstance(above, dict)) or depth > _SIGNAL_DEPTH:
        return above
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _lay_over(below.get(key), value, depth + 1) if key in below else value
    return merged


# Mappings whose entries can be switched off: where they stand, and what one entry is called.
_TRIGGERS = ("handoffs", "triggers")
_SWITCHABLE = {
    ("signals", "person"): "person signal",
    ("signals", "account"): "account signal",
    _TRIGGERS: "trigger",
}


def _part(document: dict[Any, Any], at: tuple[str, str]) -> dict[Any, Any]:
    outer = document.get(at[0])
    inner = outer.get(at[1]) if isinstance(outer, dict) else None
    return inner if isinstance(inner, dict) else {}


def _check_switched_off(document: dict[Any, Any], template: dict[Any, Any], lines: Lines, name: str) -> None:
    for at, called in _SWITCHABLE.items():
        known = _part(template, at)
        for entry, value in _part(document, at).items():
            if _is_off(value) and entry not in known:
                raise PlaybookError(
                    f"there is no {called} {entry!r} to switch off.",
                    where=_SCHEMA.at(name, lines, (*at, entry)),
                    todo=did_you_mean(str(entry), list(known)),
                )


def _without_switched_off(document: dict[Any, Any]) -> dict[Any, Any]:
    for at in _SWITCHABLE:
        part = _part(document, at)
        if part:
            kept = {entry: value for entry, value in part.items() if not _is_off(value)}
            document = {**document, at[0]: {**document[at[0]], at[1]: kept}}
    return document


def _is_off(value: object) -> bool:
    return any(value is off for off in OFF) or value == "off"


def _check_roles(playbook: Playbook, lines: Lines, name: str) -> None:
    for group, signals in (("person", playbook.signals.person), ("account", playbook.signals.account)):
        for signal_name, signal in signals.items():
            for role in signal.measure.roles_used():
                if role not in playbook.roles:
                    raise PlaybookError(
                        f"the {group} signal {signal_name!r} uses the role {role!r}, which `roles` does not have.",
                        where=_SCHEMA.at(name, lines, ("signals", group, signal_name, "measure", "role")),
                        todo=did_you_mean(role, list(playbook.roles)) or "Add it under `roles`.",
                    )


def _without_blind_triggers(playbook: Playbook, own: set[str], lines: Lines, name: str) -> Playbook:
    """Without those of the template that read what this playbook does not have.

    Raises:
        PlaybookError: A trigger of the file itself does.
    """
    kept: dict[str, Trigger] = {}
    for trigger_name, trigger in playbook.handoffs.triggers.items():
        missing = list(_missing(playbook, trigger))
        if missing and trigger_name in own:
            what, wanted, known = missing[0]
            raise PlaybookError(
                f"the trigger {trigger_name!r} reads the {what} {wanted!r}, which this playbook does not have.",
                where=_SCHEMA.at(name, lines, (*_TRIGGERS, trigger_name, "when")),
                todo=did_you_mean(wanted, known),
            )
        if not missing:
            kept[trigger_name] = trigger
    return playbook.model_copy(update={"handoffs": playbook.handoffs.model_copy(update={"triggers": kept})})


def _missing(playbook: Playbook, trigger: Trigger) -> Iterator[tuple[str, str, list[str]]]:
    """What a trigger reads and the playbook does not have: what it is, its name, and those that there are."""
    bands, signals = [band.name for band in playbook.bands], list(playbook.signals.account)
    match trigger.when:
        case InBand(band=band) if band not in bands:
            yield "band", band, bands
        case OfSignal(signal=signal) if signal not in signals:
            yield "account signal", signal, signals
        case _:
            yield from (
                ("role", role, [*playbook.roles]) for role in trigger.when.roles_used() if role not in playbook.roles
            )
