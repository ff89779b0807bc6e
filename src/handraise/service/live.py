"""Follow the event log: take in what it holds, and score again whoever it is about, seconds later.

What is taken in and how far the log was followed are one transaction, and so are the scores and who still waits for
them: a kill at any moment leaves neither a lost nor a doubled event. Everything here can be done anew from the log.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import ibis
import msgspec
import pyarrow as pa

from handraise.errors import InputError
from handraise.events.call_intake import (
    EVERYBODY_DIRTY,
    UNREADABLE,
    Counts,
    Erased,
    ReceivedCall,
    add_counts,
    take_calls,
)
from handraise.events.call_replay import mend_again
from handraise.events.received import MENDED, UNKNOWN_SOURCE, Received, decode
from handraise.ledger.store import Ledger
from handraise.log.frame import Damage, Frame
from handraise.log.store import EventLog
from handraise.playbook.measures import Abandoned
from handraise.playbook.plan import plan_rollups
from handraise.service import deciding
from handraise.service import project as projects
from handraise.service.project import Project
from handraise.service.rescore import rescore
from handraise.signals.intent import GRACE_HOURS
from handraise.warehouse.tables import read_fact, write_fact, write_facts

_POSITION = "log_position"
_KNOWN = "live_data_version"
_DAMAGED = "log_bytes_damaged"
_TICK = "live_scored_at"
# Calls taken in at once: enough to be worth a statement, few enough for memory; and bytes of them, as some are long.
MOST_CALLS = 20_000
MOST_BYTES = 16 * 1024 * 1024
# Above so many waiting people, scoring everybody is cheaper than finding out whom they touch.
_MOST_PEOPLE = 2_000


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One step along the log.

    Attributes:
        calls: Calls taken in.
        behind: Bytes of the log that are still to be read; 0 when all that was durable has been.
        damaged: Ranges that cannot be read.
    """

    calls: int
    behind: int
    damaged: tuple[Damage, ...]


@dataclass(kw_only=True)
class _Read:
    """What a stretch of the log holds."""

    calls: list[ReceivedCall] = field(default_factory=list)
    refused: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    damaged: list[Damage] = field(default_factory=list)
    mended: list[Received] = field(default_factory=list)
    size: int = 0

    def add(self, found: Frame | Damage) -> None:
        """One record, or a range that cannot be read."""
        if isinstance(found, Damage):
            self.damaged.append(found)
            return
        record = decode(found.payload)
        if record.kind == MENDED:
            self.mended.append(record)
        self.calls += record.calls(found.position, found.received_at)
        self.size += sum(map(len, record.events)) + len(record.events) * len(record.shared)
        if record.refused:
            self.refused[record.source].received += record.refused.received
            self.refused[record.source].refused += record.refused.refused

    def add_aside(self, found: Frame) -> None:
        """The calls of a record; of one that cannot be read at all, its bytes as one. What was put right is left as it was."""
        try:
            self.add(found)
        except msgspec.MsgspecError:
            shared = msgspec.json.encode({"reason": "the record cannot be read"})
            unread = Received(UNKNOWN_SOURCE, UNREADABLE, shared, (found.payload,))
            self.calls += unread.calls(found.position, found.received_at)
        self.mended.clear()


