"""What to talk about, from the templates of the strongest signals."""

from __future__ import annotations

from collections.abc import Sequence

from handraise.errors import DraftError
from handraise.handoffs.citing import Absent, Facts
from handraise.handoffs.drafting_facts import facts_of
from handraise.handoffs.drafts import fill_in
from handraise.handoffs.templates import choose_talk
from handraise.playbook.section import Language
from handraise.records import ReceiptLine
from handraise.records.brief import Brief
from handraise.records.drafts import TalkTrack
from handraise.service.project import Project
from handraise.service.template_files import read_templates

MOST_TRACKS = 3


def talk_tracks(
    project: Project, brief: Brief, strongest: Sequence[ReceiptLine], language: Language
) -> tuple[TalkTrack, ...]:
    """The tracks of the strongest signals that have one.

    Args:
        project: Whose templates.
        brief: Of the account, as far as it is put together.
        strongest: Signals with points, the largest first.
        language: Of the words.
    """
    templates = read_templates(project.folder).usable
    lines = {line.signal: line for line in strongest}
    facts = facts_of(brief, project.loaded.playbook.handoffs.outreach, language)
    made = []
    for signal, template in choose_talk(templates, list(lines), language, MOST_TRACKS):
        try:
            body = fill_in(template, {**facts, "signal": _signal(lines[signal])}, language).body
        except DraftError as error:  # a mistake of one template is told in its place, and hides nothing else
            body = str(error)
        words = tuple(line.removeprefix("- ") for line in body.split("\n") if line.strip())
        made.append(TalkTrack(signal=signal, template=template.name, words=words))
    return tuple(made)


def _signal(line: ReceiptLine) -> Facts:
    value = Absent("signal.value") if line.value is None else f"{line.value:,.10g}"
    return Facts({"value": value, "because": line.because})
