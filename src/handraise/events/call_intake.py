"""Take in calls that tracking libraries sent: each is stored whole, known already, or set aside whole with a reason."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial

import ibis.expr.types as ir
import pyarrow as pa

from handraise.events.accept import REASON, accepted
from handraise.events.calls.names import names_in
from handraise.events.calls.translate import BadCallError, translate
from handraise.events.formats.batches import LINE, text_batch
from handraise.events.store import note_columns, refresh_event_keys, store_entities, store_events
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import hash_of
from handraise.warehouse.tables import INPUTS, Input, write_fact

FORMAT = "call"
LOG = "log"  # how the name of a place in the log begins
# The kind of a body that is no request of its vendor at all; `shared` says why.
UNREADABLE = "unreadable"
# What an erasure leaves in the place of a call.
ERASED = b""
EVERYBODY_DIRTY = "everybody_dirty"
# Calls of somebody who was erased lie in the log again, and have to be taken out of it: the place of the last of them.
RETURNED = "erased_people_returned"

Erased = Callable[[set[str]], set[str]]
_NAMES_AT_ONCE = 20_000
# Events come last, because who is dirty depends on where people are.
_ORDER = (*(name for name in INPUTS if name != "events"), "events")
# Of whom the rows of an input can change the scores; the others may change anybody's.
_KNOWN_WHOSE = ("workspaces", "people", "aliases", "events")
OF_PEOPLE = ("person_id", "anonymous_id", "alias_id", "email")
_COUNTS = ("received", "accepted", "duplicate", "quarantined", "refused", "passed_over")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedCall:
    """One call as it stands in the log.

    Attributes:
        source: Who sent it.
        kind: Which vendor's call it is.
        shared: What the envelope said for all calls of the request, as JSON.
        event: The call itself, as JSON.
        received_at: When it arrived.
        place: The log position of its request, and its number in it: where quarantine says it came from.
    """

    source: str
    kind: str
    shared: bytes
    event: bytes
    received_at: datetime
    place: tuple[int, int]

    @property
    def key(self) -> str:
        """The same for the same words from the same source, however often they are sent."""
        said = b"\0".join((self.source.encode(), self.kind.encode(), self.event))
        return hashlib.blake2b(said, digest_size=16).hexdigest()


@dataclass(kw_only=True)
class Counts:
    """What became of calls; `received = accepted + duplicate + quarantined + refused`.

    Attributes:
        received: Calls that arrived.
        accepted: Calls that were stored, or passed over.
        duplicate: Calls that were known already.
        quarantined: Calls set aside with a reason.
        refused: Calls that were answered with an error, so that the sender knows that they are not stored.
        passed_over: Of those accepted, how many have no use here, such as a session's start.
    """

    received: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    refused: int = 0
    passed_over: int = 0


@dataclass(kw_only=True)
class _Call:
    """A call on its way in."""

    received: ReceivedCall
    rows: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    reason: str | None = None
    is_erased: bool = False

    @property
    def has_event(self) -> bool:
        return any(name == "events" for name, _ in self.rows)

    @property
    def ids(self) -> set[str]:
        """Ids and addresses of people that it names."""
        return {row[column] for _, row in self.rows for column in OF_PEOPLE if row.get(column)}


def take_calls(
    warehouse: Warehouse,
    received: Iterable[ReceivedCall],
    *,
    reason: str | None = None,
    erased: Erased = lambda _: set(),
) -> dict[str, Counts]:
    """Store calls, count what became of them by source, and note whose scores are behind; all in one transaction.

    Args:
        warehouse: Where they go.
        received: In the order of the log.
        reason: Why all of them are to be set aside; None = they are not.
        erased: Those of some ids and addresses whose people were erased: of them nothing is stored again.

    Returns:
        Source → what became of its calls.
    """
    calls = [_Call(received=one, reason=reason) if reason else _read(one) for one in received]
    refresh_event_keys(warehouse)
    with warehouse.transaction():
        _leave_out(warehouse, calls, erased)
        by_input = _landed(calls)
        for name in by_input:
            _check(warehouse, name, by_input[name])
        for name in by_input:
            _note_refusals(warehouse, name, calls)
        fresh = _store(warehouse, by_input, calls)
        _set_aside(warehouse, calls)
        counts = _count(calls, fresh)
        add_counts(warehouse, counts)
    return counts


def _read(received: ReceivedCall) -> _Call:
    if received.event == ERASED:
        return _Call(received=received, is_erased=True)
    if received.kind == UNREADABLE:
        return _Call(received=received, reason=str(json.loads(received.shared)["reason"]))
    try:
        rows = translate(
            received.kind, received.shared, received.event, source=received.source, received_at=received.received_at
        )
    except BadCallError as error:
        return _Call(received=received, reason=error.reason)
    return _Call(received=received, rows=rows)


def _leave_out(warehouse: Warehouse, calls: list[_Call], erased: Erased) -> None:
    gone = erased({one for call in calls for one in call.ids})
    left_out = [call for call in calls if call.ids & gone] if gone else []
    left_out += _bad_of_erased(calls, erased)
    for call in left_out:
        call.rows, call.reason, call.is_erased = [], None, True
    if left_out:
        write_fact(warehouse, RETURNED, str(max(call.received.place[0] for call in left_out)))


def _bad_of_erased(calls: list[_Call], erased: Erased) -> list[_Call]:
    """Those calls that are to be set aside and name somebody who was erased: quarantine would keep their words for good."""
    found: list[_Call] = []
    waiting: list[tuple[_Call, set[str]]] = []
    size = 0
    for call in (call for call in calls if call.reason):
        names = names_in(call.received.event) | _names_shared(call.received.shared)
        waiting.append((call, names))
        size += len(names)
        if size >= _NAMES_AT_ONCE:
            found += _naming(waiting, erased)
            waiting, size = [], 0
    return found + _naming(waiting, erased)


def _naming(waiting: list[tuple[_Call, set[str]]], erased: Erased) -> list[_Call]:
    gone = erased({one for _, names in waiting for one in names})
    return [call for call, names in waiting if names & gone]


@lru_cache(maxsize=64)  # all calls of a request share one text
def _names_shared(shared: bytes) -> frozenset[str]:
    return frozenset(names_in(shared))


def _landed(calls: list[_Call]) -> dict[str, list[tuple[int, dict[str, str]]]]:
    """Input → its rows, each with the number of the call it is from."""
    found: dict[str, list[tuple[int, dict[str, str]]]] = defaultdict(list)
    for number, call in enumerate(calls):
        for name, row in call.rows:
            found[name].append((number, row))
    return {name: found[name] for name in _ORDER if name in found}


def _check(warehouse: Warehouse, name: str, rows: list[tuple[int, dict[str, str]]]) -> None:
    """`checked_NAME`: typed columns, the call's number, and why it cannot be stored."""
    item = INPUTS[name]
    columns = list(item.columns)
    values = [[row.get(column) for _, row in rows] for column in columns]
    landing = f"landing_{name}"
    warehouse.register(landing, text_batch(columns, values, [number for number, _ in rows]))
    try:
        warehouse.once_built(f"calls: check {name}", lambda: _make_checked(warehouse, item, landing))
    finally:
        warehouse.unregister(landing)


