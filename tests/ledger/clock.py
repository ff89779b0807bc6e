"""A made-up time and made-up chance, so that every run of a test is the same."""

import hashlib
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")
NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


def later(**passed: float) -> datetime:
    return NOW + timedelta(**passed)


def chance(seed: str = "seed") -> Callable[[int], bytes]:
    """Bytes that look random, other ones at each call."""
    calls = itertools.count()
    return lambda size: hashlib.shake_256(f"{seed} {next(calls)}".encode()).digest(size)


def at_once(doing: Iterable[Callable[[], T]]) -> list[T]:
    """What several threads gave, each doing one of these at the same time."""
    todo = list(doing)
    with ThreadPoolExecutor(len(todo)) as threads:
        return [waiting.result() for waiting in [threads.submit(one) for one in todo]]