class Live:
    """The follower of one log into one project. Belongs to the thread that owns the project.

    Args:
        project: Open, to be written.
        log: Read from where the project has followed it.
        erased: Those of some ids and addresses whose people were erased.
    """

    def __init__(self, project: Project, log: EventLog, *, erased: Erased = lambda _: set()) -> None:
        self.project, self.log, self._erased = project, log, erased

    @property
    def position(self) -> int:
        """How far the log was followed."""
        return int(read_fact(self.project.warehouse, _POSITION) or 0)

    @property
    def damaged(self) -> int:
        """Bytes of the log that could not be read on the way."""
        return int(read_fact(self.project.warehouse, _DAMAGED) or 0)

    def take(self, most: int = MOST_CALLS, *, before: int | None = None) -> Taken:
        """Take in the next calls of the log.

        Args:
            most: How many, about, and how many records at most: with 1, it is one record that is taken in or fails.
            before: Only what was received before this instant, in microseconds since 1970; None = all.
        """
        position, more = self.position, False
        read, records = _Read(), 0
        for found in self.log.read(position):
            if isinstance(found, Frame) and before is not None and found.received_at >= before:
                break
            records, position = records + 1, found.end
            read.add(found)
            if len(read.calls) >= most or records >= most or read.size >= MOST_BYTES:
                more = True
                break
        if position != self.position:
            with self.project.warehouse.transaction():
                self._take(read)
                write_fact(self.project.warehouse, _POSITION, str(position))
        behind = self.log.durable - position if more else 0
        return Taken(calls=len(read.calls), behind=behind, damaged=tuple(read.damaged))

    def _take(self, read: _Read, reason: str | None = None) -> None:
        warehouse, followed = self.project.warehouse, self._is_followed()
        if read.calls:
            take_calls(warehouse, read.calls, reason=reason, erased=self._erased)
        for record in read.mended:
            mend_again(warehouse, record, erased=self._erased)
        if read.refused:
            add_counts(warehouse, read.refused)
        if read.damaged:
            more = sum(one.end - one.position for one in read.damaged)
            write_fact(warehouse, _DAMAGED, str(self.damaged + more))
        if followed:
            write_fact(warehouse, _KNOWN, projects.data_version(self.project))

    def set_next_aside(self, reason: str) -> None:
        """Set the calls of the next record of the log aside: taking it in fails again and again. Refusals are counted."""
        read = _Read()
        for found in self.log.read(self.position):
            if isinstance(found, Damage):
                read.damaged.append(found)
                continue
            read.add_aside(found)
            with self.project.warehouse.transaction():
                self._take(read, reason)
                write_fact(self.project.warehouse, _POSITION, str(found.end))
            return

    def settle(self, now: datetime, *, may_wait: bool = False) -> bool:
        """Score again whoever waits for it, and decide about them; returns whether anybody did.

        Args:
            now: The present instant.
            may_wait: Decisions about everybody may wait for the next time, so that scores need not wait for them.
        """
        project = self.project
        try:
            as_of = self.as_of(now)
        except InputError:  # nothing was ever loaded
            return False
        with self._ledger() as ledger:
            if ledger and not may_wait:
                deciding.pass_on_due(project, ledger, as_of=as_of, now=now)
            everybody = self._score(as_of, now, ledger)
            if everybody is None:
                return False
            if ledger and not (may_wait and everybody):
                deciding.decide_now(project, ledger, as_of=as_of, now=now, within_scope=not everybody)
        return True

    def _score(self, as_of: date, now: datetime, ledger: Ledger | None) -> bool | None:
        """Score again whoever waits for it; whether that was everybody, None = nobody waited."""
        project, warehouse = self.project, self.project.warehouse
        with warehouse.transaction():
            anew = (
                not self._is_followed()
                or projects.scored_as_of(project) != as_of
                or not projects.is_comparable(project)
                or read_fact(warehouse, EVERYBODY_DIRTY) == "yes"
                or (ledger is not None and deciding.is_first(ledger))
            )
            self._wake_abandoned(now)
            if ledger:
                self._wake_due(deciding.due_accounts(ledger, now))
            people = warehouse.whole("dirty_people")["person_id"].to_pylist()
            undecided = ledger is not None and read_fact(warehouse, projects.UNDECIDED) == "yes"
            if not (anew or undecided or people):
                return None
            everybody = anew or undecided or len(people) > _MOST_PEOPLE
            if anew:
                if ledger:
                    deciding.look_back(project, ledger, as_of)
                projects.refresh(project, [as_of], now=now)
            elif everybody:
                projects.score_again(project, now=now)
            else:
                everybody = rescore(project, people, now=now).everybody
            warehouse.empty("dirty_people")
            facts = {
                EVERYBODY_DIRTY: "no",
                projects.UNDECIDED: "yes" if ledger else "no",
                _KNOWN: projects.data_version(project),
                _TICK: now.astimezone(UTC).isoformat(),
            }
            write_facts(warehouse, facts)
        return everybody

    def _ledger(self) -> AbstractContextManager[Ledger | None]:
        """What decisions are kept in; None = nothing is decided."""
        project = self.project
        return project.ledger() if project.ledger and project.loaded.playbook.handoffs.triggers else nullcontext()

    def _wake_due(self, accounts: list[str]) -> None:
        """Accounts that the clock says to decide about wait for new scores, as decisions rest on them."""
        warehouse = self.project.warehouse
        if not accounts or "kept_person_values" not in warehouse.table_names():
            return
        due = warehouse.hold("due_accounts", pa.table({"account_id": pa.array(accounts, pa.string())}))
        kept = warehouse.table("kept_person_values").semi_join(due, "account_id")
        people = kept.group_by("account_id").agg(person_id=kept.person_id.min()).select("person_id").distinct()
        warehouse.insert("dirty_people", people.anti_join(warehouse.table("dirty_people"), "person_id"))

    def as_of(self, now: datetime) -> date:
        """The end of today once anything came in by the log; before, what a refresh without a day would take."""
        if self.position:
            return now.date() + timedelta(days=1)
        return projects.default_as_of(self.project, now)

    def _is_followed(self) -> bool:
        """Whether the stored scores lack nothing but what the waiting people did."""
        version, stamp = (
            projects.data_version(self.project),
            (read_fact(self.project.warehouse, "scored") or "").split(),
        )
        return bool(stamp) and version in {stamp[2], read_fact(self.project.warehouse, _KNOWN)}

    def _wake_abandoned(self, now: datetime) -> None:
        """Whoever started something a day ago waits for new scores: that it was not completed is known only now."""
        warehouse, last = self.project.warehouse, read_fact(self.project.warehouse, _TICK)
        signals = self.project.loaded.playbook.signals.person.values()
        roles = {signal.measure.started for signal in signals if isinstance(signal.measure, Abandoned)}
        if not last or not roles:
            return
        patterns = plan_rollups(self.project.loaded.playbook).roles
        names = [pattern.event for role in roles for pattern in patterns[role]]
        grace = timedelta(hours=GRACE_HOURS)
        since, until = (_plain(at - grace) for at in (datetime.fromisoformat(last), now))
        events = warehouse.table("events")
        begun = events.filter((events.timestamp > since) & (events.timestamp <= until))
        if all(names):
            begun = begun.filter(begun.name.isin(names))
        ids = begun.select(person_id=ibis.coalesce(begun.person_id, begun.anonymous_id)).distinct()
        warehouse.insert("dirty_people", ids.anti_join(warehouse.table("dirty_people"), "person_id"))


def _plain(at: datetime) -> ibis.expr.types.TimestampScalar:
    return ibis.timestamp(at.astimezone(UTC).replace(tzinfo=None))
