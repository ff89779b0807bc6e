"""What deciding needs to know of some accounts, from the engine and from the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from handraise.handoffs.decide import Facts, Somebody
from handraise.handoffs.facts import make_facts
from handraise.ledger import acting
from handraise.ledger.suppression import is_suppressed
from handraise.playbook.load import LoadedPlaybook
from handraise.playbook.triggers import Lead
from handraise.service.touches import touched
from handraise.warehouse.engine import Warehouse

_DOMAIN = "domain:"


def facts_of(
    warehouse: Warehouse, connection: Connection, loaded: LoadedPlaybook, candidates: Sequence[str], at: datetime
) -> dict[str, Facts]:
    """Account → what deciding needs to know of it, as of the last day that was scored."""
    warehouse.hold("candidates", pa.table({"account_id": pa.array(candidates, pa.string())}))
    rules = loaded.playbook.handoffs
    lead_days = max((one.when.days for one in rules.triggers.values() if isinstance(one.when, Lead)), default=0)
    warehouse.once_built(
        f"acting facts {loaded.content_hash} {lead_days}", lambda: make_facts(warehouse, lead_days=lead_days)
    )
    known = warehouse.whole("acting_people").to_pylist()
    filed = warehouse.whole("acting_touches").to_pylist()
    since = at - timedelta(days=rules.restraint.window_days)
    touches = touched(connection, filed, candidates, {row["person_id"] for row in known}, since=since)
    leads = warehouse.whole("acting_leads").to_pylist()
    suppressed = _suppressed(connection, known, leads)
    people = _people(known, suppressed, touches.people)
    opted_out = _opted_out_leads(leads, suppressed)
    live = acting.live_handoffs(connection, candidates)
    raised = {name for name, trigger in rules.triggers.items() if trigger.hand_raise}
    asked = acting.led_to_by(connection, list(live.values()), raised)
    return {
        row["account_id"]: Facts(
            **{name: row[name] for name in _AS_THEY_ARE},
            domain=row["domain"] or _domain_in(row["account_id"]),
            has_lead=row["account_id"] in opted_out,
            leads_opted_out=opted_out.get(row["account_id"], False),
            people=tuple(people[row["account_id"]]),
            touches=touches.accounts.get(row["account_id"], ()),
            under_way=live.get(row["account_id"]),
            asked_at=asked.get(live.get(row["account_id"], 0)),
        )
        for row in warehouse.whole("acting_accounts").to_pylist()
    }


_AS_THEY_ARE = ("account_id", "is_pqa", "sells", "has_usage", "owner", "segment", "country", "industry")


def _domain_in(account_id: str) -> str | None:
    """An account that is known by its people's domain alone has it in its name."""
    return account_id.removeprefix(_DOMAIN) if account_id.startswith(_DOMAIN) else None


def _suppressed(connection: Connection, people: list[dict[str, Any]], leads: list[dict[str, Any]]) -> set[str]:
    """Ids and addresses that may not be used; whoever is suppressed by their id is so by their address as a lead too."""
    of = {name: row["email"] for row in people for name in (row["person_id"], row["email"]) if name}
    found = is_suppressed(connection, {*of, *(row["email"] for row in leads)})
    theirs = {address.lower() for name in found if (address := of.get(name))}
    return found | {row["email"] for row in leads if row["email"].lower() in theirs}


def _opted_out_leads(leads: list[dict[str, Any]], suppressed: Collection[str]) -> dict[str, bool]:
    """Account with a lead → whether none of them wants mail; old ones do not speak for those that came lately."""
    every: dict[str, list[bool]] = defaultdict(list)
    recent: dict[str, list[bool]] = defaultdict(list)
    for row in leads:
        every[row["account_id"]].append(row["email"] in suppressed)
        if row["is_recent"]:
            recent[row["account_id"]].append(row["email"] in suppressed)
    return {account: all(recent.get(account) or listed) for account, listed in every.items()}


def _people(
    rows: list[dict[str, Any]], suppressed: Collection[str], touches: Mapping[str, tuple[datetime, ...]]
) -> dict[str, list[Somebody]]:
    """Account → its people, the best first."""
    found: dict[str, list[Somebody]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["account_id"], row["place"])):
        account, person, signed_up = row["account_id"], row["person_id"], row["created_at"] or row["first_at"]
        found[account].append(
            Somebody(
                person_id=person,
                is_pql=row["is_pql"],
                signed_up_at=signed_up.replace(tzinfo=UTC) if signed_up else None,
                opted_out=person in suppressed or row["email"] in suppressed,
                touches=touches.get(person, ()),
            )
        )
    return found
