"""The outbox: coalesced while nobody tried, in order for each thing, one sender for each destination, nothing lost or sent twice."""

import itertools
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handraise.errors import LedgerError
from handraise.ledger import outbox
from handraise.ledger.outbox import SCHEDULE, Entry, Holder, Standing
from handraise.ledger.store import Ledger
from handraise.records.alerting import AlertKind, Notice, Outcome, OutcomeKind
from ledger.clock import NOW, at_once, later
from ledger.conftest import Place

ME, OTHER = Holder(name="me"), Holder(name="other")
SENT, DENIED = Outcome(kind="sent"), Outcome(kind="denied", said="the answer was 401.")
UNKNOWN, UNSENT = Outcome(kind="unknown", said="the answer was 500."), Outcome(kind="unsent", said="not reached.")
REFUSED = Outcome(kind="refused", said="the answer was 422.")


def put(
    ledger: Ledger,
    number: int,
    kind: AlertKind = "created",
    *,
    to: str = "crm",
    seconds: float = 0,
    urgent: bool = False,
) -> None:
    notice = Notice(object=f"handoff {number}", kind=kind, lane="sales", priority="high", urgent=urgent)
    with ledger.transaction() as connection:
        outbox.put(connection, to, notice, run_at=later(seconds=seconds), now=later(seconds=seconds))


def take(
    ledger: Ledger, seconds: float = 0, *, to: str = "crm", most: int = 1, urgent_only: bool = False
) -> tuple[Entry, ...]:
    now = later(seconds=seconds)
    with ledger.transaction() as connection:
        if not outbox.hold(connection, to, ME, now):
            return ()
        return outbox.take(connection, to, most=most, urgent_only=urgent_only, now=now)


def settle(
    ledger: Ledger, entries: tuple[Entry, ...], outcome: Outcome, seconds: float = 0, *, repeatable: bool = True
) -> None:
    with ledger.transaction() as connection:
        outbox.settle(connection, entries, outcome, repeatable=repeatable, now=later(seconds=seconds))


def standing(ledger: Ledger, name: str = "crm") -> Standing:
    with ledger.reading() as connection:
        return outbox.standings(connection)[name]


def lying(ledger: Ledger) -> tuple[Entry, ...]:
    with ledger.reading() as connection:
        return outbox.list_undelivered(connection)


def test_what_nobody_tried_to_send_takes_up_what_happens_meanwhile(ledger: Ledger) -> None:
    put(ledger, 1)
    put(ledger, 1, "joined")
    put(ledger, 1, "assigned", urgent=True)
    put(ledger, 1, "joined")
    put(ledger, 2)
    (one,) = take(ledger)
    assert (one.object, one.kinds, one.urgent) == ("handoff 1", ("created", "assigned", "joined"), True)
    assert standing(ledger).waiting == 2


def test_what_was_tried_is_not_changed_and_what_follows_waits_for_it(ledger: Ledger) -> None:
    put(ledger, 1)
    first = take(ledger)
    put(ledger, 1, "assigned")
    put(ledger, 2)
    settle(ledger, first, UNKNOWN)
    assert [one.object for one in take(ledger, 1)] == ["handoff 2"]
    assert take(ledger, 1) == (), "the second message about handoff 1 waits for the first"
    again = take(ledger, 100)
    assert (again[0].id, again[0].message_id, again[0].kinds) == (first[0].id, first[0].message_id, ("created",))
    settle(ledger, again, SENT, 100)
    (last,) = take(ledger, 100)
    assert (last.kinds, last.object) == (("assigned",), "handoff 1")
    assert last.message_id != first[0].message_id


def test_a_message_is_tried_ten_times_over_days_and_is_dead_then(ledger: Ledger) -> None:
    put(ledger, 1)
    seconds, waits = 0.0, []
    for _ in range(len(SCHEDULE) + 1):
        (one,) = take(ledger, seconds)
        settle(ledger, (one,), UNKNOWN, seconds)
        with ledger.reading() as connection:
            assert outbox.due_destinations(connection, later(seconds=seconds)) == {}
        after = _next(ledger)
        waits.append(after - seconds)
        seconds = after
    assert waits[:-1] == [wait.total_seconds() for wait in SCHEDULE]
    assert [(one.status, one.attempts, one.error) for one in lying(ledger)] == [("dead", 10, "the answer was 500.")]
    assert sum(waits) < timedelta(days=4).total_seconds()


