"""Store accepted rows once: events by their id, everything else by its key."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import any_of, hash_of
from handraise.warehouse.tables import UNROLLED, Input, read_fact, remake_when_changed, write_fact, write_facts

_KEY_LAYOUT = 1
SEPARATOR = "\x1f"
_NEVER = "1900-01-01"  # stands for a missing instant in keys; no accepted instant is that early


def store_events(warehouse: Warehouse, incoming: ir.Table, *, live: bool = False) -> int:
    """Add accepted events that are not stored yet; returns how many were new.

    One id is one event. When copies of an id differ, the one that sorts first by (timestamp, name, ids, workspace,
    properties, received_at) stays, a missing value after every other, so that the result does not depend on the order
    of arrival.

    Args:
        warehouse: With the table `event_keys`; see `refresh_event_keys`.
        incoming: Stored rows with the columns of `events`; read several times.
        live: They are few, come from the same table each time, and are to be added to the roll-ups instead of having
            their days made again.
    """
    if live:
        warehouse.once_built("live events: suspects", lambda: _find_suspects(warehouse, incoming))
    else:
        _find_suspects(warehouse, incoming)
    if warehouse.rows_in("suspect_keys") == 0:
        return _add(warehouse, incoming, live=live)
    suspects, known = warehouse.table("suspect_keys"), warehouse.table("known_keys")
    hashed = incoming.mutate(id_hash=hash_of(incoming.event_id))
    plain = hashed.anti_join(suspects, "id_hash").drop("id_hash")
    copies = hashed.semi_join(suspects, "id_hash").drop("id_hash")
    return _add(warehouse, plain, live=live) + _add_copies(warehouse, copies, known, live=live)


def _find_suspects(warehouse: Warehouse, incoming: ir.Table) -> None:
    """`suspect_keys`: hashes of ids that come more than once or may be stored; `known_keys`: the stored keys of these."""
    keys = warehouse.create("incoming_keys", _keys(incoming), temporary=True)
    known = warehouse.table("event_keys").semi_join(keys, "id_hash").distinct()
    known = warehouse.create("known_keys", known, temporary=True)
    both = keys.select("id_hash").union(known.select("id_hash"), distinct=False)
    suspects = both.group_by("id_hash").having(both.count() > 1).agg()
    warehouse.create("suspect_keys", suspects, temporary=True)


def _keys(events: ir.Table) -> ir.Table:
    return events.select(id_hash=hash_of(events.event_id), day=events.timestamp.date())


def _add(warehouse: Warehouse, events: ir.Table, *, live: bool) -> int:
    added = warehouse.insert("events", events)
    if added:
        if live:
            count_up(warehouse, "data_version")
            warehouse.insert("unrolled_events", events)
            write_fact(warehouse, UNROLLED, "yes")
        else:
            _mark_dirty(warehouse, events)
        warehouse.insert("event_keys", _keys(events))
    return added


def _add_copies(warehouse: Warehouse, copies: ir.Table, known_keys: ir.Table, *, live: bool) -> int:
    """Events whose id comes more than once, among them or in the store (or whose hash another id has)."""
    incoming = warehouse.create("incoming_unique", one_row_per_id(copies), temporary=True)
    events = warehouse.table("events")
    days = known_keys.agg(first=known_keys.day.min(), last=known_keys.day.max())
    [span] = warehouse.rows(days).to_pylist()
    known = events.limit(0)
    if span["first"] is not None:  # the days of possible copies bound where to look for them
        after = events.timestamp >= ibis.timestamp(span["first"].isoformat())
        until = events.timestamp < ibis.timestamp((span["last"] + timedelta(days=1)).isoformat())
        known = events.filter(after & until).semi_join(incoming, "event_id")
    known = warehouse.create("known_events", known, temporary=True)
    new = warehouse.create("new_events", incoming.anti_join(known, "event_id"), temporary=True)
    added = _add(warehouse, new, live=live)
    _replace_later_copies(warehouse, incoming, known)
    return added


def refresh_event_keys(warehouse: Warehouse) -> None:
    """Bring `event_keys` (hash of the id, day) up to date: an id is looked up by its hash, in time that barely grows.

    The engine may hash otherwise in its next version; then the keys are made anew.
    """
    stamp = f"{_KEY_LAYOUT} {warehouse.version()}"
    build = partial(warehouse.create, "event_keys", _keys(warehouse.table("events")))
    remake_when_changed(warehouse, "event_keys_of", stamp, build)


def one_row_per_id(copies: ir.Table) -> ir.Table:
    """The copy of each id that sorts first."""
    place = ibis.row_number().over(ibis.window(group_by=copies.event_id, order_by=sort_key(copies)))
    ordered = copies.mutate(_place=place)
    return ordered.filter(ordered._place == 0).drop("_place")  # noqa: SLF001 - a column, not a private member


def sort_key(rows: ir.Table) -> ir.StringValue:
    """What copies of an id are sorted by."""
    columns = ("timestamp", "name", "person_id", "anonymous_id", "workspace_id", "properties", "received_at")
    # What is missing sorts after what is there: Segment's `tracks` repeat each event without its properties.
    texts = [ibis.literal("0").concat(rows[column].cast("string")).fill_null("1") for column in columns]
    key: ir.StringValue = ibis.literal(SEPARATOR).join(texts)
    return key


def _replace_later_copies(warehouse: Warehouse, incoming: ir.Table, known: ir.Table) -> None:
    """A stored event gives way to a copy that sorts before it; both days are rolled up again."""
    stored = known.select("event_id", _stored=sort_key(known))
    offered = incoming.mutate(_offered=sort_key(incoming))
    both = offered.join(stored, "event_id")
    better = warehouse.create(
        "better_events", both.filter(both["_offered"] < both["_stored"]).drop("_offered", "_stored"), temporary=True
    )
    if warehouse.count(better) == 0:
        return
    _mark_dirty(warehouse, known.semi_join(better, "event_id"))
    _mark_dirty(warehouse, better)
    warehouse.replace("events", better, ("event_id",))
    warehouse.insert("event_keys", _keys(better))
    # The first instants of the people concerned may have moved later, which merging cannot express.
    write_fact(warehouse, "rebuild_firsts", "yes")


def _mark_dirty(warehouse: Warehouse, events: ir.Table) -> None:
    """Their days are rolled up again; scores made before this are told to be of older data."""
    count_up(warehouse, "data_version")
    days = events.select(day=events.timestamp.date()).distinct()
    warehouse.insert("dirty_days", days.anti_join(warehouse.table("dirty_days"), "day"))


def store_entities(warehouse: Warehouse, item: Input, accepted: ir.Table, line: str) -> int:
    """Add or complete the rows of one input; returns how many rows brought something new.

    A later row fills or replaces the columns that it has a value for; an empty cell never wipes a value.
    """
    values = [column for column in item.columns if column not in item.key]
    keyed = accepted.mutate(**{column: _key_text(accepted, item, column) for column in item.key})
    merged = keyed.group_by(list(item.key)).agg(
        **{c: keyed[c].argmax(keyed[line], where=keyed[c].notnull()) for c in values} or {"_n": keyed.count()}
    )
    latest = warehouse.create("incoming_rows", merged.select(*item.key, *values), temporary=True)
    stored = warehouse.table(item.name)
    if warehouse.count(stored) == 0:
        count_up(warehouse, "data_version", f"version of {item.name}")
        return warehouse.insert(item.name, _with_blank_keys_as_null(latest, item))
    old = stored.select(
        **{f"_key_{c}": _key_text(stored, item, c) for c in item.key}, **{f"_old_{c}": stored[c] for c in values}
    )
    joined = latest.left_join(old, [latest[c] == old[f"_key_{c}"] for c in item.key])
    complete = {c: ibis.coalesce(joined[c], joined[f"_old_{c}"]) for c in values}
    changes = any_of(
        joined[f"_key_{item.key[0]}"].isnull(),
        *(joined[c].notnull() & ~joined[c].identical_to(joined[f"_old_{c}"]) for c in values),
    )
    changed = warehouse.create(
        "changed_rows", joined.filter(changes).select(*(joined[c] for c in item.key), **complete), temporary=True
    )
    loaded = warehouse.count(changed)
    if loaded:
        count_up(warehouse, "data_version", f"version of {item.name}")
        _replace_rows(warehouse, item, changed)
    return loaded


def remove_entities(warehouse: Warehouse, item: Input, keys: ir.Table) -> None:
    """Remove the rows of one input whose columns equal a row of `keys` (columns of the same names, no NULLs)."""
    if warehouse.delete(item.name, keys):
        count_up(warehouse, "data_version", f"version of {item.name}")


def _key_text(rows: ir.Table, item: Input, column: str) -> ir.Value:
    """Key columns compare without NULLs: text as '', instants as one that never comes."""
    return ibis.coalesce(rows[column], _blank(item, column))


def _replace_rows(warehouse: Warehouse, item: Input, changed: ir.Table) -> None:
    stored = warehouse.table(item.name)
    same = [_key_text(stored, item, column) == changed[column] for column in item.key]
    kept = warehouse.create("kept_rows", stored.anti_join(changed, same), temporary=True)
    everything = kept.union(_with_blank_keys_as_null(changed, item).select(*kept.columns), distinct=False)
    warehouse.create("all_rows", everything, temporary=True)
    warehouse.empty(item.name)
    warehouse.insert(item.name, warehouse.table("all_rows"))


def _with_blank_keys_as_null(rows: ir.Table, item: Input) -> ir.Table:
    return rows.mutate(**{column: rows[column].nullif(_blank(item, column)) for column in item.key})


def _blank(item: Input, column: str) -> ir.Value:
    return ibis.literal("") if item.columns[column] == "text" else ibis.timestamp(_NEVER).cast("timestamp(6)")


def note_columns(warehouse: Warehouse, item: Input, columns: list[str]) -> bool:
    """Remember which columns an input has; signals over columns that never came are blind.

    Returns:
        Whether any was new.
    """
    stored = warehouse.whole("input_columns")
    known = {row["column_name"] for row in stored.to_pylist() if row["input"] == item.name}
    fresh = [column for column in item.columns if column in columns and column not in known]
    if not fresh:
        return False
    rows = pa.table({"input": [item.name] * len(fresh), "column_name": fresh}, schema=stored.schema)
    warehouse.insert("input_columns", warehouse.hold("columns_now", rows))
    count_up(warehouse, "data_version")  # a column that came can open a blind signal's eyes
    return True


def count_up(warehouse: Warehouse, *versions: str) -> None:
    """Count versions up, so that what was made before this load can be told from what is made after it."""
    write_facts(warehouse, {name: str(int(read_fact(warehouse, name) or 0) + 1) for name in versions})
