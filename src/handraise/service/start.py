"""Start a project from the data that is there: a playbook whose roles are proposed from the events' names."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from handraise.errors import InputError
from handraise.events.profile import EventUse, Pages, PageUse, Profile, profile_files
from handraise.events.sources import survey
from handraise.playbook.load import FILE_NAME, load_template, parse_playbook, template_text
from handraise.playbook.propose import PASSIVE, Proposal, is_page_view, propose, propose_page, vocabulary
from handraise.service.folder import create_project
from handraise.warehouse.engine import Warehouse

MOST_UNPLACED = 60
MOST_PER_ROLE = 30
_SHOWN_VALUES = 3
_LONGEST_SHOWN = 80
_LONGEST_VALUE = 24
_MAYBE = "maybe"
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]+")
_OF_VENDORS = ("$", "ga_", "mp_", "[Amplitude]", "context_", "engagement_time")


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One event (or the views of one page) and what it is taken for."""

    event: EventUse
    proposal: Proposal
    count: int


@dataclass(frozen=True, kw_only=True)
class Start:
    """What `init --from` did.

    Attributes:
        file: The playbook written.
        profile: What the files hold.
        placed: Events with a proposed role, the surest first.
        unplaced: Events without.
        passed_over: Files that no format knows.
    """

    file: Path
    profile: Profile
    placed: list[Placed]
    unplaced: list[EventUse]
    passed_over: list[Path]


def start_from(folder: Path, paths: list[Path], progress: Callable[[str, float], None] | None = None) -> Start:
    """Profile the events of files and write a playbook that maps their names to roles.

    Raises:
        ProjectError: There is a playbook already, or the folder cannot be written.
        InputError: A path is wrong, a file cannot be read, or no file holds events.
    """
    create_project(folder, check_only=True)
    found = survey(paths)
    words = vocabulary()
    wanted = "|".join(pattern.pattern for _, pattern in words.page_roles).replace("$", r"/?([?#].*)?$")
    pages = Pages(names=words.page_names, addresses=words.page_addresses, wanted=wanted)
    with tempfile.TemporaryDirectory(prefix="handraise-") as scratch:
        warehouse = Warehouse.open(Path(scratch) / "profile.duckdb", memory="1100MB")
        try:
            profile = profile_files(warehouse, found.files, pages, progress)
        finally:
            warehouse.close()
    if not profile.uses:
        raise InputError(
            "no events were found.",
            where=", ".join(map(str, paths)),
            todo="Name the files with your events; `handraise init` without --from starts from the bare template.",
        )
    roles = list(load_template().playbook.roles)
    placed, unplaced = _place(profile, roles)
    text = _playbook(paths, profile, roles, placed, unplaced)
    parse_playbook(text, name=FILE_NAME, path=None)
    file = create_project(folder, text)
    return Start(file=file, profile=profile, placed=placed, unplaced=unplaced, passed_over=found.passed_over)


def _place(profile: Profile, roles: list[str]) -> tuple[list[Placed], list[EventUse]]:
    placed: list[Placed] = []
    unplaced: list[EventUse] = []
    by_name = {use.name: use for use in profile.uses}
    pages_placed = [item for page in _one_address(profile.pages) if (item := _page(page, by_name)) is not None]
    viewed = {item.event.name for item in pages_placed}
    for use in profile.uses:
        if is_page_view(use.name):
            proposal = None
        else:
            proposal = _named_like(use.name, roles) or propose(use.name, _properties(use))
        if proposal is not None:
            placed.append(Placed(event=use, proposal=proposal, count=use.count))
        elif use.name not in viewed:
            unplaced.append(use)
    return [*placed, *pages_placed], unplaced


def _named_like(name: str, roles: list[str]) -> Proposal | None:
    return Proposal(role=name, level="sure", why="it has the role's own name") if name in roles else None


def _one_address(pages: list[PageUse]) -> list[PageUse]:
    """Of several properties that hold the same address, the shortest form: a path rather than a URL."""
    order = {key: place for place, key in enumerate(vocabulary().page_addresses)}
    best: dict[str, int] = {}
    for page in pages:
        best[page.name] = min(best.get(page.name, len(order)), order[page.key])
    return [page for page in pages if order[page.key] == best[page.name]]


def _page(page: PageUse, by_name: dict[str, EventUse]) -> Placed | None:
    proposal = propose_page(page.name, page.key, page.value)
    if proposal is None or page.name not in by_name:
        return None
    return Placed(event=by_name[page.name], proposal=proposal, count=page.count)


def _properties(use: EventUse) -> dict[str, set[str]]:
    """Property → values in the samples."""
    found: dict[str, set[str]] = {}
    for sample in use.samples:
        for key, value in _members(sample):
            found.setdefault(key, set()).add(value)
    return found


def _members(sample: str) -> list[tuple[str, str]]:
    try:
        document = json.loads(sample)
    except (ValueError, RecursionError):
        return []
    plain = {key: value for key, value in document.items() if value is not None and value != ""}
    return [(key, v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)) for key, v in plain.items()]


# --- the playbook's text ---------------------------------------------------------------------


