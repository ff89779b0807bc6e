"""What a connector is: it knows its tables, and turns all tables of one load into canonical inputs.

Only Ibis expressions are built here and in the connectors, so that the same translation can serve tables in files
and tables in a warehouse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import ibis.expr.types as ir

from handraise.events.formats.protocol import Source

# Columns that every translated row carries, beside those of its input.
FILE = "_file"  # the file (or table) that the row came from, for counts and quarantine; its line there is in LINE
ORDER = "_order"  # whole number, unique in the table: of two rows about one thing, the higher one is the later
REFUSED = "_refused"  # why the row cannot be used, NULL = as far as the connector knows it can

Tables = Mapping[str, ir.Table]
Stored = Callable[[str], ir.Table]
Keep = Callable[[str, ir.Table], ir.Table]


@dataclass(frozen=True, kw_only=True)
class SourceTable:
    """One table of a layout.

    Attributes:
        name: As the connector calls it, such as `deal_company`.
        input: The canonical input that its rows mostly shape; quarantine files unreadable lines under it.
        needs: Columns by which it is recognised; a file without them is another table of the same name.
        columns: Further columns that are read.
        without: What is lost when it is not in the load; empty when nothing is worth saying.
        instead: Tables that do as well.
        beside: Only where one of these is loaded is it missed; empty = always.
    """

    name: str
    input: str
    needs: tuple[str, ...]
    columns: tuple[str, ...] = ()
    without: str = ""
    instead: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


def source_table(name: str, feeds: str, needs: str, columns: str = "", **missed: str) -> SourceTable:
    """A table from columns and names written as words; `missed` is without, instead and beside."""
    return SourceTable(
        name=name,
        input=feeds,
        needs=tuple(needs.split()),
        columns=tuple(columns.split()),
        without=missed.get("without", ""),
        instead=tuple(missed.get("instead", "").split()),
        beside=tuple(missed.get("beside", "").split()),
    )


@dataclass(frozen=True, kw_only=True)
class Translation:
    """What the tables of one load come to.

    Attributes:
        inputs: Canonical input → rows: its columns as far as the tables have them, and the four marks above.
        passed_over: Source table → rows left out on purpose: `FILE` and `reason`.
        notes: Expressions of one text column `note`, in words for the reader; rows only when there is something to say.
    """

    inputs: dict[str, ir.Table]
    passed_over: dict[str, ir.Table] = field(default_factory=dict)
    notes: tuple[ir.Table, ...] = ()


class Connector(Protocol):
    """A CRM or billing system in the layout of the common connectors."""

    @property
    def name(self) -> str:
        """What `--format` calls it, and the prefix of ids of accounts that only it knows."""

    @property
    def tables(self) -> tuple[SourceTable, ...]:
        """The tables it reads; others of the layout are passed over."""

    def hosts(self, tables: Tables) -> ir.Table:
        """Every e-mail and web host in the tables (`host`), which have to be known before `translate`."""

    def translate(self, tables: Tables, stored: Stored, keep: Keep) -> Translation:
        """All tables of one load → canonical inputs.

        Args:
            tables: Source table → text columns (those that are there), `FILE` and `LINE`.
            stored: What is loaded already: a canonical input by name, `work_domains` (host, domain) and
                `domain_owners` (domain, account_id).
            keep: Stores an expression that several others use, and gives it back as a table.
        """


def table_of(connector: Connector, source: Source) -> str | None:
    """Which table of a connector a file or table is, by its name and its columns; None when it is none.

    `OpportunityHistory` is `opportunity_history`; `deal`, `deals`, `deal_data`, `hubspot_deal`, `sf_deal_2026-10` and `stripe.deal` are all called `deal`.
    """
    have = {snake_case(column) for column in source.columns}
    name = next((_plain(text) for text in (source.name, source.folder) if _plain(text)), "")
    fitting = [table for table in connector.tables if _is_called(name, table.name)]
    # `deal_company` ends like `company` and is not it: the longest name decides.
    table = max(fitting, key=lambda found: len(found.name), default=None)
    return table.name if table and have.issuperset(table.needs) else None


def snake_case(column: str) -> str:
    """`NumberOfEmployees`, `NUMBER_OF_EMPLOYEES` and `number_of_employees` are one column."""
    if column.isupper():
        return column.lower()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column).lower()


def _plain(source: str) -> str:
    """Name without the parts that say which copy it is; empty when nothing else is left, as of `part-0`."""
    words = re.sub(r"[^a-z0-9]+", "_", source.lower()).strip("_")
    return re.sub(r"(?:(?:^|_)(?:part|\d+|data|export))+$", "", words)


def _is_called(name: str, table: str) -> bool:
    plural = f"{table.removesuffix('y')}ies" if table.endswith("y") else f"{table}s"
    spellings = f"{table}|{plural}".replace("_", "_?")
    return re.search(rf"(?:^|_)(?:{spellings})$", name) is not None


def missing_tables(connector: Connector, tables: Iterable[str]) -> list[str]:
    """What is not in the load and what that costs, one sentence for each table."""
    have = set(tables)
    return [
        f"no {' or '.join((table.name, *table.instead))}: {table.without}"
        for table in connector.tables
        if table.without and not have & {table.name, *table.instead} and (not table.beside or have & set(table.beside))
    ]
