"""Human touches as the caps count them: contacts that files tell of, and those that salespeople told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from handraise.ledger import calls


@dataclass(frozen=True, kw_only=True, slots=True)
class Touched:
    """Instants of touches, sales and marketing together. An answer is no touch of its own.

    Attributes:
        accounts: Account → with anybody there.
        people: Person → in whichever account: somebody who is in two of them reads all their mail in one place.
    """

    accounts: Mapping[str, tuple[datetime, ...]]
    people: Mapping[str, tuple[datetime, ...]]


def touched(
    connection: Connection,
    from_files: Iterable[Mapping[str, Any]],
    accounts: Sequence[str],
    people: Collection[str],
    *,
    since: datetime,
) -> Touched:
    """Touches of some accounts, and of some people wherever they were touched.

    Args:
        connection: A transaction of the ledger.
        from_files: Rows of the engine: account_id, person_id (None = not told), at (UTC without zone).
        accounts: Whose told touches are read.
        people: The same.
        since: Told touches before it count for nothing.
    """
    of_accounts: dict[str, list[datetime]] = defaultdict(list)
    of_people: dict[str, list[datetime]] = defaultdict(list)
    filed = [(row["account_id"], row["person_id"], row["at"].replace(tzinfo=UTC)) for row in from_files]
    for account, person, at in [*filed, *calls.touches_of(connection, accounts, people, since=since)]:
        of_accounts[account].append(at)
        if person:
            of_people[person].append(at)
    return Touched(
        accounts={account: tuple(every) for account, every in of_accounts.items()},
        people={person: tuple(every) for person, every in of_people.items()},
    )
