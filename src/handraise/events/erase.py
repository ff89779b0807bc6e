"""Take a person out of everything that was stored of events and facts: rows, quarantine, and mentions by others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from handraise.events.call_intake import OF_PEOPLE, UNREADABLE, Erased
from handraise.events.calls.names import TELLING, names_in
from handraise.events.spelling import spelled
from handraise.events.store import count_up
from handraise.warehouse.engine import Warehouse
from handraise.warehouse.functions import any_of
from handraise.warehouse.tables import INPUTS

GONE = "erased"
# Ids that are looked up at once, and bodies in quarantine, any of which may be long, that are read at once.
_IDS_AT_ONCE, _ASIDE_AT_ONCE = 20_480, 2_048


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Who is erased.

    Attributes:
        ids: Ids of the person, anonymous ones too.
        emails: E-mail addresses, in small letters.
    """

    ids: frozenset[str]
    emails: frozenset[str]

    @property
    def texts(self) -> list[str]:
        """What gives the person away wherever it stands."""
        return sorted({*self.emails, *(text for text in self.ids if len(text) >= TELLING)})


def subject_named(texts: Iterable[str]) -> Subject:
    """Who is known by some ids and addresses; an address may be an id too, as some products know people by theirs."""
    ids = frozenset(texts)
    return Subject(ids=ids, emails=frozenset(text.lower() for text in ids if "@" in text))


def subject_of(warehouse: Warehouse, person_id: str, emails: frozenset[str] = frozenset()) -> Subject:
    """A person with everything that leads to them: anonymous ids that are nobody else's, aliases, addresses."""
    ids = _with_aliases(warehouse, person_id)
    links = _both_ids(warehouse.table("events"))
    theirs = _hold(warehouse, "erased_ids", ids)
    mine = links.semi_join(theirs, links.person_id == theirs.id).select("anonymous_id").distinct()
    others = links.anti_join(theirs, links.person_id == theirs.id).select("anonymous_id").distinct()
    anonymous = warehouse.rows(mine.anti_join(others, "anonymous_id"))[0].to_pylist()
    people = warehouse.table("people")
    known = people.filter(people.email.notnull()).semi_join(theirs, people.person_id == theirs.id)
    found = warehouse.rows(known.select("email"))[0].to_pylist()
    return Subject(ids=frozenset({*ids, *anonymous}), emails=frozenset({*emails, *map(str.lower, found)}))


def _both_ids(events: ir.Table) -> ir.Table:
    both = events.filter(events.person_id.notnull() & events.anonymous_id.notnull())
    return both.select("person_id", "anonymous_id").distinct()


def _with_aliases(warehouse: Warehouse, person_id: str) -> set[str]:
    """The id, and all that aliases say are the same person; of several aliases of one id, the first counts."""
    aliases = warehouse.table("aliases")
    place = ibis.row_number().over(ibis.window(group_by="alias_id", order_by=["at", "person_id"]))
    known = aliases.mutate(place=place).filter(lambda t: t.place == 0).select("alias_id", "person_id")
    known = warehouse.create("known_aliases", known, temporary=True)
    found = {person_id}
    while True:
        ids = _hold(warehouse, "erased_ids", found)
        as_alias = known.semi_join(ids, known.alias_id == ids.id)
        as_person = known.semi_join(ids, known.person_id == ids.id)
        rows = warehouse.rows(as_alias.union(as_person))
        more = {*rows[0].to_pylist(), *rows[1].to_pylist()} - found
        if not more:
            return found
        found |= more


