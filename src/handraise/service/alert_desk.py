"""What people do about alerts: see how destinations stand, try one, send again what did not arrive, resume what was paused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from handraise.alerts.mail import Sheet, open_mail, sheet_mail
from handraise.alerts.protocol import Reach
from handraise.alerts.registry import missing_variables, open_sender
from handraise.alerts.timing import is_quiet
from handraise.errors import ConflictError, InputError, NotFoundError, ProjectError
from handraise.ledger import outbox
from handraise.ledger.audit import record, take_turn
from handraise.ledger.outbox import Entry, Standing
from handraise.ledger.store import Ledger
from handraise.playbook.alerts import AnyDestination, EmailTo
from handraise.playbook.reading import did_you_mean
from handraise.playbook.schema import Playbook
from handraise.records.alerting import AlertMessage, Outcome
from handraise.service.alerting import zone_of
from handraise.service.delivering import send_safely


@dataclass(frozen=True, kw_only=True)
class DestinationShown:
    """A destination as the playbook has it, and how it stands.

    Attributes:
        name: Its name in the playbook.
        kind: webhook, slack or email; None = the playbook does not have it any more.
        state: ready, quiet (it is its quiet time), resting (it wants to be asked later), paused, lacking (a variable of
            the environment is not set) or gone (from the playbook).
        missing: Variables that are not set.
        standing: Its messages, and why it is paused.
    """

    name: str
    kind: str | None
    state: str
    missing: tuple[str, ...]
    standing: Standing


def destinations(ledger: Ledger, playbook: Playbook, reach: Reach, now: datetime) -> list[DestinationShown]:
    """All destinations of the playbook, and those that it had and that messages still wait for."""
    with ledger.reading() as connection:
        known = outbox.standings(connection)
    rules = playbook.alerts.destinations
    gone = [name for name, one in known.items() if name not in rules and (one.waiting or one.dead or one.unsure)]
    shown = []
    for name in [*rules, *gone]:
        standing = known.get(name, Standing(name=name))
        missing = missing_variables(rules[name], reach) if name in rules else ()
        state = _state(name, standing, missing, playbook, now)
        kind = rules[name].kind if name in rules else None
        shown.append(DestinationShown(name=name, kind=kind, state=state, missing=missing, standing=standing))
    return shown


def _state(name: str, standing: Standing, missing: tuple[str, ...], playbook: Playbook, now: datetime) -> str:
    rules = playbook.alerts.destinations.get(name)
    if rules is None:
        return "gone"
    if missing:
        return "lacking"
    if standing.paused_at:
        return "paused"
    if standing.not_before and standing.not_before > now:
        return "resting"
    return "quiet" if is_quiet(rules.quiet, zone_of(rules, playbook), now) else "ready"


def send_test(playbook: Playbook, name: str, reach: Reach, *, message_id: str, now: datetime) -> Outcome:
    """Send a test message to a destination now, whatever the hour; nothing of it is kept.

    Raises:
        NotFoundError: The playbook has no such destination.
        ProjectError: A variable of the environment that it needs is not set.
    """
    rules = _ready(playbook, name, reach)
    language, zone = rules.language or playbook.language, zone_of(rules, playbook)
    message = AlertMessage(id=message_id, sequence=0, at=now, language=language, timezone=zone)
    return send_safely(open_sender(rules, reach), message)


def send_sheet(playbook: Playbook, name: str, reach: Reach, sheet: Sheet) -> Outcome:
    """Send a spreadsheet to a destination now.

    Raises:
        NotFoundError: The playbook has no such destination.
        InputError: It is no mailbox.
        ProjectError: A variable of the environment that it needs is not set.
    """
    rules = _ready(playbook, name, reach)
    if not isinstance(rules, EmailTo):
        raise InputError(
            f"{name!r} is no mailbox.", where="alerts.destinations", todo="Name a destination of the kind email."
        )
    return open_mail(rules, reach).send_mail(sheet_mail(rules, sheet))


def _ready(playbook: Playbook, name: str, reach: Reach) -> AnyDestination:
    rules = playbook.alerts.destinations.get(name)
    if rules is None:
        raise _unknown(name, playbook)
    missing = missing_variables(rules, reach)
    if missing:
        raise ProjectError(
            f"the environment does not hold what {name!r} needs.",
            where=", ".join(missing),
            todo="Set the variable where handraise runs, and start it again.",
        )
    return rules


def undelivered(ledger: Ledger, *, after: int = 0, limit: int = 50) -> tuple[Entry, ...]:
    """Messages that will not be taken, and those that may have arrived."""
    with ledger.reading() as connection:
        return outbox.list_undelivered(connection, after=after, limit=limit)


def replay(ledger: Ledger, numbers: Sequence[int] | None, *, actor: str, now: datetime) -> int:
    """Send messages again that did not, or may not, have arrived; None = all. How many wait now.

    Raises:
        NotFoundError: One of the numbers is not of such a message; none is sent again then.
    """
    with ledger.transaction() as connection:
        take_turn(connection)
        if numbers is not None:
            there = outbox.lying_among(connection, numbers)
            unknown = sorted(set(numbers) - there)
            if unknown:
                raise NotFoundError(
                    f"no message {unknown[0]} waits to be sent again.", todo="`handraise alerts dead` lists them."
                )
        sent = outbox.replay(connection, numbers, now=now)
        details = {"messages": sent}
        record(connection, actor=actor, action="alerts.replay", object="outbox", details=details, now=now)
    return sent


def resume(ledger: Ledger, playbook: Playbook, name: str, *, actor: str, now: datetime) -> None:
    """Send to a paused destination again.

    Raises:
        NotFoundError: The playbook has no such destination.
        ConflictError: It is not paused.
    """
    if name not in playbook.alerts.destinations:
        raise _unknown(name, playbook)
    with ledger.transaction() as connection:
        take_turn(connection)
        if not outbox.resume(connection, name):
            raise ConflictError(f"{name!r} is not paused.")
        record(connection, actor=actor, action="alerts.resume", object=f"destination {name}", details={}, now=now)


def _unknown(name: str, playbook: Playbook) -> NotFoundError:
    known = list(playbook.alerts.destinations)
    todo = did_you_mean(name, known) or (f"There are {', '.join(known)}." if known else "docs/alerts.md says how.")
    return NotFoundError(f"the playbook has no destination {name!r}.", where="alerts.destinations", todo=todo)
