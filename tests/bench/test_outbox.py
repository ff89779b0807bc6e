"""A small run of the benchmark: a failing receiver and a killed sender lose, double and hurry nothing."""

from pathlib import Path

from benchmarks.outbox import run


def test_a_failing_receiver_and_a_killed_sender_lose_and_double_nothing(tmp_path: Path) -> None:
    found = run(tmp_path, changes=150, kills=3, speed=4000, patience=90)
    assert found.wrong == ()
    assert found.kills == 3
    assert found.poison > 0
    assert found.messages > 60
    assert 0.2 < found.faults / found.requests < 0.6
