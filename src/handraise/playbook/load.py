"""Read `handraise.yaml`: lay it over the template, check all of it, and say where a mistake stands.

Nothing half-loads: either a whole `LoadedPlaybook` comes back or a `PlaybookError` that names file, line and key.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from handraise.errors import PlaybookError
from handraise.playbook.reading import Lines, Schema, did_you_mean, explained, read_yaml
from handraise.playbook.schema import Playbook

FILE_NAME = "handraise.yaml"
OFF = ("off", False, None)
_SCHEMA = Schema(Playbook, also=("extends",))
_SIGNAL_DEPTH = 3  # document → signals → person → one signal


@dataclass(frozen=True, kw_only=True)
class LoadedPlaybook:
    """A checked playbook and the name that scores carry.

    Attributes:
        playbook: The checked content.
        content_hash: First 12 hex digits of SHA-256 over the canonical content; comments and order of keys
            that carry no meaning do not change it.
        path: Where it was read from; None for the built-in template.
    """

    playbook: Playbook
    content_hash: str
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
    except (OSError, UnicodeDecodeError) as error:
        raise PlaybookError(
            f"the playbook cannot be read ({error}).",
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
    if base == "template":
        template, _ = read_yaml(template_text(), "template.yaml")
        template.pop("extends", None)
        _check_switched_off(document, template, lines, name)
        document = _lay_over(template, document)
    try:
        playbook = Playbook.model_validate(_without_switched_off(document))
    except ValidationError as error:
        raise explained(error, lines, name, _SCHEMA) from error
    _check_roles(playbook, lines, name)
    content = playbook.model_dump(mode="json", exclude={"warehouse"})
    canonical = json.dumps(content, sort_keys=False, ensure_ascii=False, separators=(",", ":"))
    return LoadedPlaybook(
        playbook=playbook, content_hash=hashlib.sha256(canonical.encode()).hexdigest()[:12], path=path
    )


def _lay_over(below: Any, above: Any, depth: int = 0) -> Any:
    """Mappings merge key by key down to the parts of one signal; anything deeper is replaced whole."""
    if not (isinstance(below, dict) and isinstance(above, dict)) or depth > _SIGNAL_DEPTH:
        return above
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _lay_over(below.get(key), value, depth + 1) if key in below else value
    return merged


def _signal_groups(document: dict[Any, Any]) -> list[tuple[str, dict[Any, Any]]]:
    signals = document.get("signals")
    if not isinstance(signals, dict):
        return []
    return [(str(group), content) for group, content in signals.items() if isinstance(content, dict)]


def _check_switched_off(document: dict[Any, Any], template: dict[Any, Any], lines: Lines, name: str) -> None:
    known = dict(_signal_groups(template))
    for group, content in _signal_groups(document):
        for signal, value in content.items():
            if _is_off(value) and signal not in known.get(group, {}):
                raise PlaybookError(
                    f"there is no {group} signal {signal!r} to switch off.",
                    where=_SCHEMA.at(name, lines, ("signals", group, signal)),
                    todo=did_you_mean(str(signal), list(known.get(group, {}))),
                )


def _without_switched_off(document: dict[Any, Any]) -> dict[Any, Any]:
    groups = {g: {k: v for k, v in content.items() if not _is_off(v)} for g, content in _signal_groups(document)}
    return {**document, "signals": {**document["signals"], **groups}} if groups else document


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
