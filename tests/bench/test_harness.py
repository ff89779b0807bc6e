"""The harness of the benchmark: limits, the cutting of events into days, phases in processes of their own."""

from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from benchmarks.child import command, in_child
from benchmarks.company import ACCOUNTS, DAYS, HISTORY_DAYS, ISSUED_EVENTS, Part, parts_of, size_for
from benchmarks.figures import Figure, Limit, Report, plain
from handraise.simulate import simulate

END = date(2026, 9, 1)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Part, ...]:
    folder = tmp_path_factory.mktemp("cut")
    simulate(folder, accounts=30, days=200, seed=2, end=END)
    return parts_of(folder / "events.parquet", folder / "parts", end=END, days=200, held_back=3)


def test_a_long_history_is_cut_into_older_days_the_last_180_and_single_days(parts: tuple[Part, ...]) -> None:
    assert [part.name for part in parts] == ["older", "base", "2026-08-29", "2026-08-30", "2026-08-31"]
    starts = [END - timedelta(days=ago) for ago in (200, 180, 3, 2, 1, 0)]
    for part, first, end in zip(parts, starts, starts[1:], strict=False):
        days = [at.date() for at in pq.read_table(part.loaded)["timestamp"].to_pylist()]
        assert first <= min(days) <= max(days) < end


def test_no_event_gets_lost_and_only_copies_are_left_out(parts: tuple[Part, ...]) -> None:
    whole = pq.read_table(parts[0].loaded.parents[2] / "events.parquet")["event_id"].to_pylist()
    loaded = [name for part in parts for name in pq.read_table(part.loaded)["event_id"].to_pylist()]
    once = [name for part in parts for name in pq.read_table(part.once)["event_id"].to_pylist()]
    assert loaded == whole
    assert once == list(dict.fromkeys(whole))
    assert len(once) < len(loaded)
    assert [part.rows for part in parts] == [pq.read_metadata(part.loaded).num_rows for part in parts]
    assert sum(part.events for part in parts) == len(once)


def test_fewer_events_are_fewer_people_and_a_longer_history_is_the_same_company() -> None:
    assert size_for(ISSUED_EVENTS, DAYS).accounts == ACCOUNTS
    assert size_for(ISSUED_EVENTS // 10, DAYS).accounts == ACCOUNTS // 10
    assert size_for(4 * ISSUED_EVENTS, HISTORY_DAYS).accounts == ACCOUNTS


@pytest.mark.parametrize(
    ("limit", "numbers", "met"),
    [
        (Limit(shown="≤ 2", most=2), [1.0, 2.0, 9.0], True),
        (Limit(shown="≤ 2", most=2), [1.0, 2.1, 9.0], False),
        (Limit(shown="≥ 3", least=3), [1.0, 3.0, 9.0], True),
        (Limit(shown="≥ 3", least=3), [1.0, 2.9, 9.0], False),
        (Limit(shown="0", most=0), [0.0, 0.0], True),
        (Limit(shown="≤ 2", most=2), [], None),
        (None, [1.0], None),
    ],
)
def test_the_median_has_to_keep_to_the_limit(limit: Limit | None, numbers: list[float], met: bool | None) -> None:
    assert Figure(name="x", measured=numbers, limit=limit).met is met
    assert Figure(name="x", seconds=numbers, limit=limit).met is met


def test_a_limit_is_about_the_ratio_where_there_is_one() -> None:
    figure = Figure(name="x", seconds=[100.0], measured=[1.5], limit=Limit(shown="≤ 2 F", most=2))
    assert figure.met is True


def test_the_table_shows_median_least_and_most_and_what_is_not_met() -> None:
    report = Report(title="made up")
    report.add(
        Figure(name="slow", seconds=[3.0, 1.0, 2.0], measured=[7.0], unit="× F", limit=Limit(shown="≤ 6 F", most=6))
    )
    written = StringIO()
    report.show(Console(file=written, width=120))
    assert "2.00 (1.00–3.00)" in written.getvalue()
    assert "7.00 × F" in written.getvalue()
    assert "NO" in written.getvalue()
    assert report.as_json()["figures"][0]["met"] is False
    assert report.as_json()["figures"][0]["seconds"] == [3.0, 1.0, 2.0]


@pytest.mark.parametrize(("number", "text"), [(0.123, "0.12"), (12.34, "12.3"), (1234.5, "1,234")])
def test_numbers_have_no_more_digits_than_they_deserve(number: float, text: str) -> None:
    assert plain(number) == text


def test_a_phase_runs_in_a_process_of_its_own_and_tells_its_peak_of_memory(tmp_path: Path) -> None:
    size = {"events": 20_000, "days": 60, "accounts": 10}
    answer = in_child("simulated", folder=str(tmp_path), size=size)
    assert answer["events"] == pytest.approx(20_000, rel=0.1)
    assert answer["seconds"] > 0
    # Python with NumPy and Arrow is more than 40 MiB, and so few events need no gigabyte.
    assert 40 << 20 < answer["peak_bytes"] < 1 << 30


def test_a_phase_that_fails_is_not_passed_over(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="'cut'"):
        in_child("cut", folder=str(tmp_path), size={"events": 1, "days": 1, "accounts": 1}, held_back=1)
    assert "FileNotFoundError" in capfd.readouterr().err


def test_a_command_is_timed_and_one_that_fails_is_told() -> None:
    assert command("--version")["seconds"] > 0
    with pytest.raises(RuntimeError, match="nowhere"):
        command("doctor", "--project", "nowhere")
