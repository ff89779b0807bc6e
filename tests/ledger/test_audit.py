"""The audit trail: whatever is done to its rows afterwards shows, and says at which row."""

import functools
import itertools
from collections.abc import Callable
from datetime import timedelta, timezone

import pytest
from sqlalchemy import text

from handraise.ledger.audit import Anchor, AuditRow, list_audit, record, take_turn, verify
from handraise.ledger.keys import create_source
from handraise.ledger.store import Ledger
from ledger.clock import NOW, at_once, later
from ledger.conftest import Place

Change = Callable[[Ledger], None]


def note(ledger: Ledger, number: int) -> Anchor:
    with ledger.transaction() as connection:
        return record(
            connection,
            actor="cli",
            action="thing.change",
            object=f"thing {number}",
            details={"b": number, "a": [None, "é"]},
            now=later(seconds=number),
        )


@pytest.fixture
def chain(ledger: Ledger) -> Ledger:
    """Five rows."""
    for number in range(1, 6):
        note(ledger, number)
    return ledger


def run(*statements: str) -> Change:
    def change(ledger: Ledger) -> None:
        with ledger.transaction() as connection:
            for statement in statements:
                connection.execute(text(statement))

    return change


def test_each_row_holds_the_hash_of_the_row_before(chain: Ledger) -> None:
    with chain.reading() as connection:
        rows = list_audit(connection)[::-1]
        assert list_audit(connection, before=4, limit=2) == (rows[2], rows[1])
    assert rows[0] == AuditRow(
        seq=1,
        at=later(seconds=1),
        actor="cli",
        action="thing.change",
        object="thing 1",
        details={"a": [None, "é"], "b": 1},
        previous_hash="0" * 64,
        hash=rows[0].hash,
    )
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert all(row.previous_hash == before.hash for before, row in itertools.pairwise(rows))
    assert len({row.hash for row in rows}) == 5


def test_an_untouched_chain_is_in_order_and_says_how_it_ends(chain: Ledger) -> None:
    with chain.transaction() as connection:
        end = take_turn(connection)
    verdict = verify(chain)
    assert (verdict.rows, verdict.broken_at, verdict.because, verdict.anchor) == (5, None, "", end)
    assert verify(chain, anchor=end).broken_at is None
    note(chain, 6)
    assert verify(chain, anchor=end).rows == 6


def test_an_empty_chain_is_in_order(ledger: Ledger) -> None:
    verdict = verify(ledger)
    assert (verdict.rows, verdict.broken_at, verdict.anchor) == (0, None, Anchor(seq=0, hash="0" * 64))
    assert verify(ledger, anchor=verdict.anchor).broken_at is None


def test_the_same_change_gives_the_same_hash_on_both_databases(in_file: Place, in_postgres: Place) -> None:
    assert note(in_file.open(), 1) == note(in_postgres.open(), 1)


def test_the_zone_of_a_time_does_not_change_the_hash(in_file: Place, in_postgres: Place) -> None:
    made = set()
    for place, hours in ((in_file, 0), (in_postgres, 8)):
        with place.open().transaction() as connection:
            now = NOW.astimezone(timezone(timedelta(hours=hours)))
            made.add(record(connection, actor="a", action="b", object="c", details={}, now=now))
    assert len(made) == 1


@pytest.mark.parametrize(
    ("change", "row", "because"),
    [
        (run("UPDATE audit SET actor = 'other' WHERE seq = 3"), 3, "row 3 was changed"),
        (run("UPDATE audit SET at = replace(at, '12:', '13:') WHERE seq = 3"), 3, "row 3 was changed"),
        (run("UPDATE audit SET at = 'never' WHERE seq = 3"), 3, "row 3 was changed"),
        (run("UPDATE audit SET action = '' WHERE seq = 1"), 1, "row 1 was changed"),
        (run("UPDATE audit SET object = 'thing 4' WHERE seq = 3"), 3, "row 3 was changed"),
        (run("UPDATE audit SET details = details || ' ' WHERE seq = 5"), 5, "row 5 was changed"),
        (run("UPDATE audit SET details = 'no JSON' WHERE seq = 2"), 2, "row 2 was changed"),
        (run("UPDATE audit SET hash = previous_hash WHERE seq = 3"), 3, "row 3 was changed"),
        (run("UPDATE audit SET previous_hash = hash WHERE seq = 3"), 3, "row 3 was written after another row"),
        (run("UPDATE audit SET actor = 'cl', action = 'ithing.change' WHERE seq = 3"), 3, "row 3 was changed"),
        (run("DELETE FROM audit WHERE seq = 3"), 3, "row 3 is missing"),
        (run("DELETE FROM audit WHERE seq = 1"), 1, "row 1 is missing"),
        (
            run("DELETE FROM audit WHERE seq = 3", "UPDATE audit SET seq = seq - 1 WHERE seq = 4"),
            3,
            "row 3 was written after another row",
        ),
        (
            run(
                "UPDATE audit SET seq = 99 WHERE seq = 2",
                "UPDATE audit SET seq = 2 WHERE seq = 3",
                "UPDATE audit SET seq = 3 WHERE seq = 99",
            ),
            2,
            "row 2 was written after another row",
        ),
        (
            run("INSERT INTO audit SELECT 6, at, actor, action, object, details, hash, hash FROM audit WHERE seq = 5"),
            6,
            "row 6 was changed",
        ),
        (run("DELETE FROM audit WHERE seq > 3"), 4, "the chain ends at row 3, and its head says that there are 5"),
        (run("DELETE FROM audit"), 1, "the chain ends at row 0, and its head says that there are 5"),
        (run("UPDATE audit_head SET length = 4"), 6, "the head of the chain says that it ends at row 4"),
        (run("UPDATE audit_head SET hash = 'x'"), 6, "with another hash"),
        (run("DELETE FROM audit_head"), 6, "the head of the chain is missing"),
    ],
)
def test_whatever_is_done_to_the_rows_shows(chain: Ledger, change: Change, row: int, because: str) -> None:
    change(chain)
    verdict = verify(chain)
    assert (verdict.broken_at, verdict.rows) == (row, row - 1)
    assert because in verdict.because


