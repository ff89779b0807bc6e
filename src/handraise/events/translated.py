"""A vendor's tables where they are: which of them are its own, and what each gives the canonical inputs."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from handraise.errors import InputError
from handraise.events.formats.batches import LINE
from handraise.events.formats.protocol import Source
from handraise.events.in_place import Part
from handraise.events.registry import format_named
from handraise.events.store import SEPARATOR

# RudderStack follows Segment's plan; not every table of its has a column of its own to tell it by.
_ALSO = {"rudderstack": "segment"}
# When a row was said, in the order of preference.
_TIMES = (
    *("timestamp", "original_timestamp", "event_timestamp", "event_time", "client_event_time", "derived_tstamp"),
    *("collector_tstamp", "time", "received_at", "_inserted_at", "inserted_at", "created_at", "uuid_ts"),
)
_COPY = "_view"
_SHOWN = 12


def table_of(format_name: str, table: str, columns: tuple[str, ...]) -> str | None:
    """Which table of a format one is, by its columns and, where they leave a choice, its name; None = none."""
    source = Source(name=table.lower(), folder="", columns=columns)
    for name in (format_name, _ALSO.get(format_name, format_name)):
        found = format_named(name).table_of(source)
        if found is not None:
            return found
    return None


def tables_among(format_name: str, schema: str, listed: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Name → table of the format, for the tables of a schema that are of it.

    Args:
        format_name: Whose they are.
        schema: What the schema is called.
        listed: Name → columns of every table and view of the schema. A view `X_view` beside a table `X` shows the
            same rows again and is left out.

    Raises:
        InputError: There is none.
    """
    kinds = {name: table_of(format_name, name, columns) for name, columns in sorted(listed.items())}
    kinds = {name: None if name.removesuffix(_COPY) in listed.keys() - {name} else kind for name, kind in kinds.items()}
    found = {name: kind for name, kind in kinds.items() if kind is not None}
    if not found:
        shown = ", ".join(list(listed)[:_SHOWN]) + (", …" if len(listed) > _SHOWN else "")
        raise InputError(
            f"the schema {schema!r} has no table of {format_name}.",
            where="warehouse.sources",
            todo=f"It has {shown}." if listed else "It has no table that the connection may see.",
        )
    return found


def check_table(format_name: str, table: str, where: str, columns: tuple[str, ...]) -> None:
    """Refuse a table that is not what the playbook says.

    Raises:
        InputError: It has not the columns of that table.
    """
    if table_of(format_name, table, columns) is None:
        raise InputError(
            f"{where} has not the columns of {table!r} of {format_name}.",
            where="warehouse.sources",
            todo=f"Its columns are: {', '.join(columns[:_SHOWN])}{', …' if len(columns) > _SHOWN else '.'}",
        )


def parts_of(format_name: str, table: str, where: str, rows: ir.Table) -> dict[str, Part]:
    """Input → what a table gives it.

    Args:
        format_name: Whose the table is.
        table: Which of the format's tables it is.
        where: What it is called.
        rows: Its columns as text or instants.
    """
    translated = format_named(format_name).translate(table, rows.mutate(**{LINE: _later(rows)}))
    return {name: Part(where=where, format=format_name, table=table, rows=part) for name, part in translated.items()}


def _later(rows: ir.Table) -> ir.StringValue:
    """A text that sorts rows by time, and those of one time by their content."""
    times = [rows[name].cast("string") for name in _TIMES if name in rows.columns]
    at = ibis.coalesce(*times, "") if times else ibis.literal("")
    texts = [rows[name].cast("string").fill_null("") for name in sorted(rows.columns)]
    found: ir.StringValue = ibis.literal(SEPARATOR).join([at, *texts])
    return found
