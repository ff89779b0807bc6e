"""The pieces of work that are measured; each runs in a child process, so that its peak of memory is its own.

A phase takes and returns plain values, because they travel between processes. Seconds are wall time.
"""

from __future__ import annotations

import statistics
import time as clock
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.company import Size, cut_company, simulate_company

Answer = dict[str, Any]
FLOOR_TIMES: Final = 3
MANY_AS_OFS: Final = 52
# Steps of the path that say who is who and whose is whose; "load incl. identity" counts them.
IDENTITY: Final = frozenset(
    [
        "identity_links",
        "changed_links",
        "new_hosts",
        "email_hosts",
        "person_domains",
        "domain_owners",
        "alias_ends",
        "seen",
        "placed",
        "workspace_accounts",
        "places",
        "pairs",
        "pair_places",
    ]
)


def seconds_of(work: Callable[[], Any]) -> float:
    """How long it took."""
    started = clock.perf_counter()
    work()
    return clock.perf_counter() - started


def simulated(folder: str, size: dict[str, int]) -> Answer:
    """Simulate the company."""
    return simulate_company(Path(folder), Size(**size))


def cut(folder: str, size: dict[str, int], held_back: int) -> Answer:
    """Cut its events into parts; not measured."""
    cut_company(Path(folder), Size(**size), held_back)
    return {}


def loaded(project: str, paths: list[str]) -> Answer:
    """Load files into a project that is made if it is not there."""
    from handraise.service import project as service

    with _opened(project, make=True) as opened:
        counts: list[Any] = []
        seconds = seconds_of(lambda: counts.extend(service.load(opened, [Path(path) for path in paths]).counts))
    events = [count for count in counts if count.input == "events"]
    return {"seconds": seconds, "events": sum(count.read for count in events)}


def rolled_up(project: str, as_of: str, times: int) -> Answer:
    """All roll-ups anew, several times beside the floor; then the first scores, as a user's first day has them."""
    from handraise.playbook.plan import plan_rollups
    from handraise.rollups.upkeep import refresh_rollups
    from handraise.service import project as service
    from handraise.warehouse.tables import write_fact

    with _opened(project) as opened:
        plan = plan_rollups(opened.loaded.playbook)
        floors, seconds = [], []
        for _ in range(times):
            floors.append(_floor(opened.warehouse))
            write_fact(opened.warehouse, "rollup_plan", "")
            seconds.append(seconds_of(lambda: refresh_rollups(opened.warehouse, plan)))
        before = len(opened.warehouse.steps)
        service.refresh(opened, [date.fromisoformat(as_of)], now=_midnight(as_of))
        identity = sum(step.seconds for step in opened.warehouse.steps[before:] if step.name in IDENTITY)
    return {"floors": floors, "seconds": seconds, "identity": identity}


def refreshed(project: str, paths: list[str], as_of: str) -> Answer:
    """A new day, as a process that stays open sees it: load its file, score everybody, write everybody's receipt rows.

    The path's SQL is built at the first refresh of a process; that one comes before, and what it costs a new process
    shows where the command is measured.
    """
    from handraise.service import project as service
    from handraise.service.export import export_rows

    with _opened(project) as opened:
        day = date.fromisoformat(as_of)
        before = day - timedelta(days=1)
        service.refresh(opened, [before], now=_midnight(str(before)))
        floor = _floor(opened.warehouse)
        counts: list[Any] = []
        load = seconds_of(lambda: counts.extend(service.load(opened, [Path(path) for path in paths]).counts))
        step = len(opened.warehouse.steps)
        seconds = seconds_of(lambda: service.refresh(opened, [day], now=_midnight(as_of)))
        steps = [(found.name, found.rows, found.seconds) for found in opened.warehouse.steps[step:]]
        rows = seconds_of(
            lambda: opened.warehouse.create("bench_receipts", export_rows(opened, "receipt"), temporary=True)
        )
        receipts = opened.warehouse.count(opened.warehouse.table("bench_receipts"))
        active = _active_people(opened.warehouse, day)
    return {
        "floor": floor,
        "load": load,
        "events": sum(count.read for count in counts),
        "seconds": seconds,
        "receipts": rows,
        "receipt_rows": receipts,
        "steps": steps,
        "active": active,
    }


def rescored(project: str, as_of: str, people: int, times: int) -> Answer:
    """So many people, chosen by chance, and the accounts they are in: scored again among everybody's stored scores."""
    from handraise.service.rescore import rescore

    with _opened(project) as opened:
        sql = f"SELECT DISTINCT person_id FROM kept_person_values ORDER BY hash(person_id) LIMIT {people}"  # noqa: S608
        chosen = [row[0] for row in opened.warehouse.connection.execute(sql).fetchall()]
        done = rescore(opened, chosen, now=_midnight(as_of))
        seconds = [seconds_of(lambda: rescore(opened, chosen, now=_midnight(as_of))) for _ in range(times)]
    return {"seconds": seconds, "people": done.people, "accounts": done.accounts, "everybody": done.everybody}