def erase_rows(warehouse: Warehouse, subject: Subject) -> dict[str, int]:
    """Delete what is stored of a person; what was made of it has to be made anew.

    Args:
        warehouse: Inside a transaction.
        subject: Who.

    Returns:
        Table → rows that are gone or changed.
    """
    ids = _hold(warehouse, "erased_ids", subject.ids)
    emails = _hold(warehouse, "erased_emails", subject.emails)
    gone: dict[str, int] = {}
    for name, item in INPUTS.items():
        for column in ("person_id", "alias_id", "anonymous_id"):
            if column in item.columns and (name != "events" or column == "person_id"):
                gone[name] = gone.get(name, 0) + warehouse.delete(name, ids.select(**{column: ids.id}))
    unnamed = warehouse.table("events").filter(lambda t: t.person_id.isnull())
    theirs = unnamed.semi_join(ids, unnamed.anonymous_id == ids.id).select("event_id")
    gone["events"] += warehouse.delete("events", warehouse.create("erased_events", theirs, temporary=True))
    for name in ("leads", "enrichment", "provider_said"):
        rows = warehouse.table(name)
        addressed = rows.semi_join(emails, rows.email.strip().lower() == emails.id).select("email").distinct()
        gone[name] = warehouse.delete(name, warehouse.create("erased_addresses", addressed, temporary=True))
    gone["quarantine"] = _erase_aside(warehouse, subject)
    gone["mentions"] = _erase_mentions(warehouse, subject)
    count_up(warehouse, "data_version", *(f"version of {name}" for name in INPUTS if name != "events"))
    return {name: rows for name, rows in gone.items() if rows > 0}


def _erase_aside(warehouse: Warehouse, subject: Subject) -> int:
    """Rows of quarantine that hold one of the ids or addresses, and those of which nobody can say it."""
    if not subject.ids | subject.emails:
        return 0
    rows = warehouse.table("quarantine")
    # A body that was no request may be packed, or cut off: nobody can say what it holds.
    unreadable = rows.format_table.fill_null("") == UNREADABLE
    telling = [spelled(text) for text in subject.texts]
    alone = [rf'"{spelled(one)}\\*"' for one in sorted(subject.ids)]
    held = any_of(unreadable, *(rows.raw.re_search(f"(?i){pattern}") for pattern in (*telling, *alone)))
    keys = rows.filter(held).select("input", "file", "line").distinct()
    return warehouse.delete("quarantine", warehouse.create("erased_aside", keys, temporary=True))


def _erase_mentions(warehouse: Warehouse, subject: Subject) -> int:
    """Events of others whose properties hold an address of the person: the address goes, the event stays."""
    if not subject.emails:
        return 0
    events = warehouse.table("events")
    held = any_of(*(events.properties.lower().contains(email) for email in sorted(subject.emails)))
    text = events.properties
    for email in sorted(subject.emails):
        text = text.re_replace(f"(?i){re.escape(email)}", GONE)
    mended = warehouse.create("mended_events", events.filter(held).mutate(properties=text), temporary=True)
    return warehouse.replace("events", mended, ("event_id",)) if warehouse.count(mended) else 0


def _hold(warehouse: Warehouse, name: str, ids: frozenset[str] | set[str]) -> ir.Table:
    return warehouse.hold(name, pa.table({"id": pa.array(sorted(ids), pa.string())}))


def erased_in(warehouse: Warehouse, erased: Erased) -> set[str]:
    """Ids and addresses of erased people that are stored, in quarantine too; never many in memory at once."""
    found: set[str] = set()
    for name, item in INPUTS.items():
        rows = warehouse.table(name)
        for column in OF_PEOPLE:
            if column in item.columns:
                ids = rows.filter(rows[column].notnull()).select(column).distinct()
                for batch in warehouse.batches(ids, _IDS_AT_ONCE):
                    found |= erased(set(batch[column].to_pylist()))
    names: set[str] = set()
    for batch in warehouse.batches(warehouse.table("quarantine").select("raw"), _ASIDE_AT_ONCE):
        for raw in batch["raw"].to_pylist():
            names |= names_in(raw.encode())
            if len(names) >= _IDS_AT_ONCE:
                found, names = found | erased(names), set()
    return found | erased(names)
