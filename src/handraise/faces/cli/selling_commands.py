"""What the commands about selling do."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path
from typing import Any

from handraise.errors import InputError
from handraise.faces.cli import show
from handraise.faces.cli.ask import ask
from handraise.faces.cli.days import right_now
from handraise.faces.report.brief_document import brief_document
from handraise.faces.report.document import Block, Course, Document, Grid, Items, Pairs, Words, to_markdown
from handraise.faces.report.document_page import to_page
from handraise.faces.report.story_document import story_document
from handraise.playbook.load import FILE_NAME, load_playbook
from handraise.records.drafts import Draft
from handraise.service import selling_questions as questions
from handraise.service import template_files
from handraise.service.drafting import Approving
from handraise.service.folder import check_is_project
from handraise.service.wire import encode
from handraise.warehouse.text_files import write_whole

_MOST_EDITED = 20_000


def brief(folder: Path, target: str, form: str, out: Path | None, *, is_account: bool, lang: str | None) -> None:
    """`handraise brief`."""
    number = int(target) if target.isdigit() and not is_account else None
    account = None if number is not None else target
    found = ask(folder, questions.brief, number=number, account_id=account, language=lang, now=right_now())
    _write(brief_document(found), found, form, out)


def story(folder: Path, account: str, form: str, out: Path | None, *, lang: str | None) -> None:
    """`handraise story`."""
    found = ask(folder, questions.story, account_id=account, language=lang, now=right_now())
    _write(story_document(found), found, form, out)


def _write(document: Document, found: Any, form: str, out: Path | None) -> None:
    if form == "text" and out is None:
        document_text(document)
        return
    text = {
        "text": lambda: to_markdown(document),
        "md": lambda: to_markdown(document),
        "html": lambda: to_page(document),
        "json": lambda: json.dumps(json.loads(encode(found)), ensure_ascii=False, indent=2) + "\n",
    }[form]()
    if out is None:
        sys.stdout.write(text)
        return
    write_whole(out, text)
    show.say(f"Wrote {out}.")


def document_text(document: Document) -> None:
    """A document on a terminal."""
    show.say(document.title)
    for line in (document.simulated, *document.lines):
        if line:
            show.say(line)
    for part in document.parts:
        show.say(f"\n{part.title}")
        for block in part.blocks:
            _block(block, part.title)


def _block(block: Block, title: str) -> None:
    match block:
        case Words(text=text):
            show.say(f"  {text}")
        case Pairs(rows=rows):
            for name, value in rows:
                show.say(f"  {name}: {value}")
        case Items(lines=lines):
            for line in lines:
                show.say(f"  - {line}")
        case Course(label=label, values=values):
            show.say(f"  {label}: {' '.join(map(str, values))}")
        case Grid(caption=caption, columns=columns, rows=rows, figures=figures):
            sides = [(name, "right" if place in figures else "left") for place, name in enumerate(columns)]
            show.table("" if caption == title else f"  {caption}", sides, [list(row) for row in rows])


def draft(folder: Path, number: int, *, lang: str | None, as_json: bool) -> None:
    """`handraise draft show`."""
    found = ask(folder, questions.draft, number=number, language=lang, now=right_now())
    if as_json:
        show.print_json(_plain(found))
        return
    approved = ask(folder, questions.draft_approvals, number=number)
    draft_text(found)
    for one in approved:
        same = "this text" if one.sha256 == found.sha256 else "another text"
        show.say(f"Approved: {same} ({one.sha256[:12]}), by {one.by}, {one.at:%Y-%m-%d %H:%M}Z.")
    if not found.blocked:
        show.say(f"`handraise draft {number} --approve --sha256 {found.sha256[:12]}` approves exactly this text.")


def draft_text(found: Draft) -> None:
    """A draft and what it rests on."""
    to = found.to_name or found.person_id or "nobody"
    show.say(f"To {to} of {found.account_id} ({found.persona}), by {found.template} ({found.origin}, {found.language})")
    if found.body:
        show.say(f"\n  Subject: {found.subject}\n")
        for line in found.body.split("\n"):
            show.say(f"  {line}".rstrip())
        show.say("")
    if found.blocked:
        until = f", until {found.blocked.until:%Y-%m-%d %H:%M}Z" if found.blocked.until else ""
        show.say(f"Refused ({found.blocked.code}): {found.blocked.because}{until}.")
    for cite in found.cites:
        show.say(f"  rests on {cite.rests_on} ({cite.name}: {cite.text})")


def _plain(found: Draft) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(encode(found))
    return {**content, "sha256": found.sha256 if found.body else None}


def approve(folder: Path, number: int, said: dict[str, Any], *, lang: str | None, as_json: bool) -> None:
    """`handraise draft show --approve`."""
    wanted = Approving(
        by=said["by"] or getpass.getuser(),
        wording=_wording(said["edited"]) if said["edited"] else None,
        sha256=said["sha256"],
    )
    kept = ask(folder, questions.approve_draft, number=number, said=wanted, language=lang, now=right_now())
    if as_json:
        show.print_json(json.loads(encode(kept)))
        return
    show.say(f"Subject: {kept.subject}\n\n{kept.body}\n")
    show.say(f"Approved by {kept.by} ({kept.sha256[:12]}). Nothing was sent: copy it into your own mail.")


def _wording(file: Path) -> tuple[str, str]:
    """Subject and body of a file."""
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(_MOST_EDITED)
    except UnicodeDecodeError as error:
        raise InputError("the text cannot be read.", where=str(file), todo="Save it as UTF-8.") from error
    subject, _, body = text.partition("\n")
    return subject.removeprefix("Subject:").strip(), body.strip()


def templates(folder: Path, *, lang: str | None, as_json: bool) -> None:
    """`handraise draft templates`."""
    found = ask(folder, questions.templates, language=lang)
    if as_json:
        show.print_json(json.loads(encode(found)))
        return
    rows = [
        [
            one.name,
            one.language,
            f"{one.origin}, hides the shipped one" if one.hides else one.origin,
            one.mistake or one.chosen_for,
        ]
        for one in found
    ]
    show.table("Templates", [(name, "left") for name in ("template", "lang", "from", "chosen for")], rows)
    show.say(f"Your own go into {folder / template_files.FOLDER}; --eject TEMPLATE copies one there.")


def eject(folder: Path, name: str, *, lang: str | None) -> None:
    """`handraise draft templates --eject`."""
    check_is_project(folder)
    language = lang or load_playbook(folder / FILE_NAME).playbook.language
    file = template_files.eject(folder, name, "zh" if language == "zh" else "en")
    show.say(f"Wrote {file}. Edit it, then run `handraise draft preview {name}`.")


def preview(folder: Path, template: str, accounts: int, *, lang: str | None, as_json: bool) -> None:
    """`handraise draft preview`."""
    found = ask(
        folder, questions.preview_template, template=template, accounts=accounts, language=lang, now=right_now()
    )
    if as_json:
        show.print_json([_plain(one) for one in found])
        return
    for place, one in enumerate(found):
        show.say("" if place == 0 else "-" * 72)
        draft_text(one)
    usable = sum(one.blocked is None for one in found)
    show.say(f"\n{usable} of {len(found)} could be approved.")