def test_a_value_of_another_type_than_text_shows_too(in_file: Place) -> None:
    ledger = in_file.open()
    note(ledger, 1)
    run("UPDATE audit SET details = x'00'")(ledger)
    assert verify(ledger).broken_at == 1


CUT = run(
    "DELETE FROM audit WHERE seq > 3",
    "UPDATE audit_head SET length = 3, hash = (SELECT hash FROM audit WHERE seq = 3)",
)


def test_a_chain_cut_together_with_its_head_is_found_by_an_anchor_from_outside(chain: Ledger) -> None:
    anchor = verify(chain).anchor
    CUT(chain)
    assert verify(chain).broken_at is None
    verdict = verify(chain, anchor=anchor)
    assert (verdict.broken_at, verdict.because) == (
        4,
        "the chain ends at row 3, and the anchor says that there was a row 5",
    )


def test_a_chain_whose_end_was_made_anew_is_found_by_an_anchor_from_outside(chain: Ledger) -> None:
    anchor = verify(chain).anchor
    CUT(chain)
    for number in (7, 8, 9):
        note(chain, number)
    assert verify(chain).broken_at is None
    verdict = verify(chain, anchor=anchor)
    assert verdict.broken_at == 5
    assert "another hash than the anchor" in verdict.because


def test_many_who_write_at_once_keep_one_chain(place: Place) -> None:
    ledgers = [place.open(), place.open()]

    def write(number: int) -> None:
        for step in range(10):
            note(ledgers[number % 2], number * 100 + step)

    at_once([functools.partial(write, number) for number in range(6)])
    verdict = verify(ledgers[0])
    assert (verdict.rows, verdict.because) == (60, "")


def test_a_change_that_is_taken_back_leaves_no_row_and_no_gap(chain: Ledger) -> None:
    def fail() -> None:
        with chain.transaction() as connection:
            create_source(connection, source_id="web", name="Web", actor="cli", now=NOW)
            raise KeyError("stop")

    with pytest.raises(KeyError):
        fail()
    assert note(chain, 6).seq == 6
    assert verify(chain).rows == 6


@pytest.mark.parametrize(
    "details",
    [{"who": "ada@example.com"}, {"ada@example.com": 1}, {"a": ["key hrw_abcdefghijk"]}, {"k": "hra_12345678"}],
)
def test_details_with_an_address_or_a_key_are_refused(ledger: Ledger, details: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="hold an e-mail address or a key"), ledger.transaction() as connection:
        record(connection, actor="cli", action="a", object="o", details=details, now=NOW)
    assert verify(ledger).rows == 0


def test_long_details_without_a_space_are_looked_through_too(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        record(connection, actor="cli", action="a", object="o", details={"text": "x" * 1_000_000}, now=NOW)
    with pytest.raises(ValueError, match="e-mail address"), ledger.transaction() as connection:
        record(connection, actor="cli", action="a", object="o", details={"text": "x" * 1_000_000 + "@y"}, now=NOW)


def test_a_long_chain_is_read_in_parts(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        for _ in range(2100):
            record(connection, actor="cli", action="a", object="o", details={}, now=NOW)
    assert verify(ledger).rows == 2100
    run("UPDATE audit SET actor = 'x' WHERE seq = 1500")(ledger)
    assert verify(ledger).broken_at == 1500
    assert note(ledger, 1).seq == 2101
