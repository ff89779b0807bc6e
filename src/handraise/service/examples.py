"""Run a company's own examples on the real path, in a warehouse in memory.

Each example is a company of its own: its workspaces are mapped to its account, so examples cannot meet, and one run
serves all that have the same inputs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handraise.playbook.examples import (
    AccountExpectation,
    PersonExpectation,
    PlacedExample,
    Points,
    load_examples,
)
from handraise.playbook.ladder import Rung
from handraise.playbook.load import LoadedPlaybook
from handraise.playbook.plan import plan_rollups
from handraise.playbook.schema import Playbook, Signal
from handraise.records import ReceiptLine
from handraise.scores import receipt
from handraise.service.example_company import REMOVABLE, account_id, load_company, person_ids
from handraise.service.lists import receipt_line
from handraise.service.refresh import score_as_of
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.tables import create_missing


@dataclass(frozen=True, kw_only=True, slots=True)
class Mismatch:
    """One thing that came out otherwise than expected.

    Attributes:
        of: person, account, or which colleague.
        what: The signal, or score, band, tier and so on.
        expected: What the example says.
        got: What the playbook gives; None = the person or account is not there at as-of.
        because: Why it gives that.
    """

    of: str
    what: str
    expected: Any
    got: Any
    because: str


@dataclass(frozen=True, kw_only=True)
class ExampleResult:
    """What became of one example.

    Attributes:
        file: The file it stands in.
        line: Where it starts.
        name: What it shows.
        passed: Everything expected came out.
        mismatches: What did not.
        person: The person's receipt: lines with points, and blind ones.
        account: The account's receipt.
        notes: What may explain a failure.
    """

    file: str
    line: int
    name: str
    passed: bool
    mismatches: tuple[Mismatch, ...]
    person: tuple[ReceiptLine, ...]
    account: tuple[ReceiptLine, ...]
    notes: tuple[str, ...]


def run_examples(loaded: LoadedPlaybook, files: Iterable[Path]) -> list[ExampleResult]:
    """Every example of the files, in their order.

    Raises:
        PlaybookError: A file cannot be read or has a mistake; no example was run.
    """
    placed = [example for file in files for example in load_examples(file, loaded.playbook, REMOVABLE)]
    groups: dict[frozenset[str], list[int]] = defaultdict(list)
    for number, example in enumerate(placed):
        groups[example.without].append(number)
    results: dict[int, ExampleResult] = {}
    for numbers in groups.values():
        results |= _run_together(loaded, {number: placed[number] for number in numbers})
    return [results[number] for number in range(len(placed))]


def _run_together(loaded: LoadedPlaybook, placed: dict[int, PlacedExample]) -> dict[int, ExampleResult]:
    """Examples with the same inputs, scored in one pass."""
    warehouse = Warehouse.open(None)
    try:
        create_missing(warehouse)
        load_company(warehouse, placed)
        days = sorted({example.as_of for example in placed.values()})
        blind = score_as_of(warehouse, loaded, days).blind
        found = _Found(warehouse, loaded.playbook, blind)
    finally:
        warehouse.close()
    return {number: _result(found, number, example) for number, example in placed.items()}


class _Found:
    """Everything that was scored, by as-of, entity and id."""

    def __init__(self, warehouse: Warehouse, playbook: Playbook, blind: dict[str, str]) -> None:
        self.playbook, self.blind = playbook, blind
        people, accounts = warehouse.table("scored_people"), warehouse.table("scored_accounts")
        self.rows = {(r["as_of"], "person", r["person_id"]): r for r in warehouse.rows(people).to_pylist()}
        self.rows |= {(r["as_of"], "account", r["account_id"]): r for r in warehouse.rows(accounts).to_pylist()}
        self.lines: dict[tuple[Any, str, str], list[ReceiptLine]] = defaultdict(list)
        for rows in (
            receipt.person_receipt(people, playbook, blind, playbook.language),
            receipt.account_receipt(accounts, playbook, blind, playbook.language),
        ):
            for row in warehouse.rows(rows).to_pylist():
                self.lines[row["as_of"], row["entity"], row["id"]].append(receipt_line(row))


def _result(found: _Found, number: int, placed: PlacedExample) -> ExampleResult:
    example, day = placed.example, placed.as_of
    own, others = person_ids(number, example)
    account = (day, "account", account_id(number))
    mismatches = _compared(found, "person", (day, "person", own), example.expect)
    for colleague, ids in zip(example.colleagues, others, strict=True):
        if colleague.expect is not None:
            of = f"colleague {colleague.name or colleague.title or ids[0]}"
            mismatches += _compared(found, of, (day, "person", ids[0]), colleague.expect)
    if example.expect.account is not None:
        mismatches += _compared(found, "account", account, example.expect.account)
    return ExampleResult(
        file=placed.file,
        line=placed.line,
        name=example.name,
        passed=not mismatches,
        mismatches=tuple(mismatches),
        person=tuple(found.lines[day, "person", own]),
        account=tuple(found.lines[account]),
        notes=tuple(_notes(found.playbook, placed)) if mismatches else (),
    )


def _compared(
    found: _Found, of: str, key: tuple[Any, str, str], wanted: PersonExpectation | AccountExpectation
) -> list[Mismatch]:
    """What differs between what is wanted and what was scored; only what is named is held against it."""
    row = found.rows.get(key)
    said: list[tuple[str, Any, Any, str]] = []
    for what in type(wanted).model_fields:
        expected = getattr(wanted, what)
        if expected is None or what in {"points", "account"}:
            continue
        got = row[_COLUMN.get(what, what)] if row else None
        said.append((what, expected, got, _why(found.playbook, what, row)))
    lines = {line.signal: line for line in found.lines[key]}
    for signal, points in wanted.points.items():
        gave = _points(found, signal, row)
        said.append((signal, points, gave, _why_points(found.playbook, signal, row, lines.get(signal))))
    return [
        Mismatch(of=of, what=what, expected=expected, got=got, because=because)
        for what, expected, got, because in said
        if expected != got
    ]


_COLUMN = {"active_people": "team_people"}
_ABSENT = "not there at as-of: no event before it, and no `created` before it"


def _points(found: _Found, signal: str, row: dict[str, Any] | None) -> Points | None:
    if row is None:
        return None
    if signal in found.blind:
        return "blind"
    return int(row["people_points"] if signal == receipt.PEOPLE else row[f"p_{signal}"])


def _why(playbook: Playbook, what: str, row: dict[str, Any] | None) -> str:
    """The facts that decide a label or a sum."""
    if row is None:
        return _ABSENT
    match what:
        case "band":
            bounds = (f"{b.name} from {b.at_least}" for b in playbook.bands if b.at_least is not None)
            return f"score {row['score']}; {', '.join(bounds)}"
        case "is_pql":
            buyer = "can buy" if row["is_buyer"] else "cannot buy: neither title, seniority nor department says so"
            return f"band {row['band']}, {buyer}"
        case "tier" | "is_pqa":
            icp = "yes" if row["icp_match"] else "no"
            people, departments = row["team_people"], row["team_departments"]
            return f"active people {people}, departments {departments}, ICP {icp}, score {row['score']}"
        case "segment":
            return f"employees {row['employees'] or 'unknown'}, active people {row['team_people']}"
        case _:
            return "the lines of the receipt decide it"


def _why_points(playbook: Playbook, signal: str, row: dict[str, Any] | None, line: ReceiptLine | None) -> str:
    """The receipt's sentence; where no rung was reached, the value and the ladder."""
    if row is None:
        return _ABSENT
    if line is not None:
        return line.because
    if signal == receipt.PEOPLE:
        return "nobody has points"
    signals: dict[str, Signal] = {**playbook.signals.person, **playbook.signals.account}
    ladder = ", ".join(_rung(rung) for rung in reversed(signals[signal].ladder))
    value = row[f"v_{signal}"]
    return f"measured {'nothing' if value is None else f'{value:g}'}; the ladder is {ladder}"


def _rung(rung: Rung) -> str:
    return f"{rung.label}: {rung.points}"


def _notes(playbook: Playbook, placed: PlacedExample) -> list[str]:
    """Event names that no signal reads: they make people active and nothing else, or are misspelt."""
    patterns = [pattern for patterns in plan_rollups(playbook).roles.values() for pattern in patterns]
    if any(pattern.event is None for pattern in patterns):
        return []
    read = {pattern.event for pattern in patterns} | set(playbook.passive_events)
    example = placed.example
    lines = [*example.events, *(line for colleague in example.colleagues for line in colleague.events)]
    strangers = sorted({line.event for line in lines} - read)
    return [f"no signal reads these events, except as activity: {', '.join(strangers)}"] if strangers else []
