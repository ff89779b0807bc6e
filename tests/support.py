"""What the tests share: a company written row by row, a project in memory or on disk, and scores by id.

Making the path's SQL takes two seconds whatever the number of rows, so tests put all their cases into one company
(`Case` keeps their ids apart) and score it once.
"""

import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from handraise.events.intake import FileCount, load_files
from handraise.events.sources import find_files
from handraise.playbook.load import load_template, parse_playbook
from handraise.scores import history
from handraise.service.export import export_rows
from handraise.service.project import Project
from handraise.service.refresh import score_as_of
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.tables import create_missing
from oracle.scorer import score

T = date(2026, 10, 28)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
TINY = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOON = DAY / 2

Row = dict[str, Any]
Tables = dict[str, list[Row]]

_IDS = ("event_id", "person_id", "anonymous_id", "workspace_id", "account_id")


def before(ago: timedelta, as_of: date = T) -> str:
    """The instant so long before an as-of, as text with its zone."""
    at = datetime.combine(as_of, time(), UTC) - ago
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def ev(name: str = "open", ago: timedelta = NOON, person: str | None = "p", ws: str = "w", **more: Any) -> Row:
    """An event so long before T; `anonymous_id`, `event_id` or `properties` may be added."""
    properties = more.pop("properties", None)
    packed = {"properties": json.dumps(properties)} if properties is not None else {}
    return {"person_id": person or "", "name": name, "timestamp": before(ago), "workspace_id": ws, **packed, **more}


def days(name: str, *ago: int, person: str = "p", ws: str = "w") -> list[Row]:
    """An event at noon of each of the days so many days before T; 0 is the last day before T."""
    return [ev(name, n * DAY + NOON, person, ws) for n in ago]


def weeks(*counts: int, person: str = "p") -> list[Row]:
    """So many events in week 0, 1, 2 and so on."""
    return [ev("open", (7 * week + 3) * DAY, person) for week, count in enumerate(counts) for _ in range(count)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A few rows of their own inside a larger company, and what one signal should give for them.

    Ids and bare domains in the rows get the case's number, so that cases cannot meet. A domain with a dot (such as
    gmail.com) stays as it is.
    """

    title: str
    signal: str
    points: int | None
    value: float | None = None
    events: list[Row] = field(default_factory=list)
    tables: Tables = field(default_factory=dict)
    person: str = "p"
    account: str = "workspace:w"
    as_of: date = T


def own(number: int, row: Row) -> Row:
    """A case's row with ids of its own."""
    made = dict(row)
    for column in _IDS:
        if made.get(column):
            made[column] = own_id(number, made[column])
    if "@" in made.get("email", ""):
        who, _, host = made["email"].rpartition("@")
        made["email"] = f"{who}@{_host(number, host)}"
    for column in ("domain", "domains"):
        if made.get(column):
            made[column] = ";".join(_host(number, host) for host in made[column].split(";"))
    return made


def own_id(number: int, name: str) -> str:
    """A case's id; what stands before a colon is the kind of a made account."""
    kind, colon, rest = name.rpartition(":")
    if kind == "domain":
        return f"domain:{_host(number, rest)}"
    return f"{kind}{colon}c{number}-{rest}"


def _host(number: int, host: str) -> str:
    return host if "." in host else f"c{number}-{host}.com"


def company_of(cases: list[Case]) -> Tables:
    """All cases as one company."""
    tables: Tables = {}
    for number, case in enumerate(cases):
        for name, rows in {"events": case.events, **case.tables}.items():
            tables.setdefault(name, []).extend(own(number, row) for row in rows)
    return tables


def with_ids(rows: list[Row]) -> list[Row]:
    """Events that have no id of their own get one by their place."""
    return [{"event_id": f"e{number}", **row} for number, row in enumerate(rows)]