def _make_checked(warehouse: Warehouse, item: Input, landing: str) -> None:
    rows = accepted(item, warehouse.table(landing))
    checked = warehouse.create(f"checked_{item.name}", rows, temporary=True)
    warehouse.show(f"unsound_{item.name}", checked.filter(checked[REASON].notnull()).select(LINE, REASON))


def _note_refusals(warehouse: Warehouse, name: str, calls: list[_Call]) -> None:
    for row in warehouse.whole(f"unsound_{name}").to_pylist():
        calls[row[LINE]].reason = f"{name}: {row[REASON]}"


def _store(warehouse: Warehouse, by_input: dict[str, list[tuple[int, dict[str, str]]]], calls: list[_Call]) -> set[int]:
    """Store what is sound; returns the numbers of the calls that were not known before."""
    refused = [number for number, call in enumerate(calls) if call.reason]
    _hold_numbers(warehouse, "refused_calls", refused)
    fresh = _fresh_calls(warehouse, calls)
    for name, rows in by_input.items():
        columns = {column for _, row in rows for column, value in row.items() if value}
        if note_columns(warehouse, INPUTS[name], sorted(columns)):
            write_fact(warehouse, EVERYBODY_DIRTY, "yes")  # a signal that was blind may see now
        warehouse.once_built(f"calls: sound {name}", partial(_make_sound, warehouse, name))
        good = warehouse.table(f"sound_{name}")
        if name == "events":
            stored = store_events(warehouse, good.select(*INPUTS[name].columns), live=True)
            fresh |= _fresh_events(warehouse, good, stored)
        else:
            stored = store_entities(warehouse, INPUTS[name], good, LINE)
        if name not in _KNOWN_WHOSE or not warehouse.has("person_firsts"):
            # A company's domain or plan can move anybody; and before the first roll-up nobody is known.
            if stored:
                write_fact(warehouse, EVERYBODY_DIRTY, "yes")
        else:
            warehouse.once_built(f"calls: dirty {name}", partial(_mark_dirty, warehouse, name))
    return fresh


def _make_sound(warehouse: Warehouse, name: str) -> None:
    checked, refused = warehouse.table(f"checked_{name}"), warehouse.table("refused_calls")
    sound = checked.filter(checked[REASON].isnull()).anti_join(refused, LINE).drop(REASON)
    warehouse.create(f"sound_{name}", sound, temporary=True)


def _hold_numbers(warehouse: Warehouse, name: str, numbers: list[int]) -> None:
    warehouse.hold(name, pa.table({LINE: pa.array(numbers, pa.int64())}))


