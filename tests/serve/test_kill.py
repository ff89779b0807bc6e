"""Killed at any moment, a server has lost nothing that it acknowledged, and nothing counts twice."""

from pathlib import Path

from benchmarks.serve.attacks import kills


def test_kills_under_load_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    found = kills(tmp_path / "project", rounds=10)
    assert found.acked > 1000
    assert (found.lost, found.doubled, found.unasked, found.uncounted) == (0, 0, 0, 0)
