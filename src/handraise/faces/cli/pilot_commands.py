"""What the commands of the pilot mode do."""

from __future__ import annotations

import getpass
import os
import secrets
from pathlib import Path

import typer

from handraise.alerts.protocol import Reach
from handraise.errors import HandraiseError, InputError
from handraise.faces.cli import show
from handraise.faces.cli.ask import ask
from handraise.faces.cli.days import right_now
from handraise.playbook.load import FILE_NAME, load_playbook
from handraise.service import alert_desk, pilot, questions
from handraise.service.inbox import InboxChoice
from handraise.service.ledgers import open_ledger
from handraise.service.questions import check_name
from handraise.service.sheets import write_sheet, xlsx_of


def export(folder: Path, choice: InboxChoice, lang: str | None, *, out: Path | None, mail: str | None) -> None:
    """`handraise pilot export`."""
    check_name("language", lang, ("en", "zh"))
    playbook, now = load_playbook(folder / FILE_NAME).playbook, right_now()
    found = ask(folder, questions.inbox, choice=choice, language=lang, now=now)
    columns, rows = pilot.columns_of("zh" if (lang or playbook.language) == "zh" else "en"), pilot.rows_of(found)
    if out is not None and out.exists():
        raise InputError("this file is there already, perhaps filled in.", where=str(out), todo="Name a new one.")
    if out is not None:
        write_sheet(out, columns, rows)
        show.say(f"Wrote {len(found)} handoffs to {out}. What is filled in comes back with:")
    else:
        sheet = pilot.as_mail(xlsx_of(columns, rows), len(found), message_id=secrets.token_hex(16), now=now)
        outcome = alert_desk.send_sheet(playbook, mail or "", Reach(environment=os.environ), sheet)
        if outcome.kind != "sent":
            raise HandraiseError(
                f"the sheet was not sent: {outcome.said}", todo="`handraise alerts test` tries it alone."
            )
        show.say(f"Sent {len(found)} handoffs to {mail}. {outcome.said}".rstrip())
    show.say(f"  handraise pilot import {out.name if out else pilot.FILE} --by {choice.owner or 'NAME'}")
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