def _next(ledger: Ledger) -> float:
    """When the first message that waits is due."""
    from sqlalchemy import func, select

    from handraise.ledger.schema import outbox as table

    with ledger.reading() as connection:
        at = connection.execute(select(func.min(table.c.run_at)).where(table.c.status == "waiting")).scalar()
    return (at - NOW).total_seconds() if at else 0.0


def test_those_that_failed_together_are_not_tried_again_together(ledger: Ledger) -> None:
    for number, chance in enumerate((0.0, 1.0)):
        put(ledger, number)
        taken = take(ledger)
        with ledger.transaction() as connection:
            outbox.settle(connection, taken, UNKNOWN, repeatable=True, now=NOW, chance=chance)
    assert [one.object for one in take(ledger, 4)] == ["handoff 0"]
    assert [one.object for one in take(ledger, 5.99)] == []
    assert [one.object for one in take(ledger, 6)] == ["handoff 1"]


def test_poison_is_set_aside_and_the_rest_goes_on(ledger: Ledger) -> None:
    put(ledger, 1)
    put(ledger, 2)
    settle(ledger, take(ledger), REFUSED)
    assert [one.object for one in take(ledger)] == ["handoff 2"]
    assert [(one.object, one.error) for one in lying(ledger)] == [("handoff 1", "the answer was 422.")]


def test_who_asks_to_be_left_alone_is_left_alone_also_after_a_restart(place: Place) -> None:
    ledger = place.open()
    put(ledger, 1)
    put(ledger, 2)
    settle(ledger, take(ledger), Outcome(kind="later", said="the answer was 429.", wait=timedelta(minutes=3)), 1)
    ledger.close()
    ledger = place.open()
    assert take(ledger, 180) == ()
    with ledger.reading() as connection:
        assert outbox.due_destinations(connection, later(seconds=180)) == {}
    assert [one.object for one in take(ledger, 181)] == ["handoff 2"], "it was waiting for longer"
    assert [one.object for one in take(ledger, 181)] == ["handoff 1"]


def test_a_destination_that_takes_nothing_from_us_is_paused_until_somebody_resumes_it(ledger: Ledger) -> None:
    put(ledger, 1)
    put(ledger, 2, to="mail")
    settle(ledger, take(ledger), DENIED)
    paused = standing(ledger)
    assert (paused.paused_at, paused.paused_because, paused.waiting) == (NOW, "the answer was 401.", 1)
    put(ledger, 3)
    assert take(ledger, 10_000) == ()
    assert [one.object for one in take(ledger, to="mail")] == ["handoff 2"], "others are not concerned"
    with ledger.transaction() as connection:
        assert outbox.resume(connection, "crm")
        assert not outbox.resume(connection, "crm")
    assert [one.object for one in take(ledger, 10_000)] == ["handoff 1"]


def test_what_cannot_be_sent_twice_is_shown_rather_than_sent_again(ledger: Ledger) -> None:
    put(ledger, 1)
    settle(ledger, take(ledger), UNKNOWN, repeatable=False)
    put(ledger, 2)
    taken = take(ledger)
    assert taken
    with ledger.transaction() as connection:  # its sender was lost
        assert outbox.hold(connection, "crm", OTHER, later(seconds=61))
        assert outbox.recover(connection, "crm", repeatable=False, now=later(seconds=61)) == 1
    assert [(one.object, one.status) for one in lying(ledger)] == [("handoff 1", "unsure"), ("handoff 2", "unsure")]
    put(ledger, 3)
    settle(ledger, take(ledger, 200), UNSENT, 200, repeatable=False)
    assert standing(ledger).waiting == 1, "what cannot have arrived is tried again"


