"""Numbers for Prometheus; docs/api.md says what each means."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from handraise.errors import LedgerError
from handraise.ledger.outbox import Standing

if TYPE_CHECKING:
    from handraise.service.host import Host

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """Of one host; nothing of it is shared with another in the same process.

    Args:
        host: What is served.
    """

    def __init__(self, host: Host) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_State(host))
        self._seconds = Histogram(
            "handraise_request_seconds",
            "How long requests took, by route.",
            ["route", "method", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        known = method if method in {"GET", "POST", "PUT", "DELETE"} else "other"
        self._seconds.labels(route, known, str(status)).observe(seconds)

    def text(self) -> bytes:
        """All numbers as Prometheus reads them."""
        return generate_latest(self.registry)


class _State(Collector):
    """Numbers that are there anyway, looked up when they are asked for."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def describe(self) -> Iterator[Metric]:
        """Which numbers there are; the registry asks before there is anything to say."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """The numbers as they are now."""
        host = self._host
        door, progress = host.door, host.follower.progress
        yield _counter("handraise_calls_accepted", "Calls written to the log.", door.accepted)
        refused = CounterMetricFamily("handraise_calls_refused", "Calls that were refused.", labels=["reason"])
        for reason, count in sorted(door.refused_ever().items()):
            refused.add_metric([reason], count)
        yield refused
        yield _counter("handraise_calls_taken_in", "Calls taken in from the log.", progress.calls)
        yield _gauge("handraise_log_durable_bytes", "Where the log ends.", host.log.durable)
        yield _gauge("handraise_log_waiting_bytes", "Received, and not in the log yet.", door.waiting)
        yield _gauge("handraise_log_behind_bytes", "Of the log, still to be taken in.", progress.behind)
        yield _gauge("handraise_log_room_bytes", "What may still be written.", host.log.room)
        yield _gauge("handraise_log_damaged_bytes", "Of the log, cannot be read.", progress.damaged)
        yield _gauge("handraise_log_writable", "1 = what is sent can be stored.", not door.failing)
        scored = progress.scored_at.timestamp() if progress.scored_at else 0.0
        yield _gauge("handraise_scored_timestamp_seconds", "When scores were last brought up to date.", scored)
        yield _counter("handraise_follower_failures", "How often following the log failed.", progress.failures)
        yield _gauge("handraise_data_files_moved_aside", "Damaged data files made anew.", len(progress.moved_aside))
        yield from _alerts(host)
        yield _gauge(
            "handraise_playbook_refused", "1 = the playbook's file has a mistake.", bool(host.playbook.refused)
        )


def _alerts(host: Host) -> Iterator[Metric]:
    """How the destinations of alerts stand; nothing, where the ledger cannot be read."""
    known: dict[str, Standing] = {}
    with contextlib.suppress(LedgerError):
        known = host.alert_standings()
    for name, said, of in _OF_ALERTS:
        metric = GaugeMetricFamily(f"handraise_alerts_{name}", said, labels=["destination"])
        for destination, standing in known.items():
            metric.add_metric([destination], float(of(standing)))
        yield metric


_OF_ALERTS: tuple[tuple[str, str, Callable[[Standing], float]], ...] = (
    ("waiting", "Alerts that wait to be sent.", lambda one: one.waiting),
    ("sent", "Alerts sent in the last 30 days.", lambda one: one.sent),
    ("dead", "Alerts that will not be taken.", lambda one: one.dead),
    ("unsure", "Alerts that may have arrived.", lambda one: one.unsure),
    ("paused", "1 = nothing is sent there until somebody resumes it.", lambda one: one.paused_at is not None),
)


def _counter(name: str, said: str, value: float) -> Metric:
    return CounterMetricFamily(name, said, value=value)


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value=float(value))