def _playbook(
    paths: list[Path], profile: Profile, roles: list[str], placed: list[Placed], unplaced: list[EventUse]
) -> str:
    """The template with its `roles` and `passive_events` replaced by what was found."""
    text = template_text()
    start = text.index("# Role: [events].")
    end = text.index("# Canonical column: your column")
    return (
        text[:start]
        + "\n".join([*_roles(paths, profile, roles, placed), "", *_left(profile, unplaced), ""])
        + "\n"
        + text[end:]
    )


def _roles(paths: list[Path], profile: Profile, roles: list[str], placed: list[Placed]) -> list[str]:
    lines = [
        f"# Proposed from {shown(', '.join(map(str, paths)))}: {_number(profile.names, 'event name', 'event names')}.",
        "# `sure`: the name says it. `likely`: in most products. `maybe` stands in a comment: take the # away if it is so.",
        "# Read each line, and take out what is wrong; a wrong role gives wrong points.",
        "roles:",
    ]
    for role in roles:
        lines += _role(role, [item for item in placed if item.proposal.role == role])
    passive = [item for item in placed if item.proposal.role == PASSIVE]
    shipped = ["email_delivered", "email_opened", "invite_received"]
    own = [item for item in passive if item.proposal.level != _MAYBE and item.event.name not in shipped]
    lines += ["", "# Events that happen to a person; they do not make anybody active.", "passive_events:"]
    lines += [f"  - {name}" for name in shipped]
    lines += [f"  - {_scalar(item.event.name)}  # {_why(item)}" for item in own]
    lines += [f"  # - {_scalar(item.event.name)}  # {_why(item)}" for item in passive if item.proposal.level == _MAYBE]
    return lines


def _role(role: str, items: list[Placed]) -> list[str]:
    """A role's line or lines; an event of the role's own name needs no mapping."""
    own = [item for item in items if item.event.name == role and not item.proposal.where]
    mapped = [item for item in items if item not in own]
    listed, more = mapped[:MOST_PER_ROLE], mapped[MOST_PER_ROLE:]
    sure = [item for item in listed if item.proposal.level != _MAYBE]
    lines = [f"  {role}:" if sure else f"  {role}: []"]
    lines += [f"    - {_entry(item)}  # {_why(item)}" for item in sure]
    lines += [f"    # {_scalar(item.event.name)} needs no line: {_why(item)}" for item in own]
    lines += [f"    # - {_entry(item)}  # {_why(item)}" for item in listed if item not in sure]
    if more:
        lines.append(f"    # and {len(more):,} more, such as {shown(_scalar(more[0].event.name))}")
    return lines


def _entry(item: Placed) -> str:
    proposal, name = item.proposal, _scalar(item.event.name)
    if not proposal.where and proposal.feature is None:
        return name
    parts = [f"event: {name}"]
    if proposal.where:
        parts.append("where: {" + ", ".join(f"{_scalar(key)}: {_scalar(value)}" for key, value in proposal.where) + "}")
    if proposal.feature is not None:
        parts.append(f"feature: {_scalar(proposal.feature)}")
    return "{" + ", ".join(parts) + "}"


def _why(item: Placed) -> str:
    proposal = item.proposal
    if proposal.where and is_page_view(item.event.name):
        return f"{proposal.level}: {shown(proposal.why)}; {_number(item.count, 'event', 'events')}"
    return f"{proposal.level}: {shown(proposal.why)}; {_use(item.event)}"


def _left(profile: Profile, unplaced: list[EventUse]) -> list[str]:
    if not unplaced:
        return ["# Every event that was found has a role."]
    lines = [
        "# Events that nothing was proposed for. If one of them means something to sales, add it to its role above."
    ]
    lines += [f"#   {shown(_scalar(use.name))}: {_use(use)}" for use in unplaced[:MOST_UNPLACED]]
    more = len(unplaced) - MOST_UNPLACED + profile.names - len(profile.uses)
    if len(unplaced) > MOST_UNPLACED or profile.names > len(profile.uses):
        lines.append(f"#   and {max(more, profile.names - len(profile.uses)):,} more names, all of them less frequent")
    return lines


def _use(use: EventUse) -> str:
    properties = []
    # What the vendor's library adds by itself comes last.
    for key, values in sorted(_properties(use).items(), key=lambda item: (item[0].startswith(_OF_VENDORS), item[0])):
        some = ", ".join(sorted(value[:_LONGEST_VALUE] for value in values)[:_SHOWN_VALUES])
        properties.append(f"{key}={some}")
    said = f"{_number(use.count, 'event', 'events')}, {_number(use.people, 'person', 'people')}"
    said = f"{said}, {use.first:%Y-%m-%d} to {use.last:%Y-%m-%d}"
    return f"{said}; {shown(' · '.join(properties))}" if properties else said


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def shown(text: str) -> str:
    """One line of a comment, whatever the data hold."""
    plain = _UNPRINTABLE.sub(" ", text)
    return plain if len(plain) <= _LONGEST_SHOWN else f"{plain[: _LONGEST_SHOWN - 1]}…"


def _scalar(text: str) -> str:
    """A YAML scalar on one line, quoted where it has to be, also inside `{…}`."""
    if _UNPRINTABLE.search(text):
        return json.dumps(text)
    flow = yaml.safe_dump([text], allow_unicode=True, default_flow_style=True, width=2**30)
    return flow.strip().removeprefix("[").removesuffix("]")
