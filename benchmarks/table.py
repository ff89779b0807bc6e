"""From what the phases said to the lines of the table, with the limits that were set for 30 million events."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from benchmarks.company import ISSUED_EVENTS, Company
from benchmarks.figures import GIB, Figure, Limit, Report, plain
from benchmarks.rivals.rival import RIVALS, installed
from benchmarks.run import DIRTY_PEOPLE, Track, medians

MOST_MEMORY = 6 * GIB
_OWN_PHASES = {
    "loaded": "load",
    "rolled_up": "full roll-up and first refresh",
    "command": "`handraise refresh`",
    "refreshed": "daily refresh, open process",
    "rescored": "a thousand people scored again",
    "many_as_ofs": "52 as-ofs in one pass",
}


def report_of(tracks: list[Track], company: Company) -> Report:
    """Every figure; ratios are of numbers taken one after the other in the same repetition."""
    report = Report(title=_title(company))
    whole = tracks[0]
    report.add(_simulation(company))
    for track in tracks:
        for figure in _figures_of(track, long=track is whole and len(tracks) > 1):
            report.add(_named(figure, track) if len(tracks) > 1 else figure)
    if len(tracks) > 1:
        report.add(_growth(whole, tracks[1]))
    report.add(_help(whole))
    for track in tracks:
        for figure in _memory(track):
            report.add(_named(figure, track) if len(tracks) > 1 else figure)
    report.facts = _facts(tracks, company)
    return report


def _title(company: Company) -> str:
    made, whole = company.simulated, sum(part.events for part in company.parts)
    title = f"Simulated: {whole:,} events, {made['people']:,} people, {made['accounts']:,} accounts known to the CRM"
    return title + (f"; limits are set for {ISSUED_EVENTS:,} events or more" if whole < 0.9 * ISSUED_EVENTS else "")


def _named(figure: Figure, track: Track) -> Figure:
    return Figure(
        name=f"{track.name}: {figure.name}",
        seconds=figure.seconds,
        measured=figure.measured,
        unit=figure.unit,
        limit=figure.limit,
        note=figure.note,
    )


def _simulation(company: Company) -> Figure:
    made = company.simulated
    allowed = 180 * made["events"] / ISSUED_EVENTS
    limit = Limit(shown=f"≤ {plain(allowed)} s (3 minutes for 30 M)", most=allowed)
    note = f"peak {plain(made['peak_bytes'] / GIB)} GiB; done once, then kept"
    return Figure(name="simulate", seconds=[made["seconds"]], limit=limit, note=note)


def _figures_of(track: Track, *, long: bool) -> Iterator[Figure]:
    floors = [floor for answer in track.answers["rolled_up"] for floor in answer["floors"]]
    floors += track.of("refreshed", "floor") + track.of("baseline", "floor")
    yield Figure(name="floor F: count(*) by person, day", seconds=floors, note="each the median of three, warm")
    yield from _first_day(track)
    yield from _daily(track)
    yield from _baseline(track)
    yield from _rivals(track, least=3.0 if long else 1.0)
    yield _many(track)


def _first_day(track: Track) -> Iterator[Figure]:
    (load,), (rolled,) = track.answers["loaded"], track.answers["rolled_up"]
    rate = load["events"] / (load["seconds"] + rolled["identity"])
    yield Figure(
        name="load Parquet, dedupe, identity",
        seconds=[load["seconds"] + rolled["identity"]],
        measured=[rate],
        unit="events/s",
        limit=Limit(shown="≥ 500,000 events/s", least=500_000),
        note=f"identity {plain(rolled['identity'])} s of it",
    )
    yield Figure(
        name="full roll-up",
        seconds=rolled["seconds"],
        measured=_shares(rolled["seconds"], rolled["floors"]),
        unit="× F",
        limit=Limit(shown="≤ 6 F", most=6),
    )


def _daily(track: Track) -> Iterator[Figure]:
    seconds, floors = track.of("refreshed", "seconds"), track.of("refreshed", "floor")
    events = statistics.median(track.of("refreshed", "events"))
    yield Figure(
        name="daily refresh",
        seconds=seconds,
        measured=_shares(seconds, floors),
        unit="× F",
        limit=Limit(shown="≤ 2 F", most=2),
        note="everybody re-scored, accounts, history; process open",
    )
    parts = zip(track.of("refreshed", "load"), seconds, track.of("refreshed", "receipts"), strict=True)
    whole = [sum(three) for three in parts]
    yield Figure(
        name="… with loading the day and writing receipt rows",
        seconds=whole,
        measured=_shares(whole, floors),
        unit="× F",
        limit=Limit(shown="≤ 2 F", most=2),
        note=f"{events:,.0f} events, {statistics.median(track.of('refreshed', 'receipt_rows')):,.0f} receipt rows",
    )
    ran = track.of("command", "seconds")
    yield Figure(
        name="… as the command `handraise refresh`",
        seconds=ran,
        measured=_shares(ran, floors),
        unit="× F",
        note="a new process: start, imports, building the SQL",
    )
    some = track.answers["rescored"][-1]
    yield Figure(
        name=f"{DIRTY_PEOPLE:,} people scored again by themselves",
        seconds=medians(track.of("rescored", "seconds")),
        limit=Limit(shown="≤ 0.3 s", most=0.3),
        note=f"with all {some['people']:,} people of their {some['accounts']:,} accounts; process open",
    )


def _baseline(track: Track) -> Iterator[Figure]:
    seconds = medians(track.of("baseline", "seconds"))
    differing = [answer for answer in track.of("baseline", "differences") if answer]
    newest = track.answers["baseline"][-1]
    same = f"same scores for {newest['people']:,} people and {newest['accounts']:,} accounts"
    yield Figure(
        name="baseline B ÷ daily refresh",
        seconds=seconds,
        measured=_shares(seconds, track.of("refreshed", "seconds")),
        unit="× the refresh",
        limit=Limit(shown="≥ 3 ×", least=3),
        note="the analyst's SQL, one CTE per signal",
    )
    yield Figure(
        name="numbers in which B and handraise differ",
        measured=[float(sum(answer.values())) for answer in track.of("baseline", "differences")],
        limit=Limit(shown="0", most=0),
        note=f"DIFFERENT: {differing}" if differing else same,
    )


def _rivals(track: Track, *, least: float) -> Iterator[Figure]:
    refresh = track.of("refreshed", "seconds")
    all_seconds: dict[str, list[float]] = {}
    for name in RIVALS:
        if not installed(name):
            yield Figure(name=f"rival {name}", note="not installed")
            continue
        seconds = medians(track.of(name, "seconds"))
        differing = sum(answer.get("differing_rows", 0) for answer in track.answers[name])
        note = f"ANSWERS DIFFER in {differing} rows" if differing else "person-level aggregates only"
        yield Figure(
            name=f"rival {name}", seconds=seconds, measured=_shares(seconds, refresh), unit="× the refresh", note=note
        )
        all_seconds[name] = seconds
    name, best = min(all_seconds.items(), key=lambda item: statistics.median(item[1]))
    yield Figure(
        name=f"best rival ({name}) ÷ daily refresh",
        seconds=best,
        measured=_shares(best, refresh),
        unit="× the refresh",
        limit=Limit(shown=f"≥ {plain(least)} ×", least=least),
    )


def _many(track: Track) -> Figure:
    (found,) = track.answers["many_as_ofs"]
    weekly = 7
    spacing = "weekly" if found["step"] == weekly else f"{found['step']} days apart, as the history is short"
    return Figure(
        name="52 as-ofs in one pass ÷ one",
        seconds=found["many"],
        measured=_shares(found["many"], found["one"]),
        unit="× one",
        limit=Limit(shown="≤ 10 ×", most=10),
        note=f"{spacing}; {found['people']:,} person scores",
    )


def _growth(whole: Track, short: Track) -> Figure:
    seconds = whole.of("refreshed", "seconds")
    people = statistics.median(whole.of("refreshed", "active"))
    return Figure(
        name=f"daily refresh with {whole.name} of history ÷ with {short.name}",
        seconds=seconds,
        measured=_shares(seconds, short.of("refreshed", "seconds")),
        unit="×",
        limit=Limit(shown="≤ 1.3 ×", most=1.3),
        note=f"{whole.events:,} against {short.events:,} events at first, the same last {short.name}; "
        f"{people:,.0f} people with an event in 30 days",
    )


def _help(track: Track) -> Figure:
    limit = Limit(shown="≤ 1 s", most=1)
    return Figure(name="handraise --help", seconds=track.of("help", "seconds"), limit=limit)


def _memory(track: Track) -> Iterator[Figure]:
    limit = Limit(shown="≤ 6 GiB", most=MOST_MEMORY / GIB)
    for phase, name in _OWN_PHASES.items():
        peaks = [peak / GIB for peak in track.of(phase, "peak_bytes")]
        yield Figure(name=f"peak memory: {name}", measured=peaks, unit="GiB", limit=limit)
    for name in ("baseline", *filter(installed, RIVALS)):
        peaks = [peak / GIB for peak in track.of(name, "peak_bytes")]
        yield Figure(name=f"peak memory: {name}", measured=peaks, unit="GiB", note="not ours")


def _facts(tracks: list[Track], company: Company) -> dict[str, Any]:
    return {
        "simulated": company.simulated,
        "tracks": {track.name: {"events": track.events, "answers": track.answers} for track in tracks},
        "steps": {track.name: slowest_steps(track) for track in tracks},
    }


def slowest_steps(track: Track) -> list[tuple[str, int, float]]:
    """(step, rows, median seconds) of the daily refresh, slowest first; a step that runs twice is added up."""
    runs: list[dict[str, tuple[int, float]]] = []
    for steps in track.of("refreshed", "steps"):
        run: dict[str, tuple[int, float]] = {}
        for name, rows, seconds in steps:
            before = run.get(name, (0, 0.0))
            run[name] = (before[0] + max(rows, 0), before[1] + seconds)
        runs.append(run)
    names = runs[-1] if runs else {}
    found = [(name, names[name][0], statistics.median(run.get(name, (0, 0.0))[1] for run in runs)) for name in names]
    return sorted(found, key=lambda step: -step[2])


def _shares(numbers: list[float], whole: list[float]) -> list[float]:
    return [number / of for number, of in zip(numbers, whole, strict=True)]
