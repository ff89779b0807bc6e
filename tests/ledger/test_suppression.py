"""Suppression: who may not be used is known by a keyed hash, however the id is written."""

import unicodedata

import pytest
from sqlalchemy import text

from handraise.errors import LedgerError
from handraise.ledger.audit import list_audit, verify
from handraise.ledger.store import Ledger
from handraise.ledger.suppression import (
    Suppressed,
    allow_again,
    count_suppressed,
    hashes_of,
    is_suppressed,
    list_suppressed,
    suppress,
)
from ledger.clock import NOW, at_once, chance, later
from ledger.conftest import Place


def add(ledger: Ledger, *ids: str, reason: str = "unsubscribed", hours: float = 0) -> int:
    with ledger.transaction() as connection:
        return suppress(connection, ids, reason=reason, actor="cli", now=later(hours=hours), random=chance())


def asked(ledger: Ledger, *ids: str) -> set[str]:
    with ledger.reading() as connection:
        return is_suppressed(connection, ids)


def test_nobody_is_suppressed_at_first(ledger: Ledger) -> None:
    assert asked(ledger, "p1", "ada@example.com") == set()
    assert asked(ledger) == set()


def test_who_is_suppressed_is_told_as_asked(ledger: Ledger) -> None:
    assert add(ledger, "p1", "ada@example.com") == 2
    assert asked(ledger, "p1", "p2", "ada@example.com", "bob@example.com") == {"p1", "ada@example.com"}


@pytest.mark.parametrize(
    ("given", "asked_for", "same"),
    [
        ("ada@example.com", "Ada@EXAMPLE.com", True),
        ("ZOË@example.com", unicodedata.normalize("NFD", "zoë@example.com"), True),
        ("İ@example.com", "i\u0307@example.com", True),
        ("p1", "P1", False),
        ("é", "e\u0301", True),
        ("p1", " p1", False),
        ("\ud800", "\ud800", True),
    ],
)
def test_capitals_of_addresses_and_ways_to_put_letters_together_do_not_count(
    ledger: Ledger, given: str, asked_for: str, *, same: bool
) -> None:
    add(ledger, given)
    assert asked(ledger, asked_for) == ({asked_for} if same else set())


def test_only_new_ones_are_counted_and_a_second_reason_is_kept_beside_the_first(ledger: Ledger) -> None:
    assert add(ledger, "p1", "p2", "p1") == 2
    assert add(ledger, "p1", "p3", hours=1) == 1
    assert add(ledger, "p1", reason="bounced", hours=2) == 1
    assert add(ledger) == 0
    with ledger.reading() as connection:
        assert count_suppressed(connection) == {"unsubscribed": 3, "bounced": 1}
        assert [one.suppressed_at for one in list_suppressed(connection)] == [NOW, NOW, later(hours=1), later(hours=2)]
        [bounced] = list_suppressed(connection, reason="bounced")
        assert bounced == Suppressed(subject_hash=bounced.subject_hash, reason="bounced", suppressed_at=later(hours=2))


def test_a_suppression_can_be_taken_back_for_its_reason_alone(ledger: Ledger) -> None:
    add(ledger, "p1", "p2")
    add(ledger, "p1", reason="objection")
    with ledger.transaction() as connection:
        assert allow_again(connection, ["p1", "p2", "p3"], reason="unsubscribed", actor="cli", now=NOW) == 2
    assert asked(ledger, "p1", "p2") == {"p1"}


def test_an_erasure_is_not_taken_back_and_a_reason_has_to_exist(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="cannot be taken back"), ledger.transaction() as connection:
        allow_again(connection, ["p1"], reason="erasure", actor="cli", now=NOW)
    with pytest.raises(LedgerError, match="no reason"):
        add(ledger, "p1", reason="whim")


def test_the_ledger_holds_hashes_under_a_key_of_its_own(in_file: Place, in_postgres: Place) -> None:
    hashes = []
    for place, seed in ((in_file, "one"), (in_postgres, "two")):
        with place.open().transaction() as connection:
            hashes.append(hashes_of(connection, ["p1"], now=NOW, random=chance(seed))["p1"])
            again = hashes_of(connection, ["p1"], now=NOW, random=chance("another"))["p1"]
            assert again == hashes[-1]
            assert len(connection.execute(text("SELECT value FROM secrets")).scalar_one()) == 32
    assert len(set(hashes)) == 2
    assert all(len(hashed) == 64 for hashed in hashes)


def test_those_who_make_the_key_at_the_same_time_make_one(place: Place) -> None:
    ledgers = [place.open() for _ in range(4)]
    at_once([lambda ledger=ledger, number=number: add(ledger, f"p{number}") for number, ledger in enumerate(ledgers)])
    assert asked(ledgers[0], "p0", "p1", "p2", "p3") == {"p0", "p1", "p2", "p3"}


def test_more_people_than_one_statement_asks_for_can_be_asked_for(ledger: Ledger) -> None:
    some = [f"p{number}" for number in range(0, 14_000, 20)]
    assert add(ledger, *some) == 700
    assert asked(ledger, *[f"p{number}" for number in range(14_000)]) == set(some)
    with ledger.reading() as connection:
        assert [len(row.details["subjects"]) for row in list_audit(connection)] == [200, 500]


def test_changes_are_in_the_audit_trail_by_hash(ledger: Ledger) -> None:
    add(ledger, "ada@example.com")
    add(ledger, "ada@example.com")
    with ledger.transaction() as connection:
        allow_again(connection, ["ada@example.com"], reason="unsubscribed", actor="cli", now=NOW)
        rows = list_audit(connection)
        hashed = hashes_of(connection, ["ada@example.com"], now=NOW, random=chance())["ada@example.com"]
    assert [row.action for row in rows] == ["suppression.remove", "suppression.add"]
    assert {str(row.details) for row in rows} == {str({"reason": "unsubscribed", "subjects": [hashed]})}
    assert verify(ledger).rows == 2
