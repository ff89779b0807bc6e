"""The whole benchmark on one screen: simulate, load, roll up, then day by day refresh, baseline and rivals in turn."""

from __future__ import annotations

import json
import shutil
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.child import command, in_child
from benchmarks.company import DAYS, END, Company, Part, Size, known_company
from benchmarks.rivals.rival import RIVALS, installed

# People whose scores are made again by themselves.
DIRTY_PEOPLE = 1000

Say = Callable[[str], None]
Answers = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run.

    Attributes:
        size: What is simulated.
        repeat: How many days are measured, each in turn with baseline and rivals.
        cache: Folder for simulated companies and projects.
    """

    size: Size
    repeat: int
    cache: Path

    @property
    def held_back(self) -> int:
        """Days that are loaded one by one: each repetition takes one for the command, one for the open process."""
        return 2 * self.repeat


@dataclass
class Track:
    """One project that is measured: the whole history, or its last 180 days.

    Attributes:
        name: What it is called in the table.
        known: The parts that are loaded at first.
        project: Its folder.
        scratch: Where rivals keep their form of its events.
        events: Events known at first, each once.
        answers: What the phases said, by phase.
    """

    name: str
    known: tuple[Part, ...]
    project: Path
    scratch: Path
    events: int
    answers: dict[str, Answers] = field(default_factory=dict)

    def note(self, phase: str, answer: dict[str, Any]) -> None:
        """Keep what a phase said."""
        self.answers.setdefault(phase, []).append(answer)

    def of(self, phase: str, key: str) -> list[Any]:
        """One value of each repetition of a phase."""
        return [answer[key] for answer in self.answers.get(phase, [])]


def company_for(plan: Plan, say: Say) -> Company:
    """The simulated company, from the cache where it is there."""
    folder = plan.cache / plan.size.name
    found = known_company(folder, plan.held_back)
    if found:
        return found
    if not (folder / "simulated.json").exists() or not (folder / "events.parquet").exists():
        shutil.rmtree(folder, ignore_errors=True)
        say(f"simulating {plan.size.events:,} events")
        made = in_child("simulated", folder=str(folder), size=asdict(plan.size))
        (folder / "simulated.json").write_text(json.dumps(made), encoding="utf-8")
    say("cutting its events into days")
    in_child("cut", folder=str(folder), size=asdict(plan.size), held_back=plan.held_back)
    made_now = known_company(folder, plan.held_back)
    if made_now is None:
        message = f"{folder} was made and is not whole"
        raise RuntimeError(message)
    return made_now


def tracks_of(plan: Plan, company: Company) -> list[Track]:
    """The whole company; for a long history also its last 180 days, in a project of their own."""
    work = plan.cache / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    known = company.parts[: -plan.held_back]
    tracks = [_track(work, f"{plan.size.days} days", known)]
    if plan.size.days > DAYS:
        tracks.append(_track(work, f"{DAYS} days", tuple(part for part in known if part.name != "older")))
    return tracks


def _track(work: Path, name: str, known: tuple[Part, ...]) -> Track:
    folder = work / name.replace(" ", "-")
    return Track(
        name=name,
        known=known,
        project=folder / "project",
        scratch=folder,
        events=sum(part.events for part in known),
    )


def run(plan: Plan, company: Company, say: Say) -> list[Track]:
    """Measure everything; the numbers are in the tracks' answers."""
    tracks = tracks_of(plan, company)
    for track in tracks:
        _first_day(plan, company, track, say)
    days = company.parts[-plan.held_back :]
    for number in range(plan.repeat):
        for track in tracks:
            say(f"{track.name}: day {number + 1} of {plan.repeat}")
            _one_day(company, track, days[2 * number], days[2 * number + 1])
    for track in tracks:
        say(f"{track.name}: many as-ofs in one pass")
        track.note("many_as_ofs", _many_as_ofs(plan, track))
    for _ in range(plan.repeat):
        tracks[0].note("help", command("--help"))
    return tracks


def _first_day(plan: Plan, company: Company, track: Track, say: Say) -> None:
    say(f"{track.name}: loading {track.events:,} events")
    paths = [str(path) for path in (*company.tables, *(part.loaded for part in track.known))]
    track.note("loaded", in_child("loaded", project=str(track.project), paths=paths))
    say(f"{track.name}: rolling up")
    known_until = str(END - timedelta(days=plan.held_back))
    track.note("rolled_up", in_child("rolled_up", project=str(track.project), as_of=known_until, times=plan.repeat))


def _one_day(company: Company, track: Track, first: Part, second: Part) -> None:
    """One day through the command, the next in an open process; then the same question to everybody else."""
    project = str(track.project)
    in_child("loaded", project=project, paths=[str(first.loaded)])
    track.note("command", command("refresh", "--project", project, "--as-of", str(_after(first))))
    as_of = str(_after(second))
    track.note("refreshed", in_child("refreshed", project=project, paths=[str(second.loaded)], as_of=as_of))
    track.note("rescored", in_child("rescored", project=project, as_of=as_of, people=DIRTY_PEOPLE, times=3))
    track.note("baseline", in_child("baseline", project=project, as_of=as_of, times=3))
    written = {name: _rival(company, track, name, as_of) for name in RIVALS if installed(name)}
    judge = written["DuckDB, one query"]
    for name, path in written.items():
        if path != judge:
            track.answers[name][-1]["differing_rows"] = in_child("compared", one=path, other=judge)["rows"]


def _rival(company: Company, track: Track, name: str, as_of: str) -> str:
    newest = date.fromisoformat(as_of)
    days = [part for part in company.parts if _is_day(part) and date.fromisoformat(part.name) < newest]
    scratch = track.scratch / name.replace(", ", "-").replace(" ", "-")
    place = {
        "parquet": [str(part.once) for part in (*track.known, *days)],
        "warehouse": str(track.project / ".handraise" / "warehouse.duckdb"),
        "scratch": str(scratch),
    }
    out = str(scratch / "answer.parquet")
    track.note(name, in_child("rival", name=name, place=place, as_of=as_of, times=3, out=out))
    return out


def _many_as_ofs(plan: Plan, track: Track) -> dict[str, Any]:
    days = int(track.name.split()[0])
    # Fifty-two weeks need a history of more than a year; in a shorter one the as-ofs lie closer together.
    step = max(1, min(7, (days - plan.held_back) // 52))
    answer = in_child("many_as_ofs", project=str(track.project), as_of=str(END), step=step, times=plan.repeat)
    return {**answer, "step": step}


def _is_day(part: Part) -> bool:
    return part.name not in {"older", "base"}


def _after(part: Part) -> date:
    return date.fromisoformat(part.name) + timedelta(days=1)


def medians(lists: list[list[float]]) -> list[float]:
    """The median of each repetition's own repetitions."""
    return [statistics.median(numbers) for numbers in lists]
