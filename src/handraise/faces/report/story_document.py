"""A story for whoever decides: from one person's use to the whole company's."""

from __future__ import annotations

from datetime import timedelta

from handraise.faces.report.brief_words import WORDS
from handraise.faces.report.document import Block, Document, Part, Words
from handraise.faces.report.texts import long_day
from handraise.service.drafting import Story


def story_document(story: Story) -> Document:
    """The whole story in its language; what it rests on is for whoever hands it over, and not in it."""
    t = WORDS[story.language]
    return Document(
        language=story.language,
        title=t["story_title"].format(name=story.name),
        lines=(t["story_as_of"].format(day=long_day(story.as_of - timedelta(days=1), story.language)),),
        simulated=t["simulated"] if story.simulated else "",
        parts=tuple(Part(title=part.title, blocks=_blocks(part.paragraphs)) for part in story.parts),
        footer=t["story_footer"],
    )


def _blocks(paragraphs: tuple[str, ...]) -> tuple[Block, ...]:
    return tuple(Words(text=" ".join(one.split())) for one in paragraphs)