def test_what_can_be_sent_twice_is_sent_again_when_its_sender_was_lost(ledger: Ledger) -> None:
    put(ledger, 1)
    (first,) = take(ledger)
    with ledger.transaction() as connection:
        assert not outbox.hold(connection, "crm", OTHER, later(seconds=59)), "it may be at it still"
        assert outbox.hold(connection, "crm", OTHER, later(seconds=61))
        assert outbox.recover(connection, "crm", repeatable=True, now=later(seconds=61)) == 1
        (again,) = outbox.take(connection, "crm", most=1, urgent_only=False, now=later(seconds=61))
    assert again.message_id == first.message_id


def test_one_of_many_holds_a_destination(ledger: Ledger) -> None:
    def grab(name: str) -> Callable[[], bool]:
        def doing() -> bool:
            with ledger.transaction() as connection:
                return outbox.hold(connection, "crm", Holder(name=name), NOW)

        return doing

    assert Counter(at_once([grab(f"sender {n}") for n in range(8)])) == {True: 1, False: 7}


def test_a_digest_takes_what_is_new_together_and_what_failed_alone(ledger: Ledger) -> None:
    for number in range(3):
        put(ledger, number)
    taken = take(ledger, most=100)
    assert len(taken) == 3
    settle(ledger, taken, UNSENT)
    put(ledger, 7, seconds=1)
    assert [one.object for one in take(ledger, 2, most=100)] == ["handoff 7"]
    assert [one.object for one in take(ledger, 60, most=100)] == ["handoff 0"]


def test_in_quiet_hours_only_what_is_urgent_is_taken(ledger: Ledger) -> None:
    put(ledger, 1)
    put(ledger, 2, urgent=True)
    with ledger.reading() as connection:
        assert outbox.due_destinations(connection, NOW) == {"crm": True}
    assert [one.object for one in take(ledger, urgent_only=True)] == ["handoff 2"]
    assert take(ledger, urgent_only=True) == ()


def test_dead_letters_can_be_sent_again_unless_something_newer_tells_it(ledger: Ledger) -> None:
    for number in (1, 2):
        put(ledger, number)
        settle(ledger, take(ledger), REFUSED)
    put(ledger, 2, "assigned")
    numbers = [one.id for one in lying(ledger)]
    with ledger.transaction() as connection:
        assert outbox.lying_among(connection, [*numbers, 999]) == set(numbers)
        assert outbox.replay(connection, numbers[:1], now=NOW) == 1
        assert outbox.replay(connection, None, now=NOW) == 0, "the newer message tells everything"
    assert lying(ledger) == ()
    assert standing(ledger).waiting == 2
    assert [one.object for one in (*take(ledger), *take(ledger))] == ["handoff 1", "handoff 2"]


def test_a_destination_that_fails_again_and_again_is_left_alone_longer_each_time(ledger: Ledger) -> None:
    for number in range(13):
        put(ledger, number)
        settle(ledger, take(ledger, 1000 * number), UNKNOWN, 1000 * number)
    found = standing(ledger)
    assert found.failures == 13
    assert found.not_before == later(seconds=12_000 + 4)
    settle(ledger, take(ledger, 20_000), SENT, 20_000)
    assert (standing(ledger).failures, standing(ledger).not_before) == (0, None)


def test_what_was_sent_is_forgotten_after_a_month_and_what_did_not_arrive_is_not(ledger: Ledger) -> None:
    put(ledger, 1)
    settle(ledger, take(ledger), SENT)
    put(ledger, 2)
    settle(ledger, take(ledger), REFUSED)
    with ledger.transaction() as connection:
        assert outbox.drop_ended(connection, now=later(days=29)) == 0
        assert outbox.drop_ended(connection, now=later(days=31)) == 1
    assert len(lying(ledger)) == 1


