"""Polars with its streaming engine over Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from benchmarks.rivals.rival import COUNTED, KEY, PASSIVE, Asked, Place

_at = pl.col("timestamp")
_name = pl.col("name")


def _question(events: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    cutoff = datetime.combine(as_of, time(), UTC)
    known = events.filter(_at < cutoff).with_columns(
        pl.coalesce("person_id", "anonymous_id").alias("actor"),
        pl.col("person_id").is_not_null().alias("identified"),
        pl.col("workspace_id").fill_null(""),
        _name.is_in(PASSIVE).not_().alias("active"),
    )
    month = known.filter(_at >= cutoff - timedelta(days=30))
    answer = known.group_by(KEY).agg(
        _at.min().alias("first_at"),
        _at.filter("active").min().alias("first_active_at"),
        *(
            _at.filter(_name == name).min().alias(f"first_{name}")
            for name in ("signed_up", "activation", "invite_sent", "premium_feature")
        ),
    )
    for part in (_month(month, cutoff), _invited(month), _features(month)):
        answer = answer.join(part, on=KEY, how="left")
    return answer


def _month(month: pl.LazyFrame, cutoff: datetime) -> pl.LazyFrame:
    day = _at.dt.date()
    week = pl.col("active") & (_at >= cutoff - timedelta(days=7))
    return month.group_by(KEY).agg(
        *((_name == name).sum().alias(name) for name in COUNTED),
        _at.filter(_name == "upgrade_started").max().alias("last_upgrade_started"),
        day.filter("active").n_unique().alias("active_days_30"),
        day.filter(week).n_unique().alias("active_days_7"),
        *(
            (pl.col("active") & (_at < cutoff - timedelta(days=7 * k)) & (_at >= cutoff - timedelta(days=7 * k + 7)))
            .sum()
            .alias(f"week_{k}")
            for k in range(4)
        ),
    )


def _invited(month: pl.LazyFrame) -> pl.LazyFrame:
    count = pl.col("properties").str.json_path_match("$.count").cast(pl.Float64, strict=False).fill_null(1.0)
    return month.filter(_name == "invite_sent").group_by(KEY).agg(count.sum().alias("invited"))


def _features(month: pl.LazyFrame) -> pl.LazyFrame:
    named = pl.col("properties").str.json_path_match("$.feature").replace("", None)
    used = month.filter(_name.is_in(["feature", "premium_feature"])).with_columns(
        pl.coalesce(named, _name.cast(pl.String)).alias("feature")
    )
    return used.group_by(KEY).agg(
        pl.col("feature").n_unique().alias("features"),
        pl.col("feature").filter(_name == "premium_feature").n_unique().alias("premium_features"),
    )


class _Polars:
    def __init__(self, parquet: tuple[Path, ...]) -> None:
        self._parquet = parquet
        self._answer = pl.DataFrame()

    def ask(self, as_of: date) -> None:
        # As plain text: a column of categories would have to be made the same over all files first.
        events = pl.scan_parquet(list(self._parquet)).with_columns(_name.cast(pl.String))
        self._answer = _question(events, as_of).collect(engine="streaming")

    def write(self, path: Path) -> None:
        self._answer.write_parquet(path)


@contextmanager
def opened(place: Place) -> Iterator[Asked]:
    """Polars keeps nothing: it reads the files each time."""
    yield _Polars(place.parquet)