def _fresh_events(warehouse: Warehouse, good: ir.Table, stored: int) -> set[int]:
    """Numbers of the calls whose event was new; of copies among them, the first."""
    if stored == warehouse.rows_in("sound_events"):
        new = good.select(LINE)
    else:
        hashed = good.mutate(id_hash=hash_of(good.event_id))
        plain = hashed.anti_join(warehouse.table("suspect_keys"), "id_hash").select(LINE)
        copies = good.semi_join(warehouse.table("new_events"), "event_id")
        firsts = copies.group_by("event_id").agg(**{LINE: copies[LINE].min()}).select(LINE)
        new = plain.union(firsts, distinct=False)
    return set(warehouse.rows(new)[0].to_pylist())


def _fresh_calls(warehouse: Warehouse, calls: list[_Call]) -> set[int]:
    """Numbers of the calls that are no events and were not taken in before."""
    keys: dict[str, int] = {}
    for number, call in enumerate(calls):
        if call.reason is None and not call.has_event and not call.is_erased:
            keys.setdefault(call.received.key, number)
    if not keys:
        return set()
    offered = warehouse.hold("offered_calls", pa.table({"call_key": pa.array(list(keys), pa.string())}))
    known = warehouse.rows(warehouse.table("call_keys").semi_join(offered, "call_key"))
    for key in known["call_key"].to_pylist():
        del keys[key]
    new = warehouse.hold("offered_calls", pa.table({"call_key": pa.array(list(keys), pa.string())}))
    warehouse.insert("call_keys", new)
    return set(keys.values())


def _mark_dirty(warehouse: Warehouse, name: str) -> None:
    """Add whose scores the rows of an input can change to `dirty_people`."""
    rows = warehouse.table(f"sound_{name}")
    match name:
        case "events":
            ids = rows.select(person_id="person_id").union(rows.select(person_id="anonymous_id"))
        case "people":
            ids = rows.select("person_id")
        case "aliases":
            ids = rows.select(person_id="person_id").union(rows.select(person_id="alias_id"))
        case _:
            ids = warehouse.table("person_firsts").semi_join(rows, "workspace_id").select(person_id="actor")
    fresh = ids.filter(ids.person_id.notnull()).distinct().anti_join(warehouse.table("dirty_people"), "person_id")
    warehouse.insert("dirty_people", fresh)


def _set_aside(warehouse: Warehouse, calls: list[_Call]) -> None:
    rows = [_aside(call) for call in calls if call.reason]
    if rows:
        schema = warehouse.table("quarantine").schema().to_pyarrow()
        warehouse.insert("quarantine", warehouse.hold("set_aside", pa.Table.from_pylist(rows, schema=schema)))


def _aside(call: _Call) -> dict[str, object]:
    """A row of quarantine; `raw` is ASCII JSON, so that bytes which are no text survive as escapes."""
    received = call.received
    raw = {
        "event": received.event.decode("utf-8", "surrogateescape"),
        "shared": received.shared.decode("utf-8", "surrogateescape"),
        "received_at": received.received_at.astimezone(UTC).isoformat(),
    }
    return {
        "input": call.rows[0][0] if call.rows else "events",
        "file": f"{LOG}:{received.source}:{received.place[0]}",
        "line": received.place[1],
        "reason": call.reason,
        "raw": json.dumps(raw),
        "format": FORMAT,
        "format_table": received.kind,
    }


def _count(calls: list[_Call], fresh: set[int]) -> dict[str, Counts]:
    found: dict[str, Counts] = defaultdict(Counts)
    for number, call in enumerate(calls):
        counts = found[call.received.source]
        counts.received += 1
        if call.reason:
            counts.quarantined += 1
        elif call.is_erased or number in fresh:
            counts.accepted += 1
            counts.passed_over += not call.rows
        else:
            counts.duplicate += 1
    return dict(found)


def add_counts(warehouse: Warehouse, counts: dict[str, Counts]) -> None:
    """Add to what is counted by source."""
    stored = read_counts(warehouse)
    for source, more in counts.items():
        sum_ = stored.setdefault(source, Counts())
        for name in _COUNTS:
            setattr(sum_, name, getattr(sum_, name) + getattr(more, name))
    schema = warehouse.whole("ingest_counts").schema
    rows = [{"source": source, **vars(one)} for source, one in sorted(stored.items())]
    warehouse.empty("ingest_counts")
    warehouse.insert("ingest_counts", warehouse.hold("counted", pa.Table.from_pylist(rows, schema=schema)))


def read_counts(warehouse: Warehouse) -> dict[str, Counts]:
    """Source → what became of everything that it sent and that has been taken in."""
    rows = warehouse.whole("ingest_counts").to_pylist()
    return {row["source"]: Counts(**{name: row[name] for name in _COUNTS}) for row in rows}