def write(folder: Path, tables: Tables, *, suffix: str = "") -> Path:
    """Write tables as CSV files; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in ((name, rows) for name, rows in tables.items() if rows):
        rows_with_ids = with_ids(rows) if name == "events" else rows
        columns = sorted({column for row in rows_with_ids for column in row})
        with (folder / f"{name}{suffix}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows_with_ids)
    return folder


def events_as_csv(folder: Path) -> None:
    """Simulated events as a file that the oracle reads."""
    table = pq.read_table(folder / "events.parquet")
    for place, name in enumerate(table.column_names):
        if pa.types.is_timestamp(table.schema.field(name).type):
            text = pc.strftime(table[name].cast(pa.timestamp("us")), format="%Y-%m-%dT%H:%M:%SZ")
            table = table.set_column(place, name, text)
    arrow_csv.write_csv(table, folder / "events.csv")
    (folder / "events.parquet").unlink()


@contextmanager
def memory_project(playbook: str | None = None, *, threads: int = 1) -> Iterator[Project]:
    """A project without a folder; `playbook` is YAML laid over the template."""
    loaded = load_template() if playbook is None else parse_playbook(playbook, name="handraise.yaml", path=None)
    warehouse = Warehouse.open(None, threads=threads)
    try:
        create_missing(warehouse)
        history.make_tables(warehouse)
        yield Project(folder=Path(), loaded=loaded, warehouse=warehouse)
    finally:
        warehouse.close()


def load_folder(project: Project, *paths: Path) -> list[FileCount]:
    """Load canonical files with the playbook's renamed columns."""
    attributes = project.loaded.playbook.attributes
    renames = {"people": attributes.people, "accounts": attributes.accounts}
    return load_files(project.warehouse, find_files(list(paths)), renames=renames)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Exported rows by key, each key starting with the as-of; receipt rows by entity, id, account and signal."""

    people: dict[tuple[date, str, str], Row]
    accounts: dict[tuple[date, str], Row]
    receipt: dict[tuple[date, str, str, str, str], Row]

    def person(self, person: str, account: str, as_of: date = T) -> Row:
        """The exported row of a person in an account."""
        return self.people[as_of, person, account]

    def accounts_of(self, person: str, as_of: date = T) -> set[str]:
        """Accounts a person is scored in."""
        return {account for day, who, account in self.people if (day, who) == (as_of, person)}

    def account_ids(self, as_of: date = T) -> set[str]:
        """Accounts that exist at an as-of."""
        return {account for day, account in self.accounts if day == as_of}

    def value(self, entity: str, own: str, account: str, signal: str, as_of: date = T) -> float | None:
        """The value that a receipt row shows; None where there is no row."""
        row = self.receipt.get((as_of, entity, own, account, signal))
        return row["value"] if row else None


def scores(project: Project, *as_ofs: date, now: datetime | None = None) -> Scores:
    """Run the path for days and fetch what the exports would hold."""
    score_as_of(project.warehouse, project.loaded, sorted(as_ofs or (T,)), now=now)
    return fetched(project)


def fetched(project: Project) -> Scores:
    """The export rows of what was scored last."""
    people, accounts, receipt = (
        project.warehouse.rows(export_rows(project, what)).to_pylist() for what in ("people", "accounts", "receipt")
    )
    return Scores(
        people={(r["as_of"], r["person_id"], r["account_id"]): r for r in people},
        accounts={(r["as_of"], r["account_id"]): r for r in accounts},
        receipt={(r["as_of"], r["entity"], r["id"], r["account_id"], r["signal"]): r for r in receipt},
    )


def scored(tables: Tables, *as_ofs: date, playbook: str | None = None, now: datetime | None = None) -> Scores:
    """Write, load and score a company in one go."""
    with tempfile.TemporaryDirectory() as folder, memory_project(playbook) as project:
        load_folder(project, write(Path(folder), tables))
        return scores(project, *as_ofs, now=now)


def export_bytes(project: Project) -> dict[str, bytes]:
    """The three export files of what was scored last."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for what in ("people", "accounts", "receipt"):
            path = Path(folder) / f"{what}.csv"
            project.warehouse.write_file(export_rows(project, what), path)
            found[what] = path.read_bytes()
    return found


# --- against the oracle ----------------------------------------------------------------------

# Here the exports say whether the threshold was reached, the oracle how much was counted.
_MEASURED_OTHERWISE = {"volume"}


def differences(found: Scores, folder: Path, as_of: date, **options: Any) -> list[str]:
    """Everything in which exports and the oracle differ, in words; empty when they agree."""
    wanted = score(folder, as_of, **options)
    people = {(row["person_id"], row["account_id"]): row for row in wanted.people}
    accounts = {(row["account_id"],): row for row in wanted.accounts}
    mine = {(who, account): row for (day, who, account), row in found.people.items() if day == as_of}
    ours = {(account,): row for (day, account), row in found.accounts.items() if day == as_of}
    return [
        *_row_differences(mine, people),
        *_row_differences(ours, accounts),
        *_value_differences(found, wanted.values, as_of),
    ]


def _row_differences(mine: dict[Any, Row], wanted: dict[Any, Row]) -> list[str]:
    said = [f"{key} is only in the export" for key in sorted(mine.keys() - wanted.keys())]
    said += [f"{key} is only in the oracle" for key in sorted(wanted.keys() - mine.keys())]
    for key in sorted(mine.keys() & wanted.keys()):
        ours, theirs = {**mine[key], "as_of": str(mine[key]["as_of"])}, wanted[key]
        if ours.keys() != theirs.keys():
            said.append(f"{key}: columns {sorted(ours.keys() ^ theirs.keys())}")
        said += [f"{key} {c}: export {ours[c]!r}, oracle {theirs[c]!r}" for c in theirs if ours.get(c) != theirs[c]]
    return said


def _value_differences(found: Scores, wanted: dict[tuple[str, str, str, str], Any], as_of: date) -> list[str]:
    said = []
    for (day, *key), row in found.receipt.items():
        entity, _, _, signal = key
        if day != as_of or signal in _MEASURED_OTHERWISE or tuple(key) not in wanted:
            continue
        mine, theirs = row["value"], wanted[entity, key[1], key[2], signal]
        same = mine is theirs is None or (None not in {mine, theirs} and abs(float(mine) - float(theirs)) <= 1e-9)
        if not same:
            said.append(f"{key} value: receipt {mine!r}, oracle {theirs!r}")
    return said


def receipts_that_do_not_add_up(found: Scores) -> list[str]:
    """Scores that are not the sum of their receipt rows."""
    sums: dict[tuple[date, str, str, str], int] = {}
    for (day, entity, who, account, _), row in found.receipt.items():
        sums[day, entity, who, account] = sums.get((day, entity, who, account), 0) + (row["points"] or 0)
    wanted = {(day, "person", who, account): row["score"] for (day, who, account), row in found.people.items()}
    wanted |= {(day, "account", account, account): row["score"] for (day, account), row in found.accounts.items()}
    strangers = [f"{key}: a receipt of nobody" for key in sums.keys() - wanted.keys()]
    return strangers + [f"{k}: score {v}, receipt {sums.get(k, 0)}" for k, v in wanted.items() if sums.get(k, 0) != v]
