"""What `handraise draft NO --rewrite` does."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from handraise.faces.cli import show
from handraise.faces.cli.ask import is_served, order
from handraise.faces.cli.days import right_now
from handraise.faces.cli.who import actor
from handraise.records.rewriting import Rewrite
from handraise.service import orders, rewriting
from handraise.service.enriching import ledger_of
from handraise.service.project import open_project
from handraise.service.questions import language_of
from handraise.service.wire import encode


def reword(folder: Path, number: int, *, lang: str | None, as_json: bool) -> None:
    """Show the template's text and the reworded one."""
    if is_served(folder):
        done = order(folder, orders.reword_draft, number=number, language=lang, actor=actor())
    else:
        done = _here(folder, number, lang)
    if as_json:
        found = json.loads(encode(done))
        hashes = {"original": done.original, "reworded": done.reworded}
        show.print_json({**found, "sha256": {name: text and text.sha256 for name, text in hashes.items()}})
        return
    _show(done, number)


def _here(folder: Path, number: int, lang: str | None) -> Rewrite:
    with open_project(folder, environment=os.environ) as project, ledger_of(project) as ledger:
        language, playbook = language_of(project, lang), project.loaded.playbook
        draft, company = rewriting.draft_to_reword(project, number, language=language, now=right_now())
        wanted = rewriting.Rewording(
            ledger=ledger,
            settings=playbook.rewriting,
            rules=playbook.handoffs.outreach,
            environment=os.environ,
            now=right_now,
            random=secrets.token_bytes,
            actor=actor(),
        )
        return rewriting.reword(draft, company, wanted)


def _show(done: Rewrite, number: int) -> None:
    texts = [("template", done.original), *([("reworded", done.reworded)] if done.reworded else [])]
    rows = [[f"{text.subject}\n\n{text.body}" for _, text in texts]]
    show.table("", [(f"{name} ({text.sha256[:12]})", "left") for name, text in texts], rows)
    if done.reworded is None:
        show.say(f"Not reworded ({done.code}): {done.because}. The template's text holds.")
        return
    show.say(
        f"Reworded by {done.model}, which only knows what the template says. Nothing is sent. Approve one of the two:"
    )
    for _, text in texts:
        show.say(f"  handraise draft {number} --approve --sha256 {text.sha256[:12]}")
