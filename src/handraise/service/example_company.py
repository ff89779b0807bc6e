"""Examples as rows of the canonical inputs: each one a company whose ids and workspaces are its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from handraise.errors import PlaybookError
from handraise.events.formats.batches import LINE, Batch
from handraise.events.intake import load_rows
from handraise.playbook.examples import EventLine, Example, ExamplePerson, PlacedExample
from handraise.playbook.moments import Moment, instant
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.tables import INPUTS

Row = dict[str, Any]
# What an example can say that a company has not loaded. Ids stay: without them there would be nobody to score.
REMOVABLE = {
    name: frozenset(INPUTS[name].columns) - {"person_id", "account_id", "workspace_id"}
    for name in ("people", "accounts", "subscriptions", "limits")
}


def account_id(number: int) -> str:
    """The account of an example."""
    return f"example {number}"


def person_ids(number: int, example: Example) -> tuple[str, list[list[str]]]:
    """The id of an example's person, and for each line of colleagues their ids."""
    others = [
        [f"colleague {place}.{copy} of {number}" for copy in range(1, colleague.count + 1)]
        for place, colleague in enumerate(example.colleagues, start=1)
    ]
    return f"person of {number}", others


def load_company(warehouse: Warehouse, placed: dict[int, PlacedExample]) -> None:
    """Take the examples in as files would be; all of them have the same `without`.

    Raises:
        PlaybookError: A row is refused, such as a time before 1970; names the example's line.
    """
    without = next(iter(placed.values())).without
    tables: dict[str, list[Row]] = {name: [] for name in ("events", "workspaces", *REMOVABLE)}
    for number, example in placed.items():
        for name, row in _rows(number, example.example, example.as_of):
            tables[name].append({**row, LINE: number})
    for name, rows in tables.items():
        if name in without:
            continue
        columns = [column for column in INPUTS[name].columns if f"{name}.{column}" not in without]
        schema = pa.schema([*((column, pa.string()) for column in columns), (LINE, pa.int64())])
        batch = Batch(rows=pa.Table.from_pylist([_text(row) for row in rows], schema=schema), broken=(), done=1.0)
        load_rows(warehouse, name, f"examples of {name}", batch)
    _check_nothing_refused(warehouse, placed)


def _check_nothing_refused(warehouse: Warehouse, placed: dict[int, PlacedExample]) -> None:
    refused = warehouse.rows(warehouse.table("quarantine").order_by("line").limit(1)).to_pylist()
    if refused:
        row = refused[0]
        example = placed[row["line"]]
        raise PlaybookError(
            f"the example {example.example.name!r} cannot be loaded: {row['input']}: {row['reason']}.",
            where=f"{example.file}:{example.line}",
        )


def _text(row: Row) -> Row:
    """Values as a file would hold them."""
    said = {key: str(value) for key, value in row.items() if value is not None and key != LINE}
    return {**said, LINE: row[LINE]}


def _rows(number: int, example: Example, as_of: date) -> Iterator[tuple[str, Row]]:
    """(input, row) of one example."""
    own, others = person_ids(number, example)
    people: list[tuple[str, ExamplePerson, Sequence[EventLine]]] = [(own, example.person, example.events)]
    for colleague, ids in zip(example.colleagues, others, strict=True):
        people += [(person, colleague, colleague.events) for person in ids]
    workspaces = {line.workspace for _, _, lines in people for line in lines} | {"main"}
    for workspace in sorted(workspaces):
        yield "workspaces", {"workspace_id": _workspace(number, workspace), "account_id": account_id(number)}
    for person, facts, lines in people:
        yield "people", _person(person, facts, number, as_of)
        yield from (("events", row) for row in _events(number, person, lines, as_of))
    yield "accounts", _account(number, example, as_of)
    owner = {"account_id": account_id(number)}
    for subscription in example.subscriptions:
        said = subscription.model_dump(include={"plan", "mrr", "seats"})
        times = {"started_at": _at(subscription.started, as_of), "ended_at": _at(subscription.ended, as_of)}
        yield "subscriptions", {**owner, **said, **times}
    for limit in example.limits:
        said = limit.model_dump(include={"metric", "used", "quota"})
        yield "limits", {**owner, **said, "measured_at": _at(limit.at, as_of)}


def _workspace(number: int, name: str) -> str:
    return f"{name} of {number}"


def _person(person: str, facts: ExamplePerson, number: int, as_of: date) -> Row:
    said = facts.model_dump(include={"email", "name", "title", "department", "seniority"})
    created = {"created_at": _at(facts.created, as_of), "workspace_id": _workspace(number, "main")}
    return {"person_id": person, **said, **created}


def _account(number: int, example: Example, as_of: date) -> Row:
    said = example.account.model_dump(include={"employees", "industry", "country", "icp"})
    return {"account_id": account_id(number), **said, "created_at": _at(example.account.created, as_of)}


def _events(number: int, person: str, lines: Sequence[EventLine], as_of: date) -> Iterator[Row]:
    for place, line in enumerate(lines):
        for which, moment in enumerate(line.at):
            for copy in range(line.times):
                yield {
                    "event_id": f"{person} {place}.{which}.{copy}",
                    "person_id": person,
                    "name": line.event,
                    "timestamp": _at(moment, as_of),
                    "workspace_id": _workspace(number, line.workspace),
                    "properties": json.dumps(line.properties, ensure_ascii=False, default=str),
                }


def _at(moment: Moment | None, as_of: date) -> str | None:
    return None if moment is None else instant(moment, as_of).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
