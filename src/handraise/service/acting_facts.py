"""What deciding needs to know of some accounts, from the engine and from the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from handraise.handoffs.decide import Facts, Somebody
from handraise.handoffs.facts import make_facts
from handraise.ledger import acting
from handraise.ledger.suppression import is_suppressed
from handraise.playbook.load import LoadedPlaybook
from handraise.service.touches import touched
from handraise.warehouse.engine import Warehouse

_DOMAIN = "domain:"


def facts_of(
    warehouse: Warehouse, connection: Connection, loaded: LoadedPlaybook, candidates: Sequence[str], at: datetime
) -> dict[str, Facts]:
    """Account → what deciding needs to know of it, as of the last day that was scored."""
    warehouse.hold("candidates", pa.table({"account_id": pa.array(candidates, pa.string())}))
    warehouse.once_built(f"acting facts {loaded.content_hash}", lambda: make_facts(warehouse))
    rules = loaded.playbook.handoffs
    known = warehouse.whole("acting_people").to_pylist()
    filed = warehouse.whole("acting_touches").to_pylist()
    since = at - timedelta(days=rules.restraint.window_days)
    touches = touched(connection, filed, candidates, {row["person_id"] for row in known}, since=since)
    people = _people(known, connection, touches.people)
    live = acting.live_handoffs(connection, candidates)
    raised = {name for name, trigger in rules.triggers.items() if trigger.hand_raise}
    asked = acting.those_with_reasons(connection, list(live.values()), raised)
    return {
        row["account_id"]: Facts(
            **{name: row[name] for name in _AS_THEY_ARE},
            domain=row["domain"] or _domain_in(row["account_id"]),
            people=tuple(people[row["account_id"]]),
            touches=touches.accounts.get(row["account_id"], ()),
            under_way=live.get(row["account_id"]),
            is_unanswered=live.get(row["account_id"]) in asked,
        )
        for row in warehouse.whole("acting_accounts").to_pylist()
    }


_AS_THEY_ARE = ("account_id", "is_pqa", "sells", "has_usage", "owner", "segment", "country", "industry")


def _domain_in(account_id: str) -> str | None:
    """An account that is known by its people's domain alone has it in its name."""
    return account_id.removeprefix(_DOMAIN) if account_id.startswith(_DOMAIN) else None


def _people(
    rows: list[dict[str, Any]], connection: Connection, touches: Mapping[str, tuple[datetime, ...]]
) -> dict[str, list[Somebody]]:
    """Account → its people, the best first."""
    addresses = {name for row in rows for name in (row["person_id"], row["email"]) if name}
    suppressed = is_suppressed(connection, addresses)
    found: dict[str, list[Somebody]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["account_id"], row["place"])):
        account, person, signed_up = row["account_id"], row["person_id"], row["created_at"] or row["first_at"]
        found[account].append(
            Somebody(
                person_id=person,
                is_pql=row["is_pql"],
                signed_up_at=signed_up.replace(tzinfo=UTC) if signed_up else None,
                opted_out=bool({person, row["email"]} & suppressed),
                touches=touches.get(person, ()),
            )
        )
    return found
