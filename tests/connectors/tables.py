"""Write tables as a connector lays them out (all rows are made up), load them, and look at what became of them."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handraise.service.project import Loaded, Project, load
from support import memory_project

Row = dict[str, Any]


def write_tables(folder: Path, tables: dict[str, list[Row]]) -> Path:
    """One CSV file for each table; a column that a row lacks is empty."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return folder


class Company:
    """A project in memory, and the loads that went into it."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder, self._loads = project, folder, 0

    def load(self, form: str | None = None, **tables: list[Row]) -> Loaded:
        """Write and load tables; what was read is what was loaded, known, set aside or passed over."""
        self._loads += 1
        done = load(self.project, [write_tables(self.folder / str(self._loads), tables)], form=form)
        for count in done.counts:
            assert count.read == count.loaded + count.duplicate + count.quarantined + count.passed_over
            assert min(count.read, count.loaded, count.duplicate, count.quarantined) >= 0
        aside = sum(count.quarantined for count in done.counts)
        files = {count.file for count in done.counts}
        kept = self.project.warehouse.table("quarantine")
        assert self.project.warehouse.count(kept.filter(kept.file.isin(sorted(files)))) == aside
        return done

    def rows(self, name: str, *columns: str) -> list[Any]:
        """The rows of an input, sorted: of one column its values, of several tuples, of none whole rows."""
        found = self.project.warehouse.rows(self.project.warehouse.table(name)).to_pylist()
        if len(columns) == 1:
            return sorted((row[columns[0]] for row in found), key=str)
        if columns:
            return sorted((tuple(row[c] for c in columns) for row in found), key=str)
        return sorted(found, key=str)

    def row(self, name: str, **where: Any) -> Row:
        """The one row with these values."""
        [found] = [row for row in self.rows(name) if all(row[c] == v for c, v in where.items())]
        return found

    def aside(self) -> list[tuple[str, str, int, str]]:
        """Input, file name, line and reason of every row that was set aside."""
        rows = self.rows("quarantine")
        return sorted((r["input"], Path(r["file"]).name, r["line"], r["reason"]) for r in rows)


@contextmanager
def company(folder: Path, playbook: str | None = None) -> Iterator[Company]:
    """An empty project."""
    with memory_project(playbook) as project:
        yield Company(project, folder)


def counts(done: Loaded, form: str) -> dict[tuple[str, str], tuple[int, int, int, int]]:
    """Table and input → read, loaded, duplicate, quarantined."""
    return {
        (c.table, c.input): (c.read, c.loaded, c.duplicate, c.quarantined)
        for c in done.counts
        if c.format == form and c.input != "none"
    }


def passed_over(done: Loaded) -> set[tuple[str, str, int]]:
    """Table, reason and number of the rows that were passed over."""
    return {(c.table, c.reason, c.passed_over) for c in done.counts if c.input == "none"}
