"""Deliver what waits in the outbox: each destination by itself, so that a slow or dead one delays nobody else."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from sqlalchemy import Connection

from handraise.alerts.protocol import Reach, Sender
from handraise.alerts.registry import missing_variables, open_sender
from handraise.alerts.timing import is_quiet
from handraise.ledger import outbox
from handraise.ledger.outbox import Entry, Holder
from handraise.ledger.store import Ledger
from handraise.playbook.alerts import Destination
from handraise.playbook.schema import Playbook
from handraise.playbook.section import Language
from handraise.records.alerting import AlertItem, AlertMessage, Outcome
from handraise.service.alerting import zone_of

LookUp = Callable[[Sequence[str], Language], Mapping[str, AlertItem]]
# Messages of one digest at most; what is left follows in the next.
_DIGEST = 100
# Seconds until a message that is on its way is left to the next start.
_STOP_WITHIN = 3.0
_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class World:
    """What delivering needs from outside.

    Attributes:
        playbook: The one in use now.
        look_up: What is to be said about handoffs and decisions.
        reach: The network, and the environment with its secrets.
        now: The clock.
        chance: From 0 to 1.
        holder: As whom destinations are held.
        failed: Hears of each message that was not sent, or not to all: the destination, and what became of it.
    """

    playbook: Callable[[], Playbook]
    look_up: LookUp
    reach: Reach
    now: Callable[[], datetime]
    chance: Callable[[], float]
    holder: Holder
    failed: Callable[[str, Outcome], None]


@dataclass(kw_only=True)
class Delivered:
    """What became of messages while somebody waited for it.

    Attributes:
        counts: Kind of outcome → how many messages.
    """

    counts: Counter[str] = field(default_factory=Counter)


class Deliverer:
    """Sends until it is stopped, with one thread for each destination that has something to send.

    Args:
        ledger: The outbox.
        world: What it needs from outside.
        look_every: Seconds between two looks at the outbox.
    """

    def __init__(self, ledger: Ledger, world: World, *, look_every: float = 1.0) -> None:
        self._ledger, self._world, self._look_every = ledger, world, look_every
        self._stopping = threading.Event()
        self._at_work: dict[str, threading.Thread] = {}
        self.delivered = Delivered()

    def run(self) -> None:
        """Send what comes due until `stop`."""
        while not self._stopping.is_set():
            try:
                self._begin()
            except Exception as error:  # noqa: BLE001 - whatever happened, what comes due next is to be sent
                _log.error("the outbox failed", reason=str(error))
            self._stopping.wait(self._look_every)
        self._wait(_STOP_WITHIN)

    def stop(self) -> None:
        """End after the messages that are being sent now."""
        self._stopping.set()

    def run_until_done(self) -> Delivered:
        """Send everything that is due now."""
        self._begin()
        try:
            self._wait(None)
        except KeyboardInterrupt:
            self.stop()
            self._wait(_STOP_WITHIN)
            raise
        return self.delivered

    def _wait(self, seconds: float | None) -> None:
        """Until nobody is at work, for so long at most."""
        until = None if seconds is None else time.monotonic() + seconds
        for thread in self._at_work.values():
            thread.join(until and max(0.0, until - time.monotonic()))

    def _begin(self) -> None:
        """Start a thread for each destination that has something to send and none at work."""
        destinations = self._world.playbook().alerts.destinations
        if not destinations:
            return
        with self._ledger.reading() as connection:
            due = outbox.due_destinations(connection, self._world.now())
        for name, urgent in due.items():
            if rules := destinations.get(name):
                try:
                    self._begin_with(name, rules, urgent=urgent)
                except Exception as error:  # noqa: BLE001 - one that cannot be asked keeps no other waiting
                    _log.error("alerts could not be sent", destination=name, reason=str(error))

    def _begin_with(self, name: str, rules: Destination, *, urgent: bool) -> None:
        at_work = self._at_work.get(name)
        if (at_work and at_work.is_alive()) or not self._may_send(rules, urgent=urgent):
            return
        # A daemon: a server that does not answer keeps nobody from stopping; what it has is settled by the next start.
        thread = threading.Thread(target=self._drain, args=(name, rules), name=f"alerts to {name}", daemon=True)
        self._at_work[name] = thread
        thread.start()

    def _may_send(self, rules: Destination, *, urgent: bool) -> bool:
        ready = not missing_variables(rules, self._world.reach)
        return ready and (not self._urgent_only(rules) or (urgent and rules.urgent_at_once))

    def _urgent_only(self, rules: Destination) -> bool:
        """In quiet hours: only what is urgent, if anything."""
        return is_quiet(rules.quiet, zone_of(rules, self._world.playbook()), self._world.now())

    def _drain(self, name: str, rules: Destination) -> None:
        """Send to one destination until nothing is due there."""
        try:
            sender = open_sender(rules, self._world.reach)
            with self._ledger.transaction() as connection:
                if not outbox.hold(connection, name, self._world.holder, self._world.now()):
                    return
                outbox.recover(connection, name, repeatable=sender.repeatable, now=self._world.now())
            try:
                self._send_all(name, rules, sender)
            finally:
                with self._ledger.transaction() as connection:
                    outbox.let_go(connection, name, self._world.holder)
                    outbox.drop_ended(connection, now=self._world.now())
        except Exception as error:  # noqa: BLE001 - whatever happened, the other destinations are not concerned
            _log.error("alerts could not be sent", destination=name, reason=str(error))

    def _send_all(self, name: str, rules: Destination, sender: Sender) -> None:
        entries: tuple[Entry, ...] = ()
        outcome = Outcome(kind="sent")
        while True:
            # What became of the last and the turn of the next are one transaction: one write for each message.
            with self._ledger.transaction() as connection:
                if entries:
                    repeatable, chance = sender.repeatable, self._world.chance()
                    outbox.settle(
                        connection, entries, outcome, repeatable=repeatable, now=self._world.now(), chance=chance
                    )
                taken = () if self._stopping.is_set() else self._take(name, rules, connection)
            if not taken:
                return
            entries, outcome = self._send(taken, rules, sender)
            if entries:
                self.delivered.counts[outcome.kind] += len(entries)
            if entries and (outcome.kind != "sent" or outcome.said):
                self._world.failed(name, outcome)

    def _take(self, name: str, rules: Destination, connection: Connection) -> tuple[Entry, ...]:
        """The next messages; none where the destination is paused, wants to be left alone, or it is quiet."""
        now, quiet = self._world.now(), self._urgent_only(rules)
        if (quiet and not rules.urgent_at_once) or not outbox.hold(connection, name, self._world.holder, now):
            return ()
        most = _DIGEST if rules.digest and not quiet else 1
        return outbox.take(connection, name, most=most, urgent_only=quiet, now=now)

    def _send(self, taken: tuple[Entry, ...], rules: Destination, sender: Sender) -> tuple[tuple[Entry, ...], Outcome]:
        """Send messages as one; returns those that there was something to say about, and what became of them."""
        playbook, now = self._world.playbook(), self._world.now()
        language = rules.language or playbook.language
        try:
            known = self._world.look_up([entry.object for entry in taken], language)
        except Exception as error:  # noqa: BLE001 - whatever keeps us from looking, nothing was sent
            return taken, Outcome(kind="unsent", said=f"what to say could not be looked up ({type(error).__name__}).")
        kept = tuple(entry for entry in taken if entry.object in known)
        if len(kept) < len(taken):
            with self._ledger.transaction() as connection:
                outbox.drop(connection, [entry for entry in taken if entry not in kept], now=now)
        if not kept:
            return (), Outcome(kind="sent")
        message = AlertMessage(
            id=kept[0].message_id,
            sequence=kept[0].id,
            at=now,
            language=language,
            timezone=zone_of(rules, playbook),
            items=tuple(replace(known[entry.object], kinds=entry.kinds) for entry in kept),
            owed=kept[0].owed,  # what was tried before goes out alone
        )
        return kept, send_safely(sender, message)


def send_safely(sender: Sender, message: AlertMessage) -> Outcome:
    """Send a message; a mistake of ours is an outcome too, so that it does not stop what comes after."""
    try:
        return sender.send(message)
    except Exception as error:  # noqa: BLE001 - nobody can say how far it came
        return Outcome(kind="unknown", said=f"sending failed ({type(error).__name__}).")
