"""Take calls out of quarantine: translate them again, as they came or as somebody put them right, and take them in.

What was counted as set aside is counted as what becomes of it now: everything that was received stays accounted for.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from handraise.errors import InputError
from handraise.events.call_intake import (
    ERASED,
    FORMAT,
    UNREADABLE,
    Counts,
    Erased,
    ReceivedCall,
    add_counts,
    take_calls,
)
from handraise.events.intake import FileCount
from handraise.events.received import Received
from handraise.warehouse.engine import Warehouse

CALLS_AT_ONCE = 5_000
_PLACE = ("file", "line", "input")


@dataclass(frozen=True, kw_only=True, slots=True)
class AsideCall:
    """A call in quarantine.

    Attributes:
        row: Its row there.
        call: What was received.
    """

    row: dict[str, Any]
    call: ReceivedCall


def aside_call(row: dict[str, Any], raw: str | None = None) -> AsideCall:
    """A call from its row of quarantine.

    Args:
        row: The row.
        raw: What is to be tried instead of what was received, when it was; None = the same again.

    Raises:
        InputError: `raw` is not what quarantine keeps of a call, or nothing can be put right in such a call.
    """
    _, _, place = row["file"].partition(":")
    source, _, position = place.rpartition(":")
    came = _kept(row["raw"])
    kept = came if raw is None else _kept(raw)
    if raw is not None and row["format_table"] == UNREADABLE:
        raise InputError(
            "this was no request of a tracking library, so nothing in it can be put right.",
            where=row["file"],
            todo="Send the events again.",
        )
    call = ReceivedCall(
        source=source,
        kind=row["format_table"],
        shared=kept["shared"].encode("utf-8", "surrogateescape"),
        event=kept["event"].encode("utf-8", "surrogateescape"),
        received_at=datetime.fromisoformat(came["received_at"]),
        place=(int(position), row["line"]),
    )
    return AsideCall(row=row, call=call)


def _kept(raw: str) -> dict[str, str]:
    try:
        found = json.loads(raw)
        texts: dict[str, str] = {name: found[name] for name in ("event", "shared", "received_at")}
        for text in texts.values():
            text.encode("utf-8", "surrogateescape")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            "this is not what quarantine keeps of a call.",
            where="raw",
            todo="Send the row's `raw` back with the mistake mended: JSON of the texts event, shared and received_at.",
        ) from error
    return texts


def take_again(
    warehouse: Warehouse, calls: Sequence[AsideCall], *, erased: Erased = lambda _: set()
) -> dict[str, Counts]:
    """Take calls in once more, all in one transaction; what is still bad is set aside again.

    Args:
        warehouse: Where they go.
        calls: As quarantine has them, or as somebody put them right.
        erased: Those of some ids and addresses whose people were erased: of them nothing is stored again.

    Returns:
        Source → what became of its calls now; `received` is how many were tried.
    """
    schema = warehouse.table("quarantine").schema().to_pyarrow()
    keys = pa.Table.from_pylist([one.row for one in calls], schema=schema).select(list(_PLACE))
    with warehouse.transaction():
        warehouse.delete("quarantine", warehouse.hold("tried_again", keys))
        counts = take_calls(warehouse, [one.call for one in calls], erased=erased)
        # They were counted as received and as set aside when they came.
        add_counts(warehouse, {s: Counts(received=-c.received, quarantined=-c.received) for s, c in counts.items()})
    return counts


def mend_again(warehouse: Warehouse, record: Received, *, erased: Erased) -> None:
    """Do once more what the log says that somebody made of a call; nothing where it is not in quarantine."""
    place = msgspec.json.decode(record.shared, type=dict[str, Any])
    rows = warehouse.table("quarantine")
    mine = rows.filter((rows.format == FORMAT) & (rows.file == place["file"]) & (rows.line == place["line"]))
    found = warehouse.rows(mine.limit(1)).to_pylist()
    # What it said of somebody who was erased is gone; what can no longer be read stays in quarantine.
    if found and record.events != (ERASED,):
        with contextlib.suppress(InputError):
            take_again(warehouse, [aside_call(found[0], record.events[0].decode())], erased=erased)


def replay_calls(warehouse: Warehouse) -> list[FileCount]:
    """Try every call that was set aside once more, some thousands at a time; one count for each source."""
    rows = warehouse.table("quarantine")
    rows = rows.filter(rows.format == FORMAT)
    total: dict[str, Counts] = defaultdict(Counts)
    after: tuple[str, int] | None = None
    while True:
        waiting = rows
        if after:
            waiting = rows.filter((rows.file > after[0]) | ((rows.file == after[0]) & (rows.line > after[1])))
        found = warehouse.rows(waiting.order_by("file", "line").limit(CALLS_AT_ONCE)).to_pylist()
        if not found:
            break
        after = found[-1]["file"], found[-1]["line"]
        for source, counts in take_again(warehouse, [aside_call(row) for row in found]).items():
            for name, more in vars(counts).items():
                setattr(total[source], name, getattr(total[source], name) + more)
    return [_count(source, counts) for source, counts in sorted(total.items())]


def _count(source: str, counts: Counts) -> FileCount:
    return FileCount(
        file=f"log:{source}",
        format=FORMAT,
        table="calls",
        input="events",
        read=counts.received,
        loaded=counts.accepted,
        duplicate=counts.duplicate,
        quarantined=counts.quarantined,
    )