def baseline(project: str, as_of: str, times: int) -> Answer:
    """The analyst's SQL, several times, and where it says something else than handraise."""
    from benchmarks.analyst.score import differences, score
    from handraise.service import project as service

    with _opened(project) as opened:
        day = date.fromisoformat(as_of)
        floor = _floor(opened.warehouse)
        seconds = [seconds_of(lambda: score(opened.warehouse, day)) for _ in range(times)]
        service.ensure_scored(opened, day, _midnight(as_of))
        differing = {f"people: {c}": n for c, n in differences(opened, "people").items()}
        differing |= {f"accounts: {c}": n for c, n in differences(opened, "accounts").items()}
        people = opened.warehouse.count(opened.warehouse.table("scored_people"))
        accounts = opened.warehouse.count(opened.warehouse.table("scored_accounts"))
    return {
        "floor": floor,
        "seconds": seconds,
        "differences": differing,
        "people": people,
        "accounts": accounts,
    }


def rival(name: str, place: dict[str, Any], as_of: str, times: int, out: str) -> Answer:
    """A rival's answer, several times; the last is written to a file to be compared."""
    from benchmarks.rivals.rival import Place, opening

    where = Place(
        parquet=tuple(Path(path) for path in place["parquet"]),
        warehouse=Path(place["warehouse"]),
        scratch=Path(place["scratch"]),
    )
    where.scratch.mkdir(parents=True, exist_ok=True)
    with opening(name)(where) as asked:
        seconds = [seconds_of(lambda: asked.ask(date.fromisoformat(as_of))) for _ in range(times)]
        asked.write(Path(out))
    return {"seconds": seconds}


def compared(one: str, other: str) -> Answer:
    """Rows in which two answers differ; not measured."""
    from benchmarks.rivals.rival import differing_rows

    return {"rows": differing_rows(Path(one), Path(other))}


def many_as_ofs(project: str, as_of: str, step: int, times: int) -> Answer:
    """One as-of against many in one pass."""
    from handraise.service.refresh import score_as_of

    with _opened(project) as opened:
        newest = date.fromisoformat(as_of)
        many = sorted(newest - timedelta(days=step * place) for place in range(MANY_AS_OFS))
        score_as_of(opened.warehouse, opened.loaded, [newest])
        one_seconds, many_seconds = [], []
        for _ in range(times):
            one_seconds.append(seconds_of(lambda: score_as_of(opened.warehouse, opened.loaded, [newest])))
            many_seconds.append(seconds_of(lambda: score_as_of(opened.warehouse, opened.loaded, many)))
        people = opened.warehouse.count(opened.warehouse.table("scored_people"))
    return {"one": one_seconds, "many": many_seconds, "people": people}


@contextmanager
def _opened(project: str, *, make: bool = False) -> Iterator[Any]:
    from benchmarks.analyst.score import PLAYBOOK
    from handraise.service.project import open_project

    folder = Path(project)
    if make and not folder.exists():
        folder.mkdir(parents=True)
        (folder / "handraise.yaml").write_text(PLAYBOOK.read_text(encoding="utf-8"), encoding="utf-8")
    with open_project(folder) as opened:
        yield opened


def _floor(warehouse: Any) -> float:
    """Median seconds of the least that anybody who looks at every event has to do, warm."""
    sql = """
        SELECT count(*), sum(events) FROM (
            SELECT person_id, timestamp::DATE AS day, count(*) AS events FROM events GROUP BY person_id, day
        )
    """

    def run() -> Any:
        return warehouse.connection.execute(sql).fetchall()

    run()
    return statistics.median(seconds_of(run) for _ in range(FLOOR_TIMES))


def _active_people(warehouse: Any, day: date) -> int:
    sql = f"""
        SELECT count(DISTINCT person_id) FROM events
        WHERE timestamp >= TIMESTAMP '{day}' - INTERVAL 30 DAY AND timestamp < TIMESTAMP '{day}'
    """  # noqa: S608 - a date
    ((people,),) = warehouse.connection.execute(sql).fetchall()
    return int(people)


def _midnight(day: str) -> datetime:
    """The present of a score that knows everything before a day."""
    return datetime.combine(date.fromisoformat(day), time(), UTC)


PHASES: Final[dict[str, Callable[..., Answer]]] = {
    phase.__name__: phase
    for phase in (simulated, cut, loaded, rolled_up, refreshed, rescored, baseline, rival, compared, many_as_ofs)
}
