"""Consoles on which nothing that somebody sent acts: ids and names of people and accounts come from strangers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# What moves a terminal's cursor, colours it, or writes into its title; and what turns the order of letters around.
_ACTING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class QuietConsole(Console):
    """A console that shows such characters as U+FFFD; styles and cursor movements of our own are no text."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As it is drawn, without what would act."""
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else _ACTING.sub("\ufffd", segment.text)
            yield Segment(text, segment.style, segment.control)
