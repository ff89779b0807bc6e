"""Which conditions held when they were last looked at, and up to when was decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from handraise.ledger.rows import columns_of, parts
from handraise.ledger.schema import conditions, deciding

Key = tuple[str, str, str]
# Stands among the triggers that were looked at the last time, for what scores meant then.
SCORES = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A condition that held when it was last looked at.

    Attributes:
        trigger: Whose.
        account_id: Where.
        person_id: Of whom; empty = of the whole account.
        value: What its reason says.
        asked_at: When it was asked for last, where each time counts anew.
        fired_at: When the trigger fired.
        pending: What is to be done about it is still to be decided.
    """

    trigger: str
    account_id: str
    person_id: str
    value: float | None
    asked_at: datetime | None
    fired_at: datetime
    pending: bool

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.trigger, self.account_id, self.person_id


_NAMES = tuple(field.name for field in fields(Held))
_KEY = ("of_trigger", "of_account", "of_person")
_OF_KEY = tuple(
    conditions.c[name] == bindparam(given)
    for name, given in zip(("trigger", "account_id", "person_id"), _KEY, strict=True)
)


def held_conditions(connection: Connection, accounts: Sequence[str] | None = None) -> Iterator[Held]:
    """Conditions that held; of some accounts, or of all."""
    columns = [conditions.c[name] for name in _NAMES]
    for part in [None] if accounts is None else parts(accounts):
        wanted = select(*columns) if part is None else select(*columns).where(conditions.c.account_id.in_(part))
        yield from (Held(**dict(zip(_NAMES, row, strict=True))) for row in connection.execute(wanted))


def keep_conditions(connection: Connection, held: Iterable[Held], ended: Iterable[Key]) -> None:
    """Put conditions in the place of what was known of them, and forget those that hold no more."""
    held = list(held)
    gone = [dict(zip(_KEY, key, strict=True)) for key in (*ended, *(one.key for one in held))]
    if gone:
        connection.execute(delete(conditions).where(*_OF_KEY), gone)
    if held:
        connection.execute(insert(conditions), [columns_of(one) for one in held])


def settle_conditions(connection: Connection, keys: Iterable[Key]) -> None:
    """What is to be done about these is decided."""
    settled = [dict(zip(_KEY, key, strict=True)) for key in keys]
    if settled:
        connection.execute(update(conditions).where(*_OF_KEY).values(pending=False), settled)


def decided_until(connection: Connection) -> datetime | None:
    """Up to when was decided; None = nothing ever was."""
    found: datetime | None = connection.execute(select(deciding.c.decided_until)).scalar_one()
    return found


def known_triggers(connection: Connection) -> dict[str, str]:
    """Triggers that were looked at the last time, and what they meant then."""
    found: dict[str, str] | None = connection.execute(select(deciding.c.triggers)).scalar_one()
    return found or {}


def note_decided(connection: Connection, *, until: datetime, triggers: Mapping[str, str]) -> None:
    """Note up to when was decided, and with which triggers."""
    connection.execute(update(deciding).values(decided_until=until, triggers=dict(triggers)))
