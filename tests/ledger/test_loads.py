"""The manifest of loaded files: each handing over is an entry, in one order without gaps."""

import pytest

from handraise.ledger.loads import Load, LoadedFile, list_loads, note_load
from handraise.ledger.store import Ledger
from ledger.clock import NOW, at_once, later
from ledger.conftest import Place

EVENTS = LoadedFile(path="exports/événements.csv.gz", format="csv", size=5_000_000_000, sha256="ab" * 32)


def test_a_file_is_noted_with_all_that_is_known_of_it(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        noted = note_load(connection, EVENTS, now=NOW)
    assert noted == Load(
        id=noted.id,
        sequence=1,
        path="exports/événements.csv.gz",
        format="csv",
        size=5_000_000_000,
        sha256="ab" * 32,
        loaded_at=NOW,
    )
    with ledger.reading() as connection:
        assert list_loads(connection) == (noted,)


def test_the_same_file_handed_over_again_is_another_entry(ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        noted = [note_load(connection, EVENTS, now=later(hours=hour)) for hour in range(5)]
        assert [(load.sequence, load.loaded_at) for load in noted] == [(n + 1, later(hours=n)) for n in range(5)]
        assert list_loads(connection, after=1, limit=2) == tuple(noted[1:3])


def test_files_noted_at_once_have_one_order_without_gaps(place: Place) -> None:
    ledgers = [place.open() for _ in range(4)]

    def note(ledger: Ledger) -> None:
        for _ in range(5):
            with ledger.transaction() as connection:
                note_load(connection, EVENTS, now=NOW)

    def give_up(ledger: Ledger) -> None:
        with pytest.raises(KeyError), ledger.transaction() as connection:
            raise KeyError(note_load(connection, EVENTS, now=NOW).sequence)

    at_once([*(lambda ledger=ledger: note(ledger) for ledger in ledgers), lambda: give_up(ledgers[0])])
    with ledgers[0].reading() as connection:
        assert [load.sequence for load in list_loads(connection)] == list(range(1, 21))