def test_a_change_that_is_not_kept_tells_nobody(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.transaction() as connection:
            outbox.put(connection, "crm", notice, run_at=NOW, now=NOW)
            raise LedgerError("the deciding failed.")

    notice = Notice(object="handoff 1", kind="created", lane="sales", priority="high")
    with pytest.raises(LedgerError, match="the deciding failed"):
        fail()
    with ledger.reading() as connection:
        assert outbox.standings(connection) == {}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 3)),
        st.tuples(st.sampled_from(["sent", "unknown", "unsent", "later", "refused", "denied", "lost"]), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_each_change_is_told_in_order_or_lies_among_the_dead(
    in_file: Place, steps: list[tuple[str, int]]
) -> None:
    """Against an oracle: every change is told, no message ends twice, and messages about one thing end in order."""
    ledger = in_file.open()
    destination = f"crm_{next(_DESTINATIONS)}"  # as if each example had an outbox of its own
    changed: set[str] = set()
    ended: list[Entry] = []
    seconds = 0.0
    for step, number in [*steps, *[("sent", 0)] * len(steps)]:
        seconds += 90_000  # every wait is over
        if step == "put":
            changed.add(f"handoff {number}")
            put(ledger, number, to=destination, seconds=seconds)
            continue
        with ledger.transaction() as connection:
            outbox.resume(connection, destination)
        taken = take(ledger, seconds, to=destination)
        if not taken:
            continue
        assert all(one.id < taken[0].id for one in ended if one.object == taken[0].object)
        if step == "lost":
            with ledger.transaction() as connection:
                outbox.recover(connection, destination, repeatable=True, now=later(seconds=seconds))
            continue
        settle(ledger, taken, Outcome(kind=cast("OutcomeKind", step)), seconds)
        if step in {"sent", "refused"}:
            ended.append(taken[0])
    with ledger.reading() as connection:
        found = outbox.standings(connection).get(destination)
    assert found is None or found.waiting == 0
    lost = {one.object for one in lying(ledger) if one.destination == destination}
    assert {one.object for one in ended} | lost == changed
    assert len({one.id for one in ended}) == len(ended)


_DESTINATIONS = itertools.count(1)


def test_what_some_mailboxes_are_still_owed_is_tried_again_for_them_and_keeps_nothing_back(ledger: Ledger) -> None:
    put(ledger, 1)
    settle(ledger, take(ledger), Outcome(kind="sent", said="1 of 2.", owed=("lee",)), repeatable=False)
    put(ledger, 1, "assigned", seconds=1)
    (newer,) = take(ledger, 1)
    assert (newer.kinds, newer.owed) == (("assigned",), ()), "news for all, which waits for no single mailbox"
    settle(ledger, (newer,), SENT, 1, repeatable=False)
    assert take(ledger, 3) == (), "not before its time"
    seconds = 0.0
    for attempt in range(1, len(SCHEDULE) + 1):
        seconds += 2 * SCHEDULE[attempt - 1].total_seconds() + 2
        (again,) = take(ledger, seconds)
        assert (again.kinds, again.owed, again.attempts) == (("created",), ("lee",), attempt)
        still = Outcome(kind="sent", said="still.", owed=("lee",)) if attempt == len(SCHEDULE) else UNSENT
        settle(ledger, (again,), still, seconds, repeatable=False)
    (dead,) = lying(ledger)
    assert (dead.status, dead.owed, dead.error) == ("dead", ("lee",), "still.")
    put(ledger, 2, seconds=seconds)
    with ledger.transaction() as connection:
        assert outbox.replay(connection, None, now=later(seconds=seconds)) == 1
    put(ledger, 1, "ended", seconds=seconds)
    taken = [take(ledger, seconds)[0] for _ in range(3)]
    assert sorted((one.object, one.kinds, one.owed) for one in taken) == [
        ("handoff 1", ("created",), ("lee",)),
        ("handoff 1", ("ended",), ()),
        ("handoff 2", ("created",), ()),
    ]
    for one in taken:
        settle(ledger, (one,), SENT, seconds, repeatable=False)
    assert (standing(ledger).waiting, standing(ledger).sent, standing(ledger).dead) == (0, 4, 0)
