"""What the commands of the pilot mode do."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import typer

from handraise.faces.cli import show
from handraise.faces.cli.ask import ask
from handraise.faces.cli.days import right_now
from handraise.playbook.load import FILE_NAME, load_playbook
from handraise.service import pilot, questions
from handraise.service.inbox import InboxChoice
from handraise.service.ledgers import open_ledger
from handraise.service.questions import check_name
from handraise.service.sheets import write_sheet


def export(folder: Path, out: Path, owner: str | None, limit: int, lang: str | None) -> None:
    """`handraise pilot export`."""
    check_name("language", lang, ("en", "zh"))
    found = ask(folder, questions.inbox, choice=InboxChoice(owner=owner, limit=limit), language=lang, now=right_now())
    spoken = lang or load_playbook(folder / FILE_NAME).playbook.language
    write_sheet(out, pilot.columns_of("zh" if spoken == "zh" else "en"), pilot.rows_of(found))
    show.say(f"Wrote {len(found)} handoffs to {out}. What is filled in comes back with:")
    show.say(f"  handraise pilot import {out.name} --by {owner or 'NAME'}")
    show.hint("The file names people: keep it as carefully as the project, and delete it when it came back.")


def take_in(folder: Path, file: Path, by: str | None, *, as_json: bool) -> None:
    """`handraise pilot import`."""
    playbook, who = load_playbook(folder / FILE_NAME).playbook, by or getpass.getuser()
    with open_ledger(folder, os.environ) as ledger, show.progress("taking in") as bar:
        done = pilot.take_in(ledger, file, playbook, by=who, now=right_now(), progress=lambda share: bar("rows", share))
    refused = [one for one in done if one.refused]
    if as_json:
        show.print_json(done)
    else:
        for one in done:
            if one.said or one.refused:
                show.say(f"line {one.line}, no. {one.handoff or '?'}: {', '.join(one.said) or 'nothing new'}")
            if one.refused:
                show.hint(f"  not taken in: {one.refused}")
        new = sum(len(one.said) for one in done)
        show.say(f"{len(done)} rows: {new} things are new, {len(refused)} rows were not taken in whole.")
    if refused:
        raise typer.Exit(1)
