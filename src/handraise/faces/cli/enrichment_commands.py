"""What the commands about enrichment do."""

from __future__ import annotations

import json
import os
from pathlib import Path

from rich.text import Text

from handraise.faces.cli import show
from handraise.faces.cli.ask import ask, is_served, order
from handraise.faces.cli.days import right_now
from handraise.faces.cli.who import actor
from handraise.records.enrichment import KnownValue, ProviderRun
from handraise.service import enriching, orders, questions
from handraise.service.enriching import Asking, Wanted
from handraise.service.project import open_project
from handraise.service.wire import encode


def enrich(folder: Path, wanted: Wanted, *, as_json: bool) -> None:
    """`handraise enrich`."""
    if is_served(folder):
        done = order(folder, orders.enrich, choice=wanted, actor=actor())
    else:
        with open_project(folder, environment=os.environ) as project, show.progress("asking") as progress:
            asking = Asking(environment=os.environ, now=right_now, actor=actor(), told=progress)
            done = enriching.enrich(project, asking, wanted)
    if as_json:
        show.print_json(json.loads(encode(done)))
        return
    for one in done:
        show.say(_run(one, wanted))
        if one.stopped:
            show.hint(f"{one.provider}: {one.stopped}.")
    if any(one.found for one in done) and not is_served(folder):
        show.say("Scores of today and later see it, those of earlier days do not: `handraise refresh`.")


def _run(one: ProviderRun, wanted: Wanted) -> str:
    many = "companies" if one.about == "company" else "people"
    left = f"Left: {one.budget.day:,} requests today, {one.budget.month:,} this month."
    if wanted.dry_run:
        would = min(one.due, one.budget.left, wanted.limit or one.due)
        return (
            f"{one.provider}: {one.worth:,} {many} are worth asking about, {one.due:,} of them are to be asked about, "
            f"{would:,} would be now. {left}"
        )
    rest = f" {one.due - one.found - one.missed:,} wait." if one.due > one.found + one.missed else ""
    return (
        f"{one.provider}: asked about {one.asked:,} of {one.due:,} {many}: {one.found:,} found, {one.missed:,} not known, "
        f"{one.failed:,} failed.{rest} {left}"
    )


def enrichment(folder: Path, *, as_json: bool) -> None:
    """`handraise enrichment`."""
    found = ask(folder, questions.enrichment, now=right_now())
    if as_json:
        show.print_json(json.loads(encode(found)))
        return
    if not found.coverage:
        show.say("Nothing is known of any account or person, not even from your own files.")
    totals = {"company": found.companies, "person": found.people}
    rows = [
        [one.about, one.field, one.source, one.known, f"{one.known / max(totals[one.about], 1):.0%}", one.used]
        for one in found.coverage
    ]
    columns = [("about", "left"), ("field", "left"), ("source", "left")]
    columns += [("known", "right"), ("of all", "right"), ("believed", "right")]
    show.table(f"{found.companies:,} accounts and {found.people:,} people as of {found.as_of}", columns, rows)
    for name, left in found.providers.items():
        paused = f"; left alone until {left.paused_until:%Y-%m-%d %H:%M}Z: {left.because}" if left.paused_until else ""
        show.say(f"{name}: {left.day:,} requests left today, {left.month:,} this month{paused}.")


def conflicts(folder: Path, about: str | None, *, limit: int, as_json: bool) -> None:
    """`handraise enrichment conflicts`."""
    found = ask(folder, questions.enrichment_conflicts, about=about, limit=limit, now=right_now())
    if as_json:
        show.print_json(json.loads(encode(found)))
        return
    if not found:
        show.say("No two sources contradict each other.")
        return
    rows = [[one.id, one.used.field, _value(one.used), _value(one.other)] for one in found]
    show.table("", [("whose", "left"), ("field", "left"), ("believed", "left"), ("also said", "left")], rows)


def _value(one: KnownValue) -> Text:
    return Text.assemble(one.value, (f"  {source_of(one)}", "dim"))


def source_of(one: KnownValue) -> str:
    """Who says it, and since when it is known."""
    return one.source if one.known_at is None else f"{one.source}, {one.known_at:%Y-%m-%d}"
