"""A company's events in the layout of a vendor: as files, and as the tables that stand in a warehouse."""

import json
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from engines.company import company
from formats.writers import WRITERS
from handraise.events.formats.batches import LINE
from handraise.events.formats.files import read_batches
from handraise.events.sources import find_files
from handraise.service.project import Project
from support import DAY, Row, Tables, before, write

SAMPLES = Path(__file__).parents[1] / "formats" / "samples"
INPUTS_FED = ("events", "people", "aliases", "workspaces", "accounts")
CONTEXT = {"context_library_name": "analytics.js"}


def vendor_tables(name: str, folder: Path) -> dict[str, pa.Table]:
    """The tables of a folder of files that are of a format, by the names that they would have in a warehouse."""
    found = {}
    for file in find_files([folder], only=name):
        rows = pa.concat_tables([batch.rows for batch in read_batches(file)], promote_options="default")
        table = "".join(c if c.isalnum() else "_" for c in file.path.name.split(".")[0].lower())
        found[table] = rows.drop_columns([LINE])
    return found


def stored(project: Project) -> dict[str, list[Row]]:
    """What the formats' inputs hold, sorted; properties as what they mean."""
    found: dict[str, list[Row]] = {}
    for name in INPUTS_FED:
        table = project.warehouse.table(name)
        rows = project.warehouse.rows(table.select(*sorted(set(table.columns) - {"day"}))).to_pylist()
        for row in rows:
            if row.get("properties"):
                # Of two of one name the first counts, which is not Python's way.
                row["properties"] = json.loads(row["properties"], object_pairs_hook=lambda pairs: sorted(dict(pairs)))
        found[name] = sorted(rows, key=str)
    columns = project.warehouse.rows(project.warehouse.table("input_columns")).to_pylist()
    found["columns"] = sorted(({**row} for row in columns), key=str)
    return found


def a_company(name: str, folder: Path, count: int = 60) -> tuple[Path, Tables]:
    """The awkward company: events (and for Segment people, groups and aliases) in a vendor's layout, the rest canonical."""
    tables = company(count=count)
    events: list[Row] = [
        {
            **{c: row.get(c) or None for c in ("event_id", "person_id", "anonymous_id", "name", "workspace_id")},
            "timestamp": datetime.fromisoformat(row["timestamp"]),
            "received_at": None,
            "properties": row.get("properties") or "{}",
        }
        for row in tables.pop("events")
    ]
    if name == "segment":
        people, aliases = tables.pop("people"), tables.pop("aliases")
        _calls(folder, people, aliases)
    write(folder, tables)
    WRITERS[name](events, folder)
    return folder, tables


def _calls(folder: Path, people: list[Row], aliases: list[Row]) -> None:
    """Identify, alias and group calls, and the table of users, in the order of time."""
    calls = [
        {
            "id": f"i{number}", "received_at": before(60 * DAY - number * DAY / 24), "user_id": row["person_id"],
            "anonymous_id": f"a{number}" if number < 4 else "", "timestamp": before(60 * DAY - number * DAY / 24), **CONTEXT,
            **{c: row.get(c) or "" for c in ("email", "name", "title", "department", "created_at")},
        }
        for number, row in enumerate([*people, *({**row, "title": "CTO", "name": ""} for row in people[:3])])
    ]  # fmt: skip
    former = [
        {"id": f"l{n}", "received_at": row["at"], "timestamp": row["at"], "previous_id": row["alias_id"],
         "user_id": row["person_id"], **CONTEXT}
        for n, row in enumerate(aliases)
    ]  # fmt: skip
    users = [
        {
            "id": row["person_id"],
            "received_at": before(50 * DAY),
            **CONTEXT,
            "seniority": row.get("seniority") or "",
            "email": "",
        }
        for row in people
    ]
    groups = [
        {"id": f"g{n}", "received_at": before(70 * DAY), "timestamp": before(70 * DAY), "user_id": f"p{n}",
         "group_id": f"w{n % 4}", "name": f"Team {n % 4}", "employees": str(100 * n), "industry": "x", **CONTEXT}
        for n in range(6)
    ]  # fmt: skip
    write(folder, {"identifies": calls, "aliases": former, "users": users, "groups": groups})


def section(name: str, engine: str, schema: str, tables: Tables, *, own: str = "") -> str:
    """The playbook's part: a vendor's schema, and canonical tables of another schema beside it."""
    listed = "".join(f"    {table}: {own}{table}\n" for table in tables)
    return (
        f"\nwarehouse:\n  engine: {engine}\n  connection: OURS\n  sources:\n"
        f"    product: {{format: {name}, schema: {schema}}}\n{listed}"
    )
