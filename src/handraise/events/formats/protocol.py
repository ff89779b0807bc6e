"""What a format is: it says which of its tables a source is, and turns that table into canonical inputs.

A format only builds expressions, so the same translation serves files read in batches and tables that stay in the
user's warehouse. What an engine has its own word for is a named helper in `warehouse/functions.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import ibis.expr.types as ir


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What can be known of a file or table before reading it.

    Attributes:
        name: Lower-case file stem or table name, such as `tracks`.
        folder: Lower-case name of the folder or schema around it; empty when there is none.
        columns: Names of its columns, as written.
    """

    name: str
    folder: str
    columns: tuple[str, ...]

    def has(self, *columns: str) -> bool:
        """Whether all of these columns are there."""
        return set(columns) <= set(self.columns)


class Format(Protocol):
    """One vendor's layout."""

    name: str

    def table_of(self, source: Source) -> str | None:
        """Which table of the format a source is: its columns decide, its name only where they leave a choice."""

    def translate(self, table: str, rows: ir.Table) -> dict[str, ir.Table]:
        """Canonical inputs that the rows of a table give.

        Args:
            table: What `table_of` said.
            rows: The source's columns as text or UTC timestamps, under their own names (any may be missing), and
                `_line`, the row's place in the source.

        Returns:
            Input → its canonical columns (any that the format does not know may be left out) as text or timestamps,
            and `_line`. A row may feed several inputs, or none: then it is counted as passed over. The first input
            is the one that unreadable lines are counted under.
        """
